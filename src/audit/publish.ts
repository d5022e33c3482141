import { isoTime, type Clock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import type { TimeMs } from '../vocabulary.ts';
import type { Database } from '../store/database.ts';
import type { CheckpointSigner } from './checkpoint.ts';
import { integrate, type Integration, type TreeHead } from './integrate.ts';
import { nodeSha256 } from './node-sha256.ts';
import { parseSignatureLine, sameKey } from './note.ts';
import { logTiles } from './read.ts';
import { nodesOfTiles } from './tile.ts';
import { consistencyProof } from './tree.ts';
import { addCheckpoint, type Witness, type WitnessAnswer } from './witness.ts';

export type PublisherOptions = {
  readonly database: Database;
  readonly signer: CheckpointSigner;
  readonly clock: Clock;
  readonly witnesses?: readonly Witness[];
  /** Witnesses that must have cosigned a checkpoint before it is served; 0 serves it at once. */
  readonly witnessesMin?: number;
  /** How long one witness may take. */
  readonly witnessTimeoutMs?: number;
  /** How long a witness that failed is left alone. */
  readonly witnessRetryMs?: number;
  /** Gets what a witness answered when it is no cosignature; never throws. */
  readonly onWitness?: (name: string, answer: WitnessAnswer) => void;
  readonly fetch?: typeof fetch;
};

/** A publisher of one process; several processes may each have one. */
export type Publisher = {
  /** One round: integrate what is there, then ask the witnesses. Errors: AUDIT_LOG_INCONSISTENT, STORE_UNAVAILABLE. */
  readonly publishNow: () => Promise<Integration>;
};

const defaultTimeoutMs = 5000;
const defaultRetryMs = 30_000;
/** Between two parts of a backlog, for those who wait for the same cores and the same disk. */
const backlogPauseMs = 50;

/** Errors: CONFIG_INVALID when witnesses share a key or more are required than there are. */
export function publisher(options: PublisherOptions): Publisher {
  const { database, signer, clock, witnesses = [], witnessesMin = 0 } = options;
  const doubled = witnesses.some(({ key }, at) => key.type !== 4 || sameKey(key, signer.key) || witnesses.slice(0, at).some((other) => sameKey(other.key, key) || other.key.name === key.name));
  if (doubled || witnessesMin > witnesses.length) {
    throw new VeilgateError('CONFIG_INVALID', 'Each witness needs a name and a key of its own, and no more can be required than there are: correct the list of witnesses.');
  }
  let remembered: TreeHead | undefined;
  let ready = witnesses.length === 0;
  return {
    async publishNow() {
      if (!ready) {
        await database.query('insert into audit_witness (name) select unnest($1::text[]) on conflict do nothing', [witnesses.map(({ key }) => key.name)]);
        ready = true;
      }
      const result = await integrate(database, signer, clock, { publishAtOnce: witnessesMin === 0, remembered });
      if (result.kind === 'busy') return result;
      remembered = result.head;
      if (result.behind === 0 && result.head.size > 0) await Promise.all(witnesses.map((witness) => askWitness(options, witness)));
      return result;
    },
  };
}

/**
 * Publishes every `intervalMs` until stopped, and after a short pause while there is a backlog. A round that fails is
 * told to `onError` and tried again. @returns stop, which waits for the round under way
 */
export function startPublisher(options: PublisherOptions & { readonly intervalMs: number; readonly onError: (error: unknown) => void }): () => Promise<void> {
  const { publishNow } = publisher(options);
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let round = Promise.resolve();
  const next = (delayMs: number) => {
    if (stopped) return;
    timer = setTimeout(() => { round = run(); }, delayMs);
    timer.unref(); // what keeps a process alive is its work, not its timer
  };
  const run = async () => {
    let delayMs = options.intervalMs;
    try {
      const result = await publishNow();
      if (result.kind === 'extended' && result.behind > 0) delayMs = backlogPauseMs;
    } catch (error) {
      options.onError(error);
    }
    next(delayMs);
  };
  next(0);
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await round;
  };
}

/** Shows the newest checkpoint to a witness that has not seen it, unless another node is doing so. */
async function askWitness(options: PublisherOptions, witness: Witness): Promise<void> {
  const { database, clock, witnessTimeoutMs = defaultTimeoutMs, witnessRetryMs = defaultRetryMs } = options;
  const name = witness.key.name;
  const later = (ms: number) => isoTime((clock.nowMs() + ms) as TimeMs);
  // two requests at most, each with its own time-out
  const claimed = await database.query<{ seen: number; size: number; signed_note: string }>(
    `update audit_witness set claimed_until = $3
     from (select size, signed_note from audit_checkpoint order by size desc limit 1) as newest
     where name = $1 and claimed_until <= $2 and audit_witness.size < newest.size
     returning audit_witness.size as seen, newest.size, newest.signed_note`,
    [name, isoTime(clock.nowMs()), later(witnessTimeoutMs * 2)],
  );
  const task = claimed.rows[0];
  if (task === undefined) return;
  const answer = await show(options, witness, task);
  if (answer.kind === 'cosigned') {
    await recordCosignature(options, name, task.size, answer.lines);
    return;
  }
  options.onWitness?.(name, answer);
  await database.query('update audit_witness set claimed_until = $2, size = $3 where name = $1', [
    name, later(witnessRetryMs), answer.kind === 'stale' ? Math.min(answer.size, task.size - 1) : task.seen,
  ]);
  if (answer.kind === 'stale' && answer.size > task.size) {
    throw new VeilgateError('AUDIT_LOG_INCONSISTENT', 'A witness has seen a longer log than this database holds: stop the platform, find out whether a backup was restored, and tell the auditor.');
  }
}

async function show(options: PublisherOptions, witness: Witness, task: { seen: number; size: number; signed_note: string }): Promise<WitnessAnswer> {
  const nodes = nodesOfTiles(task.size, logTiles(options.database), nodeSha256);
  const ask = async (oldSize: number) => addCheckpoint({
    witness, oldSize, checkpoint: task.signed_note, timeoutMs: options.witnessTimeoutMs ?? defaultTimeoutMs,
    proof: oldSize === 0 ? [] : await consistencyProof(oldSize, task.size, nodes, nodeSha256),
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
  });
  const answer = await ask(task.seen);
  // it knows better what it saw last: one more try from there
  return answer.kind === 'stale' && answer.size <= task.size && answer.size !== task.seen ? ask(answer.size) : answer;
}

async function recordCosignature({ database, clock, witnesses = [], witnessesMin = 0 }: PublisherOptions, name: string, size: number, lines: readonly string[]): Promise<void> {
  await database.transaction('audit cosign', async (tx) => {
    const held = await tx.query<{ cosignatures: string[] }>('select cosignatures from audit_checkpoint where size = $1 for update', [size]);
    const known = held.rows[0]?.cosignatures ?? [];
    const names = new Set(known.map((line) => parseSignatureLine(line).name));
    const cosignatures = names.has(name) ? known : [...known, ...lines];
    names.add(name);
    const enough = witnesses.filter(({ key }) => names.has(key.name)).length >= witnessesMin;
    await tx.query('update audit_checkpoint set cosignatures = $2, published_at = case when $3 then coalesce(published_at, $4) else published_at end where size = $1', [
      size, cosignatures, enough, isoTime(clock.nowMs()),
    ]);
    await tx.query("update audit_witness set size = greatest(size, $2), claimed_until = '-infinity' where name = $1", [name, size]);
  });
}
