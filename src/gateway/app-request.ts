import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import type { ErrorCode } from '../errors.ts';
import type { PartyId } from '../vocabulary.ts';
import type { Limits } from './limits.ts';
import { httpMethods, type HttpMethod, type RequestId, type RouteTemplate } from './log-events.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** What the gateway remembers of one request, to log and measure it when it is over. */
export class RequestState {
  readonly id: RequestId = randomUUID() as string as RequestId;
  readonly startedMs = performance.now();
  route: RouteTemplate | undefined;
  code: ErrorCode | undefined;
  party: PartyId | undefined;
  #gone: AbortController | undefined;
  #over = false;

  /** Aborted when the caller goes away before the answer is written. */
  gone(): AbortSignal {
    this.#gone ??= new AbortController();
    if (this.#over) this.#gone.abort();
    return this.#gone.signal;
  }

  over(answered: boolean): void {
    this.#over = !answered;
    if (!answered) this.#gone?.abort();
  }
}

// on the response itself: a WeakMap of every request would cost the garbage collector more than all else here
const stateKey = Symbol('request state');

/** The state of this response's request. */
export function stateOf(response: ServerResponse & { [stateKey]?: RequestState }): RequestState {
  return (response[stateKey] ??= new RequestState());
}

const knownMethods: ReadonlySet<string> = new Set(httpMethods);
const methodOf = (method: string): HttpMethod => (knownMethods.has(method) ? (method as HttpMethod) : 'OTHER');

/** First in line: gives the request its id and its place, and logs and measures it when it is over. */
export function requestStart(log: Log, metrics: Metrics, limits: Limits): (request: Request, response: Response, next: NextFunction) => void {
  return (request, response, next) => {
    const state = stateOf(response);
    let entered = false;
    response.once('close', () => {
      if (entered) limits.leave();
      const ms = performance.now() - state.startedMs;
      const answered = response.writableFinished;
      state.over(answered);
      const method = methodOf(request.method);
      metrics.requestDone(method, state.route, response.statusCode, ms);
      log.write('request.done', { method, route: state.route, status: response.statusCode, code: state.code, ms: Math.round(ms * 100) / 100, request: state.id, party: state.party, aborted: answered ? undefined : true });
    });
    // a busy gateway is alive: who asks only that must not have it restarted
    if (request.url !== '/healthz') {
      limits.enter();
      entered = true;
    }
    next();
  };
}
