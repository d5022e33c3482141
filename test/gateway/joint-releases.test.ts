import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { unloggedStanding } from '../../src/gateway/use-cases/policy-standing.ts';
import { composeJoint } from '../../src/gateway/joint.ts';
import { answerQuestion } from '../../src/gateway/use-cases/joint-release.ts';
import { openKeyring } from '../../src/identity/keyring.ts';
import { loadPolicyPack } from '../../src/policy/load.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import { askAndFetch, fetchResults, type JointRunView, type Statement } from '../../src/sdk/joint-run.ts';
import { codeOf, ruleOf } from '../support/joint.ts';
import { startRunStage, type JointCase, type JointRunStage } from '../support/joint-run.ts';

/** More than the other tests need. */
const refusalsPerMinute = 30;

describe('questions of joint runs', () => {
  let stage: JointRunStage;
  let found: JointCase & { readonly run: JointRunView };
  let work: (question: string, onStep?: (step: 'staged' | 'computed') => Promise<void>, sliceColumns?: number) => Promise<void>;
  before(async function () {
    this.timeout(120_000);
    stage = await startRunStage(120, [], { VEILGATE_REFUSALS_PER_MINUTE: String(refusalsPerMinute) });
    found = await stage.ready();
    const { config, database } = stage.platform;
    const catalogue = loadCatalogue(path.join(config.policyFolder, 'catalogue'));
    const policy = loadPolicyPack(config.policyFolder, catalogue);
    const desk = composeJoint({ config, database, clock: systemClock, catalogue, standing: unloggedStanding(() => policy), secrets: openKeyring(config.keysFolder, systemClock).maskSecrets });
    work = (question, onStep = async () => {}, sliceColumns = 256) => answerQuestion({ ...desk, onStep, sliceColumns }, question);
    await stage.stopWorker();
  });
  after(() => stage.close());

  const ask = (statement: unknown, rho = 0.001) => stage.runs.ask(found.run.run, statement as Statement, { rho });
  const spent = async () => (await stage.partner.balances(found.project)).accounts.map(({ account, spent_rho }) => [account, spent_rho] as const);
  const debt = (partner = 'default'): Statement => ({ kind: 'histogram', column: 'debt', partner });

  it('are refused beyond what the project declares, by the rule that says no; it is logged, and nothing is spent', async () => {
    const before = await spent();
    const wrong: readonly (readonly [unknown, string, number?])[] = [
      [{ kind: 'table', columns: ['net_value'], partner: 'default' }, 'columns'], [{ kind: 'table', columns: ['debt', 'debt'], partner: 'default' }, 'columns'],
      [{ kind: 'histogram', column: 'debt', partner: 'income' }, 'partner'], [{ kind: 'sum', column: 'debt', partner: 'default' }, 'steps'],
      [{ kind: 'histogram', column: 'invoices', partner: 'default' }, 'bins'], [{ kind: 'pairs', pairs: [['debt', 'debt']] }, 'pairs'],
      [{ kind: 'weighted_sum', terms: [{ column: 'debt', weights: [1, 2] }] }, 'weights'], [{ kind: 'weighted_sum', terms: [{ column: 'debt', weights: [0, 0, 0, 0] }] }, 'weights'],
      [debt(), 'noise', 1], [{ kind: 'sum', column: 'invoices' }, 'noise', 1e-9], [debt(), 'cost', 1e-10],
    ];
    const logged = (await stage.records('joint.refused')).length;
    for (const [statement, rule, rho] of wrong) {
      assert.equal(await ruleOf(ask(statement, rho)), rule, JSON.stringify(statement));
    }
    assert.deepEqual((await stage.records('joint.refused')).slice(logged).map(({ code, rule }) => [code, rule]), wrong.map(([, rule]) => ['JOINT_STATEMENT_INVALID', rule]));
    assert.equal(await codeOf(ask({ kind: 'weighted_sum', terms: [{ column: 'invoices', weights: [10_000] }] })), 'JOINT_STATEMENT_INVALID');
    assert.equal(await codeOf(ask({ kind: 'weighted_sum', terms: [{ column: 'invoices', weights: [5_000] }] }, 0.5)), 'JOINT_BOUND_EXCEEDED', 'what the circuit cannot hold');
    for (const malformed of [{ kind: 'minimum', column: 'debt' }, { kind: 'sum' }, { ...debt(), where: 'x' }, { kind: 'table', columns: [], partner: 'default' }]) {
      assert.equal(await codeOf(ask(malformed)), 'JOINT_STATEMENT_INVALID', JSON.stringify(malformed));
    }
    assert.equal(await codeOf(stage.otherRuns.ask(found.run.run, debt(), { rho: 0.001 })), 'JOINT_RUN_NOT_FOUND');
    assert.deepEqual(await spent(), before);
  });

  it('that a worker was killed over, between computing and releasing, are charged once and answered as they were computed', async () => {
    const { database } = stage.platform;
    const { question, state } = await ask(debt());
    assert.equal(state, 'asked');
    const reserved = await spent();
    const child = spawn(process.execPath, [path.join(import.meta.dirname, '../support/joint-killed.ts'), 'answer', database.url, question], { stdio: 'ignore' });
    const signal = await new Promise((resolve) => child.once('exit', (_code, by) => resolve(by)));
    assert.equal(signal, 'SIGKILL');
    const staged = (await database.query<{ result: Buffer }>('select result from joint_staged where question = $1 order by part', [question])).rows;
    assert.equal(staged.length, 4);
    assert.deepEqual(await spent(), reserved, 'a crash gives nothing back');
    assert.equal(await codeOf(stage.runs.results(question, 0)), 'JOINT_RELEASE_NOT_READY');
    assert.equal((await stage.records('joint.released')).length, 0);
    assert.equal((await ask(debt())).state, 'asked', 'asking again is no second charge');
    await Promise.all([work(question), work(question)]);
    assert.deepEqual(await spent(), reserved);
    const results = await fetchResults(stage.runs, await stage.runs.release(question));
    assert.deepEqual(results.map((each) => Buffer.from(each)), staged.map(({ result }) => result));
    assert.deepEqual((await stage.records('joint.released')).map(({ question: of }) => of), [question], 'once');
    await work(question);
    assert.deepEqual((await askAndFetch(stage.runs, found.run.run, debt(), { rho: 0.001 })).results, results);
    assert.equal(await codeOf(stage.runs.results(question, 4)), 'JOINT_RELEASE_NOT_READY');
    assert.equal(await codeOf(stage.runs.release('a'.repeat(64))), 'JOINT_RELEASE_NOT_FOUND');
  });

  it('may be asked again at the very moment they are released: nobody waits for the other in a circle', async () => {
    for (let round = 0; round < 12; round += 1) {
      const rho = 0.0002 + round * 1e-6;
      const statement: Statement = { kind: 'histogram', column: 'rating' };
      const { question } = await ask(statement, rho);
      const again: Promise<unknown>[] = [];
      await work(question, async (step) => {
        if (step === 'computed') again.push(...Array.from({ length: 12 }, () => ask(statement, rho)));
      });
      for (const asked of await Promise.all(again)) assert.equal((asked as { question: string }).question, question);
      assert.equal((await stage.runs.release(question)).state, 'released');
    }
  });

  it('of many columns are computed in slices; each slice once, whoever comes after a crash', async () => {
    const { database } = stage.platform;
    const { question, parts } = await ask({ kind: 'table', columns: ['debt', 'rating'], partner: 'default' });
    assert.equal(parts, 9);
    const staged = async () => (await database.query<{ part: number; result: Buffer }>('select part, result from joint_staged where question = $1 order by part', [question])).rows;
    await assert.rejects(work(question, async () => { throw new Error('power cut'); }, 4), /power cut/);
    const first = await staged();
    assert.deepEqual(first.map(({ part }) => part), [0, 1, 2, 3]);
    const steps: string[] = [];
    await work(question, async (step) => { steps.push(step); }, 4);
    assert.deepEqual(steps, ['staged', 'staged', 'computed'], 'two slices were left');
    const results = await fetchResults(stage.runs, await stage.runs.release(question));
    assert.deepEqual(results.slice(0, 4).map((each) => Buffer.from(each)), first.map(({ result }) => result));
    assert.deepEqual(await staged(), []);
  });

  it('that break every worker are given up after five, and given back', async () => {
    const statement: Statement = { kind: 'histogram', column: 'debt' };
    const before = await spent();
    const { question } = await ask(statement);
    for (let attempt = 0; attempt < 5; attempt += 1) await assert.rejects(work(question, async () => { throw new Error('broken'); }), /broken/);
    assert.equal((await stage.runs.release(question)).state, 'asked');
    await work(question);
    const { state, reason } = await stage.runs.release(question);
    assert.deepEqual([state, reason], ['failed', 'HE_EVALUATION_FAILED']);
    assert.deepEqual(await spent(), before);
  });

  it('end where a budget does: the project\'s, the institution\'s, or that of a dataset others have drawn from', async () => {
    const { database } = stage.platform;
    const accountsOf = (attempt: Promise<unknown>): Promise<string[]> => attempt.then((): string[] => [], (error: { readonly detail?: { readonly accounts?: readonly { readonly account: string }[] } }) => (error.detail?.accounts ?? []).map(({ account }) => account));
    const before = await spent();
    // what another institution has learnt of the same dataset counts too
    const { rows: [held] } = await database.query<{ spent: number }>("select spent from joint_account where account = 'dataset/financials'");
    await database.query("update joint_account set spent = total where account = 'dataset/financials'");
    assert.equal(await codeOf(ask(debt('own_rating'))), 'JOINT_BUDGET_EXHAUSTED');
    assert.deepEqual(await accountsOf(ask(debt('own_rating'))), ['dataset/financials']);
    assert.equal((await ask({ kind: 'histogram', column: 'rating', partner: 'default' })).state, 'asked', 'the other dataset has its own');
    await database.query("update joint_account set spent = $1 where account = 'dataset/financials'", [held?.spent]);
    const { accounts } = await stage.partner.balances(found.project);
    const left = accounts.find(({ account }) => account === `project/${found.project}`)!.left_rho;
    assert.ok((await accountsOf(ask({ kind: 'count', partner: 'default' }, left + 0.001))).includes(`project/${found.project}`));
    assert.equal((await stage.records('joint.refused')).filter(({ code }) => code === 'JOINT_BUDGET_EXHAUSTED').length, 3);
    assert.equal((await spent()).reduce((sum, [, rho]) => sum + rho, 0) > before.reduce((sum, [, rho]) => sum + rho, 0), true);
  });

  it('over a cohort of which one enterprise has withdrawn are never answered; what was charged comes back', async () => {
    const statement: Statement = { kind: 'histogram', column: 'rating', partner: 'own_rating' };
    const before = await spent();
    const { question } = await ask(statement);
    const { database } = stage.platform;
    const { rows: [grant] } = await database.query<{ id: string; subject: string }>("select id, subject from consent_grant where institution = 'bank-a' limit 1");
    // withdrawn when everything is computed and nothing has left
    const steps: string[] = [];
    await work(question, async (step) => {
      steps.push(step);
      if (step === 'computed') await database.query("update consent_grant set state = 'revoked' where id = $1", [grant?.id]);
    });
    assert.deepEqual(steps, ['staged', 'computed']);
    assert.deepEqual((await database.query('select 1 from joint_staged where question = $1 union all select 1 from joint_answer where question = $1', [question])).rows, [], 'what was computed is gone');
    const { state, reason } = await stage.runs.release(question);
    assert.deepEqual([state, reason], ['failed', 'COHORT_STALE']);
    assert.deepEqual(await spent(), before);
    assert.deepEqual((await stage.records('joint.refused')).at(-1)?.['code'], 'COHORT_STALE');
    assert.equal((await ask(statement)).state, 'asked', 'asked again, it is charged and refused again');
    await work(question);
    assert.deepEqual(await spent(), before);
  });

  it('fill the log with no more than some refusals a minute, however many are asked', async () => {
    const before = (await stage.records('joint.refused')).length;
    const asked = await Promise.all(Array.from({ length: 100 }, () => codeOf(ask({ kind: 'table', columns: ['net_value'], partner: 'default' }))));
    assert.deepEqual([...new Set(asked)], ['JOINT_STATEMENT_INVALID']);
    const added = (await stage.records('joint.refused')).length - before;
    assert.ok(added <= 2 * refusalsPerMinute, `${added} entries in at most two minutes`);
  });
});
