import { strict as assert } from 'node:assert';
import { discreteGaussian } from '../../../src/joint/noise/discrete-gaussian.ts';
import { createExactRandom } from '../../../src/joint/noise/exact-random.ts';
import { bandsOf, validateBands, type BandedCell, type BandedValidation } from '../../../src/joint/scorecard/banded.ts';
import { binOf, equalFrequencyEdges } from '../../../src/joint/scorecard/binning.ts';
import { fitScorecard } from '../../../src/joint/scorecard/fit.ts';
import { scorecardOf } from '../../../src/joint/scorecard/points.ts';
import { rowSums, type Table } from '../../../src/joint/scorecard/tables.ts';
import { discriminate } from '../../../src/joint/scorecard/validation.ts';
import { creditTables } from '../support/credit.ts';
import { keystream } from '../support/keystream.ts';

const scaling = { baseScore: 600, baseOdds: 20, pointsToDouble: 50 };
const privacy = { epsilon: 1, delta: 1e-6 };
const [bands, ownBands] = [12, 5];

/** The credit set's scorecard, and its test rows in the cells a platform would count. */
function validated() {
  const credit = creditTables();
  const fitted = fitScorecard({ names: credit.names, label: (f) => credit.labels[f] as Table, pair: (f, g) => credit.pairs[f]?.[g] as Table, variance: () => 0 });
  const card = scorecardOf(credit.names, fitted.weights, fitted.fit, scaling);
  const points = (bins: readonly Uint8Array[], row: number, own: boolean) => card.features.reduce((sum, feature, f) => sum + ((f < credit.guestCount) === own ? (feature.points[bins[f]?.[row] as number] as number) : 0), 0);
  const platform = card.features.slice(credit.guestCount).map(({ points: of }, at) => ({ points: of, counts: [...rowSums(credit.labels[at + credit.guestCount] as Table)] }));
  const cut = bandsOf(platform, bands);
  const groups = [{ bins: credit.trainBins, bad: credit.trainBad, trained: true }, { bins: credit.testBins, bad: credit.testBad, trained: false }];
  const ownEdges = equalFrequencyEdges(credit.testBad.map((_, row) => points(credit.testBins, row, true)), ownBands);
  const own = ownEdges.map(() => ({ sum: 0, count: 0 })).concat({ sum: 0, count: 0 });
  const cells = new Map<string, { band: number; own: number; trained: number; good: number; bad: number }>();
  for (const { bins, bad, trained } of groups) {
    bad.forEach((isBad, row) => {
      const ownPoints = points(bins, row, true);
      const place = binOf(ownEdges, ownPoints);
      own[place]!.sum += ownPoints;
      own[place]!.count += 1;
      const sum = points(bins, row, false);
      const band = cut.edges.findLastIndex((edge) => sum >= edge) + 1;
      const cell = cells.get(`${band} ${place}`) ?? { band, own: place, trained: 0, good: 0, bad: 0 };
      cell[trained ? 'trained' : isBad ? 'bad' : 'good'] += 1;
      cells.set(`${band} ${place}`, cell);
    });
  }
  const scores = credit.testBad.map((_, row) => card.base + points(credit.testBins, row, true) + points(credit.testBins, row, false));
  return {
    cut, exact: discriminate(scores, credit.testBad),
    cells: [...cells.values()].map(({ band, own: at, ...counts }): BandedCell => ({ score: card.base + (cut.means[band] as number) + own[at]!.sum / own[at]!.count, ...counts })),
  };
}

/** The same cells with fresh noise, judged each time. */
function noisyRuns(cells: readonly BandedCell[], variance: number): readonly BandedValidation[] {
  const random = createExactRandom(keystream('banded'));
  const draw = () => Number(discreteGaussian(random, { numerator: BigInt(variance), denominator: 1n }));
  return Array.from({ length: 120 }, () =>
    validateBands(cells.map(({ score, trained, good, bad }) => ({ score, trained: trained + draw(), good: good + draw(), bad: bad + draw() })), variance, scaling, privacy));
}

describe('validation by bands', () => {
  const { cut, cells, exact } = validated();

  it('cuts the platform\'s points into bands that hold somebody, by what was released before', () => {
    assert.equal(cut.edges.length, bands - 1);
    assert.equal(cut.means.length, bands);
    cut.means.forEach((mean, band) => assert.ok(mean >= (cut.edges[band - 1] ?? -Infinity) && mean < (cut.edges[band] ?? Infinity)));
    assert.deepEqual(bandsOf([{ points: [3, 3], counts: [5, 9] }], 4), { edges: [], means: [3] }, 'equal points cannot be parted');
    assert.deepEqual(bandsOf([{ points: [0, 10], counts: [-3, -1] }], 2), { edges: [10], means: [0, 10] }, 'counts that noise drowned are taken as even');
  });

  it('loses below 0.003 of the AUC and 0.02 of the KS by coarsening, without noise', () => {
    const found = validateBands(cells, 0, scaling, privacy);
    assert.ok(Math.abs(found.auc - exact.auc) < 0.003, `${found.auc} for ${exact.auc}`);
    assert.ok(Math.abs(found.ks - exact.ks) < 0.02, `${found.ks} for ${exact.ks}`);
    assert.ok(found.stability !== null && found.stability < 0.01, 'training and test rows are of one population');
    for (const { predicted, observed, count } of found.calibration) assert.ok(count > 300 && Math.abs(predicted - observed) < 0.12, `${predicted} ${observed} ${count}`);
    assert.ok(found.roc.every(({ good, bad }, at) => at === 0 || (good >= found.roc[at - 1]!.good && bad >= found.roc[at - 1]!.bad)));
  });

  describe('with noise', function () {
    this.timeout(60_000);
    const variance = 100;
    const clear = validateBands(cells, 0, scaling, privacy);
    let runs: readonly BandedValidation[];
    before(() => { runs = noisyRuns(cells, variance); });
    const mean = (of: (run: BandedValidation) => number) => runs.reduce((sum, run) => sum + of(run), 0) / runs.length;

    it('says what it does: intervals hold the exact figure as often as they say, and grow with it', () => {
      const held = (off: (run: BandedValidation) => number, margin: (run: BandedValidation) => number) => mean((run) => Number(Math.abs(off(run)) < margin(run)));
      const shares = [
        held(({ auc }) => auc - clear.auc, ({ aucMargin }) => aucMargin), held(({ ks }) => ks - clear.ks, ({ ksMargin }) => ksMargin),
        held(({ stability: found }) => (found ?? 0) - (clear.stability ?? 0), ({ stabilityMargin }) => stabilityMargin ?? 0),
      ];
      assert.ok(shares.every((share) => share > 0.93), shares.join());
      assert.ok(runs.every(({ aucMargin, ksMargin, stabilityMargin }) => aucMargin > clear.aucMargin && ksMargin > clear.ksMargin && (stabilityMargin ?? 0) > (clear.stabilityMargin ?? 0)));
      const spread = Math.sqrt(mean(({ auc }) => (auc - clear.auc) ** 2));
      const [{ aucMargin }] = runs as readonly [BandedValidation];
      assert.ok(spread > (aucMargin - clear.aucMargin) / 4, 'the interval is not wider than the noise makes it by an order');
    });

    it('takes off what it adds to KS and the stability index: counts as they came tell too much, on average', () => {
      const asTold = mean(({ ks, ksNoise }) => ks + ksNoise) - clear.ks;
      const taken = mean(({ ks }) => ks) - clear.ks;
      assert.ok(asTold > 0.006 && Math.abs(taken) < asTold / 2, `KS: ${asTold} as told, ${taken} with the noise's part taken off`);
      const indexTold = mean(({ stability: found, stabilityNoise }) => (found ?? 0) + (stabilityNoise ?? 0)) - (clear.stability ?? 0);
      const indexTaken = mean(({ stability: found }) => found ?? 0) - (clear.stability ?? 0);
      assert.ok(indexTold > 0.001 && Math.abs(indexTaken) < indexTold / 3, `index: ${indexTold} as told, ${indexTaken}`);
      assert.deepEqual([clear.ksNoise, clear.stabilityNoise], [0, 0], 'without noise nothing is taken off');
    });

    it('does so for a score that tells nothing, where the noise makes the whole KS', () => {
      const idle = cells.map(({ good, bad, ...cell }) => ({ ...cell, good: Math.round((good + bad) * 0.78), bad: Math.round((good + bad) * 0.22) }));
      const exactly = validateBands(idle, 0, scaling, privacy).ks;
      const found = noisyRuns(idle, variance);
      const off = (of: (run: BandedValidation) => number) => found.reduce((sum, run) => sum + of(run), 0) / found.length - exactly;
      assert.ok(off(({ ks, ksNoise }) => ks + ksNoise) > 0.02, 'as told');
      assert.ok(Math.abs(off(({ ks }) => ks)) < 0.01, `${off(({ ks }) => ks)}`);
    });
  });

  it('refuses a hold-out that noise drowns', () => {
    assert.throws(() => validateBands([{ score: 1, trained: 5, good: 3, bad: -2 }], 4, scaling, privacy), RangeError);
  });
});
