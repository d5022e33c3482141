import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chooseKeys } from '../../src/cli/key-set.ts';

describe('the keys that a platform\'s signatures are checked with', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-keys-'));
  after(() => rmSync(folder, { recursive: true }));
  const file = (name: string, content: unknown) => {
    const place = path.join(folder, name);
    writeFileSync(place, JSON.stringify(content));
    return place;
  };
  const given = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'given' }] };
  const kept = { keys: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'kept' }] }, where: 'with the answer', platform: 'http://127.0.0.1:9' };

  it('are those given, before all others', async () => {
    assert.deepEqual(await chooseKeys({ keys: file('keys.json', given) }, kept), { keys: given, source: 'those given' });
    assert.deepEqual(await chooseKeys({ keys: file('keys.json', given), offline: true }, kept), { keys: given, source: 'those given' });
  });

  it('are those kept when nothing may be fetched, and never when something may', async () => {
    assert.deepEqual(await chooseKeys({ offline: true }, kept), { keys: kept.keys, source: 'those kept with the answer' });
    await assert.rejects(chooseKeys({}, kept), { code: 'GATEWAY_UNAVAILABLE' });
  });

  it('are refused when the file is no key set', async () => {
    for (const content of [{}, { keys: 'none' }, { kty: 'OKP', crv: 'Ed25519', x: 'one key alone' }]) {
      await assert.rejects(chooseKeys({ keys: file('broken.json', content) }, kept), { code: 'CONFIG_INVALID' });
    }
  });
});
