import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

export const extractFile = path.join(import.meta.dirname, '../../sample/financials_extract.csv.gz');
/** 1 when the enterprise went bankrupt. Known to its bank, never part of the platform's records. */
export const labelColumn = 'bankrupt';

/** One real enterprise's ratios by field name, as decimal text with 9 digits after the point. */
export type Figures = { readonly ratios: ReadonlyMap<string, string>; readonly bankrupt: boolean };

let read: readonly Figures[] | undefined;

/** The extract's enterprises, in the order of the original set, read once. See sample/LICENSE.md. */
export function readFigures(): readonly Figures[] {
  read ??= parseExtract(gunzipSync(readFileSync(extractFile)).toString('utf8'));
  return read;
}

function parseExtract(text: string): Figures[] {
  const [header = '', ...lines] = text.trimEnd().split('\n');
  const names = header.split(',').filter((name) => name !== labelColumn);
  return lines.map((line) => {
    const cells = line.split(',');
    return { ratios: new Map(names.map((name, at) => [name, Number(cells[at]).toFixed(9)])), bankrupt: cells[names.length] === '1' };
  });
}
