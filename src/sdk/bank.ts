import * as oauth from 'oauth4webapi';
import { SignJWT, type JWK } from 'jose';
import type { ConsentCeiling, Disclosure, FieldDecision, Frequency, Value, VerificationOutcome } from '../vocabulary.ts';
import { openSealed } from '../disclosure/open.ts';
import { withFreshNonce, type Connection } from './connection.ts';
import { VeilgateError } from '../errors.ts';

/** What a bank asks about one enterprise. */
export type Query = {
  /** Unified social credit code. */
  readonly subject: string;
  readonly purpose: string;
  /** Grant to answer under; the widest valid one when absent. */
  readonly grant?: string;
  /** Fields to read, as `dataset.field`. */
  readonly read?: readonly string[];
  readonly verify?: readonly { readonly field: string; readonly claimed: Value }[];
  readonly rows?: Readonly<Record<string, RowSelection>>;
  /** Facts that policy conditions may ask for, such as `loan_amount_cents`. */
  readonly facts?: Readonly<Record<string, Value>>;
};

export type RowSelection = {
  readonly filter?: readonly { readonly field: string; readonly op: 'eq' | 'gte' | 'lte'; readonly value: Value }[];
  readonly sort?: { readonly field: string; readonly direction: 'asc' | 'desc' };
  readonly limit?: number;
};

/** An answer as it travels: original values only inside `sealed`. */
export type Answer = {
  readonly subject: string;
  readonly purpose: string;
  readonly grant: string;
  readonly policy: string;
  readonly data: Readonly<Record<string, readonly Readonly<Record<string, Disclosure>>[]>>;
  readonly sealed?: string;
  readonly verified: readonly { readonly field: string; readonly outcome: VerificationOutcome }[];
  readonly withheld: readonly Pick<FieldDecision, 'field' | 'use' | 'reason' | 'rule' | 'path'>[];
  /** The log's record of this answer and the salt of its commitment: what the receipt is about. */
  readonly entry: { readonly index: number; readonly salt: string; readonly record: Readonly<Record<string, unknown>> };
  readonly receipt: string;
};

/** A disclosed value after the bank opened what was sealed for it. */
export type OpenedValue = Exclude<Disclosure, { readonly kind: 'sealed' }> | { readonly kind: 'clear'; readonly value: Value };
export type OpenedAnswer = Omit<Answer, 'data'> & {
  readonly data: Readonly<Record<string, readonly Readonly<Record<string, OpenedValue>>[]>>;
};

export type ConsentRequest = {
  readonly subject: string;
  readonly purpose: string;
  readonly fields: readonly { readonly field: string; readonly ceiling: ConsentCeiling }[];
  readonly data_from?: string;
  readonly data_to?: string;
  readonly valid_days: number;
  readonly uses_max?: number;
  readonly frequency?: Frequency;
  readonly data_life_days: number;
  readonly kind: 'one_time' | 'periodic';
};

/** A consent request under way: send the enterprise's representative to `url`, then call `finish`. */
export type PendingConsent = {
  readonly url: string;
  /** @param callback the full redirect URL the representative's browser came back to */
  readonly finish: (callback: string) => Promise<GrantedConsent>;
};

/** What the bank holds after the enterprise consented. */
export type GrantedConsent = {
  readonly grant: string;
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
};

const queryLifetimeS = 60;

/** The gateway as a bank uses it. The same code runs in Node and in a browser. */
export function bankClient(connection: Connection) {
  const { gateway, credentials } = connection;

  const signQuery = (query: Query) =>
    new SignJWT({ query, jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'query+jwt', kid: credentials.signing.publicJwk.kid })
      .setIssuer(credentials.party)
      .setAudience(gateway)
      .setIssuedAt()
      .setExpirationTime(`${queryLifetimeS}s`)
      .sign(credentials.signing.privateKey);

  const ask = async <Result>(path: string, query: Query, accessToken?: string) =>
    connection.call<Result>({
      method: 'POST',
      path,
      body: { type: 'application/jwt', content: await signQuery(query) },
      ...(accessToken === undefined ? {} : { accessToken }),
    });

  return {
    /** Asks, and opens what was sealed. Errors: those of the gateway, DISCLOSURE_UNREADABLE. */
    async query(query: Query, accessToken?: string): Promise<OpenedAnswer> {
      const answer = await ask<Answer>('/v1/queries', query, accessToken);
      return openAnswer(answer, connection);
    },
    /** The answer as it travels, for those who open it elsewhere. */
    querySealed: (query: Query, accessToken?: string) => ask<Answer>('/v1/queries', query, accessToken),
    /** What would be disclosed how, and which grant is missing; nothing is spent. */
    explain: (query: Query, accessToken?: string) => ask<Record<string, unknown>>('/v1/queries/explain', query, accessToken),
    requestConsent: (request: ConsentRequest, redirectUri: string) => requestConsent(connection, request, redirectUri),
    refresh: (consent: GrantedConsent) => refresh(connection, consent),
    catalogue: () => connection.call<Record<string, unknown>>({ method: 'GET', path: '/v1/catalogue' }),
    grants: () => connection.call<{ readonly grants: readonly Record<string, unknown>[] }>({ method: 'GET', path: '/v1/grants' }),
  };
}

export type BankClient = ReturnType<typeof bankClient>;

/** Opens the sealed part with the bank's key and puts each original value where it belongs. */
export async function openAnswer(answer: Answer, connection: Pick<Connection, 'gateway' | 'credentials'>): Promise<OpenedAnswer> {
  const clear = answer.sealed === undefined ? {} : await openWith(answer, connection);
  const data = Object.fromEntries(
    Object.entries(answer.data).map(([dataset, rows]) => [
      dataset,
      rows.map((row, at) =>
        Object.fromEntries(
          Object.entries(row).map(([field, disclosure]): [string, OpenedValue] => {
            if (disclosure.kind !== 'sealed') return [field, disclosure];
            const value = clear[dataset]?.[at]?.[field];
            if (value === undefined) throw new VeilgateError('DISCLOSURE_UNREADABLE', 'The sealed part of the answer does not hold what the answer promises: report the receipt to the platform.');
            return [field, { kind: 'clear', value }];
          }),
        ),
      ),
    ]),
  );
  return { ...answer, data };
}

type ClearRows = Readonly<Record<string, readonly Readonly<Record<string, Value>>[]>>;

async function openWith(answer: Answer, { gateway, credentials }: Pick<Connection, 'gateway' | 'credentials'>): Promise<ClearRows> {
  if (credentials.encryption === undefined) {
    throw new VeilgateError('DISCLOSURE_KEY_MISSING', 'The answer is sealed for your encryption key: open it where that key is.');
  }
  const opened = await openSealed(answer.sealed ?? '', credentials.encryption.privateKey, { issuer: gateway, audience: credentials.party });
  return opened as ClearRows;
}

/** PAR + PKCE + DPoP (FAPI 2.0): the request itself never passes through the browser. */
async function requestConsent(connection: Connection, request: ConsentRequest, redirectUri: string): Promise<PendingConsent> {
  const { server, client, authentication, dpop, http } = connection.authorization;
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const parameters = {
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'query',
    resource: connection.gateway,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    authorization_details: JSON.stringify([{ type: 'veilgate_consent', ...request }]),
  };
  const pushed = await withFreshNonce(async () =>
    oauth.processPushedAuthorizationResponse(server, client, await oauth.pushedAuthorizationRequest(server, client, authentication, parameters, { DPoP: dpop, ...http })));
  const url = new URL(server.authorization_endpoint ?? '');
  url.searchParams.set('client_id', client.client_id);
  url.searchParams.set('request_uri', pushed.request_uri);
  return {
    url: url.href,
    finish: async (callback) => {
      const answer = oauth.validateAuthResponse(server, client, new URL(callback), state);
      const tokens = await withFreshNonce(async () =>
        oauth.processAuthorizationCodeResponse(
          server,
          client,
          await oauth.authorizationCodeGrantRequest(server, client, authentication, answer, redirectUri, verifier, { DPoP: dpop, additionalParameters: { resource: connection.gateway }, ...http }),
        ));
      return granted(tokens);
    },
  };
}

async function refresh(connection: Connection, consent: GrantedConsent): Promise<GrantedConsent> {
  const { server, client, authentication, dpop, http } = connection.authorization;
  const tokens = await withFreshNonce(async () =>
    oauth.processRefreshTokenResponse(
      server,
      client,
      await oauth.refreshTokenGrantRequest(server, client, authentication, consent.refreshToken ?? '', { DPoP: dpop, additionalParameters: { resource: connection.gateway }, ...http }),
    ));
  return granted(tokens);
}

function granted(tokens: oauth.TokenEndpointResponse): GrantedConsent {
  const details = tokens.authorization_details?.[0] as { readonly grant?: string } | undefined;
  if (details?.grant === undefined) throw new VeilgateError('CONSENT_INVALID', 'The authorization server answered without a grant: ask the platform.');
  return { grant: details.grant, accessToken: tokens.access_token, refreshToken: tokens.refresh_token };
}

/** Public keys of the platform, to verify receipts with. */
export async function platformKeys(gateway: string): Promise<{ readonly keys: readonly JWK[] }> {
  const response = await fetch(new URL('/.well-known/jwks.json', gateway));
  return (await response.json()) as { readonly keys: readonly JWK[] };
}
