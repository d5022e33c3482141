import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startCluster, type Cluster } from '../../src/store/cluster.ts';
import { applySchema, openDatabase, type Database } from '../../src/store/database.ts';

let cluster: Promise<{ cluster: Cluster; template: string }> | undefined;
let folder: string | undefined;
let count = 0;
const open = new Set<Database>();

/** One PostgreSQL server for the whole test run, with a template database that holds the schema. */
function testCluster() {
  cluster ??= (async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-test-'));
    chmodSync(folder, 0o755); // root hands the server to another user, who must reach it
    const started = await startCluster({ folder, settings: { fsync: 'off', shared_buffers: '128MB' } });
    const template = openDatabase({ url: started.url(), maxConnections: 1 });
    await applySchema(template);
    await template.close();
    return { cluster: started, template: 'veilgate' };
  })();
  return cluster;
}

/** An empty database with the full schema, its own for each caller; closed and dropped with the run. */
export async function freshDatabase(options: { maxConnections?: number } = {}): Promise<Database> {
  const { cluster: server, template } = await testCluster();
  const name = `t${process.pid}_${++count}`;
  const admin = openDatabase({ url: server.url('postgres'), maxConnections: 1 });
  await admin.query(`create database ${name} template ${template}`);
  await admin.close();
  const database = openDatabase({ url: server.url(name), maxConnections: options.maxConnections ?? 5 });
  open.add(database);
  return database;
}

export async function stopTestCluster(): Promise<void> {
  if (cluster === undefined) return;
  await Promise.all([...open].map((database) => database.close().catch(() => {})));
  await (await cluster).cluster.stop();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}
