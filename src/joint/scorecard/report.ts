import { calibrationPlot, escaped, ivBars, rocCurve, woeCurve } from './pictures.ts';
import type { Scorecard } from './points.ts';
import type { BandedValidation } from './banded.ts';
import type { CalibrationBin, Discrimination } from './validation.ts';
import type { WoeTable } from './woe.ts';

/** Everything a reader needs to judge a scorecard; who made it says what privacy it cost. */
export type ScorecardReport = {
  readonly title: string;
  /** Lines under the title: project, partner, data, date. */
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  readonly features: readonly { readonly name: string; readonly woe: WoeTable; readonly binLabels: readonly string[]; readonly own: boolean; readonly selected: boolean }[];
  readonly scorecard: Scorecard;
  readonly validation?: Discrimination & { readonly calibration: readonly CalibrationBin[]; readonly stability: number | null } & Partial<Pick<BandedValidation, 'aucMargin' | 'ksMargin' | 'ksNoise' | 'stabilityMargin' | 'stabilityNoise'>>;
  /** (ε, δ) of all releases together; null without noise. */
  readonly privacy: { readonly epsilon: number; readonly delta: number } | null;
};

/** One HTML file that stands alone: tables and SVG, no script, nothing loaded. */
export function reportHtml(report: ScorecardReport): string {
  const { title, facts, features, scorecard, validation, privacy } = report;
  const shown = features.filter(({ selected }) => selected);
  const points = scorecard.features.map((card) => {
    const feature = features.find(({ name }) => name === card.name);
    return card.points.map((each, bin) => row([bin === 0 ? card.name : '', feature?.binLabels[bin] ?? String(bin), woeText(feature?.woe.bins[bin]), String(each)])).join('');
  }).join('');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>body{font:15px/1.5 system-ui,sans-serif;color:#1f2933;max-width:60rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;margin:1rem 0}th,td{text-align:left;padding:.2rem .8rem .2rem 0;border-bottom:1px solid #e4e7eb}td:nth-child(n+3){text-align:right;font-variant-numeric:tabular-nums}figure{display:inline-block;margin:.5rem 1rem .5rem 0;vertical-align:top}svg{max-width:100%;height:auto}</style></head><body>
<h1>${escaped(title)}</h1>
<table>${[...facts, privacyFact(privacy)].map(({ name, value }) => row([name, value])).join('')}</table>
<h2>How much each feature tells</h2>
<p>Information value with 95 % intervals; dashed: 0.02 useless below, 0.1 weak below, 0.3 strong above.</p>
<figure>${ivBars(features)}</figure>
${validation === undefined ? '' : `<h2>How well the score tells good from bad</h2>
<p>On enterprises that did not train it: AUC ${within(validation.auc, validation.aucMargin)}, KS ${within(validation.ks, validation.ksMargin)}, ${stabilityText(validation.stability, validation.stabilityMargin)}.${noiseText(validation)}</p>
<figure>${rocCurve(validation.roc, validation.auc, validation.ks)}</figure><figure>${calibrationPlot(validation.calibration)}</figure>`}
<h2>Weights of evidence</h2>
${shown.map(({ name, woe, binLabels }) => `<figure>${woeCurve(name, woe.bins, binLabels)}</figure>`).join('\n')}
<h2>Points</h2>
<p>Everybody starts with ${scorecard.base}; ${scorecard.scaling.baseScore} points mean ${scorecard.scaling.baseOdds} good to one bad, ${scorecard.scaling.pointsToDouble} more mean twice that.</p>
<table><tr><th>Feature</th><th>Bin</th><th>WOE</th><th>Points</th></tr>${points}</table>
</body></html>
`;
}

/** A figure with its 95 % interval, where there is one. */
function within(value: number, margin: number | undefined): string {
  return `${value.toFixed(4)}${margin === undefined ? '' : ` ± ${margin.toFixed(4)}`}`;
}

function stabilityText(stability: number | null, margin: number | null | undefined): string {
  return stability === null ? 'stability not looked at' : `stability index ${within(stability, margin ?? undefined)} (below 0.1: the population is the same)`;
}

/** What was taken off, where something was. */
function noiseText({ ksNoise = 0, stabilityNoise }: NonNullable<ScorecardReport['validation']>): string {
  if (ksNoise === 0) return '';
  return ` Privacy noise adds to distances: an estimated ${ksNoise.toFixed(4)} was taken off KS${typeof stabilityNoise === 'number' ? `, ${stabilityNoise.toFixed(4)} off the stability index` : ''}. The curve shows the counts as they came.`;
}

function woeText(bin: WoeTable['bins'][number] | undefined): string {
  if (bin === undefined) return '';
  return bin.small ? 'too few' : bin.woe.toFixed(3);
}

function privacyFact(privacy: ScorecardReport['privacy']): { readonly name: string; readonly value: string } {
  return { name: 'Privacy', value: privacy === null ? 'no noise: not for data of others' : `ε = ${privacy.epsilon.toFixed(3)}, δ = ${privacy.delta} for all releases together` };
}

function row(cells: readonly string[]): string {
  return `<tr>${cells.map((each) => `<td>${escaped(each)}</td>`).join('')}</tr>`;
}
