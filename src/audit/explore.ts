import { isoTime } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import type { Sql } from '../store/database.ts';
import type { SubjectId, TimeMs } from '../vocabulary.ts';
import type { AuditKind } from './entry.ts';
import type { EntryFacts } from './facts.ts';

/** What entries are looked for by: facts, never an enterprise. Absent members leave all in. */
export type FactFilter = {
  readonly fromMs?: TimeMs;
  /** Exclusive. */
  readonly untilMs?: TimeMs;
  /** First and last index, both inclusive. */
  readonly first?: number;
  readonly last?: number;
  readonly kinds?: readonly string[];
  /** Party that did it. */
  readonly actor?: string;
  readonly institution?: string;
  readonly purpose?: string;
  readonly outcome?: NonNullable<EntryFacts['outcome']>;
  readonly code?: string;
  readonly policy?: string;
  readonly dataset?: string;
};

/** 1..pageMax entries with a smaller index than `before`. */
export type FactPage = { readonly before?: number; readonly limit: number };

export type FoundEntry = EntryFacts & {
  readonly index: number;
  readonly at: string;
  readonly kind: AuditKind;
  readonly actor: string;
  readonly institution: string | null;
  /** Null when it is about none, or once erased. */
  readonly subject: SubjectId | null;
  readonly erased: boolean;
};

export const pageMax = 200;
/** Entries one page looks at before it ends, however few fit: what it costs does not depend on how long the log is. */
export const lookedAtMax = 5_000;

/**
 * Entries by their facts, newest first. A page may hold fewer than `limit`, even none, and still not be the last:
 * `next` says so. For those who may see the log: the caller checks that.
 * @returns `next`: the `before` of the page that follows; null at the end
 * Errors: AUDIT_RANGE_INVALID.
 */
export async function exploreLog(sql: Sql, filter: FactFilter, page: FactPage): Promise<{ readonly entries: FoundEntry[]; readonly next: number | null }> {
  if (!Number.isInteger(page.limit) || page.limit < 1 || page.limit > pageMax) throw new VeilgateError('AUDIT_RANGE_INVALID', `A page holds 1 to ${pageMax} entries: ask for as many.`);
  const range = await indexRange(sql, filter, page.before);
  const { driver, order, values } = drivenBy(filter, range);
  const found = await sql.query<FoundRow>(
    `select found.*, entry.subject, entry.record is null as erased
     from (select * from (select * from audit_fact where ${driver} order by ${order} limit ${lookedAtMax}) as looked_at
           where ($4::timestamptz is null or at >= $4) and ($5::timestamptz is null or at < $5) and ($6::text[] is null or kind = any($6)) and ($7::text is null or actor = $7)
             and ($8::text is null or institution = $8) and ($9::text is null or purpose = $9) and ($10::text is null or outcome = $10) and ($11::text is null or code = $11)
             and ($12::text is null or policy = $12) and ($13::text is null or $13 = any(datasets))
           order by index desc limit $14) as found
     join audit_entry as entry using (index) order by index desc`,
    [...values, time(filter.fromMs), time(filter.untilMs), filter.kinds ?? null, filter.actor ?? null, filter.institution ?? null, filter.purpose ?? null, filter.outcome ?? null,
      filter.code ?? null, filter.policy ?? null, filter.dataset ?? null, page.limit],
  );
  const entries = found.rows.map(({ at, ...row }): FoundEntry => ({ ...row, at: at.toISOString() }));
  if (entries.length === page.limit) return { entries, next: entries.at(-1)?.index ?? null };
  const rest = await sql.query<{ index: number }>(`select index from audit_fact where ${driver} order by ${order} offset ${lookedAtMax - 1} limit 1`, values);
  return { entries, next: rest.rows[0]?.index ?? null };
}

type FoundRow = Omit<FoundEntry, 'at'> & { readonly at: Date };
type Range = { readonly from: number; readonly until: number };

/**
 * The index that leads to what fits: that of the rarest fact asked for; everything else is looked at on the way. Pairs are
 * compared and ordered, so that no other index will do: PostgreSQL would take the primary key for an institution that it
 * thinks is everywhere, and read all entries since its last one.
 */
function drivenBy({ code, policy, kinds, institution, actor }: FactFilter, { from, until }: Range): { readonly driver: string; readonly order: string; readonly values: readonly unknown[] } {
  const facts = [['code', code], ['actor', actor === institution ? undefined : actor], ['institution', institution], ['kind', kinds?.length === 1 ? kinds[0] : undefined], ['policy', policy]] as const;
  const rarest = facts.find(([, value]) => value !== undefined);
  if (rarest === undefined) return { driver: 'index >= $1 and index < $2 and $3::text is null', order: 'index desc', values: [from, until, null] };
  const [column, value] = rarest;
  return { driver: `(${column}, index) >= ($3::text, $1::bigint) and (${column}, index) < ($3::text, $2::bigint)`, order: `${column} desc, index desc`, values: [from, until, value] };
}

/** Indices between which all that fits must stand: the first, and the one behind the last. Errors: AUDIT_RANGE_INVALID. */
export async function indexRange(sql: Sql, { fromMs, untilMs, first = 0, last = Number.MAX_SAFE_INTEGER - 1 }: FactFilter, before = Number.MAX_SAFE_INTEGER): Promise<Range> {
  if (![first, last, before].every(Number.isSafeInteger)) throw new VeilgateError('AUDIT_RANGE_INVALID', 'An entry of the log is named by a whole number: send whole numbers.');
  const until = Math.min(last + 1, before);
  if (fromMs === undefined && untilMs === undefined) return { from: first, until };
  const { rows } = await sql.query<{ from: number | null; until: number | null }>(
    `select min(first) filter (where $1::timestamptz is null or hour > $1::timestamptz - interval '1 hour') as from,
            max(last) filter (where $2::timestamptz is null or hour < $2::timestamptz) + 1 as until
     from audit_hour`,
    [time(fromMs), time(untilMs)],
  );
  return { from: Math.max(first, rows[0]?.from ?? Number.MAX_SAFE_INTEGER), until: Math.min(until, rows[0]?.until ?? 0) };
}

function time(ms: TimeMs | undefined): string | null {
  return ms === undefined ? null : isoTime(ms);
}
