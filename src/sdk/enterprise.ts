import { SignJWT } from 'jose';
import type { ConsentRequest } from './bank.ts';
import type { Connection } from './connection.ts';

export type GrantView = { readonly id: string; readonly state: string; readonly institution: string; readonly purpose: string } & Readonly<Record<string, unknown>>;

/** The gateway as an enterprise with its own registered key uses it; without a key it uses the web pages. */
export function enterpriseClient(connection: Connection) {
  const { gateway, credentials } = connection;
  const change = (grant: string, action: 'pause' | 'resume' | 'revoke') =>
    connection.call<GrantView>({ method: 'POST', path: `/v1/grants/${encodeURIComponent(grant)}/${action}`, json: {} });
  return {
    /** Grants what a bank asked for by signing it: no browser needed. */
    async grant(institution: string, terms: ConsentRequest): Promise<GrantView> {
      const jws = await new SignJWT({ terms: { type: 'veilgate_consent', ...terms }, institution, jti: crypto.randomUUID() })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'grant+jwt', kid: credentials.signing.publicJwk.kid })
        .setIssuer(credentials.party)
        .setAudience(gateway)
        .setIssuedAt()
        .setExpirationTime('60s')
        .sign(credentials.signing.privateKey);
      return connection.call<GrantView>({ method: 'POST', path: '/v1/grants', body: { type: 'application/jwt', content: jws } });
    },
    grants: () => connection.call<{ readonly grants: readonly GrantView[] }>({ method: 'GET', path: '/v1/grants' }),
    pause: (grant: string) => change(grant, 'pause'),
    resume: (grant: string) => change(grant, 'resume'),
    revoke: (grant: string) => change(grant, 'revoke'),
    /** The consent receipt, a signed JWS for the enterprise to keep. */
    receipt: async (grant: string) => (await connection.call<{ readonly receipt: string }>({ method: 'GET', path: `/v1/grants/${encodeURIComponent(grant)}/receipt` })).receipt,
    /** Who asked for what about this enterprise, when, and what came of it. */
    accesses: () => connection.call<{ readonly accesses: readonly Record<string, unknown>[] }>({ method: 'GET', path: '/v1/accesses' }),
  };
}
