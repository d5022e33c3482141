import { strict as assert } from 'node:assert';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { encryptionThreads } from '../../src/cli/encryption-threads.ts';
import { fileMemory } from '../../src/cli/domain-memory.ts';
import { isVeilgateError } from '../../src/errors.ts';
import { run } from '../../src/cli/run.ts';
import { makeHeKey } from '../../src/custodian/he-keys.ts';
import type { TimeMs } from '../../src/vocabulary.ts';
import { sampleSubject } from '../../scripts/sample/subjects.ts';
import { startTestPlatform, type TestPlatform } from '../support/gateway.ts';
import { set, testHe } from '../support/he.ts';

type Status = { readonly columns: readonly { readonly feature: string; readonly enterprises: number; readonly stale: number }[]; readonly blocks: readonly { readonly feature: string; readonly block: number; readonly revision: number; readonly digest: string }[] };
type Upload = { readonly stored: number; readonly unchanged: number; readonly values: number };

describe('cli: encrypting features', () => {
  let platform: TestPlatform;
  let folder: string;
  let key: string;
  const subjects = Array.from({ length: 6 }, (_, n) => sampleSubject(n, 11));
  const rows = (ratings: readonly string[], violations: readonly (string | number)[]) => `subject,violations,credit_rating\n${ratings.map((rating, n) => `${subjects[n]},${violations[n]},${rating}`).join('\n')}\n`;
  const file = (name: string) => path.join(folder, name);

  const veilgate = async (...argv: string[]) => {
    const written = { out: '', err: '' };
    const code = await run(['--gateway', platform.gateway.gatewayUrl, '--credentials', file('tax.json'), ...argv], {
      stdout: { write: (text) => { written.out += text; } }, stderr: { write: (text) => { written.err += text; } }, stdin: Readable.from([]), env: {},
    });
    return { code, ...written };
  };
  const json = async <Value>(...argv: string[]) => {
    const ran = await veilgate(...argv, '--json');
    assert.deepEqual([ran.code, ran.err], [0, ''], `${argv.join(' ')} ${ran.out}`);
    return JSON.parse(ran.out) as Value;
  };
  const encrypt = (name: string, ...more: string[]) => json<Upload>('domain', 'encrypt', 'tax', file(name), '--key', key, ...more);

  before(async function () {
    this.timeout(60_000);
    folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-domain-'));
    platform = await startTestPlatform({}, { scoring: true });
    await veilgate('key', 'generate', '--party', 'tax_administration', '--out', file('tax.json'));
    const { signing } = JSON.parse(readFileSync(file('tax.json'), 'utf8')) as { signing: Record<string, string> };
    const { d: _private, ...publicJwk } = signing;
    await platform.registrar.registerDepartment({ id: 'tax_administration', name: { en: 'Tax', zh: '税' }, key: publicJwk as never });
    await (await platform.connect('officer-compliance', 'compliance')).call({ method: 'POST', path: '/v1/score-keys' });
    [{ thumbprint: key }] = (await json<{ keys: [{ thumbprint: string }] }>('domain', 'keys')).keys;
  });
  after(async () => {
    await platform.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('encrypts a file once, and then nothing that did not change', async () => {
    writeFileSync(file('features.csv'), rows(['A', 'B', '', 'D', 'A'], [0, 1, 2, '', 0]));
    assert.deepEqual(await encrypt('features.csv'), { stored: 6, unchanged: 0, values: 30, rotated: false });
    assert.deepEqual(await encrypt('features.csv'), { stored: 0, unchanged: 6, values: 0, rotated: false });
    const { columns, blocks } = await json<Status>('domain', 'status', 'tax');
    assert.deepEqual(columns.map(({ enterprises, stale }) => [enterprises, stale]), Array.from({ length: 6 }, () => [5, 0]));
    assert.deepEqual([...new Set(blocks.map(({ revision }) => revision))], [1]);
  });

  it('refreshes the blocks that changed and leaves the others', async () => {
    writeFileSync(file('features.csv'), rows(['A', 'B', '', 'D', 'B'], [0, 1, 2, '', 0]));
    assert.deepEqual(await encrypt('features.csv'), { stored: 2, unchanged: 4, values: 10, rotated: false }, 'ratings A and B');
  });

  it('goes on where it was interrupted, and doubles nothing', async () => {
    const before = (await json<Status>('domain', 'status', 'tax')).blocks;
    writeFileSync(file('features.csv'), rows(['C', 'C', 'C', 'C', 'C'], [0, 1, 2, '', 0]));
    const changed = await encrypt('features.csv');
    // the machine stopped while it wrote down the last block: the line is cut off
    const lines = readFileSync(file('features.csv.uploaded'), 'utf8').trimEnd().split('\n');
    writeFileSync(file('features.csv.uploaded'), [...lines.slice(0, -1), (lines.at(-1) ?? '').slice(0, 20)].join('\n'));
    const rest = await encrypt('features.csv');
    assert.deepEqual([changed.stored, rest.stored, rest.unchanged], [3, 1, 5]);
    assert.equal((await encrypt('features.csv')).stored, 0);
    const after = (await json<Status>('domain', 'status', 'tax')).blocks;
    assert.equal(after.length, before.length);
  });

  it('refuses a whole file for one value, with row and feature and without the value, and uploads nothing', async () => {
    const before = (await json<Status>('domain', 'status', 'tax')).blocks;
    writeFileSync(file('bad.csv'), rows(['A', 'Q', 'B', 'A', 'A'], [0, 1, '3x31', 0, 0]));
    const ran = await veilgate('domain', 'encrypt', 'tax', file('bad.csv'), '--key', key);
    assert.equal(ran.code, 1);
    assert.match(ran.err, /FEATURE_VALUE_REFUSED: Nothing was encrypted\. Row 3, tax\/rating_a: a value is not in the field's code list/);
    assert.match(ran.err, /^4 +tax\/violations_none +a value is not of the field's type$/m);
    assert.equal(/3x31|\bQ\b/.test(ran.err + ran.out), false);
    assert.deepEqual((await json<Status>('domain', 'status', 'tax')).blocks, before);
    for (const [text, reason] of [
      [`subject,violations\n${subjects[0]},1\n`, 'The header lacks'], [`subject,violations,credit_rating\n${subjects[0]},1,A\n${subjects[0]},1,A\n`, 'twice'],
      [`subject,violations,credit_rating\n91350211M000100Y44,1,A\n`, 'unified social credit code'], ['subject,violations,credit_rating\n', 'names no enterprise'],
    ] as const) {
      writeFileSync(file('bad.csv'), text);
      assert.match((await veilgate('domain', 'encrypt', 'tax', file('bad.csv'), '--key', key)).err, new RegExp(reason));
    }
  });

  it('refuses a file that would empty most of what is stored, unless that is meant', async () => {
    writeFileSync(file('few.csv'), rows(['A', 'A'], [0, 0]));
    const ran = await veilgate('domain', 'encrypt', 'tax', file('few.csv'), '--key', key);
    assert.match(ran.err, /SOURCE_FILE_MALFORMED: The file has less than half as many enterprises/);
  });

  it('encrypts under the pinned key only', async () => {
    const ran = await veilgate('domain', 'encrypt', 'tax', file('features.csv'), '--key', 'f'.repeat(64));
    assert.match(ran.err, /FEATURE_KEY_UNKNOWN/);
    assert.match((await veilgate('domain', 'encrypt', 'tax', file('features.csv'), '--key', file('nothing.bin'))).err, /CONFIG_INVALID: Say which key/);
  });

  it('takes the same as NDJSON, and shows positions and features', async () => {
    writeFileSync(file('features.ndjson'), [0, 1, 2, 3, 4].map((n) => `${JSON.stringify({ subject: subjects[n], violations: n, credit_rating: n === 2 ? null : 'A' })}\n`).join(''));
    assert.equal((await encrypt('features.ndjson')).stored, 6, 'another file remembers nothing of the first');
    writeFileSync(file('codes.txt'), `${subjects[4]}\n${subjects[0]}\n`);
    const { positions } = await json<{ positions: readonly object[] }>('domain', 'positions', file('codes.txt'));
    assert.deepEqual(positions, [{ subject: subjects[4], block: 0, slot: 4 }, { subject: subjects[0], block: 0, slot: 0 }]);
    assert.match((await veilgate('domain', 'features', 'tax')).out, /tax\/violations_some +tax\.violations +1 if ≥ 1 +0 +0\.\.1/);
  });

  it('takes an enterprise out at once, and its value with the next upload', async () => {
    const removal = await json<{ features: readonly string[] }>('domain', 'remove', 'tax', subjects[1] as string);
    assert.equal(removal.features.length, 6);
    assert.ok((await json<Status>('domain', 'status', 'tax')).columns.every(({ enterprises, stale }) => enterprises === 4 && stale === 1));
    writeFileSync(file('features.ndjson'), [0, 2, 3, 4].map((n) => `${JSON.stringify({ subject: subjects[n], violations: n, credit_rating: n === 2 ? null : 'A' })}\n`).join(''));
    assert.equal((await encrypt('features.ndjson')).stored, 6);
    assert.ok((await json<Status>('domain', 'status', 'tax')).columns.every(({ enterprises, stale }) => enterprises === 4 && stale === 0));
  });

  it('brings its columns to the custodian\'s next key without the file, and encrypts under that one from then on', async () => {
    const { he } = await testHe();
    const compliance = await platform.connect('officer-compliance', 'compliance');
    const before = (await json<Status>('domain', 'status', 'tax')).blocks;
    makeHeKey(path.join(platform.folder, 'custodian-keys'), he, { nowMs: () => Date.now() + 1000 as TimeMs });
    await platform.custodian?.reload();
    assert.deepEqual(await compliance.call({ method: 'POST', path: '/v1/score-keys' }), { state: 'pending' });
    assert.deepEqual(await json('domain', 'rotate', 'tax'), { rekeyed: 6, waiting: 0, waiting_of_all: 0, rotated: true });
    const { keys } = await json<{ keys: readonly { state: string; thumbprint: string }[] }>('domain', 'keys');
    assert.deepEqual(keys.map(({ state }) => state), ['active']);
    assert.notEqual(keys[0]?.thumbprint, key);
    const after = (await json<Status>('domain', 'status', 'tax')).blocks;
    assert.deepEqual(after.map(({ feature, block, revision }) => [feature, block, revision]), before.map(({ feature, block, revision }) => [feature, block, revision]));
    assert.ok(after.every(({ digest }) => before.every((old) => old.digest !== digest)));
    assert.match((await veilgate('domain', 'encrypt', 'tax', file('features.ndjson'), '--key', key)).err, /FEATURE_KEY_UNKNOWN/);
    key = keys[0]?.thumbprint ?? '';
    assert.equal((await encrypt('features.ndjson')).stored, 6);
    assert.match((await veilgate('domain', 'rotate', 'tax')).err, /FEATURE_KEY_UNKNOWN/);
  });

  it('keeps what it remembers to its owner, for one dataset of one platform', () => {
    assert.equal(statSync(file('features.csv.uploaded')).mode & 0o777, 0o600);
    assert.throws(() => fileMemory(file('features.csv.uploaded'), 'financials', platform.gateway.gatewayUrl), (error) => isVeilgateError(error, 'CONFIG_INVALID'));
  });

  it('threads encrypt what the custodian decrypts, and their end fails what waits', async () => {
    const { keys } = await testHe();
    const threads = encryptionThreads({ parameters: set.id, publicKey: keys.publicKey }, 2);
    const sealed = await Promise.all([1, 2, 3].map((n) => threads.encrypt(Int32Array.of(n, -n))));
    assert.deepEqual(sealed.map(({ length }) => length), [set.columnBytes, set.columnBytes, set.columnBytes]);
    await assert.rejects(threads.encrypt(new Int32Array(set.slots).fill(set.plainModulus)), (error) => isVeilgateError(error, 'HE_EVALUATION_FAILED'));
    const waiting = threads.encrypt(Int32Array.of(4));
    void threads.close();
    await assert.rejects(waiting, (error) => isVeilgateError(error, 'INTERNAL'));
  });
});
