import { VeilgateError } from '../../errors.ts';

/** Lets a few pieces of work run at a time and a few more wait, so that a process keeps cores for everybody else. */
export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

/** @param waitingMax pieces that may wait; one more is refused with REQUEST_OVERLOADED */
export function createGate(atOnce: number, waitingMax: number): Gate {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= atOnce) {
      if (waiting.length >= waitingMax) throw new VeilgateError('REQUEST_OVERLOADED', 'The platform is at its limit: try again in a second.');
      await new Promise<void>((resolve) => waiting.push(resolve)); // who ends hands over its place
    } else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
