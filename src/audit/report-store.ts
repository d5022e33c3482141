import type { Sql, Tx } from '../store/database.ts';
import { appendRecords } from './append.ts';
import { recordHead, type Digest } from './entry.ts';
import type { PartyId, TimeMs } from '../vocabulary.ts';

/** A month's work report as it was signed. */
export type StoredReport = {
  /** Canonical JSON. */
  readonly report: string;
  /** Compact JWS over its digest. */
  readonly signature: string;
  /** Entry of the log that says so. */
  readonly entry: number;
};

/** @param month `YYYY-MM` @returns undefined while it is not closed */
export async function storedReport(sql: Sql, month: string): Promise<StoredReport | undefined> {
  return (await sql.query<StoredReport>('select report, signature, entry from audit_report where month = $1', [firstOf(month)])).rows[0];
}

/** Lets one transaction at a time close a month, whatever process it runs in. */
export async function lockReports(tx: Tx): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtext('veilgate work report'))");
}

export type Closing = { readonly month: string; readonly report: string; readonly digest: Digest; readonly signature: string; readonly actor: PartyId; readonly atMs: TimeMs };

/**
 * Keeps the report of a month for good, logs that it was signed, and forgets which enterprises it counted. Takes the lock
 * of the log: call it last.
 * @returns the report as it is kept
 */
export async function closeMonth(tx: Tx, { month, report, digest, signature, actor, atMs }: Closing): Promise<StoredReport> {
  await tx.query('delete from audit_served where month = $1', [firstOf(month)]);
  const [logged] = await appendRecords(tx, [{ ...recordHead('report.published', atMs, actor), month, digest }]);
  const entry = logged?.index ?? 0;
  await tx.query('insert into audit_report (month, report, signature, entry) values ($1, $2, $3, $4)', [firstOf(month), report, signature, entry]);
  return { report, signature, entry };
}

const firstOf = (month: string) => `${month}-01`;
