import { strict as assert } from 'node:assert';
import { fixedClock } from '../../src/clock.ts';
import { consumeGrants, usesPerBatchMax, type Consumed, type GrantUse } from '../../src/consent/consume.ts';
import { grantHistory } from '../../src/consent/events.ts';
import { expireGrants } from '../../src/consent/expire.ts';
import { changeGrant, readGrant, type GrantAction } from '../../src/consent/grants.ts';
import { isVeilgateError, VeilgateError } from '../../src/errors.ts';
import type { Database } from '../../src/store/database.ts';
import { freshDatabase } from '../support/database.ts';
import type { Grant, GrantId, TimeMs } from '../../src/vocabulary.ts';
import { bank, codeOf, dayMs, otherBank, ref, start, startMs, stored, subjectOf } from './sample.ts';

const ms = (text: string) => Date.parse(text) as TimeMs;

describe('consent/consume', () => {
  let database: Database;
  let nextSubject = 5000;
  before(async () => { database = await freshDatabase(); });

  const use = (grant: Pick<Grant, 'id'>, changes: Partial<GrantUse> = {}): GrantUse => ({ grant: grant.id, institution: bank, atMs: startMs, verifications: [], verificationLimit: 3, ...changes });
  const consume = (...uses: GrantUse[]) => database.transaction('t', (tx) => consumeGrants(tx, uses));
  const codes = async (...uses: GrantUse[]) => (await consume(...uses)).map(codeOf);
  const change = (grant: Grant, action: GrantAction) => database.transaction('t', (tx) => changeGrant(tx, { grant: grant.id, actor: { subject: grant.subject }, action }, fixedClock(start)));
  const read = (grant: Grant, atMs = startMs) => readGrant(database, grant.id, { subject: grant.subject }, atMs);
  const own = () => subjectOf(nextSubject++);

  it('counts a use and says what is left', async () => {
    const grant = await stored(database, { usesMax: 2 });
    const atMs = (startMs + 1000) as TimeMs;
    assert.deepEqual(await consume(use(grant, { atMs })), [{ grant: grant.id, useNumber: 1, usesLeft: 1, state: 'active' }]);
    const kept = await read(grant);
    assert.deepEqual([kept.usesLeft, kept.usesTotal, kept.lastUsedAtMs, kept.state, kept.changedAtMs], [1, 1, atMs, 'active', startMs]);
  });

  it('exhausts a grant with its last use, and writes that into its history', async () => {
    const grant = await stored(database, { kind: 'one_time', usesMax: 1 });
    const atMs = (startMs + 1000) as TimeMs;
    const [last] = await consume(use(grant, { atMs }));
    assert.equal((last as Consumed).state, 'exhausted');
    assert.equal((await read(grant)).changedAtMs, atMs);
    assert.deepEqual(await codes(use(grant)), ['CONSENT_EXHAUSTED']);
    assert.equal((await read(grant)).state, 'exhausted');
    assert.deepEqual((await grantHistory(database, grant.id)).map(({ kind, actorKind }) => [kind, actorKind]), [['granted', 'subject'], ['exhausted', 'platform']]);
  });

  it('counts uses of one grant in a batch one after the other', async () => {
    const grant = await stored(database, { usesMax: 3 });
    const results = await consume(use(grant), use(grant), use(grant), use(grant), use(grant));
    assert.deepEqual(results.map((result) => (result instanceof VeilgateError ? result.code : result.useNumber)), [1, 2, 3, 'CONSENT_EXHAUSTED', 'CONSENT_EXHAUSTED']);
    assert.equal((await read(grant)).usesTotal, 3);
  });

  it('decides each use by what the grant is at release, and lets none spoil another', async () => {
    const [paused, revoked, good] = [await stored(database), await stored(database), await stored(database)];
    await change(paused, 'pause');
    await change(revoked, 'revoke');
    const results = await codes(
      use(paused), use(good), use(revoked), use(good, { atMs: good.validUntilMs }), use(good, { atMs: (good.validFromMs - 1) as TimeMs }),
      use(good, { institution: otherBank }), use({ id: 'AAAAAAAAAAAAAAAAAAAAAA' as GrantId }), use({ id: '\0' as GrantId }), use(good),
    );
    assert.deepEqual(results, ['CONSENT_PAUSED', 'ok', 'CONSENT_REVOKED', 'CONSENT_EXPIRED', 'CONSENT_NOT_YET_VALID', 'CONSENT_REQUIRED', 'CONSENT_REQUIRED', 'CONSENT_REQUIRED', 'ok']);
    assert.equal((await read(good)).usesTotal, 2);
    assert.equal((await read(paused)).usesTotal, 0);
    assert.deepEqual(await consume(), []);
  });

  it('counts nothing when the transaction fails', async () => {
    const grant = await stored(database);
    await assert.rejects(database.transaction('t', async (tx) => {
      await consumeGrants(tx, [use(grant, { verifications: [ref('tax.a')] })]);
      throw new Error('the log could not be appended');
    }));
    assert.equal((await read(grant)).usesTotal, 0);
  });

  it('refuses a batch beyond its maximum', async () => {
    const grant = await stored(database);
    await assert.rejects(consume(...Array.from({ length: usesPerBatchMax + 1 }, () => use(grant))), (error) => isVeilgateError(error, 'REQUEST_TOO_LARGE'));
  });

  describe('frequency', () => {
    it('counts by the day of Shanghai, to the millisecond', async () => {
      const grant = await stored(database, { frequency: { max: 2, per: 'day' } });
      const lastMs = ms('2026-03-10T23:59:59.999+08:00');
      const nextMs = ms('2026-03-11T00:00:00+08:00');
      assert.deepEqual(await codes(use(grant), use(grant, { atMs: lastMs }), use(grant, { atMs: lastMs })), ['ok', 'ok', 'CONSENT_FREQUENCY_EXCEEDED']);
      const [refused] = await consume(use(grant, { atMs: lastMs }));
      assert.equal((refused as VeilgateError).detail?.['again_at'], '2026-03-10T16:00:00.000Z');
      assert.deepEqual(await codes(use(grant, { atMs: nextMs }), use(grant, { atMs: nextMs }), use(grant, { atMs: nextMs })), ['ok', 'ok', 'CONSENT_FREQUENCY_EXCEEDED']);
    });

    it('counts by ISO weeks and calendar months', async () => {
      const edges = { week: ['2026-03-15T23:59:59.999+08:00', '2026-03-16T00:00:00+08:00'], month: ['2026-03-31T23:59:59.999+08:00', '2026-04-01T00:00:00+08:00'] } as const;
      for (const per of ['week', 'month'] as const) {
        const grant = await stored(database, { frequency: { max: 1, per } });
        const [lastMs, nextMs] = edges[per].map(ms) as [TimeMs, TimeMs];
        assert.deepEqual(await codes(use(grant), use(grant, { atMs: lastMs }), use(grant, { atMs: nextMs }), use(grant, { atMs: nextMs })), ['ok', 'CONSENT_FREQUENCY_EXCEEDED', 'ok', 'CONSENT_FREQUENCY_EXCEEDED'], per);
      }
    });

    it('does not open an old window again for a node whose clock lags', async () => {
      const grant = await stored(database, { frequency: { max: 2, per: 'day' } });
      const midnight = { atMs: ms('2026-03-11T00:00:00+08:00') };
      const lagging = { atMs: (midnight.atMs - 1) as TimeMs };
      assert.deepEqual(await codes(use(grant, midnight), use(grant, lagging), use(grant, midnight), use(grant, lagging)), ['ok', 'ok', 'CONSENT_FREQUENCY_EXCEEDED', 'CONSENT_FREQUENCY_EXCEEDED']);
    });

    it('limits a grant without a number of uses', async () => {
      const grant = await stored(database, { usesMax: null, frequency: { max: 1, per: 'day' } });
      for (let day = 0; day < 3; day += 1) {
        const atMs = (startMs + day * dayMs) as TimeMs;
        const [first, second] = await consume(use(grant, { atMs }), use(grant, { atMs }));
        assert.deepEqual([(first as Consumed).usesLeft, codeOf(second)], [null, 'CONSENT_FREQUENCY_EXCEEDED']);
      }
    });
  });

  describe('verification attempts', () => {
    const [a, b] = [ref('tax.a'), ref('tax.b')];

    it('are limited per grant and field, over days', async () => {
      const grant = await stored(database, { subject: own() });
      const at = (day: number) => ({ atMs: (startMs + day * dayMs) as TimeMs, verifications: [a] });
      assert.deepEqual(await codes(use(grant, at(0)), use(grant, at(0))), ['ok', 'ok']);
      assert.deepEqual(await codes(use(grant, at(1))), ['ok']);
      const [refused] = await consume(use(grant, at(2)));
      assert.equal(codeOf(refused), 'QUERY_ATTEMPTS_EXHAUSTED');
      assert.deepEqual((refused as VeilgateError).detail?.['fields'], [a]);
      assert.deepEqual(await codes(use(grant, { verifications: [b] }), use(grant)), ['ok', 'ok']);
    });

    it('are not reset by a new grant on the same day', async () => {
      const of = own();
      const [first, second] = [await stored(database, { subject: of }), await stored(database, { subject: of })];
      const verify = { verifications: [a] };
      assert.deepEqual(await codes(use(first, verify), use(first, verify), use(second, verify), use(second, verify)), ['ok', 'ok', 'ok', 'QUERY_ATTEMPTS_EXHAUSTED']);
      assert.deepEqual(await codes(use(second, { ...verify, atMs: (startMs + dayMs) as TimeMs })), ['ok']);
    });

    it('of one institution are not counted against another, nor of one enterprise against another', async () => {
      const of = own();
      const verify = { verifications: [a], verificationLimit: 1 };
      const [mine, theirs, elsewhere] = [await stored(database, { subject: of }), await stored(database, { subject: of, institution: otherBank }), await stored(database, { subject: own() })];
      assert.deepEqual(await codes(use(mine, verify), use(theirs, { ...verify, institution: otherBank }), use(elsewhere, verify), use(mine, verify)), ['ok', 'ok', 'ok', 'QUERY_ATTEMPTS_EXHAUSTED']);
    });

    it('refused count neither attempts nor uses, of any field', async () => {
      const grant = await stored(database, { subject: own() });
      assert.deepEqual(await codes(use(grant, { verifications: [a, a, a, a, b] })), ['QUERY_ATTEMPTS_EXHAUSTED']);
      assert.deepEqual(await codes(use(grant, { verifications: [a, b, a, a] }), use(grant, { verifications: [b, a] }), use(grant, { verifications: [b, b] })), ['ok', 'QUERY_ATTEMPTS_EXHAUSTED', 'ok']);
      assert.equal((await read(grant)).usesTotal, 2);
    });

    it('are refused when the limit is zero or no number', async () => {
      const grant = await stored(database, { subject: own() });
      for (const verificationLimit of [0, -1, NaN]) assert.deepEqual(await codes(use(grant, { verifications: [a], verificationLimit })), ['QUERY_ATTEMPTS_EXHAUSTED']);
    });

    it('under somebody else\'s grant touch no counter', async () => {
      const of = own();
      const grant = await stored(database, { subject: of });
      assert.deepEqual(await codes(use(grant, { institution: otherBank, verifications: [a] })), ['CONSENT_REQUIRED']);
      const { rows } = await database.query('select 1 from verification_day where subject = $1', [of]);
      assert.equal(rows.length, 0);
    });

    it('of past days are forgotten, those of today and yesterday are not', async () => {
      const grant = await stored(database, { subject: own() });
      for (const day of [0, 1, 2]) await consume(use(grant, { atMs: (startMs + day * dayMs) as TimeMs, verifications: [b] }));
      await database.transaction('t', (tx) => expireGrants(tx, (startMs + 2 * dayMs) as TimeMs));
      const { rows } = await database.query<{ day: string }>('select day from verification_day where subject = $1 order by day', [grant.subject]);
      assert.deepEqual(rows.map(({ day }) => day), ['2026-03-11', '2026-03-12']);
    });
  });

  it('takes two statements, three with verifications', async () => {
    const grants = [await stored(database, { subject: own() }), await stored(database, { subject: own() })];
    const count = (uses: GrantUse[]) => database.transaction('t', async (tx) => {
      let statements = 0;
      const counting = { query: (...query: Parameters<typeof tx.query>) => { statements += 1; return tx.query(...query); } } as typeof tx;
      await consumeGrants(counting, uses);
      return statements;
    });
    assert.equal(await count(grants.map((grant) => use(grant))), 2);
    assert.equal(await count(grants.map((grant) => use(grant, { verifications: [ref('tax.a'), ref('tax.b')] }))), 3);
    assert.equal(await count([]), 0);
  });
});
