import { randomBytes } from 'node:crypto';
import { dayStartMs, secondsToNextDay } from '../calendar.ts';
import type { Clock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import type { Sql, Tx } from '../store/database.ts';
import { isUscc } from '../uscc.ts';
import type { Grant, GrantId, GrantState, GrantTerms, InstitutionId, PartyId, SubjectId, TimeMs } from '../vocabulary.ts';
import { appendEvent, type Actor, type GrantEvent, type GrantEventKind } from './events.ts';
import { damagedFieldSet, fieldSetJson, fieldSets, widthOf } from './field-sets.ts';
import { grantColumns, grantFromRow, isGrantId, type GrantRow, type StoredGrant } from './grant-row.ts';
import { stateAt } from './refusals.ts';
import { invalid } from './terms.ts';

/** A grant as it is after a change, and what the audit log must know of the change. */
export type GrantChange = { readonly grant: StoredGrant; readonly event: GrantEvent };

/** 128 random bits. */
export function newGrantId(): GrantId {
  return randomBytes(16).toString('base64url') as GrantId;
}

/**
 * Stores what the enterprise consented to. Takes the terms as they are: `parseTerms` (or `completeTerms` and `checkCaps`)
 * and `narrow` came before.
 * @param noticeDigest SHA-256, hex, of the notice the representative saw or signed
 * @param evidenceDigest SHA-256, hex, of what proves the consent (session record or signed document)
 * Errors: CONSENT_INVALID for terms that do not hold together or are over.
 */
export async function createGrant(tx: Tx, terms: GrantTerms, origin: Grant['origin'], noticeDigest: string, evidenceDigest: string, clock: Clock): Promise<GrantChange> {
  return insertGrant(tx, newGrantId(), terms, origin, noticeDigest, evidenceDigest, clock.nowMs());
}

/** createGrant with an id that was drawn before. */
export async function insertGrant(tx: Tx, id: GrantId, terms: GrantTerms, origin: Grant['origin'], noticeDigest: string, evidenceDigest: string, atMs: TimeMs): Promise<GrantChange> {
  checkWhole(terms, atMs);
  const set = fieldSetJson(terms.fields);
  await tx.query({
    name: 'consent store field set',
    text: 'insert into consent_field_set (digest, fields) values ($1, $2::jsonb) on conflict (digest) do nothing',
    values: [set.digest, set.json],
  });
  const { rows } = await tx.query<GrantRow>({
    name: 'consent create grant',
    text: `insert into consent_grant as g (id, subject, institution, purpose, field_set, width, data_from, data_to, valid_from_ms, valid_until_ms, kind,
             uses_max, uses_left, frequency_max, frequency_per, data_life_days, notice_digest, origin, evidence_digest, created_ms, changed_ms)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $14, $15, $16, $17, $18, $19, $19)
           returning ${grantColumns}`,
    values: [
      id, terms.subject, terms.institution, terms.purpose, set.digest, widthOf(terms.fields), terms.dataFrom, terms.dataTo, terms.validFromMs, terms.validUntilMs,
      terms.kind, terms.usesMax, terms.frequency?.max ?? null, terms.frequency?.per ?? null, terms.dataLifeDays, noticeDigest, origin, evidenceDigest, atMs,
    ],
  });
  const grant = grantFromRow(rows[0] as GrantRow, terms.fields, atMs);
  return changed(tx, grant, 'granted', { subject: terms.subject }, atMs);
}

/** What no policy could make good; the database holds the same. */
function checkWhole(terms: GrantTerms, atMs: TimeMs): void {
  if (!isUscc(terms.subject)) throw invalid('/subject', 'the unified social credit code has a wrong check digit or form');
  if (terms.fields.size === 0) throw invalid('/fields', 'a grant names at least one field');
  if (terms.validUntilMs <= atMs || terms.validUntilMs <= terms.validFromMs) throw invalid('/valid_days', 'the grant would be over before it starts');
  if (terms.kind === 'one_time' && terms.usesMax !== 1) throw invalid('/uses_max', 'a one-time grant is one use');
  if (terms.usesMax === null && terms.frequency === null) throw invalid('/uses_max', 'a grant is limited by a number of uses, a frequency or both');
  if (terms.dataFrom !== null && terms.dataTo !== null && terms.dataTo < terms.dataFrom) throw invalid('/data_to', 'the data period ends before it starts');
}

/** Grants an enterprise signs in a day (Asia/Shanghai). */
export const signedGrantsPerDayMax = 500;
/**
 * Paused grants an enterprise lets go on in a day, all of them together. To pause and to revoke is never refused: a grant is
 * paused again only once it was let go on, and revoked once.
 */
export const resumesPerDayMax = 200;

/** Errors: REQUEST_QUOTA_EXCEEDED. */
export async function requireFewSigned(tx: Tx, subject: SubjectId, atMs: TimeMs): Promise<void> {
  await tx.query({ name: 'consent lock signing', text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))', values: [`signed grants of ${subject}`] });
  const { rows: [today] } = await tx.query<{ count: number }>({
    name: 'consent count signed', text: "select count(*)::int as count from consent_grant where subject = $1 and created_ms >= $2 and origin = 'signed'", values: [subject, dayStartMs(atMs)],
  });
  if ((today?.count ?? 0) >= signedGrantsPerDayMax) throw usedUp(`You signed ${signedGrantsPerDayMax} grants today: continue tomorrow, or grant in the browser.`, atMs);
}

/** Errors: REQUEST_QUOTA_EXCEEDED. */
async function requireFewResumed(tx: Tx, subject: SubjectId, atMs: TimeMs): Promise<void> {
  await tx.query({ name: 'consent lock resuming', text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))', values: [`resumed grants of ${subject}`] });
  const { rows: [today] } = await tx.query<{ count: number }>({
    name: 'consent count resumed', text: "select count(*)::int as count from grant_event where actor = $1 and at_ms >= $2 and kind = 'resumed'", values: [subject, dayStartMs(atMs)],
  });
  if ((today?.count ?? 0) >= resumesPerDayMax) throw usedUp(`You let grants go on ${resumesPerDayMax} times today: continue tomorrow.`, atMs);
}

function usedUp(message: string, atMs: TimeMs): VeilgateError {
  return new VeilgateError('REQUEST_QUOTA_EXCEEDED', message, { retryAfterSeconds: secondsToNextDay(atMs) });
}

export type GrantAction = 'pause' | 'resume' | 'revoke';

/** What each action needs and makes, and who may do it. The other states are final. */
const actions: Readonly<Record<GrantAction, { from: readonly GrantState[]; to: GrantState; kind: GrantEventKind; by: readonly string[]; refusal: string }>> = {
  pause: { from: ['active'], to: 'paused', kind: 'paused', by: ['subject'], refusal: 'Only an active grant can be paused' },
  resume: { from: ['paused'], to: 'active', kind: 'resumed', by: ['subject'], refusal: 'Only a paused grant can be resumed' },
  revoke: { from: ['active', 'paused'], to: 'revoked', kind: 'revoked', by: ['subject', 'institution', 'officer'], refusal: 'Only an active or paused grant can be revoked' },
};

/**
 * Pauses, resumes or revokes a grant. When the transaction has committed, no use under the old state can follow on
 * any node: a use locks the same row. The enterprise does all three; its institution may give a grant back and an
 * officer may end one (both `revoke`), but nobody else can give consent or hold it up.
 * Errors: CONSENT_NOT_FOUND (also for another party's grant), PARTY_NOT_PERMITTED, CONSENT_STATE_CONFLICT with the state, REQUEST_QUOTA_EXCEEDED for `resume` alone.
 */
export async function changeGrant(tx: Tx, change: { readonly grant: GrantId; readonly actor: Exclude<Actor, { platform: true }>; readonly action: GrantAction }, clock: Clock): Promise<GrantChange> {
  const row = await lockedRow(tx, change.grant);
  if (row === undefined || !concerns(row, change.actor)) throw notFound();
  const rule = actions[change.action];
  const by = Object.keys(change.actor)[0] as string;
  if (!rule.by.includes(by)) throw new VeilgateError('PARTY_NOT_PERMITTED', 'Only the enterprise itself pauses or resumes its grant: ask it to.');
  const atMs = clock.nowMs();
  const state = stateAt({ state: row.state, validUntilMs: row.valid_until_ms }, atMs);
  if (!rule.from.includes(state)) {
    throw new VeilgateError('CONSENT_STATE_CONFLICT', `${rule.refusal}: see detail.state for what this one is.`, { state });
  }
  if (change.action === 'resume') await requireFewResumed(tx, row.subject, atMs);
  await tx.query({
    name: 'consent change state',
    text: 'update consent_grant set state = $2, changed_ms = $3 where id = $1',
    values: [row.id, rule.to, atMs],
  });
  const grant = await withFields(tx, { ...row, state: rule.to, changed_ms: atMs }, atMs);
  return changed(tx, grant, rule.kind, change.actor, atMs);
}

async function changed(tx: Tx, grant: StoredGrant, kind: GrantEventKind, actor: Actor, atMs: TimeMs): Promise<GrantChange> {
  const event: GrantEvent = { grant: grant.id, institution: grant.institution, subject: grant.subject, purpose: grant.purpose, kind, actor, atMs };
  await appendEvent(tx, event);
  return { grant, event };
}

async function lockedRow(tx: Tx, id: GrantId): Promise<GrantRow | undefined> {
  if (!isGrantId(id)) return undefined;
  const { rows } = await tx.query<GrantRow>({
    name: 'consent lock grant',
    text: `select ${grantColumns} from consent_grant g where g.id = $1 for no key update`,
    values: [id],
  });
  return rows[0];
}

/** For whom a grant is read or listed: its enterprise, its institution, or an officer, who sees all. */
export type Viewer = { readonly subject: SubjectId } | { readonly institution: InstitutionId } | { readonly officer: PartyId };

function concerns(row: GrantRow, viewer: Viewer): boolean {
  if ('subject' in viewer) return row.subject === viewer.subject;
  if ('institution' in viewer) return row.institution === viewer.institution;
  return true;
}

function notFound(): VeilgateError {
  return new VeilgateError('CONSENT_NOT_FOUND', 'There is no such grant among yours: list your grants to see them.');
}

/** Errors: CONSENT_NOT_FOUND, equal for a grant that is not there and one that is not the viewer's. */
export async function readGrant(sql: Sql, id: GrantId, viewer: Viewer, atMs: TimeMs): Promise<StoredGrant> {
  if (!isGrantId(id)) throw notFound();
  const { rows } = await sql.query<GrantRow>({
    name: 'consent read grant',
    text: `select ${grantColumns} from consent_grant g where g.id = $1`,
    values: [id],
  });
  const row = rows[0];
  if (row === undefined || !concerns(row, viewer)) throw notFound();
  return withFields(sql, row, atMs);
}

export const listedGrantsMax = 100;

export type ListPage = {
  /** 1 to listedGrantsMax; the latter when absent. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
  /** Only grants that can be used at this moment: the answer to "who can access me and why". */
  readonly inForce?: boolean;
};

const cursorShape = /^([0-9]{1,16})\.([A-Za-z0-9_-]{22})$/;

/**
 * Grants of one enterprise or one institution, newest first.
 * @returns `next`: what to pass as `after` for the next page, null on the last
 * Errors: REQUEST_INVALID for a page that is none.
 */
export async function listGrants(
  sql: Sql,
  of: { readonly subject: SubjectId } | { readonly institution: InstitutionId },
  page: ListPage,
  atMs: TimeMs,
): Promise<{ readonly grants: readonly StoredGrant[]; readonly next: string | null }> {
  const limit = page.limit ?? listedGrantsMax;
  if (!Number.isInteger(limit) || limit < 1 || limit > listedGrantsMax) {
    throw new VeilgateError('REQUEST_INVALID', `A page holds 1 to ${listedGrantsMax} grants: ask for that many.`, { pointer: '/limit' });
  }
  const cursor = page.after === undefined ? undefined : cursorShape.exec(page.after);
  if (cursor === null) throw new VeilgateError('REQUEST_INVALID', 'The page to continue after is not one this list gave: pass `next` of the page before.', { pointer: '/after' });
  const [column, party] = 'subject' in of ? ['subject', of.subject] : ['institution', of.institution];
  const { rows } = await sql.query<GrantRow>({
    name: `consent list by ${column}`,
    text: `select ${grantColumns} from consent_grant g
           where g.${column} = $1 and ($2::bigint is null or (g.created_ms, g.id) < ($2, $3))
             and (not $4::boolean or (g.state = 'active' and g.valid_from_ms <= $5 and g.valid_until_ms > $5))
           order by g.created_ms desc, g.id desc limit $6`,
    values: [party, cursor?.[1] ?? null, cursor?.[2] ?? null, page.inForce ?? false, atMs, limit + 1],
  });
  const shown = rows.slice(0, limit);
  const sets = await fieldSets(sql, shown.map((row) => row.field_set));
  const last = shown.at(-1);
  return {
    grants: shown.map((row) => grantFromRow(row, sets.get(row.field_set) ?? fail(), atMs)),
    next: rows.length > limit && last !== undefined ? `${last.created_ms}.${last.id}` : null,
  };
}

async function withFields(sql: Sql, row: GrantRow, atMs: TimeMs): Promise<StoredGrant> {
  const sets = await fieldSets(sql, [row.field_set]);
  return grantFromRow(row, sets.get(row.field_set) ?? fail(), atMs);
}

function fail(): never {
  throw damagedFieldSet();
}
