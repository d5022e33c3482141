import { strict as assert } from 'node:assert';
import { startSecondNode } from './support/second-node.ts';
import { compact, freshKey, issuerKey, misspellings, type Changes, type WireKey } from './support/wire.ts';
import { refusesLogged, refusesUnchanged, startWorld, subject, terms, type World } from './support/world.ts';

const query = { subject, purpose: terms.purpose, read: ['registry.name', 'tax.declared_revenue_cents'] };
const inSeconds = (s: number) => Math.floor(Date.now() / 1000) + s;
const notUtf8 = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]);
const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

describe('flow: tokens that are wrong', () => {
  let world: World;
  let stranger: WireKey;

  before(async function () {
    this.timeout(60_000);
    world = await startWorld();
    stranger = await freshKey();
  });
  after(() => world.platform.close());

  it('answers the very query when nothing is wrong with its tokens', async () => {
    const answer = await world.bank.query(query);
    assert.equal(answer.status, 200, answer.text);
  });

  describe('access token', () => {
    const faults: Readonly<Record<string, readonly [code: string, changes: () => Changes | Promise<Changes>]>> = {
      'signed by another key': ['TOKEN_SIGNATURE_INVALID', async () => ({ key: stranger })],
      'naming a key the issuer does not have': ['TOKEN_KEY_UNKNOWN', () => ({ header: { kid: stranger.kid } })],
      'naming no key': ['TOKEN_MALFORMED', () => ({ header: { kid: undefined } })],
      'bringing its own key along': ['TOKEN_MALFORMED', () => ({ key: stranger, header: { jwk: stranger.publicJwk } })],
      'with a critical extension': ['TOKEN_MALFORMED', () => ({ header: { crit: ['exp'] } })],
      'without algorithm': ['TOKEN_ALGORITHM_FORBIDDEN', () => ({ header: { alg: 'none' } })],
      'with another key\'s algorithm': ['TOKEN_ALGORITHM_FORBIDDEN', async () => ({ key: await freshKey('P-256') })],
      'with an RSA signature': ['TOKEN_ALGORITHM_FORBIDDEN', async () => ({ key: await freshKey('RSA') })],
      'of no type': ['TOKEN_WRONG_TYPE', () => ({ header: { typ: undefined } })],
      'of the type of a query': ['TOKEN_WRONG_TYPE', () => ({ header: { typ: 'query+jwt' } })],
      'of the plain type': ['TOKEN_WRONG_TYPE', () => ({ header: { typ: 'JWT' } })],
      'that has expired': ['TOKEN_EXPIRED', () => ({ claims: { iat: inSeconds(-301), exp: inSeconds(-1) } })],
      'from the future': ['TOKEN_NOT_YET_VALID', () => ({ claims: { iat: inSeconds(60) } })],
      'not valid before tomorrow': ['TOKEN_NOT_YET_VALID', () => ({ claims: { nbf: inSeconds(86_400) } })],
      'that lives too long': ['TOKEN_LIFETIME_TOO_LONG', () => ({ claims: { exp: inSeconds(86_400) } })],
      'of another issuer': ['TOKEN_ISSUER_UNTRUSTED', () => ({ claims: { iss: 'https://issuer.example' } })],
      'for another audience': ['TOKEN_AUDIENCE_MISMATCH', () => ({ claims: { aud: 'https://gateway.example' } })],
      'for another audience as well': ['TOKEN_AUDIENCE_MISMATCH', () => ({ claims: { aud: [world.platform.gateway.gatewayUrl, 'https://gateway.example'] } })],
      'bound to no key': ['TOKEN_CLAIM_INVALID', () => ({ claims: { cnf: {} } })],
      'of a party that is not registered': ['TOKEN_KEY_UNKNOWN', () => ({ claims: { sub: 'bank-z', client_id: 'bank-z' } })],
      'of another bank than the one that signed the query': ['TOKEN_KEY_UNKNOWN', () => ({ claims: { sub: 'bank-b', client_id: 'bank-b' } })],
      'with a fraction of a second': ['TOKEN_CLAIM_INVALID', () => ({ claims: { iat: Date.now() / 1000 + 0.5 } })],
      'with a duplicate key': ['JSON_DUPLICATE_KEY', () => ({ claims: '{"iss":"a","iss":"b"}' })],
      'with a prototype in it': ['JSON_FORBIDDEN_KEY', () => ({ claims: '{"iss":"a","__proto__":{"client_id":"bank-b"}}' })],
      'nested deeply': ['JSON_TOO_DEEP', () => ({ claims: `{"iss":${deep(200)}}` })],
      'that is no object': ['TOKEN_MALFORMED', () => ({ claims: '"iss"' })],
      'that is not UTF-8': ['TOKEN_MALFORMED', () => ({ claims: notUtf8 })],
      'that is too long': ['TOKEN_MALFORMED', () => ({ claims: { padding: 'p'.repeat(8000) } })],
      'without iss': ['TOKEN_ISSUER_UNTRUSTED', () => ({ claims: { iss: undefined } })],
      ...Object.fromEntries(['aud', 'exp', 'iat', 'jti', 'sub', 'client_id', 'cnf'].map((claim) => [`without ${claim}`, ['TOKEN_CLAIM_MISSING', () => ({ claims: { [claim]: undefined } })]] as const)),
    };
    for (const [name, [code, changes]] of Object.entries(faults)) {
      it(`is refused ${name} (${code})`, async () => {
        await refusesUnchanged(world, code, async () => world.bank.query(query, { token: await world.bank.token(await changes()) }));
      });
    }

    it('is refused in any other spelling (TOKEN_MALFORMED)', async () => {
      for (const [, token] of misspellings(await world.bank.token())) {
        await refusesUnchanged(world, 'TOKEN_MALFORMED', () => world.bank.query(query, { token }));
      }
    });

    it('is refused when its signature is a hash keyed with the issuer\'s public key (TOKEN_ALGORITHM_FORBIDDEN)', async () => {
      const issuer = await issuerKey(world.platform);
      const secret = await crypto.subtle.importKey('raw', Buffer.from(issuer.publicJwk.x ?? '', 'base64url'), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
      const token = await world.bank.token({ key: { ...issuer, privateKey: secret, alg: 'HS256' } });
      await refusesUnchanged(world, 'TOKEN_ALGORITHM_FORBIDDEN', () => world.bank.query(query, { token }));
    });

    it('is refused with a claim changed after it was signed (TOKEN_SIGNATURE_INVALID)', async () => {
      const [header, payload = '', signature] = (await world.otherBank.token()).split('.');
      const changed = Buffer.from(payload, 'base64url').toString().replaceAll('bank-b', 'bank-a');
      const token = `${header}.${Buffer.from(changed).toString('base64url')}.${signature}`;
      await refusesUnchanged(world, 'TOKEN_SIGNATURE_INVALID', () => world.bank.query(query, { token }));
    });

    it('is refused as a bearer token, twice, and not at all (TOKEN_MISSING, REQUEST_MALFORMED)', async () => {
      const token = await world.bank.token();
      await refusesUnchanged(world, 'TOKEN_MISSING', () => world.bank.query(query, { headers: { authorization: `Bearer ${token}` } }));
      await refusesUnchanged(world, 'TOKEN_MISSING', () => world.bank.query(query, { headers: { authorization: '' } }));
      await refusesUnchanged(world, 'TOKEN_MALFORMED', () => world.bank.query(query, { token: `${token}, DPoP ${token}` }));
    });

    it('is refused when it is longer than headers may be (REQUEST_TOO_LARGE)', async () => {
      await refusesUnchanged(world, 'REQUEST_TOO_LARGE', () => world.bank.query(query, { token: 'a'.repeat(40_000) }));
    });

    it('is refused where a consent token is sent in its place (TOKEN_WRONG_TYPE)', async () => {
      const { consent_token: token } = (await world.bank.get(`/v1/grants/${world.grant}/token`)).json as { consent_token: string };
      await refusesUnchanged(world, 'TOKEN_WRONG_TYPE', () => world.bank.query(query, { token }));
    });
  });

  describe('DPoP proof', () => {
    const faults: Readonly<Record<string, readonly [code: string, changes: () => Changes | Promise<Changes>]>> = {
      'made with another key': ['DPOP_BINDING_MISMATCH', () => ({ key: stranger })],
      'that shows the right key and is signed by another': ['DPOP_INVALID', () => ({ key: stranger, header: { jwk: world.bank.dpop.publicJwk } })],
      'without its key': ['DPOP_INVALID', () => ({ header: { jwk: undefined } })],
      'with its private key in it': ['DPOP_INVALID', () => ({ header: { jwk: { ...world.bank.dpop.publicJwk, d: 'A'.repeat(43) } } })],
      'of another type': ['DPOP_INVALID', () => ({ header: { typ: 'JWT' } })],
      'without algorithm': ['DPOP_INVALID', () => ({ header: { alg: 'none' } })],
      'with a keyed hash as algorithm': ['DPOP_INVALID', () => ({ header: { alg: 'HS256' } })],
      'with a kid beside its key': ['DPOP_INVALID', () => ({ header: { kid: 'x' } })],
      'for another method': ['DPOP_INVALID', () => ({ claims: { htm: 'GET' } })],
      'for another path': ['DPOP_INVALID', () => ({ claims: { htu: `${world.platform.gateway.gatewayUrl}/v1/queries/explain` } })],
      'for another host': ['DPOP_INVALID', () => ({ claims: { htu: 'https://gateway.example/v1/queries' } })],
      'for another token': ['DPOP_INVALID', () => ({ claims: { ath: 'A'.repeat(43) } })],
      'from two minutes ago': ['DPOP_INVALID', () => ({ claims: { iat: inSeconds(-120) } })],
      'from the future': ['DPOP_INVALID', () => ({ claims: { iat: inSeconds(60) } })],
      'without a nonce': ['DPOP_NONCE_REQUIRED', () => ({ claims: { nonce: undefined } })],
      'with a nonce nobody gave': ['DPOP_NONCE_REQUIRED', () => ({ claims: { nonce: 'A'.repeat(27) } })],
      'with a short jti': ['DPOP_INVALID', () => ({ claims: { jti: 'short' } })],
      'with a duplicate key': ['DPOP_INVALID', () => ({ claims: '{"jti":"aaaaaaaaaaaaaaaa","jti":"bbbbbbbbbbbbbbbb"}' })],
      'nested deeply': ['DPOP_INVALID', () => ({ claims: `{"jti":${deep(30)}}` })],
      'that is too long': ['DPOP_INVALID', () => ({ claims: { padding: 'p'.repeat(8000) } })],
      ...Object.fromEntries(['htm', 'htu', 'ath', 'jti', 'iat'].map((claim) => [`without ${claim}`, ['DPOP_INVALID', () => ({ claims: { [claim]: undefined } })]] as const)),
    };
    for (const [name, [code, changes]] of Object.entries(faults)) {
      it(`is refused ${name} (${code})`, async () => {
        await refusesUnchanged(world, code, async () => world.bank.query(query, { proofChanges: await changes() }));
      });
    }

    it('is refused in any other spelling, and missing (DPOP_INVALID, DPOP_MISSING)', async () => {
      const token = await world.bank.token();
      const proof = await world.bank.proof({ method: 'POST', path: '/v1/queries', token });
      for (const [, misspelt] of misspellings(proof)) {
        await refusesUnchanged(world, 'DPOP_INVALID', () => world.bank.query(query, { token, proof: misspelt }));
      }
      await refusesUnchanged(world, 'DPOP_MISSING', () => world.bank.query(query, { proof: null }));
    });

    it('that is refused for its nonce comes with the one to use', async () => {
      const answer = await world.bank.query(query, { proofChanges: { claims: { nonce: undefined } } });
      assert.equal(answer.headers.get('dpop-nonce'), answer.json['nonce']);
      assert.match(answer.headers.get('www-authenticate') ?? '', /use_dpop_nonce/);
    });
  });

  describe('signed query', () => {
    const faults: Readonly<Record<string, readonly [code: string, changes: () => Changes | Promise<Changes>]>> = {
      'signed by another key': ['TOKEN_SIGNATURE_INVALID', () => ({ key: stranger })],
      'naming a key the bank has not registered': ['TOKEN_KEY_UNKNOWN', () => ({ key: stranger, header: { kid: stranger.kid } })],
      'naming another bank\'s key': ['TOKEN_KEY_UNKNOWN', () => ({ key: world.otherBank.signing, header: { kid: world.otherBank.signing.kid } })],
      'naming the bank\'s encryption key': ['TOKEN_KEY_UNKNOWN', async () => ({ header: { kid: (await world.platform.credentials('bank-a')).encryption?.publicJwk.kid } })],
      'naming no key': ['TOKEN_MALFORMED', () => ({ header: { kid: undefined } })],
      'bringing its own key along': ['TOKEN_MALFORMED', () => ({ key: stranger, header: { jwk: stranger.publicJwk } })],
      'without algorithm': ['TOKEN_ALGORITHM_FORBIDDEN', () => ({ header: { alg: 'none' } })],
      'with another key\'s algorithm': ['TOKEN_ALGORITHM_FORBIDDEN', async () => ({ key: await freshKey('P-256') })],
      'of no type': ['TOKEN_WRONG_TYPE', () => ({ header: { typ: undefined } })],
      'of the type of an access token': ['TOKEN_WRONG_TYPE', () => ({ header: { typ: 'at+jwt' } })],
      'of the type of a grant': ['TOKEN_WRONG_TYPE', () => ({ header: { typ: 'grant+jwt' } })],
      'that has expired': ['TOKEN_EXPIRED', () => ({ claims: { iat: inSeconds(-60), exp: inSeconds(-1) } })],
      'from the future': ['TOKEN_NOT_YET_VALID', () => ({ claims: { iat: inSeconds(30) } })],
      'that lives too long': ['TOKEN_LIFETIME_TOO_LONG', () => ({ claims: { exp: inSeconds(3600) } })],
      'of another sender': ['TOKEN_ISSUER_UNTRUSTED', () => ({ claims: { iss: 'bank-b' } })],
      'for another audience': ['TOKEN_AUDIENCE_MISMATCH', () => ({ claims: { aud: 'https://gateway.example' } })],
      'with a short jti': ['TOKEN_CLAIM_INVALID', () => ({ claims: { jti: 'short' } })],
      'without a query': ['TOKEN_CLAIM_MISSING', () => ({ claims: { query: undefined } })],
      'that is not UTF-8': ['TOKEN_MALFORMED', () => ({ claims: notUtf8 })],
      'with a claim nobody asked for': ['QUERY_INVALID', () => ({ claims: { admin: true } })],
      ...Object.fromEntries(['aud', 'exp', 'iat', 'jti', 'iss'].map((claim) => [`without ${claim}`, ['TOKEN_CLAIM_MISSING', () => ({ claims: { [claim]: undefined } })]] as const)),
    };
    for (const [name, [code, changes]] of Object.entries(faults)) {
      it(`is refused ${name} (${code})`, async () => {
        // from here on it is proven who asks
        const refuses = code === 'QUERY_INVALID' ? refusesLogged : refusesUnchanged;
        await refuses(world, code, async () => world.bank.query(query, { changes: await changes() }));
      });
    }

    it('is refused in any other spelling (TOKEN_MALFORMED, REQUEST_MALFORMED)', async () => {
      for (const [, body] of misspellings(await world.bank.signed('query+jwt', { query }))) {
        const code = /[^A-Za-z0-9_.-]/.test(body) ? 'REQUEST_MALFORMED' : 'TOKEN_MALFORMED';
        await refusesUnchanged(world, code, () => world.bank.query(query, { body }));
      }
    });

    it('is refused with a query changed after it was signed (TOKEN_SIGNATURE_INVALID)', async () => {
      const [header, payload = '', signature] = (await world.bank.signed('query+jwt', { query })).split('.');
      const changed = Buffer.from(payload, 'base64url').toString().replace('registry.name', 'owner.phone');
      await refusesUnchanged(world, 'TOKEN_SIGNATURE_INVALID', () => world.bank.query(query, { body: `${header}.${Buffer.from(changed).toString('base64url')}.${signature}` }));
    });

    it('is refused unsigned (TOKEN_MALFORMED)', async () => {
      const unsigned = (await compact(world.bank.signing, { alg: 'none', typ: 'query+jwt' }, { query })).replace(/[^.]*$/, '');
      await refusesUnchanged(world, 'TOKEN_MALFORMED', () => world.bank.query(query, { body: unsigned }));
    });
  });

  describe('on two nodes', () => {
    let second: Awaited<ReturnType<typeof startSecondNode>>;

    before(async () => {
      second = await startSecondNode(world.platform);
    });
    after(() => second.stop());

    it('a query answered by one is answered once: proof and body are replays on both (TOKEN_REPLAYED)', async () => {
      const token = await world.bank.token();
      const proof = await world.bank.proof({ method: 'POST', path: '/v1/queries', token });
      const body = await world.bank.signed('query+jwt', { query });
      assert.equal((await world.bank.query(query, { token, proof, body })).status, 200);
      for (const origin of [world.platform.gateway.gatewayUrl, second.origin]) {
        await refusesLogged(world, 'TOKEN_REPLAYED', () => world.bank.query(query, { token, proof, body, origin }));
        await refusesLogged(world, 'TOKEN_REPLAYED', () => world.bank.query(query, { token, body, origin }));
        await refusesLogged(world, 'TOKEN_REPLAYED', () => world.bank.query(query, { token, proof, origin }));
      }
    });

    it('a query sent to both at once is answered by one', async () => {
      const usesBefore = await usesOf(world);
      for (let round = 0; round < 3; round += 1) {
        const body = await world.bank.signed('query+jwt', { query });
        const answers = await Promise.all([world.platform.gateway.gatewayUrl, second.origin, second.origin].map((origin) => world.bank.query(query, { body, origin })));
        assert.deepEqual(answers.map(({ status, code }) => code ?? status).sort(), [200, 'TOKEN_REPLAYED', 'TOKEN_REPLAYED']);
      }
      assert.equal(await usesOf(world), usesBefore + 3);
    });

    it('a token revoked at the authorization server is refused by both (TOKEN_REVOKED)', async () => {
      const connection = await world.platform.connect('bank-a', 'query');
      const token = await connection.token();
      const ask = (path: string) => connection.call({ method: 'GET', path, accessToken: token });
      await ask('/v1/grants');
      await revokeToken(connection, token);
      await assert.rejects(ask('/v1/grants'), { code: 'TOKEN_REVOKED' });
      const { jti } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { jti: string };
      await refusesLogged(world, 'TOKEN_REVOKED', async () => world.bank.query(query, { origin: second.origin, token: await world.bank.token({ claims: { jti } }) }));
    });

    it('a suspended bank is refused by both at once, and let in again (INSTITUTION_NOT_ACTIVE)', async () => {
      const token = await world.bank.token();
      assert.equal((await world.bank.query(query, { token, origin: second.origin })).status, 200);
      await world.platform.compliance.suspend('bank-a', 'terms_violated');
      for (const origin of [second.origin, world.platform.gateway.gatewayUrl]) {
        await refusesLogged(world, 'INSTITUTION_NOT_ACTIVE', () => world.bank.query(query, { token, origin }));
        await refusesUnchanged(world, 'INSTITUTION_NOT_ACTIVE', () => world.bank.get('/v1/grants', { token, origin }));
      }
      await assert.rejects(world.platform.connect('bank-a', 'query').then((connection) => connection.token()), 'a suspended bank gets no new token');
      await world.platform.compliance.reinstate('bank-a');
      assert.equal((await world.bank.query(query, { token, origin: second.origin })).status, 200);
    });

    it('a retired key signs no query on either (TOKEN_KEY_UNKNOWN)', async () => {
      const fresh = await freshKey();
      const key = { ...fresh.publicJwk, use: 'sig', alg: 'EdDSA', kid: fresh.kid };
      const proof = await compact(fresh, { alg: 'EdDSA', typ: 'key-proof+jwt', kid: fresh.kid }, { iss: 'bank-a', aud: world.platform.gateway.gatewayUrl, iat: inSeconds(0), exp: inSeconds(60), jti: crypto.randomUUID() });
      const added = await world.bank.send({ path: '/v1/keys', contentType: 'application/jwt', headers: { 'idempotency-key': crypto.randomUUID() }, body: await world.bank.signed('key+jwt', { key, proof }) });
      assert.equal(added.status, 201, added.text);
      const changes = { key: fresh, header: { kid: fresh.kid } };
      for (const origin of [second.origin, world.platform.gateway.gatewayUrl]) assert.equal((await world.bank.query(query, { changes, origin })).status, 200);
      assert.equal((await world.bank.send({ method: 'DELETE', path: `/v1/keys/${fresh.kid}` })).status, 200);
      for (const origin of [second.origin, world.platform.gateway.gatewayUrl]) {
        await refusesUnchanged(world, 'TOKEN_KEY_UNKNOWN', () => world.bank.query(query, { changes, origin }));
      }
    });

    it('a revoked bank is refused by both for good (INSTITUTION_NOT_ACTIVE)', async () => {
      await world.platform.compliance.revoke('bank-b', 'terms_violated');
      for (const origin of [second.origin, world.platform.gateway.gatewayUrl]) {
        await refusesLogged(world, 'INSTITUTION_NOT_ACTIVE', () => world.otherBank.query(query, { origin }));
      }
      await assert.rejects(world.platform.compliance.reinstate('bank-b'), { code: 'INSTITUTION_STATE_CONFLICT' });
    });
  });
});

async function usesOf(world: World): Promise<number> {
  const { rows } = await world.platform.database.query<{ uses: number }>('select uses_total as uses from consent_grant where id = $1', [world.grant]);
  return rows[0]?.uses ?? -1;
}

async function revokeToken({ authorization: { server, client, authentication } }: Awaited<ReturnType<World['platform']['connect']>>, token: string): Promise<void> {
  const oauth = await import('oauth4webapi');
  await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, authentication, token, { [oauth.allowInsecureRequests]: true }));
}
