import dns from 'node:dns';
import os from 'node:os';
import { errorCodes, type ErrorCode } from '../errors.ts';
import type { Brand, PartyId, PolicyVersion } from '../vocabulary.ts';

/** A request's id, made by the gateway; in logs, problems and nowhere else. */
export type RequestId = Brand<string, 'RequestId'>;
/** A route's path as declared, `{placeholders}` and all; never a path somebody asked for. */
export type RouteTemplate = Brand<string, 'RouteTemplate'>;
/** `name` of an Error, out of the names engines and libraries use. */
export type FaultName = Brand<string, 'FaultName'>;
/** `code` of an Error: errno, Node, SQLSTATE or ours. */
export type FaultCode = Brand<string, 'FaultCode'>;
/** `file:line:column` of one stack frame, a file of the project. */
export type StackFrame = Brand<string, 'StackFrame'>;

export const httpMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'OTHER'] as const;
export type HttpMethod = (typeof httpMethods)[number];

/** What a fact may be. There is deliberately no kind for text, for an Error or for an object. */
type FactKinds = {
  readonly number: number;
  readonly flag: boolean;
  readonly method: HttpMethod;
  readonly route: RouteTemplate;
  readonly code: ErrorCode;
  readonly request: RequestId;
  readonly party: PartyId;
  readonly policy: PolicyVersion;
  readonly fault_name: FaultName;
  readonly fault_code: FaultCode;
  readonly frames: readonly StackFrame[];
  /** What the authorization server calls an event: words of its code, never of a request. */
  readonly issuer_event: string;
};
export type FactKind = keyof FactKinds;

const knownCodes: ReadonlySet<unknown> = new Set(errorCodes);
/** Also with a wrong check digit: a mistyped code is as telling. */
const usccShape = /[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}/;
const systemCodes: ReadonlySet<unknown> = new Set([...Object.keys(os.constants.errno), ...Object.values(dns).filter((value) => typeof value === 'string')]);
const knownMethods: ReadonlySet<unknown> = new Set(httpMethods);
const matches = (pattern: RegExp) => (value: unknown) => typeof value === 'string' && pattern.test(value);

/** What types promise, held at run time too: a fact that is not of its kind does not reach the log. */
export const factHolds: { readonly [Kind in FactKind]: (value: unknown) => boolean } = {
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  flag: (value) => typeof value === 'boolean',
  method: (value) => knownMethods.has(value),
  route: matches(/^(\/|(\/([a-z0-9._-]{1,40}|\{[a-z_]{1,30}\})){1,10})$/),
  code: (value) => knownCodes.has(value),
  request: matches(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
  // an enterprise must not be named by its code even if somebody made it a party id
  party: (value) => typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$/.test(value) && !usccShape.test(value),
  policy: matches(/^[0-9a-f]{64}$/),
  fault_name: matches(/^([A-Z][A-Za-z]{0,30}(Error|Exception)|error|Error)$/),
  // SQLSTATE is five characters, at least two of them digits in every class PostgreSQL has
  fault_code: (value) => knownCodes.has(value) || systemCodes.has(value) || matches(/^(ERR_[A-Z0-9_]{1,60}|(?=.*[0-9].*[0-9])[0-9A-Z]{5})$/)(value),
  issuer_event: matches(/^(account|consent|token|oauth_grant|grant|authorization|server_error|pushed_authorization_request|revocation|introspection|userinfo|jwks|discovery|interaction)[a-z_.]{0,40}$/),
  frames: (value) => Array.isArray(value) && value.length <= 20 && value.every(matches(/^[A-Za-z0-9_@./-]{1,200}:[0-9]{1,6}:[0-9]{1,6}$/)),
};

export type Level = 'error' | 'warn' | 'info' | 'debug';
/** A kind, a kind that may be absent, or the words a fact is one of. */
type FactForm = FactKind | `${FactKind}?` | readonly string[];
type EventForm = { readonly level: Level; readonly facts: Readonly<Record<string, FactForm>> };

/** Every event there is. Who needs another one declares it here. */
export const logEvents = {
  'gateway.started': { level: 'info', facts: { port: 'number', workers: 'number', tls: 'flag', issuer: ['embedded', 'external'], database: ['embedded', 'external'] } },
  'gateway.draining': { level: 'info', facts: { in_flight: 'number' } },
  'gateway.stopped': { level: 'info', facts: { cut_off: 'number' } },
  'gateway.refused_to_start': { level: 'error', facts: { code: 'code' } },
  'worker.started': { level: 'info', facts: { worker: 'number' } },
  'worker.exited': { level: 'warn', facts: { worker: 'number', exit_code: 'number?', restart_in_ms: 'number?' } },
  'score_worker.started': { level: 'info', facts: { tasks: 'number', threads: 'number' } },
  'score_worker.stopped': { level: 'info', facts: {} },
  'score_worker.exited': { level: 'warn', facts: { exit_code: 'number?', restart_in_ms: 'number' } },
  'score_task.failed': { level: 'warn', facts: { task: ['plan', 'part', 'joint_judge', 'joint_bundle', 'joint_release', 'queue'], code: 'code', fault_name: 'fault_name?', fault_code: 'fault_code?' } },
  'tls.reloaded': { level: 'info', facts: {} },
  'tls.reload_failed': { level: 'error', facts: { fault_code: 'fault_code?' } },

  'request.done': { level: 'info', facts: { method: 'method', route: 'route?', status: 'number', code: 'code?', ms: 'number', request: 'request', party: 'party?', aborted: 'flag?' } },
  'request.fault': { level: 'error', facts: { request: 'request', fault_name: 'fault_name?', fault_code: 'fault_code?', frames: 'frames?' } },
  'request.undeclared_error': { level: 'error', facts: { request: 'request', route: 'route', code: 'code' } },

  'issuer.event': { level: 'info', facts: { event: 'issuer_event', party: 'party?', fault_name: 'fault_name?' } },

  'process.fault': { level: 'error', facts: { kind: ['uncaught_exception', 'unhandled_rejection'], fault_name: 'fault_name?', fault_code: 'fault_code?', frames: 'frames?' } },
  'process.warning': { level: 'warn', facts: { fault_name: 'fault_name?', fault_code: 'fault_code?' } },

  'custodian.started': { level: 'info', facts: { port: 'number', keys: 'number', tls: 'flag', database: ['embedded', 'external'] } },
  'custodian.child_exited': { level: 'warn', facts: { exit_code: 'number?', restart_in_ms: 'number' } },
  'custodian.answered': { level: 'info', facts: { ms: 'number', party: 'party?' } },
  'custodian.refused': { level: 'warn', facts: { step: ['body', 'ticket', 'key', 'ciphertext', 'slots', 'request', 'recipient', 'use', 'limit', 'alarm', 'mask'], party: 'party?' } },
  'custodian.alarm': { level: 'error', facts: { party: 'party?' } },
  'custodian.fault': { level: 'error', facts: { fault_name: 'fault_name?', fault_code: 'fault_code?', frames: 'frames?' } },
  'custodian.thread_failed': { level: 'error', facts: { fault_name: 'fault_name?', fault_code: 'fault_code?', frames: 'frames?' } },

  'policy.loaded': { level: 'info', facts: { policy: 'policy', datasets: 'number', fields: 'number' } },
  'policy.refused': { level: 'error', facts: { code: 'code', problems: 'number?' } },
  'database.unavailable': { level: 'error', facts: { code: 'code' } },
  'audit.checkpoint': { level: 'info', facts: { size: 'number', witnesses: 'number?' } },
  'audit.checkpoint_failed': { level: 'error', facts: { code: 'code' } },
  'audit.append_failed': { level: 'error', facts: { code: 'code', entries: 'number' } },
  'audit.witness_failed': { level: 'warn', facts: { witness: 'number', status: 'number?', fault_code: 'fault_code?' } },
  'idempotency.purged': { level: 'debug', facts: { keys: 'number' } },
  'clock.jumped': { level: 'warn', facts: {} },
  'maintenance.failed': { level: 'error', facts: { task: ['idempotency_purge', 'replay_purge', 'state_purge', 'grant_expiry', 'request_purge', 'retired_columns_purge', 'score_jobs', 'joint_projects', 'joint_alignments', 'joint_lotteries', 'joint_pads', 'log_facts', 'objections', 'refusal_count', 'policy_reload', 'policy_withholds'], fault_name: 'fault_name?', fault_code: 'fault_code?' } },
} as const satisfies Readonly<Record<string, EventForm>>;

export type LogEvents = typeof logEvents;
export type EventName = keyof LogEvents;

type FactOf<Form> = Form extends readonly (infer Word)[] ? Word : Form extends FactKind ? FactKinds[Form] : Form extends `${infer Kind}?` ? (Kind extends FactKind ? FactKinds[Kind] : never) : never;
type OptionalName<Facts> = { [Name in keyof Facts]: Facts[Name] extends `${string}?` ? Name : never }[keyof Facts];

/** The facts an event takes; what may be absent may also be undefined. */
export type FactsOf<Event extends EventName> = { readonly [Name in Exclude<keyof LogEvents[Event]['facts'], OptionalName<LogEvents[Event]['facts']>>]: FactOf<LogEvents[Event]['facts'][Name]> } & {
  readonly [Name in OptionalName<LogEvents[Event]['facts']>]?: FactOf<LogEvents[Event]['facts'][Name]> | undefined;
};
