import { Writable } from 'node:stream';
import type { Express } from 'express';
import { systemClock } from '../../src/clock.ts';
import { VeilgateError } from '../../src/errors.ts';
import { createGatewayApp, type GatewayAppOptions, type Identify } from '../../src/gateway/app.ts';
import { createIdempotency } from '../../src/gateway/idempotency.ts';
import { createLimits } from '../../src/gateway/limits.ts';
import { createLog, type Log } from '../../src/gateway/log.ts';
import { createMetrics } from '../../src/gateway/metrics.ts';
import type { Route } from '../../src/gateway/route.ts';
import type { Database } from '../../src/store/database.ts';
import type { Caller, PartyId, Scope } from '../../src/vocabulary.ts';

/** A log whose lines stay in memory. */
export function memoryLog(level: 'info' | 'debug' = 'debug'): { readonly log: Log; readonly lines: () => readonly Record<string, unknown>[]; readonly text: () => string } {
  let written = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written += chunk.toString();
      done();
    },
  });
  const lines = () => written.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log: createLog({ level, stream, delayMs: 0 }), lines, text: () => written };
}

export function caller(party: string, ...scopes: readonly Scope[]): Caller {
  return { party: party as PartyId, kind: 'institution', scopes: new Set(scopes), dpopKeyThumbprint: 'x' };
}

/** `Authorization: DPoP <party>:<scope>` stands for a token that passed all checks. */
export const identifyByName: Identify = async ({ authorization }) => {
  const [, party, scope] = /^DPoP ([a-z0-9-]+):([a-z]+)$/.exec(authorization ?? '') ?? [];
  if (party === undefined) throw new VeilgateError('TOKEN_MALFORMED', 'The access token is not a token: fetch a new one.');
  return caller(party, scope as Scope);
};

/** A database nobody asks anything of. */
export const noDatabase: Database = {
  url: 'postgresql://nowhere/none',
  query: () => Promise.reject(new Error('no database in this test')),
  transaction: () => Promise.reject(new Error('no database in this test')),
  eagerTransaction: () => Promise.reject(new Error('no database in this test')),
  readBytes: () => Promise.reject(new Error('no database in this test')),
  ready: async () => true,
  close: async () => {},
};

export const publicUrl = 'https://gateway.test';

export type Shell = { readonly app: Express; readonly lines: ReturnType<typeof memoryLog>['lines']; readonly logText: () => string; readonly metrics: GatewayAppOptions['metrics']; readonly limits: GatewayAppOptions['limits'] };

/** The gateway's app with real parts around the given routes. */
export function shell(
  routes: readonly Route[],
  options: Partial<Omit<GatewayAppOptions, 'config'>> & { readonly config?: Partial<GatewayAppOptions['config']>; readonly database?: Database; readonly limit?: Partial<Parameters<typeof createLimits>[0]> } = {},
): Shell {
  const { log, lines, text } = memoryLog();
  const { database, limit, config, ...rest } = options;
  const limits = createLimits({ requestsInFlight: 100, partyRequestsPerSecond: 1000, addressRequestsPerSecond: 1000, ...limit });
  const metrics = createMetrics({ inFlight: limits.inFlight });
  const app = createGatewayApp({
    config: { bodyBytes: 65_536, uploadBytes: 1_048_576, requestTimeoutSeconds: 5, tlsTerminatedByProxy: false, trustedProxies: [], ...config },
    publicUrl,
    log,
    metrics,
    limits,
    idempotency: createIdempotency({ database: database ?? noDatabase, clock: systemClock, hours: 24 }),
    identify: identifyByName,
    dpop: { algorithms: 'EdDSA ES256', nonce: () => 'nonce-1', resourceMetadataUrl: `${publicUrl}/.well-known/oauth-protected-resource` },
    routes,
    health: [],
    checkReplies: true,
    ...rest,
  });
  return { app, lines, logText: text, metrics, limits };
}
