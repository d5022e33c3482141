import cluster, { type Worker } from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from './log.ts';

/** A part of the gateway that was started and can be stopped; `reload` is called on SIGHUP. */
export type Running = { readonly stop: () => Promise<unknown>; readonly reload?: () => void };

export type ProcessesOptions = {
  /** Processes that answer requests; 1: everything happens in this one. */
  readonly workers: number;
  /** Starts what answers requests: in each worker, or here when there is one process. */
  readonly worker: () => Promise<Running>;
  /** Starts what there is once per node (own database, metrics of all workers); its end comes last. */
  readonly primary?: () => Promise<Running>;
  readonly log: Log;
  readonly exit: (code: number) => void;
};

const backOffFirstMs = 100;
const backOffMostMs = 10_000;
/** A worker that lived this long did not fail at start. */
const healthyMs = 30_000;
/** After this, `stop` was not enough. */
const stopGraceMs = 5_000;

/** How long to wait before starting a worker again that failed `failures` times in a row. */
export function backOffMs(failures: number): number {
  return Math.min(backOffMostMs, backOffFirstMs * 2 ** Math.max(0, failures - 1));
}

/**
 * Runs the gateway as one process or as a primary with workers that are started again when they die.
 * SIGTERM and SIGINT stop it in order; the second signal stops it at once. SIGHUP reloads.
 */
export async function runProcesses(options: ProcessesOptions): Promise<void> {
  if (cluster.isWorker) {
    const running = await options.worker();
    // a terminal sends SIGINT to all processes: the primary says when
    process.on('SIGINT', () => {});
    onSignals(running, options.exit, ['SIGTERM']);
    return; // Node itself ends a worker whose primary has gone
  }
  const node = await options.primary?.();
  const working = options.workers === 1 ? await options.worker() : superviseWorkers(options.workers, options.log);
  onSignals(
    {
      stop: async () => {
        await working.stop();
        await node?.stop();
      },
      reload: () => {
        working.reload?.();
        node?.reload?.();
      },
    },
    options.exit,
    ['SIGTERM', 'SIGINT'],
  );
}

function onSignals(running: Running, exit: (code: number) => void, signals: readonly NodeJS.Signals[]): void {
  let stopping = false;
  const stop = () => {
    if (stopping) return exit(130);
    stopping = true;
    running.stop().then(() => exit(0), () => exit(1));
  };
  for (const signal of signals) process.on(signal, stop);
  if (process.platform !== 'win32') process.on('SIGHUP', () => running.reload?.());
}

/** Keeps `count` workers alive. */
function superviseWorkers(count: number, log: Log): Running {
  let stopping = false;
  const slots = Array.from({ length: count }, (_, at) => at + 1);
  const failures = new Map<number, number>();
  const timers = new Set<NodeJS.Timeout>();
  const workers = new Map<number, Worker>();

  const start = (slot: number) => {
    const worker = cluster.fork();
    const startedMs = performance.now();
    workers.set(slot, worker);
    log.write('worker.started', { worker: slot });
    worker.on('error', () => {}); // its exit follows
    worker.once('exit', (code: number | null) => {
      workers.delete(slot);
      if (stopping) return;
      const failed = performance.now() - startedMs > healthyMs ? 1 : (failures.get(slot) ?? 0) + 1;
      failures.set(slot, failed);
      const restartInMs = backOffMs(failed);
      log.write('worker.exited', { worker: slot, exit_code: code ?? undefined, restart_in_ms: restartInMs });
      const timer = setTimeout(() => {
        timers.delete(timer);
        if (!stopping) start(slot);
      }, restartInMs);
      timers.add(timer);
    });
  };
  slots.forEach(start);

  return {
    reload: () => [...workers.values()].forEach(({ process: child }) => child.kill('SIGHUP')),
    async stop() {
      stopping = true;
      timers.forEach((timer) => clearTimeout(timer));
      await Promise.all([...workers.values()].map(stopWorker));
    },
  };
}

/** Workers drain on SIGTERM, each within its own time; one that hangs beyond all grace is killed. */
async function stopWorker(worker: Worker): Promise<void> {
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.process.kill('SIGTERM');
  const abort = new AbortController();
  const late = delay(stopWorkerMostMs, 'late', { signal: abort.signal }).catch(() => 'exited');
  if ((await Promise.race([exited, late])) === 'late') worker.process.kill('SIGKILL');
  abort.abort();
}

/** Longest drain a configuration allows, and some. */
const stopWorkerMostMs = 300_000 + stopGraceMs;
