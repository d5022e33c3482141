import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

export const extractFile = path.join(import.meta.dirname, '../../sample/financials_extract.csv.gz');
/** 1 when the enterprise went bankrupt. Known to its bank, never part of the platform's records. */
export const labelColumn = 'bankrupt';

/** One real enterprise's ratios by field name, as decimal text with 9 digits after the point. */
export type Figures = { readonly ratios: ReadonlyMap<string, string>; readonly bankrupt: boolean };

/** The extract's enterprises, in the order of the original set. See sample/LICENSE.md. */
export function readFigures(): readonly Figures[] {
  const [header = '', ...lines] = gunzipSync(readFileSync(extractFile)).toString('utf8').trimEnd().split('\n');
  const names = header.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    const ratios = new Map(names.map((name, at) => [name, Number(cells[at]).toFixed(9)]));
    const bankrupt = ratios.get(labelColumn) === '1.000000000';
    ratios.delete(labelColumn);
    return { ratios, bankrupt };
  });
}
