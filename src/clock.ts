import type { TimeMs } from './vocabulary.ts';

/** Where time comes from. The only fake in tests besides injected faults. */
export type Clock = { readonly nowMs: () => TimeMs };

export const systemClock: Clock = { nowMs: () => Date.now() as TimeMs };

/** A clock that stands still until it is told to move. */
export function fixedClock(start: string | number): Clock & { advanceMs: (ms: number) => void } {
  let now = new Date(start).getTime();
  return {
    nowMs: () => now as TimeMs,
    advanceMs: (ms) => {
      now += ms;
    },
  };
}

/** RFC 3339 in UTC with milliseconds. */
export function isoTime(timeMs: TimeMs): string {
  return new Date(timeMs).toISOString();
}

/** Whole seconds since the epoch, as JWT claims want them. */
export function epochSeconds(timeMs: TimeMs): number {
  return Math.floor(timeMs / 1000);
}
