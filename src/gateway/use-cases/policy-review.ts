import { setImmediate as othersFirst } from 'node:timers/promises';
import { shanghaiDate } from '../../calendar.ts';
import { diffPolicies, type PolicyDiff } from '../../policy/diff.ts';
import { exemptionsOf, type Exemption } from '../../policy/store/exemptions.ts';
import { compilePack, packDifference, testPack, type FileChange, type Pack } from '../../policy/store/pack.ts';
import { readVersion, type Version } from '../../policy/store/registry.ts';
import type { CompiledPolicy } from '../../policy/policy.ts';
import type { PolicyTestReport } from '../../policy/vectors.ts';
import { requireStored, type PolicyDesk } from './policy-versions.ts';

/** What a reviewer should look at first. */
export type RiskMark = 'loosens' | 'mixed' | 'opens_personal' | 'opens_level_4' | 'widens_settings' | 'changes_tests' | 'removes_tests' | 'rules_without_test' | 'tests_fail';

export type PolicyReview = {
  readonly version: Version;
  /** What it is compared with: its basis. */
  readonly against: Version;
  /** False: another version is in force than the one it changes, so it cannot be approved. */
  readonly basisInForce: boolean;
  readonly files: readonly FileChange[];
  readonly diff: PolicyDiff;
  readonly tests: PolicyTestReport;
  readonly marks: readonly RiskMark[];
  /** Rules that hold until a day. */
  readonly exemptions: readonly Exemption[];
};

/** Reviews that are kept: what was reviewed lately is looked at again. */
const keptMax = 8;

type Compared = Pick<PolicyReview, 'files' | 'diff' | 'tests' | 'marks' | 'exemptions'>;

/** Reviews versions of the policy; what two packs differ in is worked out once. Errors: POLICY_VERSION_NOT_FOUND, POLICY_BROKEN. */
export function policyReviews(desk: PolicyDesk): (number: number) => Promise<PolicyReview> {
  const kept = new Map<string, Compared>();
  return async (number) => {
    requireStored(desk);
    const version = await readVersion(desk.database, number);
    const against = version.basis === null ? version : await readVersion(desk.database, version.basis);
    const inForce = await readVersion(desk.database, 'in_force');
    const name = `${against.digest} ${version.digest} ${shanghaiDate(desk.clock.nowMs())}`;
    const compared = kept.get(name) ?? await compare(desk, against, version);
    kept.delete(name);
    kept.set(name, compared);
    for (const old of [...kept.keys()].slice(0, -keptMax)) kept.delete(old);
    return { version, against, basisInForce: against.number === inForce.number, ...compared };
  };
}

/** Everything a second person needs to decide: what changes, in full, and whether the tests hold. */
async function compare(desk: PolicyDesk, against: Version, version: Version): Promise<Compared> {
  // each step takes a tenth of a second or so: requests are answered in between
  const before = compilePack(against.files, desk.catalogue);
  await othersFirst();
  const after = compilePack(version.files, desk.catalogue);
  await othersFirst();
  const diff = diffPolicies(before, after);
  await othersFirst();
  const files = packDifference(against.files, version.files);
  const tests = testPack(version.files, after);
  await othersFirst();
  const untested = untestedBefore(against.files, before);
  return {
    files, diff, tests,
    marks: marksOf(after, diff, files, tests, untested), exemptions: exemptionsOf(after, shanghaiDate(desk.clock.nowMs())),
  };
}

function untestedBefore(pack: Pack, policy: CompiledPolicy): ReadonlySet<string> {
  return new Set(testPack(pack, policy).uncoveredRules);
}

function marksOf(after: CompiledPolicy, { changes, settings }: PolicyDiff, files: readonly FileChange[], tests: PolicyTestReport, untested: ReadonlySet<string>): RiskMark[] {
  const opening = changes.filter(({ risk }) => risk !== 'tightened');
  const opened = opening.flatMap((change) => change.fields.flatMap((field) => after.fields.get(field) ?? []));
  const testFiles = files.filter(({ file }) => file.startsWith('tests/'));
  const marks: readonly (readonly [RiskMark, boolean])[] = [
    ['loosens', changes.some(({ risk }) => risk === 'loosened')],
    ['mixed', changes.some(({ risk }) => risk === 'mixed' || risk === 'altered')],
    ['opens_personal', opened.some(({ classification }) => classification.kind === 'personal')],
    ['opens_level_4', opened.some(({ classification }) => classification.level >= 4)],
    ['widens_settings', settings.some(({ risk }) => risk !== 'tightened')],
    ['changes_tests', testFiles.some(({ change }) => change === 'changed')],
    ['removes_tests', testFiles.some(({ change }) => change === 'removed')],
    ['rules_without_test', tests.uncoveredRules.some((rule) => !untested.has(rule))],
    ['tests_fail', tests.failures.length > 0],
  ];
  return marks.filter(([, holds]) => holds).map(([mark]) => mark);
}
