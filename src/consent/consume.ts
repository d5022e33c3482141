import { shanghaiDate } from '../calendar.ts';
import { VeilgateError } from '../errors.ts';
import { arrayParameter } from '../store/array-parameter.ts';
import type { Statement, Tx } from '../store/database.ts';
import type { FieldRef, GrantId, GrantState, InstitutionId, SubjectId, TimeMs } from '../vocabulary.ts';
import { windowEndMs } from './calendar.ts';
import { isGrantId, usability, type GrantRow } from './grant-row.ts';
import { attemptsExhausted, consentRequired, unusable } from './refusals.ts';

/** One answer about to be released. */
export type GrantUse = {
  readonly grant: GrantId;
  readonly institution: InstitutionId;
  /** Now: the clock at release, not when the query arrived. */
  readonly atMs: TimeMs;
  /** Fields this answer verifies; a field named twice is two attempts. */
  readonly verifications: readonly FieldRef[];
  /** Attempts per field that policy allows under one grant, and per day over all grants of the institution for the subject. */
  readonly verificationLimit: number;
};

/** What a counted use left of the grant. */
export type Consumed = {
  readonly grant: GrantId;
  /** 1 for the first answer under the grant. */
  readonly useNumber: number;
  readonly usesLeft: number | null;
  /** `exhausted` when this was the last use. */
  readonly state: GrantState;
};

/** Uses one call takes at most. */
export const usesPerBatchMax = 8192;

type LockedRow = Pick<GrantRow, 'id' | 'subject' | 'institution' | 'state' | 'valid_from_ms' | 'valid_until_ms' | 'frequency_max' | 'frequency_per' | 'uses_left' | 'uses_total' | 'window_ends_ms' | 'window_uses'>;
/** A locked grant as the uses of this batch change it. */
type Working = { -readonly [Name in keyof LockedRow]: LockedRow[Name] } & { lastUsedMs: TimeMs; used: boolean };

/** A counter of attempts, of a grant or of a day, as the uses of this batch change it. */
type Counter = { readonly field: FieldRef; attempts: number; touched: boolean };
type GrantCounter = Counter & { readonly grant: GrantId };
type DayCounter = Counter & { readonly institution: InstitutionId; readonly subject: SubjectId; readonly day: string };
type Counters = { readonly ofGrant: Map<string, GrantCounter>; readonly ofDay: Map<string, DayCounter> };

/** Uses that were decided under lock; `statements` make it last. */
export type LockedUses = {
  /** Decides one use and counts it, in order. */
  readonly decide: (use: GrantUse) => Consumed | VeilgateError;
  /** What writes all that was counted: one statement, none when nothing was. */
  readonly statements: () => readonly Statement[];
};

/** consumeGrants in three steps, for a caller that has something to do between them. `uses`: all that may be decided. */
export async function lockUses(tx: Tx, uses: readonly GrantUse[]): Promise<LockedUses> {
  if (uses.length > usesPerBatchMax) throw new VeilgateError('REQUEST_TOO_LARGE', `At most ${usesPerBatchMax} uses are counted at once: split the batch.`);
  const grants = await lockGrants(tx, uses);
  const counters = await lockCounters(tx, uses, grants);
  return {
    decide: (use) => consumeOne(use, grants.get(use.grant), counters),
    statements: () => writing([...grants.values()].filter(({ used }) => used), counters),
  };
}

/**
 * Counts uses in the transaction that releases the answers. Locks the grants' rows in the order of their ids, then
 * counters in the order of their keys, so that batches on many nodes cannot deadlock; decides on what the rows hold
 * then; a revocation that has committed stops every use after it, and one that comes later waits for this transaction.
 * Uses of one grant inside the batch count one after the other. A use that is refused counts nothing and spoils no other.
 * Two statements, three when anything is verified.
 * @returns in order, what is left or why not: the codes of `admitGrants` and QUERY_ATTEMPTS_EXHAUSTED with the fields
 */
export async function consumeGrants(tx: Tx, uses: readonly GrantUse[]): Promise<(Consumed | VeilgateError)[]> {
  const locked = await lockUses(tx, uses);
  const results = uses.map(locked.decide);
  await Promise.all(locked.statements().map((statement) => tx.query(statement)));
  return results;
}

async function lockGrants(tx: Tx, uses: readonly GrantUse[]): Promise<Map<GrantId, Working>> {
  const ids = [...new Set(uses.map(({ grant }) => grant))].filter(isGrantId);
  if (ids.length === 0) return new Map();
  const { rows } = await tx.query<LockedRow>({
    name: 'consent lock grants',
    text: `select id, subject, institution, state, valid_from_ms, valid_until_ms, frequency_max, frequency_per, uses_left, uses_total, window_ends_ms, window_uses
           from consent_grant where id = any($1::text[]) order by id for no key update`,
    values: [arrayParameter(ids)],
  });
  return new Map(rows.map((row) => [row.id, { ...row, lastUsedMs: 0 as TimeMs, used: false }]));
}

const grantKey = (grant: GrantId, field: FieldRef) => `${grant} ${field}`;
const dayKey = (institution: string, subject: string, field: string, day: string) => `${institution} ${subject} ${field} ${day}`;

/**
 * Makes and locks the day counters, which grants share; a grant's own counters are safe behind its row's lock.
 * The new statement sees what other transactions committed while this one waited for the grants.
 */
async function lockCounters(tx: Tx, uses: readonly GrantUse[], grants: ReadonlyMap<GrantId, Working>): Promise<Counters> {
  const counters: Counters = { ofGrant: new Map(), ofDay: new Map() };
  for (const use of uses) {
    const grant = grants.get(use.grant);
    if (use.verifications.length === 0 || grant === undefined || grant.institution !== use.institution) continue;
    const day = shanghaiDate(use.atMs);
    for (const field of use.verifications) {
      counters.ofGrant.set(grantKey(grant.id, field), { grant: grant.id, field, attempts: 0, touched: false });
      counters.ofDay.set(dayKey(grant.institution, grant.subject, field, day), { institution: grant.institution, subject: grant.subject, field, day, attempts: 0, touched: false });
    }
  }
  if (counters.ofDay.size === 0) return counters;
  const ofGrant = [...counters.ofGrant.values()];
  const ofDay = [...counters.ofDay.values()];
  const { rows } = await tx.query<{ grant_id: GrantId | null; institution: string; subject: string; field: FieldRef; day: string; attempts: number }>({
    name: 'consent lock attempts',
    text: `with days as (
             insert into verification_day as d (institution, subject, field, day, attempts)
             select w.institution, w.subject, w.field, w.day, 0
             from unnest($3::text[], $4::text[], $5::text[], $6::date[]) as w (institution, subject, field, day) order by 1, 2, 3, 4
             on conflict (institution, subject, field, day) do update set attempts = d.attempts
             returning d.institution, d.subject, d.field, d.day, d.attempts)
           select null as grant_id, institution, subject, field, day, attempts from days
           union all
           select a.grant_id, null, null, a.field, null, a.attempts
           from unnest($1::text[], $2::text[]) as w (grant_id, field) join verification_attempt a using (grant_id, field)`,
    values: [
      ofGrant.map(({ grant }) => grant), ofGrant.map(({ field }) => field),
      ofDay.map(({ institution }) => institution), ofDay.map(({ subject }) => subject), ofDay.map(({ field }) => field), ofDay.map(({ day }) => day),
    ],
  });
  for (const row of rows) {
    const counter = row.grant_id === null ? counters.ofDay.get(dayKey(row.institution, row.subject, row.field, row.day)) : counters.ofGrant.get(grantKey(row.grant_id, row.field));
    if (counter !== undefined) counter.attempts = row.attempts;
  }
  return counters;
}

function consumeOne(use: GrantUse, grant: Working | undefined, counters: Counters): Consumed | VeilgateError {
  if (grant === undefined || grant.institution !== use.institution) return consentRequired();
  const refusal = unusable(usability(grant), use.atMs) ?? attemptsLeft(use, grant, counters);
  if (refusal !== undefined) return refusal;

  for (const counter of countersOf(use, grant, counters)) {
    counter.attempts += 1;
    counter.touched = true;
  }
  if (grant.frequency_per !== null) {
    // a window never moves back, so a node whose clock lags at midnight cannot open the old one again
    if (use.atMs >= grant.window_ends_ms) {
      grant.window_ends_ms = windowEndMs(grant.frequency_per, use.atMs);
      grant.window_uses = 0;
    }
    grant.window_uses += 1;
  }
  grant.used = true;
  grant.uses_total += 1;
  grant.lastUsedMs = Math.max(grant.lastUsedMs, use.atMs) as TimeMs;
  if (grant.uses_left !== null) {
    grant.uses_left -= 1;
    if (grant.uses_left === 0) grant.state = 'exhausted';
  }
  return { grant: grant.id, useNumber: grant.uses_total, usesLeft: grant.uses_left, state: grant.state };
}

/** Both counters of each verification, one entry per attempt. */
function* countersOf(use: GrantUse, grant: Working, counters: Counters): Iterable<Counter> {
  if (use.verifications.length === 0) return;
  const day = shanghaiDate(use.atMs);
  for (const field of use.verifications) {
    yield counters.ofGrant.get(grantKey(grant.id, field)) as Counter;
    yield counters.ofDay.get(dayKey(grant.institution, grant.subject, field, day)) as Counter;
  }
}

function attemptsLeft(use: GrantUse, grant: Working, counters: Counters): VeilgateError | undefined {
  const attempts = new Map<Counter, number>();
  const over = new Set<FieldRef>();
  for (const counter of countersOf(use, grant, counters)) {
    const wanted = (attempts.get(counter) ?? counter.attempts) + 1;
    attempts.set(counter, wanted);
    // written so that a limit that is no number allows nothing
    if (!(wanted <= use.verificationLimit)) over.add(counter.field);
  }
  return over.size === 0 ? undefined : attemptsExhausted([...over]);
}

const updateGrants = `
  update consent_grant g
  set state = u.state, changed_ms = case when g.state = u.state then g.changed_ms else u.at_ms end, uses_left = u.uses_left, uses_total = u.uses_total,
      last_used_ms = u.at_ms, window_ends_ms = u.window_ends_ms, window_uses = u.window_uses
  from unnest($1::text[], $2::text[], $3::bigint[], $4::integer[], $5::integer[], $6::bigint[], $7::integer[])
    as u (id, state, at_ms, uses_left, uses_total, window_ends_ms, window_uses)
  where g.id = u.id`;

const appendExhausted = `
  exhausted as (
    insert into grant_event (grant_id, at_ms, kind, actor_kind)
    select u.id, u.at_ms, 'exhausted', 'platform' from unnest($1::text[], $2::text[], $3::bigint[]) as u (id, state, at_ms) where u.state = 'exhausted')`;

const countGrantAttempts = `
  of_grant as (
    insert into verification_attempt as a (grant_id, field, attempts) select * from unnest($8::text[], $9::text[], $10::integer[])
    on conflict (grant_id, field) do update set attempts = excluded.attempts)`;

const countDayAttempts = `
  of_day as (
    update verification_day d set attempts = u.attempts
    from unnest($11::text[], $12::text[], $13::text[], $14::date[], $15::integer[]) as u (institution, subject, field, day, attempts)
    where (d.institution, d.subject, d.field, d.day) = (u.institution, u.subject, u.field, u.day))`;

/** One statement; every row it writes is locked already, so it waits for nobody. */
function writing(used: readonly Working[], counters: Counters): readonly Statement[] {
  if (used.length === 0) return [];
  const grants: unknown[] = [
    used.map(({ id }) => id), used.map(({ state }) => state), used.map(({ lastUsedMs }) => lastUsedMs), used.map(({ uses_left }) => uses_left),
    used.map(({ uses_total }) => uses_total), used.map(({ window_ends_ms }) => window_ends_ms), used.map(({ window_uses }) => window_uses),
  ].map(arrayParameter);
  const ofGrant = [...counters.ofGrant.values()].filter(({ touched }) => touched);
  const ofDay = [...counters.ofDay.values()].filter(({ touched }) => touched);
  if (ofGrant.length === 0) {
    return [{ name: 'consent count uses', text: `with ${appendExhausted} ${updateGrants}`, values: grants }];
  }
  return [{
    name: 'consent count uses and attempts',
    text: `with ${appendExhausted}, ${countGrantAttempts}, ${countDayAttempts} ${updateGrants}`,
    values: [
      ...grants,
      ofGrant.map(({ grant }) => grant), ofGrant.map(({ field }) => field), ofGrant.map(({ attempts }) => attempts),
      ofDay.map(({ institution }) => institution), ofDay.map(({ subject }) => subject), ofDay.map(({ field }) => field), ofDay.map(({ day }) => day), ofDay.map(({ attempts }) => attempts),
    ],
  }];
}
