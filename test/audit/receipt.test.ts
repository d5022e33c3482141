import assert from 'node:assert/strict';
import { CompactSign, type JSONWebKeySet } from 'jose';
import { issueReceipt, verifyReceipt, verifyReceiptInclusion, type ReceiptCheck, type ReceiptIssue } from '../../src/audit/receipt.ts';
import { auditReader } from '../../src/audit/read.ts';
import { fixedClock } from '../../src/clock.ts';
import type { GrantId, InstitutionId, PolicyVersion, Signer } from '../../src/vocabulary.ts';
import { toBase64url } from '../../src/audit/bytes.ts';
import { jwsSigner, newKey } from './support/keys.ts';
import { bank, digest, origin, refused, released, releases, startMs, testLog, type TestLog } from './support/log.ts';

const issuer = 'https://gateway.example';
const clock = fixedClock(startMs);
const invalid = (fault: string) => ({ code: 'AUDIT_RECEIPT_INVALID', detail: { fault } });

describe('receipt', () => {
  let log: TestLog;
  let signer: Signer;
  let keys: JSONWebKeySet;
  let issue: ReceiptIssue;
  let jws: string;
  let check: ReceiptCheck;
  const record = released();

  before(async () => {
    log = await testLog();
    await log.append(releases(3));
    const [entry] = await log.append([record]);
    ({ signer, keys } = await jwsSigner('platform-1'));
    issue = { signer, clock, issuer, origin, record, entry: entry! };
    jws = await issueReceipt(issue);
    check = { keys, issuer, institution: bank, clock };
  });

  it('says what was asked, decided and answered, and where the log says so', async () => {
    const receipt = await verifyReceipt(jws, { ...check, record, request: digest('request'), answer: digest('answer') });
    assert.deepEqual(receipt, {
      issuer, institution: bank, issuedAtS: Math.floor(startMs / 1000), log: { origin, index: 3, commitment: issue.entry.commitment, salt: issue.entry.salt },
      outcome: 'released', policy: record.policy, decision: record.decision, grant: record.grant, request: record.request, answer: record.answer,
    });
  });

  it('is proven by the log once a checkpoint counts the entry', async () => {
    const reader = auditReader(log.database);
    await log.publish();
    await log.grow(500);
    const receipt = await verifyReceipt(jws, check);
    assert.equal((await verifyReceiptInclusion(receipt, await reader.proof(3), log.trust)).size, 504);
    await assert.rejects(verifyReceiptInclusion(receipt, await reader.proof(2), log.trust), { code: 'AUDIT_PROOF_INVALID' });
    await assert.rejects(verifyReceiptInclusion(receipt, await reader.proof(3), { ...log.trust, origin: 'other.example/log' }), invalid('log'));
    const other = await verifyReceipt(await issueReceipt({ ...issue, entry: { ...issue.entry, commitment: new Uint8Array(32) } }), check);
    await assert.rejects(verifyReceiptInclusion(other, await reader.proof(3), log.trust), { code: 'AUDIT_PROOF_INVALID' });
  });

  it('is given for refusals too', async () => {
    const refusal = refused();
    const [entry] = await log.append([refusal]);
    const receipt = await verifyReceipt(await issueReceipt({ ...issue, record: refusal, entry: entry! }), { ...check, record: refusal });
    assert.deepEqual([receipt.outcome, receipt.answer, receipt.grant, receipt.policy], ['refused', null, null, null]);
    await assert.rejects(verifyReceipt(jws, { ...check, record: refusal }), invalid('record'));
  });

  it('does not vouch for another record, request or answer', async () => {
    for (const other of [released({ answer: digest('other') }), released({ grant: 'BBBBBBBBBBBBBBBBBBBBBB' as GrantId }), { ...record, extra: 1 }, { kind: 'policy.loaded' }]) {
      await assert.rejects(verifyReceipt(jws, { ...check, record: other }), invalid('record'));
    }
    await assert.rejects(verifyReceipt(jws, { ...check, request: digest('other') }), invalid('request'));
    await assert.rejects(verifyReceipt(jws, { ...check, answer: digest('other') }), invalid('answer'));
    // a receipt that commits to one record and states the facts of another
    const lying: Signer = { kid: signer.kid, sign: (typ, payload) => signer.sign(typ, { ...payload, policy: digest('other') as PolicyVersion }) };
    await assert.rejects(verifyReceipt(await issueReceipt({ ...issue, signer: lying }), { ...check, record }), invalid('record'));
    const elsewhere: Signer = { kid: signer.kid, sign: (typ, payload) => signer.sign(typ, { ...payload, aud: 'bank-b' }) };
    await assert.rejects(verifyReceipt(await issueReceipt({ ...issue, signer: elsewhere }), { ...check, institution: 'bank-b' as InstitutionId, record }), invalid('record'));
  });

  it('is refused by another platform, for another institution, and from the future', async () => {
    await assert.rejects(verifyReceipt(jws, { ...check, issuer: 'https://other.example' }), invalid('issuer'));
    await assert.rejects(verifyReceipt(jws, { ...check, institution: 'bank-b' as InstitutionId }), invalid('institution'));
    await verifyReceipt(jws, { ...check, clock: fixedClock(startMs - 60_000) });
    await assert.rejects(verifyReceipt(jws, { ...check, clock: fixedClock(startMs - 62_000) }), invalid('time'));
    await verifyReceipt(jws, { ...check, clock: fixedClock(startMs + 10 * 365 * 86_400_000) });
  });

  it('is refused when anything about its signature is wrong', async () => {
    const stranger = await jwsSigner('platform-1');
    await assert.rejects(verifyReceipt(jws, { ...check, keys: stranger.keys }), invalid('signature'));
    await assert.rejects(verifyReceipt(jws, { ...check, keys: { keys: [] } }), invalid('signature'));
    const [header, payload, signature] = jws.split('.') as [string, string, string];
    const changed = toBase64url(new TextEncoder().encode(atob(payload.replaceAll('-', '+').replaceAll('_', '/')).replace('bank-a', 'bank-b')));
    await assert.rejects(verifyReceipt(`${header}.${changed}.${signature}`, { ...check, institution: 'bank-b' as InstitutionId }), invalid('signature'));
  });

  it('is refused in any spelling but its own', async () => {
    const [header, payload, signature] = jws.split('.') as [string, string, string];
    const lastBits = signature.slice(0, -1) + String.fromCharCode(signature.charCodeAt(signature.length - 1) + 1);
    for (const text of ['', 'a.b', `${jws}.`, `${jws} `, ` ${jws}`, `${jws}=`, `${header}.${payload}.`, `${header}..${signature}`, `${header}.${payload}.${lastBits}`, `${header}.${payload.slice(0, 5)}\n${payload.slice(5)}.${signature}`, 'x'.repeat(9000)]) {
      await assert.rejects(verifyReceipt(text, check), invalid('malformed'), JSON.stringify(text.slice(-20)));
    }
  });

  it('is refused with another header or other claims', async () => {
    const key = newKey();
    const publicKeys: JSONWebKeySet = { keys: [{ kty: key.kty, crv: key.crv, x: key.x, kid: 'k', alg: 'EdDSA', use: 'sig' }] };
    const good = { alg: 'EdDSA', typ: 'receipt+jwt', kid: 'k' };
    const claims = JSON.parse(atob(jws.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/'))) as Record<string, unknown> & { log: Record<string, unknown> };
    const sign = (header: typeof good, payload: unknown) =>
      new CompactSign(new TextEncoder().encode(typeof payload === 'string' ? payload : JSON.stringify(payload))).setProtectedHeader(header).sign(key);
    const verify = async (header: typeof good, payload: unknown) => verifyReceipt(await sign(header, payload), { ...check, keys: publicKeys });
    await verify(good, claims);
    for (const header of [{ ...good, typ: 'query+jwt' }, { ...good, typ: undefined }, { ...good, kid: undefined }, { ...good, jku: 'https://x.example' }]) {
      await assert.rejects(verify(header as typeof good, claims), invalid('malformed'));
    }
    const without = (name: string) => Object.fromEntries(Object.entries(claims).filter(([key_]) => key_ !== name));
    const withLog = (changes: object) => ({ ...claims, log: { ...claims.log, ...changes } });
    for (const payload of [
      ...Object.keys(claims).map(without), '[]', 'null', '{', `{"iss":"a",${JSON.stringify(claims).slice(1)}`, { ...claims, more: 1 }, { ...claims, iat: '1' }, { ...claims, iat: 1.5 }, { ...claims, aud: ['bank-a'] },
      { ...claims, outcome: 'denied' }, { ...claims, outcome: 'refused' }, { ...claims, answer: null }, { ...claims, policy: 1 },
      withLog({ index: -1 }), withLog({ index: '3' }), withLog({ commitment: 'AAAA' }), withLog({ salt: null }), withLog({ origin: 1 }), withLog({ more: 1 }), { ...claims, log: [] },
    ]) await assert.rejects(verify(good, payload), invalid('malformed'), JSON.stringify(payload));
  });
});
