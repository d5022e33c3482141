import { strict as assert } from 'node:assert';
import { VeilgateError } from '../../../src/errors.ts';
import type { NanoRho } from '../../../src/joint/noise/accountant.ts';
import { costOf } from '../../../src/joint/noise/accountant.ts';
import type { JointProject } from '../../../src/joint/project/document.ts';
import { binsOf } from '../../../src/joint/project/encoding.ts';
import { clearColumn } from '../../../src/joint/statement/columns.ts';
import { compileStatement, costAsked } from '../../../src/joint/statement/compile.ts';
import { questionDigest } from '../../../src/joint/statement/question.ts';
import type { Statement } from '../../../src/joint/statement/statement.ts';
import type { DatasetId, FieldRef, InstitutionId, IsoDate, PurposeCode } from '../../../src/vocabulary.ts';

const project: JointProject = {
  title: { en: 'Test', zh: '测试' }, partner: 'bank-a' as InstitutionId, purpose: 'joint_modelling' as PurposeCode, datasets: ['credit', 'tax'] as unknown as DatasetId[],
  columns: [
    { name: 'a', source: 'tax.a' as FieldRef, encoding: { kind: 'bins', edges: [1, 2] } },
    { name: 'b', source: 'tax.b' as FieldRef, encoding: { kind: 'bins', codes: ['x', 'y'] } },
    { name: 'c', source: 'credit.c' as FieldRef, encoding: { kind: 'steps', min: 0, max: 9, steps: 3 } },
    { name: 'd', source: 'credit.d' as FieldRef, encoding: { kind: 'steps', min: 0, max: 9, steps: 2 } },
  ],
  partnerColumns: [{ name: 'label', bins: 3 }], budget: { epsilon: 4, delta: 1e-6 }, bundles: 8, cohortMin: 100, endsOn: '2027-01-01' as IsoDate,
};
const cost = 1_000_000 as NanoRho;
const partner = 'label';
const statements: readonly Statement[] = [
  { kind: 'count', partner }, { kind: 'sum', column: 'c', partner }, { kind: 'mean', column: 'c' }, { kind: 'variance', column: 'c', partner }, { kind: 'covariance', columns: ['c', 'd'], partner },
  { kind: 'histogram', column: 'a' }, { kind: 'table', columns: ['a', 'b'], partner }, { kind: 'woe', columns: ['b'], partner }, { kind: 'pairs', pairs: [['a', 'b']], partner },
  { kind: 'weighted_sum', terms: [{ column: 'a', weights: [3, -7, 2, 0] }, { column: 'c', weights: [-2] }], partner },
  { kind: 'bands', terms: [{ column: 'a', weights: [3, -7, 2, 0] }, { column: 'c', weights: [-2] }], edges: [-6, 0, 3], partner },
];

/** Every combination of values that one enterprise can have. */
function everybody(): Map<string, Int16Array> {
  const counts = project.columns.map(({ encoding }) => binsOf(encoding) ?? (encoding.kind === 'steps' ? encoding.steps + 1 : 0));
  const all = counts.reduce((product, count) => product * count, 1);
  let every = 1;
  return new Map(project.columns.map(({ name }, at) => {
    const step = every;
    every *= counts[at]!;
    return [name, Int16Array.from({ length: all }, (_, row) => Math.floor(row / step) % counts[at]!)];
  }));
}

describe('statements', () => {
  it('have exactly the sensitivity that is paid for: the most that any one enterprise can change, squared and summed', () => {
    const encoded = everybody();
    const rows = encoded.get('a')!.length;
    for (const statement of statements) {
      for (const { columns, sensitivitySquared, title } of compileStatement(statement, project, rows, cost).groups) {
        const values = columns.map((column) => clearColumn(column, encoded, rows).values);
        const changes = Array.from({ length: rows }, (_, row) => values.reduce((sum, each) => sum + each[row]! ** 2, 0));
        const most = Math.max(...changes);
        // a score's bound takes each term at its own greatest, whatever their signs
        if (statement.kind === 'weighted_sum') assert.ok(most <= sensitivitySquared && sensitivitySquared === (7 + 2 * 3) ** 2);
        else assert.equal(most, sensitivitySquared, `${statement.kind} ${title}`);
      }
    }
  });

  it('put everybody into the band of the score, lower edge included, and refuse edges that do not ascend', () => {
    const encoded = everybody();
    const statement: Statement = { kind: 'bands', terms: [{ column: 'a', weights: [3, -7, 2, 0] }, { column: 'c', weights: [-2] }], edges: [-6, 0, 3] };
    const [group] = compileStatement(statement, project, 100, cost).groups;
    const found = group!.columns.map((column) => clearColumn(column, encoded, encoded.get('a')!.length).values);
    encoded.get('a')!.forEach((a, row) => {
      const score = [3, -7, 2, 0][a]! - 2 * encoded.get('c')![row]!;
      const band = score < -6 ? 0 : score < 0 ? 1 : score < 3 ? 2 : 3;
      assert.deepEqual(found.map((values) => values[row]), [0, 1, 2, 3].map((each) => (each === band ? 1 : 0)), `${score}`);
    });
    for (const broken of [{ ...statement, edges: [0, 0] }, { ...statement, edges: [3, 0] }, { ...statement, terms: [{ column: 'a', weights: [1] }] }, { ...statement, terms: [{ column: 'z', weights: [1] }] }]) {
      assert.throws(() => compileStatement(broken, project, 100, cost), (error: unknown) => error instanceof VeilgateError && error.code === 'JOINT_STATEMENT_INVALID');
    }
  });

  it('cost no more than was asked for, all groups together', () => {
    for (const statement of statements) {
      const plan = compileStatement(statement, project, 100, cost);
      const paid = plan.groups.reduce((sum, { sensitivitySquared, variance }) => sum + costOf({ numerator: BigInt(sensitivitySquared), denominator: 1n }, variance), 0);
      assert.equal(paid, plan.cost);
      assert.ok(plan.cost <= cost && plan.cost > cost - plan.groups.length);
      assert.deepEqual(compileStatement(statement, project, 100, plan.cost), plan, 'compiled again from what was charged, it is the same');
    }
  });

  it('are charged to the datasets they read, or to all when they read none', () => {
    const datasets = (statement: Statement) => compileStatement(statement, project, 100, cost).datasets;
    assert.deepEqual(datasets({ kind: 'histogram', column: 'a' }), ['tax']);
    assert.deepEqual(datasets({ kind: 'sum', column: 'c' }), ['credit']);
    assert.deepEqual(datasets({ kind: 'count', partner }), ['credit', 'tax']);
  });

  it('ask for some budget, and are the same question whatever the order of their members', () => {
    assert.equal(costAsked({ share: 0.5 }, cost), 500_000);
    for (const budget of [{ rho: 1e-10 }, { share: 0 }]) assert.throws(() => costAsked(budget, cost), (error: unknown) => error instanceof VeilgateError && error.code === 'JOINT_STATEMENT_INVALID');
    const run = { id: 'r', project: 'p', cohort: 'c', digests: ['d0', 'd1'], drawn: 1 };
    const digest = questionDigest({ kind: 'sum', column: 'c', partner }, cost, run, 's');
    assert.equal(questionDigest({ partner, column: 'c', kind: 'sum' }, cost, run, 's'), digest);
    const others = [
      questionDigest({ kind: 'mean', column: 'c', partner }, cost, run, 's'), questionDigest({ kind: 'sum', column: 'c', partner }, (cost + 1) as NanoRho, run, 's'),
      questionDigest({ kind: 'sum', column: 'c', partner }, cost, { ...run, id: 'r2' }, 's'), questionDigest({ kind: 'sum', column: 'c', partner }, cost, { ...run, drawn: 0 }, 's'),
      questionDigest({ kind: 'sum', column: 'c', partner }, cost, run, 's2'), questionDigest({ kind: 'sum', column: 'c', partner }, cost, run, null),
    ];
    assert.equal(new Set([digest, ...others]).size, 7);
  });
});
