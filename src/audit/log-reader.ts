import type { ShownRecord } from './record-check.ts';

/**
 * Where a log is read from. What is not there is told by throwing AUDIT_ENTRY_NOT_FOUND; any other throw ends the
 * verification without a verdict.
 */
export type LogReader = {
  readonly checkpoint: () => Promise<string>;
  readonly tile: (level: number, index: number, width: number) => Promise<Uint8Array>;
  /** May hold fewer entries than `width`: the first that is missing is then named. */
  readonly entries: (index: number, width: number) => Promise<Uint8Array>;
  /**
   * Records of a bundle, one per entry, as far as the log goes, counted by a checkpoint or not: null when erased,
   * undefined when this reader may not see it.
   */
  readonly records?: (index: number, width: number) => Promise<readonly (ShownRecord | null | undefined)[]>;
  /** Earlier checkpoints beyond a size, smallest first, a page at a time: they narrow down where a forgery begins. */
  readonly history?: (afterSize: number) => Promise<readonly string[]>;
};
