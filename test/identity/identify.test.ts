import { strict as assert } from 'node:assert';
import { hash, randomUUID } from 'node:crypto';
import type { ErrorCode } from '../../src/errors.ts';
import { admitCallers } from '../../src/identity/admit.ts';
import { identify, openIdentity, type Identity, type IncomingRequest } from '../../src/identity/identify.ts';
import { registerEnterpriseParty } from '../../src/identity/registry/enterprise.ts';
import { retireKey } from '../../src/identity/registry/key-change.ts';
import { signedGrant, signedQuery } from '../../src/identity/signed-body.ts';
import { openDatabase, type Database } from '../../src/store/database.ts';
import type { PartyId } from '../../src/vocabulary.ts';
import { makeKey, refused, signCompact, signRaw, type TestKey } from './signing.ts';
import { admittedInstitution, gao, gateway, registryBeforeEach, ren, subject, type Applicant, type TestClock } from './registry/fixtures.ts';

const issuer = 'https://issuer.example';
const url = `${gateway}/v1/queries`;
const query = { subject, purpose: 'pre_loan_review', read: ['tax.revenue'] };

describe('identity/identify', () => {
  let database: Database;
  let clock: TestClock;
  let bank: Applicant;
  let identity: Identity;
  let issuerKey: TestKey;
  let dpopKey: TestKey;
  registryBeforeEach(async (given) => {
    ({ database, clock } = given);
    bank = await admittedInstitution(database, clock);
    [issuerKey, dpopKey] = [await makeKey(), await makeKey()];
    identity = node();
  });

  const node = (sql = database) => openIdentity({ audience: gateway, issuers: [issuer], fetchJwks: async () => ({ keys: [issuerKey.jwk] }), dpopNonceSecret: new Uint8Array(32).fill(1), sql, clock });
  const nowS = () => Math.floor(clock.nowMs() / 1000);
  const token = (changes: Record<string, unknown> = {}) => signCompact(issuerKey, 'at+jwt', {
    iss: issuer, aud: gateway, sub: 'bank-a', client_id: 'bank-a', iat: nowS(), exp: nowS() + 300, jti: 'token-1', scope: 'query', cnf: { jkt: dpopKey.jwk.kid }, ...changes,
  });
  const proof = (accessToken: string, changes: Record<string, unknown> = {}) => {
    const { kty, crv, x } = dpopKey.jwk as Record<string, unknown>;
    return signRaw(dpopKey, { typ: 'dpop+jwt', alg: 'EdDSA', jwk: { kty, crv, x } }, {
      jti: randomUUID(), htm: 'POST', htu: url, iat: nowS(), ath: hash('sha256', accessToken, 'base64url'), nonce: identity.nonces.current(clock.nowMs()), ...changes,
    });
  };
  const queryJws = (changes: Record<string, unknown> = {}, key = bank.key) => signCompact(key, 'query+jwt', { iss: 'bank-a', aud: gateway, iat: nowS(), exp: nowS() + 60, jti: randomUUID(), query, ...changes });
  const request = (accessToken = token(), changes: Partial<IncomingRequest> = {}): IncomingRequest => ({
    method: 'POST', url, authorization: `DPoP ${accessToken}`, dpop: proof(accessToken), body: { kind: signedQuery, jws: queryJws() }, ...changes,
  });
  const refuses = (incoming: IncomingRequest, code: ErrorCode, on = identity) => refused(identify(incoming, on), code);
  const withBody = (jws: string) => request(undefined, { body: { kind: signedQuery, jws } });

  it('tells who calls, with what right, and what was signed', async () => {
    const grant = 'grant-0123456789abcdef';
    const jws = queryJws({ jti: 'query-0123456789abcdef' });
    const accessToken = token({ authorization_details: [{ type: 'veilgate_consent', grant }] });
    const identified = await identify(request(accessToken, { dpop: proof(accessToken, { jti: 'proof-0123456789abcdef' }), body: { kind: signedQuery, jws } }), identity);
    assert.deepEqual(identified, {
      party: 'bank-a', scopes: new Set(['query']), dpopKeyThumbprint: dpopKey.jwk.kid, grant, token: { issuer, jti: 'token-1' },
      replayKeys: [
        { issuer: `dpop ${dpopKey.jwk.kid}`, jti: 'proof-0123456789abcdef', expiresAtMs: clock.nowMs() + 60_000 },
        { issuer: 'query+jwt bank-a', jti: 'query-0123456789abcdef', expiresAtMs: clock.nowMs() + 60_000 },
      ],
      body: {
        claims: { iss: 'bank-a', aud: gateway, iat: nowS(), exp: nowS() + 60, jti: 'query-0123456789abcdef', query }, keyThumbprint: bank.key.jwk.kid, digest: hash('sha256', jws),
      },
    });
  });

  it('needs no signed body where none is asked for', async () => {
    const accessToken = token();
    const identified = await identify({ method: 'GET', url: `${gateway}/v1/grants?page=2`, authorization: `dpop ${accessToken}`, dpop: proof(accessToken, { htm: 'GET', htu: `${gateway}/v1/grants` }) }, identity);
    assert.equal(identified.replayKeys.length, 1);
    assert.equal('body' in identified, false);
  });

  it('wants an access token with a proof, never a bearer', async () => {
    for (const authorization of [undefined, '', 'DPoP', 'DPoP ', `Bearer ${token()}`, token(), `Basic ${token()}`, `DPoP  ${token()}`]) await refuses(request(undefined, { authorization }), 'TOKEN_MISSING');
    await refuses(request(undefined, { dpop: undefined }), 'DPOP_MISSING');
    await refuses(request(undefined, { dpop: proof('another token') }), 'DPOP_INVALID');
    await refuses(request(token({ cnf: { jkt: bank.key.jwk.kid } })), 'DPOP_BINDING_MISMATCH');
    const accessToken = token();
    assert.equal((await refuses(request(accessToken, { dpop: proof(accessToken, { nonce: undefined }) }), 'DPOP_NONCE_REQUIRED')).detail?.['nonce'], identity.nonces.current(clock.nowMs()));
  });

  describe('signed body', () => {
    it('is the caller\'s own, signed with one of its registered keys', async () => {
      const other = await admittedInstitution(database, clock, 'bank-b');
      await refuses(withBody(queryJws({ iss: 'bank-b' })), 'TOKEN_ISSUER_UNTRUSTED');
      await refuses(withBody(queryJws({}, other.key)), 'TOKEN_KEY_UNKNOWN');
      await refuses(withBody(queryJws({}, { ...other.key, jwk: bank.key.jwk })), 'TOKEN_SIGNATURE_INVALID');
      await refuses(withBody(queryJws({}, { ...bank.key, jwk: { ...bank.key.jwk, kid: bank.encryption.kid } })), 'TOKEN_KEY_UNKNOWN');
    });

    it('lives a minute, for this gateway, with a jti that can be unique', async () => {
      await refuses(withBody(queryJws({ exp: nowS() + 61 })), 'TOKEN_LIFETIME_TOO_LONG');
      await refuses(withBody(queryJws({ iat: nowS() - 61, exp: nowS() - 1 })), 'TOKEN_EXPIRED');
      await refuses(withBody(queryJws({ aud: issuer })), 'TOKEN_AUDIENCE_MISMATCH');
      await refuses(withBody(queryJws({ query: undefined })), 'TOKEN_CLAIM_MISSING');
      await refuses(withBody(queryJws({ jti: 'short' })), 'TOKEN_CLAIM_INVALID');
      await refuses(withBody(queryJws({ pad: 'x'.repeat(131_072) })), 'TOKEN_MALFORMED');
      await refuses(withBody(signCompact(bank.key, 'grant+jwt', {})), 'TOKEN_WRONG_TYPE');
      await refuses(withBody('{"query":{}}'), 'TOKEN_MALFORMED');
    });

    it('of an enterprise is a grant, which may wait a day', async () => {
      const key = await makeKey('P-256');
      const { party } = await database.transaction('test', (tx) => registerEnterpriseParty(tx, { subject, key: key.jwk, by: ren }, clock)) as { party: PartyId };
      const accessToken = token({ sub: party, client_id: party, scope: 'grants' });
      const grant = (changes = {}) => signCompact(key, 'grant+jwt', { iss: party, aud: gateway, iat: nowS(), exp: nowS() + 86_400, jti: randomUUID(), institution: 'bank-a', terms: {}, ...changes });
      const identified = await identify(request(accessToken, { body: { kind: signedGrant, jws: grant() } }), identity);
      assert.equal(identified.replayKeys[1]?.issuer, `grant+jwt ${party}`);
      await refuses(request(accessToken, { body: { kind: signedGrant, jws: grant({ exp: nowS() + 86_401 }) } }), 'TOKEN_LIFETIME_TOO_LONG');
    });
  });

  it('asks the registry for a key once, and admission notices at once when it is retired', async () => {
    let lookups = 0;
    const counting: Database = { ...database, query: (...statement) => { lookups += 1; return database.query(...statement); } };
    identity = node(counting);
    await identify(request(), identity);
    await identify(request(), identity);
    assert.equal(lookups, 1);
    await database.transaction('test', (tx) => retireKey(tx, { party: bank.id, thumbprint: bank.key.jwk.kid, by: gao }, clock));
    const identified = await identify(request(), identity);
    const [outcome] = await admitCallers(database, [{ request: identified, countsAsQuery: true }], clock.nowMs());
    assert.equal((outcome as { code?: string }).code, 'TOKEN_KEY_UNKNOWN');
    await refuses(request(), 'TOKEN_KEY_UNKNOWN', node());
  });

  it('lets the same request pass exactly once, whichever nodes it is sent to at once', async () => {
    const pools = [openDatabase({ url: database.url, maxConnections: 2 }), openDatabase({ url: database.url, maxConnections: 2 })];
    try {
      const same = request();
      const outcomes = await Promise.all([0, 1, 0, 1].map(async (at) => {
        const pool = pools[at] as Database;
        const [outcome] = await admitCallers(pool, [{ request: await identify(same, node(pool)), countsAsQuery: true }], clock.nowMs());
        return outcome instanceof Error ? outcome.message : 'admitted';
      }));
      assert.equal(outcomes.filter((outcome) => outcome === 'admitted').length, 1);
    } finally {
      await Promise.all(pools.map((pool) => pool.close()));
    }
  });

  it('catches a query sent again with a fresh proof, and a proof sent again with a fresh query', async () => {
    const admit = async (incoming: IncomingRequest) => {
      const [outcome] = await admitCallers(database, [{ request: await identify(incoming, identity), countsAsQuery: true }], clock.nowMs());
      return outcome instanceof Error ? (outcome as { code?: string }).code : 'admitted';
    };
    const first = request();
    assert.equal(await admit(first), 'admitted');
    assert.equal(await admit({ ...request(), ...(first.body === undefined ? {} : { body: first.body }) }), 'TOKEN_REPLAYED');
    assert.equal(await admit({ ...request(), authorization: first.authorization, dpop: first.dpop }), 'TOKEN_REPLAYED');
    // the same jti under another signature is the same query
    assert.equal(await admit(withBody(queryJws({ jti: 'query-0123456789abcdef' }))), 'admitted');
    clock.advanceMs(1000);
    assert.equal(await admit(withBody(queryJws({ jti: 'query-0123456789abcdef' }))), 'TOKEN_REPLAYED');
  });

  it('refuses a nonce secret that is too short', () => {
    assert.throws(() => openIdentity({ audience: gateway, issuers: [issuer], fetchJwks: async () => ({}), dpopNonceSecret: new Uint8Array(16), sql: database, clock }), /at least 32 bytes/);
  });
});
