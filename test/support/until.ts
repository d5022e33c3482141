import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../../src/store/database.ts';

/** A loaded machine is slow, a missing thing stays missing: less than a test may take, so that it is this that says what was missing. */
const patienceMs = 50_000;

/** Looks every 20 ms until there is something to see. @returns what `look` found, neither false nor undefined. Errors: `what` did not come in time */
export async function until<Found>(what: string, look: () => Found | false | undefined | Promise<Found | false | undefined>, timeoutMs = patienceMs): Promise<Found> {
  for (const deadline = performance.now() + timeoutMs; ; await delay(20)) {
    const found = await look();
    if (found !== false && found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
  }
}

/** Resolves when a statement in this database waits for a lock that somebody else holds. */
export async function untilBlocked(database: Database): Promise<void> {
  await until('a statement waits for a lock', async () => {
    const { rowCount } = await database.query("select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'");
    return (rowCount ?? 0) > 0;
  });
}
