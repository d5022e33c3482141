import { strict as assert } from 'node:assert';
import { reportHtml, type ScorecardReport } from '../../../src/joint/scorecard/report.ts';
import { calibration, discriminate } from '../../../src/joint/scorecard/validation.ts';
import { woeTable } from '../../../src/joint/scorecard/woe.ts';

const hostile = '<img src=x onerror=alert(1)>"\'&';

function report(): ScorecardReport {
  const woe = woeTable({ counts: Float64Array.from([400, 100, 300, 120, 200, 150]), rows: 3, columns: 2 }, 25);
  const scores = Array.from({ length: 5000 }, (_, at) => (at * 7919) % 1000);
  const bad = scores.map((score, at) => (at * 31) % 1000 > score);
  return {
    title: hostile,
    facts: [{ name: 'Partner', value: hostile }],
    features: [{ name: hostile, woe, binLabels: ['a', hostile, 'c'], own: false, selected: true }],
    scorecard: { scaling: { baseScore: 600, baseOdds: 50, pointsToDouble: 20 }, base: 540, features: [{ name: hostile, points: [12, -3, -20] }], roundingMax: 1 },
    validation: { ...discriminate(scores, bad), calibration: calibration(scores.map((score) => 1 - score / 1000), bad), stability: 0.01 },
    privacy: { epsilon: 3, delta: 1e-6 },
  };
}

describe('the report of a scorecard', () => {
  it('is one page that stands alone: nothing is loaded and no name becomes markup', () => {
    const html = reportHtml(report());
    assert.ok(!html.includes('<img') && !html.includes('onerror=alert(1)>"'), 'escaped');
    assert.doesNotMatch(html, /<script|<link|url\(|src=(?!x)|href=/);
    assert.match(html, /&#60;img src=x onerror=alert\(1\)&#62;&#34;&#39;&#38;/);
    assert.match(html, /ε = 3\.000, δ = 0\.000001/);
  });

  it('draws every picture with finite numbers, and thins a long ROC curve', () => {
    const html = reportHtml(report());
    assert.equal(html.match(/<svg /g)?.length, 4);
    assert.doesNotMatch(html, /NaN|Infinity|undefined/);
    const longest = Math.max(...[...html.matchAll(/ d="([^"]+)"/g)].map(([, path]) => path?.split('L').length ?? 0));
    assert.ok(longest <= 400);
  });

  it('says what privacy noise added and was taken off, where something was', () => {
    const { validation, ...rest } = report();
    const told = reportHtml({ ...rest, validation: { ...validation!, ksMargin: 0.02, ksNoise: 0.0123, stabilityMargin: 0.002, stabilityNoise: 0.0015 } });
    assert.match(told, /stability index 0\.0100 ± 0\.0020/);
    assert.match(told, /an estimated 0\.0123 was taken off KS, 0\.0015 off the stability index/);
    assert.doesNotMatch(reportHtml(report()), /taken off/);
  });

  it('says so when there was no noise', () => {
    const html = reportHtml({ ...report(), privacy: null });
    assert.match(html, /no noise: not for data of others/);
    const { validation: _, ...unvalidated } = report();
    assert.equal(reportHtml(unvalidated).match(/<svg /g)?.length, 2);
  });
});
