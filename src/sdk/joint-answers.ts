import { VeilgateError } from '../errors.ts';
import { jointParameters as set } from '../he/joint-parameters.ts';
import { loadHe } from '../he/runtime.ts';
import { createWindowDecryptor } from '../he/window-decrypt.ts';
import { layoutOf } from '../joint/circuit/layout.ts';
import { openTable } from '../joint/circuit/table.ts';
import { bundleKeys } from '../joint/lottery/bundle.ts';
import { lotteryReady } from '../joint/lottery/keystream.ts';
import { nanoRhoPerRho, type NanoRho } from '../joint/noise/accountant.ts';
import { projectFromJson, type JointProjectJson } from '../joint/project/document.ts';
import type { Table } from '../joint/scorecard/tables.ts';
import { compileStatement, type Group, type Plan } from '../joint/statement/compile.ts';
import { drawnSeed, type JointReleaseView, type JointRunView, type JointSeeds } from './joint-run.ts';

/** An opened answer: noisy sums, one list for each result, by the partner column's bins (one number without one). */
export type OpenedGroup = Pick<Group, 'title' | 'columns'> & { /** σ² of the noise in every sum. */ readonly variance: number; readonly sums: readonly (readonly number[])[] };
export type OpenedAnswer = { readonly release: JointReleaseView; readonly plan: Plan; readonly groups: readonly OpenedGroup[] };

/**
 * Opens results with the drawn bundle's seed. What they mean follows from statement and project alone.
 * Errors: HE_CIPHERTEXT_REFUSED; those of compileStatement for a project that is not the release's.
 */
export async function openAnswer(document: JointProjectJson, run: JointRunView, seeds: JointSeeds, release: JointReleaseView, results: readonly Uint8Array[]): Promise<OpenedAnswer> {
  const plan = compileStatement(release.statement, projectFromJson(document), run.rows, Math.round(release.cost_rho * nanoRhoPerRho) as NanoRho);
  if (plan.parts !== results.length) throw new VeilgateError('HE_CIPHERTEXT_REFUSED', 'There are more or fewer results than the statement has: fetch them again.');
  const opened = plan.partner === undefined ? results.map((each) => [clearSum(each)]) : await openAll(run, seeds, plan.partner.bins, results);
  let first = 0;
  const groups = plan.groups.map(({ title, columns, variance }): OpenedGroup => {
    const sums = opened.slice(first, first += columns.length);
    return { title, columns, sums, variance: Number(variance.numerator) / Number(variance.denominator) };
  });
  return { release, plan, groups };
}

async function openAll(run: JointRunView, seeds: JointSeeds, bins: number, results: readonly Uint8Array[]): Promise<number[][]> {
  await lotteryReady;
  const he = await loadHe();
  const decryptor = createWindowDecryptor(he, set, bundleKeys(he, set, drawnSeed(seeds, run)).secretKey);
  try {
    const layout = layoutOf(set.polyModulusDegree, bins);
    return results.map((each) => openTable(decryptor, set, layout, each));
  } finally {
    decryptor.close();
  }
}

function clearSum(bytes: Uint8Array): number {
  if (bytes.length !== 8) throw new VeilgateError('HE_CIPHERTEXT_REFUSED', 'The result is not of the form that was agreed: fetch it again.');
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0, true));
}

/** σ² and the table, by the name of its columns: `x` against the partner's column, `x y` for a pair of the platform's. */
export type OpenedTable = { readonly table: Table; readonly variance: number };

/**
 * Tables of a table, histogram, woe, bands (by the name `score`) or pairs answer. Rows: the first column's bins; columns: the partner's bins or, of a
 * pair, the second column's, with the partner's bins added up.
 * @param kept bins of the partner's column that count, from 0; all when absent
 */
export function tablesOf({ groups }: OpenedAnswer, kept = Infinity): ReadonlyMap<string, OpenedTable> {
  const [group] = groups;
  if (group?.title !== 'bins') throw new VeilgateError('JOINT_STATEMENT_INVALID', 'This statement has no tables.', { rule: 'tables' });
  const found = new Map<string, { readonly cells: number[]; readonly rows: Set<number>; added: number }>();
  group.columns.forEach((column, at) => {
    if (column.kind === 'score') return;
    const factors = column.kind === 'band' ? [{ column: 'score', bin: at }] : column.factors;
    const name = factors.map((factor) => factor.column).join(' ');
    const table = found.get(name) ?? { cells: [], rows: new Set(), added: 1 };
    const sums = (group.sums[at] ?? []).slice(0, kept);
    if (factors.length === 1) table.cells.push(...sums);
    else {
      table.cells.push(sums.reduce((all, sum) => all + sum, 0));
      table.added = sums.length; // each of them has noise of its own
    }
    table.rows.add(factors[0]?.bin ?? 0);
    found.set(name, table);
  });
  // a pair's cells come row by row: its second column's bins are the table's columns
  return new Map([...found].map(([name, { cells, rows, added }]) => [name, {
    table: { counts: Float64Array.from(cells), rows: rows.size, columns: cells.length / rows.size }, variance: added * group.variance,
  }]));
}
