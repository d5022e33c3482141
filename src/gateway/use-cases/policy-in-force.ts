import { appendRecords } from '../../audit/append.ts';
import { recordHead } from '../../audit/entry.ts';
import { latestPolicy } from '../../audit/policy-record.ts';
import type { Clock } from '../../clock.ts';
import type { Database } from '../../store/database.ts';
import type { PartyId, PolicyVersion } from '../../vocabulary.ts';

/** The log says which policy was in force from when on; the same policy is not said twice. */
export async function recordPolicy(database: Database, policy: PolicyVersion, clock: Clock): Promise<void> {
  await database.transaction('policy loaded', async (tx) => {
    const previous = await latestPolicy(tx);
    if (previous === policy) return;
    await appendRecords(tx, [{ ...recordHead('policy.loaded', clock.nowMs(), 'platform' as PartyId), policy, previous }]);
  });
}
