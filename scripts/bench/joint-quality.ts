/**
 * `npm run bench -- joint-quality`: how good a scorecard is that was built from contingency tables alone, without
 * noise and with all of a project's noise, beside a bank that has only its own columns and beside pooled data.
 * Beside it stand what the parties could do otherwise: the bank alone, and an iterated regression (Newton's method) on the same
 * weights of evidence of the bank's or of pooled data.
 * The tables are the clear twin's: the encrypted ones equal them exactly (test/joint/circuit).
 */
import { costFor, varianceFor } from '../../src/joint/noise/accountant.ts';
import { discreteGaussian } from '../../src/joint/noise/discrete-gaussian.ts';
import { createExactRandom } from '../../src/joint/noise/exact-random.ts';
import { binOf, equalFrequencyEdges } from '../../src/joint/scorecard/binning.ts';
import { fitScorecard, logOddsGood } from '../../src/joint/scorecard/fit.ts';
import { countPairs, type Table } from '../../src/joint/scorecard/tables.ts';
import { discriminate } from '../../src/joint/scorecard/validation.ts';
import { woeTable } from '../../src/joint/scorecard/woe.ts';
import { fitLogistic } from '../sample/logistic.ts';
import { readVerticalData } from '../sample/vertical-data.ts';
import type { Bench } from './main.ts';
import { figure, type Figure } from './report.ts';

const delta = 1e-6;
const random = createExactRandom();
/** Keeps coefficients finite where a feature parts the training rows completely. */
const iteratedRidge = 1;

export const bench: Bench = async ({ quick, say }) => {
  const credit = prepared('default_credit', 10);
  const figures: Figure[] = [];
  const exact = built(credit, credit.all);
  figures.push(
    precise('joint.auc_no_noise', exact.auc, '= 0.76389 within 0.001'), precise('joint.ks_no_noise', exact.ks, '= 0.39932 within 0.001'),
    precise('joint.auc_bank_alone', built(credit, credit.guest).auc, null), precise('joint.auc_bank_alone_iterated', iterated(credit, credit.guest), '= 0.68662 within 0.001'),
    precise('joint.auc_pooled_iterated', iterated(credit, credit.all), '= 0.76465 within 0.001'),
  );
  for (const [epsilon, aim] of [[8, null], [3, '>= 0.755'], [1, null]] as const) {
    const runs = Array.from({ length: quick ? 2 : 9 }, () => built(credit, credit.all, epsilon).auc).sort();
    say(`default_credit, ε = ${epsilon} for all ${credit.noisyTables} noisy tables: AUC ${runs.map((auc) => auc.toFixed(4)).join(' ')}`);
    figures.push(precise(`joint.auc_eps${epsilon}`, runs[Math.floor(runs.length / 2)] ?? Number.NaN, aim), precise(`joint.auc_eps${epsilon}_worst`, runs[0] ?? Number.NaN, aim));
  }
  const breast = prepared('breast', 3);
  figures.push(
    precise('joint.breast_auc_no_noise', built(breast, breast.all).auc, null), precise('joint.breast_auc_bank_alone', built(breast, breast.guest).auc, null),
    precise('joint.breast_auc_bank_alone_iterated', iterated(breast, breast.guest), null), precise('joint.breast_auc_pooled_iterated', iterated(breast, breast.all), null),
  );
  const small = Array.from({ length: quick ? 2 : 9 }, () => built(breast, breast.all, 3).auc).sort();
  say(`breast (398 training rows), ε = 3 for all ${breast.noisyTables} noisy tables: AUC ${small.map((auc) => auc.toFixed(4)).join(' ')}`);
  figures.push(precise('joint.breast_auc_eps3', small[Math.floor(small.length / 2)] ?? Number.NaN, null));
  return figures;
};

/** Three significant digits would hide what is asked here. */
function precise(name: string, value: number, aim: string | null): Figure {
  return { ...figure(name, value, 'share', aim), value: Number(value.toFixed(5)) };
}

type Prepared = ReturnType<typeof prepared>;

function prepared(name: 'default_credit' | 'breast', binsWanted: number) {
  const data = readVerticalData(name);
  const columns = [...data.guest, ...data.host];
  const rows = (training: boolean) => data.ids.flatMap((_, at) => (data.trains[at] === training ? [at] : []));
  const [train, test] = [rows(true), rows(false)];
  const edges = columns.map(({ values }) => equalFrequencyEdges(train.map((at) => values[at] as number), binsWanted));
  const binned = (of: readonly number[]) => columns.map(({ values }, f) => Uint8Array.from(of, (at) => binOf(edges[f] ?? [], values[at] as number)));
  const host = data.host.length;
  return {
    names: columns.map(({ name: title }) => title), guestCount: data.guest.length,
    all: columns.map((_, f) => f), guest: data.guest.map((_, f) => f),
    /** host × label, host × host, host × guest */
    noisyTables: host + (host * (host - 1)) / 2 + host * data.guest.length,
    bins: edges.map(({ length }) => length + 1), trainBins: binned(train), testBins: binned(test),
    trainBad: train.map((at) => data.bad[at] as number), testBad: test.map((at) => data.bad[at] as number),
  };
}

/** AUC on the test rows of a logistic regression iterated to its end over the weights of evidence of some features, without noise. */
function iterated(set: Prepared, features: readonly number[]): number {
  const woes = features.map((f) => woeTable(countPairs(set.trainBins[f] as Uint8Array, set.bins[f] as number, set.trainBad, 2)).bins.map(({ woe }) => woe));
  const coded = (bins: readonly Uint8Array[], row: number) => features.map((f, at) => woes[at]?.[bins[f]?.[row] as number] as number);
  const { intercept, coefficients } = fitLogistic(set.trainBad.map((_, row) => coded(set.trainBins, row)), set.trainBad.map((bad) => bad === 1), iteratedRidge);
  const good = (row: number) => -coded(set.testBins, row).reduce((sum, woe, at) => sum + woe * (coefficients[at] as number), intercept);
  return discriminate(set.testBad.map((_, row) => good(row)), set.testBad).auc;
}

/** AUC and KS on the test rows of a scorecard over some of the features. */
function built(set: Prepared, features: readonly number[], epsilon?: number): { readonly auc: number; readonly ks: number } {
  // adding or removing one enterprise changes one cell of each noisy table by one
  const variance = epsilon === undefined ? undefined : varianceFor({ numerator: BigInt(set.noisyTables), denominator: 1n }, costFor(epsilon, delta));
  const place = (f: number) => features[f] as number;
  const isNoisy = (f: number, g: number) => variance !== undefined && (place(f) >= set.guestCount || place(g) >= set.guestCount);
  const known = new Map<string, Table>();
  const table = (name: string, noisy: boolean, count: () => Table): Table => {
    const found = known.get(name) ?? count();
    if (!known.has(name) && noisy && variance !== undefined) found.counts.forEach((value, at) => (found.counts[at] = value + Number(discreteGaussian(random, variance))));
    known.set(name, found);
    return found;
  };
  const bins = (f: number) => set.bins[place(f)] as number;
  const column = (f: number) => set.trainBins[place(f)] as Uint8Array;
  const fitted = fitScorecard({
    names: features.map((f) => set.names[f] as string),
    label: (f) => table(`${f}`, isNoisy(f, f), () => countPairs(column(f), bins(f), set.trainBad, 2)),
    pair: (f, g) => table(`${f} ${g}`, isNoisy(f, g), () => countPairs(column(f), bins(f), column(g), bins(g))),
    variance: (f, g) => (isNoisy(f, g) && variance !== undefined ? Number(variance.numerator) / Number(variance.denominator) : 0),
  });
  return discriminate(set.testBad.map((_, row) => logOddsGood(fitted, (f) => set.testBins[place(f)]?.[row] as number)), set.testBad);
}
