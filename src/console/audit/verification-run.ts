import { openCheckpoint, type OpenedCheckpoint } from '../../audit/checkpoint.ts';
import { httpLogReader } from '../../audit/http-reader.ts';
import { verifyLog, type LogFault, type LogReader, type RecordCounts } from '../../audit/verify.ts';
import { isVeilgateError, VeilgateError } from '../../errors.ts';
import { auditorClient } from '../../sdk/auditor.ts';
import type { GatewayCalls } from '../../sdk/connection.ts';
import { checkContinuation } from '../../sdk/log.ts';
import { trustOf, type LogMemory } from './log-memory.ts';

/** How much is looked at: hashes alone, entries since the last time, or everything from the first entry on. */
export type Depth = 'continuation' | 'since' | 'whole';

export type Outcome =
  | {
    readonly kind: 'sound'; readonly checkpoint: OpenedCheckpoint;
    /** Entries that were remembered; null: nothing was. */
    readonly since: number | null;
    /** Null: only the continuation was looked at. */
    readonly looked: { readonly from: number; readonly records: RecordCounts } | null;
  }
  | { readonly kind: 'unsound'; readonly fault: Pick<LogFault, 'kind' | 'index' | 'until'>; /** The signed note that was served, for evidence. */ readonly note: string };

export type Run = {
  readonly calls: GatewayCalls;
  /** Where the public log is. */
  readonly logUrl: string;
  readonly memory: LogMemory;
  readonly depth: Depth;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, all: number) => void;
};

/** Entries one run in a browser looks at; the command line knows no such bound. */
export const entriesMax = 100_000;
const timeoutMs = 60_000;

/**
 * Verifies the log against what the browser remembers. Stopped by `signal`, it rejects with the signal's reason.
 * Errors: AUDIT_ENTRY_NOT_FOUND, AUDIT_UNAVAILABLE and what the gateway says: no verdict. AUDIT_RANGE_INVALID: more than `entriesMax`.
 */
export async function verifyRemembered(run: Run): Promise<Outcome> {
  return verdict(run).catch((error: unknown) => {
    run.signal.throwIfAborted(); // a request that was cut off fails in its own way
    throw error;
  });
}

async function verdict({ calls, logUrl, memory, depth, signal, onProgress }: Run): Promise<Outcome> {
  const trust = await trustOf(memory);
  if (depth === 'continuation') {
    const found = await checkContinuation(calls, trust, memory.checkpoint?.note ?? null);
    signal.throwIfAborted();
    if (found.kind === 'continues') return { kind: 'sound', checkpoint: found.newest, since: found.since, looked: null };
    return { kind: 'unsound', fault: { kind: found.kind === 'not_signed' ? 'checkpoint_invalid' : found.kind, index: null, until: null }, note: found.note };
  }
  const remembered = memory.checkpoint === null ? undefined : await openCheckpoint(memory.checkpoint.note, trust);
  const reader = stoppable(httpLogReader({
    url: logUrl, timeoutMs, records: auditorClient(calls).records, fetch: (input, init = {}) => fetch(input, { ...init, signal: AbortSignal.any([signal, ...(init.signal ? [init.signal] : [])]) }),
  }), signal);
  const note = await reader.checkpoint();
  const from = depth === 'since' ? memory.checkpoint?.entries ?? 0 : 0;
  await requireBounded(note, trust, from);
  const report = await verifyLog({ ...reader, checkpoint: async () => note }, {
    trust, ...(remembered === undefined ? {} : { remembered, from }), onProgress: ({ verified, size }) => onProgress(verified - from, size - from),
  });
  if (report.kind === 'unsound') return { kind: 'unsound', fault: report.fault, note };
  return { kind: 'sound', checkpoint: report.checkpoint, since: remembered?.size ?? null, looked: { from, records: report.records } };
}

/** A checkpoint that is not the log's is the verifier's to judge. */
async function requireBounded(note: string, trust: Awaited<ReturnType<typeof trustOf>>, from: number): Promise<void> {
  const size = await openCheckpoint(note, trust).then((checkpoint) => checkpoint.size, (error: unknown) => {
    if (isVeilgateError(error, 'AUDIT_CHECKPOINT_INVALID')) return 0;
    throw error;
  });
  if (size - from > entriesMax) {
    throw new VeilgateError('AUDIT_RANGE_INVALID', `A browser looks at ${entriesMax} entries at most: look at those since the last time only, or run \`veilgate audit verify\`, which knows no bound.`);
  }
}

/** Between two requests is a moment to stop at. */
function stoppable(reader: LogReader, signal: AbortSignal): LogReader {
  const { records, history } = reader;
  const going = <Answer>(read: () => Promise<Answer>): Promise<Answer> => (signal.aborted ? Promise.reject(signal.reason as Error) : read());
  return {
    checkpoint: () => going(reader.checkpoint), tile: (...place) => going(() => reader.tile(...place)), entries: (...place) => going(() => reader.entries(...place)),
    ...(records === undefined ? {} : { records: (...place) => going(() => records(...place)) }),
    ...(history === undefined ? {} : { history: (after) => going(() => history(after)) }),
  };
}
