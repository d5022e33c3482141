import { listMax, type AuditReader, type EntryFilter, type StoredEntry } from '../../audit/read.ts';
import type { AuditKind } from '../../audit/entry.ts';
import { scoreReleaseIn, scoreReleasesOf, type OwnRelease } from '../../scoring/run/release.ts';
import type { Sql } from '../../store/database.ts';
import type { FieldRef, SubjectId } from '../../vocabulary.ts';

/** What came of an access. */
export type AccessOutcome = 'released' | 'refused';

/** Kinds of entries in which somebody got something about an enterprise, or was refused it. */
export const accessKinds: Readonly<Record<AccessOutcome, readonly AuditKind[]>> = {
  released: ['query.released', 'score.released', 'scores.released', 'export.own'],
  refused: ['query.refused', 'queries.refused', 'score.refused'],
};

/** An entry as the enterprise sees it; of a part of many, with what the log does not say: which fields it disputed when its score left. */
export type HistoryEntry = StoredEntry & { readonly disputed?: readonly FieldRef[] };

/** The entry as this enterprise sees it, if it released the enterprise's score in a part of many. */
export async function ownPart(sql: Sql, subject: SubjectId, entry: StoredEntry): Promise<HistoryEntry | undefined> {
  if (entry.kind !== 'scores.released') return undefined;
  const release = await scoreReleaseIn(sql, subject, entry.index);
  return release === undefined ? undefined : marked(entry, release);
}

function marked(entry: StoredEntry, { disputed }: OwnRelease): HistoryEntry {
  return disputed.length === 0 ? entry : { ...entry, disputed };
}

/**
 * Entries by their facts, newest first. To an enterprise's belong those that released its score in a part of many and
 * name none of them. For those who may see them: the caller checks that. Errors: AUDIT_RANGE_INVALID.
 */
export async function accessHistory(log: AuditReader, sql: Sql, filter: EntryFilter): Promise<HistoryEntry[]> {
  const { subject, grant, limit } = filter;
  const own = await log.list(filter);
  // an entry about many names no grant
  if (subject === undefined || grant !== undefined || filter.kinds?.includes('scores.released') === false) return own;
  const shared = await releasedTogether(log, sql, { ...filter, subject });
  return shared.length === 0 ? own : [...own, ...shared].toSorted((one, other) => other.index - one.index).slice(0, limit);
}

/** The table that knows them has no times: pages are read until enough of them fit. */
async function releasedTogether(log: AuditReader, sql: Sql, { subject, institution, beforeIndex, fromMs, untilMs, limit }: EntryFilter & { readonly subject: SubjectId }): Promise<HistoryEntry[]> {
  const found: HistoryEntry[] = [];
  const timed = fromMs !== undefined || untilMs !== undefined;
  const pageSize = timed ? listMax : limit;
  let before = beforeIndex;
  for (;;) {
    const page = await scoreReleasesOf(sql, subject, { limit: pageSize, ...(before === undefined ? {} : { beforeEntry: before }), ...(institution === undefined ? {} : { institution }) });
    const releases = new Map(page.map((release) => [release.entry, release]));
    const entries = (await log.at([...releases.keys()])).map((entry) => marked(entry, releases.get(entry.index) as OwnRelease));
    found.push(...entries.filter(({ at }) => Date.parse(at) >= (fromMs ?? -Infinity) && Date.parse(at) < (untilMs ?? Infinity)));
    // an entry's time hardly ever runs behind its place: once a whole page is too old, so is what follows
    const over = page.length < pageSize || found.length >= limit || entries.every(({ at }) => Date.parse(at) < (fromMs ?? -Infinity));
    if (!timed || over) return found.slice(0, limit);
    before = page.at(-1)?.entry;
  }
}
