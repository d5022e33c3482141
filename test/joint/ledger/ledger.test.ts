import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { VeilgateError } from '../../../src/errors.ts';
import { accountsOf, balances, provide, type Account } from '../../../src/joint/ledger/accounts.ts';
import { answerOf, commit, giveBack, reserve, type Question } from '../../../src/joint/ledger/charges.ts';
import type { NanoRho } from '../../../src/joint/noise/accountant.ts';
import type { Database } from '../../../src/store/database.ts';
import type { DatasetId, InstitutionId, TimeMs } from '../../../src/vocabulary.ts';
import { freshDatabase } from '../../support/database.ts';

const at = 1_800_000_000_000 as TimeMs;
const rho = (nano: number) => nano as NanoRho;
const exhausted = (error: unknown) => error instanceof VeilgateError && error.code === 'JOINT_BUDGET_EXHAUSTED';

describe('the privacy ledger', () => {
  let database: Database;
  let run = 0;
  let dataset: DatasetId;
  before(async () => {
    database = await freshDatabase({ maxConnections: 12 });
  });
  beforeEach(async () => {
    run += 1;
    dataset = `tax${run}` as DatasetId;
    await database.transaction('test', (tx) => provide(tx, [
      ...['p1', 'p2'].map((project) => ({ account: `project/${project}-${run}` as Account, total: rho(1000) })),
      ...['bank-a', 'bank-b'].map((bank) => ({ account: `institution/${bank}/${dataset}` as Account, total: rho(800) })),
      { account: `dataset/${dataset}` as Account, total: rho(1200) },
    ]));
  });

  const question = (digest: string, cost: number, institution = 'bank-a', project = 'p1'): Question => ({
    digest: `${digest} ${run}`, project: `${project}-${run}`, institution: institution as InstitutionId, cost: rho(cost),
    accounts: accountsOf(`${project}-${run}`, institution as InstitutionId, [dataset]),
  });
  const ask = (asked: Question) => database.transaction('test', (tx) => reserve(tx, asked, at));
  const answer = (asked: Question, results = [Uint8Array.of(1, 2), Uint8Array.of(3)]) => database.transaction('test', (tx) => commit(tx, asked.digest, results, 7, at));
  const spent = async () => Object.fromEntries((await balances(database, [...accountsOf(`p1-${run}`, 'bank-a' as InstitutionId, [dataset]), ...accountsOf(`p2-${run}`, 'bank-b' as InstitutionId, [dataset])])).map(({ account, spent: each }) => [account.replace(/-?\d+$/, ''), each]));

  it('charges the project, the institution and the dataset at once', async () => {
    assert.equal(await ask(question('q', 300)), 'reserved');
    assert.deepEqual(await spent(), { 'dataset/tax': 300, 'institution/bank-a/tax': 300, 'institution/bank-b/tax': 0, 'project/p1': 300, 'project/p2': 0 });
  });

  it('answers the same question the same again, at no cost: asking ten thousand times averages nothing', async () => {
    const asked = question('q', 300);
    await ask(asked);
    await answer(asked);
    for (let again = 0; again < 20; again += 1) assert.equal(await ask(asked), 'answered');
    assert.deepEqual(await answerOf(database, asked.digest), [Uint8Array.of(1, 2), Uint8Array.of(3)]);
    assert.equal((await spent())['dataset/tax'], 300);
  });

  it('refuses what one account does not cover, takes nothing from the others, and says which', async () => {
    await ask(question('q1', 700));
    await assert.rejects(ask(question('q2', 200)), (error: unknown) => {
      assert.ok(exhausted(error) && error instanceof VeilgateError);
      assert.deepEqual(error.detail?.['accounts'], [{ account: `institution/bank-a/${dataset}`, left_rho: 1e-7 }]);
      return true;
    });
    assert.equal((await spent())['project/p1'], 700);
    assert.equal(await answerOf(database, `q2 ${run}`), undefined);
  });

  it('lets two institutions that collude learn no more together than the dataset has', async () => {
    await ask(question('a', 800, 'bank-a', 'p1'));
    await assert.rejects(ask(question('b', 500, 'bank-b', 'p2')), exhausted);
    assert.equal(await ask(question('c', 400, 'bank-b', 'p2')), 'reserved');
  });

  it('refuses accounts that nobody opened: no budget was approved', async () => {
    await assert.rejects(ask({ ...question('q', 1), accounts: ['project/unknown' as Account] }), exhausted);
  });

  it('stays charged over a crash between computing and committing: the question is computed again, not free and not twice charged', async () => {
    const asked = question('q', 300);
    await ask(asked);
    await assert.rejects(database.transaction('crash', async (tx) => {
      await commit(tx, asked.digest, [Uint8Array.of(9)], 7, at);
      throw new Error('killed before the commit');
    }), /killed/);
    assert.equal(await answerOf(database, asked.digest), undefined, 'nothing left');
    assert.equal((await spent())['dataset/tax'], 300, 'and nothing was refunded');
    assert.equal(await ask(asked), 'reserved');
    assert.equal((await spent())['dataset/tax'], 300, 'nor charged again');
  });

  it('gives back what failed for good, never what left', async () => {
    const failed = question('q1', 300);
    const released = question('q2', 200);
    await ask(failed);
    await ask(released);
    await answer(released);
    for (const { digest } of [failed, released]) await database.transaction('test', (tx) => giveBack(tx, digest, at));
    assert.equal((await spent())['dataset/tax'], 200);
    assert.equal(await ask(failed), 'reserved', 'and it may be asked again, at its cost');
    assert.equal((await spent())['dataset/tax'], 500);
  });

  it('keeps one answer when two workers finish the same question', async () => {
    const asked = question('q', 300);
    await ask(asked);
    const outcomes = await Promise.all([answer(asked, [Uint8Array.of(1)]), answer(asked, [Uint8Array.of(2)])]);
    assert.deepEqual(outcomes.toSorted(), [false, true]);
    assert.deepEqual(await answerOf(database, asked.digest), [Uint8Array.of(outcomes[0] ? 1 : 2)]);
  });

  it('never spends more than there is, however many ask at once', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.integer({ min: 1, max: 400 }), fc.constantFrom('bank-a', 'bank-b')), { minLength: 5, maxLength: 14 }), fc.integer(), async (asked, salt) => {
      await Promise.all(asked.map(([cost, bank], place) => ask(question(`many ${salt} ${place}`, cost, bank, bank === 'bank-a' ? 'p1' : 'p2')).catch((error: unknown) => assert.ok(exhausted(error), String(error)))));
      for (const { total, spent: each } of await balances(database, [...accountsOf(`p1-${run}`, 'bank-a' as InstitutionId, [dataset]), ...accountsOf(`p2-${run}`, 'bank-b' as InstitutionId, [dataset])])) assert.ok(each <= total);
    }), { numRuns: 5 });
  });

  it('raises an account when more is approved and never lowers one', async () => {
    const account = `dataset/${dataset}` as Account;
    await database.transaction('test', (tx) => provide(tx, [{ account, total: rho(5000) }]));
    await database.transaction('test', (tx) => provide(tx, [{ account, total: rho(10) }]));
    assert.deepEqual(await balances(database, [account]), [{ account, total: 5000, spent: 0 }]);
  });
});
