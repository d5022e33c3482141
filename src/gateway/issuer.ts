import { browserSessions } from '../authorization/browser-session.ts';
import { createAuthorizationServer } from '../authorization/server.ts';
import type { VisitDependencies } from '../authorization/visits.ts';
import { VeilgateError } from '../errors.ts';
import type { Keyring } from '../identity/keyring.ts';
import { clientMetadata } from '../identity/registry/client-metadata.ts';
import { readParty } from '../identity/registry/party.ts';
import { revokeToken } from '../identity/replay.ts';
import type { PartyId } from '../vocabulary.ts';
import type { GatewayAppOptions } from './app.ts';
import type { Config } from './config.ts';
import { createConsole } from './console/console-app.ts';
import type { FaultName } from './log-events.ts';
import type { Log } from './log.ts';
import type { Services } from './resources/services.ts';
import { startServer, type RunningServer } from './server.ts';
import { recordActivation } from './use-cases/accounts.ts';
import { createConsentDesk } from './use-cases/consent-desk.ts';

/** An external issuer's keys, from where its metadata says they are (RFC 8414). */
export async function fetchJwks(issuer: string): Promise<unknown> {
  const get = async (url: string) => {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000), redirect: 'error' });
    if (!response.ok) throw new VeilgateError('TOKEN_ISSUER_UNAVAILABLE', 'The authorization server does not answer: try again in a few seconds.');
    return (await response.json()) as Record<string, unknown>;
  };
  const metadata = await get(`${issuer}/.well-known/openid-configuration`);
  if (metadata['issuer'] !== issuer || typeof metadata['jwks_uri'] !== 'string') throw new VeilgateError('TOKEN_ISSUER_UNAVAILABLE', 'The authorization server\'s metadata is not its own.');
  return get(metadata['jwks_uri']);
}

/** The platform's own authorization server, on a port of its own, and beside it the consoles, which use its sessions. */
export async function startIssuer(config: Config, services: Services, keyring: Keyring, issuerUrl: string, log: Log, gateway: GatewayAppOptions): Promise<RunningServer> {
  const { database, clock, catalogue, policy, receipts, gatewayUrl } = services;
  const visiting: VisitDependencies = {
    issuer: issuerUrl, database, clock, cookieKeys: keyring.cookieKeys, secureCookies: issuerUrl.startsWith('https:'),
    isAdmitted: async (party) => (await readParty(database, party))?.status === 'approved',
  };
  const app = createAuthorizationServer({
    ...visiting,
    limits: gateway.limits,
    consoles: createConsole({ services, sessions: browserSessions(visiting), gateway }),
    gatewayAudience: gatewayUrl,
    signingKeys: keyring.issuerSigningKeys,
    dpopNonceSecret: keyring.dpopNonceSecret,
    findClient: (id) => clientMetadata(database, id),
    consent: createConsentDesk({ database, clock, catalogue, policy, receipts }),
    onTokenRevoked: (jti, expiresAtMs) => revokeToken(database, { issuer: issuerUrl, jti, expiresAtMs }),
    onActivated: (tx, account) => recordActivation(tx, account, clock.nowMs()),
    log: (event, { client, fault }) => log.write('issuer.event', {
      event,
      ...(typeof client === 'string' ? { party: client as PartyId } : {}),
      ...(typeof fault === 'string' ? { fault_name: fault as FaultName } : {}),
    }),
    behindProxy: config.tlsTerminatedByProxy,
  });
  return startServer(app, { ...config, host: config.issuerHost ?? config.host, port: config.issuerPort }, log);
}
