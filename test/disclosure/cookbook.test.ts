import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { compactDecrypt, importJWK, type JWK } from 'jose';
import { isVeilgateError } from '../../src/errors.ts';
import { openSealed } from '../../src/disclosure/open.ts';

/** The JOSE cookbook (RFC 7520, and its Curve25519 example): that the library we seal with agrees with others. */
const folder = path.resolve(import.meta.dirname, '../vectors/rfc7520');
const files = [
  'jwe/5_4.key_agreement_with_key_wrapping_using_ecdh-es_and_aes-keywrap_with_aes-gcm.json',
  'jwe/5_5.key_agreement_using_ecdh-es_with_aes-cbc-hmac-sha2.json',
  'curve25519/ecdh-es.json',
];
type Example = {
  readonly title: string;
  readonly input: { readonly plaintext: string; readonly key: JWK; readonly alg: string; readonly enc: string };
  readonly output: { readonly compact: string };
};

describe('the JOSE cookbook', () => {
  for (const file of files) {
    const example = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as Example;
    const { plaintext, key, alg, enc } = example.input;

    it(`is read by jose: ${example.title}`, async () => {
      const opened = await compactDecrypt(example.output.compact, await importJWK(key, alg), { keyManagementAlgorithms: [alg], contentEncryptionAlgorithms: [enc] });
      assert.equal(new TextDecoder().decode(opened.plaintext), plaintext);
    });

    it(`is refused as a sealed answer: ${example.title}`, async () => {
      await assert.rejects(openSealed(example.output.compact, key, { issuer: 'a', audience: 'b' }), (error) => isVeilgateError(error, 'DISCLOSURE_UNREADABLE'));
    });
  }
});
