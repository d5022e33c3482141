import assert from 'node:assert/strict';
import { base64url, calculateJwkThumbprint, decodeProtectedHeader, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose';
import { isVeilgateError } from '../../src/errors.ts';
import type { PublicJwk, TimeMs } from '../../src/vocabulary.ts';
import { openSealed } from '../../src/disclosure/open.ts';
import { sealFor, sealingKey } from '../../src/disclosure/seal.ts';
import { paddedLength, sealedBytesMax } from '../../src/disclosure/sealed-form.ts';

const context = { issuer: 'https://gateway.example', audience: 'bank-a', jti: 'answer-1', issuedAtMs: 1_790_000_000_000 as TimeMs };
const expected = { issuer: context.issuer, audience: context.audience, jti: context.jti };
const data = { owner: [{ name: '王小明', identity_number: null, share: '33.0000', paid: 12, active: true }] };

type Pair = { readonly publicJwk: PublicJwk; readonly privateKey: CryptoKey; readonly privateJwk: JWK };
async function pair(crv: 'P-256' | 'X25519', alg = 'ECDH-ES+A256KW'): Promise<Pair> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { crv, extractable: true });
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  return { publicJwk: { ...jwk, kid, alg, use: 'enc' } as PublicJwk, privateKey, privateJwk: await exportJWK(privateKey) };
}
const refused = (code: 'DISCLOSURE_KEY_MISSING' | 'DISCLOSURE_UNSEALABLE') => (error: unknown) => isVeilgateError(error, code);

describe('a sealed answer', () => {
  for (const crv of ['P-256', 'X25519'] as const) {
    for (const alg of ['ECDH-ES+A256KW', 'ECDH-ES']) {
      it(`is opened by the key it is sealed for: ${crv}, ${alg}`, async () => {
        const { publicJwk, privateKey, privateJwk } = await pair(crv, alg);
        const jwe = await sealFor(publicJwk, data, context);
        assert.deepEqual(await openSealed(jwe, privateKey, expected), data);
        assert.deepEqual(await openSealed(jwe, privateJwk, expected), data);
      });
    }
  }

  it('says in its header how it is sealed and for which key, and nothing about the answer', async () => {
    const { publicJwk } = await pair('P-256');
    const { epk, ...header } = decodeProtectedHeader(await sealFor(publicJwk, data, context));
    assert.deepEqual(header, { alg: 'ECDH-ES+A256KW', enc: 'A256GCM', kid: publicJwk.kid, typ: 'sealed-answer+jwe', cty: 'json' });
    assert.deepEqual(Object.keys(epk ?? {}).sort(), ['crv', 'kty', 'x', 'y']);
  });

  it('uses ECDH-ES+A256KW for a key without alg', async () => {
    const { publicJwk: { alg: _alg, use: _use, ...bare }, privateKey } = await pair('X25519');
    const jwe = await sealFor(bare as PublicJwk, data, context);
    assert.equal(decodeProtectedHeader(jwe).alg, 'ECDH-ES+A256KW');
    assert.deepEqual(await openSealed(jwe, privateKey, expected), data);
  });

  it('is another text each time', async () => {
    const { publicJwk } = await pair('P-256');
    const [one, other] = await Promise.all([sealFor(publicJwk, data, context), sealFor(publicJwk, data, context)]);
    const parts = (jwe: string) => jwe.split('.');
    for (let at = 0; at < 5; at += 1) assert.notEqual(parts(one)[at], parts(other)[at]);
  });

  it('has the same length whatever a size class of data is in it', async () => {
    const { publicJwk } = await pair('P-256');
    const lengths = new Set<number>();
    for (const length of [0, 1, 10, 500, 850]) lengths.add((await sealFor(publicJwk, { note: 'x'.repeat(length) }, context)).length);
    for (const other of [{}, { owner: [] }, { a: '王'.repeat(250) }]) lengths.add((await sealFor(publicJwk, other, context)).length);
    assert.equal(lengths.size, 1);
    assert.ok((await sealFor(publicJwk, { note: 'x'.repeat(1024) }, context)).length > [...lengths][0]!);
  });

  it('is padded to 1, 4, 16, 64, 128, 256 KiB and then whole steps of 256 KiB', async () => {
    const { publicJwk, privateKey } = await pair('P-256');
    const kib = 1024;
    const steps = [[1, kib], [kib, kib], [kib + 1, 4 * kib], [4 * kib + 1, 16 * kib], [16 * kib + 1, 64 * kib], [64 * kib + 1, 128 * kib], [128 * kib + 1, 256 * kib],
      [256 * kib + 1, 512 * kib], [512 * kib + 1, 768 * kib], [4096 * kib, 4096 * kib]] as const;
    for (const [length, padded] of steps) assert.equal(paddedLength(length), padded);
    assert.equal(paddedLength(4096 * kib + 1), undefined);
    const large = { note: 'x'.repeat(300 * kib) };
    const jwe = await sealFor(publicJwk, large, context);
    assert.equal(base64url.decode(jwe.split('.')[3] ?? '').length, 512 * kib);
    assert.deepEqual(await openSealed(jwe, privateKey, expected), large);
  });

  it('is not made beyond the largest size', async () => {
    const { publicJwk } = await pair('P-256');
    await assert.rejects(sealFor(publicJwk, { note: 'x'.repeat(sealedBytesMax) }, context), refused('DISCLOSURE_UNSEALABLE'));
  });

  it('is not made of what is no JSON, and the error holds none of it', async () => {
    const { publicJwk } = await pair('P-256');
    const circular: Record<string, unknown> = { secret: 'CANARY' };
    circular['self'] = circular;
    await assert.rejects(sealFor(publicJwk, circular, context), (error: Error) => refused('DISCLOSURE_UNSEALABLE')(error) && !JSON.stringify([error.message, error]).includes('CANARY') && error.cause === undefined);
    await assert.rejects(sealFor(publicJwk, { amount: 1n }, context), refused('DISCLOSURE_UNSEALABLE'));
  });

  it('is not made without a key', async () => {
    await assert.rejects(sealFor(undefined, data, context), refused('DISCLOSURE_KEY_MISSING'));
  });

  it('is not made for keys of another kind, use or algorithm, nor for points that are none', async () => {
    const { publicJwk } = await pair('P-256');
    const x25519 = (await pair('X25519')).publicJwk;
    const unusable: Record<string, unknown>[] = [
      { ...publicJwk, use: 'sig' }, { ...publicJwk, alg: 'ECDH-ES+A128KW' }, { ...publicJwk, alg: 'RSA-OAEP-256' }, { ...publicJwk, crv: 'P-384' },
      { ...publicJwk, kty: 'RSA' }, { kty: 'oct', kid: 'k', k: 'AAAA' }, { ...publicJwk, x: undefined }, { ...publicJwk, y: 7 },
      { ...publicJwk, y: publicJwk['x'] }, // not on the curve
      { ...x25519, x: base64url.encode(new Uint8Array(32)) }, // low order: every shared secret would be zero
      { ...x25519, x: 'AA' },
    ];
    for (const jwk of unusable) await assert.rejects(sealFor(jwk as PublicJwk, data, context), refused('DISCLOSURE_UNSEALABLE'));
    assert.ok(await sealFor(publicJwk, data, context));
  });

  it('is sealed for the key given, though another party uses the same key id', async () => {
    const one = await pair('P-256');
    const other = await pair('P-256');
    await sealFor({ ...one.publicJwk, kid: 'same' }, data, context);
    const jwe = await sealFor({ ...other.publicJwk, kid: 'same' }, data, context);
    assert.deepEqual(await openSealed(jwe, other.privateKey, expected), data);
  });
});

describe('the key to seal with', () => {
  it('is the first registered one for encryption on a supported curve', async () => {
    const encryption = (await pair('X25519')).publicJwk;
    const signing = { kty: 'OKP', crv: 'Ed25519', use: 'sig', kid: 's', x: 'AA' };
    assert.equal(sealingKey([signing, { kty: 'RSA', use: 'enc', kid: 'r' }, encryption]), encryption);
    assert.equal(sealingKey([signing]), undefined);
    assert.equal(sealingKey([]), undefined);
  });
});
