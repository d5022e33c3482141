import assert from 'node:assert/strict';
import { base64url, CompactEncrypt, exportJWK, generateKeyPair, type CompactJWEHeaderParameters, type CryptoKey } from 'jose';
import { isVeilgateError } from '../../src/errors.ts';
import type { PublicJwk, TimeMs } from '../../src/vocabulary.ts';
import { openSealed } from '../../src/disclosure/open.ts';
import { sealFor } from '../../src/disclosure/seal.ts';

const context = { issuer: 'https://gateway.example', audience: 'bank-a', jti: 'answer-1', issuedAtMs: 1_790_000_000_000 as TimeMs };
const expected = { issuer: context.issuer, audience: context.audience, jti: context.jti };
const content = { iss: context.issuer, aud: context.audience, jti: context.jti, iat: 1_790_000_000, data: { owner: [{ name: '王小明' }] } };

describe('opening a sealed answer', () => {
  let publicKey: CryptoKey;
  let privateKey: CryptoKey;
  let sealed: string;
  const messages = new Set<string>();

  before(async () => {
    ({ publicKey, privateKey } = await generateKeyPair('ECDH-ES+A256KW', { crv: 'P-256', extractable: true }));
    sealed = await sealFor({ ...(await exportJWK(publicKey)), kid: 'k' } as PublicJwk, content.data, context);
  });

  const unreadable = (error: unknown) => {
    if (isVeilgateError(error)) messages.add(`${error.code} ${error.message} ${JSON.stringify(error.detail)} ${error.cause}`);
    return isVeilgateError(error, 'DISCLOSURE_UNREADABLE');
  };
  const refuses = (jwe: string, expectation: Parameters<typeof openSealed>[2] = expected, key = privateKey) => assert.rejects(openSealed(jwe, key, expectation), unreadable);
  const header = { alg: 'ECDH-ES+A256KW', enc: 'A256GCM', kid: 'k', typ: 'sealed-answer+jwe', cty: 'json' };
  const padded = (value: unknown, length = 1024) => {
    const bytes = new Uint8Array(length).fill(0x20);
    bytes.set(new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)).subarray(0, length));
    return bytes;
  };
  const forged = (plaintext: Uint8Array, protectedHeader: Record<string, unknown> = header) =>
    new CompactEncrypt(plaintext).setProtectedHeader(protectedHeader as unknown as CompactJWEHeaderParameters).encrypt(publicKey);

  it('gives back what was sealed, by another hand too', async () => {
    assert.deepEqual(await openSealed(sealed, privateKey, expected), content.data);
    assert.deepEqual(await openSealed(await forged(padded(content)), privateKey, { issuer: context.issuer, audience: context.audience }), content.data);
  });

  it('refuses what is meant for another party, gateway or answer', async () => {
    await refuses(sealed, { ...expected, issuer: 'https://other.example' });
    await refuses(sealed, { ...expected, audience: 'bank-b' });
    await refuses(sealed, { ...expected, jti: 'answer-2' });
    await refuses(sealed, expected, (await generateKeyPair('ECDH-ES+A256KW', { crv: 'P-256' })).privateKey);
    await refuses(sealed, expected, (await generateKeyPair('ECDH-ES+A256KW', { crv: 'X25519' })).privateKey);
  });

  it('refuses every changed part', async () => {
    for (let part = 0; part < 5; part += 1) {
      const parts = sealed.split('.');
      const bytes = base64url.decode(parts[part] ?? '');
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      parts[part] = base64url.encode(bytes);
      await refuses(parts.join('.'));
    }
  });

  it('refuses any other spelling of the same bytes', async () => {
    const parts = sealed.split('.');
    for (let at = 0; at < 5; at += 1) {
      for (const spelling of [`${parts[at]}=`, ` ${parts[at]}`, `${parts[at]}\n`, `${parts[at]}A`, '']) {
        await refuses(parts.with(at, spelling).join('.'));
      }
    }
    // the tag's 16 bytes are 22 characters: the last holds two bits, its other four must be zero
    const tag = parts[4] ?? '';
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const stray = tag.slice(0, -1) + alphabet.charAt(alphabet.indexOf(tag.at(-1) ?? '') + 1);
    assert.deepEqual(base64url.decode(stray), base64url.decode(tag));
    await refuses(parts.with(4, stray).join('.'));
  });

  it('refuses every algorithm but the listed ones', async () => {
    for (const alg of ['ECDH-ES+A128KW', 'ECDH-ES+A192KW']) await refuses(await forged(padded(content), { ...header, alg }));
    for (const enc of ['A128GCM', 'A256CBC-HS512', 'A192GCM']) await refuses(await forged(padded(content), { ...header, enc }));
    const shared = await new CompactEncrypt(padded(content)).setProtectedHeader({ ...header, alg: 'dir' }).encrypt(new Uint8Array(32));
    await refuses(shared);
    const [, ...rest] = sealed.split('.');
    for (const other of [{ ...header, alg: 'dir' }, { ...header, alg: 'none' }, { ...header, alg: undefined }]) await refuses([base64url.encode(JSON.stringify(other)), ...rest].join('.'));
  });

  it('refuses compression and every parameter it does not know', async () => {
    const compressed = await forged(padded(content), { ...header, zip: 'DEF' });
    assert.ok(compressed.length < sealed.length, 'the library did compress');
    await refuses(compressed);
    const [encoded = '', ...rest] = sealed.split('.');
    const real = JSON.parse(Buffer.from(encoded, 'base64url').toString()) as Record<string, unknown>;
    for (const more of [{ zip: 'DEF' }, { crit: ['exp'], exp: 1 }, { apu: 'AA' }, { jku: 'https://x.example' }, { typ: 'JWT' }, { cty: 'text' }, { kid: 7 }]) {
      await refuses([base64url.encode(JSON.stringify({ ...real, ...more })), ...rest].join('.'));
    }
    for (const [name, value] of Object.entries({ typ: 'JWT', cty: 'JWT', extra: 'x', kid: undefined })) await refuses(await forged(padded(content), { ...header, [name]: value }));
  });

  it('refuses a header with a key twice', async () => {
    const [encoded = '', ...rest] = sealed.split('.');
    const doubled = Buffer.from(encoded, 'base64url').toString().replace('{', '{"alg":"none",');
    await refuses([base64url.encode(doubled), ...rest].join('.'));
  });

  it('refuses content that is not padded, not JSON, or not of the form', async () => {
    const text = JSON.stringify(content);
    await refuses(await forged(new TextEncoder().encode(text)));
    await refuses(await forged(padded(content, 1025)));
    const wrong: unknown[] = [
      'not json', `${text}x`, '[]', 'null', { ...content, more: 1 }, { ...content, data: [] }, { ...content, data: undefined }, { ...content, iat: 'now' },
      { ...content, jti: 7 }, { ...content, aud: [context.audience] }, text.replace('{', '{"aud":"bank-b",'), text.replace('"owner"', '"__proto__"'),
    ];
    for (const value of wrong) await refuses(await forged(padded(value)));
    const notUtf8 = padded(content);
    notUtf8[1023] = 0xff;
    await refuses(await forged(notUtf8));
  });

  it('refuses what is no JWE at all', async () => {
    for (const text of ['', '.', '....', '.....', 'a.b.c.d.e', sealed.split('.').slice(1).join('.'), `${sealed}.AAAA`, 'x'.repeat(8_000_000)]) await refuses(text);
    await refuses(undefined as unknown as string); // a caller without types
    await refuses(sealed, expected, { kty: 'oct', k: 'AAAA' } as unknown as CryptoKey); // a JWK of another kind
  });

  it('gives one and the same error for all of it', () => {
    assert.equal(messages.size, 1);
  });
});
