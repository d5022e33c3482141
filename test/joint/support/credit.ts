import { readVerticalData } from '../../../scripts/sample/vertical-data.ts';
import { binOf, equalFrequencyEdges } from '../../../src/joint/scorecard/binning.ts';
import { countPairs } from '../../../src/joint/scorecard/tables.ts';

/** The credit set in bins, as guest and host would have it. */
export const creditTables = () => tablesOf('default_credit', 10);
/** The breast set, whose 398 training rows bear three bins a feature. */
export const breastTables = () => tablesOf('breast', 3);

function tablesOf(name: 'default_credit' | 'breast', binsWanted: number) {
  const data = readVerticalData(name);
  const columns = [...data.guest, ...data.host];
  const train = data.ids.flatMap((_, at) => (data.trains[at] === true ? [at] : []));
  const test = data.ids.flatMap((_, at) => (data.trains[at] === true ? [] : [at]));
  const edges = columns.map(({ values }) => equalFrequencyEdges(train.map((at) => values[at] as number), binsWanted));
  const binned = (rows: readonly number[]) => columns.map(({ values }, f) => Uint8Array.from(rows, (at) => binOf(edges[f] ?? [], values[at] as number)));
  const trainBins = binned(train);
  const size = (f: number) => (edges[f]?.length ?? 0) + 1;
  const bins = (f: number) => trainBins[f] as Uint8Array;
  return {
    names: columns.map(({ name }) => name), guestCount: data.guest.length, edges, trainBins, testBins: binned(test),
    trainBad: train.map((at) => data.bad[at] as number), testBad: test.map((at) => data.bad[at] as number),
    labels: columns.map((_, f) => countPairs(bins(f), size(f), train.map((at) => data.bad[at] as number), 2)),
    pairs: columns.map((_, f) => columns.map((__, g) => countPairs(bins(f), size(f), bins(g), size(g)))),
  };
}

export type Credit = ReturnType<typeof creditTables>;
