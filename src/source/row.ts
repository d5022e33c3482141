import type { RejectReason } from './values.ts';

/** Rows that are checked and stored together. */
export const rowBatchSize = 2000;
/** Longest row of a file, in bytes (CSV: characters). */
export const rowSizeMaxBytes = 1_048_576;

/**
 * One row as the file has it. `cells` holds `subject` and then each field in catalogue order; what the file does
 * not have is null or undefined. Otherwise `fault` says why there are no cells.
 */
export type RawRecord =
  | { readonly row: number; readonly cells: readonly unknown[] }
  | { readonly row: number; readonly fault: RejectReason };
