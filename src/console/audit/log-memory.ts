import type { LogTrust, OpenedCheckpoint } from '../../audit/checkpoint.ts';
import { noteLengthMax } from '../../audit/note.ts';
import { logTrust } from '../../sdk/log.ts';
import { useKept } from '../shell/use-gateway.ts';

/**
 * What this browser knows of the log from before, so that the platform cannot show it another one: the verifier key it saw
 * first, and the last checkpoint it found right. Nothing of it is secret.
 */
export type LogMemory = {
  /** Keys that are trusted, the newest first. */
  readonly keys: readonly string[];
  /** RFC 3339: since when this browser trusts the first of them. */
  readonly since: string;
  readonly checkpoint: KeptCheckpoint | null;
};

export type KeptCheckpoint = {
  /** Signed note. */
  readonly note: string;
  readonly size: number;
  /** RFC 3339: when it was found right. */
  readonly at: string;
  /** So many entries, from the first, were looked at one by one; the others are there under the checkpoint's root. */
  readonly entries: number;
};

const place = 'veilgate.log';

/** @returns null before anything was remembered, `unreadable` when it was damaged: then nothing can be compared, which must be said */
function readLogMemory(): LogMemory | null | 'unreadable' {
  const text = localStorage.getItem(place);
  if (text === null) return null;
  try {
    const value = JSON.parse(text) as unknown;
    return isMemory(value) ? value : 'unreadable';
  } catch {
    return 'unreadable';
  }
}

/** The memory and what changes it. Undefined: there is none yet. */
export function useLogMemory() {
  const { kept, isPending, renew } = useKept(['log memory'], async () => readLogMemory());
  const keep = (memory: LogMemory) => {
    localStorage.setItem(place, JSON.stringify(memory));
    void renew();
  };
  return {
    memory: kept, isPending, keep,
    /** Keeps a checkpoint that was found right, unless another tab found a larger one meanwhile. */
    keepCheckpoint(found: Pick<OpenedCheckpoint, 'note' | 'size'>, at: string, entries: number) {
      const memory = readLogMemory();
      if (memory === null || memory === 'unreadable' || (memory.checkpoint !== null && memory.checkpoint.size > found.size)) return;
      const looked = Math.max(entries, memory.checkpoint?.entries ?? 0);
      keep({ ...memory, checkpoint: { note: found.note, size: found.size, at, entries: looked } });
    },
    forget() {
      localStorage.removeItem(place);
      void renew();
    },
  };
}

/** Errors: CONFIG_INVALID. */
export const trustOf = ({ keys }: LogMemory): Promise<LogTrust> => logTrust(keys);

function isMemory(value: unknown): value is LogMemory {
  if (typeof value !== 'object' || value === null) return false;
  const { keys, since, checkpoint } = value as Readonly<Partial<Record<keyof LogMemory, unknown>>>;
  const listed = Array.isArray(keys) && keys.length > 0 && keys.every((key) => typeof key === 'string');
  return listed && typeof since === 'string' && (checkpoint === null || isKept(checkpoint));
}

function isKept(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { note, size, at, entries } = value as Readonly<Partial<Record<keyof KeptCheckpoint, unknown>>>;
  return typeof note === 'string' && note.length <= noteLengthMax && Number.isSafeInteger(size) && typeof at === 'string' && Number.isSafeInteger(entries);
}
