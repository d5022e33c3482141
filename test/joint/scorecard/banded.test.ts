import { strict as assert } from 'node:assert';
import { discreteGaussian } from '../../../src/joint/noise/discrete-gaussian.ts';
import { createExactRandom } from '../../../src/joint/noise/exact-random.ts';
import { bandsOf, validateBands, type BandedCell } from '../../../src/joint/scorecard/banded.ts';
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

  it('says what noise does: its intervals hold the exact figure as often as they say, and grow with it', () => {
    const random = createExactRandom(keystream('banded'));
    const variance = 100;
    const noisy = () => cells.map((cell) => ({ score: cell.score, trained: cell.trained + draw(), good: cell.good + draw(), bad: cell.bad + draw() }));
    const draw = () => Number(discreteGaussian(random, { numerator: BigInt(variance), denominator: 1n }));
    const clear = validateBands(cells, 0, scaling, privacy);
    const runs = Array.from({ length: 200 }, () => validateBands(noisy(), variance, scaling, privacy));
    const covered = runs.filter(({ auc, aucMargin }) => Math.abs(auc - clear.auc) < aucMargin).length / runs.length;
    assert.ok(covered > 0.93, `${covered}`);
    assert.ok(runs.every(({ aucMargin, ksMargin }) => aucMargin > clear.aucMargin && ksMargin > clear.ksMargin));
    const spread = Math.sqrt(runs.reduce((sum, { auc }) => sum + (auc - clear.auc) ** 2, 0) / runs.length);
    const [{ aucMargin }] = runs as [(typeof runs)[number]];
    assert.ok(spread > (aucMargin - clear.aucMargin) / 4, 'the interval is not wider than the noise makes it by an order');
  });

  it('refuses a hold-out that noise drowns', () => {
    assert.throws(() => validateBands([{ score: 1, trained: 5, good: 3, bad: -2 }], 4, scaling, privacy), RangeError);
  });
});
