import { hash } from 'node:crypto';
import { secondsToNextDay, shanghaiDate } from '../calendar.ts';
import { VeilgateError } from '../errors.ts';
import type { Database, Tx } from '../store/database.ts';
import type { Caller, InstitutionClass, InstitutionId, PartyKind, Scope, SubjectId, TimeMs } from '../vocabulary.ts';
import type { IdentifiedRequest, ReplayKey } from './identify.ts';
import { limitsOf } from './registry/institution-view.ts';
import type { InstitutionLimits } from './registry/institution.ts';
import { scopesOf, type OfficerRole, type PartyStatus } from './registry/party.ts';

export type AdmitItem = {
  readonly request: IdentifiedRequest;
  /** Queries count against the institution's daily quota; reading one's own grants does not. */
  readonly countsAsQuery: boolean;
};

/** A caller whom the registry lets in at this moment. */
export type AdmittedCaller = Caller & {
  /** Present for institutions. */
  readonly limits?: InstitutionLimits;
};

// Replay keys are written in order of digest and usage in order of institution, after all replay keys: two batches
// that share keys wait for each other in one direction only. The transaction's commit need not reach the disk by itself:
// whatever is disclosed or changed afterwards is committed durably later in the same write-ahead log.
const text = `
with durability as materialized (
  select set_config('synchronous_commit', 'off', true) as setting
), item as (
  select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[]) with ordinality as item (party, thumbprint, issuer, jti, counted, n)
), offered as (
  select * from unnest($6::uuid[], $7::bigint[], $8::int[]) as offered (digest, expires_ms, n)
), fresh as (
  insert into replay_key (digest, expires_ms) select digest, expires_ms from offered order by digest on conflict do nothing returning digest
), who as (
  select p.id, p.kind, p.status, i.class, i.scopes, i.requests_per_second, i.queries_per_day, o.roles, e.subject, a.level
  from (select distinct party from item) asked
  join party p on p.id = asked.party
  left join institution i on i.id = p.id
  left join officer o on o.id = p.id
  left join enterprise e on e.id = p.id
  left join lateral (
    select latest.level from (select level, passed, valid_until from security_assessment where institution = p.id order by id desc limit 1) latest
    where latest.passed and latest.valid_until >= $9::date
  ) a on true
), checked as (
  select item.n, item.party, item.counted,
    not exists (select from offered where offered.n = item.n and offered.digest not in (select digest from fresh)) as fresh,
    exists (select from revoked_token r where r.issuer = item.issuer and r.jti = item.jti) as revoked,
    item.thumbprint is null or exists (select from party_key k where k.thumbprint = item.thumbprint and k.party = item.party and k.retired_ms is null) as key_active
  from item
), counted as (
  insert into institution_usage as usage (institution, day, queries)
  select c.party, $9::date, count(*) from checked c join who w on w.id = c.party
  where c.counted and c.fresh and not c.revoked and c.key_active and w.kind = 'institution' and w.status = 'approved' and w.level is not null
  group by c.party order by c.party
  on conflict (institution, day) do update set queries = usage.queries + excluded.queries
  returning institution, queries
)
select c.n::int as n, c.fresh, c.revoked, c.key_active, w.*, counted.queries
from durability cross join checked c left join who w on w.id = c.party left join counted on counted.institution = c.party
order by c.n`;

type Row = {
  readonly n: number; readonly fresh: boolean; readonly revoked: boolean; readonly key_active: boolean;
  readonly kind: PartyKind | null; readonly status: PartyStatus; readonly class: InstitutionClass | null; readonly scopes: readonly Scope[] | null;
  readonly requests_per_second: number | null; readonly queries_per_day: number | null; readonly roles: readonly OfficerRole[] | null;
  readonly subject: SubjectId | null; readonly level: number | null;
  /** Queries of the institution today, this batch included; null when none of this batch counts. */
  readonly queries: number | null;
};

/**
 * Lets identified requests in, or says why not: one statement for the batch. Presented proofs and bodies are recorded
 * so that no node accepts them again; suspension, revocation, retired keys, revoked tokens and quotas of this very
 * moment decide. Must not run inside another transaction. What is refused stays presented.
 * @returns in order, the caller or TOKEN_REPLAYED, TOKEN_REVOKED, TOKEN_KEY_UNKNOWN, PARTY_NOT_PERMITTED,
 *   INSTITUTION_NOT_ACTIVE, INSTITUTION_ASSESSMENT_MISSING, REQUEST_QUOTA_EXCEEDED
 */
export async function admitCallers(database: Database, items: readonly AdmitItem[], nowMs: TimeMs): Promise<(AdmittedCaller | VeilgateError)[]> {
  if (items.length === 0) return [];
  const offered = offeredKeys(items);
  const { rows } = await database.query<Row>({
    name: 'identity admit',
    text,
    values: [
      items.map(({ request }) => request.party),
      items.map(({ request }) => request.body?.keyThumbprint ?? null),
      items.map(({ request }) => request.token.issuer),
      items.map(({ request }) => request.token.jti),
      items.map(({ countsAsQuery }, at) => countsAsQuery && !offered.repeated.has(at)),
      offered.digests, offered.expiriesMs, offered.items,
      shanghaiDate(nowMs),
    ],
  });
  return decide(items, rows, offered.repeated, nowMs);
}

type Offered = { readonly digests: string[]; readonly expiriesMs: number[]; readonly items: number[]; /** Items with a key that an earlier item of the batch has too. */ readonly repeated: ReadonlySet<number> };

function offeredKeys(items: readonly AdmitItem[]): Offered {
  const seen = new Set<string>();
  const offered = { digests: [] as string[], expiriesMs: [] as number[], items: [] as number[], repeated: new Set<number>() };
  items.forEach(({ request }, at) => {
    for (const key of request.replayKeys) {
      const digest = replayDigest(key);
      if (seen.has(digest)) {
        offered.repeated.add(at);
        continue;
      }
      seen.add(digest);
      offered.digests.push(digest);
      offered.expiriesMs.push(key.expiresAtMs);
      offered.items.push(at + 1);
    }
  });
  return offered;
}

/** 128 bits are enough: whoever finds two equal ones gets an own request refused. No issuer holds a NUL. */
function replayDigest({ issuer, jti }: ReplayKey): string {
  return hash('sha256', `${issuer}\0${jti}`, 'hex').slice(0, 32);
}

function decide(items: readonly AdmitItem[], rows: readonly Row[], repeated: ReadonlySet<number>, nowMs: TimeMs): (AdmittedCaller | VeilgateError)[] {
  const results = items.map(({ request }, at) => {
    const row = rows[at] as Row;
    return refusalOf(row, repeated.has(at)) ?? callerOf(request, row);
  });
  refuseBeyondQuota(items, rows, results, nowMs);
  return results;
}

function refusalOf(row: Row, repeated: boolean): VeilgateError | undefined {
  if (!row.fresh || repeated) return new VeilgateError('TOKEN_REPLAYED', 'The DPoP proof or the signed body was presented before: make a new one with a new jti for each request.');
  if (row.revoked) return new VeilgateError('TOKEN_REVOKED', 'The access token was revoked: fetch a new one, or ask for a new consent.');
  if (row.kind === null) return new VeilgateError('PARTY_NOT_PERMITTED', 'The caller is not registered with the platform: ask a registrar.');
  if (row.status !== 'approved') {
    return row.kind === 'institution'
      ? new VeilgateError('INSTITUTION_NOT_ACTIVE', 'The institution is not admitted, or its access is suspended or revoked: ask the platform.')
      : new VeilgateError('PARTY_NOT_PERMITTED', 'The caller\'s access is not approved, or suspended or revoked: ask the platform.');
  }
  if (!row.key_active) return new VeilgateError('TOKEN_KEY_UNKNOWN', 'The key that signed the request is not in use any more: sign with one that is.');
  if (row.kind === 'institution' && row.level === null) {
    return new VeilgateError('INSTITUTION_ASSESSMENT_MISSING', 'The institution\'s latest security assessment is not passed, or not valid any more: have it assessed.');
  }
  return undefined;
}

function callerOf(request: IdentifiedRequest, row: Row): AdmittedCaller {
  const kind = row.kind as PartyKind;
  const allowed = scopesOf(kind, row.scopes ?? [], row.roles ?? []);
  return {
    party: request.party,
    kind,
    scopes: new Set(allowed.filter((scope) => request.scopes.has(scope))),
    ...(request.dpopKeyThumbprint === undefined ? {} : { dpopKeyThumbprint: request.dpopKeyThumbprint }),
    ...(request.session === undefined ? {} : { session: request.session }),
    ...(request.grant === undefined ? {} : { grant: request.grant }),
    ...(kind === 'institution' && row.class !== null && row.level !== null ? { institutionClass: row.class, securityLevel: row.level, limits: limitsOf(row) } : {}),
    ...(row.subject === null ? {} : { subject: row.subject }),
  };
}

/** The statement counted all that may pass; those beyond the quota are the last of the batch. */
function refuseBeyondQuota(items: readonly AdmitItem[], rows: readonly Row[], results: (AdmittedCaller | VeilgateError)[], nowMs: TimeMs): void {
  const room = new Map<string, number>();
  for (let at = items.length - 1; at >= 0; at -= 1) {
    const { queries, queries_per_day: quota } = rows[at] as Row;
    const item = items[at] as AdmitItem;
    if (!item.countsAsQuery || quota === null || queries === null || results[at] instanceof VeilgateError) continue;
    const beyond = room.get(item.request.party) ?? queries - quota;
    room.set(item.request.party, beyond - 1);
    if (beyond > 0) results[at] = usedUp('The institution\'s queries for today are used up: continue tomorrow, or ask for a higher quota.', nowMs);
  }
}

/**
 * Counts a request for many enterprises as so many queries of today, all or none.
 * Errors: REQUEST_QUOTA_EXCEEDED when they are more than the institution's quota has left.
 */
export async function countQueries(tx: Tx, { institution, count, limits }: { readonly institution: InstitutionId; readonly count: number; readonly limits: InstitutionLimits | undefined }, nowMs: TimeMs): Promise<void> {
  const { rowCount } = await tx.query({
    name: 'identity count queries',
    text: `insert into institution_usage as usage (institution, day, queries)
           select $1, $2::date, $3::bigint where $4::bigint is null or $3::bigint <= $4
           on conflict (institution, day) do update set queries = usage.queries + excluded.queries where $4::bigint is null or usage.queries + excluded.queries <= $4`,
    values: [institution, shanghaiDate(nowMs), count, limits?.queriesPerDay ?? null],
  });
  if (rowCount === 0) throw usedUp('Each enterprise of a list counts as a query, and fewer are left for today: ask for fewer, continue tomorrow, or ask for a higher quota.', nowMs);
}

function usedUp(message: string, nowMs: TimeMs): VeilgateError {
  return new VeilgateError('REQUEST_QUOTA_EXCEEDED', message, { retryAfterSeconds: secondsToNextDay(nowMs) });
}

/** Whoever finds a browser signed in must not be able to let people in or lock them out, nor to take the party's keys. Errors: ACCOUNT_KEY_REQUIRED. */
export function requireOwnKey({ session }: Caller): void {
  if (session === true) throw new VeilgateError('ACCOUNT_KEY_REQUIRED', 'This takes the key of your organisation, not a browser session: use the `veilgate` command line with its credentials file.');
}
