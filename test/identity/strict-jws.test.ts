import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { constants, sign } from 'node:crypto';
import fc from 'fast-check';
import { compactVerify, importJWK, jwtVerify, SignJWT, type JWK } from 'jose';
import { fixedClock } from '../../src/clock.ts';
import { checkSignature, readCompact, readHeader, verifyCompact, type CompactRules } from '../../src/identity/strict-jws.ts';
import { importVerificationKey } from '../../src/identity/verification-key.ts';
import { encode, makeKey, refused, signCompact, signRaw, type TestKey } from './signing.ts';

const gateway = 'https://gateway.example';
const clock = fixedClock('2026-03-01T08:00:00Z');
const nowS = clock.nowMs() / 1000;
const goodClaims = { iss: 'bank-a', aud: gateway, iat: nowS, exp: nowS + 60, jti: 'b7f3a1c2d4e5f60718293a4b' };
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

describe('identity/strict-jws', () => {
  let key: TestKey;
  let good: string;
  before(async () => {
    key = await makeKey();
    good = signCompact(key, 'query+jwt', goodClaims);
  });

  const verify = (jws: string, rules: Partial<CompactRules> = {}) => verifyCompact({
    jws, typ: 'query+jwt', keys: (kid) => (kid === key.jwk.kid ? key.verification : undefined),
    issuer: 'bank-a', audience: gateway, maxLifetimeS: 60, nowMs: clock.nowMs(), ...rules,
  });
  const withClaims = (changes: Record<string, unknown>) => signCompact(key, 'query+jwt', { ...goodClaims, ...changes });
  const joseTakes = (jws: string) => jwtVerify(jws, key.publicKey, { currentDate: new Date(clock.nowMs()) });

  it('accepts a good token of each kind of key and gives its claims', async () => {
    for (const kind of ['Ed25519', 'P-256', 'RSA'] as const) {
      const other = await makeKey(kind);
      const { claims, key: used } = await verify(signCompact(other, 'query+jwt', { ...goodClaims, query: { a: 1 } }), { keys: () => other.verification });
      assert.deepEqual(claims, { ...goodClaims, query: { a: 1 } });
      assert.equal(used.thumbprint, other.jwk.kid);
    }
    await verify(signCompact(key, 'query+jwt', goodClaims, { alg: 'Ed25519' })); // RFC 9864's name of the same
    await verify(withClaims({ aud: [gateway] }));
  });

  it('accepts what jose signs, with every algorithm it shares with the platform', async () => {
    for (const [kind, algorithms] of [['Ed25519', ['EdDSA', 'Ed25519']], ['P-256', ['ES256']], ['RSA', ['PS256']]] as const) {
      const other = await makeKey(kind);
      for (const alg of algorithms) {
        const jws = await new SignJWT(goodClaims).setProtectedHeader({ alg, typ: 'query+jwt', kid: 'any' }).sign(other.privateKey);
        assert.deepEqual((await verify(jws, { keys: () => other.verification })).claims, goodClaims);
      }
    }
  });

  it('refuses an RSA-PSS signature with another salt length than RFC 7518 says', async () => {
    const rsa = await makeKey('RSA');
    const input = `${encode({ alg: 'PS256', typ: 'query+jwt', kid: 'any' })}.${encode(goodClaims)}`;
    const sized = (saltLength: number) => sign('sha256', Buffer.from(input), { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }).toString('base64url');
    await verify(`${input}.${sized(32)}`, { keys: () => rsa.verification });
    for (const saltLength of [0, 20, 64]) await refused(verify(`${input}.${sized(saltLength)}`, { keys: () => rsa.verification }), 'TOKEN_SIGNATURE_INVALID');
  });

  describe('texts that jose takes for the same token', () => {
    const [lastOf, swapLast] = [(text: string) => alphabet.indexOf(text.slice(-1)), (text: string) => text.slice(0, -1) + alphabet.charAt(alphabet.indexOf(text.slice(-1)) ^ 1)];
    const variants: readonly [string, (jws: string) => string][] = [
      ['padding', (jws) => `${jws}==`],
      ['a blank inside the signature', (jws) => `${jws.slice(0, -9)} ${jws.slice(-9)}`],
      ['a line end', (jws) => `${jws}\n`],
      ['altered spare bits', (jws) => { assert(lastOf(jws) % 16 === 0); return swapLast(jws); }],
    ];
    for (const [what, alter] of variants) {
      it(`refuses ${what}`, async () => {
        assert.deepEqual((await joseTakes(alter(good))).payload, goodClaims);
        await refused(verify(alter(good)), 'TOKEN_MALFORMED');
      });
    }

    it('refuses the same changes in header and payload, signed as they are', async () => {
      const [header, payload] = good.split('.') as [string, string];
      for (const bad of [`${header}=.${payload}`, `${header}. ${payload}`, `${header}\r\n.${payload}`]) {
        await refused(() => readCompact(`${bad}.AAAA`), 'TOKEN_MALFORMED');
      }
    });

    it('has exactly one accepted text per token', async () => {
      await fc.assert(fc.asyncProperty(fc.nat(good.length), fc.constantFrom(...alphabet, '=', ' ', '.', '\n', '+', '/', '\u00e9'), fc.boolean(), async (at, character, insert) => {
        const changed = good.slice(0, at) + character + good.slice(insert ? at : at + 1);
        if (changed === good) return;
        await assert.rejects(verify(changed));
      }), { numRuns: 300 });
    });
  });

  it('refuses anything but three non-empty parts', async () => {
    const [header, payload, signature] = good.split('.') as [string, string, string];
    for (const bad of ['', '.', '..', '...', 'abc', header, `${header}.${payload}`, `${header}.${payload}.`, `.${payload}.${signature}`, `${header}..${signature}`, `${good}.`, `${good}.AAAA`, `.${good}`]) {
      await refused(verify(bad), 'TOKEN_MALFORMED');
    }
  });

  it('refuses tokens and headers that are too long', async () => {
    await refused(verify(good, { maxLength: good.length - 1 }), 'TOKEN_MALFORMED');
    await refused(verify(withClaims({ pad: 'x'.repeat(20_000) })), 'TOKEN_MALFORMED');
    await refused(verify(signCompact(key, 'query+jwt', goodClaims, { kid: 'x'.repeat(4000) })), 'TOKEN_MALFORMED');
    await verify(good, { maxLength: good.length });
  });

  it('refuses the type of another kind of token', async () => {
    for (const typ of ['at+jwt', 'dpop+jwt', 'application/query+jwt', 'QUERY+JWT', 'JWT', '', 7]) {
      await refused(verify(signRaw(key, { alg: 'EdDSA', typ, kid: key.jwk.kid }, goodClaims)), 'TOKEN_WRONG_TYPE');
    }
    await refused(verify(signRaw(key, { alg: 'EdDSA', kid: key.jwk.kid }, goodClaims)), 'TOKEN_WRONG_TYPE');
  });

  it('refuses header members nobody asked for, most of which jose ignores', async () => {
    assert.ok(await joseTakes(signCompact(key, 'query+jwt', goodClaims, { jku: 'https://evil.example', x5u: 'https://evil.example' })));
    for (const member of [{ jku: 'https://evil.example' }, { jwk: {} }, { x5u: 'x' }, { x5c: [] }, { x5t: 'x' }, { crit: ['exp'], exp: 1 }, { b64: true, crit: ['b64'] }, { zip: 'DEF' }, { cty: 'JWT' }, { nonce: 'x' }]) {
      await refused(verify(signCompact(key, 'query+jwt', goodClaims, member)), 'TOKEN_MALFORMED');
    }
  });

  it('refuses duplicate keys, of which jose takes the last', async () => {
    const header = `{"alg":"none","alg":"EdDSA","typ":"query+jwt","kid":"${key.jwk.kid}"}`;
    assert.ok(await joseTakes(signRaw(key, header, goodClaims)));
    assert.equal((await refused(verify(signRaw(key, header, goodClaims)), 'TOKEN_MALFORMED')).detail?.['reason'], 'JSON_DUPLICATE_KEY');
    const payload = `${JSON.stringify(goodClaims).slice(0, -1)},"iss":"bank-b"}`;
    const twice = signRaw(key, { alg: 'EdDSA', typ: 'query+jwt', kid: key.jwk.kid }, payload);
    assert.equal((await joseTakes(twice)).payload.iss, 'bank-b');
    await refused(verify(twice), 'JSON_DUPLICATE_KEY');
  });

  it('refuses payloads that are not JSON objects in UTF-8', async () => {
    const header = { alg: 'EdDSA', typ: 'query+jwt', kid: key.jwk.kid };
    for (const payload of ['[]', 'null', '"x"', '3']) await refused(verify(signRaw(key, header, payload)), 'TOKEN_MALFORMED');
    for (const payload of ['{', '{"a":1}x', '\ufeff{}']) await refused(verify(signRaw(key, header, payload)), 'JSON_MALFORMED');
    await refused(verify(signRaw(key, header, `${'{"a":'.repeat(17)}1${'}'.repeat(17)}`)), 'JSON_TOO_DEEP');
    await refused(verify(signRaw(key, header, '{"__proto__":{"iss":"bank-a"}}')), 'JSON_FORBIDDEN_KEY');
    for (const bad of ['[]', 'x', '{"alg":"EdDSA"']) await refused(verify(signRaw(key, bad, goodClaims)), 'TOKEN_MALFORMED');
    const input = `${encode(header)}.${Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]).toString('base64url')}`;
    await refused(verify(`${input}.${sign(null, Buffer.from(input), key.privateKey).toString('base64url')}`), 'TOKEN_MALFORMED');
  });

  it('takes only the key\'s own algorithm', async () => {
    for (const alg of ['none', 'HS256', 'ES256', 'PS256', 'RS256', 'eddsa', 'Ed448']) {
      await refused(verify(signCompact(key, 'query+jwt', goodClaims, { alg })), 'TOKEN_ALGORITHM_FORBIDDEN');
    }
    const p256 = await makeKey('P-256');
    await refused(verify(signCompact(p256, 'query+jwt', goodClaims, { alg: 'EdDSA' }), { keys: () => p256.verification }), 'TOKEN_ALGORITHM_FORBIDDEN');
    await refused(verify(signRaw(key, { typ: 'query+jwt', kid: key.jwk.kid }, goodClaims)), 'TOKEN_MALFORMED');
  });

  it('refuses an unknown key and a header that names none', async () => {
    await refused(verify(signCompact(key, 'query+jwt', goodClaims, { kid: 'another' })), 'TOKEN_KEY_UNKNOWN');
    for (const kid of [undefined, '', 7, null]) await refused(verify(signCompact(key, 'query+jwt', goodClaims, { kid })), 'TOKEN_MALFORMED');
  });

  it('refuses a signature by another key, over other bytes, or of another length', async () => {
    const other = await makeKey();
    await refused(verify(signCompact(other, 'query+jwt', goodClaims, { kid: key.jwk.kid })), 'TOKEN_SIGNATURE_INVALID');
    const [header, , signature] = good.split('.') as [string, string, string];
    await refused(verify(`${header}.${encode({ ...goodClaims, iss: 'bank-b' })}.${signature}`), 'TOKEN_SIGNATURE_INVALID');
    for (const cut of [signature.slice(0, 4), `${signature.slice(0, 84)}AAAA`, Buffer.alloc(64).toString('base64url'), Buffer.alloc(72).toString('base64url')]) {
      await refused(verify(`${good.slice(0, good.lastIndexOf('.'))}.${cut}`), 'TOKEN_SIGNATURE_INVALID');
    }
  });

  it('says the same of signatures of every wrong length, for every kind of key', async () => {
    for (const kind of ['Ed25519', 'P-256', 'RSA'] as const) {
      const other = await makeKey(kind);
      const jws = signCompact(other, 'query+jwt', goodClaims);
      const right = Buffer.from(jws.slice(jws.lastIndexOf('.') + 1), 'base64url');
      for (const length of [1, 32, 63, 65, 70, 128, 255, 257, 512]) {
        const wrong = Buffer.concat([right, Buffer.alloc(512)]).subarray(0, length).toString('base64url');
        await refused(verify(`${jws.slice(0, jws.lastIndexOf('.'))}.${wrong}`, { keys: () => other.verification }), 'TOKEN_SIGNATURE_INVALID');
      }
    }
  });

  it('wants every claim, where jose wants none', async () => {
    assert.ok(await joseTakes(signRaw(key, { alg: 'EdDSA' }, {})));
    for (const claim of ['iss', 'aud', 'iat', 'exp', 'jti']) {
      assert.equal((await refused(verify(withClaims({ [claim]: undefined })), 'TOKEN_CLAIM_MISSING')).detail?.['claim'], claim);
    }
    assert.equal((await refused(verify(good, { requiredClaims: ['query'] }), 'TOKEN_CLAIM_MISSING')).detail?.['claim'], 'query');
    await refused(verify(good, { requiredClaims: ['toString'] }), 'TOKEN_CLAIM_MISSING');
  });

  it('refuses claims of the wrong kind', async () => {
    for (const change of [{ iat: `${nowS}` }, { iat: nowS + 0.5 }, { exp: nowS + 30.5 }, { exp: null }, { exp: -1 }, { exp: nowS }, { nbf: 'now' }, { nbf: null }, { jti: 7 }, { jti: '' }, { jti: 'a b' }, { jti: 'x'.repeat(129) }, { jti: 'é' }]) {
      await refused(verify(withClaims(change)), 'TOKEN_CLAIM_INVALID');
    }
    assert.ok(await joseTakes(withClaims({ exp: nowS + 30.5 })));
  });

  it('refuses another issuer', async () => {
    for (const iss of ['bank-b', 'BANK-A', '', 7, ['bank-a']]) await refused(verify(withClaims({ iss })), 'TOKEN_ISSUER_UNTRUSTED');
  });

  it('refuses an audience that is not this gateway alone', async () => {
    assert.ok(await jwtVerify(withClaims({ aud: [gateway, 'https://other.example'] }), key.publicKey, { audience: gateway, currentDate: new Date(clock.nowMs()) }));
    for (const aud of ['https://other.example', `${gateway}/`, [gateway, 'https://other.example'], [], [gateway, gateway], 7, { 0: gateway }]) {
      await refused(verify(withClaims({ aud })), 'TOKEN_AUDIENCE_MISMATCH');
    }
  });

  it('refuses what expired, lives too long or comes from the future, which jose lets pass', async () => {
    await refused(verify(withClaims({ iat: nowS - 60, exp: nowS })), 'TOKEN_EXPIRED');
    await verify(withClaims({ iat: nowS - 59, exp: nowS + 1 }));
    await refused(verify(withClaims({ exp: nowS + 61 })), 'TOKEN_LIFETIME_TOO_LONG');
    assert.ok(await joseTakes(withClaims({ exp: nowS + 1e9 })));
    await verify(withClaims({ iat: nowS + 5, exp: nowS + 65 }));
    await refused(verify(withClaims({ iat: nowS + 6, exp: nowS + 66 })), 'TOKEN_NOT_YET_VALID');
    assert.ok(await joseTakes(withClaims({ iat: nowS + 1e6, exp: nowS + 1e6 + 60 })));
    await refused(verify(withClaims({ nbf: nowS + 6 })), 'TOKEN_NOT_YET_VALID');
    await verify(withClaims({ nbf: nowS + 5 }));
  });

  it('never repeats anything of the token in an error', async () => {
    const secret = 'CANARY91110000MA';
    const bad = [
      withClaims({ iss: secret }), withClaims({ aud: secret }), withClaims({ jti: `${secret} ` }), withClaims({ exp: secret }),
      signCompact(key, secret, goodClaims), signCompact(key, 'query+jwt', goodClaims, { alg: secret }), signCompact(key, 'query+jwt', goodClaims, { kid: secret }),
      signCompact(key, 'query+jwt', goodClaims, { [secret]: 1 }), withClaims({ [secret]: 1, exp: 0 }), signRaw(key, { alg: 'EdDSA', typ: 'query+jwt', kid: key.jwk.kid }, `{"${secret}":${secret}}`), secret, `${secret}.${secret}.${secret}`,
    ];
    for (const jws of bad) {
      await assert.rejects(verify(jws), (error: Error & { detail?: unknown }) => !`${error.message}${JSON.stringify(error.detail)}${String(error.cause)}`.includes('CANARY'));
    }
  });

  describe('published vectors', () => {
    const read = (name: string) => JSON.parse(readFileSync(path.join(import.meta.dirname, '../vectors/rfc7520', name), 'utf8')) as { input: { key: JWK; alg: string }; output: { compact: string } };

    it('RFC 8037: verifies the Ed25519 signature, given a type allow-list that has none', async () => {
      const { input, output } = read('curve25519/jws.json');
      const compact = readCompact(output.compact);
      const publicJwk = Object.fromEntries(Object.entries(input.key).filter(([name]) => name !== 'd'));
      const imported = importVerificationKey(publicJwk);
      await checkSignature(compact, { alg: input.alg, typ: '' }, imported);
      await refused(() => readHeader(compact, ['query+jwt'], ['kid']), 'TOKEN_WRONG_TYPE');
      await refused(checkSignature({ ...compact, text: output.compact.replace('.', '.A') }, { alg: input.alg, typ: '' }, imported), 'TOKEN_SIGNATURE_INVALID');
    });

    for (const name of ['jws/4_1.rsa_v15_signature.json', 'jws/4_2.rsa-pss_signature.json']) {
      it(`RFC 7520 ${name.slice(4, 7).replace('_', '.')}: refuses an algorithm that jose verifies but the platform does not use`, async () => {
        const { input, output } = read(name);
        const publicJwk: JWK = { kty: 'RSA', n: input.key.n as string, e: input.key.e as string };
        assert.ok(await compactVerify(output.compact, await importJWK(publicJwk, input.alg)));
          await refused(checkSignature(readCompact(output.compact), { alg: input.alg, typ: '' }, importVerificationKey(publicJwk)), 'TOKEN_ALGORITHM_FORBIDDEN');
      });
    }

    it('RFC 7520 4.3, 4.4: refuses the keys themselves, a curve the platform does not use and a shared secret', async () => {
      await refused(() => importVerificationKey(Object.fromEntries(Object.entries(read('jws/4_3.ecdsa_signature.json').input.key).filter(([name]) => name !== 'd'))), 'KEY_REFUSED');
      await refused(() => importVerificationKey(read('jws/4_4.hmac-sha2_integrity_protection.json').input.key), 'KEY_REFUSED');
    });

    it('RFC 7520 4.5, RFC 7797: refuses payloads that are detached or not encoded', async () => {
      await refused(() => readCompact(read('jws/4_5.signature_with_detached_content.json').output.compact), 'TOKEN_MALFORMED');
      const { compact } = read('rfc7797/hmac-sha2_b64_false.json').output;
      await refused(() => readCompact(compact), 'TOKEN_MALFORMED');
      const encoded = readCompact(compact.replace(/\.[^.]*\./, '.VGhpcw.'));
      await refused(() => readHeader({ ...encoded, encodedHeader: encode({ ...JSON.parse(Buffer.from(encoded.encodedHeader, 'base64url').toString()), typ: 'query+jwt' }) }, ['query+jwt'], ['kid']), 'TOKEN_MALFORMED');
    });
  });
});
