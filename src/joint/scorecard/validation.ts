/** How well a score tells good from bad, and whether its people have changed. All with the higher score for the better. */

/** ROC points from (0, 0) to (1, 1), one for each distinct score, the lowest scores first: x share of good, y share of bad caught. */
export type RocPoint = { readonly score: number; readonly good: number; readonly bad: number };

export type Discrimination = {
  /** Area under the ROC curve: the chance that a good one scores above a bad one, ties half (Hanley and McNeil 1982). */
  readonly auc: number;
  /** Kolmogorov-Smirnov: greatest distance between the two distributions. */
  readonly ks: number;
  readonly roc: readonly RocPoint[];
};

/** @param bad aligned with scores; both kinds must occur */
export function discriminate(scores: ArrayLike<number>, bad: ArrayLike<boolean | number>): Discrimination {
  const order = Array.from({ length: scores.length }, (_, at) => at).sort((a, b) => (scores[a] as number) - (scores[b] as number));
  const badAll = order.reduce((sum, at) => sum + Number(bad[at]), 0);
  const goodAll = order.length - badAll;
  if (badAll === 0 || goodAll === 0) throw new RangeError('discrimination needs good ones and bad ones');
  const roc: RocPoint[] = [{ score: -Infinity, good: 0, bad: 0 }];
  let goodSeen = 0;
  let badSeen = 0;
  let area = 0;
  let ks = 0;
  for (let from = 0; from < order.length;) {
    const score = scores[order[from] as number] as number;
    const goodBefore = goodSeen;
    const badBefore = badSeen;
    let to = from;
    for (; to < order.length && scores[order[to] as number] === score; to += 1) {
      if (bad[order[to] as number]) badSeen += 1;
      else goodSeen += 1;
    }
    area += ((goodSeen - goodBefore) / goodAll) * ((badSeen + badBefore) / 2 / badAll);
    ks = Math.max(ks, Math.abs(badSeen / badAll - goodSeen / goodAll));
    roc.push({ score, good: goodSeen / goodAll, bad: badSeen / badAll });
    from = to;
  }
  return { auc: area, ks, roc };
}

/**
 * Population stability index between two distributions over the same bins: Σ (a − e) ln(a / e).
 * Below 0.1 stable, above 0.25 changed (Siddiqi 2006). Empty bins count as half an enterprise.
 */
export function stability(expected: ArrayLike<number>, actual: ArrayLike<number>): number {
  if (expected.length !== actual.length) throw new RangeError('the two distributions have different bins');
  const shares = (counts: ArrayLike<number>) => {
    const raised = Array.from(counts, (count) => Math.max(count, 0.5));
    const all = raised.reduce((sum, count) => sum + count, 0);
    return raised.map((count) => count / all);
  };
  const e = shares(expected);
  return shares(actual).reduce((sum, share, bin) => sum + (share - (e[bin] as number)) * Math.log(share / (e[bin] as number)), 0);
}

export type CalibrationBin = { readonly predicted: number; readonly observed: number; readonly count: number };

/** Mean predicted against observed share of bad in `bins` groups of equal size, by ascending prediction. */
export function calibration(predicted: ArrayLike<number>, bad: ArrayLike<boolean | number>, bins = 10): CalibrationBin[] {
  const order = Array.from({ length: predicted.length }, (_, at) => at).sort((a, b) => (predicted[a] as number) - (predicted[b] as number));
  return Array.from({ length: bins }, (_, bin) => {
    const members = order.slice(Math.floor((bin * order.length) / bins), Math.floor(((bin + 1) * order.length) / bins));
    const mean = (of: (at: number) => number) => (members.length === 0 ? 0 : members.reduce((sum, at) => sum + of(at), 0) / members.length);
    return { predicted: mean((at) => predicted[at] as number), observed: mean((at) => Number(bad[at])), count: members.length };
  });
}
