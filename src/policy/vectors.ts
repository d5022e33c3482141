import type { ConsentState, Decision, FieldDecision, FieldRef, InstitutionClass, PurposeCode } from '../vocabulary.ts';
import { decidingRules } from './cell.ts';
import { readPolicyDocument, type PolicyDocument } from './document.ts';
import { listYaml, readFile, type PolicyFile } from './load.ts';
import { matches } from './pattern.ts';
import type { CompiledPolicy } from './policy.ts';
import { policyBroken, type Problem } from './problem.ts';
import { uses } from './rule.ts';
import { shapeProblems } from './shape.ts';
import type { TestsText, TestText } from './text.ts';

export type PolicyTestReport = {
  readonly tests: number;
  /** Expectations that did not come true, each at its place in the test file. */
  readonly failures: readonly (Problem & { readonly test: string })[];
  /**
   * Rules that opened or denied something in at least one test, and those that did not. A deny of what nobody of
   * its classes is opened anyway is in neither list: no decision can name it.
   */
  readonly coveredRules: readonly string[];
  readonly uncoveredRules: readonly string[];
};

/** Test files of a pack: `tests/*.yaml`. Errors: POLICY_BROKEN. */
export function readPolicyTests(folder: string): PolicyFile[] {
  const problems: Problem[] = [];
  const files = listYaml(folder, 'tests', problems).flatMap((file) => readFile(folder, file, problems) ?? []);
  if (problems.length > 0) throw policyBroken(problems);
  return files;
}

/** Runs test vectors against a policy. Errors: POLICY_BROKEN when a test file itself is broken. */
export function runPolicyTests(policy: CompiledPolicy, files: readonly PolicyFile[]): PolicyTestReport {
  const documents = parseTests(files);
  const failures: (Problem & { test: string })[] = [];
  const covered = new Set<string>();
  let tests = 0;
  for (const document of documents) {
    for (const [at, test] of (document.value as TestsText).tests.entries()) {
      tests += 1;
      for (const { pointer, problem } of runTest(policy, test, covered)) {
        failures.push({ ...document.problemAt(`/tests/${at}${pointer}`, problem), test: test.name });
      }
    }
  }
  const ids = [...nameableRules(policy)].toSorted();
  return {
    tests,
    failures,
    coveredRules: ids.filter((id) => covered.has(id)),
    uncoveredRules: ids.filter((id) => !covered.has(id)),
  };
}

function nameableRules(policy: CompiledPolicy): Set<string> {
  const ids = new Set<string>();
  for (const purpose of policy.purposes.keys()) {
    for (const institutionClass of policy.institutionClasses.keys()) {
      for (const field of policy.fields.keys()) {
        for (const use of uses) {
          const cell = policy.cell(purpose, institutionClass, field, use);
          if (cell !== undefined) for (const id of decidingRules(cell)) ids.add(id);
        }
      }
    }
  }
  return ids;
}

function parseTests(files: readonly PolicyFile[]): PolicyDocument[] {
  const problems: Problem[] = [];
  const documents = files.flatMap(({ file, bytes }) => {
    const { document, problems: found } = readPolicyDocument(file, bytes);
    problems.push(...found);
    if (document === undefined) return [];
    problems.push(...shapeProblems('tests', document));
    return [document];
  });
  if (problems.length > 0) throw policyBroken(problems);
  return documents;
}

function runTest(policy: CompiledPolicy, test: TestText, covered: Set<string>): { pointer: string; problem: string }[] {
  if (!policy.purposes.has(test.purpose)) return [{ pointer: '/purpose', problem: 'the policy knows no such purpose' }];
  const decision = decideTest(policy, test);
  return test.expect.flatMap((expected, at) => {
    const got = decision.fields[at] as FieldDecision;
    if (got.rule !== null && got.disposition !== 'withhold' || got.reason === 'denied_by_rule') covered.add(got.rule as string);
    const problem = difference(expected, got);
    return problem === undefined ? [] : [{ pointer: `/expect/${at}`, problem }];
  });
}

/** What the policy decides in the situation of a test, expectation by expectation. Errors: POLICY_PURPOSE_UNKNOWN. */
export function decideTest(policy: CompiledPolicy, test: TestText): Decision {
  return policy.decide({
    purpose: test.purpose as PurposeCode,
    institutionClass: test.institution_class as InstitutionClass,
    asked: test.expect.map(({ field, use }) => ({ field: field as FieldRef, use })),
    consent: test.consent === 'no_grant' ? null : consentOf(policy, test.consent),
    facts: new Map(Object.entries(test.facts ?? {})),
  });
}

/** Later patterns override earlier ones, so that a test can say "all of it, but not this". */
function consentOf(policy: CompiledPolicy, consent: Readonly<Record<string, ConsentState>>): Map<FieldRef, ConsentState> {
  const states = new Map<FieldRef, ConsentState>();
  for (const [pattern, state] of Object.entries(consent)) {
    if (!pattern.includes('*')) states.set(pattern as FieldRef, state);
    else for (const field of policy.fields.keys()) if (matches(pattern, field)) states.set(field, state);
  }
  return states;
}

type Expectation = TestText['expect'][number];

/** In what a decision is other than expected. */
export function differences(expected: Expectation, got: FieldDecision): [name: 'disposition' | 'reason' | 'rule' | 'treatment' | 'comparison', want: string | undefined, have: string][] {
  const pairs: ReturnType<typeof differences> = [
    ['disposition', expected.disposition, got.disposition],
    ['reason', expected.reason, got.reason],
    ['rule', expected.rule, got.rule ?? 'none'],
    ['treatment', expected.treatment, got.treatment?.method ?? 'none'],
    ['comparison', expected.comparison, got.comparison?.method ?? 'none'],
  ];
  return pairs.filter(([, want, have]) => want !== undefined && want !== have);
}

function difference(expected: Expectation, got: FieldDecision): string | undefined {
  const wrong = differences(expected, got);
  if (wrong.length === 0) return undefined;
  const clauses = wrong.map(([name, want, have]) => `${name} ${want} expected, got ${have}`);
  return `${expected.field} ${expected.use}: ${clauses.join('; ')} (reason ${got.reason}, rule ${got.rule ?? 'none'})`;
}
