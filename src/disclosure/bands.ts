import type { Value } from '../vocabulary.ts';
import { compareDecimals, decimalOfNumber, parseDecimal, type Decimal } from './decimal.ts';

/** `from` ≤ value < `to`; null: no bound on that side. */
export type Band = { readonly from: number | null; readonly to: number | null };

/** Edges in both forms, or undefined when they are not ascending numbers. Policy edges are few and live long. */
const checked = new WeakMap<readonly number[], readonly Decimal[] | false>();

function exactEdges(edges: readonly number[]): readonly Decimal[] | false {
  let known = checked.get(edges);
  if (known === undefined) {
    const decimals = edges.map(decimalOfNumber).filter((edge) => edge !== undefined);
    const ascending = edges.every((edge, at) => at === 0 || edge > (edges[at - 1] as number));
    known = decimals.length === edges.length && edges.length > 0 && ascending ? decimals : false;
    checked.set(edges, known);
  }
  return known;
}

/**
 * The band a number falls into: n ascending edges make n + 1 bands, and a value equal to an edge belongs above it.
 * @param value an integer, or a decimal as text
 * @returns undefined for what is no number and for edges that are no ascending numbers
 */
export function bandOf(value: Value, edges: readonly number[]): Band | undefined {
  const exact = exactEdges(edges);
  if (exact === false) return undefined;
  let above = 0;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return undefined;
    while (above < edges.length && value >= (edges[above] as number)) above += 1;
  } else {
    const decimal = typeof value === 'string' ? parseDecimal(value) : undefined;
    if (decimal === undefined) return undefined;
    while (above < exact.length && compareDecimals(decimal, exact[above] as Decimal) >= 0) above += 1;
  }
  return { from: above === 0 ? null : (edges[above - 1] as number), to: above === edges.length ? null : (edges[above] as number) };
}
