import type { Clock } from '../clock.ts';

/** More than any clock is slewed in a minute, less than would matter. */
const toleranceMs = 5000;
/** Longer than anything presented stays valid. */
const steadyMs = 10 * 60_000;

/**
 * Housekeeping forgets for good what the clock says has expired: replay keys, idempotency keys, grants that end. A clock
 * that jumps ahead and is set back would let the same query in twice and end grants that run, so after a jump nothing
 * is forgotten until the clock has gone on evenly, by the machine's monotonic one, for a while.
 * @param monotonicMs milliseconds that only ever grow
 * @returns to be asked regularly: false while what the clock says must not be acted on for good
 */
export function steadyClock(clock: Clock, onJump: () => void, monotonicMs: () => number = () => performance.now()): () => boolean {
  let seen = { wallMs: clock.nowMs() as number, monotonicMs: monotonicMs() };
  let jumpedAtMs = Number.NEGATIVE_INFINITY;
  return () => {
    const now = { wallMs: clock.nowMs() as number, monotonicMs: monotonicMs() };
    const driftMs = (now.wallMs - seen.wallMs) - (now.monotonicMs - seen.monotonicMs);
    seen = now;
    if (Math.abs(driftMs) > toleranceMs) {
      jumpedAtMs = now.monotonicMs;
      onJump();
    }
    return now.monotonicMs - jumpedAtMs >= steadyMs;
  };
}
