import { setImmediate as othersFirst } from 'node:timers/promises';
import { diffPolicies, type PolicyDiff } from '../../policy/diff.ts';
import { editPolicy, type PolicyEdits } from '../../policy/edit/apply-purposes.ts';
import { settleExpectations, staleExpectations, type StaleExpectation } from '../../policy/edit/expectations.ts';
import { packDifference, testPack, type PackChanges } from '../../policy/store/pack.ts';
import type { PolicyTestReport } from '../../policy/vectors.ts';
import type { ReadyVersion, ReadyVersions } from './policy-cells.ts';
import type { PolicyDesk } from './policy-versions.ts';

export type JudgedEdits = {
  readonly ready: ReadyVersion;
  /** Files to propose: with them the policy is what the edits say. */
  readonly changes: PackChanges;
  readonly diff: PolicyDiff;
  readonly tests: PolicyTestReport;
  /** Expectations that do not come true, and what kind they are of. */
  readonly stale: readonly StaleExpectation[];
  /** Expectations that were brought up to date. */
  readonly adjusted: number;
};

/**
 * What edits of cells, purposes and facts would make of a version; nothing is kept. Expectations of the tests that name a rule which has another
 * name now are always brought up to date, for the decision is the one expected; those about the edited cells only when
 * `adjustTests` says so, and promises never.
 * Errors: POLICY_IN_FOLDER, POLICY_VERSION_NOT_FOUND, REQUEST_INVALID, POLICY_BROKEN.
 */
export async function judgeEdits(desk: PolicyDesk, versions: ReadyVersions, number: number, edits: PolicyEdits, adjustTests: boolean): Promise<JudgedEdits> {
  const ready = await versions(number);
  const before = ready.version.files;
  const { pack: edited, policy } = editPolicy(before, ready.policy, desk.catalogue, edits);
  await othersFirst(); // each step takes a tenth of a second or so: requests are answered in between
  const broken = staleExpectations(edited, policy, edits);
  const pack = settleExpectations(edited, policy, edits, adjustTests ? ['renamed', 'edited'] : ['renamed']);
  await othersFirst();
  const diff = diffPolicies(ready.policy, policy);
  await othersFirst();
  const tests = testPack(pack, policy);
  const stale = staleExpectations(pack, policy, edits);
  return {
    ready, diff, tests, stale, adjusted: broken.length - stale.length,
    changes: Object.fromEntries(packDifference(before, pack).map(({ file }) => [file, pack[file] ?? null])),
  };
}
