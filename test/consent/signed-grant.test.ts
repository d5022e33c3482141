import { strict as assert } from 'node:assert';
import { fixedClock } from '../../src/clock.ts';
import { canonicalJson } from '../../src/canonical.ts';
import { changeGrant, readGrant, signedGrantsPerDayMax } from '../../src/consent/grants.ts';
import type { SignedGrantPayload } from '../../src/consent/schemas.ts';
import { grantFromSigned, signedGrantLengthMax, signedGrantLifetimeMaxS } from '../../src/consent/signed-grant.ts';
import { isVeilgateError, type ErrorCode, type VeilgateError } from '../../src/errors.ts';
import type { Database } from '../../src/store/database.ts';
import { freshDatabase } from '../support/database.ts';
import type { TimeMs } from '../../src/vocabulary.ts';
import { bank, capsOf, dayMs, detail, digestOf, start, startMs, subject, subjectOf } from './sample.ts';

const code = (expected: ErrorCode, pointer?: string) => (error: unknown) => {
  assert.ok(isVeilgateError(error, expected), String(error));
  if (pointer !== undefined) assert.equal(error.detail?.['pointer'], pointer);
  return true;
};
const iat = startMs / 1000;

describe('consent/signed-grant', () => {
  let database: Database;
  let next = 0;
  before(async () => { database = await freshDatabase(); });

  const payload = (changes: Record<string, unknown> = {}): SignedGrantPayload =>
    ({ iss: 'enterprise-1', aud: 'https://gateway.example', iat, exp: iat + 60, jti: `grant-jti-${++next}`, institution: bank, terms: detail(), ...changes }) as SignedGrantPayload;
  const grantFrom = (signed: unknown, clock = fixedClock(start), document = 'head.payload.signature') =>
    database.transaction('t', (tx) => grantFromSigned(tx, { payload: signed, document }, subject, capsOf, clock));

  it('stores what the enterprise signed, with the document as proof', async () => {
    const signed = payload();
    const { grant, event } = await grantFrom(signed);
    assert.deepEqual([grant.origin, grant.institution, grant.subject, grant.state, grant.validFromMs], ['signed', bank, subject, 'active', startMs]);
    assert.equal(grant.noticeDigest, digestOf(canonicalJson(signed.terms)));
    assert.equal(grant.evidenceDigest, digestOf('head.payload.signature'));
    assert.deepEqual([event.kind, event.actor], ['granted', { subject }]);
    assert.deepEqual(await readGrant(database, grant.id, { subject }, startMs), grant);
    const { rows } = await database.query('select issuer, document from signed_grant where grant_id = $1', [grant.id]);
    assert.deepEqual(rows, [{ issuer: 'enterprise-1', document: 'head.payload.signature' }]);
  });

  it('takes the digest of the notice when the enterprise signed one', async () => {
    assert.equal((await grantFrom(payload({ notice_digest: digestOf('the notice') }))).grant.noticeDigest, digestOf('the notice'));
  });

  it('grants once, for ever: not again after a revocation, nor twice at the same time', async () => {
    const signed = payload();
    const { grant } = await grantFrom(signed);
    await database.transaction('t', (tx) => changeGrant(tx, { grant: grant.id, actor: { subject }, action: 'revoke' }, fixedClock(start)));
    await assert.rejects(grantFrom(signed), code('TOKEN_REPLAYED'));
    const twice = payload();
    const results = await Promise.allSettled([grantFrom(twice), grantFrom(twice), grantFrom(twice)]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected']);
    const { rows } = await database.query<{ n: number }>('select count(*) as n from consent_grant g left join signed_grant s on s.grant_id = g.id where s.grant_id is null');
    assert.equal(rows[0]?.n, 0, 'a refused document left a grant behind');
  });

  it('grants five hundred times a day', async () => {
    const own = subjectOf(81);
    const sign = (atMs = startMs) => {
      const s = atMs / 1000;
      return database.transaction('t', (tx) => grantFromSigned(tx, { payload: payload({ terms: detail({ subject: own }), iat: s, exp: s + 60 }), document: 'a.b.c' }, own, capsOf, fixedClock(new Date(atMs).toISOString())));
    };
    const { grant } = await sign();
    await database.query(
      `insert into consent_grant (id, subject, institution, purpose, field_set, width, valid_from_ms, valid_until_ms, kind, uses_max, uses_left, data_life_days, notice_digest, origin, evidence_digest, created_ms, changed_ms)
       select lpad(n::text, 22, 'x'), subject, institution, purpose, field_set, width, valid_from_ms, valid_until_ms, kind, 1, 1, data_life_days, notice_digest, origin, evidence_digest, created_ms, changed_ms
       from consent_grant, generate_series(1, $2::int) n where id = $1`, [grant.id, signedGrantsPerDayMax - 2]);
    assert.deepEqual((await Promise.allSettled([sign(), sign(), sign()])).map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected']);
    await assert.rejects(sign(), (error) => code('REQUEST_QUOTA_EXCEEDED')(error) && Number((error as VeilgateError).detail?.['retryAfterSeconds']) > 0);
    assert.equal((await sign(startMs + dayMs as TimeMs)).grant.state, 'active');
  });

  it('lets the same jti of another enterprise be', async () => {
    const first = payload();
    await grantFrom(first);
    await grantFrom({ ...first, iss: 'enterprise-2' });
  });

  it('grants no access to another enterprise', async () => {
    await assert.rejects(grantFrom(payload({ terms: detail({ subject: subjectOf(2) }) })), code('CONSENT_INVALID', '/terms/subject'));
  });

  it('holds the terms against policy', async () => {
    await assert.rejects(grantFrom(payload({ terms: detail({ valid_days: 181 }) })), code('CONSENT_EXCEEDS_CAP'));
    await assert.rejects(grantFrom(payload({ terms: detail({ purpose: 'other' }) })), code('POLICY_PURPOSE_UNKNOWN'));
  });

  it('refuses what is late or could be kept for later', async () => {
    await assert.rejects(grantFrom(payload(), fixedClock(startMs + 60_000)), code('TOKEN_EXPIRED'));
    await assert.rejects(grantFrom(payload({ exp: iat + signedGrantLifetimeMaxS + 1 })), code('TOKEN_LIFETIME_TOO_LONG'));
  });

  it('refuses what is not of its form or size', async () => {
    const { terms: _terms, ...withoutTerms } = payload();
    await assert.rejects(grantFrom(withoutTerms), code('CONSENT_INVALID', '/'));
    await assert.rejects(grantFrom(payload({ jti: "x' or true" })), code('CONSENT_INVALID', '/jti'));
    await assert.rejects(grantFrom(payload({ institution: '' })), code('CONSENT_INVALID', '/institution'));
    await assert.rejects(grantFrom(payload({ admin: true })), code('CONSENT_INVALID', '/'));
    await assert.rejects(grantFrom(payload({ terms: { ...detail(), kind: 'ever' } })), code('CONSENT_INVALID', '/terms/kind'));
    await assert.rejects(grantFrom(payload(), fixedClock(start), 'x'.repeat(signedGrantLengthMax + 1)), code('REQUEST_TOO_LARGE'));
  });
});
