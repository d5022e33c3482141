import type { Readable } from 'node:stream';
import type { BrowserSession } from '../authorization/browser-session.ts';
import type { ErrorCode } from '../errors.ts';
import type { ProvenSession } from '../identity/identify.ts';
import type { Tx } from '../store/database.ts';
import type { Caller, Scope } from '../vocabulary.ts';
import type { RequestId } from './log-events.ts';
import type { JsonSchema } from './schema/compile.ts';

/** What a reply's JSON may be made of. A RawRow, a Map or any other class instance is not. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };
export type JsonObject = { readonly [key: string]: Json | undefined };

/** An answer. Media type and length are set by the writer; `headers` are for `Location` and the like. */
export type Reply =
  | { readonly status: 200 | 201 | 202 | 503; readonly json: JsonObject; readonly headers?: Readonly<Record<string, string>> }
  | { readonly status: 200; readonly mediaType: string; readonly content: string | Uint8Array; readonly headers?: Readonly<Record<string, string>> }
  | StreamReply
  | { readonly status: 204 };

/** An answer of unknown length: text as it becomes ready. Whoever gets less than all of it sees the connection broken off. */
export type StreamReply = {
  readonly status: 200; readonly mediaType: string; readonly stream: AsyncIterable<string>; readonly headers?: Readonly<Record<string, string>>;
  /** Called once the answer was sent or given up, whether the stream was read or not. */
  readonly ended?: () => void;
};

/** A JSON answer with status 200. */
export const ok = (json: JsonObject): Reply => ({ status: 200, json });
/** A JSON answer with status 201 and the new thing's path. */
export const created = (json: JsonObject, location?: string): Reply => ({ status: 201, json, ...(location === undefined ? {} : { headers: { Location: location } }) });
export const noContent: Reply = { status: 204 };
/** Text or bytes of another kind than JSON. */
export const content = (mediaType: string, body: string | Uint8Array): Reply => ({ status: 200, mediaType, content: body });
/** For values whose type says `unknown` and of which the caller knows that they came from JSON. */
export const trustedJson = (value: unknown): Json => value as Json;

declare const once: unique symbol;
/** A reply that went through `once`; only that function makes one. */
export type OnceReply = Reply & { readonly [once]: true };

/** What a created thing answers: `reply` is stored and repeated, `shownOnce` joins the first answer only (activation codes and the like). */
export type OnceResult = { readonly reply: Reply; readonly shownOnce?: JsonObject };

/** What identity/ needs to know who calls. */
export type CallerProof = {
  /** The Authorization header as it came. */
  readonly authorization: string | undefined;
  /** The DPoP header as it came. */
  readonly dpop: string | undefined;
  /** For the proof's `htm`. */
  readonly method: string;
  /** For the proof's `htu`: public URL and path, no query (RFC 9449 section 4.3). */
  readonly url: string;
  /** On the consoles' own interface, in place of token and proof. */
  readonly session?: ProvenSession & { readonly browser: BrowserSession };
};

/** What a handler expects of a request; absent members are absent in the declaration too. */
export type Shape = {
  readonly params?: unknown;
  readonly query?: unknown;
  /** After validation: the JSON value; `string` for `application/jwt`; `Readable` for streams. */
  readonly body?: unknown;
  /** What `payload` returns. */
  readonly payload?: unknown;
};

type Part<S extends Shape, Name extends keyof Shape> = S extends { readonly [Key in Name]: infer Given } ? Given : undefined;

export type RouteRequest<S extends Shape = Shape> = {
  readonly id: RequestId;
  readonly params: Part<S, 'params'>;
  readonly query: Part<S, 'query'>;
  readonly body: Part<S, 'body'>;
  /** The body's media type without parameters, lower case. */
  readonly mediaType: string | undefined;
  /** Checks a verified JWT's payload against the declared payload schema. Errors: the declared code. */
  readonly payload: (claims: unknown) => Part<S, 'payload'>;
  /** Aborted when the caller has gone. */
  readonly gone: () => AbortSignal;
};

/** A caller, and how often it may call where its registration says so. */
export type KnownCaller = Caller & { readonly limits?: { readonly requestsPerSecond?: number } };

/** The shell found out who calls, checked the scope and counted the request. */
type Identified = { readonly caller: Caller };
/** The handler finds out itself, and tells the shell with `admit`. */
type SelfIdentified = {
  readonly proof: CallerProof;
  /** Call once identity is proven: checks the route's scopes, counts the request, names the party in the request log. Errors: TOKEN_SCOPE_INSUFFICIENT, REQUEST_RATE_LIMITED. */
  readonly admit: (caller: KnownCaller) => Promise<void>;
};
type Once = {
  /**
   * Runs `work` in one transaction together with the record of its reply, or repeats the recorded reply.
   * Everything `work` does to the database through its Tx happens once per idempotency key.
   * Errors: IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS.
   */
  readonly once: (work: (tx: Tx) => Promise<OnceResult>) => Promise<OnceReply>;
};

/**
 * How a body comes. Streams reach the handler unread.
 * `code` is thrown instead of REQUEST_INVALID when the JSON or the payload has another form.
 */
export type BodyForm =
  | {
    readonly kind: 'json'; readonly schema: JsonSchema; readonly maxBytes?: number; readonly code?: ErrorCode;
    /** A compact JWS among the body's members: its type and its payload's schema, which `payload` checks. */
    readonly signed?: { readonly typ: string; readonly schema: JsonSchema };
  }
  /** A compact JWS as `application/jwt`; `schema` describes its payload. */
  | { readonly kind: 'jwt'; readonly typ: string; readonly schema: JsonSchema; readonly maxBytes?: number; readonly code?: ErrorCode }
  | { readonly kind: 'stream'; readonly mediaTypes: readonly string[]; readonly maxBytes?: number };

/** An answer of a route, for its description and for the check of replies in tests. */
export type ResponseForm = { readonly description: string; readonly schema?: JsonSchema; readonly mediaType?: string };

export type RouteDescription = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** OpenAPI path template, such as `/v1/grants/{grant}`. */
  readonly path: string;
  readonly operationId: string;
  /** One line. */
  readonly summary: string;
  /** More, in plain text; blank lines part paragraphs. */
  readonly description?: string;
  readonly tag: string;
  readonly request?: {
    /** An object schema with exactly the path's placeholders. Texts become numbers and flags where the schema says so. */
    readonly params?: JsonSchema;
    /** An object schema; what it does not name is refused. */
    readonly query?: JsonSchema;
    readonly body?: BodyForm;
  };
  /** By status; errors are not here, they follow from `errors`. 503 is for the readiness of the service. */
  readonly responses: Readonly<Partial<Record<200 | 201 | 202 | 204 | 503, ResponseForm>>>;
  /** What its handler throws, besides the codes the shell throws by itself. */
  readonly errors: readonly ErrorCode[];
  /** Not counted against the address that asks: for what watches the service. */
  readonly uncounted?: boolean;
  /** By a browser's session only soon after its person signed in or showed the one-time password: what lets others in. */
  readonly confirmed?: boolean;
  readonly examples?: {
    /** A `veilgate …` command that does the same. */
    readonly cli?: string;
    /** A body, or the payload of a JWT body. */
    readonly body?: Json;
    readonly reply?: Json;
  };
};

type Behaviour<S extends Shape, Extra> =
  | { readonly idempotent?: false; readonly handler: (request: RouteRequest<S> & Extra) => Promise<Reply> }
  /** Needs an `Idempotency-Key`, and answers with what `once` returns. */
  | { readonly idempotent: true; readonly handler: (request: RouteRequest<S> & Extra & Once) => Promise<OnceReply> };

type AccessAndBehaviour<S extends Shape> =
  /** Open to anybody. */
  | ({ readonly access: 'public' } & Behaviour<S, unknown>)
  /** A party with one of the scopes. */
  | ({ readonly access: 'party'; readonly scopes: readonly [Scope, ...Scope[]] } & Behaviour<S, Identified>)
  /** The same, found out by the handler: for the query, whose three signatures are checked together. */
  | ({ readonly access: 'handler'; readonly scopes: readonly [Scope, ...Scope[]] } & Behaviour<S, SelfIdentified>);

export type RouteDeclaration<S extends Shape> = RouteDescription & AccessAndBehaviour<S>;

/** What the shell hands to any handler: which parts are there depends on the route. */
export type AnyRequest = RouteRequest & Identified & SelfIdentified & Once;

/** A declared route, its handler's types forgotten. */
export type Route = RouteDescription & {
  readonly access: 'public' | 'party' | 'handler';
  readonly scopes: readonly Scope[];
  readonly idempotent: boolean;
  readonly handler: (request: AnyRequest) => Promise<Reply>;
};

/** Body of a route whose body is a compact JWS. */
export type JwtBody = string;
/** Body of a route that takes a file. Ends with an error when the file is too long or the caller goes away. */
export type StreamBody = Readable;

/**
 * Declares a route. Its types are the caller's word that they say what the schemas say:
 * `route<{ params: { grant: GrantId } }>({ … })`.
 */
export function route<S extends Shape = Record<never, never>>(declaration: RouteDeclaration<S>): Route {
  return {
    ...declaration,
    scopes: declaration.access === 'public' ? [] : declaration.scopes,
    idempotent: declaration.idempotent === true,
    // the shell gives each handler the parts its declaration promises: tests call every kind
    handler: declaration.handler as unknown as Route['handler'],
  };
}
