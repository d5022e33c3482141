import { setTimeout as delay } from 'node:timers/promises';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import helmet from 'helmet';
import { isVeilgateError } from '../errors.ts';
import { framedLength } from '../scoring/frames.ts';
import { parameterSets } from '../he/parameters.ts';
import { answers, bytes, half, json, send, text } from './answers.ts';
import { readBody } from './body.ts';
import type { HeKey } from './he-keys.ts';
import { openMasked, reencryptMasked, type OpeningDesk, type Seen } from './open.ts';
import { Refusal } from './refusal.ts';
import { publicKeyAnswer, type StatementFacts } from './statement.ts';
import { ticketLengthMax } from './ticket.ts';

export type CustodianAppOptions = {
  readonly desk: OpeningDesk;
  readonly statement: StatementFacts;
  /** Newest first. */
  readonly keys: () => readonly HeKey[];
  /** Places among the requests under way. */
  readonly places: { readonly enter: () => void; readonly leave: () => void };
  /** Refuses an address that sent too much without a ticket of the gateway; throws Refusal. */
  readonly mayTry: (address: string) => Promise<void>;
  /** Counts what came without one. */
  readonly stranger: (address: string) => Promise<void>;
  /** Whose `X-Forwarded-For` is believed: `proxiesBelieved` of gateway/server.ts. */
  readonly proxiesBelieved: false | string[];
  readonly bodyTimeoutMs: number;
  /** A refusal leaves at a whole multiple of this. */
  readonly refusalMs: number;
  readonly onAnswered: (seen: Seen, ms: number) => void;
  /** Resolves when the refusal is in the log, if it is one that gets an entry; never rejects. */
  readonly onRefused: (refusal: Refusal, seen: Seen) => Promise<void>;
  readonly onFault: (error: unknown) => void;
  /** The newest checkpoint of the custodian's own log. */
  readonly checkpoint: () => Promise<string>;
  readonly ready: () => Promise<boolean>;
  readonly draining: () => boolean;
};

/** The custodian's HTTP interface: docs/formats/score-ticket.md. */
export function createCustodianApp(options: CustodianAppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', false);
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.set('trust proxy', options.proxiesBelieved);
  app.use(helmet({ contentSecurityPolicy: { useDefaults: false, directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] } }, referrerPolicy: { policy: 'no-referrer' } }));

  app.get('/healthz', (_request, response) => send(response, json({ status: 'ok' })));
  app.get('/readyz', async (_request, response) => {
    const ready = !options.draining() && await options.ready();
    send(response, json({ status: ready ? 'ready' : 'not_ready' }, ready ? 200 : 503));
  });
  const placed = inPlace(options);
  app.get('/v1/key', placed(async (_request, response) => sendKey(response, options.keys()[0], options)));
  app.get('/v1/keys/:id', placed(async (request, response) => sendKey(response, options.keys().find(({ id }) => id === request.params['id']), options)));
  app.get('/v1/log/checkpoint', placed(async (_request, response) => send(response, text(await options.checkpoint()))));
  const longest = Math.max(...Object.values(parameterSets).map(({ resultBytes }) => resultBytes));
  const bodyMax = (ciphertexts: number) => framedLength([ticketLengthMax, ...Array.from({ length: ciphertexts }, () => longest)]);
  app.post('/v1/open', placed(asked(options, bodyMax(options.desk.limits.ciphertextsMax), async (body, seen) => half(await openMasked(body, options.desk, seen)))));
  app.post('/v1/reencrypt', placed(asked(options, bodyMax(1), async (body, seen) => bytes(await reencryptMasked(body, options.desk, seen)))));

  app.use((_request: Request, response: Response) => send(response, answers.absent));
  app.use((thrown: unknown, _request: Request, response: Response, _next: NextFunction) => {
    if (thrown instanceof URIError) return send(response, answers.absent);
    // too much at once, or a thread that failed and said so itself
    if (!isVeilgateError(thrown, 'REQUEST_OVERLOADED') && !isVeilgateError(thrown, 'CUSTODIAN_UNAVAILABLE')) options.onFault(thrown);
    send(response, answers.unavailable);
  });
  return app;
}

type Handler = (request: Request, response: Response) => Promise<void>;

function inPlace({ places }: CustodianAppOptions): (handler: Handler) => Handler {
  return (handler) => async (request, response) => {
    places.enter();
    try {
      await handler(request, response);
    } finally {
      places.leave();
    }
  };
}

async function sendKey(response: Response, key: HeKey | undefined, { statement }: CustodianAppOptions): Promise<void> {
  send(response, key === undefined ? answers.absent : json(await publicKeyAnswer(key, statement)));
}

/** Reads the body, does the work, answers; every refusal looks and lasts alike. */
function asked(options: CustodianAppOptions, bodyMax: number, work: (body: Uint8Array, seen: Seen) => Promise<Parameters<typeof send>[1]>): Handler {
  return async (request, response) => {
    const startedMs = performance.now();
    const seen: Seen = { ticket: null, institution: null };
    const address = request.ip ?? '';
    try {
      await options.mayTry(address);
      const answer = await work(await readBody(request, bodyMax, options.bodyTimeoutMs), seen);
      options.onAnswered(seen, performance.now() - startedMs);
      send(response, answer);
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      await options.onRefused(thrown, seen);
      if (seen.ticket === null) await options.stranger(address);
      await untilMultiple(performance.now() - startedMs, options.refusalMs);
      if (!request.complete) response.setHeader('Connection', 'close'); // the rest of the body is not read
      send(response, answers.refused);
    }
  };
}

async function untilMultiple(elapsedMs: number, quantumMs: number): Promise<void> {
  if (quantumMs > 0) await delay(Math.ceil(elapsedMs / quantumMs) * quantumMs - elapsedMs);
}
