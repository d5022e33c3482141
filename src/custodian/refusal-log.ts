import type { Clock } from '../clock.ts';
import type { Database } from '../store/database.ts';
import type { Seen } from './open.ts';
import type { Refusal } from './refusal.ts';
import { recordRefusals, type RefusalFacts } from './uses.ts';

/**
 * Refusals on their way into the audit log. One that a valid ticket of the gateway came with gets an entry of its own;
 * the others are counted by reason and written once a while, so that nobody without a ticket can fill the log.
 */
export type RefusalLog = {
  readonly note: (refusal: Refusal, seen: Seen) => void;
  /** Writes what waits. Errors: STORE_UNAVAILABLE; what could not be written waits on. */
  readonly flush: () => Promise<void>;
};

/** Entries that may wait while the database is gone; beyond, the gateway's refusals are counted like the others. */
const waitingMax = 500;

export function createRefusalLog(database: Database, clock: Clock): RefusalLog {
  let waiting: RefusalFacts[] = [];
  const counted = new Map<string, RefusalFacts>();
  let writing: Promise<void> | undefined;

  const write = async () => {
    const batch = [...waiting, ...counted.values()];
    if (batch.length === 0) return;
    const before = { waiting, counted: [...counted.values()] };
    waiting = [];
    counted.clear();
    try {
      await recordRefusals(database, clock, batch);
    } catch (error) {
      waiting = [...before.waiting, ...waiting].slice(0, waitingMax);
      for (const facts of before.counted) count(facts);
      throw error;
    }
  };
  const count = (facts: RefusalFacts) => {
    const name = `${facts.step} ${facts.reason}`;
    counted.set(name, { ...facts, institution: null, ticket: null, count: facts.count + (counted.get(name)?.count ?? 0) });
  };
  const flush = async () => {
    await writing?.catch(() => {});
    writing = write();
    await writing;
  };
  return {
    note({ step, reason }, { ticket, institution }) {
      const facts: RefusalFacts = { step, reason, ticket, institution, count: 1 };
      if (ticket === null || waiting.length >= waitingMax) count(facts);
      else waiting.push(facts);
    },
    flush,
  };
}
