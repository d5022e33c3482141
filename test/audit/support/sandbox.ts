import type { Database, Sql } from '../../../src/store/database.ts';

const undo = new Error('undo');

/**
 * Does what an attacker with the database's own rights can do, guards switched off, shows `look` the database as it
 * is then, and undoes everything: many attacks on one log.
 */
export async function tampered<T>(database: Database, statements: readonly string[], look: (database: Database) => Promise<T>): Promise<T> {
  const results: T[] = [];
  await database.transaction('tamper', async (tx) => {
    await tx.query('set local session_replication_role = replica');
    for (const statement of statements) await tx.query(statement);
    // one connection answers one query at a time
    let last: Promise<unknown> = Promise.resolve();
    const query: Sql['query'] = (text, values) => {
      const answer = last.then(() => tx.query(text as string, values));
      last = answer.catch(() => {});
      return answer as never;
    };
    results.push(await look({ ...database, query }));
    throw undo;
  }).catch((error: unknown) => { if (error !== undo) throw error; });
  return results[0]!;
}
