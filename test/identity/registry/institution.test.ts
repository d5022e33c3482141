import { strict as assert } from 'node:assert';
import { setTimeout as delay } from 'node:timers/promises';
import type { ErrorCode } from '../../../src/errors.ts';
import { applyInstitution, approveInstitution, assessInstitution, changeLimits, type Assessment } from '../../../src/identity/registry/institution.ts';
import { listInstitutions, readInstitution } from '../../../src/identity/registry/institution-view.ts';
import { reinstate, revoke, suspend } from '../../../src/identity/registry/status.ts';
import { jwkThumbprint } from '../../../src/identity/vetting.ts';
import { isUscc, usccCheckDigit } from '../../../src/uscc.ts';
import type { Database, Tx } from '../../../src/store/database.ts';
import type { InstitutionId, PartyId, Scope } from '../../../src/vocabulary.ts';
import { makeKey, refused, signCompact } from '../signing.ts';
import { admittedInstitution, applicationOf, classes, gao, gateway, goodDigest, lin, mei, newApplicant, registryBeforeEach, ren, type Applicant, type TestClock } from './fixtures.ts';

describe('identity/registry/institution', () => {
  let database: Database;
  let clock: TestClock;
  let applicant: Applicant;
  registryBeforeEach(async (given) => {
    ({ database, clock } = given);
    applicant = await newApplicant();
  });

  const run = <Result>(work: (tx: Tx) => Promise<Result>) => database.transaction('test', work); // of whichever database stands in
  const apply = (jws = applicationOf(applicant, clock), registrar?: PartyId) => run((tx) => applyInstitution(tx, { jws, audience: gateway, classes, ...(registrar === undefined ? {} : { registrar }) }, clock));
  const assess = (changes: Partial<Assessment> = {}) => run((tx) => assessInstitution(tx, { institution: applicant.id, by: gao, level: 3, passed: true, validUntil: '2027-02-28', findingsDigest: goodDigest, ...changes }, clock));
  const approve = (by = lin, limits = {}, scopes?: readonly Scope[]) => run((tx) => approveInstitution(tx, { institution: applicant.id, by, limits, ...(scopes === undefined ? {} : { scopes }) }, clock));
  const to = (change: typeof suspend, reason = 'terms_violated', by = gao, party: PartyId = applicant.id) => run((tx) => change(tx, { party, by, reason }, clock));
  const statusNow = async () => (await readInstitution(database, applicant.id)).status;

  it('takes an institution from application through assessment and approval, and says what to log', async () => {
    assert.deepEqual(await apply(), { kind: 'institution.applied', actor: null, institution: 'bank-a', class: 'commercial_bank', key: jwkThumbprint(applicant.key.jwk) });
    assert.deepEqual(await assess(), { kind: 'institution.assessed', actor: gao, institution: 'bank-a', level: 3, passed: true, report: goodDigest });
    assert.equal(await statusNow(), 'assessed');
    assert.deepEqual(await approve(lin, { requestsPerSecond: 50, queriesPerDay: 1000 }), { kind: 'institution.approved', actor: lin, institution: 'bank-a', scopes: ['query'] });
    const view = await readInstitution(database, 'bank-a');
    assert.deepEqual({ ...view, keys: view.keys.map(({ thumbprint, use, retiredMs }) => ({ thumbprint, use, retiredMs })).toSorted((a, b) => (a.use < b.use ? 1 : -1)) }, {
      id: 'bank-a', name: { en: 'Bank A', zh: '甲银行' }, class: 'commercial_bank', country: 'CN', status: 'approved', statusReason: null, scopes: ['query'],
      limits: { requestsPerSecond: 50, queriesPerDay: 1000 }, redirectUris: ['https://bank-a.example/callback'], registeredBy: null, registeredMs: clock.nowMs(), approvedBy: lin,
      assessment: { level: 3, passed: true, assessor: gao, validUntil: '2027-02-28' },
      keys: [{ thumbprint: applicant.key.jwk.kid, use: 'sig', retiredMs: null }, { thumbprint: applicant.encryption.kid, use: 'enc', retiredMs: null }],
    });
    assert.deepEqual((await listInstitutions(database)).map(({ id }) => id), ['bank-a']);
    assert.deepEqual(await listInstitutions(database, 'bank-a'), []);
  });

  describe('application', () => {
    it('wants proof of the key it carries', async () => {
      const thief = await newApplicant();
      await refused(apply(signCompact(thief.key, 'application+jwt', {}, { kid: applicant.key.jwk.kid })), 'REQUEST_INVALID');
      const stolen = { ...applicant, key: { ...applicant.key, privateKey: thief.key.privateKey } };
      await refused(apply(applicationOf(stolen, clock)), 'TOKEN_SIGNATURE_INVALID');
      await refused(apply(signCompact(thief.key, 'application+jwt', JSON.parse(Buffer.from(applicationOf(applicant, clock).split('.')[1] as string, 'base64url').toString()))), 'TOKEN_KEY_UNKNOWN');
    });

    it('carries exactly one signature key', async () => {
      const other = await makeKey();
      for (const keys of [[], [applicant.encryption], [applicant.key.jwk, other.jwk], [applicant.key.jwk, { ...applicant.encryption, use: undefined }]]) {
        await refused(apply(applicationOf(applicant, clock, { jwks: { keys } })), 'KEY_REFUSED');
      }
      await refused(apply(applicationOf(applicant, clock, { jwks: { keys: [{ ...applicant.key.jwk, d: 'AA' }] } })), 'KEY_REFUSED');
      for (const jwks of [undefined, { keys: 'x' }, { keys: Array.from({ length: 6 }, () => applicant.encryption) }, { keys: [null] }]) await refused(apply(applicationOf(applicant, clock, { jwks })), 'REQUEST_INVALID');
    });

    it('is checked in every part', async () => {
      const wrong: readonly [string, Record<string, unknown>][] = [
        ['/application/name', { name: { en: 'x' } }], ['/application/name', { name: { en: 'a\u0000', zh: '甲' } }], ['/application/name', { name: { en: 'a\u202eb', zh: '甲' } }], ['/application/name', { name: null }],
        ['/application/institution_class', { institution_class: 'pawn_shop' }], ['/application/country', { country: 'China' }],
        ...['http://bank-a.example/cb', 'https://bank-a.example/cb#x', 'https://u:p@bank-a.example/', 'javascript:alert(1)', 'https://BANK-a.example/', 'https://bank-a.example', '/cb', 7, `https://bank-a.example/${'x'.repeat(600)}`, 'http://127.0.0.1.evil.example/']
          .map((uri): [string, Record<string, unknown>] => ['/application/redirect_uris', { redirect_uris: [uri] }]),
        ['/application/redirect_uris', { redirect_uris: ['https://a.example/', 'https://a.example/'] }], ['/application/redirect_uris', {}],
      ];
      for (const [pointer, change] of wrong) {
        const jws = applicationOf(applicant, clock, Object.keys(change).length === 0 ? { redirect_uris: undefined } : change);
        assert.equal((await refused(apply(jws), 'REQUEST_INVALID')).detail?.['pointer'], pointer, JSON.stringify(change));
      }
      const uscc = Array.from({ length: 100 }, (_, n) => `9111000000000${String(n).padStart(4, '0')}`).map((first17) => first17 + usccCheckDigit(first17)).find((code) => /^[0-9]+$/.test(code));
      assert(isUscc(uscc));
      for (const iss of ['Bank-A', 'b', '-bank', 'bank a', uscc, 'x'.repeat(65), 7]) await refused(apply(applicationOf({ ...applicant, id: iss as InstitutionId }, clock)), 'REQUEST_INVALID');
      await refused(apply(applicationOf(applicant, clock, {}, { aud: 'https://other.example' })), 'TOKEN_AUDIENCE_MISMATCH');
      await refused(apply(applicationOf(applicant, clock, {}, { exp: clock.nowMs() / 1000 + 301 })), 'TOKEN_LIFETIME_TOO_LONG');
      await refused(apply(signCompact(applicant.key, 'query+jwt', {})), 'TOKEN_WRONG_TYPE');
      await apply(applicationOf(applicant, clock, { redirect_uris: ['http://127.0.0.1:8123/callback', 'http://localhost/cb', 'http://[::1]/cb'] }));
    });

    it('takes an id and a key once, for ever', async () => {
      await apply();
      await refused(apply(), 'INSTITUTION_EXISTS');
      await refused(apply(applicationOf({ ...applicant, id: 'bank-b' as InstitutionId }, clock)), 'KEY_DUPLICATE');
      const other = await newApplicant('bank-b');
      await refused(apply(applicationOf({ ...other, encryption: applicant.encryption }, clock)), 'KEY_DUPLICATE');
      await to(revoke);
      await refused(apply(), 'INSTITUTION_EXISTS');
      await refused(apply(applicationOf({ ...other, encryption: applicant.encryption }, clock)), 'KEY_DUPLICATE');
    });

    it('can be handed in by a registrar, by no other officer', async () => {
      await refused(apply(undefined, mei), 'PARTY_NOT_PERMITTED');
      await refused(apply(undefined, gao), 'PARTY_NOT_PERMITTED');
      assert.equal((await apply(undefined, ren)).actor, ren);
    });

    it('is not taken from strangers while too many wait', async () => {
      await database.query("insert into party (id, kind, status, registered_ms, changed_ms) select 'waiting-' || n, 'institution', 'applied', 0, 0 from generate_series(1, 1000) n");
      await refused(apply(), 'REQUEST_OVERLOADED');
      await apply(undefined, ren);
    });
  });

  describe('approval', () => {
    it('needs an assessment that is passed and valid', async () => {
      await apply();
      await refused(approve(), 'INSTITUTION_ASSESSMENT_MISSING');
      await assess({ passed: false });
      assert.equal(await statusNow(), 'applied');
      await refused(approve(), 'INSTITUTION_ASSESSMENT_MISSING');
      await assess({ validUntil: '2026-03-01' });
      clock.advanceMs(8 * 3_600_000 - 1); // the last millisecond of that day in Shanghai
      assert.equal(new Date(clock.nowMs()).toISOString(), '2026-03-01T15:59:59.999Z');
      clock.advanceMs(1);
      await refused(approve(), 'INSTITUTION_ASSESSMENT_MISSING');
      clock.advanceMs(-1);
      await approve();
    });

    it('counts the latest assessment only', async () => {
      await apply();
      await assess();
      await assess({ passed: false });
      assert.equal(await statusNow(), 'applied');
      await refused(approve(), 'INSTITUTION_ASSESSMENT_MISSING');
      await assess();
      await approve();
    });

    it('needs another person than the assessor and the registrar who handed in', async () => {
      await apply(undefined, lin);
      await assess({ by: gao });
      await refused(approve(lin), 'INSTITUTION_SAME_PERSON');
      await refused(approve(gao), 'INSTITUTION_SAME_PERSON');
      await approve(ren);
    });

    it('needs the right role', async () => {
      await apply();
      await refused(assess({ by: ren }), 'PARTY_NOT_PERMITTED');
      await assess();
      for (const nobody of [mei, applicant.id, 'officer-none' as PartyId]) await refused(approve(nobody), 'PARTY_NOT_PERMITTED');
      await run((tx) => suspend(tx, { party: lin, by: gao, reason: 'on_leave' }, clock));
      await refused(approve(lin), 'PARTY_NOT_PERMITTED');
      await approve(ren);
    });

    it('gives no scope that institutions do not have', async () => {
      await apply();
      await assess();
      for (const scopes of [[], ['registry'], ['query', 'audit']] as Scope[][]) await refused(approve(lin, {}, scopes), 'REQUEST_INVALID');
    });
  });

  it('refuses assessments that say nothing', async () => {
    await apply();
    for (const change of [{ level: 0 }, { level: 6 }, { level: 2.5 }, { findingsDigest: 'ABC' }, { validUntil: '2026-02-28' }, { validUntil: '2026-13-01' }, { validUntil: '2027-02-29' }, { validUntil: 'soon' }, { validUntil: '2029-03-02' }]) {
      await refused(assess(change), 'REQUEST_INVALID');
    }
    await assess({ validUntil: '2029-03-01' });
  });

  it('changes limits, and takes only limits that limit', async () => {
    await apply();
    const change = (limits: object, by = ren) => run((tx) => changeLimits(tx, { institution: applicant.id, by, limits }));
    assert.deepEqual(await change({ queriesPerDay: 7 }), { kind: 'institution.limits_changed', actor: ren, institution: 'bank-a', limits: { queries_per_day: 7 } });
    assert.deepEqual((await readInstitution(database, 'bank-a')).limits, { queriesPerDay: 7 });
    await change({ requestsPerSecond: 3 });
    assert.deepEqual((await readInstitution(database, 'bank-a')).limits, { requestsPerSecond: 3 });
    for (const limits of [{ requestsPerSecond: 0 }, { requestsPerSecond: 1.5 }, { queriesPerDay: -1 }, { queriesPerDay: Number.NaN }, { queriesPerDay: 2e9 }]) await refused(change(limits), 'REQUEST_INVALID');
    await refused(change({}, gao), 'PARTY_NOT_PERMITTED');
    await to(revoke);
    await refused(change({}), 'INSTITUTION_STATE_CONFLICT');
  });

  describe('states', () => {
    const steps = { assess: () => assess(), approve: () => approve(), suspend: () => to(suspend), reinstate: () => to(reinstate), revoke: () => to(revoke) };
    type Step = keyof typeof steps;
    const reach: Readonly<Record<string, readonly Step[]>> = {
      applied: [], assessed: ['assess'], approved: ['assess', 'approve'], suspended: ['assess', 'approve', 'suspend'], revoked: ['revoke'],
    };
    const allowed: Readonly<Record<string, Readonly<Partial<Record<Step, string | ErrorCode>>>>> = {
      applied: { assess: 'assessed', approve: 'INSTITUTION_ASSESSMENT_MISSING', revoke: 'revoked' },
      assessed: { assess: 'assessed', approve: 'approved', revoke: 'revoked' },
      approved: { assess: 'approved', suspend: 'suspended', revoke: 'revoked' },
      suspended: { assess: 'suspended', reinstate: 'approved', revoke: 'revoked' },
      revoked: {},
    };
    for (const [state, path] of Object.entries(reach)) {
      it(`from ${state}: ${Object.entries(allowed[state] ?? {}).map(([step, result]) => `${step} → ${result}`).join(', ') || 'nothing'}; everything else conflicts`, async () => {
        await apply();
        for (const step of path) await steps[step]();
        for (const step of Object.keys(steps) as Step[]) {
          const result = allowed[state]?.[step] ?? 'INSTITUTION_STATE_CONFLICT';
          if (result === result.toUpperCase()) {
            await refused(steps[step](), result as ErrorCode);
            assert.equal(await statusNow(), state);
            continue;
          }
          await assert.rejects(run(async (tx) => {
            const inside = { ...database, query: tx.query.bind(tx), transaction: async (_name: string, work: (tx: Tx) => Promise<unknown>) => work(tx) } as Database;
            const outside = database;
            database = inside;
            try {
              await steps[step]();
              assert.equal(await statusNow(), result, step);
            } finally {
              database = outside;
            }
            throw new Error('take it back');
          }), /take it back/);
        }
      });
    }

    it('logs the change with a reason code, never free text', async () => {
      await admittedInstitution(database, clock, 'bank-b');
      const bank = 'bank-b' as PartyId;
      assert.deepEqual(await to(suspend, 'terms_violated', gao, bank), { kind: 'institution.suspended', actor: gao, institution: 'bank-b', reason: 'terms_violated' });
      assert.deepEqual(await run((tx) => reinstate(tx, { party: bank, by: lin }, clock)), { kind: 'institution.reinstated', actor: lin, institution: 'bank-b', reason: 'cause_removed' });
      await refused(to(suspend, 'because Mr Wang said so', gao, bank), 'REQUEST_INVALID');
      assert.deepEqual(await to(revoke, 'licence_lost', gao, bank), { kind: 'institution.revoked', actor: gao, institution: 'bank-b', reason: 'licence_lost' });
    });

    it('does not reinstate without a valid assessment', async () => {
      await admittedInstitution(database, clock);
      applicant = { ...applicant, id: 'bank-a' as InstitutionId };
      await to(suspend);
      await assess({ passed: false });
      await refused(to(reinstate), 'INSTITUTION_ASSESSMENT_MISSING');
      await assess();
      await to(reinstate);
      assert.equal(await statusNow(), 'approved');
    });

    it('says nothing is there when nothing is there', async () => {
      for (const change of [suspend, reinstate, revoke]) await refused(to(change), 'INSTITUTION_NOT_FOUND');
      await refused(assess(), 'INSTITUTION_NOT_FOUND');
      await refused(approve(), 'INSTITUTION_NOT_FOUND');
      await refused(run((tx) => changeLimits(tx, { institution: ren as InstitutionId, by: ren, limits: {} })), 'INSTITUTION_NOT_FOUND');
      await refused(readInstitution(database, 'bank-a'), 'INSTITUTION_NOT_FOUND');
    });

    it('makes an officer who decides wait for another who is deciding', async () => {
      await apply();
      await assess();
      const gate = Promise.withResolvers<void>();
      const decided = Promise.withResolvers<void>();
      const first = run(async (tx) => {
        await approveInstitution(tx, { institution: applicant.id, by: lin }, clock);
        decided.resolve();
        await gate.promise;
      });
      await decided.promise;
      const second = refused(approve(ren), 'INSTITUTION_STATE_CONFLICT');
      await delay(100);
      gate.resolve();
      await Promise.all([first, second]);
    });
  });
});
