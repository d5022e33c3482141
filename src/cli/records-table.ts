import type { QualityReport, Reject } from '../source/quality.ts';

const rejectsShown = 50;

/** A quality report for people: what happened to the file, then one line per field. */
export function reportTable(report: QualityReport): string {
  const { rows } = report;
  const lines = [
    `${report.dataset}: ${report.outcome} ${report.loadedAt}, report ${report.id}`,
    `rows: ${rows.read} read, ${rows.rejected} rejected (${rows.duplicates} duplicates), ${rows.new} new, ${rows.changed} changed, ${rows.unchanged} unchanged`,
  ];
  if (report.timeliness !== null) lines.push(`timely: ${percent(report.timeliness.share)} of ${report.timeliness.counted}`);
  if (report.continuity !== null) {
    const { share, missing, subjectsWithGaps, stepMonths } = report.continuity;
    lines.push(`continuous: ${percent(share)}, ${missing} periods of ${stepMonths} month(s) missing at ${subjectsWithGaps} enterprises`);
  }
  const fields = report.fields.map(({ field, completeness, validity, faults }) => [
    field, percent(completeness), percent(validity), Object.entries(faults).map(([reason, count]) => `${reason} ${count}`).join(', '),
  ]);
  lines.push('', ...table([['field', 'filled', 'valid', 'faults'], ...fields]));
  return `${lines.join('\n')}\n${report.rejects.length === 0 ? '' : `\n${rejectTable(report.rejects)}`}`;
}

/** Rejected rows: where and why. */
export function rejectTable(rejects: readonly Reject[]): string {
  const shown = rejects.slice(0, rejectsShown).map(({ row, field, reason }) => [String(row), field ?? '(row)', reason]);
  const more = rejects.length > rejectsShown ? [`… and ${rejects.length - rejectsShown} more; --json lists them`] : [];
  return `${[...table([['row', 'field', 'reason'], ...shown]), ...more].join('\n')}\n`;
}

function percent(share: number | null): string {
  // never round up to 100: a single gap must show
  return share === null ? '-' : `${(Math.floor(share * 1000) / 10).toFixed(1)} %`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd());
}
