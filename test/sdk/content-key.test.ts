import { strict as assert } from 'node:assert';
import { exportJWK, generateKeyPair } from 'jose';
import { sealFor } from '../../src/disclosure/seal.ts';
import { contentKeyOf, openWithContentKey } from '../../src/sdk/content-key.ts';
import type { PublicJwk, TimeMs } from '../../src/vocabulary.ts';

const context = { issuer: 'https://gateway.example', audience: 'bank-a', jti: 'answer-1', issuedAtMs: 1_790_000_000_000 as TimeMs };
const expected = { issuer: context.issuer, audience: context.audience, jti: context.jti };
const data = { owner: [{ name: '王小明' }] };
const unreadable = { code: 'DISCLOSURE_UNREADABLE' };

describe('the content key of a sealed answer', () => {
  for (const [crv, alg] of [['P-256', 'ECDH-ES+A256KW'], ['P-256', 'ECDH-ES'], ['X25519', 'ECDH-ES+A256KW'], ['X25519', 'ECDH-ES']] as const) {
    it(`opens this answer and no other: ${crv}, ${alg}`, async () => {
      const { publicKey, privateKey } = await generateKeyPair(alg, { crv });
      const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg } as PublicJwk;
      const [sealed, other] = [await sealFor(jwk, data, context), await sealFor(jwk, data, context)];
      const key = await contentKeyOf(sealed, privateKey);
      assert.equal(key.length, 32);
      assert.deepEqual(await openWithContentKey(sealed, key, expected), data);
      await assert.rejects(openWithContentKey(other, key, expected), unreadable);
      await assert.rejects(openWithContentKey(sealed, key, { ...expected, audience: 'bank-b' }), unreadable);
      await assert.rejects(openWithContentKey(sealed, key, { ...expected, jti: 'answer-2' }), unreadable);
      await assert.rejects(openWithContentKey(sealed.replace(/\.[^.]{4}([^.]*\.[^.]*)$/, '.AAAA$1'), key, expected), unreadable);
      const stranger = (await generateKeyPair(alg, { crv })).privateKey;
      const wrong = await contentKeyOf(sealed, stranger).catch(() => new Uint8Array(32));
      await assert.rejects(openWithContentKey(sealed, wrong, expected), unreadable);
    });
  }

  it('is not asked of anything else', async () => {
    const { privateKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256' });
    for (const jwe of ['', 'a.b.c.d.e', 'eyJ9....']) {
      await assert.rejects(contentKeyOf(jwe, privateKey), unreadable);
      await assert.rejects(openWithContentKey(jwe, new Uint8Array(32), expected), unreadable);
    }
  });
});
