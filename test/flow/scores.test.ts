import { strict as assert } from 'node:assert';
import { verifyReceipt, verifyReceiptInclusion } from '../../src/audit/receipt.ts';
import { parseVerifierKey } from '../../src/audit/note.ts';
import { systemClock } from '../../src/clock.ts';
import { VeilgateError, isVeilgateError, type ErrorCode } from '../../src/errors.ts';
import { modelToJson } from '../../src/scoring/model/document.ts';
import { enterpriseClient } from '../../src/sdk/enterprise.ts';
import { modelsClient } from '../../src/sdk/models.ts';
import { platformKeys, sha256Hex } from '../../src/sdk/bank.ts';
import { scoreDigest, scoresClient, signScoreRequest, type ScoresClient } from '../../src/sdk/scores.ts';
import type { InstitutionId } from '../../src/vocabulary.ts';
import { approveModel, featureValues, rawOf, scoredFields, scoringBank, scoringTerms, startScoreWorld, subjectOf, testModel, type ScoreWorld } from '../support/scoring.ts';
import { until } from '../support/until.ts';
import { startSecondNode } from './support/second-node.ts';
import { wireOf } from './support/wire.ts';

const refuses = (code: ErrorCode) => (error: unknown) => isVeilgateError(error, code);

describe('flow: one score', () => {
  let world: ScoreWorld;
  let otherBank: ScoresClient;
  const unknown = subjectOf(9999);

  before(async function () {
    this.timeout(90_000);
    world = await startScoreWorld({ enterprises: 6 });
    otherBank = await scoringBank(world.platform, 'bank-b');
  });
  after(() => world.platform.close());

  it('is exactly what the model gives on clear values, with band and reasons, and the receipt proves it', async () => {
    const { platform, bank, model } = world;
    for (const n of [0, 1]) {
      await world.grant(n);
      const { exchange, ...opened } = await bank.score(world.ask(n));
      const raw = rawOf(model, featureValues(n));
      assert.equal(opened.raw, raw);
      assert.equal(opened.score, raw / model.scale);
      assert.equal(opened.subject, subjectOf(n));
      assert.equal(opened.band, model.bands.findLast(({ from }) => from === null || raw / model.scale >= from)?.code);
      assert.deepEqual(opened.reasons.toSorted(), ['cash', 'profit']);
      const receipt = await verifyReceipt(exchange.answer.receipt, {
        keys: (await platformKeys(platform.gateway.gatewayUrl)) as Parameters<typeof verifyReceipt>[1]['keys'], issuer: platform.gateway.gatewayUrl, institution: 'bank-a' as InstitutionId, clock: systemClock,
        record: exchange.answer.entry.record, request: await sha256Hex(exchange.request), answer: await scoreDigest(exchange.answer),
      });
      assert.equal(receipt.outcome, 'released');
      const proof = await until('a checkpoint counts the entry', async () => {
        const answer = await fetch(`${platform.gateway.gatewayUrl}/v1/log/entries/${receipt.log.index}/proof`);
        return answer.ok && answer.text();
      });
      await verifyReceiptInclusion(receipt, proof, { origin: platform.config.auditLogOrigin, logKeys: [await parseVerifierKey(platform.gateway.logVerifierKey)] });
    }
  });

  it('stands in the enterprise\'s access history, under the grant it spent', async () => {
    const { platform } = world;
    const grant = await world.grant(2, 'bank-a', { uses_max: 1, kind: 'one_time', frequency: undefined });
    await world.bank.score({ ...world.ask(2), grant });
    await assert.rejects(world.bank.score({ ...world.ask(2), grant }), refuses('CONSENT_EXHAUSTED'));
    const [released] = (await world.entries('score.released')).filter(({ subject }) => subject === subjectOf(2));
    assert.equal(released?.['grant'], grant);
    assert.equal(released?.['model'], world.model.ref);
    const { rows: [party] } = await platform.database.query<{ id: string }>('select id from enterprise where subject = $1', [subjectOf(2)]);
    const accesses = await enterpriseClient(await platform.connect(party?.id ?? '', 'grants')).accesses();
    assert.ok(JSON.stringify(accesses).includes('score.released'));
  });

  it('says which fields behind it are under objection, in the answer and in the log', async () => {
    const { platform, bank } = world;
    const { rows: [party] } = await platform.database.query<{ id: string }>('select id from enterprise where subject = $1', [subjectOf(1)]);
    const [field = ''] = scoredFields;
    const dispute = (id: string, of: string) => platform.database.query(
      `insert into objection (id, subject, submitted_by, submitted_ms, about, field, fault, department, state, due_on, accepted_ms)
       values ($1, $2, $3, 1, 'record', $4, 'wrong', 'tax_administration', 'accepted', '2090-01-01', 1)`, [id.repeat(22), subjectOf(1), party?.id, of]);
    await dispute('b', 'owner.phone');
    assert.equal((await bank.score(world.ask(1))).exchange.answer.disputed, undefined, 'another field is not behind the score');
    await dispute('c', field);
    const { exchange: { answer }, disputed } = await bank.score(world.ask(1));
    assert.deepEqual(disputed, [field]);
    assert.deepEqual([answer.disputed, answer.entry.record['disputed'], answer.entry.record['answer']], [[field], [field], await scoreDigest(answer)]);
  });

  it('answers the same without a grant, whether the enterprise is unknown, has data, or granted to another bank', async () => {
    const { platform } = world;
    await world.grant(3, 'bank-b');
    const bank = await wireOf(platform, await platform.credentials('bank-a'), 'query');
    const answers = await Promise.all([unknown, subjectOf(3), subjectOf(4)].map(async (subject) => {
      const signed = await signScoreRequest({ gateway: platform.gateway.gatewayUrl, credentials: await platform.credentials('bank-a') }, { kind: 'one', model: world.model.ref, purpose: 'pre_loan_review', lifetimeS: 60, subjects: [{ subject }] });
      const answer = await bank.json('POST', '/v1/scores', signed);
      const { instance: _instance, ...problem } = answer.json;
      return { status: answer.status, problem };
    }));
    assert.equal(answers[0]?.problem['code'], 'CONSENT_REQUIRED');
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    const explained = await Promise.all([unknown, subjectOf(3), subjectOf(4)].map((subject) => world.bank.explain({ ...world.ask(0), subject })));
    for (const one of explained) assert.deepEqual(one, explained[0]);
    assert.equal(explained[0]?.data, null, 'whether there is data is for those with a grant');
    assert.equal(typeof (await otherBank.score(world.ask(3))).score, 'number');
  });

  it('says that data is missing to who has a grant, and not which', async () => {
    const enterprise = await world.platform.enterprise(unknown);
    await enterprise.grant('bank-a', { subject: unknown, ...scoringTerms });
    await assert.rejects(world.bank.score({ ...world.ask(0), subject: unknown }), (error) => isVeilgateError(error, 'SCORE_DATA_MISSING') && Object.keys(error.detail ?? {}).join() === 'status');
    const { ready, missing, data } = await world.bank.explain({ ...world.ask(0), subject: unknown });
    assert.deepEqual({ ready, missing, data }, { ready: false, missing: ['SCORE_DATA_MISSING'], data: 'incomplete' });
  });

  it('is given whole or not at all: one field without consent, and the custodian is not even asked', async () => {
    const { platform } = world;
    await world.grant(4, 'bank-a', { fields: scoredFields.slice(1).map((field) => ({ field, ceiling: 'desensitised' })) });
    const opened = async () => (await platform.custodian?.database.query("select count(*)::int as n from audit_entry where kind like 'custodian.open%'"))?.rows[0] as { n: number } | undefined;
    const before = await opened();
    await assert.rejects(world.bank.score(world.ask(4)), (error: unknown) => {
      assert.ok(isVeilgateError(error, 'SCORE_NOT_PERMITTED'));
      assert.deepEqual((error.detail?.['withheld'] as { field: string }[]).map(({ field }) => field), [scoredFields[0]]);
      assert.ok(JSON.stringify(error.detail?.['grant_needed']).includes(scoredFields[0] ?? 'none'));
      return true;
    });
    assert.deepEqual(await opened(), before);
    assert.ok((await opened())!.n > 0, 'the count counts');
    const refused = (await world.entries('score.refused')).at(-1);
    assert.equal(refused?.['code'], 'SCORE_NOT_PERMITTED');
    assert.equal(refused?.['ticket'], null);
    const explained = await world.bank.explain(world.ask(4));
    assert.deepEqual([explained.ready, explained.missing], [false, ['SCORE_NOT_PERMITTED']]);
    assert.equal(explained.fields.filter(({ disposition }) => disposition === 'score').length, scoredFields.length - 1);
    assert.equal(explained.grant_needed?.[0]?.fields[0]?.field, scoredFields[0]);
  });

  it('is not made under a grant for the past only', async () => {
    await world.grant(5, 'bank-a', { data_to: new Date(Date.now() - 3 * 86_400_000).toISOString().slice(0, 10) });
    await assert.rejects(world.bank.score(world.ask(5)), (error) => isVeilgateError(error, 'SCORE_NOT_PERMITTED') && typeof error.detail?.['data_to'] === 'string');
  });

  it('is not made for another purpose or class, nor under a model that is unknown, only proposed or retired', async () => {
    const { platform, bank } = world;
    await assert.rejects(bank.score({ ...world.ask(0), purpose: 'in_loan_approval' }), refuses('SCORE_MODEL_NOT_USABLE'));
    await assert.rejects(bank.exchange({ ...world.ask(0), model: 'nothing@1' }), refuses('SCORE_MODEL_NOT_USABLE'));
    const rural = await (async () => {
      await platform.bank('rural-a', { institutionClass: 'rural_bank' });
      return scoresClient(await platform.connect('rural-a', 'query'));
    })();
    await assert.rejects(rural.exchange(world.ask(0)), refuses('SCORE_MODEL_NOT_USABLE'));
    const retiring = testModel('retiring@1');
    const { digest } = await modelsClient(await platform.connect('officer-models', 'compliance')).propose(modelToJson(retiring));
    await assert.rejects(bank.exchange({ ...world.ask(0), model: retiring.ref }), refuses('SCORE_MODEL_NOT_USABLE'));
    const compliance = modelsClient(await platform.connect('officer-compliance', 'compliance'));
    await compliance.approve(retiring.ref, digest);
    assert.equal(typeof (await bank.score({ ...world.ask(0), model: retiring.ref })).score, 'number');
    await compliance.retire(retiring.ref, 'superseded');
    await assert.rejects(bank.exchange({ ...world.ask(0), model: retiring.ref }), refuses('SCORE_MODEL_NOT_USABLE'));
  });

  it('cannot be had twice by one signed request, on this node or another', async () => {
    const { platform } = world;
    const second = await startSecondNode(platform);
    try {
      const bank = await wireOf(platform, await platform.credentials('bank-a'), 'query');
      const signed = await signScoreRequest({ gateway: platform.gateway.gatewayUrl, credentials: await platform.credentials('bank-a') }, { kind: 'one', model: world.model.ref, purpose: 'pre_loan_review', lifetimeS: 60, subjects: [{ subject: subjectOf(0) }] });
      assert.equal((await bank.json('POST', '/v1/scores', signed)).status, 200);
      assert.equal((await bank.json('POST', '/v1/scores', signed)).code, 'TOKEN_REPLAYED');
      assert.equal((await bank.json('POST', '/v1/scores', signed, { origin: second.origin })).code, 'TOKEN_REPLAYED');
    } finally {
      await second.stop();
    }
  });

  it('is refused when the list is not the one that was signed, or not of one enterprise with a right code', async () => {
    const { platform } = world;
    const own = { gateway: platform.gateway.gatewayUrl, credentials: await platform.credentials('bank-a') };
    const bank = await wireOf(platform, own.credentials, 'query');
    const sign = (subjects: readonly { subject: string }[], kind: 'one' | 'many' = 'one') => signScoreRequest(own, { kind, model: world.model.ref, purpose: 'pre_loan_review', lifetimeS: 60, subjects });
    const send = async (body: unknown) => (await bank.json('POST', '/v1/scores', body)).code;
    const good = () => sign([{ subject: subjectOf(0) }]);
    const another = await sign([{ subject: subjectOf(1) }]);
    const mixed = { ...await good(), subjects: another.subjects };
    assert.equal(await send(mixed), 'SCORE_INVALID');
    assert.equal(await send(mixed), 'TOKEN_REPLAYED', 'what was refused for its form was presented, too');
    const salted = await good();
    assert.equal(await send({ ...salted, subjects: { ...salted.subjects, salt: another.subjects.salt } }), 'SCORE_INVALID');
    assert.equal(await send(await sign([{ subject: subjectOf(0) }], 'many')), 'SCORE_INVALID');
    assert.equal(await send(await sign([{ subject: subjectOf(0) }, { subject: subjectOf(1) }])), 'SCORE_INVALID');
    const wrongDigit = `${subjectOf(0).slice(0, 17)}${subjectOf(0).endsWith('0') ? '1' : '0'}`;
    assert.equal(await send(await sign([{ subject: wrongDigit }])), 'SCORE_INVALID');
    assert.equal(await send({ request: (await good()).request }), 'SCORE_INVALID');
    assert.equal(await send({ ...await good(), request: await bank.signed('score+jwt', { score: { kind: 'one' } }) }), 'SCORE_INVALID');
    assert.equal(await send({ ...await good(), request: await bank.signed('query+jwt', { score: {} }) }), 'TOKEN_WRONG_TYPE');
    const long = await bank.signed('score+jwt', { score: {} }, { claims: { exp: Math.floor(Date.now() / 1000) + 3600 } });
    assert.equal(await send({ ...await good(), request: long }), 'TOKEN_LIFETIME_TOO_LONG');
  });

  it('is not sealed for a key that is not registered for the bank', async () => {
    const { platform } = world;
    const [mine, others] = [await platform.credentials('bank-a'), await platform.credentials('bank-b')];
    const mixed = { gateway: platform.gateway.gatewayUrl, credentials: { ...mine, encryption: others.encryption! } };
    const signed = await signScoreRequest(mixed, { kind: 'one', model: world.model.ref, purpose: 'pre_loan_review', lifetimeS: 60, subjects: [{ subject: subjectOf(0) }] });
    const bank = await wireOf(platform, mine, 'query');
    assert.equal((await bank.json('POST', '/v1/scores', signed)).code, 'DISCLOSURE_KEY_MISSING');
  });

  it('is refused when scores together would tell a single field, also when they are asked for at once', async () => {
    const { platform, bank } = world;
    const isolating = testModel('isolating@1', (weights) => weights.with(0, (weights[0] ?? 0) + 1));
    await approveModel(platform, isolating);
    await world.grant(3);
    const results = await Promise.allSettled([bank.score(world.ask(3)), bank.score({ ...world.ask(3), model: isolating.ref })]);
    const codes = results.map((result) => (result.status === 'fulfilled' ? 'released' : result.reason instanceof VeilgateError ? result.reason.code : String(result.reason)));
    assert.deepEqual(codes.toSorted(), ['SCORE_LIMIT_REACHED', 'released']);
    const winner = codes[0] === 'released' ? world.model.ref : isolating.ref;
    const explained = await bank.explain({ ...world.ask(3), model: winner === isolating.ref ? world.model.ref : isolating.ref });
    assert.deepEqual(explained.missing, ['SCORE_LIMIT_REACHED']);
    assert.ok((explained.functionals?.obtained ?? 0) > 0);
    assert.equal(typeof (await bank.score({ ...world.ask(3), model: winner })).score, 'number', 'the same model again tells nothing new');
  });

  it('tells nothing but routes, codes and times to logs and metrics', async () => {
    const { platform } = world;
    const { exchange } = await world.bank.score(world.ask(0));
    const metrics = await platform.gateway.metrics.text();
    assert.match(metrics, /veilgate_score_seconds_count\{outcome="released"\} [1-9]/);
    assert.match(metrics, /veilgate_score_step_seconds_count\{step="custodian"\} [1-9]/);
    const raw = String(rawOf(world.model, featureValues(0)));
    for (const [where, text] of [['metrics', metrics], ['log', platform.logged()], ['custodian', platform.custodian?.logged() ?? '']] as const) {
      assert.ok(text.length > 500, where);
      for (const secret of [subjectOf(0), exchange.subjects.salt, exchange.request, exchange.answer.sealed.gateway, exchange.answer.sealed.custodian, `"${raw}"`, `:${raw},`, world.model.ref]) assert.ok(!text.includes(secret), `${where} holds ${secret.slice(0, 20)}`);
    }
  });
});
