import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import helmet from 'helmet';
import { VeilgateError, isVeilgateError, type ErrorCode } from '../errors.ts';
import { requestStart, stateOf } from './app-request.ts';
import { readTokenProof, refuseRepeatedHeaders, routeRunner, templateOf, type Identify, type ReadProof, type RouteServices } from './app-route.ts';
import type { Config } from './config.ts';
import { docsRoutes } from './docs-page.ts';
import { healthRoutes, type HealthCheck } from './health.ts';
import type { Idempotency } from './idempotency.ts';
import type { Limits } from './limits.ts';
import { faultFacts, type Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { openApiDocument } from './openapi.ts';
import { asVeilgateError, problemOf, problems, type DpopChallenge } from './problem.ts';
import type { Reply, Route } from './route.ts';
import { SchemaCompiler, type NamedSchemas } from './schema/compile.ts';
import { wordSchemas } from './schema/words.ts';
import { proxiesBelieved } from './server.ts';
import { sendStream } from './stream-reply.ts';

export type { Identify } from './app-route.ts';
export type { HealthCheck } from './health.ts';

export type GatewayAppOptions = {
  readonly config: Pick<Config, 'bodyBytes' | 'uploadBytes' | 'requestTimeoutSeconds' | 'tlsTerminatedByProxy' | 'trustedProxies'>;
  /** Where callers reach the gateway, without a slash at its end: the base of `htu` and of the description. */
  readonly publicUrl: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly limits: Limits;
  readonly idempotency: Idempotency;
  /** Where a request says who calls: access token and DPoP proof unless told otherwise. */
  readonly readProof?: ReadProof;
  readonly identify: Identify;
  /** What 401 answers say, and the nonce every answer to a party carries. */
  readonly dpop: DpopChallenge;
  readonly routes: readonly Route[];
  /** Schemas that the routes refer to by name, besides schema/words.ts. */
  readonly schemas?: NamedSchemas;
  readonly health: readonly HealthCheck[];
  /** True while the server drains: /readyz says no, and connections are closed after their answer. */
  readonly draining?: () => boolean;
  /** Tests: a reply or an error that a route does not declare becomes INTERNAL. */
  readonly checkReplies?: boolean;
};

/**
 * The gateway's HTTP interface: the declared routes and what belongs to every one of them — headers, limits,
 * checks of form, idempotency, problems, log and metrics — with /openapi.json, /docs, /healthz and /readyz.
 */
export function createGatewayApp(options: GatewayAppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', false);
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.set('trust proxy', proxiesBelieved(options.config));

  app.use(securityHeaders()); // first, so that refusals of what follows carry them too
  app.use(requestStart(options.log, options.metrics, options.limits));
  app.use((request: Request, response: Response, next: NextFunction) => {
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('X-Request-Id', stateOf(response).id);
    if (options.draining?.() === true) response.setHeader('Connection', 'close');
    refuseRepeatedHeaders(request.rawHeaders);
    next();
  });
  const schemas = { ...wordSchemas, ...options.schemas };
  const ofInterface = [...options.routes, ...healthRoutes(options.health, () => options.draining?.() ?? false)];
  const document = openApiDocument({ routes: ofInterface, schemas, publicUrl: options.publicUrl });
  mount(app, [...ofInterface, ...docsRoutes(document)], new SchemaCompiler(schemas), options);
  app.use(async (request: Request) => {
    await options.limits.anonymous(request.ip ?? '');
    throw new VeilgateError('REQUEST_NOT_FOUND', 'There is no such path: see /docs.');
  });
  app.use((thrown: unknown, _request: Request, response: Response, _next: NextFunction) => sendProblem(thrown, response, options));
  return app;
}

/**
 * Nothing this server sends is a page that may load, embed or be embedded; /docs loosens it for its own style sheet.
 * helmet says once which headers that makes: with these settings they are the same for every answer.
 */
function securityHeaders(): (request: Request, response: Response, next: NextFunction) => void {
  const headers = new Map<string, string>();
  const recorder = { setHeader: (name: string, value: string) => headers.set(name, value), removeHeader: (name: string) => headers.delete(name) };
  helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { 'default-src': ["'none'"], 'base-uri': ["'none'"], 'form-action': ["'none'"], 'frame-ancestors': ["'none'"] } },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
    strictTransportSecurity: { maxAge: 63_072_000, includeSubDomains: true },
  })({} as Request, recorder as unknown as Response, (error?: unknown) => {
    if (error !== undefined) throw error;
  });
  return (_request, response, next) => {
    for (const [name, value] of headers) response.setHeader(name, value);
    next();
  };
}

function mount(app: Express, routes: readonly Route[], compiler: SchemaCompiler, options: GatewayAppOptions): void {
  const services: RouteServices = {
    identify: options.identify,
    limits: options.limits,
    idempotency: options.idempotency,
    readProof: options.readProof ?? readTokenProof(options.publicUrl),
    checkReplies: options.checkReplies ?? false,
    bodyLimits: { bodyBytes: options.config.bodyBytes, uploadBytes: options.config.uploadBytes, bodyTimeoutMs: options.config.requestTimeoutSeconds * 1000 },
  };
  for (const [path, ofPath] of Map.groupBy(routes, (route) => route.path)) {
    // placeholders never match a slash; express decodes them
    const expressPath = path.replace(/\{([a-z_]+)\}/g, ':$1');
    for (const route of ofPath) app[route.method.toLowerCase() as 'get' | 'post' | 'put' | 'delete'](expressPath, routeHandler(route, compiler, services, options));
    const allow = ofPath.map(({ method }) => method).flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).sort();
    app.all(expressPath, async (request: Request, response: Response) => {
      stateOf(response).route = templateOf({ path });
      await options.limits.anonymous(request.ip ?? '');
      throw new VeilgateError('REQUEST_METHOD_NOT_ALLOWED', `This path answers ${allow.join(', ')} only.`, { allow });
    });
  }
}

function routeHandler(route: Route, compiler: SchemaCompiler, services: RouteServices, options: GatewayAppOptions) {
  const run = routeRunner(route, compiler, services);
  const template = templateOf(route);
  const declared: ReadonlySet<string> = new Set(route.errors);
  return async (request: Request, response: Response) => {
    const state = stateOf(response);
    state.route = template;
    try {
      const reply = await run(request, state);
      if (route.access !== 'public') sendNonce(response, options.dpop);
      await sendReply(reply, response, options.config.requestTimeoutSeconds * 1000);
    } catch (thrown) {
      const { code } = asVeilgateError(thrown);
      if (route.access !== 'public' && problems[code].status === 401 && !isNoTry(code, request)) await options.limits.refused(request.ip ?? '');
      if (services.checkReplies && isVeilgateError(thrown) && !declared.has(code) && !shellCodes.test(code)) {
        options.log.write('request.undeclared_error', { request: state.id, route: template, code });
        sendProblem(new TypeError(`${route.operationId} threw ${code}, which it does not declare`), response, options);
        return;
      }
      sendProblem(thrown, response, options);
    }
  };
}

/** A 401 that is part of the way, not somebody trying: a cookie that opens nothing cost a look into the database. */
function isNoTry(code: ErrorCode, { headers }: Request): boolean {
  return code === 'DPOP_NONCE_REQUIRED' || (code === 'SESSION_MISSING' && headers.cookie === undefined);
}

/** Codes that the shell itself throws, or that any use of the database can. */
const shellCodes = /^(REQUEST|JSON|IDEMPOTENCY|TOKEN|DPOP|SESSION)_|^(INTERNAL|STORE_UNAVAILABLE|INSTITUTION_NOT_ACTIVE)$/;

function sendNonce(response: Response, dpop: DpopChallenge): void {
  const nonce = dpop.nonce();
  if (nonce !== undefined) response.setHeader('DPoP-Nonce', nonce);
}

async function sendReply(reply: Reply, response: Response, stallMs: number): Promise<void> {
  try {
    await writeReply(reply, response, stallMs);
  } finally {
    if ('stream' in reply) reply.ended?.();
  }
}

async function writeReply(reply: Reply, response: Response, stallMs: number): Promise<void> {
  if (response.headersSent || response.destroyed) return;
  if ('headers' in reply && reply.headers !== undefined) for (const [name, value] of Object.entries(reply.headers)) response.setHeader(name, value);
  if (reply.status === 204) {
    response.writeHead(204).end();
    return;
  }
  if ('stream' in reply) {
    await sendStream(reply, response, stallMs);
    return;
  }
  const etag = 'headers' in reply ? reply.headers?.['ETag'] : undefined;
  if (etag !== undefined && response.req.headers['if-none-match'] === etag) {
    response.writeHead(304).end(); // the caller has it (RFC 9110 section 13.1.2)
    return;
  }
  const [mediaType, content] = 'json' in reply ? ['application/json', JSON.stringify(reply.json)] : [reply.mediaType, reply.content];
  response.writeHead(reply.status, { 'Content-Type': mediaType, 'Content-Length': Buffer.byteLength(content) }).end(content);
}

function sendProblem(thrown: unknown, response: Response, options: GatewayAppOptions): void {
  const state = stateOf(response);
  const problem = problemOf(thrown, { requestId: state.id, dpop: options.dpop });
  state.code = problem.code;
  options.metrics.problem(problem.code);
  if (problem.code === 'INTERNAL') options.log.write('request.fault', { request: state.id, ...faultFacts(thrown) });
  if (response.headersSent || response.destroyed) {
    response.destroy(); // half an answer must not look like a whole one
    return;
  }
  response.writeHead(problem.status, { ...problem.headers, 'Content-Length': Buffer.byteLength(problem.body) }).end(problem.body);
}
