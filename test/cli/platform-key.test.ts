import { strict as assert } from 'node:assert';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run } from '../../src/cli/run.ts';
import { systemClock } from '../../src/clock.ts';
import { openKeyring } from '../../src/identity/keyring.ts';

describe('cli/platform-key', () => {
  const folder = path.join(mkdtempSync(path.join(os.tmpdir(), 'veilgate-keys-')), 'private');
  after(() => rmSync(path.dirname(folder), { recursive: true, force: true }));
  const veilgate = async (...line: string[]) => {
    const written = { out: '', err: '' };
    const code = await run(['platform-key', ...line, '--keys', folder], { stdout: { write: (text) => { written.out += text; } }, stderr: { write: (text) => { written.err += text; } }, env: {} });
    return { code, ...written };
  };
  const ids = () => (JSON.parse(readFileSync(path.join(folder, 'token-secret.jwks.json'), 'utf8')) as { readonly keys: readonly { readonly kid: string }[] }).keys.map(({ kid }) => kid);

  it('puts a new key in front, and takes an older one out, never the newest', async () => {
    openKeyring(folder, systemClock);
    const rotated = await veilgate('rotate', 'token-secret', '--json');
    assert.deepEqual([rotated.code, rotated.err, JSON.parse(rotated.out), ids()], [0, '', { purpose: 'token-secret', key: '2' }, ['2', '1']]);
    assert.match((await veilgate('retire', 'token-secret', '2')).err, /CONFIG_INVALID/);
    assert.match((await veilgate('rotate', 'log-signing')).err, /log-signing/, 'the log is known by its key');
    assert.equal((await veilgate('retire', 'token-secret', '1')).code, 0);
    assert.deepEqual(ids(), ['2']);
    assert.equal(openKeyring(folder, systemClock).tokenSecrets.currentVersion, 2);
  });
});
