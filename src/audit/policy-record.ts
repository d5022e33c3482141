import type { Tx } from '../store/database.ts';
import type { PolicyVersion } from '../vocabulary.ts';

/**
 * The policy the log named last; null when it named none. Until the transaction ends nobody else is told, so that
 * two processes which load the same policy at once do not both record it.
 */
export async function latestPolicy(tx: Tx): Promise<PolicyVersion | null> {
  await tx.query("select pg_advisory_xact_lock(hashtext('veilgate policy loaded'))");
  const { rows } = await tx.query<{ policy: PolicyVersion }>("select record::jsonb ->> 'policy' as policy from audit_entry where kind = 'policy.loaded' order by index desc limit 1");
  return rows[0]?.policy ?? null;
}
