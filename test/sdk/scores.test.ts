import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { systemClock } from '../../src/clock.ts';
import { sealFor } from '../../src/disclosure/seal.ts';
import { isVeilgateError, type ErrorCode } from '../../src/errors.ts';
import { parameterSets } from '../../src/he/parameters.ts';
import type { CustodianHalf, GatewayHalf } from '../../src/scoring/protocol.ts';
import { packWords } from '../../src/scoring/words.ts';
import { sha256Hex } from '../../src/sdk/bank.ts';
import { generateCredentialsFile, readCredentials, type Credentials } from '../../src/sdk/keys.ts';
import { openScoreAnswer, scoreDigest, signScoreRequest, type ScoreAnswer, type ScoreExchange } from '../../src/sdk/scores.ts';
import type { OpenableModel } from '../../src/scoring/model/open.ts';
import type { PublicJwk, SubjectId } from '../../src/vocabulary.ts';
import { subjectOf, testModel } from '../support/scoring.ts';

const gateway = 'https://gateway.example';
const { plainModulus: t } = parameterSets['veilgate-score-1'];
const model = testModel();
const openable: OpenableModel = { model, rawRange: { low: -1500, high: 5500 }, reasonRanges: [{ low: 0, high: 2700 }, { low: 0, high: 2800 }] };
const refuses = (code: ErrorCode) => (error: unknown) => isVeilgateError(error, code);

describe('a score at the bank', () => {
  let bank: Credentials;
  before(async () => {
    bank = await readCredentials(await generateCredentialsFile('bank-a', { encryption: true }));
  });

  type Change = { readonly custodian?: (half: CustodianHalf) => object; readonly gateway?: (half: GatewayHalf) => object; readonly answer?: (answer: ScoreAnswer) => ScoreAnswer; readonly subject?: SubjectId; readonly issuer?: string; readonly custodianOf?: string };

  /** What an honest platform sends for these raw values, changed at one place. */
  async function exchangeOf(raws: readonly number[], change: Change = {}): Promise<ScoreExchange> {
    const subject = change.subject ?? subjectOf(1);
    const signed = await signScoreRequest({ gateway, credentials: bank }, { kind: 'one', model: model.ref, purpose: 'pre_loan_review', lifetimeS: 60, subjects: [{ subject: subjectOf(1) }] });
    const masks = raws.map(() => randomBytes(4).readUInt32LE() % t);
    const ticket = randomBytes(16).toString('base64url');
    const custodian: CustodianHalf = { v: 2, ticket, masked: raws.map((raw, at) => packWords([(raw + (masks[at] ?? 0) + t) % t], t)) };
    const own: GatewayHalf = { v: 2, ticket, model: model.ref, modulus: t, places: packWords([0], t), subjects: subject, masks: masks.map((mask) => packWords([mask], t)) };
    const seal = (data: object, issuer: string, jti: string) => sealFor(bank.encryption?.publicJwk as unknown as PublicJwk, data as Readonly<Record<string, unknown>>, { issuer, audience: 'bank-a', jti, issuedAtMs: systemClock.nowMs() });
    const answer: ScoreAnswer = {
      subject, purpose: 'pre_loan_review', grant: 'g'.repeat(22), policy: 'p'.repeat(64), model: model.ref, parameters: 'veilgate-score-1', custodian: 'custodian',
      sealed: { custodian: await seal(change.custodian?.(custodian) ?? custodian, change.issuer ?? 'custodian', change.custodianOf ?? await sha256Hex(signed.request)), gateway: await seal(change.gateway?.(own) ?? own, gateway, await sha256Hex(signed.request)) },
      entry: { index: 1, salt: 's', record: {} }, receipt: 'r',
    };
    return { ...signed, answer: change.answer?.(answer) ?? answer };
  }
  const open = (exchange: ScoreExchange, credentials = bank, as = openable) => openScoreAnswer(exchange, as, { gateway, credentials });

  it('is masked value less mask, centred, with band and reasons; negative ones too', async () => {
    for (const raw of [1234, -1500, 0]) {
      const opened = await open(await exchangeOf([raw, 700, 2000]));
      assert.deepEqual({ raw: opened.raw, score: opened.score, subject: opened.subject }, { raw, score: raw / model.scale, subject: subjectOf(1) });
      assert.deepEqual(opened.reasons, ['profit', 'cash'], 'the costliest first');
    }
  });

  it('is refused in one way, whatever was changed on the way', async () => {
    const changes: Readonly<Record<string, Change>> = {
      'another ticket': { custodian: (half) => ({ ...half, ticket: 'x' }) },
      'a value taken away': { custodian: (half) => ({ ...half, masked: half.masked.slice(1) }) },
      'a mask too long': { gateway: (half) => ({ ...half, masks: [packWords([1, 2], t), ...half.masks.slice(1)] }) },
      'another modulus': { gateway: (half) => ({ ...half, modulus: 65_537 }) },
      'another model': { gateway: (half) => ({ ...half, model: 'other@1' }) },
      'another enterprise': { gateway: (half) => ({ ...half, subjects: subjectOf(2) }) },
      'an answer about another enterprise': { subject: subjectOf(2) },
      'an answer under another model': { answer: (answer) => ({ ...answer, model: 'other@1' }) },
      'other parameters': { answer: (answer) => ({ ...answer, parameters: 'veilgate-score-9' }) },
      'parameters of a prototype': { answer: (answer) => ({ ...answer, parameters: 'constructor' }) },
      'another custodian': { issuer: 'somebody' },
      'a custodian\'s half for another request': { custodianOf: 'f'.repeat(64) },
      'a score no enterprise can have': { custodian: (half) => ({ ...half, masked: [packWords([(t >> 1) - 1], t), ...half.masked.slice(1)] }), gateway: (half) => ({ ...half, masks: [packWords([0], t), ...half.masks.slice(1)] }) },
      'halves that changed places': { answer: (answer) => ({ ...answer, sealed: { custodian: answer.sealed.gateway, gateway: answer.sealed.custodian } }) },
      'a character of a half': { answer: (answer) => ({ ...answer, sealed: { ...answer.sealed, custodian: `${answer.sealed.custodian.slice(0, -30)}A${answer.sealed.custodian.slice(-29)}` } }) },
      'a half cut off': { answer: (answer) => ({ ...answer, sealed: { ...answer.sealed, gateway: answer.sealed.gateway.slice(0, 200) } }) },
    };
    const messages = new Set<string>();
    for (const [what, change] of Object.entries(changes)) {
      await assert.rejects(open(await exchangeOf([10, 20, 30], change)), (error: unknown) => {
        assert.ok(isVeilgateError(error, 'SCORE_UNREADABLE'), `${what}: ${String(error)}`);
        messages.add(error.message);
        assert.equal(error.detail, undefined);
        return true;
      }, what);
    }
    assert.equal(messages.size, 1);
    await open(await exchangeOf([10, 20, 30]));
  });

  it('does not open with another request, another list, another model\'s document or another key', async () => {
    const [one, other] = [await exchangeOf([10, 20, 30]), await exchangeOf([10, 20, 30])];
    await assert.rejects(open({ ...one, request: other.request, subjects: other.subjects }), refuses('SCORE_UNREADABLE'));
    await assert.rejects(open({ ...one, subjects: other.subjects }), refuses('SCORE_UNREADABLE'));
    await assert.rejects(open({ ...one, request: 'no.jws.here' }), refuses('SCORE_UNREADABLE'));
    await assert.rejects(open(one, bank, { ...openable, model: testModel('other@1') }), refuses('SCORE_UNREADABLE'));
    await assert.rejects(open(one, await readCredentials(await generateCredentialsFile('bank-a', { encryption: true }))), refuses('SCORE_UNREADABLE'));
    await assert.rejects(open(one, { party: bank.party, signing: bank.signing }), refuses('DISCLOSURE_KEY_MISSING'));
  });

  it('is asked for by a request that names no enterprise, only a salted digest, new each time', async () => {
    const own = { gateway, credentials: bank };
    const ask = { kind: 'one', model: model.ref, purpose: 'pre_loan_review', lifetimeS: 60, subjects: [{ subject: subjectOf(1) }] } as const;
    const [one, other] = [await signScoreRequest(own, ask), await signScoreRequest(own, ask)];
    const claims = (jws: string) => Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString();
    assert.ok(!claims(one.request).includes(subjectOf(1)));
    const { score } = JSON.parse(claims(one.request)) as { score: { subjects: string; recipient: string; count: number } };
    assert.notEqual(score.subjects, (JSON.parse(claims(other.request)) as { score: { subjects: string } }).score.subjects);
    assert.equal(score.recipient, bank.encryption?.publicJwk.kid);
    await assert.rejects(signScoreRequest({ gateway, credentials: { party: bank.party, signing: bank.signing } }, ask), refuses('DISCLOSURE_KEY_MISSING'));
    const { answer } = await exchangeOf([1, 2, 3]);
    assert.equal(await scoreDigest(answer), await scoreDigest({ ...answer, receipt: 'another', entry: { ...answer.entry, index: 9 } }), 'over what is in the receipt\'s answer alone');
    assert.notEqual(await scoreDigest(answer), await scoreDigest({ ...answer, grant: 'h'.repeat(22) }));
  });
});
