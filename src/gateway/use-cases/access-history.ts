import type { AuditReader, EntryFilter, StoredEntry } from '../../audit/read.ts';
import { scoreReleasesOf } from '../../scoring/run/release.ts';
import type { Sql } from '../../store/database.ts';

/**
 * Entries by their facts, newest first. To an enterprise's belong those that released its score in a part of many and
 * name none of them. For those who may see them: the caller checks that. Errors: AUDIT_RANGE_INVALID.
 */
export async function accessHistory(log: AuditReader, sql: Sql, filter: EntryFilter): Promise<StoredEntry[]> {
  const { subject, beforeIndex, institution, limit } = filter;
  const own = await log.list(filter);
  if (subject === undefined) return own;
  const shared = await scoreReleasesOf(sql, subject, { limit, ...(beforeIndex === undefined ? {} : { beforeEntry: beforeIndex }), ...(institution === undefined ? {} : { institution }) });
  if (shared.length === 0) return own;
  return [...own, ...(await log.at(shared))].toSorted((one, other) => other.index - one.index).slice(0, limit);
}
