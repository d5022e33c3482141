import { strict as assert } from 'node:assert';
import { setTimeout as delay } from 'node:timers/promises';
import { registerDepartment } from '../../../src/identity/registry/department.ts';
import { enterpriseOf, registerEnterpriseParty } from '../../../src/identity/registry/enterprise.ts';
import { readParty } from '../../../src/identity/registry/party.ts';
import { approveOfficer, bootstrapOfficers, hasOfficers, registerOfficer, type NewOfficer } from '../../../src/identity/registry/staff.ts';
import { reinstate, revoke, suspend } from '../../../src/identity/registry/status.ts';
import type { Database } from '../../../src/store/database.ts';
import type { PartyId } from '../../../src/vocabulary.ts';
import { makeEncryptionJwk, makeKey, refused } from '../signing.ts';
import { anotherSubject, firstOfficers, gao, lin, mei, registryBeforeEach, ren, subject, type TestClock } from './fixtures.ts';

describe('identity/registry: officers, departments, enterprises', () => {
  let database: Database;
  let clock: TestClock;
  let newcomer: NewOfficer;
  const run = registryBeforeEach(async (given) => {
    ({ database, clock } = given);
    newcomer = { id: 'officer-new', name: { en: 'New', zh: '新' }, roles: ['compliance', 'auditor'], key: (await makeKey('P-256')).jwk };
  }, { officers: false });
  const bootstrap = (officers: readonly NewOfficer[]) => run((tx) => bootstrapOfficers(tx, officers, clock));
  const register = (by: PartyId, changes: Partial<NewOfficer> = {}) => run((tx) => registerOfficer(tx, { ...newcomer, ...changes, by }, clock));
  const approve = (by: PartyId) => run((tx) => approveOfficer(tx, { officer: 'officer-new' as PartyId, by }, clock));

  it('makes the first officers only while there are none, also when two nodes start at once', async () => {
    assert.equal(await hasOfficers(database), false);
    const other = { ...newcomer, id: 'officer-other', key: (await makeKey()).jwk };
    const gate = Promise.withResolvers<void>();
    const made = Promise.withResolvers<void>();
    const first = run(async (tx) => {
      await bootstrapOfficers(tx, [newcomer], clock);
      made.resolve();
      await gate.promise;
    });
    await made.promise;
    const second = refused(bootstrap([other]), 'PARTY_NOT_PERMITTED');
    await delay(100);
    gate.resolve();
    await Promise.all([first, second]);
    assert.equal(await hasOfficers(database), true);
    await refused(bootstrap([]), 'REQUEST_INVALID');
  });

  it('registers all first officers or none', async () => {
    await refused(bootstrap([newcomer, { ...newcomer, id: 'officer-b' }]), 'KEY_DUPLICATE');
    assert.equal(await hasOfficers(database), false);
    assert.deepEqual(await bootstrap([newcomer]), [{ kind: 'officer.registered', actor: null, officer: 'officer-new', scopes: ['compliance', 'audit'] }]);
    assert.equal((await readParty(database, 'officer-new' as PartyId))?.status, 'approved');
  });

  it('takes two officers to make one', async () => {
    await firstOfficers(database, clock);
    await refused(register(gao), 'PARTY_NOT_PERMITTED');
    assert.deepEqual(await register(lin), { kind: 'officer.registered', actor: lin, officer: 'officer-new', scopes: ['compliance', 'audit'] });
    assert.equal((await readParty(database, 'officer-new' as PartyId))?.status, 'applied');
    await refused(approve(lin), 'INSTITUTION_SAME_PERSON');
    await refused(approve(mei), 'PARTY_NOT_PERMITTED');
    await refused(approve('officer-new' as PartyId), 'PARTY_NOT_PERMITTED');
    assert.deepEqual(await approve(gao), { kind: 'officer.approved', actor: gao, officer: 'officer-new', scopes: ['compliance', 'audit'] });
    await refused(approve(ren), 'INSTITUTION_STATE_CONFLICT');
    await refused(run((tx) => approveOfficer(tx, { officer: 'nobody' as PartyId, by: ren }, clock)), 'INSTITUTION_NOT_FOUND');
  });

  it('refuses officers without a sensible role, name, id or key', async () => {
    await firstOfficers(database, clock);
    for (const roles of [[], ['root'], ['auditor', 'auditor'], ['auditor', 'root']]) await refused(register(ren, { roles }), 'REQUEST_INVALID');
    await refused(register(ren, { name: { en: '', zh: '新' } }), 'REQUEST_INVALID');
    await refused(register(ren, { id: 'X' }), 'REQUEST_INVALID');
    await refused(register(ren, { key: makeEncryptionJwk() }), 'KEY_REFUSED');
    await refused(register(ren, { id: gao }), 'PARTY_EXISTS');
  });

  it('suspends, reinstates and revokes officers, by others only', async () => {
    await firstOfficers(database, clock);
    const change = { party: lin, by: gao, reason: 'on_leave' };
    assert.deepEqual(await run((tx) => suspend(tx, change, clock)), { kind: 'party.suspended', actor: gao, party: lin, partyKind: 'officer', reason: 'on_leave' });
    await refused(register(lin), 'PARTY_NOT_PERMITTED');
    assert.equal((await run((tx) => reinstate(tx, change, clock))).kind, 'party.reinstated');
    await refused(run((tx) => revoke(tx, { ...change, party: gao }, clock)), 'PARTY_NOT_PERMITTED');
    await refused(run((tx) => revoke(tx, { ...change, by: ren }, clock)), 'PARTY_NOT_PERMITTED');
    assert.equal((await run((tx) => revoke(tx, change, clock))).kind, 'party.revoked');
    await refused(run((tx) => reinstate(tx, change, clock)), 'INSTITUTION_STATE_CONFLICT');
  });

  it('registers a department by a registrar', async () => {
    await firstOfficers(database, clock);
    const department = { id: 'tax-bureau', name: { en: 'Tax bureau', zh: '税务局' }, key: (await makeKey('RSA')).jwk };
    await refused(run((tx) => registerDepartment(tx, { ...department, by: gao }, clock)), 'PARTY_NOT_PERMITTED');
    assert.deepEqual(await run((tx) => registerDepartment(tx, { ...department, by: ren }, clock)), { kind: 'department.registered', actor: ren, department: 'tax-bureau' });
    assert.deepEqual(await readParty(database, 'tax-bureau' as PartyId), { id: 'tax-bureau', kind: 'department', name: { en: 'Tax bureau', zh: '税务局' }, status: 'approved', registeredMs: clock.nowMs() });
    await refused(run((tx) => registerDepartment(tx, { ...department, by: ren }, clock)), 'PARTY_EXISTS');
    await refused(run((tx) => registerDepartment(tx, { ...department, id: 'customs', by: ren }, clock)), 'KEY_DUPLICATE');
    await refused(run((tx) => registerDepartment(tx, { ...department, id: 'customs', key: 'x', by: ren }, clock)), 'KEY_REFUSED');
  });

  it('registers an enterprise once, under an id that does not tell who it is', async () => {
    await firstOfficers(database, clock);
    assert.equal(await enterpriseOf(database, subject), undefined);
    const enterprise = (changes: object = {}) => run((tx) => registerEnterpriseParty(tx, { subject, by: ren, ...changes }, clock));
    await refused(enterprise({ by: gao }), 'PARTY_NOT_PERMITTED');
    await refused(enterprise({ subject: `${subject.slice(0, 17)}${subject.endsWith('A') ? 'B' : 'A'}` }), 'REQUEST_INVALID');
    const { party } = await enterprise({ key: (await makeKey()).jwk }) as { party: PartyId };
    assert.match(party, /^ent-[0-9a-f]{20}$/);
    assert.deepEqual(await enterpriseOf(database, subject), { party, status: 'approved' });
    await refused(enterprise(), 'ENTERPRISE_EXISTS');
    await refused(enterprise({ id: party, subject: anotherSubject }), 'ENTERPRISE_EXISTS');
    assert.equal((await readParty(database, party))?.name, null);
    assert.equal(await readParty(database, 'nobody' as PartyId), undefined);
  });
});
