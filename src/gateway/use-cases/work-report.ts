import { hash } from 'node:crypto';
import { countsOfDays, enterprisesServed, kindsUpTo, timesOf } from '../../audit/counts.ts';
import type { Days } from '../../audit/count-row.ts';
import { closeMonth, lockReports, storedReport, type StoredReport } from '../../audit/report-store.ts';
import { takeFacts } from '../../audit/take-facts.ts';
import { workReport, type WorkReport } from '../../audit/work-report.ts';
import { canonicalJson } from '../../canonical.ts';
import { epochSeconds, isoTime, type Clock } from '../../clock.ts';
import { VeilgateError } from '../../errors.ts';
import type { Database, Sql } from '../../store/database.ts';
import type { IsoDate, PartyId, Signer } from '../../vocabulary.ts';

export type ReportDesk = { readonly database: Database; readonly clock: Clock; readonly signer: Signer; readonly gatewayUrl: string };

export type PublishedReport = {
  readonly report: WorkReport;
  /** SHA-256 over the canonical JSON of the report, hex; null, like the two below, while the month is not closed. */
  readonly digest: string | null;
  readonly signature: string | null;
  readonly entry: number | null;
  /** Entries of the log that are not counted yet. */
  readonly behind: number;
};

export const workReportType = 'work-report+jwt';
/** An entry's time is a little older than its commit: a month is closed when nothing of it can be under way any more. */
const closingDelayMs = 3_600_000;
/** Rounds of entries counted while somebody waits; housekeeping has counted all but the newest. */
const roundsMax = 10;

/**
 * What the platform did in a month. Once the month is over its report is signed, kept and logged, by whoever asks first,
 * and is the same for ever after; before, it says how far it has come.
 * @param month `YYYY-MM`, in Asia/Shanghai
 * Errors: REPORT_PERIOD_INVALID for a month that has not begun.
 */
export async function monthlyReport(desk: ReportDesk, month: string, officer: PartyId): Promise<PublishedReport> {
  const { database, clock } = desk;
  const days = daysOf(month);
  const { fromMs, untilMs } = timesOf(days);
  if (clock.nowMs() < fromMs) throw new VeilgateError('REPORT_PERIOD_INVALID', 'This month has not begun: ask for an earlier one.');
  const known = await storedReport(database, month);
  if (known !== undefined) return published(known);
  const behind = await takeFacts(database, roundsMax);
  if (behind > 0 || clock.nowMs() < untilMs + closingDelayMs) return { report: await madeReport(database, desk, days, 'so_far'), digest: null, signature: null, entry: null, behind };
  return published(await database.transaction('work report', async (tx) => {
    await lockReports(tx);
    return await storedReport(tx, month) ?? closeMonth(tx, { month, ...await signedReport(desk, await madeReport(tx, desk, days, 'closed')), actor: officer, atMs: clock.nowMs() });
  }));
}

async function madeReport(sql: Sql, { clock, gatewayUrl }: ReportDesk, days: Days, state: WorkReport['state']): Promise<WorkReport> {
  const [counts, served, ever] = [await countsOfDays(sql, days), await enterprisesServed(sql, days.from), await kindsUpTo(sql, days.to)];
  return workReport({ platform: gatewayUrl, month: days.from.slice(0, 7), state, madeAt: isoTime(clock.nowMs()), counts, served, ever });
}

async function signedReport({ signer, clock, gatewayUrl }: ReportDesk, made: WorkReport): Promise<Pick<StoredReport, 'report' | 'signature'> & { readonly digest: string }> {
  const report = canonicalJson(made);
  const digest = hash('sha256', report, 'hex');
  return { report, digest, signature: await signer.sign(workReportType, { iss: gatewayUrl, iat: epochSeconds(clock.nowMs()), month: made.month, report: digest }) };
}

function published({ report, signature, entry }: StoredReport): PublishedReport {
  return { report: JSON.parse(report) as WorkReport, digest: hash('sha256', report, 'hex'), signature, entry, behind: 0 };
}

/** All days of a month. */
function daysOf(month: string): Days {
  const [year, number] = month.split('-').map(Number) as [number, number];
  return { from: `${month}-01` as IsoDate, to: new Date(Date.UTC(year, number, 0)).toISOString().slice(0, 10) as IsoDate };
}
