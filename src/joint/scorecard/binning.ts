/**
 * Bins of one feature: ascending edges cut the line; bin b holds edge[b−1] < value ≤ edge[b], the first and the last
 * are open outward. n edges make n + 1 bins.
 */
export type Edges = readonly number[];

/** Bins a feature may have at most. */
export const binsMax = 64;

/**
 * Edges at the quantiles 1/k … (k−1)/k, by linear interpolation between order statistics (Hyndman and Fan 1996,
 * definition 7, what most statistics packages do). Where many values are equal, quantiles coincide and bins are fewer.
 * @param bins 2..64
 */
export function equalFrequencyEdges(values: readonly number[], bins: number): Edges {
  if (!Number.isInteger(bins) || bins < 2 || bins > binsMax) throw new RangeError(`a feature has 2 to ${binsMax} bins`);
  if (values.length === 0) throw new RangeError('no values, no quantiles');
  const sorted = Float64Array.from(values).sort();
  const edges: number[] = [];
  for (let k = 1; k < bins; k += 1) {
    const place = (k / bins) * (sorted.length - 1);
    const below = sorted[Math.floor(place)] as number;
    const above = sorted[Math.ceil(place)] as number;
    const edge = below + (above - below) * (place - Math.floor(place));
    // an edge at the greatest value would leave the last bin empty
    if (edge < (sorted.at(-1) as number) && edge > (edges.at(-1) ?? -Infinity)) edges.push(edge);
  }
  return edges;
}

/** Which bin a value falls into, 0..edges.length. */
export function binOf(edges: Edges, value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= (edges[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}
