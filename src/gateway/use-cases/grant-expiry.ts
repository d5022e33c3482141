import { appendRecords } from '../../audit/append.ts';
import { recordHead } from '../../audit/entry.ts';
import type { Clock } from '../../clock.ts';
import { expiredPerCallMax, expireGrants } from '../../consent/expire.ts';
import type { Database } from '../../store/database.ts';
import type { PartyId } from '../../vocabulary.ts';

/**
 * Marks grants whose time is over and logs that it is (`grant.expired`), in one transaction for each part; nodes that do
 * so together mark and log each grant once. Whether a grant can be used never depends on it.
 */
export async function expireAndLog(database: Database, clock: Clock): Promise<void> {
  let marked: number;
  do {
    marked = await database.transaction('expire grants', async (tx) => {
      const events = await expireGrants(tx, clock.nowMs());
      await appendRecords(tx, events.map(({ grant, subject, institution, atMs }) => ({ ...recordHead('grant.expired', atMs, 'platform' as PartyId), grant, subject, institution })));
      return events.length;
    });
  } while (marked === expiredPerCallMax);
}
