import { strict as assert } from 'node:assert';
import { createPublicKey, diffieHellman, generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { importJWK } from 'jose';
import { VeilgateError } from '../../src/errors.ts';
import { ed25519PointFault, x25519PointFault } from '../../src/identity/curve-points.ts';
import { isBase64url } from '../../src/identity/base64url.ts';
import { jwkThumbprint, vetPublicKey, type KeyUse } from '../../src/identity/vetting.ts';

const vectors = path.join(import.meta.dirname, '../vectors/rfc7520');
const readJwk = (name: string) => JSON.parse(readFileSync(path.join(vectors, 'jwk', name), 'utf8')) as Record<string, unknown>;

const exported = (key: { export: (options: { format: 'jwk' }) => unknown }) => key.export({ format: 'jwk' }) as Record<string, unknown>;
const ed25519 = exported(generateKeyPairSync('ed25519').publicKey);
const x25519 = exported(generateKeyPairSync('x25519').publicKey);
const p256 = exported(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
const rsa = exported(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey);

function refuses(jwk: unknown, use: KeyUse, reason: string): void {
  assert.throws(() => vetPublicKey(jwk, use), (error: unknown) => {
    assert(error instanceof VeilgateError);
    assert.deepEqual([error.code, error.detail?.['reason']], ['KEY_REFUSED', reason]);
    return true;
  });
}

const p = 2n ** 255n - 19n;
const point = (n: bigint, highBit = false) => {
  const bytes = Buffer.from(n.toString(16).padStart(64, '0'), 'hex').reverse();
  if (highBit) bytes[31] = (bytes[31] as number) | 0x80;
  return bytes;
};

describe('identity/vetting', () => {
  it('accepts each kind of key for its use and names it by its thumbprint', () => {
    assert.deepEqual(vetPublicKey(ed25519, 'sig'), { ...ed25519, use: 'sig', alg: 'EdDSA', kid: jwkThumbprint(ed25519) });
    assert.deepEqual(vetPublicKey(x25519, 'enc'), { ...x25519, use: 'enc', alg: 'ECDH-ES+A256KW', kid: jwkThumbprint(x25519) });
    assert.deepEqual(vetPublicKey(p256, 'sig'), { ...p256, use: 'sig', alg: 'ES256', kid: jwkThumbprint(p256) });
    assert.deepEqual(vetPublicKey({ ...p256, use: 'enc', alg: 'ECDH-ES', kid: 'k1', key_ops: ['deriveBits'] }, 'enc'), { ...p256, use: 'enc', alg: 'ECDH-ES', kid: 'k1' });
    assert.deepEqual(vetPublicKey({ ...rsa, key_ops: ['verify'] }, 'sig'), { ...rsa, use: 'sig', alg: 'PS256', kid: jwkThumbprint(rsa) });
  });

  it('keeps only members that matter', () => {
    assert.deepEqual(Object.keys(vetPublicKey({ ...ed25519, ext: true, note: 'hello' }, 'sig')).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x']);
  });

  it('computes thumbprints as RFC 7638 and RFC 8037 print them', () => {
    const n = '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw';
    assert.equal(jwkThumbprint({ kty: 'RSA', n, e: 'AQAB', alg: 'RS256', kid: '2011-04-29' }), 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
    assert.equal(jwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }), 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  });

  it('refuses private, symmetric and certificate members', () => {
    for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']) refuses({ ...ed25519, [name]: 'AA' }, 'sig', 'private_member');
    for (const name of ['x5c', 'x5t', 'x5t#S256', 'x5u']) refuses({ ...ed25519, [name]: 'AA' }, 'sig', 'certificate');
    refuses(readJwk('3_2.ec_private_key.json'), 'sig', 'private_member');
    refuses(readJwk('3_4.rsa_private_key.json'), 'sig', 'private_member');
    refuses(readJwk('3_5.symmetric_key_mac_computation.json'), 'sig', 'private_member');
  });

  it('refuses other kinds of keys and keys for another use', () => {
    refuses(readJwk('3_1.ec_public_key.json'), 'sig', 'kind'); // P-521
    refuses(exported(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey), 'sig', 'kind');
    for (const notKey of [null, 'x', 3, [], undefined]) refuses(notKey, 'sig', 'not_a_key');
    for (const kind of [{}, { kty: 'toString' }, { kty: 'OKP', crv: 'Ed448', x: ed25519['x'] }, { kty: 'oct' }]) refuses(kind, 'sig', 'kind');
    refuses(x25519, 'sig', 'use');
    refuses(ed25519, 'enc', 'use');
    refuses(rsa, 'enc', 'use');
    refuses({ ...p256, use: 'enc' }, 'sig', 'use');
    refuses({ ...p256, use: 'sig' }, 'enc', 'use');
    refuses({ ...p256, key_ops: ['sign'] }, 'sig', 'key_ops');
    refuses({ ...p256, key_ops: ['verify', 'verify'] }, 'sig', 'key_ops');
    refuses({ ...p256, key_ops: 'verify' }, 'sig', 'key_ops');
    refuses({ ...p256, alg: 'ES384' }, 'sig', 'algorithm');
    refuses({ ...rsa, alg: 'RS256' }, 'sig', 'algorithm');
    refuses({ ...p256, alg: 'ES256' }, 'enc', 'algorithm');
    refuses({ ...p256, kid: 'a b' }, 'sig', 'kid');
    refuses({ ...p256, kid: '' }, 'sig', 'kid');
  });

  it('refuses weak RSA keys, some of which jose imports', async () => {
    const withoutExponent = { ...rsa, e: 'AQ' };
    assert.ok(await importJWK(withoutExponent, 'PS256'));
    refuses(withoutExponent, 'sig', 'exponent');
    refuses({ ...rsa, e: 'Aw' }, 'sig', 'exponent');
    refuses({ ...rsa, e: 'AAEAAQ' }, 'sig', 'exponent');
    refuses({ ...rsa, n: exported(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)['n'] }, 'sig', 'size');
    refuses({ ...rsa, n: Buffer.alloc(513, 0xff).toString('base64url') }, 'sig', 'size');
    const modulus = Buffer.from(rsa['n'] as string, 'base64url');
    refuses({ ...rsa, n: Buffer.concat([Buffer.of(0), modulus]).toString('base64url') }, 'sig', 'encoding');
    const even = Buffer.from(modulus);
    even[255] = (even[255] as number) & 0xfe;
    refuses({ ...rsa, n: even.toString('base64url') }, 'sig', 'modulus');
    const shorter = Buffer.from(modulus);
    shorter[0] = 0x7f; // 2047 bits
    refuses({ ...rsa, n: shorter.toString('base64url') }, 'sig', 'size');
  });

  it('heeds `use`, which jose ignores on import', async () => {
    assert.ok(await importJWK({ ...ed25519, use: 'enc', alg: 'EdDSA' } as never));
    refuses({ ...ed25519, use: 'enc' }, 'sig', 'use');
  });

  it('refuses encodings that are not canonical', () => {
    const x = ed25519['x'] as string;
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const otherBits = x.slice(0, -1) + last.charAt(last.indexOf(x.slice(-1)) ^ 1);
    assert.deepEqual(Buffer.from(otherBits, 'base64url'), Buffer.from(x, 'base64url'));
    for (const bad of [otherBits, `${x}=`, ` ${x}`, x.slice(0, -1), `${x}AA`, 17, '']) refuses({ ...ed25519, x: bad }, 'sig', 'encoding');
    for (const bad of [p256['x'] + 'A', `${String(p256['x']).slice(0, -2)}`]) refuses({ ...p256, x: bad }, 'sig', 'encoding');
    assert.equal(isBase64url(''), true);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => isBase64url(Buffer.from(bytes).toString('base64url'))));
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...last, '=', ' '), maxLength: 12 }), (text) =>
      isBase64url(text) === (Buffer.from(text, 'base64url').toString('base64url') === text)));
  });

  it('refuses points that are not on the curve', () => {
    refuses({ ...p256, y: p256['x'] }, 'sig', 'not_on_curve');
    refuses({ ...p256, x: Buffer.alloc(32).toString('base64url'), y: Buffer.alloc(32).toString('base64url') }, 'enc', 'not_on_curve');
    refuses({ kty: 'OKP', crv: 'Ed25519', x: point(2n).toString('base64url') }, 'sig', 'not_on_curve');
    // OpenSSL takes the same bytes without a word
    assert.doesNotThrow(() => createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: point(2n).toString('base64url') }, format: 'jwk' }));
  });

  it('takes every real Ed25519 and X25519 key', () => {
    for (let round = 0; round < 20; round += 1) {
      assert.equal(ed25519PointFault(Buffer.from(exported(generateKeyPairSync('ed25519').publicKey)['x'] as string, 'base64url')), undefined);
      assert.equal(x25519PointFault(Buffer.from(exported(generateKeyPairSync('x25519').publicKey)['x'] as string, 'base64url')), undefined);
    }
  });

  it('refuses every Ed25519 point of low order, in every encoding', () => {
    // each of them is imported without a word
    assert.doesNotThrow(() => createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: point(1n).toString('base64url') }, format: 'jwk' }));
    const order8 = BigInt('0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7');
    for (const y of [0n, 1n, p - 1n, order8, p - order8]) {
      refuses({ kty: 'OKP', crv: 'Ed25519', x: point(y).toString('base64url') }, 'sig', 'low_order');
    }
    for (const bytes of [point(p), point(p + 1n), point(1n, true), point(p - 1n, true)]) refuses({ kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') }, 'sig', 'encoding');
  });

  it('refuses exactly the X25519 points with which OpenSSL cannot agree', () => {
    const { privateKey } = generateKeyPairSync('x25519');
    const agrees = (u: bigint) => {
      try {
        diffieHellman({ privateKey, publicKey: createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: point(u).toString('base64url') } as JsonWebKey, format: 'jwk' }) });
        return true;
      } catch {
        return false;
      }
    };
    const order8 = [325606250916557431795983626356110631294008115727848805560023387167927233504n, 39382357235489614581723060781553021112529911719440698176882885853963445705823n];
    for (const u of [0n, 1n, p - 1n, ...order8]) {
      assert.equal(agrees(u), false);
      refuses({ kty: 'OKP', crv: 'X25519', x: point(u).toString('base64url') }, 'enc', 'low_order');
    }
    for (const u of [2n, 9n, p - 2n]) assert.equal([agrees(u), x25519PointFault(point(u))].join(), 'true,');
    for (const bytes of [point(p), point(p + 1n), point(9n, true)]) refuses({ kty: 'OKP', crv: 'X25519', x: bytes.toString('base64url') }, 'enc', 'encoding');
  });

  it('never throws anything but KEY_REFUSED', () => {
    const member = fc.oneof(fc.constantFrom(ed25519['x'], p256['x'], p256['y'], rsa['n'], 'AQAB', 'OKP', 'EC', 'RSA', 'P-256', 'Ed25519', 'X25519', 'sig', 'enc'), fc.jsonValue());
    fc.assert(fc.property(fc.dictionary(fc.constantFrom('kty', 'crv', 'x', 'y', 'n', 'e', 'use', 'alg', 'kid', 'key_ops'), member), fc.constantFrom<KeyUse>('sig', 'enc'), (jwk, use) => {
      try {
        vetPublicKey(jwk, use);
      } catch (error) {
        assert(error instanceof VeilgateError && error.code === 'KEY_REFUSED', String(error));
      }
    }), { numRuns: 1000, examples: [[{ kty: { toString: [] } }, 'sig'], [{ kty: 'OKP', crv: { toString: null } }, 'enc']] });
  });
});
