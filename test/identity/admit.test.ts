import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { shanghaiDate } from '../../src/calendar.ts';
import { VeilgateError } from '../../src/errors.ts';
import { admitCallers, type AdmitItem, type AdmittedCaller } from '../../src/identity/admit.ts';
import type { IdentifiedRequest } from '../../src/identity/identify.ts';
import { registerDepartment } from '../../src/identity/registry/department.ts';
import { registerEnterpriseParty } from '../../src/identity/registry/enterprise.ts';
import { assessInstitution, changeLimits } from '../../src/identity/registry/institution.ts';
import { retireKey } from '../../src/identity/registry/key-change.ts';
import { reinstate, revoke, suspend } from '../../src/identity/registry/status.ts';
import { deleteExpired, revokeToken } from '../../src/identity/replay.ts';
import { openDatabase, type Database } from '../../src/store/database.ts';
import type { PartyId, Scope, TimeMs } from '../../src/vocabulary.ts';
import { makeKey } from './signing.ts';
import { admittedInstitution, gao, goodDigest, lin, registryBeforeEach, ren, subject, type Applicant, type TestClock } from './registry/fixtures.ts';

const issuer = 'https://issuer.example';

describe('identity/admit', () => {
  let database: Database;
  let clock: TestClock;
  let bank: Applicant;
  const run = registryBeforeEach(async (given) => {
    ({ database, clock } = given);
    bank = await admittedInstitution(database, clock, 'bank-a', { requestsPerSecond: 9 });
  });

  const proof = (jti: string = randomUUID()) => ({ issuer: 'dpop key', jti, expiresAtMs: (clock.nowMs() + 60_000) as TimeMs });
  const item = (changes: Partial<IdentifiedRequest> = {}, countsAsQuery = true): AdmitItem => ({
    request: { party: bank.id, scopes: new Set<Scope>(['query']), dpopKeyThumbprint: 'jkt', token: { issuer, jti: 'token-1' }, replayKeys: [proof()], ...changes }, countsAsQuery,
  });
  const signedBy = (keyThumbprint: string) => ({ body: { keyThumbprint, digest: goodDigest, claims: { iss: '', aud: '', iat: 0, exp: 0, jti: '' } } });
  const admit = (items: readonly AdmitItem[], on = database) => admitCallers(on, items, clock.nowMs());
  const outcome = async (one: AdmitItem, on = database) => codes(await admit([one], on))[0];
  const codes = (results: readonly (AdmittedCaller | VeilgateError)[]) => results.map((result) => (result instanceof VeilgateError ? result.code : 'admitted'));

  it('tells everything about an admitted institution', async () => {
    const [caller] = await admit([item({ grant: 'grant' as never, ...signedBy(bank.key.jwk.kid), scopes: new Set<Scope>(['query', 'audit']) })]);
    assert.deepEqual(caller, {
      party: 'bank-a', kind: 'institution', scopes: new Set(['query']), dpopKeyThumbprint: 'jkt', grant: 'grant', institutionClass: 'commercial_bank', securityLevel: 3, limits: { requestsPerSecond: 9 },
    });
    assert.deepEqual(await admit([]), []);
  });

  it('tells what staff, departments and enterprises are and may do', async () => {
    const { department } = await run(async (tx) => registerDepartment(tx, { id: 'tax-bureau', name: { en: 'Tax', zh: '税' }, key: (await makeKey()).jwk, by: ren }, clock)) as { department: PartyId };
    const { party } = await run((tx) => registerEnterpriseParty(tx, { subject, by: ren }, clock)) as { party: PartyId };
    const all = new Set<Scope>(['query', 'grants', 'records', 'registry', 'compliance', 'audit']);
    const callers = await admit([item({ party: lin, scopes: all }), item({ party: department, scopes: all }), item({ party, scopes: all }), item({ party: lin, scopes: new Set() })]) as AdmittedCaller[];
    assert.deepEqual(callers.map((caller) => [caller.kind, [...caller.scopes], caller.subject, caller.securityLevel]), [
      ['officer', ['registry', 'compliance'], undefined, undefined], ['department', ['records'], undefined, undefined], ['enterprise', ['grants'], subject, undefined], ['officer', [], undefined, undefined],
    ]);
  });

  describe('what was presented before', () => {
    it('is refused, in the same batch and in later ones', async () => {
      const [a, b] = [proof(), proof()];
      assert.deepEqual(codes(await admit([item({ replayKeys: [a] }), item({ replayKeys: [b, a] }), item({ replayKeys: [b] })])), ['admitted', 'TOKEN_REPLAYED', 'TOKEN_REPLAYED']);
      assert.deepEqual(codes(await admit([item({ replayKeys: [a] }), item({ replayKeys: [proof(), b] }), item()])), ['TOKEN_REPLAYED', 'TOKEN_REPLAYED', 'admitted']);
    });

    it('is told apart by who presented it', async () => {
      const jti = randomUUID();
      const other = { ...proof(jti), issuer: 'dpop other key' };
      assert.deepEqual(codes(await admit([item({ replayKeys: [proof(jti)] }), item({ replayKeys: [other] })])), ['admitted', 'admitted']);
    });

    it('passes exactly once when presented to several nodes at once', async () => {
      const nodes = Array.from({ length: 4 }, () => openDatabase({ url: database.url, maxConnections: 3 }));
      try {
        for (let round = 0; round < 10; round += 1) {
          const same = item({ replayKeys: [proof(), proof()] });
          const outcomes = await Promise.all(nodes.flatMap((node) => [outcome(same, node), outcome(same, node), outcome(same, node)]));
          assert.deepEqual(outcomes.toSorted(), ['TOKEN_REPLAYED', 'TOKEN_REPLAYED', 'TOKEN_REPLAYED', 'TOKEN_REPLAYED', 'TOKEN_REPLAYED', 'TOKEN_REPLAYED', 'TOKEN_REPLAYED', 'TOKEN_REPLAYED', 'TOKEN_REPLAYED', 'TOKEN_REPLAYED', 'TOKEN_REPLAYED', 'admitted']);
        }
      } finally {
        await Promise.all(nodes.map((node) => node.close()));
      }
    });

    it('passes exactly once when many are presented to two nodes in opposite order, without a deadlock', async () => {
      const [left, right] = [openDatabase({ url: database.url, maxConnections: 4 }), openDatabase({ url: database.url, maxConnections: 4 })];
      try {
        for (let round = 0; round < 5; round += 1) {
          const items = Array.from({ length: 60 }, () => item());
          const [forwards, backwards] = await Promise.all([admit(items, left), admit(items.toReversed(), right)]);
          const back = codes(backwards).toReversed();
          codes(forwards).forEach((code, at) => assert.deepEqual([code, back[at]].toSorted(), ['TOKEN_REPLAYED', 'admitted']));
        }
      } finally {
        await Promise.all([left.close(), right.close()]);
      }
    });

    it('stays presented although it was refused', async () => {
      const same = item();
      await run((tx) => suspend(tx, { party: bank.id, by: gao, reason: 'terms_violated' }, clock));
      assert.equal(await outcome(same), 'INSTITUTION_NOT_ACTIVE');
      await run((tx) => reinstate(tx, { party: bank.id, by: gao }, clock));
      assert.equal(await outcome(same), 'TOKEN_REPLAYED');
    });

    it('is forgotten a minute after its time, not before, and by one node at a time', async () => {
      const same = item();
      await admit([same]);
      clock.advanceMs(119_999);
      assert.equal(await deleteExpired(database, clock.nowMs()), 0);
      assert.equal(await outcome(same), 'TOKEN_REPLAYED');
      clock.advanceMs(1);
      assert.deepEqual((await Promise.all([deleteExpired(database, clock.nowMs()), deleteExpired(database, clock.nowMs())])).toSorted(), [0, 1]);
      assert.equal(await outcome(same), 'admitted');
    });
  });

  it('acts on suspension, reinstatement and revocation at the very next request, on another node', async () => {
    const node = openDatabase({ url: database.url, maxConnections: 1 });
    try {
      const change = { party: bank.id, by: gao, reason: 'terms_violated' };
      assert.equal(await outcome(item(), node), 'admitted');
      await run((tx) => suspend(tx, change, clock));
      assert.equal(await outcome(item(), node), 'INSTITUTION_NOT_ACTIVE');
      await run((tx) => reinstate(tx, change, clock));
      assert.equal(await outcome(item(), node), 'admitted');
      await run((tx) => revoke(tx, change, clock));
      assert.equal(await outcome(item(), node), 'INSTITUTION_NOT_ACTIVE');
      await run((tx) => suspend(tx, { party: ren, by: gao, reason: 'on_leave' }, clock));
      assert.equal(await outcome(item({ party: ren }), node), 'PARTY_NOT_PERMITTED');
    } finally {
      await node.close();
    }
  });

  it('knows nobody who is not registered', async () => {
    assert.equal(await outcome(item({ party: 'nobody' as PartyId })), 'PARTY_NOT_PERMITTED');
  });

  it('refuses a body signed with a key that was retired a moment ago, or that is another party\'s', async () => {
    const other = await admittedInstitution(database, clock, 'bank-b');
    assert.equal(await outcome(item(signedBy(other.key.jwk.kid))), 'TOKEN_KEY_UNKNOWN');
    assert.equal(await outcome(item(signedBy(bank.key.jwk.kid))), 'admitted');
    await run((tx) => retireKey(tx, { party: bank.id, thumbprint: bank.key.jwk.kid, by: gao }, clock));
    assert.equal(await outcome(item(signedBy(bank.key.jwk.kid))), 'TOKEN_KEY_UNKNOWN');
  });

  it('refuses revoked access tokens until they expire', async () => {
    const token = { issuer, jti: 'token-2', expiresAtMs: clock.nowMs() + 300_000.5 };
    assert.equal(await outcome(item({ token })), 'admitted');
    await revokeToken(database, token);
    await revokeToken(database, token);
    assert.equal(await outcome(item({ token })), 'TOKEN_REVOKED');
    assert.equal(await outcome(item({ token: { issuer: 'https://second.example', jti: 'token-2' } })), 'admitted');
    clock.advanceMs(361_000);
    assert.ok(await deleteExpired(database, clock.nowMs()) > 0);
    assert.equal(await outcome(item({ token })), 'admitted');
  });

  it('wants the latest security assessment to be passed and valid', async () => {
    const assess = (passed: boolean, level = 4) => run((tx) => assessInstitution(tx, { institution: bank.id, by: gao, level, passed, validUntil: '2026-03-02', findingsDigest: goodDigest }, clock));
    await assess(false);
    assert.equal(await outcome(item()), 'INSTITUTION_ASSESSMENT_MISSING');
    await assess(true);
    assert.equal((await admit([item()]) as AdmittedCaller[])[0]?.securityLevel, 4);
    clock.advanceMs(32 * 3_600_000 - 1); // the end of the second in Shanghai
    assert.equal(await outcome(item()), 'admitted');
    clock.advanceMs(1);
    assert.equal(await outcome(item()), 'INSTITUTION_ASSESSMENT_MISSING');
  });

  describe('daily quota', () => {
    /** As kept for the day in Shanghai: refused ones beyond the quota included. */
    const queriesToday = async (institution: string) =>
      (await database.query<{ queries: number }>('select queries from institution_usage where institution = $1 and day = $2', [institution, shanghaiDate(clock.nowMs())])).rows[0]?.queries ?? 0;
    beforeEach(async () => {
      await run((tx) => changeLimits(tx, { institution: bank.id, by: ren, limits: { queriesPerDay: 5 } }));
    });

    it('lets exactly as many queries through, in order of arrival, until the day in Shanghai ends', async () => {
      assert.deepEqual(codes(await admit(Array.from({ length: 3 }, () => item()))), ['admitted', 'admitted', 'admitted']);
      const results = await admit(Array.from({ length: 4 }, () => item()));
      assert.deepEqual(codes(results), ['admitted', 'admitted', 'REQUEST_QUOTA_EXCEEDED', 'REQUEST_QUOTA_EXCEEDED']);
      assert.deepEqual((results[3] as VeilgateError).detail, { retryAfterSeconds: 8 * 3600 });
      assert.equal(await queriesToday(bank.id), 7);
      clock.advanceMs(8 * 3_600_000 - 1);
      assert.equal(await outcome(item()), 'REQUEST_QUOTA_EXCEEDED');
      clock.advanceMs(1);
      assert.equal(await outcome(item()), 'admitted');
      assert.equal(await queriesToday(bank.id), 1);
    });

    it('counts queries only, of each institution for itself, and none that is refused for another reason', async () => {
      const other = await admittedInstitution(database, clock, 'bank-b');
      await revokeToken(database, { issuer, jti: 'revoked', expiresAtMs: clock.nowMs() + 1000 });
      const replayed = proof();
      await admit([
        item({}, false), item({ party: other.id }), item({ replayKeys: [replayed] }), item({ replayKeys: [replayed] }), item({ token: { issuer, jti: 'revoked' } }), item(signedBy('unknown')), item({ party: ren }),
      ]);
      await admit([item({ replayKeys: [replayed] })]);
      assert.equal(await queriesToday(bank.id), 1);
      assert.equal(await queriesToday(other.id), 1);
      assert.equal(await queriesToday(ren), 0);
      assert.deepEqual(codes(await admit([item(), item({}, false), item({ party: other.id }), item(), item(), item(), item(), item({}, false)])),
        ['admitted', 'admitted', 'admitted', 'admitted', 'admitted', 'admitted', 'REQUEST_QUOTA_EXCEEDED', 'admitted']);
    });

    it('holds over all nodes together', async () => {
      const nodes = [openDatabase({ url: database.url, maxConnections: 4 }), openDatabase({ url: database.url, maxConnections: 4 })];
      try {
        const results = await Promise.all(Array.from({ length: 20 }, (_, at) => outcome(item(), nodes[at % 2])));
        assert.equal(results.filter((code) => code === 'admitted').length, 5);
      } finally {
        await Promise.all(nodes.map((node) => node.close()));
      }
    });

    it('of zero lets nothing through', async () => {
      await run((tx) => changeLimits(tx, { institution: bank.id, by: ren, limits: { queriesPerDay: 0 } }));
      assert.deepEqual(codes(await admit([item(), item({}, false)])), ['REQUEST_QUOTA_EXCEEDED', 'admitted']);
    });
  });

  it('answers a large batch in one statement and in order', async () => {
    const items = Array.from({ length: 500 }, (_, at) => item(at % 7 === 0 ? { party: 'nobody' as PartyId } : {}));
    let statements = 0;
    const counting: Database = { ...database, query: (...query) => { statements += 1; return database.query(...query); } };
    assert.deepEqual(codes(await admit(items, counting)), items.map((_, at) => (at % 7 === 0 ? 'PARTY_NOT_PERMITTED' : 'admitted')));
    assert.equal(statements, 1);
  });
});
