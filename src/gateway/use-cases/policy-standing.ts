import type { PolicyAsOf } from '../../audit/append.ts';
import { isVeilgateError } from '../../errors.ts';
import type { CompiledPolicy } from '../../policy/policy.ts';
import { wasLogged } from './logged-refusals.ts';

/** What a process decides by, and what it knows of whether that is still in force. */
export type PolicyStanding = {
  /** In force, as far as this process knows. */
  readonly policy: () => CompiledPolicy;
  /** The last entry of the log that `policy()` takes account of; null where the policy is a folder of this machine, which no entry changes. */
  readonly asOf: () => PolicyAsOf;
  /** Looks at once whether another policy is in force. Never throws. */
  readonly follow: () => Promise<void>;
};

/** The standing of a policy that no entry of the log changes: each process knows for itself what is in force. */
export function unloggedStanding(policy: () => CompiledPolicy): PolicyStanding {
  return { policy, asOf: () => null, follow: async () => {} };
}

/** How often one request is decided: the policy changes once a week, so that a second change meanwhile is no accident. */
const decidedMax = 3;

/**
 * Decides and releases, and once more when another policy came into force in between: nothing had left, so the new policy
 * may let the same leave, or less. What the last try throws is final. Errors: those of `work`; DECISION_OUTDATED where the
 * process cannot follow the policy in force.
 */
export async function underPolicyInForce<Result>({ follow }: Pick<PolicyStanding, 'follow'>, work: () => Promise<Result>): Promise<Result> {
  for (let left = decidedMax; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      if (left === 1 || !isVeilgateError(error, 'DECISION_OUTDATED') || wasLogged(error)) throw error;
      await follow();
    }
  }
}
