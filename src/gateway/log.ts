import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import winston from 'winston';
import { isoTime, systemClock, type Clock } from '../clock.ts';
import { factHolds, logEvents, type EventName, type FactKind, type FactsOf, type FaultCode, type FaultName, type Level, type StackFrame } from './log-events.ts';

export type { EventName, FactsOf, HttpMethod, RequestId, RouteTemplate } from './log-events.ts';

/**
 * The operational log: one JSON object a line. It takes declared events with declared facts, which are numbers,
 * flags, words out of a list and ids that name no enterprise. A value of a record, an Error or any other text
 * is of no type it takes, and what slips past the types is dropped when it is written.
 */
export type Log = {
  readonly write: <Event extends EventName>(event: Event, facts: FactsOf<Event>) => void;
  /** Resolves when everything written has left the process; any number of times. */
  readonly close: () => Promise<void>;
};

export type LogOptions = {
  readonly level: Level;
  /** Absent: standard output. */
  readonly file?: string;
  /** Instead of both, for tests. */
  readonly stream?: NodeJS.WritableStream;
  readonly clock?: Clock;
  /** How long lines may wait to be written together; warnings and errors never wait. */
  readonly delayMs?: number;
};

const levels: readonly Level[] = ['error', 'warn', 'info', 'debug'];
const fileBytesMax = 100_000_000;
const filesMax = 10;

type Check = { readonly name: string; readonly holds: (value: unknown) => boolean };
type Prepared = { readonly level: Level; readonly checks: readonly Check[] };

const prepared: ReadonlyMap<string, Prepared> = new Map(
  Object.entries(logEvents).map(([event, { level, facts }]) => [event, { level, checks: Object.entries(facts as Readonly<Record<string, string | readonly string[]>>).map(([name, form]) => ({ name, holds: holdsOf(form) })) }]),
);

function holdsOf(form: string | readonly string[]): Check['holds'] {
  if (typeof form === 'string') return factHolds[form.replace('?', '') as FactKind];
  const words: ReadonlySet<unknown> = new Set(form);
  return (value) => words.has(value);
}

const waitingMax = 512;

export function createLog(options: LogOptions): Log {
  const clock = options.clock ?? systemClock;
  const delayMs = options.delayMs ?? 50;
  // lines are filtered and made here, so winston is left with transport and rotation
  const logger = winston.createLogger({ level: 'debug', format: winston.format.printf(({ message }) => message as string), transports: [transportFor(options)] });
  // a full disk or a closed pipe must not take the gateway down
  logger.on('error', () => {});
  const rank = levels.indexOf(options.level);
  let waiting: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let closed: Promise<void> | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length > 0) logger.log({ level: 'info', message: waiting.join('\n') });
    waiting = [];
  };
  return {
    write(event, facts) {
      const form = prepared.get(event);
      if (form === undefined || levels.indexOf(form.level) > rank) return;
      const line: Record<string, unknown> = { time: isoTime(clock.nowMs()), level: form.level, event, process: process.pid };
      for (const { name, holds } of form.checks) {
        const value = (facts as Readonly<Record<string, unknown>>)[name];
        if (value === undefined) continue;
        line[name] = holds(value) ? value : null;
      }
      waiting.push(JSON.stringify(line));
      if (delayMs === 0 || waiting.length >= waitingMax || form.level === 'error' || form.level === 'warn') flush();
      else timer ??= setTimeout(flush, delayMs).unref();
    },
    close() {
      // a crash closes it and then ends the process, which closes it again: both must come to an end
      closed ??= new Promise((resolve) => {
        flush();
        logger.once('finish', () => resolve());
        logger.end();
      });
      return closed;
    },
  };
}

function transportFor(options: LogOptions) {
  const transport = options.stream !== undefined
    ? new winston.transports.Stream({ stream: options.stream })
    : options.file !== undefined
      ? new winston.transports.File({ filename: options.file, maxsize: fileBytesMax, maxFiles: filesMax, tailable: true, options: { flags: 'a', mode: 0o600 } })
      : new winston.transports.Stream({ stream: process.stdout });
  transport.on('error', () => {});
  return transport;
}

export type FaultFacts = { readonly fault_name?: FaultName; readonly fault_code?: FaultCode; readonly frames?: readonly StackFrame[] };

/**
 * What may be logged of anything thrown: its kind and where it came from. Never the message, which can quote
 * values: SQL errors quote rows, parsers quote input.
 */
export function faultFacts(thrown: unknown): FaultFacts {
  if (!(thrown instanceof Error)) return {};
  const { name, code, stack } = thrown as { name: unknown; code?: unknown; stack?: unknown };
  return {
    ...(factHolds.fault_name(name) ? { fault_name: name as FaultName } : {}),
    ...(factHolds.fault_code(code) ? { fault_code: code as FaultCode } : {}),
    frames: typeof stack === 'string' ? framesOf(stack) : [],
  };
}

const root = path.resolve(import.meta.dirname, '..', '..');
const framesMax = 12;

/** Files of the project and positions in them; a message that imitates a frame fails because its file is not there. */
function framesOf(stack: string): readonly StackFrame[] {
  const frames: string[] = [];
  for (const line of stack.split('\n').slice(0, 200)) {
    const place = /^ {4}at (?:.* )?\(?((?:file:\/\/|\/)[^\s()]{1,400}):([0-9]{1,6}):([0-9]{1,6})\)?$/.exec(line);
    if (place === null || frames.length === framesMax) continue;
    const file = shownFile(place[1] ?? '');
    if (file !== undefined) frames.push(`${file}:${place[2]}:${place[3]}`);
  }
  return (factHolds.frames(frames) ? frames : []) as readonly string[] as readonly StackFrame[];
}

function shownFile(url: string): string | undefined {
  let file: string;
  try {
    file = path.relative(root, url.startsWith('file://') ? fileURLToPath(url) : url);
  } catch {
    return undefined;
  }
  if (file.startsWith('..') || path.isAbsolute(file) || !existsSync(path.join(root, file))) return undefined;
  return file.split(path.sep).join('/');
}

/**
 * Takes over what Node would print on a crash, because it prints messages. After an uncaught exception or an
 * unhandled rejection the process ends with code 70; `flushed` gives the log time to be written.
 */
export function installCrashHandlers(log: Log, end: (exitCode: number) => void): void {
  const crash = (kind: 'uncaught_exception' | 'unhandled_rejection') => (thrown: unknown) => {
    log.write('process.fault', { kind, ...faultFacts(thrown) });
    setTimeout(() => end(70), 500).unref();
    void log.close().finally(() => end(70));
  };
  process.on('uncaughtException', crash('uncaught_exception'));
  process.on('unhandledRejection', crash('unhandled_rejection'));
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    const { fault_name, fault_code } = faultFacts(warning);
    log.write('process.warning', { fault_name, fault_code });
  });
}
