import { strict as assert } from 'node:assert';
import { fixedClock } from '../../src/clock.ts';
import { grantsInForce, type CoverLookup } from '../../src/consent/cover.ts';
import { changeGrant, type GrantAction } from '../../src/consent/grants.ts';
import type { Database } from '../../src/store/database.ts';
import type { PurposeCode, SubjectId, TimeMs } from '../../src/vocabulary.ts';
import { freshDatabase } from '../support/database.ts';
import { bank, dayMs, otherBank, purpose, start, startMs, stored, subjectOf } from './sample.ts';

describe('consent/cover', () => {
  let database: Database;
  before(async () => { database = await freshDatabase(); });
  const change = (grant: { readonly id: string; readonly subject: string }, action: GrantAction) =>
    database.transaction('t', (tx) => changeGrant(tx, { grant: grant.id as never, actor: { subject: grant.subject as never }, action }, fixedClock(start)));
  const found = async (lookup: Partial<CoverLookup> = {}) => (await grantsInForce(database, { institution: bank, purpose, atMs: startMs, max: 100, ...lookup })).map(({ subject }) => subject).toSorted();

  it('finds every grant in force of one institution and purpose, and no other', async () => {
    const [one, two, paused, revoked, later] = [
      await stored(database, { subject: subjectOf(1) }), await stored(database, { subject: subjectOf(2) }), await stored(database, { subject: subjectOf(3) }), await stored(database, { subject: subjectOf(4) }),
      await stored(database, { subject: subjectOf(5), validFromMs: (startMs + dayMs) as TimeMs, validUntilMs: (startMs + 200 * dayMs) as TimeMs }),
    ];
    await stored(database, { subject: subjectOf(6), institution: otherBank });
    await change(paused, 'pause');
    await change(revoked, 'revoke');
    assert.deepEqual(await found(), [one.subject, two.subject].toSorted());
    assert.deepEqual(await found({ purpose: 'post_loan_monitoring' as PurposeCode }), []);
    assert.deepEqual(await found({ subjects: [two.subject, paused.subject, subjectOf(9)] }), [two.subject]);
    assert.deepEqual(await found({ atMs: one.validUntilMs }), [later.subject], 'validity is asked of the moment, not of housekeeping');
    assert.equal((await found({ max: 1 })).length, 1);
    const [grant] = await grantsInForce(database, { institution: bank, purpose, subjects: [one.subject], atMs: startMs, max: 1 });
    assert.deepEqual([grant?.id, [...grant?.fields ?? []], grant?.kind], [one.id, [...one.fields], one.kind]);
  });

  it('takes no longer when it is asked again and again: time grows with the enterprises asked for, not with their square', async () => {
    const many = 12_000;
    const { id } = await stored(database, { subject: subjectOf(8) });
    const { rows: [like] } = await database.query<{ columns: string }>("select string_agg(quote_ident(column_name), ', ') as columns from information_schema.columns where table_name = 'consent_grant' and is_generated = 'NEVER' and column_name not in ('id', 'subject')");
    await database.query(`insert into consent_grant (id, subject, ${like?.columns}) select 'made-up-grant-' || lpad(n::text, 8, '0'), '91319999' || lpad(n::text, 10, '0'), ${like?.columns} from consent_grant, generate_series(1, ${many}) as n where id = $1`, [id]);
    const { rows } = await database.query<{ subject: SubjectId }>("select subject from consent_grant where id like 'made-up-grant-%'");
    const subjects = rows.map(({ subject }) => subject);
    await database.transaction('t', async (tx) => {
      const tookMs: number[] = [];
      for (let run = 0; run < 9; run += 1) { // a statement with a name has a plan for all parameters from its sixth run on
        const startedMs = performance.now();
        assert.equal((await grantsInForce(tx, { institution: bank, purpose, subjects, atMs: startMs, max: 2 * many }, true)).length, many);
        tookMs.push(performance.now() - startedMs);
      }
      const [first, last] = [Math.min(...tookMs.slice(0, 3)), Math.min(...tookMs.slice(-3))];
      assert.ok(last < 5 * first, `${last} ms at last, ${first} ms at first`);
    });
  });

  it('holds them: who revokes waits until the transaction that counted on them has ended', async () => {
    const grant = await stored(database, { subject: subjectOf(7) });
    const order: string[] = [];
    let revoking: Promise<unknown> | undefined;
    await database.transaction('release', async (tx) => {
      const held = await grantsInForce(tx, { institution: bank, purpose, subjects: [grant.subject], atMs: startMs, max: 10 }, true);
      assert.equal(held.length, 1);
      revoking = change(grant, 'revoke').then(() => order.push('revoked'));
      await new Promise((resolve) => setTimeout(resolve, 100));
      order.push('released');
    });
    await revoking;
    assert.deepEqual(order, ['released', 'revoked']);
    assert.deepEqual(await found({ subjects: [grant.subject] }), []);
  });
});
