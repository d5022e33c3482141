import os from 'node:os';

/** One measured number. `aim` says what was hoped for, such as `>= 1332`; null where nothing was. */
export type Figure = { readonly name: string; readonly value: number; readonly unit: string; readonly aim: string | null };

export type BenchReport = { readonly bench: string; readonly machine: Machine; readonly figures: readonly Figure[] };
export type Machine = { readonly cpu: string; readonly cores: number; readonly memory_gib: number; readonly node: string; readonly platform: string };

export function machine(): Machine {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memory_gib: Math.round(os.totalmem() / 2 ** 30),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
  };
}

/** @param value rounded to three significant digits below 100, to whole numbers above */
export function figure(name: string, value: number, unit: string, aim: string | null = null): Figure {
  const rounded = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
  return { name, value: rounded, unit, aim };
}

/** The value below which the share `q` (0…1) of the sorted samples lies. */
export function quantile(sorted: Float64Array | readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}
