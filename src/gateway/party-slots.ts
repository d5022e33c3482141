import { VeilgateError } from '../errors.ts';
import type { PartyId } from '../vocabulary.ts';

/** How much of something that takes memory one party has under way in this process. */
export type PartySlots = {
  /** @returns gives the slot back; more than once is as good as once. Errors: REQUEST_OVERLOADED when the party has none left */
  readonly take: (party: PartyId) => () => void;
};

/** @param max slots of one party */
export function createPartySlots(max: number): PartySlots {
  const taken = new Map<PartyId, number>();
  return {
    take(party) {
      const before = taken.get(party) ?? 0;
      if (before >= max) throw new VeilgateError('REQUEST_OVERLOADED', 'You have as much of this under way as you may at a time: wait until it ends.');
      taken.set(party, before + 1);
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        const left = (taken.get(party) ?? 1) - 1;
        if (left === 0) taken.delete(party);
        else taken.set(party, left);
      };
    },
  };
}
