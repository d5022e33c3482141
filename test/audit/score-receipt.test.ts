import { strict as assert } from 'node:assert';
import { generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import { SignJWT, importJWK, type JSONWebKeySet, type JWK } from 'jose';
import { commitmentOf, type AuditRecord, type QueryReleased, type ScoreRefused, type ScoreReleased } from '../../src/audit/entry.ts';
import { issueReceipt, verifyReceipt, type ReceiptedRecord } from '../../src/audit/receipt.ts';
import { fixedClock } from '../../src/clock.ts';
import { isVeilgateError } from '../../src/errors.ts';
import type { GrantId, InstitutionId, PolicyVersion, PurposeCode, Signer, SubjectId } from '../../src/vocabulary.ts';

const clock = fixedClock(Date.parse('2026-03-01T00:00:00Z'));
const issuer = 'https://gateway.example';
const institution = 'bank-a' as InstitutionId;
const common = { v: 1, at: '2026-03-01T00:00:00.000Z', actor: institution, institution, subject: '91350211M000100Y43' as SubjectId, purpose: 'pre_loan_review' as PurposeCode, grant: 'g'.repeat(22) as GrantId } as const;
const digests = { policy: 'a'.repeat(64) as PolicyVersion, decision: 'b'.repeat(64), request: 'c'.repeat(64) } as const;
const released: ScoreReleased = { ...common, ...digests, kind: 'score.released', model: 'sme@1', outcomes: [], key: 'k', ticket: 't', ticketSalt: 's', requestSalt: 'r', answer: 'd'.repeat(64) };
const refused: ScoreRefused = { ...common, ...digests, kind: 'score.refused', model: 'sme@1', outcomes: [], ticket: null, code: 'SCORE_LIMIT_REACHED' };
const query: QueryReleased = { ...common, ...digests, kind: 'query.released', outcomes: [], rows: [], answer: 'd'.repeat(64) };

describe('the receipt of a score', () => {
  const pair = generateKeyPairSync('ed25519');
  const keys: JSONWebKeySet = { keys: [{ ...(pair.publicKey.export({ format: 'jwk' }) as JsonWebKey as JWK), kid: 'k1', alg: 'EdDSA', use: 'sig' }] };
  let signer: Signer;
  before(async () => {
    const key = await importJWK(pair.privateKey.export({ format: 'jwk' }) as JWK, 'EdDSA');
    signer = { kid: 'k1', sign: (typ, payload) => new SignJWT({ ...payload }).setProtectedHeader({ alg: 'EdDSA', typ, kid: 'k1' }).sign(key) };
  });

  const salt = new Uint8Array(32).fill(7);
  const issue = async (record: ReceiptedRecord) => issueReceipt({ signer, clock, issuer, origin: 'log', record, entry: { index: 3, salt, commitment: await commitmentOf(record, salt) } });
  const verify = (jws: string, record: AuditRecord | Readonly<Record<string, unknown>>) => verifyReceipt(jws, { keys, issuer, institution, clock, record, request: digests.request });
  const isWrong = (error: unknown) => isVeilgateError(error, 'AUDIT_RECEIPT_INVALID') && error.detail?.['fault'] === 'record';

  it('proves a released and a refused score', async () => {
    const [good, bad] = [await verify(await issue(released), released), await verify(await issue(refused), refused)];
    assert.deepEqual([good.outcome, good.answer, good.grant], ['released', released.answer, released.grant]);
    assert.deepEqual([bad.outcome, bad.answer], ['refused', null]);
  });

  it('does not prove another record: of a query, of another model, of a kind that has no receipts', async () => {
    const receipt = await issue(released);
    for (const record of [query, refused, { ...released, model: 'sme@2' }, { ...released, kind: 'grant.created' }, { ...released, kind: 'toString' }, { ...released, kind: undefined }]) await assert.rejects(verify(receipt, record as AuditRecord), isWrong);
    await assert.rejects(verify(await issue(query), released), isWrong);
  });

  it('does not prove a record whose kind has no receipts even when it commits to it, nor a refusal that claims an answer', async () => {
    const foreign = { ...released, kind: 'policy.loaded' } as unknown as ReceiptedRecord;
    const ofForeign = await signer.sign('receipt+jwt', { iss: issuer, aud: institution, iat: 1_772_323_200, outcome: 'released', ...digests, grant: released.grant, answer: released.answer, log: { origin: 'log', index: 3, commitment: Buffer.from(await commitmentOf(foreign, salt)).toString('base64url'), salt: Buffer.from(salt).toString('base64url') } });
    await assert.rejects(verify(ofForeign, foreign), isWrong);
    const claiming = { ...refused, answer: 'd'.repeat(64) };
    await assert.rejects(verify(await issue(refused), claiming), isWrong);
  });
});
