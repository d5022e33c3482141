import { strict as assert } from 'node:assert';
import { VeilgateError, isVeilgateError } from '../../../src/errors.ts';
import type { FeatureId } from '../../../src/scoring/protocol.ts';
import { recordScoreRelease, scoreReceiversOf, scoreReleaseIn, scoreReleasesOf } from '../../../src/scoring/run/release.ts';
import { createTallies, functionalSet, type Functional, type FunctionalSet, type TallyUse } from '../../../src/scoring/run/tally.ts';
import type { ModelRef } from '../../../src/scoring/protocol.ts';
import type { Database } from '../../../src/store/database.ts';
import type { FieldRef, GrantId, InstitutionId, SubjectId } from '../../../src/vocabulary.ts';
import { freshDatabase } from '../../support/database.ts';

const bank = 'bank-a' as InstitutionId;
const subject = '91350211M000100Y43' as SubjectId;
const other = '91370202MA00QJTFYT' as SubjectId;
const functional = (id: string): Functional => ({ id, terms: [{ feature: `tax/${id}` as FeatureId, weight: 1 }] });
const set = (...ids: string[]): FunctionalSet => functionalSet(ids.map(functional));
const use = (of: FunctionalSet, about: SubjectId = subject, institution: InstitutionId = bank): TallyUse => ({ institution, subject: about, set: of });

/** At most two different functions: enough to tell what is judged together. */
const tallies = () => createTallies((functionals) => functionals.length <= 2);

describe('what scores tell together', () => {
  let database: Database;
  before(async () => {
    database = await freshDatabase();
  });
  beforeEach(() => database.query('truncate scoring_tally, scoring_functional_set'));

  const release = (uses: readonly TallyUse[], guard = tallies(), held: () => Promise<void> = async () => {}) => database.transaction('test', async (tx) => {
    const locked = await guard.lock(tx, uses);
    const results = uses.map((one) => {
      const refusal = locked.refusal(one);
      if (refusal === undefined) locked.count(one);
      return refusal?.code;
    });
    await held();
    await Promise.all(locked.statements().map((statement) => tx.query(statement)));
    return results;
  });

  it('is judged with everything the institution got of the enterprise before', async () => {
    assert.deepEqual(await release([use(set('a', 'b'))]), [undefined]);
    assert.deepEqual(await release([use(set('c'))]), ['SCORE_LIMIT_REACHED']);
    assert.deepEqual(await release([use(set('b'))]), [undefined], 'a function it has already tells nothing new');
    assert.deepEqual(await release([use(set('a', 'b'))]), [undefined], 'and the same model again neither');
  });

  it('is counted for each institution and each enterprise by itself', async () => {
    await release([use(set('a', 'b'))]);
    assert.deepEqual(await release([use(set('c'), other), use(set('c'), subject, 'bank-b' as InstitutionId)]), [undefined, undefined]);
  });

  it('has an end, also where one model after the other tells nothing new', async () => {
    const open = createTallies(() => true);
    const names = Array.from({ length: 7 }, (_, at) => `f${at}`);
    const subsets = Array.from({ length: 65 }, (_, at) => set(...names.filter((_name, bit) => ((at + 1) >> bit) % 2 === 1)));
    for (const subset of subsets.slice(0, 64)) assert.deepEqual(await release([use(subset)], open), [undefined]);
    assert.deepEqual(await release([use(subsets[64] as FunctionalSet), use(set('f0'), other)], open), ['SCORE_LIMIT_REACHED', undefined]);
    assert.deepEqual(await release([use(subsets[63] as FunctionalSet)], open), [undefined]);
  });

  it('counts within one batch too', async () => {
    assert.deepEqual(await release([use(set('a')), use(set('b')), use(set('c')), use(set('c'), other)]), [undefined, undefined, 'SCORE_LIMIT_REACHED', undefined]);
  });

  it('lets one of two concurrent scores pass when both together would tell too much', async () => {
    await release([use(set('a'))]);
    for (let round = 0; round < 5; round += 1) {
      await database.query('delete from scoring_tally');
      await release([use(set('a'))]);
      const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 20));
      const results = await Promise.all([release([use(set('b'))], tallies(), pause), release([use(set('c'))], tallies(), pause)]);
      assert.deepEqual(results.flat().toSorted(), ['SCORE_LIMIT_REACHED', undefined], `round ${round}`);
    }
  });

  it('waits also where nothing was told before', async () => {
    const one = createTallies((functionals) => functionals.length <= 1);
    const two = createTallies((functionals) => functionals.length <= 1);
    const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 20));
    const results = await Promise.all([release([use(set('b'))], one, pause), release([use(set('c'))], two, pause)]);
    assert.deepEqual(results.flat().toSorted(), ['SCORE_LIMIT_REACHED', undefined]);
  });

  it('does not deadlock over many enterprises in any order', async () => {
    const subjects = Array.from({ length: 40 }, (_, at) => `91370202MA00QJ${String(at).padStart(4, '0')}` as SubjectId);
    const rounds = await Promise.all(['a', 'b'].map((id, at) => release((at === 0 ? subjects : subjects.toReversed()).map((one) => use(set(id), one)))));
    assert.ok(rounds.flat().every((code) => code === undefined));
    const { rows } = await database.query<{ n: number }>('select count(*)::int as n from scoring_tally where cardinality(sets) = 2');
    assert.equal(rows[0]?.n, 40);
  });

  it('is judged apart before anything is spent, once for all who ask, and not again under lock', async () => {
    const judged = { under: 0, apart: 0 };
    const guard = createTallies(() => { judged.under += 1; return true; }, async (functionals) => { judged.apart += 1; return functionals.length < 3; });
    const previews = await Promise.all([1, 2, 3].map(() => guard.preview(database, [use(set('a', 'b'))])));
    assert.deepEqual(previews.map(([seen]) => seen?.refusal), [undefined, undefined, undefined]);
    assert.deepEqual(await release([use(set('a', 'b'))], guard), [undefined]);
    assert.equal((await guard.preview(database, [use(set('a', 'b', 'c'))]))[0]?.refusal?.code, 'SCORE_LIMIT_REACHED');
    assert.deepEqual(judged, { under: 0, apart: 2 });
  });

  it('is not counted when the transaction fails, or when the use was not', async () => {
    await assert.rejects(database.transaction('test', async (tx) => {
      const locked = await tallies().lock(tx, [use(set('a', 'b'))]);
      locked.count(use(set('a', 'b')));
      await Promise.all(locked.statements().map((statement) => tx.query(statement)));
      throw new Error('the log is gone');
    }));
    assert.deepEqual(await release([use(set('c', 'd'))]), [undefined]);
    await database.transaction('test', async (tx) => {
      const locked = await tallies().lock(tx, [use(set('a', 'b'), other)]);
      assert.equal(locked.refusal(use(set('a', 'b'), other)), undefined);
      await Promise.all(locked.statements().map((statement) => tx.query(statement)));
    });
    assert.deepEqual(await release([use(set('c', 'd'), other)]), [undefined]);
  });

  it('is written once where nothing was told before, and taken back where a use was refused after all', async () => {
    const told = async () => (await database.query<{ subject: string; sets: string[] }>('select subject, sets from scoring_tally order by subject')).rows;
    const subjects = [subject, other].toSorted();
    await database.transaction('test', async (tx) => {
      const locked = await tallies().lock(tx, subjects.map((about) => use(set('a'), about)));
      locked.count(use(set('a'), subjects[0]));
      const statements = locked.statements();
      assert.deepEqual(statements.map(({ name }) => name), ['scoring write functional sets', 'scoring write tallies']);
      assert.deepEqual(statements[1]?.values?.[1], `{${subjects[1]}}`);
      await Promise.all(statements.map((statement) => tx.query(statement)));
    });
    assert.deepEqual(await told(), [{ subject: subjects[0], sets: [set('a').digest] }, { subject: subjects[1], sets: [] }]);
    await release([use(set('a'), subjects[1])]);
    assert.deepEqual((await told()).map(({ sets }) => sets), [[set('a').digest], [set('a').digest]]);
  });

  it('can be asked for without counting', async () => {
    await release([use(set('a', 'b'))]);
    const [same, more] = await tallies().preview(database, [use(set('a', 'b')), use(set('c'))]);
    assert.deepEqual(same?.obtained.map(({ id }) => id).toSorted(), ['a', 'b']);
    assert.equal(same?.refusal, undefined);
    assert.equal(more?.refusal?.code, 'SCORE_LIMIT_REACHED');
    assert.deepEqual(await release([use(set('b'))]), [undefined]);
  });

  it('stays known to processes that start later, and does not depend on the order of functions', async () => {
    await release([use(set('a', 'b'))]);
    const [seen] = await createTallies((functionals) => functionals.length <= 2).preview(database, [use(set('c'))]);
    assert.equal(seen?.refusal?.code, 'SCORE_LIMIT_REACHED');
    assert.equal(set('a', 'b').digest, set('b', 'a').digest);
    assert.notEqual(set('a', 'b').digest, set('a').digest);
  });

  it('refuses a use that was not locked, and more at once than a transaction should hold', async () => {
    await assert.rejects(database.transaction('test', async (tx) => (await tallies().lock(tx, [])).refusal(use(set('a')))), (error) => error instanceof VeilgateError && error.code === 'INTERNAL');
    await assert.rejects(database.transaction('test', (tx) => tallies().lock(tx, Array.from({ length: 8193 }, () => use(set('a'))))), (error) => isVeilgateError(error, 'REQUEST_TOO_LARGE'));
  });
});

describe('releases of many scores', () => {
  it('stand in the history of each enterprise, newest first, by institution, in pages', async () => {
    const database = await freshDatabase();
    const record = (entry: number, institution: string, subjects: readonly SubjectId[], { model = 'sme@1', grant = 'g', disputed = [] as FieldRef[] } = {}) =>
      database.transaction('test', (tx) => recordScoreRelease(tx, { entry, institution: institution as InstitutionId, model: model as ModelRef, released: subjects.map((each) => ({ subject: each, grant: grant as GrantId, ...(each === subject ? { disputed } : {}) })) }));
    await record(3, 'bank-a', [subject, other], { disputed: ['tax.arrears', 'tax.rating'] as FieldRef[] });
    await record(5, 'bank-b', [subject]);
    await record(9, 'bank-a', []);
    const entries = async (of: SubjectId, options: Parameters<typeof scoreReleasesOf>[2]) => (await scoreReleasesOf(database, of, options)).map(({ entry }) => entry);
    assert.deepEqual(await entries(subject, { limit: 10 }), [5, 3]);
    assert.deepEqual(await entries(subject, { limit: 10, beforeEntry: 5 }), [3]);
    assert.deepEqual(await entries(subject, { limit: 10, institution: 'bank-a' }), [3]);
    assert.deepEqual(await entries(subject, { limit: 1 }), [5]);
    assert.deepEqual(await scoreReleasesOf(database, other, { limit: 10 }), [{ entry: 3, disputed: [] }], 'what another enterprise disputes is not told');
    assert.deepEqual(await scoreReleaseIn(database, subject, 3), { entry: 3, disputed: ['tax.arrears', 'tax.rating'] });
    assert.equal(await scoreReleaseIn(database, other, 5), undefined);

    await record(11, 'bank-a', [subject]);
    await record(12, 'bank-a', [subject], { grant: 'h' });
    await record(13, 'bank-a', [subject], { model: 'other@1' });
    const received = (of: SubjectId, ...models: string[]) => scoreReceiversOf(database, of, models as ModelRef[], 1);
    assert.deepEqual(await received(subject, 'sme@1'), [
      { institution: 'bank-a', grant: 'g', received: 2, entries: [11] }, { institution: 'bank-a', grant: 'h', received: 1, entries: [12] }, { institution: 'bank-b', grant: 'g', received: 1, entries: [5] },
    ], 'who received them, under which grant and how often, with the newest entries');
    assert.deepEqual(await received(subject, 'other@1'), [{ institution: 'bank-a', grant: 'g', received: 1, entries: [13] }]);
    assert.deepEqual([await received(other, 'other@1'), await received(subject)], [[], []]);
  });
});
