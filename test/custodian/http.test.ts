import { strict as assert } from 'node:assert';
import { setTimeout as delay } from 'node:timers/promises';
import { openCheckpoint } from '../../src/audit/checkpoint.ts';
import { parseVerifierKey } from '../../src/audit/note.ts';
import { readHeKeys } from '../../src/custodian/he-keys.ts';
import { loadHe } from '../../src/he/runtime.ts';
import { naiveSum } from '../support/he.ts';
import { until } from '../support/until.ts';
import { gatewaySide, openWorkshop, post, signRequest, signTicket } from './support/workshop.ts';

describe('custodian: interface', function () {
  this.timeout(60_000); // processes start and threads load SEAL, on a machine that may be busy
  const open: { readonly close: () => unknown }[] = [];
  afterEach(async () => {
    for (const each of open.splice(0).toReversed()) await each.close();
  });
  const started = async (settings: Readonly<Record<string, string>> = {}) => {
    const workshop = await openWorkshop({ settings });
    open.push(workshop);
    const side = await gatewaySide(workshop);
    open.push(side);
    const keyId = await workshop.keyId();
    const { ciphertext } = side.evaluate([new Int32Array(4096).fill(3)], [4]);
    const ask = (request = signRequest(workshop.bank), slots = [7]) => post(workshop.custodian.url, signTicket(workshop, { keyId, request, ciphertexts: [ciphertext], slots }), [ciphertext]);
    return { workshop, side, keyId, ask };
  };
  const codeOf = ({ status, text }: { readonly status: number; readonly text: string }) => [status, status === 200 ? undefined : (JSON.parse(text) as { code: string }).code];

  it('answers what it is, which keys it has, its log\'s checkpoint, and nothing about anything else', async () => {
    const { workshop: { custodian }, keyId, ask } = await started({ CUSTODIAN_CHECKPOINT_SECONDS: '1' });
    const get = (path: string, method = 'GET') => fetch(`${custodian.url}${path}`, { method });
    assert.deepEqual(await (await get('/healthz')).json(), { status: 'ok' });
    assert.deepEqual(await (await get('/readyz')).json(), { status: 'ready' });
    const key = await get(`/v1/keys/${keyId}`);
    assert.equal(key.headers.get('cache-control'), 'no-store');
    assert.match(key.headers.get('content-security-policy') ?? '', /default-src 'none'/);
    assert.equal(key.headers.get('x-powered-by'), null);
    assert.deepEqual(Object.keys(await key.json() as object), ['statement', 'public_key']);
    const absent = await Promise.all([get('/v1/keys/other'), get('/v1/keys/%ff'), get('/v1/open'), get('/metrics'), get('/v1/key', 'DELETE')]);
    assert.deepEqual(absent.map(({ status }) => status), [404, 404, 404, 404, 404]);
    assert.equal(new Set(await Promise.all(absent.map((response) => response.text()))).size, 1);
    await ask();
    const note = await until('a checkpoint counts an entry', async () => {
      const newest = await (await get('/v1/log/checkpoint')).text();
      return /\/log\n[1-9]/.test(newest) && newest;
    });
    const logKey = await parseVerifierKey(custodian.logVerifierKey);
    assert.ok((await openCheckpoint(note, { origin: logKey.name, logKeys: [logKey] })).size > 0);
  });

  it('refuses at the same beat whatever was wrong, from a bad signature to a block that is not masked', async () => {
    const beatMs = 400;
    const { workshop, side, keyId, ask } = await started({ CUSTODIAN_REFUSAL_MS: String(beatMs) });
    const [pair] = readHeKeys(workshop.config.keysFolder);
    const bare = naiveSum(await loadHe(), pair!, [side.encrypt(new Int32Array(4096).fill(9))], [1], { rerandomise: true });
    const used = signRequest(workshop.bank);
    for (let round = 0; round < 3; round += 1) await ask(used);
    const refusals: readonly (() => Promise<{ readonly status: number; readonly text: string }>)[] = [
      () => post(workshop.custodian.url, 'no ticket', [bare]),
      () => ask('no request'),
      () => ask(used),
      () => post(workshop.custodian.url, signTicket(workshop, { keyId, request: signRequest(workshop.bank), ciphertexts: [bare] }), [bare]),
    ];
    const beats = [];
    const texts = new Set<string>();
    for (const refusal of refusals) {
      const startedMs = performance.now();
      const { status, text } = await refusal();
      const elapsedMs = performance.now() - startedMs;
      assert.equal(status, 403);
      texts.add(text);
      assert.ok(elapsedMs % beatMs < beatMs / 2, `${elapsedMs} ms is no whole beat`);
      beats.push(Math.round(elapsedMs / beatMs));
    }
    assert.equal(texts.size, 1);
    assert.ok(beats.every((beat) => beat >= 1 && beat <= 3), beats.join());
  });

  it('holds one bank to its tickets a second without touching the others; such a ticket is not spent', async () => {
    const { workshop, ask } = await started({ CUSTODIAN_BANK_TICKETS_PER_SECOND: '2' });
    const other = await workshop.makeBank('bank-b');
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask()));
    const outcomes = answers.map((answer) => codeOf(answer).join(' '));
    assert.ok(outcomes.includes('503 CUSTODIAN_UNAVAILABLE') && outcomes.includes('200 '), outcomes.join());
    assert.deepEqual(codeOf(await ask(signRequest(other))), [200, undefined]);
    const { rows: [spent] } = await workshop.custodian.database.query<{ count: number }>('select count(*)::int from custodian_ticket');
    assert.equal(spent?.count, 1 + outcomes.filter((outcome) => outcome === '200 ').length);
  });

  it('holds a bank to its slots a day', async () => {
    const { ask, workshop } = await started({ CUSTODIAN_BANK_SLOTS_PER_DAY: '5' });
    const many = () => signRequest(workshop.bank, { score: { kind: 'many', count: 100 } });
    assert.equal((await ask(many(), [1, 2, 3])).status, 200);
    assert.equal((await ask(many(), [1, 2, 3])).status, 403);
    assert.equal((await ask(many(), [1, 2])).status, 200);
    assert.equal((await ask()).status, 403);
  });

  it('stops reading from an address that sent too much without a ticket', async () => {
    const { workshop, ask } = await started({ CUSTODIAN_ADDRESS_REQUESTS_PER_SECOND: '3' });
    for (let round = 0; round < 3; round += 1) assert.equal((await post(workshop.custodian.url, 'no ticket', [])).status, 403);
    assert.equal((await ask()).status, 403, 'not even looked at');
    await delay(1100);
    assert.equal((await ask()).status, 200);
  });

  it('works on so many requests at a time and says "not now" to more', async () => {
    const { ask } = await started({ CUSTODIAN_REQUESTS_IN_FLIGHT: '1' });
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask()));
    const outcomes = new Set(answers.map((answer) => codeOf(answer).join(' ')));
    assert.deepEqual([...outcomes].sort(), ['200 ', '503 CUSTODIAN_UNAVAILABLE']);
  });
});
