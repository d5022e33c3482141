import type { Request } from 'express';
import { VeilgateError } from '../errors.ts';
import { idempotencyKeyOf, requestDigest, type Idempotency } from './idempotency.ts';
import { readBody, type BodyLimits, type ReadBody } from './json-body.ts';
import type { Limits } from './limits.ts';
import type { RouteTemplate } from './log-events.ts';
import type { AnyRequest, BodyForm, CallerProof, KnownCaller, Reply, Route } from './route.ts';
import type { SchemaCompiler, Validator } from './schema/compile.ts';
import type { RequestState } from './app-request.ts';

/** Finds out who calls, by what the request proves. Errors: TOKEN_*, DPOP_*, INSTITUTION_NOT_ACTIVE. */
export type Identify = (proof: CallerProof) => Promise<KnownCaller>;

/** What of a request says who calls. Errors: TOKEN_MISSING, SESSION_*. */
export type ReadProof = (request: Request) => CallerProof | Promise<CallerProof>;

export type RouteServices = {
  readonly readProof: ReadProof;
  readonly identify: Identify;
  readonly limits: Limits;
  readonly idempotency: Idempotency;
  readonly bodyLimits: BodyLimits;
  /** Tests only: replies and errors must be as declared. */
  readonly checkReplies: boolean;
};

type Compiled = {
  readonly params: Validator | undefined;
  readonly query: Validator | undefined;
  readonly body: Validator | undefined;
  readonly payload: Validator | undefined;
  readonly replies: ReadonlyMap<number, (value: unknown) => string | undefined>;
};

/** The consoles answer the gateway's own routes once more: their schemas are compiled once. */
const compiledOf = new WeakMap<Route, Compiled>();

/** A function that answers one request of `route`, or throws. */
export function routeRunner(route: Route, compiler: SchemaCompiler, services: RouteServices): (request: Request, state: RequestState) => Promise<Reply> {
  const compiled = compiledOf.get(route) ?? compile(route, compiler, services.checkReplies);
  compiledOf.set(route, compiled);
  return async (request, state) => {
    const admit = (caller: KnownCaller) => admitCaller(caller, route, services.limits, state);
    const { caller, proof } = await beforeBody(route, request, admit, services);
    const params = compiled.params === undefined ? undefined : compiled.params({ ...request.params });
    const query = queryOf(request, compiled.query);
    const key = route.idempotent ? idempotencyKeyOf(request.headers['idempotency-key']) : undefined;
    const body = await readBody(request, route.request?.body, services.bodyLimits);
    const value = compiled.body === undefined ? body.value : compiled.body(body.value);
    const given: Given = { request, route, state, services, proof, admit, params, query, body, value, key, payload: compiled.payload };
    try {
      const reply = await route.handler(requestFor(given, caller));
      if (services.checkReplies) checkReply(reply, route, compiled);
      return reply;
    } finally {
      body.discard?.();
    }
  };
}

function compile(route: Route, compiler: SchemaCompiler, checkReplies: boolean): Compiled {
  const { params, query, body } = route.request ?? {};
  const placeholders = [...route.path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1]);
  const declared = Object.keys((params?.['properties'] as object | undefined) ?? {});
  if (placeholders.sort().join() !== declared.sort().join()) throw new TypeError(`${route.operationId}: path and params name different placeholders`);
  if (route.idempotent && route.method === 'GET') throw new TypeError(`${route.operationId}: GET creates nothing`);
  return {
    params: params && compiler.request(params, 'path', 'REQUEST_INVALID'),
    query: query && compiler.request(query, 'query'),
    body: body?.kind === 'json' ? compiler.request(body.schema, 'body', body.code) : undefined,
    payload: payloadValidator(body, compiler),
    replies: new Map(!checkReplies ? [] : Object.entries(route.responses).flatMap(([status, form]) => (form?.schema === undefined ? [] : [[Number(status), compiler.reply(form.schema)] as const]))),
  };
}

function payloadValidator(body: BodyForm | undefined, compiler: SchemaCompiler): Validator | undefined {
  if (body === undefined || body.kind === 'stream') return undefined;
  const schema = body.kind === 'jwt' ? body.schema : body.signed?.schema;
  return schema && compiler.request(schema, 'payload', body.code);
}

const singleHeaders = new Set(['authorization', 'dpop', 'content-type', 'content-length', 'content-encoding', 'idempotency-key', 'host', 'content-digest']);

/** Node keeps the first of several equal headers or joins them; a proxy may have looked at another one. */
export function refuseRepeatedHeaders(rawHeaders: readonly string[]): void {
  let seen = 0;
  let bit = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as string).toLowerCase();
    bit = headerBit.get(name) ?? 0;
    if (bit !== 0 && (seen & bit) !== 0) throw new VeilgateError('REQUEST_MALFORMED', `The header ${name} comes twice: send it once.`, { header: name });
    seen |= bit;
  }
}

const headerBit: ReadonlyMap<string, number> = new Map([...singleHeaders].map((name, at) => [name, 1 << at]));

/** Access token and DPoP proof, as every party with keys sends them. @param publicUrl where callers reach the gateway; no slash at its end */
export function readTokenProof(publicUrl: string): ReadProof {
  return ({ headers, method, path }) => {
    if (headers.authorization === undefined) throw new VeilgateError('TOKEN_MISSING', 'This request needs an access token: send `Authorization: DPoP <token>` with a DPoP proof.');
    return { authorization: headers.authorization, dpop: headers['dpop'] as string | undefined, method, url: publicUrl + path };
  };
}

type AtTheDoor = { readonly caller?: KnownCaller; readonly proof?: CallerProof };

/** Credentials come before the body: nobody unknown makes the gateway read much. */
async function beforeBody(route: Route, request: Request, admit: (caller: KnownCaller) => Promise<void>, { limits, readProof, identify }: RouteServices): Promise<AtTheDoor> {
  if (route.access === 'public') {
    if (route.uncounted !== true) await limits.anonymous(request.ip ?? '');
    return {};
  }
  if (limits.watchful()) await limits.mayTry(request.ip ?? '');
  const proof = await readProof(request);
  if (route.confirmed === true && proof.session?.browser.confirmed === false) {
    throw new VeilgateError('SESSION_CONFIRMATION_NEEDED', 'This lets somebody in: show your one-time password once more, or sign in again, then repeat it within ten minutes.');
  }
  if (route.access === 'handler') return { proof };
  const caller = await identify(proof);
  await admit(caller);
  return { caller, proof };
}

async function admitCaller(caller: KnownCaller, route: Route, limits: Limits, state: RequestState): Promise<void> {
  state.party = caller.party;
  if (!route.scopes.some((scope) => caller.scopes.has(scope))) {
    throw new VeilgateError('TOKEN_SCOPE_INSUFFICIENT', `The access token lacks the scope this request needs: ask the authorization server for ${route.scopes.join(' or ')}.`, { scope: route.scopes.join(' ') });
  }
  await limits.party(caller.party, caller.limits?.requestsPerSecond);
}

const queryParametersMax = 32;

/** One value per name; numbers and flags become so by the schema. A query nobody declared is refused. */
function queryOf(request: Request, validator: Validator | undefined): unknown {
  const at = request.url.indexOf('?');
  const search = at < 0 ? '' : request.url.slice(at + 1);
  if (validator === undefined) {
    if (search !== '') throw new VeilgateError('REQUEST_INVALID', 'This request takes no query parameters: send it without them.', { part: 'query', pointer: '', rule: 'additionalProperties' });
    return undefined;
  }
  const values: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  let count = 0;
  for (const [name, value] of new URLSearchParams(search)) {
    count += 1;
    if (name in values || count > queryParametersMax) throw new VeilgateError('REQUEST_INVALID', 'The query names a parameter twice or too many of them: send each once.', { part: 'query', pointer: '', rule: 'uniqueItems' });
    values[name] = value;
  }
  return validator(values);
}

type Given = {
  readonly request: Request;
  readonly route: Route;
  readonly state: RequestState;
  readonly services: RouteServices;
  readonly proof: CallerProof | undefined;
  readonly admit: (caller: KnownCaller) => Promise<void>;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: ReadBody;
  readonly value: unknown;
  readonly key: string | undefined;
  readonly payload: Validator | undefined;
};

function requestFor(given: Given, caller: KnownCaller | undefined): AnyRequest {
  const { route, request, services, key } = given;
  return {
    id: given.state.id,
    params: given.params as undefined,
    query: given.query as undefined,
    body: given.value as undefined,
    mediaType: request.headers['content-type']?.split(';')[0]?.trim().toLowerCase(),
    payload: (given.payload ?? noPayload) as () => undefined,
    // functions, not getters: V8 keeps a shape of its own for each object literal with a getter, and with it the request
    gone: () => given.state.gone(),
    caller: caller as KnownCaller, // present where the route's declaration says so, like the proof
    proof: given.proof as CallerProof,
    admit: given.admit,
    once: (work) => {
      if (key === undefined) throw new TypeError(`${route.operationId} is not declared idempotent`);
      const requestSha256 = requestDigest([request.method, route.path, JSON.stringify(given.params ?? null), JSON.stringify(given.query ?? null)], given.body.sha256());
      return services.idempotency.once({ party: caller?.party ?? given.state.party ?? 'anonymous', key, requestSha256 }, work);
    },
  };
}

function noPayload(): never {
  throw new TypeError('this route takes no JWT');
}

function checkReply(reply: Reply, route: Route, compiled: Compiled): void {
  const form = route.responses[reply.status];
  if (form === undefined) throw new TypeError(`${route.operationId} answered ${reply.status}, which it does not declare`);
  const json = 'json' in reply ? JSON.stringify(reply.json) : 'content' in reply && reply.mediaType === 'application/json' ? Buffer.from(reply.content).toString() : undefined;
  const fault = json === undefined ? undefined : compiled.replies.get(reply.status)?.(JSON.parse(json));
  if (fault !== undefined) throw new TypeError(`${route.operationId} answered ${reply.status} not as declared: ${fault}`);
  if ('mediaType' in reply && form.mediaType !== undefined && !reply.mediaType.startsWith(form.mediaType)) throw new TypeError(`${route.operationId} answered ${reply.mediaType}`);
}

/** A route's path as logs and metrics show it. */
export const templateOf = (route: Pick<Route, 'path'>): RouteTemplate => route.path as RouteTemplate;
