import { strict as assert } from 'node:assert';
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fixedClock } from '../../src/clock.ts';
import { dpopNonces } from '../../src/identity/dpop-nonce.ts';
import { dpopProofs, sameTarget, type ProofRequest } from '../../src/identity/dpop.ts';
import { jwkThumbprint } from '../../src/identity/vetting.ts';
import type { TimeMs } from '../../src/vocabulary.ts';
import { makeKey, refused, signRaw, type TestKey } from './signing.ts';

type Example = { readonly name: string; readonly method: string; readonly url: string; readonly access_token: string | null; readonly proof: string; readonly claims: { readonly iat: number; readonly jti: string }; readonly jwk_thumbprint: string };
const vectors = JSON.parse(readFileSync(path.join(import.meta.dirname, '../vectors/dpop/rfc9449_examples.json'), 'utf8')) as { readonly proofs: readonly [Example, Example]; readonly cnf_jkt_in_rfc: string };

const secret = new Uint8Array(32).fill(7);
const clock = fixedClock('2026-03-01T08:00:00Z');
const nowMs = clock.nowMs();
const nowS = nowMs / 1000;
const url = 'https://gateway.example/v1/queries';
const accessToken = 'header.payload.signature';

describe('identity/dpop', () => {
  const nonces = dpopNonces(secret);
  const proofs = dpopProofs(nonces);
  let key: TestKey;
  before(async () => {
    key = await makeKey();
  });

  const publicMembers = (of: TestKey) => Object.fromEntries(Object.entries(of.jwk).filter(([name]) => ['kty', 'crv', 'x', 'y', 'n', 'e'].includes(name)));
  const header = (of: TestKey) => ({ typ: 'dpop+jwt', alg: of.alg, jwk: publicMembers(of) });
  const good = () => ({ jti: 'e1j3V_bKic8-LAEB', htm: 'POST', htu: url, iat: nowS, ath: hash('sha256', accessToken, 'base64url'), nonce: nonces.current(nowMs) });
  const verify = (proof: string | undefined, request: Partial<ProofRequest> = {}, of: TestKey = key, atMs = nowMs) =>
    proofs.verify({ proof, method: 'POST', url, token: { digest: good().ath, dpopKeyThumbprint: of.jwk.kid }, ...request }, atMs);
  const verifyWith = (changes: Record<string, unknown>, request: Partial<ProofRequest> = {}) => verify(signRaw(key, header(key), { ...good(), ...changes }), request);
  const member = async (work: Promise<unknown>) => (await refused(work, 'DPOP_INVALID')).detail?.['member'];
  const reason = async (work: Promise<unknown>) => (await refused(work, 'DPOP_INVALID')).detail?.['reason'];

  it('accepts a good proof of each kind of key', async () => {
    for (const kind of ['Ed25519', 'P-256', 'RSA'] as const) {
      const of = await makeKey(kind);
      for (let round = 0; round < 2; round += 1) { // the second with the header remembered
        assert.deepEqual(await verify(signRaw(of, header(of), good()), {}, of), { keyThumbprint: of.jwk.kid, jti: good().jti, expiresAtMs: nowMs + 60_000 });
      }
    }
    await verify(signRaw(key, { ...header(key), alg: 'Ed25519' }, good()));
  });

  describe('proofs printed in RFC 9449', () => {
    const [tokenRequest, resource] = vectors.proofs;
    const withoutNonces = dpopProofs(undefined);
    const check = (example: Example, changes: Partial<ProofRequest> = {}, atMs = (example.claims.iat * 1000) as TimeMs) => withoutNonces.verify({
      proof: example.proof, method: example.method, url: example.url,
      token: { digest: hash('sha256', example.access_token ?? '', 'base64url'), dpopKeyThumbprint: vectors.cnf_jkt_in_rfc }, ...changes,
    }, atMs);

    it('accepts the one for a protected resource, with the thumbprint the RFC prints', async () => {
      assert.deepEqual(await check(resource), { keyThumbprint: vectors.cnf_jkt_in_rfc, jti: resource.claims.jti, expiresAtMs: (resource.claims.iat + 60) * 1000 });
    });

    it('refuses it for another method, address, token, key or time', async () => {
      assert.equal(await member(check(resource, { method: 'POST' })), 'htm');
      assert.equal(await member(check(resource, { url: tokenRequest.url })), 'htu');
      assert.equal(await member(check(resource, { token: { digest: hash('sha256', 'x', 'base64url'), dpopKeyThumbprint: vectors.cnf_jkt_in_rfc } })), 'ath');
      await refused(check(resource, { token: { digest: '', dpopKeyThumbprint: key.jwk.kid } }), 'DPOP_BINDING_MISMATCH');
      assert.equal(await member(check(resource, {}, ((resource.claims.iat + 60) * 1000) as TimeMs)), 'iat');
    });

    it('refuses the one for a token request, which is bound to no token', async () => {
      assert.equal(await member(check(tokenRequest)), 'ath');
    });
  });

  it('wants a proof', async () => {
    await refused(verify(undefined), 'DPOP_MISSING');
    await refused(verify(''), 'DPOP_MISSING');
  });

  it('binds the proof to method, address and token', async () => {
    for (const htm of ['GET', 'post', '', undefined, 7]) assert.equal(await member(verifyWith({ htm })), 'htm');
    for (const htu of ['https://gateway.example/v1/other', 'https://evil.example/v1/queries', 'http://gateway.example/v1/queries', 'https://u@gateway.example/v1/queries', '/v1/queries', '', undefined, ['x']]) assert.equal(await member(verifyWith({ htu })), 'htu');
    for (const ath of [undefined, '', hash('sha256', 'other', 'base64url'), `${good().ath}=`]) assert.equal(await member(verifyWith({ ath })), 'ath');
    await verifyWith({}, { url: `${url}?page=2#x` });
  });

  it('compares addresses as RFC 3986 normalises them', () => {
    const same = [['HTTPS://Gateway.Example:443/v1/queries', url], [`${url}?x=1`, url], [`${url}#f`, `${url}?y`], ['https://gateway.example/v1/./x/../queries', url], ['https://gateway.example/a%2fb', 'https://gateway.example/a%2Fb'], ['https://gateway.example/%7Ea', 'https://gateway.example/~a'], ['https://gateway.example', 'https://gateway.example/']] as const;
    for (const [htu, target] of same) assert.equal(sameTarget(htu, target), true, htu);
    const different = [['https://gateway.example:8443/v1/queries', url], [`${url}/`, url], ['https://gateway.example/V1/queries', url], ['https://gateway.example/a%2Fb', 'https://gateway.example/a/b'], ['ftp://gateway.example/', 'ftp://gateway.example/x']] as const;
    for (const [htu, target] of different) assert.equal(sameTarget(htu, target), false, htu);
  });

  it('accepts proofs of the last minute only', async () => {
    for (const iat of [nowS - 60, nowS - 3600, nowS + 6, nowS + 0.5, `${nowS}`, undefined, Number.MAX_SAFE_INTEGER]) assert.equal(await member(verifyWith({ iat })), 'iat');
    for (const iat of [nowS - 59, nowS + 5]) await verifyWith({ iat });
  });

  it('wants a jti that can be unique', async () => {
    for (const jti of [undefined, '', 'short', 'x'.repeat(15), 'x'.repeat(129), 'with blank inside it', 7]) assert.equal(await member(verifyWith({ jti })), 'jti');
  });

  it('asks for a nonce, gives one, and takes it for five minutes', async () => {
    for (const nonce of [undefined, '', 'x', nonces.current((nowMs - 6 * 60_000) as TimeMs), nonces.current((nowMs + 2 * 60_000) as TimeMs), dpopNonces(new Uint8Array(32).fill(8)).current(nowMs), `${nonces.current(nowMs)}=`]) {
      const { detail } = await refused(verifyWith({ nonce }), 'DPOP_NONCE_REQUIRED');
      assert.equal(detail?.['nonce'], nonces.current(nowMs));
    }
    await verifyWith({ nonce: nonces.current((nowMs - 5 * 60_000) as TimeMs) });
    await verifyWith({ nonce: nonces.current((nowMs + 60_000) as TimeMs) });
  });

  it('gives the same nonces on every node with the secret, and new ones each minute', () => {
    const other = dpopNonces(secret.slice());
    assert.equal(other.current(nowMs), nonces.current(nowMs));
    assert.equal(nonces.current((nowMs + 59_999) as TimeMs), nonces.current(nowMs));
    assert.notEqual(nonces.current((nowMs + 60_000) as TimeMs), nonces.current(nowMs));
    for (let minute = 0; minute < 30; minute += 1) assert(other.accepts(nonces.current((nowMs + minute * 60_000) as TimeMs), (nowMs + minute * 60_000) as TimeMs));
    assert.throws(() => dpopNonces(new Uint8Array(31)), /at least 32 bytes/);
  });

  it('refuses forged nonces, whatever part of them is changed', () => {
    const bytes = Buffer.from(nonces.current(nowMs), 'base64url');
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ 1;
      assert.equal(nonces.accepts(changed.toString('base64url'), nowMs), false, `byte ${at}`);
    }
  });

  it('refuses a proof by another key than the token is bound to', async () => {
    const other = await makeKey();
    await refused(verify(signRaw(other, header(other), good())), 'DPOP_BINDING_MISMATCH');
    await verify(signRaw(other, header(other), good()), {}, other);
    await refused(verify(signRaw(other, header(other), good())), 'DPOP_BINDING_MISMATCH'); // also with the header remembered
    assert.equal(await reason(verify(signRaw(other, header(key), good()))), 'TOKEN_SIGNATURE_INVALID');
  });

  it('refuses malformed proofs and weak or private keys in them', async () => {
    const fine = signRaw(key, header(key), good());
    for (const bad of [`${fine}=`, `${fine} `, `${fine}, ${fine}`, 'x', fine.slice(0, fine.lastIndexOf('.') + 1), `x.${'y'.repeat(9000)}.z`]) assert.equal(await reason(verify(bad)), 'TOKEN_MALFORMED');
    assert.equal(await reason(verify(signRaw(key, { ...header(key), typ: 'JWT' }, good()))), 'TOKEN_WRONG_TYPE');
    for (const alg of ['none', 'HS256', 'ES256']) assert.equal(await reason(verify(signRaw(key, { ...header(key), alg }, good()))), 'TOKEN_ALGORITHM_FORBIDDEN');
    for (const more of [{ kid: 'x' }, { jku: 'x' }, { crit: [] }]) assert.equal(await reason(verify(signRaw(key, { ...header(key), ...more }, good()))), 'TOKEN_MALFORMED');
    for (const jwk of [undefined, null, 'x']) assert.equal(await member(verify(signRaw(key, { ...header(key), jwk }, good()))), 'jwk');
    assert.equal(await reason(verify(signRaw(key, { ...header(key), jwk: { ...publicMembers(key), d: 'AAAA' } }, good()))), 'KEY_REFUSED');
    const neutral = { kty: 'OKP', crv: 'Ed25519', x: Buffer.concat([Buffer.of(1), Buffer.alloc(31)]).toString('base64url') };
    assert.equal(await reason(verify(signRaw(key, { ...header(key), jwk: neutral }, good()), { token: { digest: good().ath, dpopKeyThumbprint: jwkThumbprint(neutral) } })), 'KEY_REFUSED');
    assert.equal(await reason(verify(signRaw(key, header(key), '{"jti":"a","jti":"b"}'))), 'JSON_DUPLICATE_KEY');
  });
});
