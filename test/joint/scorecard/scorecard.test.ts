import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { costFor, varianceFor } from '../../../src/joint/noise/accountant.ts';
import { discreteGaussian } from '../../../src/joint/noise/discrete-gaussian.ts';
import { createExactRandom } from '../../../src/joint/noise/exact-random.ts';
import { binOf, equalFrequencyEdges } from '../../../src/joint/scorecard/binning.ts';
import { clippedPositive, eigen, solvePositive, square } from '../../../src/joint/scorecard/linear-algebra.ts';
import { fitScorecard, logOddsGood } from '../../../src/joint/scorecard/fit.ts';
import { badShareAt, scorecardOf, scoreOf } from '../../../src/joint/scorecard/points.ts';
import { columnSums, countPairs, rowSums, total, type Table } from '../../../src/joint/scorecard/tables.ts';
import { calibration, discriminate, stability } from '../../../src/joint/scorecard/validation.ts';
import { woeTable } from '../../../src/joint/scorecard/woe.ts';
import { breastTables, creditTables, type Credit } from '../support/credit.ts';
import { keystream } from '../support/keystream.ts';

/** Bins → WOE → one regression → scores of the test set; with noise in every table that touches the host's columns. */
function fit(credit: Credit, noise?: { readonly variance: number; readonly draw: () => number }) {
  const own = (f: number) => f < credit.guestCount;
  const noisy = (table: Table, exact: boolean): Table => (noise === undefined || exact ? table : { ...table, counts: table.counts.map((count) => count + noise.draw()) });
  const labels = credit.labels.map((table, f) => noisy(table, own(f)));
  const pairs = credit.pairs.map((row, f) => row.map((table, g) => (g > f ? noisy(table, own(f) && own(g)) : table)));
  const fitted = fitScorecard({
    names: credit.names, label: (f) => labels[f] as Table, pair: (f, g) => pairs[f]?.[g] as Table,
    variance: (f, g) => (noise === undefined || (own(f) && own(g)) ? 0 : noise.variance),
  });
  const scores = credit.testBad.map((_, row) => logOddsGood(fitted, (f) => credit.testBins[f]?.[row] as number));
  return { ...fitted, model: fitted.fit, scores, ...discriminate(scores, credit.testBad) };
}

describe('a scorecard from contingency tables alone', () => {
  let credit: Credit;
  before(() => {
    credit = creditTables();
  });

  it('reproduces the centralised one-shot scorecard without noise: AUC 0.76389, KS 0.39932, intercept and information values', () => {
    const { auc, ks, model, woes } = fit(credit);
    assert.ok(Math.abs(auc - 0.763893828406) < 1e-9, `AUC ${auc}`);
    assert.ok(Math.abs(ks - 0.399316327096) < 1e-9, `KS ${ks}`);
    assert.ok(Math.abs(model.intercept + 0.950978159437) < 1e-6, `intercept ${model.intercept}`);
    const iv = Object.fromEntries(credit.names.map((name, f) => [name, woes[f]?.iv ?? 0]));
    for (const [name, reference] of Object.entries({ host_x5: 0.874571035411, host_x6: 0.547090872035, host_x0: 0.19072487254, guest_x0: 0.300731407708, guest_x1: 0.0148789378721 })) {
      assert.ok(Math.abs((iv[name] ?? 0) - reference) < 1e-9, `${name} ${iv[name]}`);
    }
  });

  for (const [epsilon, least] of [[3, 0.755], [1, 0.74]] as const) {
    it(`keeps an AUC of ${least} with ε = ${epsilon}, δ = 1e-6 for all 185 tables together`, () => {
      const variance = varianceFor({ numerator: 185n, denominator: 1n }, costFor(epsilon, 1e-6));
      const random = createExactRandom(keystream(`scorecard ${epsilon}`));
      const noise = { variance: Number(variance.numerator) / Number(variance.denominator), draw: () => Number(discreteGaussian(random, variance)) };
      const { auc, woes } = fit(credit, noise);
      assert.ok(auc > least, `AUC ${auc}`);
      const strongest = woes[18]; // PAY_0, information value 0.8746
      assert.ok(Math.abs((strongest?.iv ?? 0) - 0.8746) < (strongest?.ivMargin ?? 0) * 1.5, `information value ${strongest?.iv} ± ${strongest?.ivMargin}`);
    });
  }

  it('does so with the breast set: 0.992 of AUC from 30 features of two parties, less than a hundredth below the reference on unbinned values', () => {
    const breast = breastTables();
    const { auc, ks } = fit(breast);
    assert.ok(Math.abs(auc - 0.991968457944) < 1e-9 && Math.abs(ks - 0.934433411215) < 1e-9, `AUC ${auc}, KS ${ks}`);
    assert.ok(Math.abs(auc - 0.99839) < 0.01, 'one-shot on pooled, standardised values');
  });

  it('leaves out what certainly tells nothing when asked to, and hardly loses by it', () => {
    const data = { names: credit.names, label: (f: number) => credit.labels[f] as Table, pair: (f: number, g: number) => credit.pairs[f]?.[g] as Table, variance: () => 0 };
    const fitted = fitScorecard(data, { ivLeast: 0.03 });
    assert.ok(fitted.chosen.length < 18 && fitted.chosen.includes(18), fitted.chosen.join());
    const { auc } = discriminate(credit.testBad.map((_, row) => logOddsGood(fitted, (f) => credit.testBins[f]?.[row] as number)), credit.testBad);
    assert.ok(auc > 0.755, `${auc}`);
  });

  it('scales to points that say what the odds are, exact to the rounding it states', () => {
    const { model, weights, scores } = fit(credit);
    const scaling = { baseScore: 600, baseOdds: 50, pointsToDouble: 20 };
    const card = scorecardOf(credit.names, weights, model, scaling);
    const rows = credit.testBad.map((_, row) => credit.testBins.map((bins) => bins[row] as number));
    rows.forEach((bins, row) => {
      const exact = 600 + (20 / Math.LN2) * ((scores[row] as number) - Math.log(50));
      assert.ok(Math.abs(scoreOf(card, bins) - exact) <= card.roundingMax);
    });
    assert.ok(Math.abs(badShareAt(600, scaling) - 1 / 51) < 1e-12);
    assert.ok(Math.abs(badShareAt(620, scaling) - 1 / 101) < 1e-12);
  });
});

describe('bins', () => {
  it('hold every value once, in order, none empty', () => {
    fc.assert(fc.property(fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 300 }), fc.integer({ min: 2, max: 20 }), (values, bins) => {
      const edges = equalFrequencyEdges(values, bins);
      assert.ok(edges.every((edge, at) => at === 0 || edge > (edges[at - 1] as number)));
      const counts = new Array<number>(edges.length + 1).fill(0);
      for (const value of values) {
        const bin = binOf(edges, value);
        assert.ok((bin === 0 || value > (edges[bin - 1] as number)) && (bin === edges.length || value <= (edges[bin] as number)));
        counts[bin] = (counts[bin] ?? 0) + 1;
      }
      assert.ok(counts.at(-1) !== 0);
    }));
    assert.throws(() => equalFrequencyEdges([1, 2], 1), RangeError);
    assert.throws(() => equalFrequencyEdges([], 4), RangeError);
  });
});

describe('weight of evidence', () => {
  it('widens its margins and takes the bias off the information value where noise was added', () => {
    const random = createExactRandom(keystream('woe'));
    const exact: Table = { counts: Float64Array.from([4000, 1000, 3000, 1200, 2000, 1500]), rows: 3, columns: 2 };
    const truth = woeTable(exact);
    const variance = { numerator: 10_000n, denominator: 1n };
    const runs = Array.from({ length: 400 }, () => woeTable({ ...exact, counts: exact.counts.map((count) => count + Number(discreteGaussian(random, variance))) }, 10_000));
    const mean = runs.reduce((sum, { iv }) => sum + iv, 0) / runs.length;
    assert.ok(Math.abs(mean - truth.iv) < 0.003, `${mean} for ${truth.iv}`);
    const covered = runs.filter(({ bins }) => Math.abs((bins[0]?.woe ?? 0) - (truth.bins[0]?.woe ?? 0)) < (bins[0]?.margin ?? 0)).length / runs.length;
    assert.ok(covered > 0.93, `covered ${covered}`);
    assert.ok((runs[0]?.bins[0]?.margin ?? 0) > (truth.bins[0]?.margin ?? 0));
  });

  it('gives no weight to a bin that may hold nobody, or fewer than asked for', () => {
    const counts = Float64Array.from([400, 100, 300, 120, 9, 1]);
    const table: Table = { counts, rows: 3, columns: 2 };
    const small = (variance: number, least?: number) => woeTable(table, variance, 0.5, least).bins.map((bin) => bin.small);
    assert.deepEqual(small(0), [false, false, false], 'exact counts of few are counts');
    assert.deepEqual(small(25), [false, false, true], '10 is below 1.64 standard deviations of two cells');
    assert.deepEqual(small(0, 11), [false, false, true]);
    const { bins: [, , last], iv } = woeTable(table, 25);
    assert.deepEqual([last?.woe, last?.iv], [0, 0]);
    assert.ok(Math.abs(iv - woeTable(table, 25).bins.slice(0, 2).reduce((sum, bin) => sum + bin.iv, 0)) < 0.01);
    const fitted = fitScorecard({ names: ['a'], label: () => table, pair: () => table, variance: () => 25 });
    assert.equal(scorecardOf(['a'], fitted.weights, fitted.fit, { baseScore: 600, baseOdds: 20, pointsToDouble: 50 }).features[0]?.points[2], 0);
  });

  it('makes no infinite weight of an empty bin', () => {
    const { bins } = woeTable({ counts: Float64Array.from([10, 0, -7, 12]), rows: 2, columns: 2 });
    assert.ok(bins.every(({ woe }) => Number.isFinite(woe)));
    assert.throws(() => woeTable({ counts: new Float64Array(3), rows: 1, columns: 3 }), RangeError);
  });
});

describe('validation', () => {
  it('gives AUC and KS as their definitions do, ties included', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.boolean()), { minLength: 2, maxLength: 60 }), (rows) => {
      const good = rows.filter(([, bad]) => !bad).map(([score]) => score);
      const bad = rows.filter(([, isBad]) => isBad).map(([score]) => score);
      fc.pre(good.length > 0 && bad.length > 0);
      const wins = good.reduce((sum, g) => sum + bad.reduce((all, b) => all + (g > b ? 1 : g === b ? 0.5 : 0), 0), 0);
      const below = (list: readonly number[], score: number) => list.filter((each) => each <= score).length / list.length;
      const ks = Math.max(...rows.map(([score]) => Math.abs(below(bad, score) - below(good, score))));
      const found = discriminate(rows.map(([score]) => score), rows.map(([, isBad]) => isBad));
      assert.ok(Math.abs(found.auc - wins / good.length / bad.length) < 1e-9);
      assert.ok(Math.abs(found.ks - ks) < 1e-9);
    }));
    assert.throws(() => discriminate([1, 2], [true, true]), RangeError);
  });

  it('finds no change between equal distributions and a large one between opposite ones', () => {
    assert.equal(stability([10, 20, 30], [100, 200, 300]), 0);
    assert.ok(stability([90, 10], [10, 90]) > 0.25);
    assert.throws(() => stability([1], [1, 2]), RangeError);
  });

  it('puts predictions beside what came true', () => {
    const predicted = Array.from({ length: 1000 }, (_, at) => at / 1000);
    const bins = calibration(predicted, predicted.map((p, at) => (at % 10) / 10 < p), 4);
    assert.deepEqual(bins.map(({ count }) => count), [250, 250, 250, 250]);
    for (const bin of bins) assert.ok(Math.abs(bin.predicted - bin.observed) < 0.06);
  });
});

describe('small matrices', () => {
  const random = fc.integer({ min: 1, max: 7 }).chain((size) => fc.tuple(fc.constant(size), fc.array(fc.integer({ min: -50, max: 50 }), { minLength: size * size, maxLength: size * size })));

  it('are solved, decomposed and made positive', () => {
    fc.assert(fc.property(random, ([size, entries]) => {
      const symmetric = square(size);
      for (let row = 0; row < size; row += 1) for (let column = 0; column < size; column += 1) symmetric.values[row * size + column] = (entries[row * size + column] as number) + (entries[column * size + row] as number);
      const trace = Array.from({ length: size }, (_, at) => symmetric.values[at * size + at] as number).reduce((sum, entry) => sum + entry, 0);
      const { values } = eigen(symmetric);
      assert.ok(Math.abs(values.reduce((sum, value) => sum + value, 0) - trace) < 1e-8);
      const positive = clippedPositive(symmetric, 1);
      assert.ok(eigen(positive).values.every((value) => value > 1 - 1e-8));
      const wanted = Float64Array.from({ length: size }, (_, at) => at + 1);
      const b = wanted.map((_, row) => wanted.reduce((sum, x, column) => sum + x * (positive.values[row * size + column] as number), 0));
      solvePositive(positive, b).forEach((x, at) => assert.ok(Math.abs(x - (wanted[at] as number)) < 1e-6));
    }));
  });

  it('that are not positive are refused, not solved', () => {
    assert.throws(() => solvePositive({ size: 1, values: Float64Array.of(-1) }, Float64Array.of(1)), RangeError);
  });
});

describe('tables', () => {
  it('count each pair once', () => {
    const table = countPairs([0, 1, 1, 2], 3, [1, 0, 0, 1], 2);
    assert.deepEqual([...table.counts], [0, 1, 2, 0, 0, 1]);
    assert.deepEqual([[...rowSums(table)], [...columnSums(table)], total(table)], [[1, 2, 1], [2, 2], 4]);
    assert.throws(() => countPairs([0], 1, [0, 0], 1), RangeError);
  });
});
