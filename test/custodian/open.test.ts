import { strict as assert } from 'node:assert';
import { setBankState } from '../../src/custodian/banks.ts';
import { gatewaySide, openWorkshop, openedScores, post, signRequest, signTicket, type Workshop } from './support/workshop.ts';

type Side = Awaited<ReturnType<typeof gatewaySide>>;

describe('custodian: opening', function () {
  this.timeout(60_000); // processes start and threads load SEAL, on a machine that may be busy
  let workshop: Workshop;
  let side: Side;
  let keyId: string;
  before(async () => {
    workshop = await openWorkshop();
    side = await gatewaySide(workshop);
    keyId = await workshop.keyId();
  });
  after(async () => {
    side.close();
    await workshop.close();
  });

  const column = (seed: number) => Int32Array.from({ length: 4096 }, (_, slot) => ((slot * seed) % 2001) - 1000);

  it('gives the asking bank, and nobody else, the score: exactly the weighted sum of its slot', async () => {
    const columns = [column(7), column(13), column(29)];
    const weights = [3, -5, 11];
    const result = side.evaluate(columns, weights, 600);
    const slots = [0, 7, 4095];
    const request = signRequest(workshop.bank, { score: { kind: 'many', count: 3 } });
    const answer = await post(workshop.custodian.url, signTicket(workshop, { keyId, request, ciphertexts: [result.ciphertext], slots }), [result.ciphertext]);
    assert.deepEqual([answer.status, answer.type], [200, 'application/jose']);
    const expected = slots.map((slot) => 600 + weights.reduce((sum, weight, at) => sum + weight * (columns[at]?.[slot] ?? 0), 0));
    assert.deepEqual(await openedScores(workshop.bank, answer.text, request, result.masks, slots), expected);
    const other = await workshop.makeBank('bank-nosy');
    await assert.rejects(openedScores({ ...other, id: workshop.bank.id }, answer.text, request, result.masks, slots), { code: 'DISCLOSURE_UNREADABLE' });
  });

  it('opens a score with its reason groups under one ticket', async () => {
    const results = [1, 2, 3].map((seed) => side.evaluate([column(seed)], [1]));
    const ciphertexts = results.map(({ ciphertext }) => ciphertext);
    const request = signRequest(workshop.bank);
    const answer = await post(workshop.custodian.url, signTicket(workshop, { keyId, request, ciphertexts }), ciphertexts);
    assert.equal(answer.status, 200);
  });

  it('logs what it did before it answers, with no value, token or place of a block in it', async () => {
    const { ciphertext } = side.evaluate([column(5)], [1]);
    const request = signRequest(workshop.bank);
    await post(workshop.custodian.url, signTicket(workshop, { keyId, request, ciphertexts: [ciphertext] }), [ciphertext]);
    const { rows: [entry] } = await workshop.custodian.database.query<{ record: string }>("select record from audit_entry where kind = 'custodian.opened' order by index desc limit 1");
    const record = JSON.parse(entry?.record ?? '{}') as Record<string, unknown>;
    assert.deepEqual(Object.keys(record).sort(), ['actor', 'at', 'ciphertexts', 'grants', 'institution', 'job', 'key', 'kind', 'request', 'slots', 'ticket', 'v']);
    assert.deepEqual([record['institution'], record['slots'], record['key']], ['bank-a', 1, keyId]);
    assert.ok(!workshop.logged().includes(request.slice(0, 40)));
  });

  it('takes up to three tickets for one request: a retry after a crash needs a new one', async () => {
    const { ciphertext } = side.evaluate([column(3)], [1]);
    const request = signRequest(workshop.bank);
    const statuses = [];
    for (let round = 0; round < 4; round += 1) statuses.push((await post(workshop.custodian.url, signTicket(workshop, { keyId, request, ciphertexts: [ciphertext] }), [ciphertext])).status);
    assert.deepEqual(statuses, [200, 200, 200, 403]);
  });

  it('opens nothing for a bank from the moment it is suspended, and again once it is reinstated', async () => {
    const { ciphertext } = side.evaluate([column(3)], [1]);
    const bank = await workshop.makeBank('bank-changing');
    const ask = async () => (await post(workshop.custodian.url, signTicket(workshop, { keyId, request: signRequest(bank), ciphertexts: [ciphertext] }), [ciphertext])).status;
    assert.equal(await ask(), 200);
    await setBankState(workshop.custodian.database, { nowMs: () => Date.now() as never }, bank.id, 'suspended');
    assert.equal(await ask(), 403);
    await setBankState(workshop.custodian.database, { nowMs: () => Date.now() as never }, bank.id, 'active');
    assert.equal(await ask(), 200);
  });
});
