import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { serverFlags } from '../engine-flags.ts';
import type { Log } from '../log.ts';
import { backOffMs } from '../server-processes.ts';

/** A worker that lived this long did not fail at start. */
const healthyMs = 30_000;
/** How long a task under way may take to end; afterwards another worker does it again. */
const stopGraceMs = 20_000;

export type WorkerChild = {
  /** Of the process that runs now; undefined while it is started again. */
  readonly pid: () => number | undefined;
  readonly reload: () => void;
  readonly stop: () => Promise<void>;
};

/**
 * Starts a worker as a process of its own, so that what it computes takes no time from requests, and a fault of it
 * none of the gateway's memory; starts it again when it dies.
 * @param environment the gateway's own settings, with what it hands down
 */
export function startWorkerChild(environment: NodeJS.ProcessEnv, log: Log): WorkerChild {
  let child: ChildProcess | undefined;
  let stopping = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  const start = () => {
    const startedMs = performance.now();
    const started = fork(path.join(import.meta.dirname, 'main.ts'), [], { env: environment, execArgv: [...serverFlags], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    child = started;
    started.on('error', () => {}); // its exit follows
    started.once('exit', (code) => {
      child = undefined;
      if (stopping) return;
      failures = performance.now() - startedMs > healthyMs ? 1 : failures + 1;
      const restartInMs = backOffMs(failures);
      log.write('score_worker.exited', { ...(code === null ? {} : { exit_code: code }), restart_in_ms: restartInMs });
      timer = setTimeout(start, restartInMs);
    });
  };
  start();
  return {
    pid: () => child?.pid,
    reload: () => child?.kill('SIGHUP'),
    async stop() {
      stopping = true;
      clearTimeout(timer);
      const ending = child;
      if (ending === undefined) return;
      const exited = new Promise<void>((resolve) => ending.once('exit', () => resolve()));
      ending.kill('SIGTERM');
      const late = setTimeout(() => ending.kill('SIGKILL'), stopGraceMs);
      await exited;
      clearTimeout(late);
    },
  };
}
