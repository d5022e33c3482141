import { strict as assert } from 'node:assert';
import { hash } from 'node:crypto';
import { fixedClock } from '../../src/clock.ts';
import { accessTokens, type AccessTokens } from '../../src/identity/access-token.ts';
import { issuerKeys } from '../../src/identity/issuer-keys.ts';
import { makeEncryptionJwk, makeKey, refused, signCompact, type TestKey } from './signing.ts';

const gateway = 'https://gateway.example';
const issuer = 'https://issuer.example';
const jkt = 'k'.repeat(43);
const grant = 'grant-0123456789abcdef';

describe('identity/access-token', () => {
  let clock: ReturnType<typeof fixedClock>;
  let key: TestKey;
  let published: unknown;
  let fetches: number;
  let tokens: AccessTokens;
  let spare: TestKey;
  before(async () => {
    [key, spare] = [await makeKey(), await makeKey('P-256')];
  });
  beforeEach(() => {
    clock = fixedClock('2026-03-01T08:00:00Z');
    published = { keys: [key.jwk] };
    fetches = 0;
    tokens = accessTokens({ audience: gateway, issuers: keysOf(), maxLifetimeS: 300 });
  });

  const keysOf = (issuers = [issuer]) => issuerKeys({
    issuers,
    fetchJwks: async () => {
      fetches += 1;
      if (published instanceof Error) throw published;
      return published;
    },
  });
  const claims = (changes: Record<string, unknown> = {}) => {
    const nowS = Math.floor(clock.nowMs() / 1000);
    return { iss: issuer, aud: gateway, sub: 'bank-a', client_id: 'bank-a', iat: nowS, exp: nowS + 300, jti: 'token-1', scope: 'query', cnf: { jkt }, ...changes };
  };
  const issue = (changes: Record<string, unknown> = {}, of = key, typ = 'at+jwt') => signCompact(of, typ, claims(changes));
  const verify = (token: string) => tokens.verify(token, clock.nowMs());

  it('reads what a token says', async () => {
    const token = issue({ authorization_details: [{ type: 'veilgate_consent', grant }], scope: 'openid query toString', aud: [gateway] });
    assert.deepEqual(await verify(token), {
      issuer, jti: 'token-1', party: 'bank-a', scopes: new Set(['query']), dpopKeyThumbprint: jkt, grant, digest: hash('sha256', token, 'base64url'),
    });
    assert.equal((await verify(issue({}, key, 'application/at+jwt'))).grant, undefined);
    assert.equal((await verify(issue({ scope: undefined }))).scopes.size, 0);
    assert.equal((await verify(issue({ authorization_details: [{ type: 'other' }, null] }))).grant, undefined);
  });

  it('refuses every other kind of token of the same issuer', async () => {
    for (const typ of ['JWT', 'logout+jwt', 'token-introspection+jwt', 'query+jwt', 'dpop+jwt']) await refused(verify(issue({}, key, typ)), 'TOKEN_WRONG_TYPE');
  });

  it('wants what RFC 9068 and the binding to a key need', async () => {
    for (const claim of ['iss', 'aud', 'sub', 'client_id', 'iat', 'exp', 'jti', 'cnf']) {
      await refused(verify(issue({ [claim]: undefined })), claim === 'iss' ? 'TOKEN_ISSUER_UNTRUSTED' : 'TOKEN_CLAIM_MISSING');
    }
    const wrong = [{ sub: 7 }, { client_id: 7 }, { client_id: 'Bank A' }, { client_id: '' }, { scope: ['query'] }, { cnf: null }, { cnf: {} }, { cnf: { jkt: 'short' } }, { cnf: { 'x5t#S256': jkt } },
      { authorization_details: 'x' }, { authorization_details: [{ type: 'veilgate_consent' }] }, { authorization_details: [{ type: 'veilgate_consent', grant: 'x' }] },
      { authorization_details: [{ type: 'veilgate_consent', grant }, { type: 'veilgate_consent', grant }] }, { authorization_details: Array.from({ length: 11 }, () => null) }];
    for (const changes of wrong) await refused(verify(issue(changes)), 'TOKEN_CLAIM_INVALID');
  });

  it('refuses other issuers, audiences, keys, and lives that are too long', async () => {
    await refused(verify(issue({ iss: 'https://evil.example' })), 'TOKEN_ISSUER_UNTRUSTED');
    await refused(verify(issue({ iss: `${issuer}/` })), 'TOKEN_ISSUER_UNTRUSTED');
    await refused(verify(issue({ aud: 'https://other.example' })), 'TOKEN_AUDIENCE_MISMATCH');
    await refused(verify(issue({ exp: clock.nowMs() / 1000 + 301 })), 'TOKEN_LIFETIME_TOO_LONG');
    await refused(verify(issue({}, spare)), 'TOKEN_KEY_UNKNOWN');
    await refused(verify(issue({}, { ...spare, alg: 'ES256', jwk: { ...spare.jwk, kid: key.jwk.kid } })), 'TOKEN_ALGORITHM_FORBIDDEN');
    await refused(verify(issue().slice(0, -4) + 'AAAA'), 'TOKEN_SIGNATURE_INVALID');
    assert.equal(fetches, 1);
  });

  it('refuses a token of one trusted issuer under the name of another', async () => {
    tokens = accessTokens({ audience: gateway, issuers: issuerKeys({ issuers: [issuer, 'https://second.example'], fetchJwks: async (of) => ({ keys: [of === issuer ? key.jwk : spare.jwk] }) }) });
    await verify(issue({ iss: 'https://second.example' }, spare));
    await refused(verify(issue({}, spare)), 'TOKEN_KEY_UNKNOWN');
  });

  describe('a token that was checked before', () => {
    it('is remembered, but not beyond its time', async () => {
      const token = issue();
      const first = await verify(token);
      assert.equal(await verify(token), first);
      clock.advanceMs(299_999);
      assert.equal(await verify(token), first);
      clock.advanceMs(1);
      await refused(verify(token), 'TOKEN_EXPIRED');
    });

    it('is not remembered before its time either', async () => {
      const token = issue({ nbf: clock.nowMs() / 1000 + 5 });
      await verify(token);
      clock.advanceMs(-2000);
      await refused(verify(token), 'TOKEN_NOT_YET_VALID');
    });

    it('is refused once its issuer has withdrawn the key, or put another under its name', async () => {
      const token = issue({ exp: clock.nowMs() / 1000 + 300 });
      tokens = accessTokens({ audience: gateway, issuers: issuerKeys({ issuers: [issuer], fetchJwks: async () => published, maxAgeMs: 60_000 }), maxLifetimeS: 300 });
      await verify(token);
      published = { keys: [spare.jwk] };
      clock.advanceMs(59_999);
      await verify(token);
      clock.advanceMs(1);
      await refused(verify(token), 'TOKEN_KEY_UNKNOWN');
      published = { keys: [{ ...spare.jwk, kid: key.jwk.kid }] };
      clock.advanceMs(60_000);
      await refused(verify(token), 'TOKEN_KEY_UNKNOWN');
    });

    it('is told from every other by all of its text', async () => {
      const token = issue();
      await verify(token);
      await refused(verify(`${token.slice(0, -1)}${token.endsWith('A') ? 'Q' : 'A'}`), 'TOKEN_SIGNATURE_INVALID');
      await refused(verify(`${token}=`), 'TOKEN_MALFORMED');
    });

    it('makes room when too many are remembered', async () => {
      tokens = accessTokens({ audience: gateway, issuers: keysOf(), maxLifetimeS: 300, maxCached: 2 });
      const [a, b, c] = [issue({ jti: 'a' }), issue({ jti: 'b' }), issue({ jti: 'c' })];
      const first = await verify(a);
      await verify(b);
      assert.equal(await verify(a), first); // used again: b is now the oldest
      const second = await verify(b);
      await verify(a);
      await verify(c);
      assert.equal(await verify(a), first);
      assert.notEqual(await verify(b), second);
    });
  });

  describe('keys of an issuer', () => {
    it('are fetched once, again for an unknown key, and not more often than every ten seconds', async () => {
      await Promise.all([verify(issue({ jti: 'a' })), verify(issue({ jti: 'b' }))]);
      assert.equal(fetches, 1);
      const byNewKey = issue({}, spare);
      published = { keys: [key.jwk, spare.jwk] };
      await refused(verify(byNewKey), 'TOKEN_KEY_UNKNOWN');
      clock.advanceMs(10_000);
      await verify(byNewKey);
      assert.equal(fetches, 2);
      for (let n = 0; n < 5; n += 1) await refused(verify(issue({}, { ...spare, jwk: { ...spare.jwk, kid: `made-up-${n}` } })), 'TOKEN_KEY_UNKNOWN');
      assert.equal(fetches, 2);
    });

    it('are believed for a while when the issuer is gone, then not', async () => {
      await verify(issue());
      published = new Error('gone');
      clock.advanceMs(899_999);
      await verify(issue({ jti: 'later' }));
      clock.advanceMs(1);
      await refused(verify(issue({ jti: 'too-late' })), 'TOKEN_ISSUER_UNAVAILABLE');
      published = { keys: [key.jwk] };
      clock.advanceMs(10_000);
      await verify(issue({ jti: 'back' }));
    });

    it('are unavailable when they never could be had, or are no key set', async () => {
      for (const bad of [new Error('gone'), null, {}, { keys: 'x' }, { keys: Array.from({ length: 51 }, () => key.jwk) }]) {
        published = bad;
        tokens = accessTokens({ audience: gateway, issuers: keysOf() });
        await refused(verify(issue()), 'TOKEN_ISSUER_UNAVAILABLE');
      }
    });

    it('are used only if they can be told apart and are fit for signatures', async () => {
      const noKid = { ...key.jwk, kid: undefined };
      published = { keys: [makeEncryptionJwk(), { kty: 'oct', k: 'AA' }, null, { ...spare.jwk, alg: 'RS256' }, noKid] };
      await verify(issue());
      published = { keys: [key.jwk, { ...spare.jwk, kid: key.jwk.kid }] };
      tokens = accessTokens({ audience: gateway, issuers: keysOf() });
      await refused(verify(issue()), 'TOKEN_KEY_UNKNOWN');
    });
  });
});
