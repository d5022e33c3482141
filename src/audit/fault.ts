import { isVeilgateError } from '../errors.ts';
import type { RecordFaultKind } from './record-check.ts';

/** What a verifier found wrong. */
export type LogFault = {
  readonly kind:
    | 'checkpoint_invalid' | 'rolled_back' | 'forked' | 'root_differs' | 'tile_missing' | 'tile_differs'
    | 'entry_missing' | 'entry_malformed' | 'entry_differs' | 'record_missing' | RecordFaultKind;
  /** First entry that is wrong; with a larger `until`, the wrong one is among index..until-1. Null: the log as a whole. */
  readonly index: number | null;
  /** Exclusive. */
  readonly until: number | null;
  /** One plain sentence, without any value of a record. */
  readonly message: string;
};

/** Carries a fault out of the loops of a verification; never leaves verifyLog. */
export class Unsound extends Error {
  readonly fault: LogFault;
  constructor(kind: LogFault['kind'], range: { index: number; until?: number } | null, message: string) {
    super(message);
    this.fault = { kind, index: range?.index ?? null, until: range === null ? null : range.until ?? range.index + 1, message };
  }
}

/** What is read; a fault of `kind` when it is not there. Any other failure to read goes on as it is. */
export async function present<T>(reading: Promise<T>, kind: LogFault['kind'], range: { index: number; until: number }, message: string): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (isVeilgateError(error, 'AUDIT_ENTRY_NOT_FOUND')) throw new Unsound(kind, range, message);
    throw error;
  }
}
