import * as oauth from 'oauth4webapi';
import { VeilgateError, errorCodes, type ErrorCode, type ErrorDetail } from '../errors.ts';
import { isNetworkFailure, named } from './authorization-fault.ts';
import type { Credentials } from './keys.ts';

export type ConnectionOptions = {
  /** The gateway's public URL; the authorization server is discovered from it (RFC 9728). */
  readonly gateway: string;
  readonly credentials: Credentials;
  /** Keys to bind tokens to; made new for each connection when absent. */
  readonly dpopKeys?: Parameters<typeof oauth.DPoP>[1];
  /** Scopes to ask for, separated by blanks. */
  readonly scope: string;
};

export type GatewayRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path and query below the gateway's URL, such as `/v1/catalogue`. */
  readonly path: string;
  readonly json?: unknown;
  /** A body of another kind, with its media type. */
  readonly body?: { readonly type: string; readonly content: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> };
  /** Makes a repeated POST safe; made up when absent. */
  readonly idempotencyKey?: string;
  /** Another token than the party's own, such as one that came with a grant. */
  readonly accessToken?: string;
};

/** A way to one gateway, by whatever proves who calls. */
export type GatewayCalls = {
  /** The gateway's public URL: the audience of what is signed for it. */
  readonly gateway: string;
  readonly call: <Answer>(request: GatewayRequest) => Promise<Answer>;
  /** The raw response, for streams and text. */
  readonly send: (request: GatewayRequest) => Promise<Response>;
};

/** The same for a party that has its keys at hand: to sign requests and to open what is sealed for it. */
export type SigningCalls = GatewayCalls & { readonly credentials: Credentials };

/** A party's authenticated way to one gateway: keeps the DPoP key, nonces and the access token. */
export type Connection = SigningCalls & {
  /** The access token in use, fetched when there is none. */
  readonly token: () => Promise<string>;
  readonly authorization: AuthorizationClient;
};

/** Where the DPoP key, the client authentication and the authorization server's metadata meet. */
export type AuthorizationClient = {
  readonly server: oauth.AuthorizationServer;
  readonly client: oauth.Client;
  readonly authentication: oauth.ClientAuth;
  readonly dpop: oauth.DPoPHandle;
  readonly http: { readonly [oauth.allowInsecureRequests]: boolean };
};

/** Seconds before its expiry at which a token is replaced. */
const renewBeforeS = 20;

/** Discovers the authorization server and prepares keys; the first call fetches the first token. */
export async function connect(options: ConnectionOptions): Promise<Connection> {
  const gateway = options.gateway.replace(/\/$/, '');
  const authorization = await discover(gateway, options.credentials, options.dpopKeys);
  let token: { readonly text: string; readonly renewAtS: number } | undefined;
  let renewal: Promise<string> | undefined;

  const ownToken = async () => {
    if (token !== undefined && token.renewAtS > Date.now() / 1000) return token.text;
    renewal ??= fetchToken(authorization, gateway, options.scope)
      .then((fresh) => {
        token = fresh;
        return fresh.text;
      })
      .finally(() => {
        renewal = undefined;
      });
    return renewal;
  };

  const send = async (request: GatewayRequest) => {
    const accessToken = request.accessToken ?? (await ownToken());
    // a stream can be sent only once: the nonce it needs is fetched beforehand
    if (request.body?.content instanceof ReadableStream) await withFreshNonce(() => sendOnce(gateway, authorization, { method: 'GET', path: '/v1/catalogue' }, accessToken)).then((response) => response.body?.cancel());
    return withFreshNonce(() => sendOnce(gateway, authorization, request, accessToken));
  };
  return { gateway, credentials: options.credentials, call: callWith(send), send, token: ownToken, authorization };
}

async function discover(gateway: string, credentials: Credentials, givenDpopKeys: ConnectionOptions['dpopKeys']): Promise<AuthorizationClient> {
  // plain http is for one's own machine only; everything else must be https
  const http = { [oauth.allowInsecureRequests]: isLoopback(gateway) };
  const resource = await metadata(gateway, async (url) => oauth.processResourceDiscoveryResponse(url, await oauth.resourceDiscoveryRequest(url, http)));
  const server = await metadata(resource.authorization_servers?.[0] ?? gateway, async (url) => oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { algorithm: 'oidc', ...http })));
  const client: oauth.Client = { client_id: credentials.party };
  const dpopKeys = givenDpopKeys ?? await oauth.generateKeyPair('Ed25519', { extractable: false });
  return {
    server,
    client,
    authentication: oauth.PrivateKeyJwt({ key: credentials.signing.privateKey, kid: credentials.signing.publicJwk.kid }),
    dpop: oauth.DPoP(client, dpopKeys),
    http,
  };
}

async function metadata<Metadata>(address: string, read: (url: URL) => Promise<Metadata>): Promise<Metadata> {
  const url = URL.parse(address);
  if (url === null) throw new VeilgateError('CONFIG_INVALID', 'The gateway\'s address is no URL: write it like https://gateway.example.');
  try {
    return await read(url);
  } catch (error) {
    if (isNetworkFailure(error)) return unreachable(error);
    throw new VeilgateError('CONFIG_INVALID', 'There is no Veilgate gateway at this address, or not by https: check the address.');
  }
}

/** Says that nobody answers, instead of what fetch says. */
export function unreachable(error: unknown): never {
  if (isNetworkFailure(error)) throw new VeilgateError('GATEWAY_UNAVAILABLE', 'The platform does not answer: check its address and the network, then try again.');
  throw error;
}

function isLoopback(url: string): boolean {
  const { protocol, hostname } = URL.parse(url) ?? {};
  return protocol === 'http:' && (hostname === '127.0.0.1' || hostname === 'localhost' || hostname === '[::1]');
}

async function fetchToken({ server, client, authentication, dpop, http }: AuthorizationClient, gateway: string, scope: string) {
  const request = () => oauth.clientCredentialsGrantRequest(server, client, authentication, { scope, resource: gateway }, { DPoP: dpop, ...http });
  const answer = await named(withFreshNonce(async () => oauth.processClientCredentialsResponse(server, client, await request())));
  return { text: answer.access_token, renewAtS: Date.now() / 1000 + (answer.expires_in ?? 60) - renewBeforeS };
}

/** A server may ask for a nonce it gave only now: once more with it, then no more. */
export async function withFreshNonce<Answer>(attempt: () => Promise<Answer>): Promise<Answer> {
  try {
    return await attempt();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error) && !(error instanceof VeilgateError && error.code === 'DPOP_NONCE_REQUIRED')) throw error;
    return attempt();
  }
}

/** The answer's JSON; undefined where there is none. */
export function callWith(send: GatewayCalls['send']): GatewayCalls['call'] {
  return async <Answer>(request: GatewayRequest) => {
    const response = await send(request);
    return (response.status === 204 ? undefined : await response.json()) as Answer;
  };
}

/** Headers and body of a request, whatever proves who calls. */
export function requestParts(request: GatewayRequest): { readonly headers: Headers; readonly body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | undefined } {
  const headers = new Headers({ accept: 'application/json' });
  if (request.method === 'POST' || request.method === 'PUT') headers.set('idempotency-key', request.idempotencyKey ?? crypto.randomUUID());
  if (request.json !== undefined) headers.set('content-type', 'application/json');
  else if (request.body !== undefined) headers.set('content-type', request.body.type);
  return { headers, body: request.json === undefined ? request.body?.content : JSON.stringify(request.json) };
}

async function sendOnce(gateway: string, { dpop, http }: AuthorizationClient, request: GatewayRequest, accessToken: string): Promise<Response> {
  const { headers, body } = requestParts(request);
  let response: Response;
  try {
    response = await oauth.protectedResourceRequest(accessToken, request.method, new URL(gateway + request.path), headers, body, { DPoP: dpop, ...http });
  } catch (error) {
    if (!(error instanceof oauth.WWWAuthenticateChallengeError)) return unreachable(error);
    response = error.response; // a 401 or 403 of the gateway carries a problem document
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

const knownCodes: ReadonlySet<string> = new Set(errorCodes);

/** Answers of servers and proxies under load. */
const busy: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504]);

/** The gateway's problem document (RFC 9457) as the error it was. */
export async function problemOf(response: Response): Promise<VeilgateError> {
  const problem = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const { type: _type, title: _title, status: _status, detail, code, instance: _instance, ...facts } = problem;
  const known = typeof code === 'string' && knownCodes.has(code) ? (code as ErrorCode) : 'INTERNAL';
  // cut off on its way, or what stands in front of the gateway said it: nobody knows more than that there is none just now
  if (code === undefined && busy.has(response.status)) return new VeilgateError('GATEWAY_UNAVAILABLE', `The platform is busy (${response.status}): try again in a few seconds.`, { status: response.status });
  const text = typeof detail === 'string' ? detail : `The gateway answered ${response.status} without a reason.`;
  return new VeilgateError(known, text, { status: response.status, ...(facts as ErrorDetail) });
}
