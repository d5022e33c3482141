import { strict as assert } from 'node:assert';
import { systemClock } from '../../src/clock.ts';
import { readHeKeys } from '../../src/custodian/he-keys.ts';
import { makeLoggedKey, retireLoggedKey } from '../../src/custodian/operator.ts';
import { createCustodianClient, type CustodianClient, type CustodianClientOptions } from '../../src/gateway/custodian-client.ts';
import { createDecryptor } from '../../src/he/decrypt.ts';
import { createEvaluator } from '../../src/he/evaluate.ts';
import { generateKeyPair } from '../../src/he/keygen.ts';
import { loadHe } from '../../src/he/runtime.ts';
import { opened } from '../support/he.ts';
import { makeKey, refused, signCompact, type TestKey } from '../identity/signing.ts';
import { gatewaySide, gatewayUrl, openWorkshop, openedScores, set, signRequest, type Workshop } from './support/workshop.ts';

const signerOf = (key: TestKey) => ({ kid: key.jwk.kid, sign: async (typ: string, payload: Readonly<Record<string, unknown>>) => signCompact(key, typ, payload) });

describe('gateway/custodian-client', function () {
  this.timeout(60_000); // processes start and threads load SEAL, on a machine that may be busy
  let workshop: Workshop;
  let options: CustodianClientOptions;
  let client: CustodianClient;
  let side: Awaited<ReturnType<typeof gatewaySide>>;
  before(async () => {
    workshop = await openWorkshop();
    side = await gatewaySide(workshop);
    options = { url: workshop.custodian.url, id: 'custodian', gatewayUrl, signer: signerOf(workshop.gatewayKey), pinnedKey: workshop.custodian.statementKey, clock: systemClock };
    client = createCustodianClient(options);
  });
  after(async () => {
    side.close();
    await workshop.close();
  });

  const ask = (through = client) => {
    const result = side.evaluate([new Int32Array(4096).fill(-4)], [25], 7);
    const request = signRequest(workshop.bank);
    return through.publicKey().then(async ({ keyId }) => {
      const ticket = { job: 'job-1', key: keyId, parameters: set.id, slots: [7], grants: 'b'.repeat(64), request };
      return { ...(await through.open({ ticket, ciphertexts: [result.ciphertext] })), masks: result.masks, request };
    });
  };

  it('has a result opened for the bank; the ticket\'s id comes with it', async () => {
    const { half, ticket, masks, request } = await ask();
    assert.match(ticket, /^[A-Za-z0-9_-]{22}$/);
    assert.deepEqual(await openedScores(workshop.bank, half, request, masks, [7]), [-93]);
  });

  it('believes a public key only on the pinned key\'s statement', async () => {
    const key = await client.publicKey();
    assert.deepEqual(await client.keyById(key.keyId), key);
    const answer = await (await fetch(`${options.url}/v1/key`)).json() as { statement: string; public_key: string };
    const saying = (body: unknown, more: Partial<CustodianClientOptions> = {}) => createCustodianClient({ ...options, fetch: async () => Response.json(body), ...more });
    assert.equal((await saying(answer).publicKey()).keyId, key.keyId);
    await refused(createCustodianClient({ ...options, pinnedKey: (await makeKey()).jwk }).publicKey(), 'CUSTODIAN_REFUSED');
    await refused(createCustodianClient({ ...options, id: 'custodian-b' }).publicKey(), 'CUSTODIAN_REFUSED');
    await refused(createCustodianClient({ ...options, gatewayUrl: 'https://other.test' }).publicKey(), 'CUSTODIAN_REFUSED');
    await refused(saying(answer, { clock: { nowMs: () => systemClock.nowMs() + 2 * 3_600_000 as never } }).publicKey(), 'CUSTODIAN_REFUSED');
    const other = Buffer.from(answer.public_key, 'base64url');
    other[5000]! ^= 1;
    await refused(saying({ ...answer, public_key: other.toString('base64url') }).publicKey(), 'CUSTODIAN_REFUSED');
    // a key of the right form that somebody else made: only the statement's digest tells
    const foreign = generateKeyPair(await loadHe(), set).publicKey;
    await refused(saying({ ...answer, public_key: Buffer.from(foreign).toString('base64url') }).publicKey(), 'CUSTODIAN_REFUSED');
    await refused(saying({ public_key: answer.public_key }).publicKey(), 'CUSTODIAN_REFUSED');
    await refused(saying(answer).keyById('20200101-0123456789abcdef'), 'CUSTODIAN_REFUSED');
    await refused(client.keyById('20200101-0123456789abcdef'), 'CUSTODIAN_REFUSED');
  });

  it('never sends a ticket twice: what breaks off, times out or is answered "not now" is CUSTODIAN_UNAVAILABLE after one try', async () => {
    const outcomes: readonly (() => Promise<Response>)[] = [
      async () => { throw new TypeError('fetch failed'); },
      async () => new Response('', { status: 503 }),
      async () => new Response('', { status: 500 }),
    ];
    for (const outcome of outcomes) {
      let posts = 0;
      const through = createCustodianClient({ ...options, fetch: (url, init) => (init?.method === 'POST' ? (posts += 1, outcome()) : fetch(url as string, init)) });
      await refused(ask(through), 'CUSTODIAN_UNAVAILABLE');
      assert.equal(posts, 1);
    }
    const silent = createCustodianClient({ ...options, timeoutMs: 50, fetch: (url, init) => (init?.method === 'POST' ? new Promise((_, reject) => { init.signal?.addEventListener('abort', () => reject(new Error('late'))); }) : fetch(url as string, init)) });
    await refused(ask(silent), 'CUSTODIAN_UNAVAILABLE');
  });

  it('asks for a key again when nobody answers: that changes nothing', async () => {
    let gets = 0;
    const through = createCustodianClient({ ...options, fetch: (url, init) => { gets += 1; return gets < 3 ? Promise.reject(new TypeError('fetch failed')) : fetch(url as string, init); } });
    assert.equal((await through.publicKey()).parameters, set.id);
    assert.equal(gets, 3);
  });

  it('takes a refusal, and what is no half at all, for CUSTODIAN_REFUSED', async () => {
    await refused(ask(createCustodianClient({ ...options, signer: signerOf(await makeKey()) })), 'CUSTODIAN_REFUSED');
    const answering = (response: () => Response) => createCustodianClient({ ...options, fetch: async (url, init) => (init?.method === 'POST' ? response() : fetch(url as string, init)) });
    await refused(ask(answering(() => new Response('hello', { headers: { 'Content-Type': 'application/jose' } }))), 'CUSTODIAN_REFUSED');
    await refused(ask(answering(() => Response.json({}))), 'CUSTODIAN_REFUSED');
    await refused(ask(answering(() => new Response(new Uint8Array(9_000_000), { headers: { 'Content-Type': 'application/jose' } }))), 'CUSTODIAN_REFUSED');
  });

  it('takes a column from one key to the next through masks, and the old key can then be destroyed', async () => {
    const he = await loadHe();
    const before = await client.publicKey();
    const column = Int32Array.from({ length: 4096 }, (_, slot) => (slot % 2001) - 1000);
    const { ciphertext, masks } = side.remask(side.encrypt(column));
    const facts = { job: 'rotation-1', key: before.keyId, parameters: set.id, ciphertext };
    await refused(client.reencrypt({ ...facts, toKey: before.keyId }), 'CUSTODIAN_REFUSED');

    await makeLoggedKey(workshop.config.keysFolder, workshop.custodian.database, { nowMs: () => systemClock.nowMs() + 1000 as never });
    await workshop.custodian.reload();
    const after = await client.publicKey();
    assert.notEqual(after.keyId, before.keyId);
    assert.deepEqual(await client.keyById(before.keyId), before);
    await refused(client.reencrypt({ ...facts, key: after.keyId, toKey: before.keyId }), 'CUSTODIAN_REFUSED');
    const masked = await client.reencrypt({ ...facts, toKey: after.keyId });
    const evaluator = createEvaluator(he, set, after.publicKey, { cacheBytesMax: 4 * set.columnBytes });
    const secret = readHeKeys(workshop.config.keysFolder)[0]?.secretKey ?? new Uint8Array();
    const decryptor = createDecryptor(he, set, secret);
    evaluator.load('rotated', evaluator.unmask(masked, masks));
    const [result] = evaluator.evaluate(['rotated'], [{ weights: [1], offset: 0 }]);
    assert.deepEqual(opened(decryptor.decrypt(result!.ciphertext), result!.masks), column);
    assert.notDeepEqual(opened(decryptor.decrypt(ciphertext), masks), column, 'the old one opens under the old key alone');
    decryptor.close();
    evaluator.close();

    await refused(retireLoggedKey(workshop.config.keysFolder, after.keyId, workshop.custodian.database, systemClock), 'CONFIG_INVALID');
    await retireLoggedKey(workshop.config.keysFolder, before.keyId, workshop.custodian.database, systemClock);
    await workshop.custodian.reload();
    await refused(client.keyById(before.keyId), 'CUSTODIAN_REFUSED');
    await refused(client.reencrypt({ ...facts, toKey: after.keyId }), 'CUSTODIAN_REFUSED');
  });
});
