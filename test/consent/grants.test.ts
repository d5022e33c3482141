import { strict as assert } from 'node:assert';
import { fixedClock } from '../../src/clock.ts';
import { grantHistory } from '../../src/consent/events.ts';
import { changeGrant, createGrant, listGrants, readGrant, resumesPerDayMax, type GrantAction } from '../../src/consent/grants.ts';
import { isVeilgateError, type ErrorCode } from '../../src/errors.ts';
import type { Database } from '../../src/store/database.ts';
import { freshDatabase } from '../support/database.ts';
import type { ConsentCeiling, FieldRef, GrantId, PartyId, SubjectId, TimeMs } from '../../src/vocabulary.ts';
import { bank, dayMs, digestOf, otherBank, ref, start, startMs, stored, subject, subjectOf, terms } from './sample.ts';

const code = (expected: ErrorCode) => (error: unknown) => isVeilgateError(error, expected) || assert.fail(String(error));
const officer = 'officer-1' as PartyId;

describe('consent/grants', () => {
  let database: Database;
  before(async () => { database = await freshDatabase(); });

  const change = (grant: GrantId, action: GrantAction, actor: Parameters<typeof changeGrant>[1]['actor'] = { subject }, clock = fixedClock(start)) =>
    database.transaction('test change', (tx) => changeGrant(tx, { grant, actor, action }, clock));

  it('keeps what was granted, word for word', async () => {
    const fields = new Map<FieldRef, ConsentCeiling>([[ref('tax.b'), 'desensitised'], [ref('tax.a'), 'original']]);
    const wanted = terms({ fields, frequency: { max: 3, per: 'week' }, dataFrom: '2024-01-01' as never, dataTo: '2025-12-31' as never });
    const { grant, event } = await database.transaction('t', (tx) => createGrant(tx, wanted, 'browser', digestOf('n'), digestOf('e'), fixedClock(start)));
    const read = await readGrant(database, grant.id, { subject }, startMs);
    assert.deepEqual(read, grant);
    for (const [name, value] of Object.entries(wanted)) assert.deepEqual(read[name as keyof typeof read], value, name);
    assert.match(read.id, /^[A-Za-z0-9_-]{22}$/);
    assert.deepEqual([read.state, read.usesLeft, read.usesTotal, read.origin, read.noticeDigest, read.evidenceDigest, read.createdAtMs], ['active', 10, 0, 'browser', digestOf('n'), digestOf('e'), startMs]);
    assert.deepEqual(event, { grant: grant.id, institution: bank, subject, purpose: wanted.purpose, kind: 'granted', actor: { subject }, atMs: startMs });
  });

  it('refuses terms that could never be used', async () => {
    const create = (changes: Parameters<typeof terms>[0]) => database.transaction('t', (tx) => createGrant(tx, terms(changes), 'browser', digestOf('n'), digestOf('e'), fixedClock(start)));
    await assert.rejects(create({ fields: new Map() }), code('CONSENT_INVALID'));
    await assert.rejects(create({ subject: '913301007996550581' as SubjectId }), code('CONSENT_INVALID'));
    await assert.rejects(create({ validUntilMs: startMs }), code('CONSENT_INVALID'));
    await assert.rejects(create({ usesMax: null, frequency: null }), code('CONSENT_INVALID'));
    await assert.rejects(create({ kind: 'one_time', usesMax: null, frequency: { max: 1, per: 'day' } }), code('CONSENT_INVALID'));
    await assert.rejects(create({ kind: 'one_time', usesMax: 2 }), code('CONSENT_INVALID'));
    await assert.rejects(create({ dataFrom: '2025-01-02' as never, dataTo: '2025-01-01' as never }), code('CONSENT_INVALID'));
  });

  it('lets grants go on two hundred times a day, and never refuses to pause or to revoke', async () => {
    const own = subjectOf(71);
    const grant = await stored(database, { subject: own });
    const by = { subject: own };
    const changeBy = (action: GrantAction, atMs: number = startMs) => change(grant.id, action, by, fixedClock(new Date(atMs).toISOString()));
    await changeBy('pause');
    await database.query("insert into grant_event (grant_id, at_ms, kind, actor_kind, actor) select $1, $2, 'resumed', 'subject', $3 from generate_series(1, $4::int)", [grant.id, startMs, own, resumesPerDayMax - 1]);
    await changeBy('resume');
    await changeBy('pause');
    await assert.rejects(changeBy('resume'), (error) => isVeilgateError(error, 'REQUEST_QUOTA_EXCEEDED') && Number(error.detail?.['retryAfterSeconds']) > 0);
    await changeBy('resume', startMs + dayMs);
    await changeBy('pause', startMs + dayMs);
    await changeBy('revoke', startMs + dayMs);
    assert.equal((await readGrant(database, grant.id, by, startMs)).state, 'revoked');
  });

  it('pauses, resumes and revokes, and remembers each with its facts', async () => {
    const clock = fixedClock(start);
    const { id } = await stored(database);
    for (const [action, state, kind] of [['pause', 'paused', 'paused'], ['resume', 'active', 'resumed'], ['revoke', 'revoked', 'revoked']] as const) {
      clock.advanceMs(1000);
      const changed = await change(id, action, { subject }, clock);
      assert.equal(changed.grant.state, state);
      assert.equal(changed.grant.changedAtMs, clock.nowMs());
      assert.deepEqual(changed.event, { grant: id, institution: bank, subject, purpose: 'pre_loan_review', kind, actor: { subject }, atMs: clock.nowMs() });
      assert.deepEqual(await readGrant(database, id, { subject }, clock.nowMs()), changed.grant);
    }
    assert.deepEqual((await grantHistory(database, id)).map(({ kind, actorKind, atMs }) => [kind, actorKind, atMs - startMs]),
      [['granted', 'subject', 0], ['paused', 'subject', 1000], ['resumed', 'subject', 2000], ['revoked', 'subject', 3000]]);
  });

  it('refuses a change the state does not allow, with the state', async () => {
    const { id } = await stored(database);
    const conflict = async (action: GrantAction, state: string, clock = fixedClock(start)) =>
      assert.rejects(change(id, action, { subject }, clock), (error) => isVeilgateError(error, 'CONSENT_STATE_CONFLICT') && error.detail?.['state'] === state);
    await conflict('resume', 'active');
    await change(id, 'pause');
    await conflict('pause', 'paused');
    const late = fixedClock(startMs + 90 * dayMs);
    await conflict('resume', 'expired', late);
    await conflict('revoke', 'expired', late);
    await change(id, 'revoke');
    for (const action of ['pause', 'resume', 'revoke'] as const) await conflict(action, 'revoked');
  });

  it('lets an institution give a grant back and an officer end one, and neither pause nor resume', async () => {
    for (const actor of [{ institution: bank }, { officer }]) {
      const { id } = await stored(database);
      await assert.rejects(change(id, 'pause', actor), code('PARTY_NOT_PERMITTED'));
      await change(id, 'pause');
      await assert.rejects(change(id, 'resume', actor), code('PARTY_NOT_PERMITTED'));
      assert.equal((await change(id, 'revoke', actor)).grant.state, 'revoked');
    }
  });

  it('answers the same for a grant that is not there and one that is another party\'s', async () => {
    const { id } = await stored(database);
    const answers: unknown[] = [];
    const collect = (work: Promise<unknown>) => work.then(() => assert.fail('answered'), (error: unknown) => {
      assert.ok(isVeilgateError(error, 'CONSENT_NOT_FOUND'), String(error));
      answers.push({ message: error.message, detail: error.detail });
    });
    const unknown = 'AAAAAAAAAAAAAAAAAAAAAA' as GrantId;
    for (const grant of [unknown, 'x' as GrantId, "'; drop table consent_grant; --" as GrantId, '\0'.repeat(22) as GrantId]) {
      await collect(change(grant, 'revoke'));
      await collect(readGrant(database, grant, { subject }, startMs));
      await collect(readGrant(database, grant, { officer }, startMs));
    }
    await collect(change(id, 'revoke', { subject: subjectOf(2) }));
    await collect(change(id, 'pause', { institution: otherBank }));
    await collect(readGrant(database, id, { subject: subjectOf(2) }, startMs));
    await collect(readGrant(database, id, { institution: otherBank }, startMs));
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    assert.equal((await readGrant(database, id, { officer }, startMs)).state, 'active');
    assert.equal((await readGrant(database, id, { institution: bank }, startMs)).state, 'active');
  });

  it('lists page by page, newest first, only one\'s own, each grant once', async () => {
    const own = subjectOf(77);
    const ids: string[] = [];
    for (let at = 0; at < 7; at += 1) {
      const clock = fixedClock(startMs + (at < 4 ? 0 : at)); // four in the same millisecond
      ids.push((await stored(database, { subject: own, institution: at % 2 === 0 ? bank : otherBank }, clock)).id);
    }
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await listGrants(database, { subject: own }, { limit: 2, ...(after === undefined ? {} : { after }) }, startMs);
      assert.ok(page.grants.length <= 2);
      seen.push(...page.grants.map(({ id }) => id));
      after = page.next ?? undefined;
    } while (after !== undefined);
    assert.deepEqual([...seen].sort(), [...ids].sort());
    assert.deepEqual(seen.slice(0, 3), ids.slice(4).reverse());
    assert.equal((await listGrants(database, { subject: own }, {}, startMs)).grants.every((grant) => grant.subject === own), true);
    const others = await listGrants(database, { institution: otherBank }, {}, startMs);
    assert.ok(others.grants.length >= 3 && others.grants.every((grant) => grant.institution === otherBank));
  });

  it('lists who can have access right now', async () => {
    const own = subjectOf(78);
    const active = await stored(database, { subject: own });
    const paused = await stored(database, { subject: own });
    await change(paused.id, 'pause', { subject: own });
    await stored(database, { subject: own, validFromMs: (startMs + dayMs) as TimeMs });
    await stored(database, { subject: own, validUntilMs: (startMs + 1) as TimeMs, validFromMs: startMs });
    const inForce = await listGrants(database, { subject: own }, { inForce: true }, (startMs + 1000) as TimeMs);
    assert.deepEqual(inForce.grants.map(({ id }) => id), [active.id]);
    const states = (await listGrants(database, { subject: own }, {}, (startMs + 1000) as TimeMs)).grants.map(({ state }) => state).sort();
    assert.deepEqual(states, ['active', 'active', 'expired', 'paused']);
  });

  it('refuses a page that is none', async () => {
    for (const page of [{ limit: 0 }, { limit: 101 }, { limit: 1.5 }, { after: 'x' }, { after: '1.2' }, { after: "1.AAAAAAAAAAAAAAAAAAAAAA'" }]) {
      await assert.rejects(listGrants(database, { subject }, page, startMs), code('REQUEST_INVALID'));
    }
  });

  describe('in the database itself', () => {
    const refusedBy = (constraint: string) => (error: unknown) => (error as { constraint?: string }).constraint === constraint || assert.fail(String(error));
    const update = (id: GrantId, assignment: string) => database.query(`update consent_grant set ${assignment} where id = $1`, [id]);

    it('never lets terms change', async () => {
      const { id } = await stored(database);
      for (const assignment of ['valid_until_ms = valid_until_ms + 1', "institution = 'bank-b'", 'field_set = field_set', 'uses_max = 1000', 'frequency_max = 1000', "purpose = 'x'", "notice_digest = ''"]) {
        await assert.rejects(update(id, assignment), /never changed/, assignment);
      }
      await assert.rejects(database.query("update consent_field_set set fields = '{\"a.b\":\"original\"}'"), /never changed/);
      await assert.rejects(database.query("update grant_event set kind = 'granted'"), /never changed/);
    });

    it('never lets a final state go, nor a use come back', async () => {
      const { id } = await stored(database);
      await change(id, 'revoke');
      await assert.rejects(update(id, "state = 'active'"), /never changed/);
      const used = await stored(database);
      await update(used.id, 'uses_total = 1, uses_left = 9');
      await assert.rejects(update(used.id, 'uses_total = 0, uses_left = 10'), /never changed/);
    });

    it('holds uses, state and frequency together', async () => {
      const { id } = await stored(database);
      await assert.rejects(update(id, 'uses_left = 9'), refusedBy('grant_uses_add_up'));
      await assert.rejects(update(id, 'uses_left = null'), refusedBy('grant_uses_add_up'));
      await assert.rejects(update(id, 'uses_left = -1, uses_total = 11'), refusedBy('consent_grant_uses_left_check'));
      await assert.rejects(update(id, "state = 'exhausted'"), refusedBy('grant_exhausted_when_spent'));
      await assert.rejects(update(id, 'uses_left = 0, uses_total = 10'), refusedBy('grant_exhausted_when_spent'));
      await assert.rejects(update(id, 'uses_total = 1, uses_left = 9, window_uses = 1'), refusedBy('grant_window_within_frequency'));
      await assert.rejects(update(id, "state = 'dormant'"), refusedBy('consent_grant_state_check'));
    });

    it('takes no malformed digest', async () => {
      const malformed = (notice: string, evidence: string) => database.transaction('t', (tx) => createGrant(tx, terms(), 'browser', notice, evidence, fixedClock(start)));
      await assert.rejects(malformed('notice', digestOf('e')), /malformed/);
      await assert.rejects(malformed(digestOf('n'), digestOf('e').toUpperCase()), /malformed/);
    });

    it('takes no grant without a limit, a period or a half frequency', async () => {
      const { id } = await stored(database);
      const columns = 'subject, institution, purpose, field_set, width, data_from, data_to, valid_from_ms, valid_until_ms, kind, uses_max, uses_left, frequency_max, frequency_per, data_life_days, notice_digest, origin, evidence_digest, created_ms, changed_ms';
      /** Inserts a copy of a grant with other values for some columns. */
      const copy = (changes: Record<string, string>) =>
        database.query(`insert into consent_grant (id, ${columns}) select 'BBBBBBBBBBBBBBBBBBBBBB', ${columns.split(', ').map((column) => changes[column] ?? column).join(', ')} from consent_grant where id = $1`, [id]);
      await assert.rejects(copy({ uses_max: 'null', uses_left: 'null' }), refusedBy('grant_limited'));
      await assert.rejects(copy({ kind: "'one_time'" }), refusedBy('grant_one_time_once'));
      await assert.rejects(copy({ kind: "'one_time'", uses_max: 'null', uses_left: 'null', frequency_max: '1', frequency_per: "'day'" }), refusedBy('grant_one_time_once'));
      await assert.rejects(copy({ data_from: "'2025-01-02'", data_to: "'2025-01-01'" }), refusedBy('grant_data_period'));
      await assert.rejects(copy({ frequency_max: '1' }), refusedBy('grant_frequency_whole'));
      await assert.rejects(copy({ valid_until_ms: 'valid_from_ms' }), refusedBy('grant_valid_some_time'));
      await assert.rejects(copy({ data_life_days: '0' }), refusedBy('consent_grant_data_life_days_check'));
      await copy({});
    });
  });
});
