import { generateKeyPairSync } from 'node:crypto';
import { SignJWT, type JSONWebKeySet, type JWK } from 'jose';
import type { Signer } from '../../../src/vocabulary.ts';
import type { PrivateJwk } from '../../../src/audit/note.ts';

/** A new Ed25519 private key. */
export function newKey(): PrivateJwk {
  return generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as PrivateJwk;
}

/** The three key pairs RFC 8032 section 7.1 prints (tests 1 to 3): known to everybody, so fit for examples only. */
export const printedKeys = {
  log: { kty: 'OKP', crv: 'Ed25519', d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
  witness: { kty: 'OKP', crv: 'Ed25519', d: 'TM0Imyj_ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U-4pvs', x: 'PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw' },
  platform: { kty: 'OKP', crv: 'Ed25519', d: 'xaqN9D-fg3vtt0QvMdy3sWbThTUHbwlLhc46LgtEWPc', x: '_FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU' },
} as const satisfies Record<string, PrivateJwk>;

/** A Signer as the platform has one, and the key set that verifies it. */
export async function jwsSigner(kid: string, jwk: PrivateJwk = newKey()): Promise<{ signer: Signer; keys: JSONWebKeySet }> {
  const publicJwk: JWK = { kty: jwk.kty, crv: jwk.crv, x: jwk.x, kid, alg: 'EdDSA', use: 'sig' };
  return {
    signer: { kid, sign: (typ, payload) => new SignJWT(payload).setProtectedHeader({ alg: 'EdDSA', typ, kid }).sign(jwk as JWK) },
    keys: { keys: [publicJwk] },
  };
}

