import { SignJWT } from 'jose';
import type { Connection } from './connection.ts';
import type { PartyKey } from './keys.ts';

/** A party's own keys: adding one, and retiring one. */
export function keyClient(connection: Connection) {
  const { gateway, credentials, call } = connection;
  const statement = (typ: string, key: PartyKey, claims: Readonly<Record<string, unknown>>) =>
    new SignJWT({ ...claims, jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'EdDSA', typ, kid: key.publicJwk.kid })
      .setIssuer(credentials.party)
      .setAudience(gateway)
      .setIssuedAt()
      .setExpirationTime('60s')
      .sign(key.privateKey);
  return {
    /** Adds a key, signed for with the key in use; a new signing key proves itself as well. Errors: KEY_REFUSED, KEY_DUPLICATE. */
    async add(key: PartyKey, use: 'sig' | 'enc'): Promise<{ readonly thumbprint: string }> {
      const proof = use === 'sig' ? { proof: await statement('key-proof+jwt', key, {}) } : {};
      const content = await statement('key+jwt', credentials.signing, { key: key.publicJwk, ...proof });
      return call({ method: 'POST', path: '/v1/keys', body: { type: 'application/jwt', content } });
    },
    /** Takes a key out of use for ever; the last signing key cannot be. Errors: REQUEST_NOT_FOUND, INSTITUTION_STATE_CONFLICT. */
    retire: (thumbprint: string) => call<{ readonly thumbprint: string }>({ method: 'DELETE', path: `/v1/keys/${encodeURIComponent(thumbprint)}` }),
  };
}
