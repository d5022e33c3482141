import { countsOfDays, countsOfInstitution, subjectsOfInstitution, timesOf } from '../../audit/counts.ts';
import type { Days } from '../../audit/count-row.ts';
import { exploreLog, type FoundEntry } from '../../audit/explore.ts';
import { institutionActivity, type InstitutionActivity } from '../../audit/institution-activity.ts';
import { takeFacts } from '../../audit/take-facts.ts';
import { dayMs, shanghaiDate } from '../../calendar.ts';
import type { Clock } from '../../clock.ts';
import { VeilgateError } from '../../errors.ts';
import { readInstitution, type InstitutionView } from '../../identity/registry/institution-view.ts';
import type { Database } from '../../store/database.ts';
import type { IsoDate, TimeMs } from '../../vocabulary.ts';

/** What an institution is and what it did in a period, for those who look into an incident. */
export type InstitutionReport = Days & {
  readonly institution: InstitutionView;
  readonly activity: InstitutionActivity;
  readonly enterprises: { readonly total: number; /** False when there were too many entries to look at each. */ readonly complete: boolean };
  /** What was decided about it, newest first: at most as many as a page of the log holds. */
  readonly decisions: readonly FoundEntry[];
  /** Entries of the log that are not counted yet. */
  readonly behind: number;
};

const daysDefault = 30;
const daysMax = 366;
const decisionsMax = 200;
/** Rounds of entries counted while somebody waits; housekeeping has counted all but the newest. */
const roundsMax = 10;
/** Kinds of entries by which an institution's standing changed. */
const decisionKinds = ['applied', 'assessed', 'approved', 'suspended', 'reinstated', 'revoked', 'limits_changed', 'key_added', 'key_retired'].map((verb) => `institution.${verb}`);

/**
 * @param days the last 30 when absent
 * Errors: INSTITUTION_NOT_FOUND; REPORT_PERIOD_INVALID for more than a year or one that ends before it begins.
 */
export async function institutionReport({ database, clock }: { readonly database: Database; readonly clock: Clock }, id: string, days: { readonly from?: IsoDate; readonly to?: IsoDate }): Promise<InstitutionReport> {
  const period = periodOf(days, clock.nowMs());
  const institution = await readInstitution(database, id);
  const behind = await takeFacts(database, roundsMax);
  const [rows, all, enterprises, decisions] = await Promise.all([
    countsOfInstitution(database, institution.id, period), countsOfDays(database, period, 'entries'), subjectsOfInstitution(database, institution.id, period),
    exploreLog(database, { ...timesOf(period), institution: institution.id, kinds: decisionKinds }, { limit: decisionsMax }),
  ]);
  return {
    ...period, institution, behind, decisions: decisions.entries,
    activity: institutionActivity({ rows, enterprises: enterprises.byDay, others: all.filter((row) => row.institution !== institution.id) }),
    enterprises: { total: enterprises.total, complete: enterprises.complete },
  };
}

function periodOf({ from, to }: { readonly from?: IsoDate; readonly to?: IsoDate }, nowMs: TimeMs): Days {
  const until = to ?? shanghaiDate(nowMs);
  const period = { from: from ?? shanghaiDate(Date.parse(until) - daysDefault * dayMs as TimeMs), to: until };
  const { fromMs, untilMs } = timesOf(period);
  if (untilMs <= fromMs || untilMs - fromMs > daysMax * dayMs) {
    throw new VeilgateError('REPORT_PERIOD_INVALID', `A period has 1 to ${daysMax} days and ends after it begins: correct from and to.`, { days_max: daysMax });
  }
  return period;
}
