/** Clear twin of the encrypted circuit: Σ over rows of x, by the partner's bin. Exact integers. */
export function clearSums(values: ArrayLike<number>, partnerBins: ArrayLike<number>, bins: number): number[] {
  const sums = new Array<number>(bins).fill(0);
  for (let row = 0; row < values.length; row += 1) {
    const bin = partnerBins[row] as number;
    sums[bin] = (sums[bin] as number) + (values[row] as number);
  }
  return sums;
}
