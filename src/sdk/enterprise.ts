import { SignJWT } from 'jose';
import { auditorClient } from './auditor.ts';
import type { ConsentRequest } from './consent-flow.ts';
import type { Connection } from './connection.ts';
import { grantRequestsClient } from './grant-requests.ts';
import { grantsClient, type GrantView } from './grants.ts';
import { exportClient } from './own-export.ts';
import { readersClient } from './readers.ts';

export type { GrantView } from './grants.ts';

/** The gateway as an enterprise with its own registered key uses it; without a key it uses the web pages. */
export function enterpriseClient(connection: Connection) {
  const { gateway, credentials } = connection;
  const { grants, readGrant, pause, resume, revoke, receipt } = grantsClient(connection);
  const { grantRequests, readGrantRequest, acceptGrantRequest, refuseGrantRequest } = grantRequestsClient(connection);
  const { accesses, entryReceipt } = auditorClient(connection);
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
    grants, readGrant, pause, resume, revoke, receipt,
    grantRequests, readGrantRequest, acceptGrantRequest, refuseGrantRequest,
    /** Who asked for what about this enterprise, when, and what came of it; and the receipt of one such entry. */
    accesses, entryReceipt, readers: readersClient(connection).readers,
    ...exportClient(connection),
  };
}
