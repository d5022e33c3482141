import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isVeilgateError } from '../../src/errors.ts';
import { namePrefix } from '../../src/gateway/use-cases/models.ts';
import { approvedModel } from '../../src/scoring/model/registry.ts';
import type { ModelJson } from '../../src/scoring/model/document.ts';
import type { ModelFinding } from '../../src/scoring/model/verdict.ts';
import type { ModelRef } from '../../src/scoring/protocol.ts';
import { modelsClient } from '../../src/sdk/models.ts';
import type { PartyId } from '../../src/vocabulary.ts';
import { startTestPlatform, type TestPlatform } from '../support/gateway.ts';
import { root } from '../support/sources.ts';

type Models = ReturnType<typeof modelsClient>;
const sample = (name: string) => JSON.parse(readFileSync(path.join(root, `sample/models/${name}.json`), 'utf8')) as ModelJson;
const linear = sample('solvency_linear-1');
const scorecard = sample('sme_scorecard-1');
const codeOf = (attempt: Promise<unknown>) => attempt.then(() => 'done', (error: unknown) => (isVeilgateError(error) ? error.code : error));

describe('models at the gateway', () => {
  let platform: TestPlatform;
  let author: Models;
  let reviewer: Models;
  let bankA: Models;
  let bankB: Models;
  let bureau: Models;

  before(async function () {
    this.timeout(60_000);
    platform = await startTestPlatform();
    await platform.registrar.registerOfficer({ id: 'officer-second', name: { en: 'Second', zh: '第二' }, roles: ['compliance'], key: (await platform.credentials('officer-second')).signing.publicJwk });
    await platform.compliance.approveOfficer('officer-second');
    author = modelsClient(await platform.connect('officer-compliance', 'compliance'));
    reviewer = modelsClient(await platform.connect('officer-second', 'compliance'));
    await platform.bank('bank-a');
    await platform.bank('bank-b');
    await platform.bank('bureau-c', { institutionClass: 'credit_bureau' });
    [bankA, bankB, bureau] = await Promise.all(['bank-a', 'bank-b', 'bureau-c'].map(async (id) => modelsClient(await platform.connect(id, 'query')))) as [Models, Models, Models];
  });
  after(() => platform.close());

  it('takes a proposal, has somebody else approve the very document, and logs each step', async () => {
    const { ref, state, digest } = await author.propose(linear);
    assert.deepEqual([ref, state], ['solvency_linear@1', 'proposed']);
    assert.equal(await approvedModel(platform.database, ref as ModelRef), undefined, 'a proposal is not in use');
    assert.equal(await codeOf(author.approve(ref, digest)), 'MODEL_SAME_PERSON');
    assert.equal(await codeOf(reviewer.approve(ref, 'f'.repeat(64))), 'MODEL_CHANGED');
    assert.deepEqual(await reviewer.approve(ref, digest), { ref, state: 'approved' });
    assert.equal(await codeOf(reviewer.approve(ref, digest)), 'MODEL_STATE_CONFLICT');
    assert.equal((await approvedModel(platform.database, ref as ModelRef))?.terms.length, 20);
    const { rows } = await platform.database.query<{ kind: string; actor: string; model: string; digest: string }>("select kind, record::jsonb ->> 'actor' as actor, record::jsonb ->> 'model' as model, record::jsonb ->> 'digest' as digest from audit_entry where kind like 'model.%' order by index");
    assert.deepEqual(rows, [{ kind: 'model.proposed', actor: 'officer-compliance', model: ref, digest }, { kind: 'model.approved', actor: 'officer-second', model: ref, digest }]);
  });

  it('never gives a name and version twice, and repeats a proposal sent twice under one key', async () => {
    assert.equal(await codeOf(author.propose({ ...linear, offset: 1 })), 'MODEL_EXISTS');
    const next = { ...linear, ref: 'solvency_linear@2', offset: 5 };
    const first = await author.propose(next, 'propose-linear-2');
    assert.deepEqual(await author.propose(next, 'propose-linear-2'), first);
    assert.equal(await codeOf(author.propose({ ...next, offset: 6 }, 'propose-linear-2')), 'IDEMPOTENCY_KEY_REUSED');
    assert.deepEqual(await reviewer.refuse('solvency_linear@2', first.digest, 'no_need'), { ref: 'solvency_linear@2', state: 'refused' });
    assert.equal((await reviewer.read('solvency_linear@2')).reason, 'no_need');
    assert.equal(await codeOf(reviewer.approve('solvency_linear@2', first.digest)), 'MODEL_STATE_CONFLICT');
  });

  it('lets one of two decide when both decide at once', async () => {
    const { ref, digest } = await author.propose({ ...linear, ref: 'raced@1' });
    const outcomes = await Promise.all([codeOf(reviewer.approve(ref, digest)), codeOf(reviewer.refuse(ref, digest, 'no_need')), codeOf(reviewer.approve(ref, digest))]);
    assert.deepEqual(outcomes.toSorted(), ['MODEL_STATE_CONFLICT', 'MODEL_STATE_CONFLICT', 'done']);
  });

  it('shows institutions the models meant for them and no others; unknown and foreign look alike', async () => {
    const { ref, digest } = await author.propose({ ...scorecard, institutions: ['bank-b'] });
    assert.equal(await codeOf(bankB.read(ref)), 'MODEL_NOT_FOUND', 'not before it is approved');
    await reviewer.approve(ref, digest);
    assert.equal((await bankB.read(ref)).digest, digest);
    assert.equal(await codeOf(bankA.read(ref)), 'MODEL_NOT_FOUND');
    assert.equal(await codeOf(bankA.read('nothing@1')), 'MODEL_NOT_FOUND');
    assert.equal(await codeOf(bureau.read('solvency_linear@1')), 'MODEL_NOT_FOUND');
    assert.deepEqual((await bankA.list({ state: 'approved' })).models.map((model) => model.ref).includes(ref), false);
    assert.deepEqual((await bankB.list({ state: 'approved' })).models.map((model) => model.ref).filter((name) => name === ref), [ref]);
    assert.ok((await reviewer.list()).models.length >= 4);
  });

  it('serves what is needed to open scores', async () => {
    const view = await bankB.read('sme_scorecard@1');
    assert.deepEqual(view.model.reasons.map(({ code }) => code), ['R1', 'R2', 'R3']);
    assert.deepEqual(view.reason_ranges[2], { low: -60, high: 150 });
    assert.ok(view.raw_range.low < view.raw_range.high);
  });

  it('refuses a model that tells single values and says which rule, which feature, which share', async () => {
    const greedy = { ...linear, ref: 'greedy@1', terms: linear.terms.map((term) => (term.feature === 'financials/debt_ratio' ? { ...term, weight: -600 } : { ...term, weight: Math.sign(term.weight) })) };
    const { ok, findings } = await author.check(greedy);
    assert.equal(ok, false);
    assert.deepEqual(findings.map(({ rule }) => rule), ['effective_features', 'dominant_share', 'guess_gain']);
    const thrown = await author.propose(greedy).then(() => undefined, (error: unknown) => error);
    assert.ok(isVeilgateError(thrown, 'MODEL_REFUSED'));
    assert.match(thrown.message, /effective fields/);
    const [, share] = thrown.detail?.['findings'] as readonly ModelFinding[];
    assert.deepEqual([share?.feature, share?.found], ['financials/debt_ratio', 0.969]);
  });

  it('names models that cannot be used beside it for the same enterprise', async () => {
    const next = { ...linear, ref: 'solvency_linear@3', terms: linear.terms.map((term, at) => (at === 0 ? { ...term, weight: term.weight + 1 } : term)) };
    const { ok, findings, conflicts } = await author.check(next);
    assert.deepEqual([ok, findings], [true, []]);
    assert.ok(conflicts.some(({ model, problem }) => model === 'solvency_linear@1' && /roa_before_interest_depreciation makes up 100 %/.test(problem)));
  });

  it('refuses documents that break the schema, themselves or the policy, with every place', async () => {
    const problems = async (document: unknown, by = author) => {
      const thrown = await by.check(document).then(() => undefined, (error: unknown) => error);
      assert.ok(isVeilgateError(thrown, 'MODEL_INVALID'), String(thrown));
      return ((thrown.detail?.['problems'] ?? []) as readonly { pointer: string }[]).map(({ pointer }) => pointer);
    };
    await problems({ ...linear, terms: [...linear.terms, { feature: 'financials/tax_rate', weight: 0 }] });
    await problems({ ...linear, extra: 1 });
    assert.deepEqual(await problems({ ...linear, terms: [...linear.terms, linear.terms[0]] }), ['/terms/20/feature']);
    assert.deepEqual(await problems({ ...linear, purposes: ['pre_loan_review', 'joint_modelling', 'gossip'], institution_classes: ['pawnshop'] }), ['/purposes/1', '/purposes/2', '/institution_classes/0']);
    assert.deepEqual(await problems(linear, bankA), ['/ref', '/institutions', '/institution_classes']);
  });

  it('lets an institution propose for itself alone, and an officer decide', async () => {
    const own = { ...linear, ref: 'bank_a__solvency@1', institutions: ['bank-a'], institution_classes: ['commercial_bank'] };
    const { ref, digest } = await bankA.propose(own);
    assert.equal(await codeOf(bankA.approve(ref, digest)), 'TOKEN_SCOPE_INSUFFICIENT');
    assert.equal(await codeOf(bankB.read(ref)), 'MODEL_NOT_FOUND');
    assert.equal((await bankA.read(ref)).state, 'proposed');
    await author.approve(ref, digest);
    assert.equal((await bankA.read(ref)).decided_by, 'officer-compliance');
  });

  it('tells nobody of models it does not show, also where a page ends', async () => {
    const register = (prefix: string, by: string) => platform.database.query(
      `insert into scoring_model (ref, document, digest, state, proposed_by, proposed_ms)
       select $1 || n || '@1', jsonb_set(document::jsonb, '{ref}', to_jsonb($1 || n || '@1'))::text, digest, 'proposed', $2, 0 from generate_series(1, 120) n, scoring_model where ref = 'bank_a__solvency@1'`, [prefix, by]);
    await register('bank_b__', 'bank-b');
    await register('zz', 'bank-a');
    const seen: string[] = [];
    for (let after: string | null | undefined; after !== null;) {
      const page: Awaited<ReturnType<Models['list']>> = await bankA.list(after === undefined ? {} : { after });
      seen.push(...page.models.map(({ ref }) => ref));
      assert.ok(page.next === null || seen.includes(page.next), `${page.next} is somebody else's`);
      after = page.next;
    }
    assert.ok(seen.includes('bank_a__solvency@1') && seen.filter((ref) => ref.startsWith('zz')).length === 120);
    assert.deepEqual([...new Set(seen)], seen);
    const { rows } = await platform.database.query<{ ref: string }>("select ref from scoring_model where ref !~ '^(zz|bank_b__)' or ref in ('zz1@1', 'bank_b__1@1') order by ref");
    for (const { ref } of rows) assert.equal(seen.includes(ref), await codeOf(bankA.read(ref)) === 'done', ref);
    await platform.database.query("delete from scoring_model where proposed_by = 'bank-b' or ref like 'zz%'");
  });

  it('gives each institution names that are nobody else\'s', async () => {
    const parties = ['bank', 'bank-a', 'bank.a', 'bank_a', 'bank--a', 'bank-a-b', 'bank-a.b', 'x-bank', 'xbank', '1bank', 'x1bank', `bank-${'a'.repeat(40)}`, `bank-${'a'.repeat(41)}`] as PartyId[];
    for (const party of parties) {
      const prefix = namePrefix(party);
      assert.match(`${prefix}growth@1`, /^[a-z][a-z0-9_]{0,40}@[1-9][0-9]{0,5}$/);
      for (const other of parties) if (other !== party) assert.ok(!`${namePrefix(other)}growth@1`.startsWith(prefix), `${party} could take a name of ${other}`);
    }
    const squatting = { ...linear, ref: 'bank_a_b__growth@1', institutions: ['bank-a'], institution_classes: ['commercial_bank'] };
    assert.equal(await codeOf(bankA.propose(squatting)), 'MODEL_INVALID');
  });

  it('bounds what an institution may have undecided', async () => {
    await platform.database.query("insert into scoring_model (ref, document, digest, state, proposed_by, proposed_ms) select 'bank_b__' || n || '@1', document, digest, 'proposed', 'bank-b', 0 from generate_series(1, 20) n, scoring_model where ref = 'bank_a__solvency@1'");
    assert.equal(await codeOf(bankB.propose({ ...linear, ref: 'bank_b__more@1', institutions: ['bank-b'], institution_classes: ['commercial_bank'] })), 'REQUEST_QUOTA_EXCEEDED');
    await platform.database.query("delete from scoring_model where proposed_by = 'bank-b'");
  });

  it('cannot have a model approved by who proposed it, not even past the code', async () => {
    await author.propose({ ...linear, ref: 'shortcut@1' });
    await assert.rejects(platform.database.query("update scoring_model set state = 'approved', decided_by = proposed_by, decided_ms = 1 where ref = 'shortcut@1'"), /scoring_model_four_eyes/);
  });

  it('tries a proposal on made-up enterprises, the same ones for the same seed', async () => {
    const { ref } = await author.propose({ ...scorecard, ref: 'tried@1' });
    const first = await reviewer.try(ref, { count: 5000, seed: 7 });
    assert.deepEqual(await reviewer.try(ref, { count: 5000, seed: 7 }), first);
    assert.notDeepEqual(await reviewer.try(ref, { count: 5000, seed: 8 }), first);
    assert.equal(first.bands.reduce((sum, { count }) => sum + count, 0), 5000);
    assert.equal(first.reasons.length, 3);
    assert.ok(first.scores.min >= -400 && first.scores.max <= 1200 && first.scores.quantiles.length === 7);
  });

  it('takes a retired model out of use at once, and shows it still', async () => {
    assert.deepEqual(await author.retire('solvency_linear@1', 'superseded'), { ref: 'solvency_linear@1', state: 'retired' });
    assert.equal(await approvedModel(platform.database, 'solvency_linear@1' as ModelRef), undefined);
    assert.equal((await bankA.read('solvency_linear@1')).state, 'retired', 'old scores stay readable');
    assert.equal(await codeOf(author.retire('solvency_linear@1', 'superseded')), 'MODEL_STATE_CONFLICT');
    assert.equal(await codeOf(author.retire('nothing@1', 'superseded')), 'MODEL_NOT_FOUND');
  });
});
