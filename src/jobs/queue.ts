import { PgBoss, type Db as QueueDb } from 'pg-boss';
import type { Database, Sql, Tx } from '../store/database.ts';

/**
 * Work that any process may do, kept in PostgreSQL by pg-boss and handed out by it: first come, first served, to one
 * worker at a time. A task whose worker died, or lost the database, is handed out again, so whatever a task does must
 * be the same when it is done twice. A task names rows of ours and holds nothing else.
 */
export type Task = ScoreTask | JointTask;

export type ScoreTask =
  /** Finds out who of one chunk of a job's list can be scored. */
  | { readonly kind: 'plan'; readonly job: string; readonly n: number }
  /** Scores one part of a job. */
  | { readonly kind: 'part'; readonly job: string; readonly n: number };

/** Of joint modelling; `job` is a run for the first two, a question's digest for the last. */
export type JointTask =
  /** Makes the opened bundles of a lottery again and compares them. */
  | { readonly kind: 'joint_judge'; readonly job: string }
  /** Checks the drawn bundle against its digest. */
  | { readonly kind: 'joint_bundle'; readonly job: string }
  /** Computes a question's answer and releases it. */
  | { readonly kind: 'joint_release'; readonly job: string };

export type TaskQueue = {
  /** Tasks that others see when the caller's transaction commits, and never when it does not. */
  readonly add: (tx: Tx, tasks: readonly Task[]) => Promise<void>;
};

export type WorkOptions = {
  readonly database: Database;
  /** Tasks this process works on at a time. */
  readonly concurrency: number;
  /** Resolves when the task is done; a rejection hands it out again later. `signal`: another worker has the task by now. */
  readonly run: (task: Task, signal: AbortSignal) => Promise<void>;
  /** A task failed, or the queue could not be reached (no task then). */
  readonly onError: (error: unknown, task: Task | undefined) => void;
  readonly idlePollMs?: number;
};

export type RunningWork = {
  /** Takes no more tasks and waits for those under way. */
  readonly stop: () => Promise<void>;
};

/** A schema of its own: its tables are pg-boss's. */
const schema = 'job_queue';
const queueName = 'score';
/** A worker that is silent for this long is taken for dead. */
const heartbeatSeconds = 10;
const touchMs = 3000;
/** How often workers look for tasks of dead ones. */
const superviseSeconds = 3;
const idlePollMs = 500;
/** A task that fails is tried again after 1, 2, 4 … seconds, for as long as its job lives. */
const queueOptions = {
  retryLimit: 1_000_000, retryDelay: 1, retryBackoff: true, retryDelayMax: 30, heartbeatSeconds,
  expireInSeconds: 3600, retentionSeconds: 30 * 86_400, deleteAfterSeconds: 600,
} as const;

/**
 * Makes the queue's tables, or brings them to this version's form; many nodes may start at once. The one moment at
 * which they are made: whoever else uses the queue only checks that they are there.
 */
export async function prepareQueue(database: Database): Promise<void> {
  const boss = bossOn(database, { migrate: true, supervise: false });
  await boss.start();
  try {
    await boss.createQueue(queueName, queueOptions);
  } finally {
    await boss.stop({ graceful: false, close: false });
  }
}

/** For whoever only adds tasks: holds no timer and no connection. */
export function openQueue(database: Database): TaskQueue {
  const boss = bossOn(database, { migrate: false, supervise: false });
  return {
    async add(tx, tasks) {
      if (tasks.length === 0) return;
      await boss.insert(queueName, tasks.map((data) => ({ data })), { db: runsOn(tx) });
    },
  };
}

/** Works on tasks until it is stopped. */
export async function startWork(options: WorkOptions): Promise<RunningWork> {
  const boss = bossOn(options.database, { migrate: false, supervise: true });
  boss.on('error', (error) => options.onError(error, undefined));
  await boss.start();
  const stopping = new AbortController();
  const line = idleLine(options.idlePollMs ?? idlePollMs, stopping.signal);
  const loops = Array.from({ length: options.concurrency }, () => work(boss, options, line, stopping.signal));
  return {
    async stop() {
      stopping.abort();
      await Promise.all(loops);
      await boss.stop({ graceful: false, close: false });
    },
  };
}

async function work(boss: PgBoss, options: WorkOptions, line: IdleLine, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    let found = false;
    try {
      found = await workOnOne(boss, options, line.wake);
    } catch (error) {
      options.onError(error, undefined); // the database: the task, if there was one, is handed out again
    }
    if (!found) await line.wait();
  }
}

/** @returns false when there was nothing to do */
async function workOnOne(boss: PgBoss, { run, onError }: WorkOptions, onFound: () => void): Promise<boolean> {
  const [job] = await boss.fetch<Task>(queueName, { batchSize: 1 });
  if (job === undefined) return false;
  onFound();
  const lost = new AbortController();
  const attempt = { id: job.id, retryCount: job.retryCount };
  const heart = setInterval(() => {
    boss.touch(queueName, attempt).then((answer) => {
      if ((answer as { readonly affected?: number }).affected === 0) lost.abort();
    }, () => {}); // should it go on, others take over
  }, touchMs);
  try {
    await run(job.data, lost.signal);
    await boss.complete(queueName, attempt);
  } catch (error) {
    onError(error, job.data);
    // without what it said: only codes are kept, and those elsewhere
    await boss.fail(queueName, attempt).catch(() => {});
  } finally {
    clearInterval(heart);
  }
  return true;
}

type IdleLine = {
  /** Resolves when it is one's turn to look for a task, or work stops. */
  readonly wait: () => Promise<void>;
  /** There was a task and there may be more: the next looks at once. */
  readonly wake: () => void;
};

/** Those who have nothing to do ask the database in turn, one every `ms`, however many they are. */
function idleLine(ms: number, stopping: AbortSignal): IdleLine {
  const waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  const next = () => {
    clearTimeout(timer);
    waiting.shift()?.();
    if (waiting.length > 0) timer = setTimeout(next, ms);
  };
  stopping.addEventListener('abort', () => {
    clearTimeout(timer);
    for (const go of waiting.splice(0)) go();
  });
  return {
    wait: () => new Promise((resolve) => {
      if (stopping.aborted) return resolve();
      waiting.push(resolve);
      if (waiting.length === 1) timer = setTimeout(next, ms);
    }),
    wake: next,
  };
}

function bossOn(database: Database, { migrate, supervise }: { readonly migrate: boolean; readonly supervise: boolean }): PgBoss {
  return new PgBoss({
    db: runsOn(database), schema, migrate, createSchema: migrate, supervise, schedule: false,
    superviseIntervalSeconds: superviseSeconds, monitorIntervalSeconds: superviseSeconds,
  });
}

/** pg-boss on our connections, so that its statements have our limits and can share our transactions. */
function runsOn(sql: Sql): QueueDb {
  return {
    executeSql: async (text, values) => {
      const result = await sql.query(text, values);
      const last = Array.isArray(result) ? (result as (typeof result)[]).at(-1) : result; // several statements in one text
      return { rows: last?.rows ?? [] };
    },
  };
}
