import { strict as assert } from 'node:assert';
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { fixedClock } from '../../src/clock.ts';
import { grantHistory } from '../../src/consent/events.ts';
import { changeGrant, readGrant } from '../../src/consent/grants.ts';
import { consentReceipt, receiptSchemaVersion, type ReceiptContext, type ReceiptPayload } from '../../src/consent/receipt.ts';
import { consentToken, readConsentToken } from '../../src/consent/token.ts';
import { isVeilgateError, type ErrorCode } from '../../src/errors.ts';
import type { Database } from '../../src/store/database.ts';
import { freshDatabase } from '../support/database.ts';
import type { Catalogue, Field, FieldRef, Signer, SubjectPseudonym } from '../../src/vocabulary.ts';
import { bank, dayMs, digestOf, otherBank, start, startMs, stored, subject } from './sample.ts';

const field = (ref: string, level: 2 | 5, kind: 'commercial_secret' | 'personal'): Field =>
  ({ ref: ref as FieldRef, name: ref, title: { en: ref, zh: ref }, type: 'text', classification: { level, kind }, required: false });
const catalogue: Catalogue = {
  datasets: new Map(),
  fields: new Map([field('tax.field_0', 5, 'personal'), field('tax.field_1', 2, 'commercial_secret')].map((each) => [each.ref, each])),
};
const context: ReceiptContext = {
  issuer: 'https://gateway.example',
  platform: { id: 'platform', name: 'Sample platform', email: 'privacy@platform.example', url: 'https://platform.example', address: 'Sample road 1', phone: '+86 21 0000 0000' },
  institution: { id: 'ignored: the grant names it', name: 'Bank A' },
  suppliers: [{ id: 'tax', name: 'Tax department' }],
  authority: { id: 'supervisor', name: 'Supervisor' },
  noticeUrl: 'https://gateway.example/notices/1',
  language: 'zh-CN',
  withdrawalUrl: 'https://gateway.example/grants',
  rightsUrl: 'https://gateway.example/rights',
  jurisdiction: 'CN',
  storageLocations: ['CN'],
  purposeTitle: '贷前审查',
};
const pseudonym = 'ab'.repeat(32) as SubjectPseudonym;

describe('consent/receipt and consent/token', () => {
  let database: Database;
  let signer: Signer;
  let publicKey: Awaited<ReturnType<typeof generateKeyPair>>['publicKey'];
  const clock = fixedClock(start);
  before(async () => {
    database = await freshDatabase();
    const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
    publicKey = pair.publicKey;
    assert.equal((await exportJWK(publicKey)).kty, 'OKP');
    signer = { kid: 'k1', sign: (typ, payload) => new SignJWT(payload as Record<string, unknown>).setProtectedHeader({ alg: 'EdDSA', typ, kid: 'k1' }).sign(pair.privateKey) };
  });

  it('says everything a consent record must say, signed', async () => {
    const grant = await stored(database, { frequency: { max: 2, per: 'day' } });
    const jws = await consentReceipt(grant, await grantHistory(database, grant.id), catalogue, context, signer, clock);
    const { payload: receipt, protectedHeader } = await jwtVerify<ReceiptPayload>(jws, publicKey, { typ: 'consent-receipt+jwt', currentDate: new Date(start) });
    assert.equal(protectedHeader.kid, 'k1');
    // ISO/IEC TS 27560:2023, sections 6.3.3 to 6.3.7 and 6.4.5: what is mandatory, and the notice's digest
    assert.deepEqual(receipt.receipt_metadata, { receipt_id: `${grant.id}.1`, schema_version: receiptSchemaVersion });
    assert.deepEqual(receipt.record_header, { schema_version: receiptSchemaVersion, record_id: grant.id, pii_principal_id: subject, state: 'active' });
    const processing = receipt.pii_processing;
    assert.deepEqual(processing.privacy_notice, { url: context.noticeUrl, digest: { alg: 'sha-256', value: digestOf('notice') } });
    assert.equal(processing.language, 'zh-CN');
    assert.equal(processing.purposes.length, 1);
    const [purpose] = processing.purposes;
    assert.ok(purpose);
    assert.deepEqual(
      [purpose.purpose, purpose.purpose_type, purpose.lawful_basis, purpose.pii_controllers, purpose.pii_processors, purpose.storage_locations, purpose.retention_period, purpose.jurisdiction, purpose.recipient_third_parties, purpose.withdrawal_method, purpose.authority_party],
      ['贷前审查', 'pre_loan_review', 'consent', ['platform'], ['tax'], ['CN'], { days_after_disclosure: 30 }, 'CN', [bank], context.withdrawalUrl, 'supervisor'],
    );
    assert.ok(purpose.privacy_rights.rights.includes('withdrawal'));
    assert.deepEqual(purpose.pii_information.map((one) => [one.pii_type, one.ceiling, one.sensitive_pii, one.pii_optional]),
      [['tax.field_0', 'original', true, false], ['tax.field_1', 'desensitised', false, false]]);
    assert.deepEqual(purpose.limits, { kind: 'periodic', valid_from: '2026-03-10T01:00:00.000Z', valid_until: '2026-06-08T01:00:00.000Z', uses_max: 10, frequency: { max: 2, per: 'day' } });
    assert.deepEqual(receipt.party_identification.map((party) => [party.party_id, party.party_role]),
      [['platform', 'PII controller'], ['tax', 'PII processor'], [bank, 'third party recipient'], ['supervisor', 'authority']]);
    assert.deepEqual(receipt.events.map((event) => [event.event_state, event.event_time, event.entity, event.validity_until]),
      [['given', '2026-03-10T01:00:00.000Z', 'subject', '2026-06-08T01:00:00.000Z']]);
  });

  it('tells the whole history, and has another id after each change', async () => {
    const { id } = await stored(database);
    const receipt = async () => decodeJwt<ReceiptPayload>(await consentReceipt(await readGrant(database, id, { subject }, startMs), await grantHistory(database, id), catalogue, context, signer, clock));
    const first = await receipt();
    assert.equal((await receipt()).jti, first.jti);
    for (const action of ['pause', 'resume', 'revoke'] as const) await database.transaction('t', (tx) => changeGrant(tx, { grant: id, actor: { subject }, action }, clock));
    const last = await receipt();
    assert.notEqual(last.jti, first.jti);
    assert.equal(last.record_header.state, 'revoked');
    assert.deepEqual(last.events.map((event) => event.event_state), ['given', 'suspended', 'given', 'withdrawn']);
  });

  it('names fields the catalogue no longer has', async () => {
    const grant = await stored(database);
    const receipt = decodeJwt<ReceiptPayload>(await consentReceipt(grant, [], { datasets: new Map(), fields: new Map() }, { ...context, suppliers: [] }, signer, clock));
    assert.deepEqual(receipt.pii_processing.purposes[0]?.pii_information.map((one) => one.pii_type), ['tax.field_0', 'tax.field_1']);
  });

  it('writes a grant as a token that reads back, without the enterprise\'s code', async () => {
    const grant = await stored(database, { frequency: { max: 2, per: 'day' }, dataFrom: '2024-01-01' as never, dataTo: '2025-12-31' as never });
    const jwt = await consentToken(grant, 'https://gateway.example', pseudonym, signer, clock);
    assert.deepEqual(decodeProtectedHeader(jwt), { alg: 'EdDSA', typ: 'consent+jwt', kid: 'k1' });
    assert.doesNotMatch(Buffer.from(jwt.split('.')[1] as string, 'base64url').toString(), new RegExp(subject));
    const claims = decodeJwt(jwt);
    assert.equal(claims.exp, grant.validUntilMs / 1000);
    const token = readConsentToken(claims, bank, clock);
    assert.deepEqual([token.grant, token.institution, token.subject, token.purpose, token.issuer], [grant.id, bank, pseudonym, grant.purpose, 'https://gateway.example']);
    assert.deepEqual(token.fields, grant.fields);
    assert.deepEqual([token.claims.uses_max, token.claims.frequency, token.claims.data_from, token.claims.data_to, token.claims.data_life_days], [10, { max: 2, per: 'day' }, '2024-01-01', '2025-12-31', 30]);
  });

  it('refuses tokens of others, of another time and of another form', async () => {
    const claims = decodeJwt(await consentToken(await stored(database), 'https://gateway.example', pseudonym, signer, clock));
    const refuse = (payload: unknown, expected: ErrorCode, institution = bank, at = clock) =>
      assert.throws(() => readConsentToken(payload, institution, at), (error) => isVeilgateError(error, expected) || assert.fail(String(error)));
    refuse(claims, 'TOKEN_AUDIENCE_MISMATCH', otherBank);
    refuse(claims, 'TOKEN_EXPIRED', bank, fixedClock(startMs + 90 * dayMs));
    refuse(claims, 'TOKEN_NOT_YET_VALID', bank, fixedClock(startMs - 1));
    refuse({ ...claims, fields: [...(claims['fields'] as object[]), { field: 'tax.field_1', ceiling: 'original' }] }, 'TOKEN_CLAIM_INVALID');
    refuse({ ...claims, sub: subject }, 'TOKEN_CLAIM_INVALID');
    refuse({ ...claims, jti: 'short' }, 'TOKEN_CLAIM_INVALID');
    refuse({ ...claims, scope: 'all' }, 'TOKEN_CLAIM_INVALID');
    for (const name of Object.keys(claims)) if (!['uses_max', 'frequency', 'data_from', 'data_to'].includes(name)) refuse({ ...claims, [name]: undefined }, 'TOKEN_CLAIM_INVALID');
    refuse(null, 'TOKEN_CLAIM_INVALID');
  });
});
