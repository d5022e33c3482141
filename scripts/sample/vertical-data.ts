import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

/** A set of persons or enterprises whose columns are split between a bank (guest, with the label) and a platform (host). */
export type VerticalData = {
  readonly ids: readonly string[];
  /** 1: bad. */
  readonly bad: Uint8Array;
  readonly trains: readonly boolean[];
  readonly guest: readonly Column[];
  readonly host: readonly Column[];
};
export type Column = { readonly name: string; readonly values: Float64Array };

const folder = path.join(import.meta.dirname, '../../sample');

/** sample/default_credit (30,000 rows) or sample/breast (569): origin and licence in sample/LICENSE.md. */
export function readVerticalData(name: 'default_credit' | 'breast'): VerticalData {
  const guest = readTable(path.join(folder, name, 'guest.csv.gz'));
  const host = readTable(path.join(folder, name, 'host.csv.gz'));
  const part = new Map(readTable(path.join(folder, name, 'split.csv.gz')).rows.map(([id, side]) => [id, side]));
  const hostRow = new Map(host.rows.map((row) => [row[0], row]));
  const rows = guest.rows.map((row) => ({ guest: row, host: hostRow.get(row[0]) }));
  if (rows.some(({ guest: [id], host: own }) => own === undefined || !part.has(id))) throw new Error(`${name}: the two sides do not hold the same ids`);
  const columns = (side: 'guest' | 'host', header: readonly string[]) => header.flatMap((title, at) =>
    /^x\d+$/.test(title) ? [{ name: `${side}_${title}`, values: Float64Array.from(rows, (row) => Number(row[side]?.[at])) }] : []);
  return {
    ids: rows.map((row) => row.guest[0] as string),
    bad: Uint8Array.from(rows, (row) => Number(row.guest[1])),
    trains: rows.map((row) => part.get(row.guest[0] as string) === 'train'),
    guest: columns('guest', guest.header),
    host: columns('host', host.header),
  };
}

function readTable(file: string): { readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] } {
  const [header = [], ...rows] = gunzipSync(readFileSync(file)).toString('utf8').trim().split('\n').map((line) => line.trim().split(','));
  return { header, rows };
}
