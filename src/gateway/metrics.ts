import cluster from 'node:cluster';
import { timingSafeEqual, createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AggregatorRegistry, Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { VeilgateError, errorCodes, type ErrorCode } from '../errors.ts';
import type { PolicyVersion } from '../vocabulary.ts';
import { isLoopback } from './config-checks.ts';
import { factHolds, httpMethods, type HttpMethod, type RouteTemplate } from './log-events.ts';

/** How a query ended: answered in some way, refused by a rule, or failed on our side. */
export const queryOutcomes = ['sealed', 'desensitised', 'verified', 'refused', 'failed'] as const;
export type QueryOutcome = (typeof queryOutcomes)[number];

/** How the request for a score ended, and the steps it takes. */
export const scoreOutcomes = ['released', 'refused', 'failed'] as const;
export type ScoreOutcome = (typeof scoreOutcomes)[number];
export const scoreSteps = ['plan', 'lookup', 'evaluate', 'custodian', 'release'] as const;
export type ScoreStep = (typeof scoreSteps)[number];

/** What a worker did, and whether it is done or is tried again. */
export const taskKinds = ['plan', 'part', 'joint_judge', 'joint_bundle', 'joint_release'] as const;
export type TaskKind = (typeof taskKinds)[number];
export const taskOutcomes = ['done', 'failed'] as const;
export type TaskOutcome = (typeof taskOutcomes)[number];

/**
 * What is measured. Labels are routes, methods, statuses, codes and outcomes, all out of closed lists: no party,
 * subject, dataset, field or value ever is one.
 */
export type Metrics = {
  readonly requestDone: (method: HttpMethod, route: RouteTemplate | undefined, status: number, ms: number) => void;
  readonly problem: (code: ErrorCode) => void;
  readonly query: (outcome: QueryOutcome, ms: number) => void;
  readonly score: (outcome: ScoreOutcome, ms: number) => void;
  /** Time of one step of a score, or of a part of a score job. */
  readonly scoreStep: (step: ScoreStep, ms: number) => void;
  /** Time of one task of a worker, by how it ended. */
  readonly task: (kind: TaskKind, outcome: TaskOutcome, ms: number) => void;
  /** Entries that one transaction appended to the transparency log. */
  readonly logAppended: (entries: number) => void;
  /** What one batch carried at one of the points where queries and scores meet the database. */
  readonly batch: (point: 'admit' | 'fetch' | 'columns' | 'release', items: number) => void;
  readonly policyLoaded: (version: PolicyVersion) => void;
  /** This process's metrics in Prometheus text form. */
  readonly text: () => Promise<string>;
  readonly registry: Registry;
};

export type MetricsSources = {
  /** Connections of the pool, when asked. */
  readonly pool?: () => { readonly total: number; readonly idle: number; readonly waiting: number };
  readonly inFlight?: () => number;
  /** Also measure the process: CPU, memory, event-loop lag, garbage collection. */
  readonly process?: boolean;
};

const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15];
/** Tasks take longer than requests may. */
const taskBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300];
const itemsBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

const points = ['admit', 'fetch', 'columns', 'release'] as const;
const oneOf = <Word extends string>(words: readonly Word[]) => {
  const known: ReadonlySet<unknown> = new Set(words);
  return (word: Word): Word | 'other' => (known.has(word) ? word : 'other');
};
const methodLabel = oneOf(httpMethods);
const codeLabel = oneOf(errorCodes);
const outcomeLabel = oneOf(queryOutcomes);
const pointLabel = oneOf(points);
const scoreOutcomeLabel = oneOf(scoreOutcomes);
const stepLabel = oneOf(scoreSteps);
const taskLabel = oneOf(taskKinds);
const taskOutcomeLabel = oneOf(taskOutcomes);
const statusLabel = (status: number) => (Number.isInteger(status) && status >= 100 && status <= 599 ? status : 0);
const routeLabel = (route: RouteTemplate | undefined) => (factHolds.route(route) ? (route as string) : 'none');

export function createMetrics(sources: MetricsSources = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Histogram({ name: 'veilgate_request_seconds', help: 'Time from a request to the end of its answer.', labelNames: ['method', 'route', 'status'] as const, buckets: secondsBuckets, registers });
  const problemCount = new Counter({ name: 'veilgate_problems_total', help: 'Requests answered with an error, by its code.', labelNames: ['code'] as const, registers });
  const queries = new Histogram({ name: 'veilgate_query_seconds', help: 'Time a query took, by how it ended.', labelNames: ['outcome'] as const, buckets: secondsBuckets, registers });
  const scores = new Histogram({ name: 'veilgate_score_seconds', help: 'Time the request for a score took, by how it ended.', labelNames: ['outcome'] as const, buckets: secondsBuckets, registers });
  const steps = new Histogram({ name: 'veilgate_score_step_seconds', help: 'Time of one step of a score.', labelNames: ['step'] as const, buckets: secondsBuckets, registers });
  const tasks = new Histogram({ name: 'veilgate_task_seconds', help: 'Time a task of a worker took, by how it ended.', labelNames: ['task', 'outcome'] as const, buckets: taskBuckets, registers });
  const appended = new Histogram({ name: 'veilgate_log_append_entries', help: 'Entries appended to the transparency log by one transaction.', buckets: itemsBuckets, registers });
  const batches = new Histogram({ name: 'veilgate_batch_items', help: 'Queries that met the database together, by the point where they did.', labelNames: ['point'] as const, buckets: itemsBuckets, registers });
  const policy = new Gauge({ name: 'veilgate_policy_info', help: 'The policy version in force; always 1.', labelNames: ['version'] as const, registers, aggregator: 'max' });
  const { pool, inFlight } = sources;
  if (pool !== undefined) {
    new Gauge({
      name: 'veilgate_database_connections', help: 'Database connections of the pool; `waiting` are requests for one.', labelNames: ['state'] as const, registers,
      collect() {
        for (const [state, count] of Object.entries(pool())) this.set({ state: state as 'total' | 'idle' | 'waiting' }, count);
      },
    });
  }
  if (inFlight !== undefined) {
    new Gauge({ name: 'veilgate_requests_in_flight', help: 'Requests being worked on.', registers, collect() { this.set(inFlight()); } });
  }
  if (sources.process === true) collectDefaultMetrics({ register: registry, prefix: 'veilgate_' });
  if (cluster.isWorker) {
    AggregatorRegistry.setRegistries([registry]);
    new AggregatorRegistry(); // answers the primary's question for this worker's metrics
  }
  return {
    registry,
    requestDone: (method, route, status, ms) => requests.observe({ method: methodLabel(method), route: routeLabel(route), status: statusLabel(status) }, ms / 1000),
    problem: (code) => problemCount.inc({ code: codeLabel(code) }),
    query: (outcome, ms) => queries.observe({ outcome: outcomeLabel(outcome) }, ms / 1000),
    score: (outcome, ms) => scores.observe({ outcome: scoreOutcomeLabel(outcome) }, ms / 1000),
    scoreStep: (step, ms) => steps.observe({ step: stepLabel(step) }, ms / 1000),
    task: (kind, outcome, ms) => tasks.observe({ task: taskLabel(kind), outcome: taskOutcomeLabel(outcome) }, ms / 1000),
    logAppended: (entries) => appended.observe(entries),
    batch: (point, items) => batches.observe({ point: pointLabel(point) }, items),
    policyLoaded(version) {
      policy.reset(); // one version at a time
      policy.set({ version: factHolds.policy(version) ? version : 'other' }, 1);
    },
    text: () => registry.metrics(),
  };
}

/** Metrics of all worker processes together, for the primary process. */
export function clusterMetricsText(): () => Promise<string> {
  const aggregator = new AggregatorRegistry();
  return () => aggregator.clusterMetrics();
}

export type MetricsServer = { readonly port: number; readonly stop: () => Promise<void> };

/**
 * Serves `GET /metrics` on a port of its own. Without a token it answers only who asks for this machine by a
 * loopback name, so that no web page can make a browser on this machine ask (DNS rebinding).
 * Errors: CONFIG_INVALID when the port is taken.
 */
export async function serveMetrics(options: { readonly host: string; readonly port: number; readonly token?: string; readonly text: () => Promise<string>; /** Setting that named the port. */ readonly setting?: string }): Promise<MetricsServer> {
  const server = createServer({ requestTimeout: 5000, headersTimeout: 5000, maxHeaderSize: 8192 }, (request, response) => {
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    const status = refusalOf(request, options.token);
    if (status !== undefined) {
      response.writeHead(status, status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}).end();
      return;
    }
    options.text().then(
      (text) => response.writeHead(200, { 'Content-Type': Registry.PROMETHEUS_CONTENT_TYPE }).end(text),
      () => response.writeHead(503).end(),
    );
  });
  server.maxConnections = 32;
  await listen(server, options.host, options.port, options.setting ?? 'VEILGATE_METRICS_PORT');
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function refusalOf(request: IncomingMessage, token: string | undefined): number | undefined {
  if (token !== undefined) {
    if (!sameText(request.headers.authorization ?? '', `Bearer ${token}`)) return 401;
  } else if (!isLoopback((request.headers.host ?? '').replace(/:[0-9]+$/, ''))) return 403;
  if (request.url !== '/metrics') return 404;
  return request.method === 'GET' ? undefined : 405;
}

function sameText(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

function listen(server: Server, host: string, port: number, setting: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new VeilgateError('CONFIG_INVALID', `VEILGATE_METRICS_HOST and ${setting} cannot be listened on (${error.code ?? 'unknown fault'}): choose others.`, { settings: ['VEILGATE_METRICS_HOST', setting] })));
    server.listen(port, host, () => resolve());
  });
}
