import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startCluster } from '../../src/store/cluster.ts';
import { applySchema, openDatabase, type Database } from '../../src/store/database.ts';

/** Nothing here outlives the run, and hundreds of databases come and go: nothing is kept safe from a crash, and none is looked after. */
const settings = { fsync: 'off', full_page_writes: 'off', shared_buffers: '128MB', autovacuum: 'off' };

/** Where the server of a parallel run is: the runner starts it and tells its workers. */
const shared = 'VEILGATE_TEST_CLUSTER';
const template = 'veilgate';

type TestCluster = { readonly url: (name: string) => string; readonly stop: () => Promise<void> };

let cluster: Promise<TestCluster> | undefined;
let count = 0;
const open = new Set<Database>();

/** One PostgreSQL server for the whole test run, with a template database that holds the schema. */
function testCluster(): Promise<TestCluster> {
  const given = process.env[shared];
  cluster ??= given === undefined ? startTestCluster() : Promise.resolve({ url: (name) => `${given}/${name}`, stop: async () => {} });
  return cluster;
}

async function startTestCluster(): Promise<TestCluster> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-test-'));
  chmodSync(folder, 0o755); // root hands the server to another user, who must reach it
  const started = await startCluster({ folder, settings });
  const end = () => { if (started.pid !== undefined) process.kill(started.pid, 'SIGQUIT'); };
  process.once('exit', end); // a run that is interrupted leaves no server behind
  const schema = openDatabase({ url: started.url(template), maxConnections: 1 });
  await applySchema(schema);
  await schema.close();
  return {
    url: started.url,
    async stop() {
      await started.stop();
      process.off('exit', end);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Starts the server that all workers of a parallel run share; they get it from the environment. */
export async function shareTestCluster(): Promise<void> {
  process.env[shared] = (await (cluster = startTestCluster())).url('').replace(/\/$/, '');
}

/** An empty database with the full schema, its own for each caller; closed and dropped with the run. */
export async function freshDatabase(options: { maxConnections?: number } = {}): Promise<Database> {
  const server = await testCluster();
  const name = `t${process.pid}_${++count}`;
  const admin = openDatabase({ url: server.url('postgres'), maxConnections: 1 });
  await admin.query(`create database ${name} template ${template} strategy file_copy`); // by the log it takes five times the work
  await admin.close();
  const database = openDatabase({ url: server.url(name), maxConnections: options.maxConnections ?? 5 });
  open.add(database);
  return database;
}

export async function stopTestCluster(): Promise<void> {
  await Promise.all([...open].map((database) => database.close().catch(() => {})));
  await (await cluster)?.stop();
}
