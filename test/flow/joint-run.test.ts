import { strict as assert } from 'node:assert';
import { openAnswer, tablesOf, type OpenedAnswer } from '../../src/sdk/joint-answers.ts';
import { buildScorecard } from '../../src/sdk/joint-scorecard.ts';
import { answerDigest, askAndFetch, type Statement } from '../../src/sdk/joint-run.ts';
import { invoiceSteps, startRunStage, twinOf, type JointCase, type JointRunStage, type Twin } from '../support/joint-run.ts';
import { codeOf } from '../support/joint.ts';
import type { JointRunView } from '../../src/sdk/joint-run.ts';

describe('a small joint project, played over HTTP', () => {
  let stage: JointRunStage;
  let found: JointCase & { readonly run: JointRunView };
  /** By position: everybody's records, and the partner's bins. */
  let rows: readonly { readonly twin: Twin; readonly label: number; readonly own: number }[];

  before(async function () {
    this.timeout(120_000);
    stage = await startRunStage();
    found = await stage.ready();
    const { rows: chunks } = await stage.platform.database.query<{ codes: string }>('select codes from joint_cohort_chunk where cohort = $1 order by n', [found.cohort]);
    const codes = chunks.flatMap(({ codes: text }) => text.match(/.{18}/g) ?? []);
    rows = codes.map((code, position) => {
      const n = stage.enterprises.indexOf(code as (typeof stage.enterprises)[number]);
      const mine = found.order[position] as number;
      return { twin: twinOf(n), label: mine < 0 ? 2 : twinOf(mine).bad, own: mine < 0 ? 4 : twinOf(mine).own };
    });
  });
  after(() => stage.close());

  const ask = async (statement: Statement, rho = 0.004): Promise<OpenedAnswer> => {
    const { release, results } = await askAndFetch(stage.runs, found.run.run, statement, { rho }, 50);
    return openAnswer(found.document, found.run, found.seeds, release, results);
  };
  const near = (actual: number, expected: number, variance: number, what: string) => assert.ok(Math.abs(actual - expected) <= 7 * Math.sqrt(variance), `${what}: ${actual} for ${expected}, σ ${Math.sqrt(variance)}`);
  const count = (which: (row: (typeof rows)[number]) => boolean) => rows.filter(which).length;

  it('tables of platform columns against the partner\'s are the clear twin\'s within the noise', async () => {
    const answer = await ask({ kind: 'table', columns: ['debt', 'rating'], partner: 'own_rating' }, 0.02);
    const tables = tablesOf(answer);
    assert.deepEqual([...tables.keys()], ['debt', 'rating']);
    for (const [name, bins] of [['debt', 4], ['rating', 5]] as const) {
      const { table, variance } = tables.get(name)!;
      assert.deepEqual([table.rows, table.columns, variance], [bins, 5, 2 / (2 * 0.02)], 'one enterprise is in one cell of each of two tables');
      for (let row = 0; row < bins; row += 1) {
        for (let column = 0; column < 5; column += 1) near(table.counts[row * 5 + column]!, count(({ twin, own }) => twin[name] === row && own === column), variance, `${name} ${row} ${column}`);
      }
    }
  });

  it('weights of evidence, histograms and pairs have their tables too', async () => {
    const woe = tablesOf(await ask({ kind: 'woe', columns: ['debt'], partner: 'default' })).get('debt')!;
    for (let bin = 0; bin < 4; bin += 1) for (const label of [0, 1, 2]) near(woe.table.counts[bin * 3 + label]!, count(({ twin, label: own }) => twin.debt === bin && own === label), woe.variance, `woe ${bin} ${label}`);
    const alone = tablesOf(await ask({ kind: 'histogram', column: 'rating' })).get('rating')!;
    assert.deepEqual([alone.table.rows, alone.table.columns], [5, 1]);
    for (let bin = 0; bin < 5; bin += 1) near(alone.table.counts[bin]!, count(({ twin }) => twin.rating === bin), alone.variance, `histogram ${bin}`);
    const pair = tablesOf(await ask({ kind: 'pairs', pairs: [['debt', 'rating']] })).get('debt rating')!;
    assert.deepEqual([pair.table.rows, pair.table.columns], [4, 5]);
    for (let row = 0; row < 4; row += 1) for (let column = 0; column < 5; column += 1) near(pair.table.counts[row * 5 + column]!, count(({ twin }) => twin.debt === row && twin.rating === column), pair.variance, `pair ${row} ${column}`);
  });

  it('counts, sums, means, variances, covariances and weighted sums come from declared steps and weights', async () => {
    const answer = await ask({ kind: 'variance', column: 'invoices', partner: 'default' }, 0.06);
    assert.deepEqual(answer.groups.map(({ title, variance }) => [title, Math.round(variance)]), [['count', 25], ['sum', 25 * invoiceSteps ** 2], ['squares', 25 * invoiceSteps ** 4]]);
    const of = (label: number) => rows.filter((row) => row.label === label).map(({ twin }) => twin.invoices);
    const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
    for (const label of [0, 1, 2]) {
      near(answer.groups[0]!.sums[0]![label]!, of(label).length, answer.groups[0]!.variance, `count ${label}`);
      near(answer.groups[1]!.sums[0]![label]!, sum(of(label)), answer.groups[1]!.variance, `sum ${label}`);
      near(answer.groups[2]!.sums[0]![label]!, sum(of(label).map((value) => value * value)), answer.groups[2]!.variance, `squares ${label}`);
    }
    const all = await ask({ kind: 'mean', column: 'invoices' }, 0.02);
    near(all.groups[1]!.sums[0]![0]!, sum(rows.map(({ twin }) => twin.invoices)), all.groups[1]!.variance, 'sum over the cohort');
    const weights = [3, -2, 5, 0];
    const score = await ask({ kind: 'weighted_sum', terms: [{ column: 'debt', weights }, { column: 'invoices', weights: [2] }], partner: 'default' }, 0.02);
    assert.equal(Math.round(score.groups[0]!.variance), (5 + 2 * invoiceSteps) ** 2 * 25);
    for (const label of [0, 1]) near(score.groups[0]!.sums[0]![label]!, sum(rows.filter((row) => row.label === label).map(({ twin }) => weights[twin.debt]! + 2 * twin.invoices)), score.groups[0]!.variance, `score ${label}`);
    const together = await ask({ kind: 'covariance', columns: ['invoices', 'invoices_wide'], partner: 'default' }, 0.03);
    assert.deepEqual(together.groups.map(({ title }) => title), ['count', 'sum', 'other_sum', 'products']);
    near(together.groups[3]!.sums[0]![0]!, sum(rows.filter((row) => row.label === 0).map(({ twin }) => twin.invoices * Math.floor((twin.invoices + 1) / 2))), together.groups[3]!.variance, 'products');
    const both = await ask({ kind: 'count', partner: 'default' });
    near(both.groups[0]!.sums[0]![1]!, count(({ label }) => label === 1), both.groups[0]!.variance, 'count');
  });

  it('the same question again is the same answer, noise and all, and costs nothing', async () => {
    const statement: Statement = { kind: 'histogram', column: 'debt', partner: 'default' };
    const first = await askAndFetch(stage.runs, found.run.run, statement, { rho: 0.003 }, 50);
    const spent = await stage.partner.balances(found.project);
    const explained = await stage.runs.explain(found.run.run, statement, { rho: 0.003 });
    assert.equal(explained.known?.question, first.release.question);
    assert.equal(explained.epsilon_after, explained.epsilon_before);
    for (let again = 0; again < 20; again += 1) {
      const same = await askAndFetch(stage.runs, found.run.run, statement, { rho: 0.003 }, 50);
      assert.deepEqual(same.results, first.results);
    }
    assert.deepEqual(await stage.partner.balances(found.project), spent);
    const fresh = await stage.runs.explain(found.run.run, statement, { rho: 0.0031 });
    assert.notEqual(fresh.question, first.release.question);
    assert.ok(fresh.epsilon_after > fresh.epsilon_before, 'other noise is another question, and is paid for');
  });

  it('what a question will cost is said first, costs nothing to hear, and comes true: privacy, bytes, and seconds that grow with it', async () => {
    for (const [statement, budget] of [
      [{ kind: 'table', columns: ['debt', 'rating'], partner: 'own_rating' }, { rho: 0.0022 }], [{ kind: 'histogram', column: 'rating' }, { rho: 0.0007 }],
    ] as const) {
      const before = await stage.partner.balances(found.project);
      const explained = await stage.runs.explain(found.run.run, statement, budget);
      assert.deepEqual(await stage.partner.balances(found.project), before);
      const { release, results } = await askAndFetch(stage.runs, found.run.run, statement, budget, 50);
      const after = await stage.partner.balances(found.project);
      assert.deepEqual([explained.question, explained.parts, explained.cost_rho], [release.question, results.length, release.cost_rho]);
      assert.equal(explained.bytes, results.reduce((sum, { length }) => sum + length, 0));
      for (const { account, left_rho: left } of explained.accounts) {
        const charged = after.accounts.find((each) => each.account === account);
        assert.ok(Math.abs(left - explained.cost_rho - (charged?.left_rho ?? Number.NaN)) < 1e-9, account);
      }
      const project = after.accounts.find(({ account }) => account.startsWith('project/'));
      assert.ok(Math.abs(explained.epsilon_after - (project?.spent_epsilon ?? Number.NaN)) < 1e-9);
    }
    const seconds = async (columns: readonly string[]) => (await stage.runs.explain(found.run.run, { kind: 'table', columns, partner: 'own_rating' } as Statement, { rho: 0.001 })).seconds;
    assert.ok(await seconds(['debt', 'rating']) > 0 && await seconds(['debt', 'rating']) >= await seconds(['debt']));
  });

  it('a scorecard comes from tables alone: what it weighs is what the clear tables say, within the noise', async () => {
    const share = 0.15;
    const input = {
      document: found.document, run: found.run, seeds: found.seeds, share, pollMs: 50,
      label: { name: 'default', bins: rows.map(({ label }) => label) }, own: [{ name: 'own_rating', bins: rows.map(({ own }) => own) }],
    };
    const built = await buildScorecard(stage.runs, input);
    assert.deepEqual(built.names, ['own_rating', 'debt', 'rating']);
    assert.deepEqual(built.releases.map(({ statement }) => statement.kind), ['woe', 'table', 'pairs']);
    const mine = rows.filter(({ label }) => label < 2);
    // two, two and one noisy tables share the cost, so each cell has the same noise
    const variance = 5 / (2 * built.releases.reduce((sum, { cost_rho }) => sum + cost_rho, 0));
    const debt = built.fitted.woes[1]!.bins;
    assert.equal(debt.length, 4);
    // counts below σ are raised to it before a logarithm is taken
    for (const [bin, { good, bad }] of debt.entries()) {
      near(good, Math.max(Math.sqrt(variance), mine.filter(({ twin, label }) => twin.debt === bin && label === 0).length), variance, `good ${bin}`);
      near(bad, Math.max(Math.sqrt(variance), mine.filter(({ twin, label }) => twin.debt === bin && label === 1).length), variance, `bad ${bin}`);
    }
    assert.deepEqual(built.fitted.woes[0]!.bins.map(({ good, bad }) => good + bad), [0, 1, 2, 3].map((bin) => mine.filter(({ own }) => own === bin).length), 'own columns are exact');
    assert.ok(built.epsilon > 0 && built.epsilon < found.document.budget.epsilon);
    assert.deepEqual(built.card.features.map(({ points }) => points.length), built.fitted.chosen.map((f) => [4, 4, 5][f]));
    const again = await buildScorecard(stage.runs, input);
    assert.deepEqual([again.card, again.epsilon], [built.card, built.epsilon], 'built again, it costs nothing more');
    assert.match(built.report([{ name: 'Partner', value: 'bank-a' }]), /Default of small enterprises[\s\S]*bank-a[\s\S]*<svg/);
  });

  it('every release is in the log with its cost and digests, and listed for partner and officers', async () => {
    const releases = await stage.runs.releases(found.project);
    const records = await stage.records('joint.released');
    assert.deepEqual(records.map(({ question }) => question).sort(), releases.filter(({ state }) => state === 'released').map(({ question }) => question).sort());
    const [release] = releases;
    const record = records.find(({ question }) => question === release!.question)!;
    const results = await askAndFetch(stage.runs, found.run.run, release!.statement, { rho: release!.cost_rho });
    assert.equal(record['answer'], await answerDigest(results.results));
    assert.equal(record['costNanoRho'], Math.round(release!.cost_rho * 1e9));
    assert.equal(record['rows'], rows.length);
    const { accounts } = await stage.officers[1].balances(found.project);
    const total = records.reduce((sum, { costNanoRho }) => sum + (costNanoRho as number), 0);
    assert.equal(Math.round(accounts.find(({ account }) => account === `project/${found.project}`)!.spent_rho * 1e9), total, 'what was spent is what was released');
    assert.equal(await codeOf(stage.otherRuns.release(release!.question)), 'JOINT_RELEASE_NOT_FOUND');
    assert.equal(await codeOf(stage.otherRuns.results(release!.question, 0)), 'JOINT_RELEASE_NOT_FOUND');
    assert.equal(await codeOf(stage.otherRuns.run(found.run.run)), 'JOINT_RUN_NOT_FOUND');
  });
});
