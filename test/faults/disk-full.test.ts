import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { until } from '../support/until.ts';
import { checkAccounts, watchLog, type LogWatch } from './support/accounts.ts';
import { openDesk, type Desk } from './support/asking.ts';
import { isAlive, startFaultPlatform, type FaultPlatform } from './support/platform.ts';

const sizeMb = 220;

describe('a full disk under PostgreSQL', () => {
  let mount: string;
  let mounted = false;
  let platform: FaultPlatform;
  let desk: Desk;
  let log: LogWatch;
  const filler = () => path.join(mount, 'filler');

  before(async function () {
    this.timeout(60_000);
    mount = mkdtempSync(path.join(os.tmpdir(), 'veilgate-disk-'));
    mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m,mode=755`, 'tmpfs', mount]).status === 0;
    if (!mounted) {
      console.log('      skipped: a small filesystem can only be mounted by root, in a machine that allows it');
      return this.skip();
    }
    platform = await startFaultPlatform({ databaseFolder: path.join(mount, 'database'), databaseSettings: { min_wal_size: '32MB', max_wal_size: '32MB' } });
    await platform.startGateway();
    desk = await openDesk(platform);
    log = await watchLog(platform);
  });
  after(async () => {
    await platform?.close();
    if (mounted) spawnSync('umount', ['-l', mount]);
    if (mount !== undefined) rmSync(mount, { recursive: true, force: true });
  });

  it('has queries refused with a clear code and nothing disclosed when tables cannot grow; free space is all it needs', async function () {
    const { subject } = await platform.grant(10_000);
    assert.equal((await desk.ask(subject)).kind, 'answered');
    await platform.database.query('checkpoint');
    const pid = platform.databasePid();
    fillUp(filler());
    await until('queries are refused', async () => (await desk.ask(subject)).kind === 'refused');
    assert.equal(await faultOf(platform, 'create table needs_room as select repeat(md5(n::text), 100) from generate_series(1, 10000) as n'), '53100');
    const refused = await Promise.all(Array.from({ length: 20 }, () => desk.ask(subject)));
    assert.ok(refused.some(({ kind }) => kind === 'refused'));
    assertClear(desk);
    rmSync(filler());
    await until('queries are answered', async () => (await desk.ask(subject)).kind === 'answered');
    assert.equal(platform.databasePid(), pid, 'the server went on all the time');
    await checkAccounts(platform, desk.asked);
    await log.check();
  });

  it('has queries refused when the write-ahead log cannot grow and the server gives up; it needs free space and a start', async function () {
    const { subject } = await platform.grant(10_000);
    assert.equal((await desk.ask(subject)).kind, 'answered');
    const pid = platform.databasePid();
    fillUp(filler());
    // every switch begins a new file of 16 MB, for which there is no room
    await until('the server gives up', async () => {
      await platform.database.query("select pg_logical_emit_message(false, 'fault', repeat('x', 1000000)), pg_switch_wal()").catch(() => {});
      await desk.ask(subject);
      return !isAlive(pid);
    });
    const refused = await desk.ask(subject);
    assert.equal(refused.kind === 'refused' && refused.code, 'STORE_UNAVAILABLE');
    assertClear(desk);
    rmSync(filler());
    await platform.startDatabase();
    await until('queries are answered', async () => (await desk.ask(subject)).kind === 'answered');
    await checkAccounts(platform, desk.asked);
    await log.check();
  });
});

/** SQLSTATE of a statement that fails, as the server says it. */
async function faultOf(platform: FaultPlatform, statement: string): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: platform.database.url });
  await client.connect();
  try {
    await client.query(statement);
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  } finally {
    await client.end();
  }
}

function assertClear(desk: Desk): void {
  for (const { outcome } of desk.asked) {
    assert.notEqual(outcome.kind, 'broken');
    if (outcome.kind !== 'refused') continue;
    assert.ok(outcome.code === 'STORE_UNAVAILABLE' || outcome.code === 'AUDIT_UNAVAILABLE', outcome.code);
    assert.equal(outcome.status, 503);
    assert.ok(Number(outcome.headers['retry-after']) > 0);
  }
}

/** Leaves not one free block. */
function fillUp(file: string): void {
  const handle = openSync(file, 'w');
  for (const size of [1 << 20, 1 << 12]) {
    const block = Buffer.alloc(size);
    try {
      while (statfsSync(file).bavail > 0) writeSync(handle, block);
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    }
  }
  closeSync(handle);
}
