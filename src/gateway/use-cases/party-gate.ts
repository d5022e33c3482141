import { createGate, type Gate } from '../../joint/threads/gate.ts';
import type { PartyId } from '../../vocabulary.ts';

/** Lets work that takes long run a little at a time: each party has a line of its own, so that none fills everybody's. */
export type PartyGate = <T>(party: PartyId, work: () => Promise<T>) => Promise<T>;

/**
 * One piece of work of each party at a time.
 * @param atOnce pieces of all parties together
 * @param waitingMax pieces of one party that may wait; one more is refused with REQUEST_OVERLOADED
 */
export function createPartyGate(atOnce: number, waitingMax: number): PartyGate {
  const everybody = createGate(atOnce, Number.MAX_SAFE_INTEGER);
  const lines = new Map<PartyId, { readonly gate: Gate; inside: number }>();
  return async (party, work) => {
    const line = lines.get(party) ?? { gate: createGate(1, waitingMax), inside: 0 };
    lines.set(party, line);
    line.inside += 1;
    try {
      return await line.gate(() => everybody(work));
    } finally {
      line.inside -= 1;
      if (line.inside === 0) lines.delete(party);
    }
  };
}
