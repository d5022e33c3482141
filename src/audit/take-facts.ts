import { shanghaiDate } from '../calendar.ts';
import { isoTime } from '../clock.ts';
import type { Database, Tx } from '../store/database.ts';
import type { TimeMs } from '../vocabulary.ts';
import type { AuditKind, AuditRecord } from './entry.ts';
import { countsOf, factsOf } from './facts.ts';

/** Entries whose facts are taken in one transaction. */
export const takenAtOnce = 2000;
const hourMs = 3_600_000;

type EntryRow = {
  readonly index: number; readonly at: Date; readonly kind: AuditKind; readonly actor: string; readonly institution: string | null;
  readonly subject: string | null; readonly record: string | null;
};
/** An entry as facts are taken of it. */
type Entry = Omit<EntryRow, 'record'> & { readonly record: AuditRecord | null };

/**
 * Takes the facts of entries that were appended since the last time, by whichever process asks first: afterwards they can
 * be found and are counted, each once.
 * @param roundsMax at most so many transactions of `takenAtOnce` entries
 * @returns entries left, as far as is known: 0 when all was taken
 */
export async function takeFacts(database: Database, roundsMax: number): Promise<number> {
  for (let round = 1; ; round += 1) {
    const left = await database.transaction('take facts', takeSome);
    if (left === 0 || round >= roundsMax) return left;
  }
}

async function takeSome(tx: Tx): Promise<number> {
  const taken = (await tx.query<{ next_index: number }>('select next_index from audit_facts_taken for update')).rows[0]?.next_index ?? 0;
  const { rows } = await tx.query<EntryRow>({
    name: 'audit untaken', text: 'select index, at, kind, actor, institution, subject, record from audit_entry where index >= $1 order by index limit $2', values: [taken, takenAtOnce],
  });
  const last = rows.at(-1);
  if (last === undefined) return 0;
  const entries = rows.map((row): Entry => ({ ...row, record: row.record === null ? null : JSON.parse(row.record) as AuditRecord }));
  await writeFacts(tx, entries);
  await writeHours(tx, entries);
  await writeCounts(tx, entries);
  await writeServed(tx, entries);
  await tx.query('update audit_facts_taken set next_index = $1', [last.index + 1]);
  return (await tx.query<{ left: number }>('select next_index - $1 as left from audit_sequencer', [last.index + 1])).rows[0]?.left ?? 0;
}

async function writeFacts(tx: Tx, entries: readonly Entry[]): Promise<void> {
  const facts = entries.map((entry) => ({ entry, ...factsOf(entry.record) }));
  await tx.query({
    name: 'audit facts',
    text: `insert into audit_fact (index, at, kind, actor, institution, purpose, outcome, code, policy, datasets)
           select index, at, kind, actor, institution, purpose, outcome, code, policy, coalesce(string_to_array(datasets, ' '), '{}')
           from unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
             as fact (index, at, kind, actor, institution, purpose, outcome, code, policy, datasets)`,
    values: [
      entries.map(({ index }) => index), entries.map(({ at }) => at.toISOString()), entries.map(({ kind }) => kind), entries.map(({ actor }) => actor), entries.map(({ institution }) => institution),
      facts.map(({ purpose }) => purpose), facts.map(({ outcome }) => outcome), facts.map(({ code }) => code), facts.map(({ policy }) => policy),
      facts.map(({ datasets }) => (datasets.length === 0 ? null : datasets.join(' '))),
    ],
  });
}

async function writeHours(tx: Tx, entries: readonly Entry[]): Promise<void> {
  const hours = [...Map.groupBy(entries, ({ at }) => Math.floor(at.getTime() / hourMs) * hourMs)];
  await tx.query({
    name: 'audit hours',
    text: `insert into audit_hour (hour, first, last) select * from unnest($1::timestamptz[], $2::bigint[], $3::bigint[])
           on conflict (hour) do update set first = least(audit_hour.first, excluded.first), last = greatest(audit_hour.last, excluded.last)`,
    values: [hours.map(([hour]) => isoTime(hour as TimeMs)), hours.map(([, group]) => group[0]?.index), hours.map(([, group]) => group.at(-1)?.index)],
  });
}

async function writeCounts(tx: Tx, entries: readonly Entry[]): Promise<void> {
  const counts = new Map<string, { readonly key: readonly string[]; n: number }>();
  for (const { at, kind, institution, record } of entries) {
    const { purpose } = factsOf(record);
    for (const { what, item, detail, n } of countsOf(kind, record)) {
      const key = [dayOf(at), institution ?? '', purpose ?? '', what, item, detail];
      const known = counts.get(key.join('\n'));
      if (known === undefined) counts.set(key.join('\n'), { key, n });
      else known.n += n;
    }
  }
  const all = [...counts.values()];
  const column = (at: number) => all.map(({ key }) => key[at]);
  await tx.query({
    name: 'audit counts',
    text: `insert into audit_count (day, institution, purpose, what, item, detail, n)
           select * from unnest($1::date[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[])
           on conflict (day, institution, purpose, what, item, detail) do update set n = audit_count.n + excluded.n`,
    values: [column(0), column(1), column(2), column(3), column(4), column(5), all.map(({ n }) => n)],
  });
}

/** A part of a job names no enterprise: those are counted where the job is. */
async function writeServed(tx: Tx, entries: readonly Entry[]): Promise<void> {
  const served = entries.flatMap(({ at, subject, record }) => {
    const { outcome, purpose } = factsOf(record);
    return outcome === 'released' && purpose !== null && subject !== null ? [{ month: `${dayOf(at).slice(0, 7)}-01`, purpose, subject }] : [];
  });
  await tx.query({
    name: 'audit served',
    text: `insert into audit_served (month, purpose, subject)
           select distinct month, purpose, subject from unnest($1::date[], $2::text[], $3::text[]) as served (month, purpose, subject)
           where not exists (select from audit_report where audit_report.month = served.month)
           on conflict do nothing`,
    values: [served.map(({ month }) => month), served.map(({ purpose }) => purpose), served.map(({ subject }) => subject)],
  });
}

const dayOf = (at: Date) => shanghaiDate(at.getTime() as TimeMs);
