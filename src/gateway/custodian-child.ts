import { fork, type ChildProcess } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { VeilgateError } from '../errors.ts';
import type { PublicJwk } from '../vocabulary.ts';
import { custodianFlags } from './engine-flags.ts';
import type { Log } from './log.ts';
import { backOffMs } from './server-processes.ts';

export type CustodianChildOptions = {
  /** Its keys, and the gateway's pinned keys: a folder of its own, mode 0700, made when missing. */
  readonly folder: string;
  /** The platform's database: the custodian gets one of its own beside it, made when missing (custodianDatabaseUrl). */
  readonly databaseUrl: string;
  /** The gateway's public URL: issuer of tickets, audience of banks' requests. */
  readonly gatewayUrl: string;
  /** Keys that tickets are signed with. */
  readonly gatewayJwks: { readonly keys: readonly PublicJwk[] };
  /** 0 or absent: a free one, kept when it is started again. */
  readonly port?: number;
  /** Further settings, by variable name (docs/custodian.md). */
  readonly settings?: Readonly<Record<string, string>>;
  readonly log: Log;
};

/** What a custodian says of itself once it is ready. */
type Ready = {
  readonly url: string;
  /** Its id: audience of tickets, issuer of its half. */
  readonly id: string;
  /** Key its statements are signed with: what a client pins. */
  readonly statementKey: PublicJwk;
  /** C2SP verifier key of its audit log. */
  readonly logVerifierKey: string;
};

export type RunningCustodianChild = Ready & {
  /** Of the process that runs now; undefined while it is started again. */
  readonly pid: () => number | undefined;
  readonly stop: () => Promise<void>;
};

const program = path.resolve(import.meta.dirname, '..', 'custodian', 'main.ts');
const startTimeoutMs = 60_000;
const stopTimeoutMs = 20_000;
/** One that lived so long did not fail at its start. */
const healthyMs = 30_000;

/** Where a custodian that shares the platform's PostgreSQL server keeps what it keeps: the database `<name>_custodian`. */
export function custodianDatabaseUrl(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  url.pathname = `${url.pathname}_custodian`;
  return url.href;
}

/**
 * Starts a custodian as a process of its own and waits until it is ready; starts it again, on its port, when it dies.
 * It gets the settings named here and nothing of this process's environment, and ends with this process.
 * What it says of itself comes from the process that was started, so its statement key may be pinned.
 * Errors: CUSTODIAN_UNAVAILABLE when it does not come up; it has said why on standard error.
 */
export async function startCustodianChild(options: CustodianChildOptions): Promise<RunningCustodianChild> {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const jwksFile = path.join(options.folder, 'gateway.jwks.json');
  writeFileSync(`${jwksFile}.new`, JSON.stringify(options.gatewayJwks), { mode: 0o600 });
  renameSync(`${jwksFile}.new`, jwksFile);
  const environment = (port: number): NodeJS.ProcessEnv => ({
    CUSTODIAN_PORT: String(port), CUSTODIAN_KEYS_FOLDER: options.folder, CUSTODIAN_DATABASE_URL: custodianDatabaseUrl(options.databaseUrl),
    CUSTODIAN_GATEWAY_URL: options.gatewayUrl, CUSTODIAN_GATEWAY_JWKS_FILE: jwksFile, ...options.settings,
  });
  let stopping = false;
  let child: ChildProcess | undefined;
  let failures = 0;

  const start = async (port: number): Promise<Ready> => {
    const startedMs = performance.now();
    const started = fork(program, [], { env: environment(port), stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [...custodianFlags] });
    child = started;
    started.once('exit', (code) => {
      child = undefined;
      if (stopping || ready === undefined) return;
      failures = performance.now() - startedMs > healthyMs ? 1 : failures + 1;
      const waitMs = backOffMs(failures);
      options.log.write('custodian.child_exited', { exit_code: code ?? undefined, restart_in_ms: waitMs });
      void restart(Number(new URL(ready.url).port), waitMs);
    });
    return untilReady(started);
  };
  const restart = async (port: number, waitMs: number) => {
    await delay(waitMs, undefined, { ref: false });
    if (!stopping) await start(port).catch(() => {}); // its exit starts the next one
  };

  let ready: Ready | undefined;
  ready = await start(options.port ?? 0);
  return {
    ...ready,
    pid: () => child?.pid,
    async stop() {
      stopping = true;
      if (child !== undefined) await stopChild(child);
    },
  };
}

function untilReady(child: ChildProcess): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const failed = () => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new VeilgateError('CUSTODIAN_UNAVAILABLE', 'The custodian does not start: read what it said, and check its folder and database.'));
    };
    const timer = setTimeout(failed, startTimeoutMs);
    child.once('error', failed);
    child.once('exit', failed);
    child.once('message', (message: { readonly ready: Ready }) => {
      clearTimeout(timer);
      child.off('exit', failed);
      resolve(message.ready);
    });
  });
}

async function stopChild(child: ChildProcess): Promise<void> {
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const abort = new AbortController();
  const late = delay(stopTimeoutMs, 'late', { signal: abort.signal }).catch(() => 'exited');
  if ((await Promise.race([exited, late])) === 'late') child.kill('SIGKILL');
  abort.abort();
}
