import type { RocPoint, CalibrationBin } from './validation.ts';
import type { WoeBin, WoeTable } from './woe.ts';

/** Pictures of a scorecard as SVG text: no script, no font or file from elsewhere, readable in print. Every text is escaped. */

const ink = '#1f2933';
const faint = '#9aa5b1';
const grid = '#e4e7eb';
const blue = '#1d5fa8';
const red = '#b3372f';
const font = 'font-family="system-ui, sans-serif" font-size="12"';

/** Information value of each feature, the strongest first, with its 95 % interval. */
export function ivBars(features: readonly { readonly name: string; readonly woe: WoeTable }[]): string {
  const sorted = features.toSorted((a, b) => b.woe.iv - a.woe.iv);
  const most = Math.max(0.02, ...sorted.map(({ woe }) => woe.iv + woe.ivMargin));
  const [left, bar, right] = [160, 380, 60];
  const x = (iv: number) => left + (Math.max(0, iv) / most) * bar;
  const rows = sorted.map(({ name, woe }, at) => {
    const y = 30 + at * 22;
    return text(left - 8, y + 12, name, 'end') +
      `<rect x="${left}" y="${y}" width="${fixed(x(woe.iv) - left)}" height="15" fill="${blue}"/>` +
      line(x(woe.iv - woe.ivMargin), y + 7.5, x(woe.iv + woe.ivMargin), y + 7.5, ink, 1.5) +
      text(Math.max(x(woe.iv + woe.ivMargin), left) + 6, y + 12, woe.iv.toFixed(3));
  });
  // Siddiqi's customary marks: below 0.02 no use, 0.1 weak, 0.3 strong
  const marks = [0.02, 0.1, 0.3].filter((mark) => mark < most).map((mark) => line(x(mark), 24, x(mark), 30 + sorted.length * 22, faint, 1, '3 3') + text(x(mark), 18, String(mark), 'middle', faint));
  return svg(left + bar + right, 40 + sorted.length * 22, 'Information value of each feature, with 95 % intervals', marks.join('') + rows.join(''));
}

/** Weight of evidence of one feature's bins with 95 % intervals; above the line is better than average. */
export function woeCurve(name: string, bins: readonly WoeBin[], labels: readonly string[]): string {
  const [left, top, wide, high] = [48, 28, Math.max(220, bins.length * 58), 170];
  const most = Math.max(0.2, ...bins.map(({ woe, margin }) => Math.abs(woe) + Math.min(margin, 1)));
  const x = (bin: number) => left + ((bin + 0.5) / bins.length) * wide;
  const y = (woe: number) => top + high / 2 - (Math.max(-most, Math.min(most, woe)) / most) * (high / 2);
  const ticks = [-most, 0, most].map((tick) => line(left, y(tick), left + wide, y(tick), tick === 0 ? faint : grid, 1) + text(left - 6, y(tick) + 4, tick.toFixed(1), 'end', faint));
  const path = bins.map(({ woe }, bin) => `${bin === 0 ? 'M' : 'L'}${fixed(x(bin))} ${fixed(y(woe))}`).join(' ');
  const points = bins.map(({ woe, margin }, bin) =>
    line(x(bin), y(woe - margin), x(bin), y(woe + margin), faint, 2) +
    `<circle cx="${fixed(x(bin))}" cy="${fixed(y(woe))}" r="4" fill="${woe < 0 ? red : blue}"/>` +
    text(x(bin), top + high + 16, labels[bin] ?? String(bin), 'middle', faint));
  return svg(left + wide + 16, top + high + 28, `Weight of evidence of ${name} by bin, with 95 % intervals`,
    text(left, 16, name) + ticks.join('') + `<path d="${path}" fill="none" stroke="${ink}" stroke-width="1.5"/>` + points.join(''));
}

/** ROC curve with the KS distance marked. */
export function rocCurve(roc: readonly RocPoint[], auc: number, ks: number): string {
  const [left, top, side] = [48, 28, 260];
  const x = (share: number) => left + share * side;
  const y = (share: number) => top + side - share * side;
  const drawn = thinned(roc, 400);
  const share = (value: number) => Math.min(1, Math.max(0, value)); // privacy noise may lead a little beyond
  const path = drawn.map(({ good, bad }, at) => `${at === 0 ? 'M' : 'L'}${fixed(x(share(good)))} ${fixed(y(share(bad)))}`).join(' ');
  const widest = roc.reduce((best, point) => (point.bad - point.good > best.bad - best.good ? point : best), { score: 0, good: 0, bad: 0 });
  const ticks = [0, 0.5, 1].map((tick) => text(x(tick), top + side + 16, tick.toFixed(1), 'middle', faint) + text(left - 6, y(tick) + 4, tick.toFixed(1), 'end', faint));
  return svg(left + side + 24, top + side + 44, `ROC curve: area ${auc.toFixed(4)}, KS ${ks.toFixed(4)}`,
    `<rect x="${left}" y="${top}" width="${side}" height="${side}" fill="none" stroke="${grid}"/>` + ticks.join('') +
    line(x(0), y(0), x(1), y(1), faint, 1, '3 3') + `<path d="${path}" fill="none" stroke="${blue}" stroke-width="2"/>` +
    line(x(widest.good), y(widest.good), x(widest.good), y(widest.bad), red, 2) +
    text(left, 16, `AUC ${auc.toFixed(4)}  KS ${ks.toFixed(4)}`) + text(left + side / 2, top + side + 34, 'share of good at or below the score', 'middle', faint));
}

/** Predicted against observed share of bad: on the diagonal a score means what it says. */
export function calibrationPlot(bins: readonly CalibrationBin[]): string {
  const [left, top, side] = [48, 28, 260];
  const most = Math.max(0.05, ...bins.flatMap(({ predicted, observed }) => [predicted, observed])) * 1.05;
  const x = (share: number) => left + (share / most) * side;
  const y = (share: number) => top + side - (share / most) * side;
  const ticks = [0, most / 2, most].map((share) => text(x(share), top + side + 16, share.toFixed(2), 'middle', faint) + text(left - 6, y(share) + 4, share.toFixed(2), 'end', faint));
  return svg(left + side + 24, top + side + 44, 'Predicted against observed share of bad, in ten groups',
    `<rect x="${left}" y="${top}" width="${side}" height="${side}" fill="none" stroke="${grid}"/>` + ticks.join('') + line(x(0), y(0), x(most), y(most), faint, 1, '3 3') +
    bins.map(({ predicted, observed }) => `<circle cx="${fixed(x(predicted))}" cy="${fixed(y(observed))}" r="4" fill="${blue}"/>`).join('') +
    text(left, 16, 'Calibration') + text(left + side / 2, top + side + 34, 'predicted share of bad', 'middle', faint));
}

function svg(width: number, height: number, title: string, body: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${fixed(width)} ${fixed(height)}" width="${fixed(width)}" height="${fixed(height)}" role="img" ${font}><title>${escaped(title)}</title><rect width="100%" height="100%" fill="#fff"/>${body}</svg>`;
}

function text(x: number, y: number, words: string, anchor: 'start' | 'middle' | 'end' = 'start', colour = ink): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}" fill="${colour}">${escaped(words)}</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string, width: number, dashes?: string): string {
  return `<line x1="${fixed(x1)}" y1="${fixed(y1)}" x2="${fixed(x2)}" y2="${fixed(y2)}" stroke="${colour}" stroke-width="${width}"${dashes === undefined ? '' : ` stroke-dasharray="${dashes}"`}/>`;
}

/** At most `most` points, the ends among them: a million enterprises make no million path steps. */
function thinned<Point>(points: readonly Point[], most: number): readonly Point[] {
  if (points.length <= most) return points;
  return Array.from({ length: most }, (_, at) => points[Math.round((at * (points.length - 1)) / (most - 1))] as Point);
}

function fixed(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** For XML and HTML text and attributes. */
export function escaped(words: string): string {
  return words.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
