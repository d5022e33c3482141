/**
 * Logistic regression by Newton's method with a ridge on standardised inputs. Columns without spread get no weight.
 * @returns coefficients for one unit of each input, and the intercept; positive raises the chance of `true`
 */
export function fitLogistic(rows: readonly (readonly number[])[], labels: readonly boolean[], ridge: number): { readonly intercept: number; readonly coefficients: readonly number[] } {
  const width = rows[0]?.length ?? 0;
  const means = Array.from({ length: width }, (_, at) => rows.reduce((sum, row) => sum + (row[at] as number), 0) / rows.length);
  const spreads = means.map((mean, at) => Math.sqrt(rows.reduce((sum, row) => sum + ((row[at] as number) - mean) ** 2, 0) / rows.length));
  const inputs = rows.map((row) => [1, ...row.map((value, at) => ((spreads[at] as number) > 0 ? (value - (means[at] as number)) / (spreads[at] as number) : 0))]);
  let weights = Array.from({ length: width + 1 }, () => 0);
  for (let turn = 0; turn < 25; turn += 1) {
    const gradient = weights.map((weight, at) => (at === 0 ? 0 : -ridge * weight));
    const curvature = weights.map((_, at) => weights.map((__, other) => (at === other ? (at === 0 ? 1e-9 : ridge) : 0)));
    for (const [index, input] of inputs.entries()) {
      const chance = 1 / (1 + Math.exp(-input.reduce((sum, value, at) => sum + value * (weights[at] as number), 0)));
      const error = (labels[index] === true ? 1 : 0) - chance;
      for (let at = 0; at <= width; at += 1) {
        gradient[at] = (gradient[at] as number) + error * (input[at] as number);
        const row = curvature[at] as number[];
        for (let other = 0; other <= width; other += 1) row[other] = (row[other] as number) + chance * (1 - chance) * (input[at] as number) * (input[other] as number);
      }
    }
    const step = solve(curvature, gradient);
    weights = weights.map((weight, at) => weight + (step[at] as number));
    if (Math.max(...step.map(Math.abs)) < 1e-9) break;
  }
  const coefficients = means.map((_, at) => ((spreads[at] as number) > 0 ? (weights[at + 1] as number) / (spreads[at] as number) : 0));
  return { intercept: (weights[0] as number) - coefficients.reduce((sum, each, at) => sum + each * (means[at] as number), 0), coefficients };
}

/** Gaussian elimination with row exchange. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, at) => [...row, right[at] as number]);
  for (let at = 0; at < rows.length; at += 1) {
    const pivot = rows.slice(at).reduce((best, row, index) => (Math.abs(row[at] as number) > Math.abs(rows[best]?.[at] as number) ? at + index : best), at);
    [rows[at], rows[pivot]] = [rows[pivot] as number[], rows[at] as number[]];
    const row = rows[at] as number[];
    for (const other of rows) {
      if (other === row) continue;
      const factor = (other[at] as number) / (row[at] as number);
      for (let column = at; column < other.length; column += 1) other[column] = (other[column] as number) - factor * (row[column] as number);
    }
  }
  return rows.map((row, at) => (row.at(-1) as number) / (row[at] as number));
}

/** Chance that a `true` scores above a `false`; ties count half. */
export function areaUnderCurve(scores: readonly number[], labels: readonly boolean[]): number {
  const order = scores.map((score, at) => ({ score, good: labels[at] === true })).toSorted((one, other) => one.score - other.score);
  let rankSum = 0;
  for (let at = 0; at < order.length;) {
    let end = at;
    while (end < order.length && order[end]?.score === order[at]?.score) end += 1;
    for (const each of order.slice(at, end)) if (each.good) rankSum += (at + 1 + end) / 2;
    at = end;
  }
  const good = labels.filter(Boolean).length;
  return (rankSum - (good * (good + 1)) / 2) / (good * (labels.length - good));
}
