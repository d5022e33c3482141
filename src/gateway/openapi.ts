import { errorCodes, type ErrorCode } from '../errors.ts';
import { problemMediaType, problems } from './problem.ts';
import type { BodyForm, Json, ResponseForm, Route } from './route.ts';
import { named, type JsonSchema, type NamedSchemas } from './schema/compile.ts';

/** The parts of an OpenAPI 3.1 document that Veilgate writes and /docs reads. */
export type OpenApiDocument = {
  readonly openapi: '3.1.1';
  readonly info: { readonly title: string; readonly version: string; readonly summary: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: NamedSchemas;
    readonly headers: Readonly<Record<string, object>>;
    readonly securitySchemes: Readonly<Record<string, object>>;
  };
};

export type Operation = {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: true; readonly description?: string; readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<Record<string, OpenApiResponse>>;
  readonly 'x-veilgate-cli'?: string;
  /** Schema and example of the claims inside a JWT body. */
  readonly 'x-veilgate-payload'?: { readonly typ: string; readonly schema: JsonSchema; readonly example?: Json };
};

export type Parameter = { readonly name: string; readonly in: 'path' | 'query' | 'header'; readonly required: boolean; readonly description?: string; readonly schema: JsonSchema };
type MediaType = { readonly schema?: JsonSchema; readonly example?: Json };
export type OpenApiResponse = { readonly description: string; readonly headers?: Readonly<Record<string, object>>; readonly content?: Readonly<Record<string, MediaType>>; readonly 'x-veilgate-codes'?: readonly ErrorCode[] };

const description = [
  'Every request but the public ones carries an access token bound to a key (`Authorization: DPoP …`) and a DPoP proof (RFC 9449). Tokens come from the authorization server that `/.well-known/oauth-protected-resource` names.',
  'Errors are problem documents (RFC 9457) with a stable `code`. What does not exist and what is not yours answer alike.',
  'What creates something needs an `Idempotency-Key`: repeat the key when you repeat the request, and it happens once.',
].join('\n\n');

/** The interface described by the very schemas that requests are checked against. */
export function openApiDocument(about: { readonly routes: readonly Route[]; readonly schemas: NamedSchemas; readonly publicUrl: string; readonly version?: string }): OpenApiDocument {
  const ids = about.routes.map(({ operationId }) => operationId);
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice !== undefined) throw new TypeError(`two routes are called ${twice}`);
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of about.routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(route);
  return {
    openapi: '3.1.1',
    info: { title: 'Veilgate gateway', version: about.version ?? '1', summary: 'Enterprise-authorised credit queries, answered field by field.', description },
    servers: [{ url: about.publicUrl }],
    tags: [...new Set(about.routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: about.schemas,
      headers: {
        DPoPNonce: { description: 'The nonce for the next proofs (RFC 9449).', schema: { type: 'string' } },
        RetryAfter: { description: 'Seconds to wait.', schema: { type: 'integer' } },
        Location: { description: 'Path of what was created.', schema: { type: 'string' } },
        IdempotencyReplayed: { description: '`true`: this is the answer to an earlier request with this key.', schema: { type: 'string' } },
      },
      securitySchemes: {
        dpop: { type: 'http', scheme: 'DPoP', description: 'An access token bound to the caller\'s key, with a DPoP proof in the header `DPoP`.' },
      },
    },
  };
}

function operationOf(route: Route): Operation {
  const parameters = parametersOf(route);
  const body = route.request?.body;
  return {
    operationId: route.operationId,
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    tags: [route.tag],
    security: route.access === 'public' ? [] : route.scopes.map((scope) => ({ dpop: [scope] })),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: requestBodyOf(body, route.examples?.body) }),
    responses: { ...successes(route), ...failures(route) },
    ...(route.examples?.cli === undefined ? {} : { 'x-veilgate-cli': route.examples.cli }),
    ...(body?.kind === 'jwt' ? { 'x-veilgate-payload': { typ: body.typ, schema: body.schema, ...(route.examples?.body === undefined ? {} : { example: route.examples.body }) } } : {}),
    ...(body?.kind === 'json' && body.signed !== undefined ? { 'x-veilgate-payload': body.signed } : {}),
  };
}

function parametersOf(route: Route): readonly Parameter[] {
  const from = (schema: JsonSchema | undefined, place: 'path' | 'query'): Parameter[] => {
    const required = (schema?.['required'] ?? []) as readonly string[];
    return Object.entries((schema?.['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>).map(([name, form]) => {
      const text = form['description'];
      return { name, in: place, required: place === 'path' || required.includes(name), ...(typeof text === 'string' ? { description: text } : {}), schema: form };
    });
  };
  const headers: Parameter[] = [
    ...(route.access === 'public' ? [] : [{ name: 'DPoP', in: 'header' as const, required: true, description: 'DPoP proof for this method and URL, used once (RFC 9449).', schema: { type: 'string', maxLength: 8192 } }]),
    ...(route.idempotent ? [{ name: 'Idempotency-Key', in: 'header' as const, required: true, description: 'Repeat it when you repeat the request, and it happens once.', schema: { type: 'string', minLength: 8, maxLength: 128 } }] : []),
  ];
  return [...from(route.request?.params, 'path'), ...from(route.request?.query, 'query'), ...headers];
}

function requestBodyOf(body: BodyForm, example: Json | undefined): NonNullable<Operation['requestBody']> {
  switch (body.kind) {
    case 'json':
      return { required: true, content: { 'application/json': { schema: body.schema, ...(example === undefined ? {} : { example }) } } };
    case 'jwt':
      return { required: true, description: `A JWS in compact form, \`typ\` \`${body.typ}\`, signed with a registered key of the caller. Its claims: see \`x-veilgate-payload\`.`, content: { 'application/jwt': { schema: named('CompactJws') } } };
    case 'stream':
      return { required: true, content: Object.fromEntries(body.mediaTypes.map((type) => [type, {}])) };
    default:
      return body satisfies never;
  }
}

function successes(route: Route): Record<string, OpenApiResponse> {
  const headers = {
    ...(route.access === 'public' ? {} : { 'DPoP-Nonce': { $ref: '#/components/headers/DPoPNonce' } }),
    ...(route.idempotent ? { Location: { $ref: '#/components/headers/Location' }, 'Idempotency-Replayed': { $ref: '#/components/headers/IdempotencyReplayed' } } : {}),
  };
  const described = ([status, form]: [string, ResponseForm]): [string, OpenApiResponse] => {
    const example = route.examples?.reply;
    const media = form.schema !== undefined || form.mediaType !== undefined;
    return [status, {
      description: form.description,
      ...(Object.keys(headers).length === 0 ? {} : { headers }),
      ...(media ? { content: { [form.mediaType ?? 'application/json']: { ...(form.schema === undefined ? {} : { schema: form.schema }), ...(example === undefined || !status.startsWith('2') ? {} : { example }) } } } : {}),
    }];
  };
  return Object.fromEntries((Object.entries(route.responses) as [string, ResponseForm][]).map(described));
}

/** Every code a route can answer with: its own and those of the shell. */
export function codesOf(route: Route): readonly ErrorCode[] {
  const { body, query, params } = route.request ?? {};
  const codes = new Set<ErrorCode>(route.errors);
  const add = (...more: ErrorCode[]) => more.forEach((code) => codes.add(code));
  add('REQUEST_MALFORMED', 'REQUEST_RATE_LIMITED', 'REQUEST_OVERLOADED', 'INTERNAL');
  if (params !== undefined || query !== undefined || body !== undefined) add('REQUEST_INVALID');
  if (body !== undefined) add('REQUEST_MEDIA_TYPE', 'REQUEST_TOO_LARGE', 'REQUEST_TIMEOUT');
  if (body?.kind === 'json') add('JSON_MALFORMED', 'JSON_DUPLICATE_KEY', 'JSON_TOO_DEEP', 'JSON_FORBIDDEN_KEY');
  if (body !== undefined && body.kind !== 'stream' && body.code !== undefined) add(body.code);
  if (route.idempotent) add('IDEMPOTENCY_KEY_MISSING', 'IDEMPOTENCY_KEY_REUSED', 'IDEMPOTENCY_IN_PROGRESS', 'STORE_UNAVAILABLE');
  if (route.access !== 'public') errorCodes.filter((code) => /^(TOKEN|DPOP)_/.test(code) || code === 'INSTITUTION_NOT_ACTIVE').forEach((code) => codes.add(code));
  return errorCodes.filter((code) => codes.has(code) && problems[code].shownAs === undefined);
}

function failures(route: Route): Record<string, OpenApiResponse> {
  const byStatus = Map.groupBy(codesOf(route), (code) => problems[code].status);
  const taken: ReadonlySet<string> = new Set(Object.keys(route.responses));
  return Object.fromEntries([...byStatus].filter(([status]) => !taken.has(String(status))).sort(([one], [other]) => one - other).map(([status, codes]) => [String(status), {
    description: codes.map((code) => `\`${code}\` ${problems[code].title}.`).join(' '),
    ...(codes.some((code) => problems[code].retryAfterS !== undefined) ? { headers: { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } } } : {}),
    content: { [problemMediaType]: { schema: named('Problem') } },
    'x-veilgate-codes': codes,
  }]));
}
