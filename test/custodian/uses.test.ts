import { strict as assert } from 'node:assert';
import { systemClock } from '../../src/clock.ts';
import { admitBank, bankRegister, clearAlarms, setBankState } from '../../src/custodian/banks.ts';
import { openingSpender, raiseAlarm, type OpeningUse } from '../../src/custodian/uses.ts';
import { publicKeys } from '../../src/sdk/keys.ts';
import type { Database } from '../../src/store/database.ts';
import { newBank, openWorkshop, randomId, type Bank, type Workshop } from './support/workshop.ts';

describe('custodian: spending tickets together', function () {
  this.timeout(60_000); // a thread loads SEAL, on a machine that may be busy
  let workshop: Workshop;
  let database: Database;
  let begun = 0;
  before(async () => {
    workshop = await openWorkshop();
    const { custodian } = workshop;
    database = { ...custodian.database, eagerTransaction: (name, work) => { begun += 1; return custodian.database.eagerTransaction(name, work); } };
  });
  beforeEach(() => { begun = 0; });
  after(() => workshop.close());

  const sealedFor = (bank: Bank) => bank.encryption?.publicJwk.kid ?? '';
  const useOf = (bank: Bank, { jti = randomId(), slots = [1], ...request }: { jti?: string; slots?: readonly number[] } & Partial<OpeningUse['request']> = {}): OpeningUse => ({
    ticket: { jti, slots, job: 'job-1', key: 'k', ciphertexts: ['a'.repeat(64)], grants: 'b'.repeat(64) } as unknown as OpeningUse['ticket'],
    request: { bank: bank.id, id: randomId(), digest: 'c'.repeat(64), count: 1, signedBy: bank.key.verification.thumbprint, sealedFor: sealedFor(bank), ...request } as OpeningUse['request'],
  });
  const outcomes = (uses: readonly OpeningUse[], limits = { bankSlotsPerDay: 100 }) => {
    const spend = openingSpender(database, systemClock, limits);
    return Promise.all(uses.map((use) => spend(use).then(() => 'spent', (error: Error) => error.message)));
  };
  const logged = async (uses: readonly OpeningUse[]) => (await database.query<{ ticket: string }>("select record::jsonb->>'ticket' as ticket from audit_entry where kind = 'custodian.opened' and record::jsonb->>'ticket' = any($1::text[]) order by index", [uses.map(({ ticket }) => ticket.jti)])).rows.map(({ ticket }) => ticket);

  it('tickets that arrive together are spent and logged in one transaction, also of several banks and of one request', async () => {
    const [one, other] = [await workshop.makeBank('bank-one'), await workshop.makeBank('bank-other')];
    const id = randomId();
    const uses = [useOf(one), useOf(other), useOf(one, { id }), useOf(one, { id }), useOf(one, { id })];
    assert.deepEqual(await outcomes(uses), uses.map(() => 'spent'));
    assert.equal(begun, 1);
    assert.deepEqual(await logged(uses), uses.map(({ ticket }) => ticket.jti));
    const { rows: [request] } = await database.query('select slots, tickets from custodian_request where id = $1', [id]);
    assert.deepEqual(request, { slots: 3, tickets: 3 });
    assert.deepEqual((await database.query("select slots from custodian_day where bank = 'bank-one'")).rows, [{ slots: 4 }]);
  });

  it('a ticket that must not be opened is refused for its own reason and spoils none that came with it', async () => {
    const bank = await workshop.makeBank('bank-mixed');
    const suspended = await workshop.makeBank('bank-suspended');
    const late = await workshop.makeBank('bank-late');
    const [retired, stranger] = [await workshop.makeBank('bank-retired'), await newBank('bank-stranger')];
    await setBankState(database, systemClock, suspended.id, 'suspended');
    await admitBank(database, systemClock, retired.id, { keys: publicKeys(await newBank(retired.id)) });
    const twice = useOf(bank);
    const id = randomId();
    const uses = [
      useOf(bank), twice, useOf(suspended), useOf(bank), { ...useOf(bank), ticket: twice.ticket }, useOf(retired), useOf(late, { sealedFor: sealedFor(stranger) }),
      useOf(bank, { id, slots: [1, 2, 3] }), useOf(bank, { id }), useOf(bank, { id, digest: 'd'.repeat(64) }), useOf(late, { slots: Array.from({ length: 101 }, (_, slot) => slot), count: 200 }), useOf(late),
    ];
    assert.deepEqual(await outcomes(uses), [
      'spent', 'spent', 'request: suspended', 'spent', 'use: used', 'request: TOKEN_KEY_UNKNOWN', 'recipient: not_the_banks',
      'spent', 'use: slots_of_request', 'use: other_request', 'limit: slots_of_day', 'spent',
    ]);
    assert.equal((await logged(uses)).length, 5);
    const unspent = uses.filter((_, at) => [2, 5, 6, 8, 9, 10].includes(at)).map(({ ticket }) => ticket.jti);
    assert.equal((await database.query('select 1 from custodian_ticket where id = any($1::text[])', [unspent])).rowCount, 0, 'what was refused is not spent');
  });

  it('an open alarm refuses every ticket of a batch', async () => {
    const bank = await workshop.makeBank('bank-alarm');
    const first = useOf(bank);
    await outcomes([first]);
    await raiseAlarm(database, systemClock, first.ticket.jti, null, 'range');
    assert.deepEqual(await outcomes([useOf(bank), useOf(bank)]), ['alarm: open_alarm', 'alarm: open_alarm']);
    await clearAlarms(database, systemClock);
    assert.deepEqual(await outcomes([useOf(bank)]), ['spent']);
  });

  it('the register remembers keys in use until it is told to forget, and never what it did not find', async () => {
    const register = bankRegister(database);
    const bank = await newBank('bank-kept');
    const find = async () => (await register.keysOf(bank.id as never, bank.key.jwk.kid, sealedFor(bank))).state;
    assert.equal(await find(), undefined);
    await admitBank(database, systemClock, bank.id, { keys: publicKeys(bank) });
    assert.equal(await find(), 'active');
    await setBankState(database, systemClock, bank.id, 'suspended');
    assert.equal(await find(), 'active');
    register.forget();
    assert.equal(await find(), 'suspended');
  });
});
