import { strict as assert } from 'node:assert';
import { fixedClock } from '../../src/clock.ts';
import { admitGrants, type GrantLookup } from '../../src/consent/admit.ts';
import { consumeGrants } from '../../src/consent/consume.ts';
import { changeGrant, type GrantAction } from '../../src/consent/grants.ts';
import { VeilgateError } from '../../src/errors.ts';
import type { Database } from '../../src/store/database.ts';
import { freshDatabase } from '../support/database.ts';
import type { Grant, GrantId, PurposeCode, SubjectId, TimeMs } from '../../src/vocabulary.ts';
import { bank, codeOf, dayMs, otherBank, purpose, ref, start, startMs, stored, subject, subjectOf } from './sample.ts';

describe('consent/admit', () => {
  let database: Database;
  let nextSubject = 100;
  before(async () => { database = await freshDatabase(); });

  const lookup = (changes: Partial<GrantLookup> = {}): GrantLookup => ({ institution: bank, subject, purpose, atMs: startMs, ...changes });
  const admit = (...lookups: GrantLookup[]) => admitGrants(database, lookups);
  const change = (grant: Grant, action: GrantAction) => database.transaction('t', (tx) => changeGrant(tx, { grant: grant.id, actor: { subject: grant.subject }, action }, fixedClock(start)));
  const use = (grant: Grant, atMs = startMs) => database.transaction('t', (tx) => consumeGrants(tx, [{ grant: grant.id, institution: grant.institution, atMs, verifications: [], verificationLimit: 0 }]));
  const own = () => subjectOf(nextSubject++);

  it('finds the named grant with its terms', async () => {
    const grant = await stored(database);
    const [found] = await admit(lookup({ grant: grant.id }));
    assert.deepEqual(found, grant);
  });

  it('answers one and the same to whoever holds no such grant', async () => {
    const grant = await stored(database);
    const answers = await admit(
      lookup({ grant: 'AAAAAAAAAAAAAAAAAAAAAA' as GrantId }), // unknown grant
      lookup({ grant: grant.id, institution: otherBank }), // another bank's grant
      lookup({ grant: grant.id, subject: subjectOf(2) }), // another enterprise
      lookup({ grant: grant.id, purpose: 'joint_modelling' as PurposeCode }), // another purpose
      lookup({ subject: subjectOf(999_999) }), // unknown enterprise
      lookup({ institution: otherBank }),
      lookup({ purpose: 'unheard_of' as PurposeCode }),
      lookup({ grant: "' or true --" as GrantId }),
      lookup({ grant: '\0'.repeat(22) as GrantId }),
      lookup({ subject: '\0 or true' as SubjectId }),
      lookup({ purpose: '\0' as PurposeCode }),
    );
    assert.equal(answers.length, 11);
    for (const answer of answers) {
      assert.ok(answer instanceof VeilgateError);
      assert.deepEqual([answer.code, answer.message, answer.detail], ['CONSENT_REQUIRED', (answers[0] as Error).message, undefined]);
    }
  });

  it('says why an own grant cannot be used, with and without its id', async () => {
    const cases: [string, (grant: Grant) => Promise<unknown>, Partial<Grant>, TimeMs][] = [
      ['CONSENT_EXPIRED', async () => {}, {}, (startMs + 90 * dayMs) as TimeMs],
      ['CONSENT_NOT_YET_VALID', async () => {}, { validFromMs: (startMs + 1) as TimeMs }, startMs],
      ['CONSENT_PAUSED', (grant) => change(grant, 'pause'), {}, startMs],
      ['CONSENT_REVOKED', (grant) => change(grant, 'revoke'), {}, startMs],
      ['CONSENT_EXHAUSTED', (grant) => use(grant), { usesMax: 1 }, startMs],
      ['CONSENT_FREQUENCY_EXCEEDED', (grant) => use(grant), { frequency: { max: 1, per: 'day' } }, startMs],
    ];
    for (const [code, spoil, changes, atMs] of cases) {
      const of = own();
      const grant = await stored(database, { subject: of, ...changes });
      await spoil(grant);
      const results = await admit(lookup({ subject: of, grant: grant.id, atMs }), lookup({ subject: of, atMs }));
      assert.deepEqual(results.map(codeOf), [code, code]);
      for (const result of results) assert.equal((result as VeilgateError).detail?.['grant'], grant.id);
    }
  });

  it('is valid from its first to just before its last millisecond', async () => {
    const grant = await stored(database);
    const at = async (ms: number) => codeOf((await admit(lookup({ grant: grant.id, atMs: ms as TimeMs })))[0]);
    assert.equal(await at(grant.validFromMs - 1), 'CONSENT_NOT_YET_VALID');
    assert.equal(await at(grant.validFromMs), 'ok');
    assert.equal(await at(grant.validUntilMs - 1), 'ok');
    assert.equal(await at(grant.validUntilMs), 'CONSENT_EXPIRED');
  });

  it('says an expired grant is expired even while it is paused', async () => {
    const grant = await stored(database);
    await change(grant, 'pause');
    assert.equal(codeOf((await admit(lookup({ grant: grant.id, atMs: grant.validUntilMs })))[0]), 'CONSENT_EXPIRED');
  });

  it('picks the widest, then the latest, grant that can be used', async () => {
    const of = own();
    const picked = async (atMs = startMs) => {
      const [found] = await admit(lookup({ subject: of, atMs }));
      return found instanceof VeilgateError ? found.code : found?.id;
    };
    const narrowFields = new Map([[ref('tax.field_0'), 'desensitised' as const]]);
    const narrow1 = await stored(database, { subject: of, fields: narrowFields });
    assert.equal(await picked(), narrow1.id);
    const wide = await stored(database, { subject: of });
    assert.equal(await picked(), wide.id);
    const narrow2 = await stored(database, { subject: of, fields: narrowFields }, fixedClock(startMs + 5));
    assert.equal(await picked((startMs + 5) as TimeMs), wide.id);
    await change(wide, 'pause');
    assert.equal(await picked((startMs + 5) as TimeMs), narrow2.id);
    await change(narrow2, 'revoke');
    assert.equal(await picked((startMs + 5) as TimeMs), narrow1.id);
    await change(narrow1, 'revoke');
    assert.equal(await picked((startMs + 5) as TimeMs), 'CONSENT_REVOKED'); // of the latest, narrow2
  });

  it('passes over a wider grant whose frequency is spent', async () => {
    const of = own();
    const other = await stored(database, { subject: of, fields: new Map([[ref('tax.field_0'), 'desensitised' as const]]) });
    const wide = await stored(database, { subject: of, frequency: { max: 1, per: 'day' } });
    await use(wide);
    assert.deepEqual((await admit(lookup({ subject: of }))).map((result) => (result as Grant).id), [other.id]);
    assert.deepEqual((await admit(lookup({ subject: of, atMs: (startMs + dayMs) as TimeMs }))).map((result) => (result as Grant).id), [wide.id]);
  });

  it('keeps order and takes many lookups, the same one too', async () => {
    const grants = await Promise.all(Array.from({ length: 5 }, () => stored(database, { subject: own() })));
    const lookups = Array.from({ length: 40 }, (_, at) => (at % 3 === 0 ? lookup({ subject: own() }) : lookup({ subject: grants[at % 5]?.subject as SubjectId, ...(at % 2 === 0 ? { grant: grants[at % 5]?.id as GrantId } : {}) })));
    const results = await admitGrants(database, lookups);
    results.forEach((result, at) => {
      if (at % 3 === 0) assert.equal(codeOf(result), 'CONSENT_REQUIRED');
      else assert.equal((result as Grant).id, grants[at % 5]?.id);
    });
    assert.deepEqual(await admitGrants(database, []), []);
  });

  it('discloses nothing under a list of fields that was tampered with', async () => {
    const fresh = await freshDatabase();
    const grant = await stored(fresh, { fields: new Map([[ref('tax.only_here'), 'desensitised' as const]]) });
    await fresh.query('alter table consent_field_set disable trigger all');
    await fresh.query(`update consent_field_set set fields = '{"tax.only_here": "original"}'`);
    assert.deepEqual((await admitGrants(fresh, [lookup({ grant: grant.id })])).map(codeOf), ['INTERNAL']);
  });
});
