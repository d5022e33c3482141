import { isMap, isSeq, parseDocument } from 'yaml';
import type { FieldDecision, FieldRef, Use } from '../../vocabulary.ts';
import type { CompiledPolicy } from '../policy.ts';
import type { Pack } from '../store/pack.ts';
import type { TestsText, TestText } from '../text.ts';
import { decideTest, differences } from '../vectors.ts';
import type { PolicyEdits } from './apply-purposes.ts';
import { covers } from './cell-edit.ts';
import { applied, flow, leafEnd, type Splice } from './yaml-splices.ts';

/** An expectation of the pack's tests that no longer comes true. */
export type StaleExpectation = {
  readonly file: string;
  readonly test: string;
  readonly purpose: string;
  readonly institutionClass: string;
  readonly field: FieldRef;
  readonly use: Use;
  readonly expected: string;
  readonly got: string;
  /**
   * - `renamed`  the decision is the one expected, a rule with another name makes it
   * - `edited`   it is about a cell that was edited on purpose, or a field that the purpose was given or lost
   * - `promised` the same, but the test is one of those that must stay true whoever edits a rule
   * - `other`    it is about another cell
   */
  readonly kind: 'renamed' | 'edited' | 'promised' | 'other';
};

type Place = { readonly stale: StaleExpectation; readonly test: number; readonly at: number; readonly after: TestText['expect'][number] };
/** Tests that no edit of a cell changes. */
const promises = 'tests/promises.yaml';

/** Expectations that the policy no longer meets. The test files have been checked before: they load. */
export function staleExpectations(pack: Pack, policy: CompiledPolicy, edits: PolicyEdits): StaleExpectation[] {
  return testFiles(pack).flatMap((file) => placesIn(file, pack[file] ?? '', policy, edits).map(({ stale }) => stale));
}

/** The pack with those expectations as things are now; comments and everything else stay to the letter. */
export function settleExpectations(pack: Pack, policy: CompiledPolicy, edits: PolicyEdits, kinds: readonly StaleExpectation['kind'][]): Pack {
  return { ...pack, ...Object.fromEntries(testFiles(pack).flatMap((file) => {
    const text = pack[file] ?? '';
    const places = placesIn(file, text, policy, edits).filter(({ stale }) => kinds.includes(stale.kind));
    return places.length === 0 ? [] : [[file, rewritten(text, places)]];
  })) };
}

function testFiles(pack: Pack): string[] {
  return Object.keys(pack).filter((file) => file.startsWith('tests/'));
}

function placesIn(file: string, text: string, policy: CompiledPolicy, edits: PolicyEdits): Place[] {
  const { tests } = parseDocument(text).toJS() as TestsText;
  return tests.flatMap((test, number) => {
    if (!policy.purposes.has(test.purpose)) return [];
    const { fields } = decideTest(policy, test);
    return test.expect.flatMap((expected, at): Place[] => {
      const got = fields[at] as FieldDecision;
      const wrong = differences(expected, got);
      if (wrong.length === 0) return [];
      const edited = isEdited(edits, expected, test);
      const kind = wrong.every(([name]) => name === 'rule') ? 'renamed' : !edited ? 'other' : file === promises ? 'promised' : 'edited';
      const stale = {
        file, test: test.name, purpose: test.purpose, institutionClass: test.institution_class, field: expected.field as FieldRef, use: expected.use,
        expected: wrong.map(([, want]) => want).join(', '), got: wrong.map(([, , have]) => have).join(', '), kind,
      } as const;
      return [{ stale, test: number, at, after: settled(expected, got) }];
    });
  });
}

/** True for what was changed on purpose: the cell itself, or whether the purpose needs the field. */
function isEdited({ cells, purposes }: PolicyEdits, { field, use }: TestText['expect'][number], test: TestText): boolean {
  const isNamed = purposes.some(({ purpose, minimum }) => purpose === test.purpose && [...minimum?.add ?? [], ...minimum?.remove ?? []].includes(field as FieldRef));
  return isNamed || cells.some((edit) => covers(edit, field, use, test.purpose, test.institution_class));
}

/** The same expectation of what is decided now, as precise as it was. */
function settled(expected: TestText['expect'][number], got: FieldDecision): TestText['expect'][number] {
  const { field, use, reason, rule, treatment, comparison } = expected;
  return {
    field, use, disposition: got.disposition,
    ...(reason === undefined ? {} : { reason: got.reason }), ...(rule === undefined ? {} : { rule: got.rule ?? 'none' }),
    ...(treatment === undefined ? {} : { treatment: got.treatment?.method ?? 'none' }), ...(comparison === undefined ? {} : { comparison: got.comparison?.method ?? 'none' }),
  };
}

function rewritten(text: string, places: readonly Place[]): string {
  const document = parseDocument(text);
  const splices = places.map(({ test, at, after }): Splice => {
    const expectations: unknown = document.getIn(['tests', test, 'expect'], true);
    const node = isSeq(expectations) ? expectations.items[at] : undefined;
    if (!isMap(node) || !node.range) throw new TypeError('an expectation is not where it was read');
    return { from: node.range[0], to: leafEnd(node) ?? node.range[1], text: flow(after) };
  });
  return applied(text, splices);
}
