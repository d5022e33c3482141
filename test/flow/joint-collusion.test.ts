import { strict as assert } from 'node:assert';
import { epsilonOf, nanoRhoPerRho, type NanoRho } from '../../src/joint/noise/accountant.ts';
import { jointRunClient, bundleSpec, holdLottery, newSeeds, askAndFetch, uploadBundle, type JointRunClient, type JointRunView, type JointSeeds, type Statement } from '../../src/sdk/joint-run.ts';
import { openAnswer } from '../../src/sdk/joint-answers.ts';
import type { JointClient } from '../../src/sdk/joint.ts';
import { consentTo } from '../support/joint.ts';
import { startRunStage, twinOf, type JointRunStage } from '../support/joint-run.ts';

const enterprises = 120;
/** ε of everything that all institutions together may learn of a dataset, in this test. */
const togetherEpsilon = 5;
/** The one enterprise that is in one institution's cohort and not in the other's. */
const apart = 7;

type Party = { readonly name: string; readonly project: string; readonly runs: JointRunClient; readonly run: JointRunView; readonly seeds: JointSeeds };

describe('two institutions that put together what they learn', () => {
  let stage: JointRunStage;
  let parties: readonly [Party, Party];
  const statement: Statement = { kind: 'histogram', column: 'debt' };
  before(async function () {
    this.timeout(120_000);
    stage = await startRunStage(enterprises, [['dataset: { epsilon: 16', `dataset: { epsilon: ${togetherEpsilon}`]]);
    await consentTo(stage.platform.database, 'partner-b', stage.enterprises.filter((_, n) => n !== apart), stage.document.columns.map(({ source }) => source));
    parties = [await playedBy('bank-a', stage.partner, stage.runs), await playedBy('partner-b', stage.other, jointRunClient(await stage.platform.connect('partner-b', 'query')))];
  });
  after(() => stage.close());

  /** A project of its own over the same datasets, with the lottery won. */
  async function playedBy(name: string, joint: JointClient, runs: JointRunClient): Promise<Party> {
    const document = { ...stage.document, partner: name };
    const project = await stage.approved(document);
    const cohort = await joint.formCohort(project);
    const seeds = newSeeds(project, cohort.id, document.bundles);
    const spec = bundleSpec(seeds, cohort.size, document);
    const { run } = await holdLottery(runs, spec, seeds, { pollMs: 50 });
    return { name, project, runs, seeds, run: await uploadBundle(runs, spec, seeds, run, { pollMs: 50 }) };
  }
  const ask = async ({ runs, run, seeds, name }: Party, share: number) => {
    const { release, results } = await askAndFetch(runs, run.run, statement, { share }, 50);
    const answer = await openAnswer({ ...stage.document, partner: name }, run, seeds, release, results);
    return { cost: release.cost_rho, variance: answer.groups[0]!.variance, counts: answer.groups[0]!.sums.map(([sum]) => sum!) };
  };
  const accountsOf = async (party: Party) => new Map((await stage.officers[0].balances(party.project)).accounts.map((each) => [each.account, each]));

  it('read an enterprise\'s value off the difference of their cohorts where nothing is added, and noise alone where it is', async () => {
    // the cohorts of two institutions are not held apart by k: neither is told the other's. The naive answers:
    const naive = (without: number | undefined) => [0, 1, 2, 3].map((bin) => stage.enterprises.filter((_, n) => n !== without && twinOf(n).debt === bin).length);
    const difference = naive(undefined).map((count, bin) => count - naive(apart)[bin]!);
    assert.deepEqual(difference, [0, 1, 2, 3].map((bin) => (bin === twinOf(apart).debt ? 1 : 0)), 'exactly its bin');

    assert.deepEqual(parties.map(({ run }) => run.rows), [enterprises, enterprises - 1]);
    const [one, other] = [await ask(parties[0], 0.2), await ask(parties[1], 0.2)];
    const noise = Math.sqrt(one.variance + other.variance);
    assert.ok(noise > 2, 'an enterprise is one; the noise of the difference is more');
    one.counts.forEach((count, bin) => assert.ok(Math.abs(count - other.counts[bin]! - difference[bin]!) <= 7 * noise));
  });

  it('spend from one account of the dataset: both costs count there, each in its own', async () => {
    const [first, second] = [await accountsOf(parties[0]), await accountsOf(parties[1])];
    const spent = (accounts: typeof first, account: string) => accounts.get(account)?.spent_rho ?? NaN;
    const own = [spent(first, 'institution/bank-a/financials'), spent(second, 'institution/partner-b/financials')] as const;
    assert.ok(own[0] > 0 && own[1] > 0);
    assert.ok(Math.abs(spent(first, 'dataset/financials') - own[0] - own[1]) < 1e-9);
    assert.deepEqual(first.get('dataset/financials'), second.get('dataset/financials'));
    const { delta } = stage.document.budget;
    assert.ok(epsilonOf(Math.round(first.get('dataset/financials')!.total_rho * nanoRhoPerRho) as NanoRho, delta) <= togetherEpsilon, 'what all of it can tell of one enterprise, by sequential composition');
  });

  it('are stopped by that account where each alone would have budget left', async () => {
    await ask(parties[0], 0.7);
    const accounts = await accountsOf(parties[1]);
    const left = (account: string) => accounts.get(account)?.left_rho ?? NaN;
    const total = accounts.get(`project/${parties[1].project}`)!.total_rho;
    const asked = total * 0.7;
    assert.ok(left(`project/${parties[1].project}`) > asked && left('institution/partner-b/financials') > asked, 'accounts of one\'s own alone, the naive ledger, would pay for it');
    assert.ok(left('dataset/financials') < asked);
    await assert.rejects(ask(parties[1], 0.7), (error: { readonly code?: string; readonly detail?: { readonly accounts?: readonly { readonly account: string }[] } }) => {
      assert.equal(error.code, 'JOINT_BUDGET_EXHAUSTED');
      assert.deepEqual(error.detail?.accounts?.map(({ account }) => account), ['dataset/financials']);
      return true;
    });
    assert.deepEqual(await accountsOf(parties[1]), accounts, 'and nothing was spent');
  });
});
