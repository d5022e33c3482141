import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Writable } from 'node:stream';
import pg from 'pg';
import { VeilgateError } from '../errors.ts';
import { bytesReader, type BytesReader } from './copy-out.ts';

/** What a query needs: a pool, a connection or an open transaction. Statements with a `name` are prepared once. */
export interface Sql {
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(text: string | pg.QueryConfig, values?: readonly unknown[]): Promise<pg.QueryResult<Row>>;
}

declare const inTransaction: unique symbol;
/** Sql inside a transaction: a function that takes a Tx takes part in its caller's all-or-nothing. */
export interface Tx extends Sql {
  readonly [inTransaction]: true;
}

/** A statement that is made and not sent yet. */
export type Statement = pg.QueryConfig;
/** What a statement was answered with. */
export type StatementAnswer = pg.QueryResult;

/**
 * What a transaction ends with: statements made beforehand, which travel together with `commit`, so that nothing but the
 * server can fail between them, and locks they take are held no longer than the server itself needs.
 */
export type Ending<T> = {
  readonly statements: readonly Statement[];
  /** What their answers mean, in order. Called once all is committed: whatever must not be committed fails in SQL. */
  readonly result: (answers: readonly StatementAnswer[]) => T;
};

export interface Database extends Sql {
  /** Runs `work` in one transaction (read committed); its result means committed. Any throw rolls back. */
  transaction<T>(name: string, work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * The same in fewer trips: `begin` and whatever `work` asks for right away travel together, and so do its ending and
   * `commit`. Should `begin` alone
   * fail, what was sent with it may have run outside a transaction; the connection ends there, nothing follows, and the
   * call throws: use it only where the first statements do no harm alone.
   */
  eagerTransaction<T>(name: string, work: (tx: Tx) => Promise<Ending<T>>): Promise<T>;
  /** The bytes of many rows at full speed, outside any transaction; see BytesReader.read. */
  readonly readBytes: BytesReader['read'];
  /** True when the server answers within `timeoutMs`. */
  ready(timeoutMs: number): Promise<boolean>;
  readonly url: string;
  close(): Promise<void>;
}

export type DatabaseOptions = {
  readonly url: string;
  readonly maxConnections?: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string;
  /**
   * Longest a statement may take, and longest a transaction may pause between statements: then the server ends it
   * and frees what it locked, even when this process is gone. A server that has not answered a second later is
   * given up. Absent: no limit.
   */
  readonly statementTimeoutMs?: number;
};

/** Longest wait for a connection, a new one or one that others use. */
const connectTimeoutMs = 5000;
/** Connections that read bytes, opened when they are needed. */
const bytesConnectionsMax = 2;
/** How much longer than the server's own limit an answer is waited for. */
const graceMs = 1000;

// bigint columns hold counts, indices and cents: all below 2^53 by their checks
pg.types.setTypeParser(pg.types.builtins.INT8, (text) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError('bigint beyond 2^53');
  return value;
});
// dates stay YYYY-MM-DD: a Date would shift them with the time zone
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text);

/** Connects lazily. Connection faults, statements that took too long and those the server gave up for others become STORE_UNAVAILABLE; every other SQL error passes unchanged. */
export function openDatabase(options: DatabaseOptions): Database {
  const connection: pg.PoolConfig = {
    connectionString: options.url,
    application_name: options.applicationName ?? 'veilgate',
    connectionTimeoutMillis: Math.min(connectTimeoutMs, options.statementTimeoutMs ?? connectTimeoutMs),
    idleTimeoutMillis: 30_000,
    allowExitOnIdle: true,
    keepAlive: true,
    ...(options.statementTimeoutMs === undefined ? {} : {
      statement_timeout: options.statementTimeoutMs,
      idle_in_transaction_session_timeout: options.statementTimeoutMs,
      query_timeout: options.statementTimeoutMs + graceMs,
    }),
  };
  // statements of one transaction that do not wait for each other's results travel together
  const pool = new pg.Pool({ ...connection, max: options.maxConnections ?? 10, pipeline: true });
  const bytes = bytesReader({ ...connection, max: bytesConnectionsMax });
  pool.on('error', () => {}); // an idle connection broke: the next query reports it

  const query: Sql['query'] = async (text, values) => {
    try {
      return await pool.query(text as string, values as unknown[] | undefined);
    } catch (error) {
      throw asStoreError(error);
    }
  };

  const transaction = async <T>(name: string, run: (client: pg.PoolClient) => Promise<Ending<T>>): Promise<T> => {
    const client = await pool.connect().catch((error: unknown) => {
      throw asStoreError(error);
    });
    let broken: Error | undefined;
    const onError = (error: Error) => { broken = error; };
    client.on('error', onError);
    let committing = false;
    try {
      const { statements, result } = await run(client);
      const sent = await sendCorked(client, statements);
      committing = true;
      const committed = client.query('commit');
      streamOf(client).uncork();
      const [answers, { command }] = await Promise.all([
        Promise.all(sent).catch((error: unknown) => {
          committing = !(error instanceof pg.DatabaseError); // what the server refused, it does not commit
          throw error;
        }),
        committed,
      ]);
      // of a transaction in which a statement failed unnoticed, PostgreSQL takes `commit` for `rollback` without an error
      if (command !== 'COMMIT') throw new Error(`transaction ${name} was rolled back: one of its statements had failed`);
      return result(answers);
    } catch (error) {
      if (isConnectionFault(error)) broken = error as Error;
      else await client.query('rollback').catch((rollbackError: Error) => { broken = rollbackError; });
      if (committing && broken !== undefined) throw unconfirmed(name);
      throw asStoreError(error, name);
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  };

  return {
    url: options.url,
    query,
    transaction: (name, work) => transaction(name, async (client) => {
      await client.query('begin');
      const result = await work(client as unknown as Tx);
      return { statements: [], result: () => result };
    }),
    eagerTransaction: (name, work) => transaction(name, (client) => beginWith(client, work)),
    async readBytes(select, room) {
      try {
        return await bytes.read(select, room);
      } catch (error) {
        throw asStoreError(error);
      }
    },
    async ready(timeoutMs) {
      const timeout = new Promise<false>((resolve) => setTimeout(() => resolve(false), timeoutMs).unref());
      return Promise.race([query('select 1').then(() => true, () => false), timeout]);
    },
    close: async () => { await Promise.all([pool.end(), bytes.close()]); },
  };
}

/** Corks the socket for one turn, so that `begin` and the first statements of `work` leave in one packet. */
async function beginWith<T>(client: pg.PoolClient, work: (tx: Tx) => Promise<T>): Promise<T> {
  const stream = streamOf(client);
  stream.cork();
  process.nextTick(() => stream.uncork());
  const begun = client.query('begin').catch((error: unknown) => {
    stream.destroy(); // or `work` would go on, outside any transaction and on a connection that others use by then
    throw error;
  });
  const [, result] = await Promise.all([begun, work(client as unknown as Tx)]);
  return result;
}

/**
 * Writes statements into the corked socket and leaves it corked, for `commit` to follow. A statement that cannot even be
 * written makes this throw, and what was written goes out without a `commit`.
 */
async function sendCorked(client: pg.PoolClient, statements: readonly Statement[]): Promise<readonly Promise<pg.QueryResult>[]> {
  const stream = streamOf(client);
  stream.cork();
  try {
    const sent = statements.map((statement) => client.query(statement));
    if (sent.length === 0) return sent;
    let unwritten: { readonly error: unknown } | undefined;
    for (const each of sent) each.catch((error: unknown) => { unwritten ??= { error }; });
    await thisTurn();
    if (unwritten !== undefined) throw unwritten.error;
    return sent;
  } catch (error) {
    stream.uncork();
    throw error;
  }
}

/** Until all that was due when this is called, promises and pg's own `nextTick`, has run; nothing comes in meanwhile. */
function thisTurn(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(() => queueMicrotask(() => process.nextTick(resolve)));
  });
}

/** The connection's socket, which pg's types do not name. */
function streamOf(client: pg.PoolClient): Writable {
  return (client as unknown as { readonly connection: { readonly stream: Writable } }).connection.stream;
}

const connectionFaults = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', '57P01', '57P02', '57P03', '57014', '25P03', '08000', '08003', '08006', '53100', '53200', '53300', '58030', '25006']);

function isConnectionFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: string }).code;
  if (code !== undefined) return connectionFaults.has(code);
  return /terminat|timeout|connection|not queryable|calling end on the pool/i.test(error.message);
}

/** The server gave the statement up for others: serialization_failure, deadlock_detected, lock_not_available. The connection is as good as before. */
const givenUp = new Set(['40001', '40P01', '55P03']);

/** Whether the same might go well in a few seconds. */
function isPassing(error: unknown): boolean {
  return isConnectionFault(error) || givenUp.has(String((error as { readonly code?: unknown } | undefined)?.code));
}

/** SQLSTATEs character_not_in_repertoire and untranslatable_character: what we send is UTF-8, so it is U+0000, which no text in PostgreSQL holds. */
const unstorable = new Set(['22021', '22P05']);

/** SQL errors can quote the values they failed on; only the kind of fault goes on. */
function asStoreError(error: unknown, transaction?: string): unknown {
  if (unstorable.has(String((error as { readonly code?: unknown } | undefined)?.code))) {
    return new VeilgateError('REQUEST_INVALID', 'A text holds the character U+0000, which cannot be kept: take it out.');
  }
  if (error instanceof VeilgateError || !isPassing(error)) return error;
  return transaction === undefined
    ? new VeilgateError('STORE_UNAVAILABLE', 'The platform\'s database is not available right now: try again in a few seconds.')
    : new VeilgateError('STORE_UNAVAILABLE', 'The platform\'s database is not available right now; nothing was changed. Try again in a few seconds.', { transaction });
}

/** The server was told to commit and fell silent: it may have done so or not. */
function unconfirmed(transaction: string): VeilgateError {
  return new VeilgateError('STORE_UNAVAILABLE', 'The platform\'s database broke off before it said whether this was stored: look whether it was before you repeat it.', { transaction, outcome: 'unknown' });
}

/** SQLSTATE invalid_catalog_name: the server has no such database. */
const databaseMissing = '3D000';

/**
 * Makes the database of `url` when the server has none of that name and the user may; does nothing when it is there.
 * Errors: STORE_UNAVAILABLE; SQL errors as they come.
 */
export async function createDatabase(url: string): Promise<void> {
  const name = decodeURIComponent(new URL(url).pathname.slice(1));
  const there = await withClient(url, () => Promise.resolve(true)).catch((error: unknown) => {
    if ((error as { code?: string }).code === databaseMissing) return false;
    throw asStoreError(error);
  });
  if (there) return;
  const admin = new URL(url);
  admin.pathname = '/postgres';
  await withClient(admin.href, (client) => client.query(`create database ${pg.escapeIdentifier(name)}`)).catch((error: unknown) => {
    const { code = '' } = error as { code?: string };
    // another process was faster: duplicate_database, or a unique_violation in its catalogue
    if (['42P04', '23505'].includes(code)) return;
    if (code === '42501') throw new VeilgateError('STORE_UNAVAILABLE', 'The database is not there and this user may not make it: have its administrator create it.');
    throw asStoreError(error);
  });
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: connectTimeoutMs });
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/** True for PostgreSQL's unique_violation, optionally of one named constraint. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const fault = error as { code?: string; constraint?: string };
  return fault?.code === '23505' && (constraint === undefined || fault.constraint === constraint);
}

/** PostgreSQL 18, for `returning old/new`. */
const serverVersionMin = 180_000;
const schemaFolder = path.join(import.meta.dirname, 'schema');

/** Files of schema/ in order; `room` picks those of one room alone, such as `audit`. */
export function schemaFiles(room?: string): readonly string[] {
  const ending = room === undefined ? '.sql' : `-${room}.sql`;
  return readdirSync(schemaFolder).filter((name) => name.endsWith(ending)).sort().map((name) => path.join(schemaFolder, name));
}

/**
 * Brings the database to this version's schema: every file once, in order, in one transaction,
 * under a lock so that many nodes may start at once. A file that changed after it was applied is refused. On a connection of
 * its own without time limits: what rewrites a large table, or waits for a node that does, takes as long as it takes.
 * @param files the gateway's whole schema when absent; file names tell them apart
 * Errors: STORE_SCHEMA_MISMATCH.
 */
export async function applySchema({ url }: Pick<Database, 'url'>, files: readonly string[] = schemaFiles()): Promise<void> {
  const unhurried = openDatabase({ url, maxConnections: 1, applicationName: 'veilgate schema' });
  await unhurried.transaction('apply schema', (tx) => applyMissing(tx, files)).finally(() => unhurried.close());
}

async function applyMissing(tx: Tx, files: readonly string[]): Promise<void> {
  await tx.query('set local statement_timeout = 0'); // an administrator may have set one for this user
  await tx.query("select pg_advisory_xact_lock(hashtext('veilgate schema'))");
  const { rows: [server] } = await tx.query<{ version: string }>("select current_setting('server_version_num') as version");
  if (Number(server?.version) < serverVersionMin) {
    throw new VeilgateError('STORE_SCHEMA_MISMATCH', 'Veilgate needs PostgreSQL 18 or later: upgrade the server of DATABASE_URL, or leave it out to use the packaged one.');
  }
  await tx.query('create table if not exists schema_file (name text primary key, sha256 text not null, applied_at timestamptz not null default now())');
  const applied = new Map((await tx.query<{ name: string; sha256: string }>('select name, sha256 from schema_file')).rows.map((row) => [row.name, row.sha256]));
  for (const file of files) {
    const name = path.basename(file);
    const text = readFileSync(file, 'utf8');
    const sha256 = createHash('sha256').update(text).digest('hex');
    const before = applied.get(name);
    if (before === sha256) continue;
    if (before !== undefined) {
      throw new VeilgateError('STORE_SCHEMA_MISMATCH', `The database was made with another version of schema/${name}: run the version that made it, or start with an empty database.`, { file: name });
    }
    await tx.query(text);
    await tx.query('insert into schema_file (name, sha256) values ($1, $2)', [name, sha256]);
  }
}
