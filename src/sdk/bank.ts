import { SignJWT, type JWK } from 'jose';
import { toHex, utf8 } from '../audit/bytes.ts';
import { canonicalJson } from '../canonical.ts';
import type { Disclosure, FieldDecision, Value, VerificationOutcome } from '../vocabulary.ts';
import { openSealed } from '../disclosure/open.ts';
import { catalogueClient } from './catalogue.ts';
import { unreachable, type Connection, type SigningCalls } from './connection.ts';
import { refreshConsent, requestConsent, type ConsentRequest, type GrantedConsent } from './consent-flow.ts';
import { VeilgateError } from '../errors.ts';
import { grantRequestsClient } from './grant-requests.ts';
import { grantsClient } from './grants.ts';

export type { ConsentRequest, GrantedConsent, PendingConsent } from './consent-flow.ts';

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
  /** Fields answered about to which the enterprise objects, and whose department has not answered yet; absent when there is none. */
  readonly disputed?: readonly string[];
  /** The log's record of this answer and the salt of its commitment: what the receipt is about. */
  readonly entry: { readonly index: number; readonly salt: string; readonly record: Readonly<Record<string, unknown>> };
  readonly receipt: string;
};

/** A disclosed value after the bank opened what was sealed for it. */
export type OpenedValue = Exclude<Disclosure, { readonly kind: 'sealed' }> | { readonly kind: 'clear'; readonly value: Value };
export type Exchange = { readonly request: string; readonly answer: Answer };
export type OpenedAnswer = Omit<Answer, 'data'> & {
  readonly data: Readonly<Record<string, readonly Readonly<Record<string, OpenedValue>>[]>>;
};

/** What a query would disclose, and what is missing for the rest. */
export type QueryExplanation = {
  readonly policy: string;
  readonly purpose: string;
  readonly grant: string | null;
  /** Code of what is wrong with the grant; null when it can be used. */
  readonly grant_problem: string | null;
  readonly fields: readonly {
    readonly field: string; readonly use: string; readonly disposition: string; readonly reason: string; readonly rule: string | null;
    readonly with_desensitised_consent: string; readonly with_original_consent: string; readonly consent_needed: 'desensitised' | 'original' | null;
    readonly missing_facts: readonly string[]; readonly words: { readonly en: string; readonly zh: string };
  }[];
  readonly grant_needed?: readonly { readonly purpose: string; readonly fields: readonly { readonly field: string; readonly ceiling: 'desensitised' | 'original' }[] }[];
};

const queryLifetimeS = 60;

/** Queries, signed by the bank and opened with its key. The same code runs in Node and in a browser. */
export function queryClient(calls: SigningCalls) {
  const { gateway, credentials } = calls;

  const signQuery = (query: Query) =>
    new SignJWT({ query, jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'query+jwt', kid: credentials.signing.publicJwk.kid })
      .setIssuer(credentials.party)
      .setAudience(gateway)
      .setIssuedAt()
      .setExpirationTime(`${queryLifetimeS}s`)
      .sign(credentials.signing.privateKey);

  const send = <Result>(path: string, request: string, accessToken?: string) =>
    calls.call<Result>({ method: 'POST', path, body: { type: 'application/jwt', content: request }, ...(accessToken === undefined ? {} : { accessToken }) });

  /** The signed query that was sent, for the receipt to be checked against, and the answer as it travels. */
  const exchange = async (query: Query, accessToken?: string): Promise<Exchange> => exchangeSigned(await signQuery(query), accessToken);
  const exchangeSigned = async (request: string, accessToken?: string): Promise<Exchange> => ({ request, answer: await send<Answer>('/v1/queries', request, accessToken) });

  return {
    /** Asks, and opens what was sealed. Errors: those of the gateway, DISCLOSURE_UNREADABLE. */
    async query(query: Query, accessToken?: string): Promise<OpenedAnswer> {
      const { request, answer } = await exchange(query, accessToken);
      return openAnswer(answer, calls, await sha256Hex(request));
    },
    exchange,
    signQuery,
    /** Sends what signQuery gave: once more, should the network have failed. What arrived before is refused, never answered twice. */
    exchangeSigned,
    /** The answer as it travels, for those who open it elsewhere. */
    querySealed: async (query: Query, accessToken?: string) => (await exchange(query, accessToken)).answer,
    /** What would be disclosed how, and which grant is missing; nothing is spent. */
    explain: async (query: Query, accessToken?: string) => send<QueryExplanation>('/v1/queries/explain', await signQuery(query), accessToken),
  };
}

/** The gateway as a bank uses it. */
export function bankClient(connection: Connection) {
  const { grants, readGrant, pause, resume, revoke, consentToken } = grantsClient(connection);
  const { askForGrant, grantRequests, readGrantRequest, withdrawGrantRequest } = grantRequestsClient(connection);
  return {
    ...queryClient(connection),
    requestConsent: (request: ConsentRequest, redirectUri: string) => requestConsent(connection, request, redirectUri),
    refresh: (consent: GrantedConsent) => refreshConsent(connection, consent),
    catalogue: catalogueClient(connection).catalogue,
    grants, readGrant, pause, resume, revoke, consentToken,
    askForGrant, grantRequests, readGrantRequest, withdrawGrantRequest,
  };
}

export type BankClient = ReturnType<typeof bankClient>;

/**
 * Opens the sealed part with the bank's key and puts each original value where it belongs.
 * @param requestDigest SHA-256, hex, of the signed query: where given, the answer to another query cannot take its place
 */
export async function openAnswer(answer: Answer, connection: Pick<SigningCalls, 'gateway' | 'credentials'>, requestDigest?: string): Promise<OpenedAnswer> {
  return { ...answer, data: openedData(answer.data, answer.sealed === undefined ? {} : await openWith(answer, connection, requestDigest)) };
}

/** Puts each original value where it belongs. Errors: DISCLOSURE_UNREADABLE when one is missing. */
export function openedData(data: Answer['data'], clear: ClearRows): OpenedAnswer['data'] {
  return Object.fromEntries(
    Object.entries(data).map(([dataset, rows]) => [
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
}

/** Original values as they are sealed: for each dataset its rows, with the fields that are sealed there. */
export type ClearRows = Readonly<Record<string, readonly Readonly<Record<string, Value>>[]>>;

async function openWith(answer: Answer, { gateway, credentials }: Pick<SigningCalls, 'gateway' | 'credentials'>, requestDigest: string | undefined): Promise<ClearRows> {
  if (credentials.encryption === undefined) {
    throw new VeilgateError('DISCLOSURE_KEY_MISSING', 'The answer is sealed for your encryption key: open it where that key is.');
  }
  const opened = await openSealed(answer.sealed ?? '', credentials.encryption.privateKey, { issuer: gateway, audience: credentials.party, ...(requestDigest === undefined ? {} : { jti: requestDigest }) });
  return opened as ClearRows;
}

/** Public keys of the platform, to verify receipts with. */
export async function platformKeys(gateway: string): Promise<{ readonly keys: readonly JWK[] }> {
  const response = await fetch(new URL('/.well-known/jwks.json', gateway)).catch(unreachable);
  if (!response.ok) throw new VeilgateError('GATEWAY_UNAVAILABLE', 'The gateway does not give its public keys: try again later.');
  return (await response.json()) as { readonly keys: readonly JWK[] };
}

/** SHA-256 of a text, lower-case hex: what receipts call `request` when the text is the signed query. */
export async function sha256Hex(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(text))));
}

/** What a receipt calls `answer`: over the answer as it travelled, without the receipt and the log's record. */
export function answerDigest({ entry: _entry, receipt: _receipt, ...answer }: Answer): Promise<string> {
  return sha256Hex(canonicalJson(answer));
}
