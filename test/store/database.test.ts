import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { isVeilgateError } from '../../src/errors.ts';
import { applySchema, openDatabase, type Statement } from '../../src/store/database.ts';
import { freshDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

describe('store/database', () => {
  it('rolls a transaction back when its work throws', async () => {
    const database = await freshDatabase();
    await database.query('create table thing (n bigint not null)');
    await assert.rejects(database.transaction('insert and fail', async (tx) => {
      await tx.query('insert into thing values (1)');
      throw new Error('no');
    }), /no/);
    const { rows } = await database.query('select count(*) as n from thing');
    assert.equal(rows[0]?.n, 0);
  });

  it('keeps an eager transaction whole: all of it or nothing, whichever statement fails', async () => {
    const database = await freshDatabase();
    await database.query('create table thing (n bigint primary key)');
    const insertAll = (numbers: readonly number[]) => database.eagerTransaction('insert all', async (tx) => {
      const [first, second, ...last] = numbers.map((n) => ({ text: 'insert into thing values ($1)', values: [n] }));
      await Promise.all([tx.query(first as Statement), tx.query(second as Statement)]);
      return { statements: last, result: (answers) => answers.length + 2 };
    });
    for (const numbers of [[1, 1, 2, 3], [1, 2, 1, 3], [1, 2, 3, 1]]) await assert.rejects(insertAll(numbers));
    assert.equal((await database.query('select from thing')).rowCount, 0);
    assert.equal(await insertAll([1, 2, 3, 4]), 4);
    assert.equal((await database.query('select from thing')).rowCount, 4);
  });

  it('commits nothing of an ending when one of its statements cannot even be sent, wherever it stands', async () => {
    const database = await freshDatabase({ maxConnections: 1 });
    await database.query('create table thing (n bigint primary key)');
    const unwritable: Statement = { text: 'insert into thing values ($1)', values: [{ toPostgres() { throw new Error('no text'); } }] };
    const unnamed: Statement = { name: 'one', text: 'insert into thing values (10)' };
    for (const [at, wrong] of [unwritable, { ...unnamed, text: 'insert into thing values (11)' }].entries()) {
      for (const statements of [[{ text: 'insert into thing values (1)' }, wrong], [wrong, { text: 'insert into thing values (2)' }]]) {
        await assert.rejects(database.eagerTransaction('unsendable', async (tx) => {
          if (at === 1) await tx.query(unnamed); // one name for two statements
          return { statements, result: () => undefined };
        }), /no text|must be unique/);
        assert.equal((await database.query('select from thing')).rowCount, 0);
      }
    }
  });

  it('says that nothing was changed when a statement sent with the commit was ended, and that the outcome is unknown when the commit was', async () => {
    const { url } = await freshDatabase();
    const database = openDatabase({ url, maxConnections: 2 });
    try {
      await database.query('create table thing (n bigint primary key)');
      const endingWith = (text: string) => database.eagerTransaction('ended', async (tx) => {
        await tx.query('insert into thing values (1)');
        return { statements: [{ text }], result: () => undefined };
      });
      await assert.rejects(endingWith('select pg_terminate_backend(pg_backend_pid())'), (error) => isVeilgateError(error, 'STORE_UNAVAILABLE') && error.detail?.['outcome'] === undefined);
      await database.query(`create function end_it() returns trigger language plpgsql as 'begin perform pg_terminate_backend(pg_backend_pid()); return null; end'`);
      await database.query('create constraint trigger late after insert on thing deferrable initially deferred for each row execute function end_it()');
      await assert.rejects(endingWith('select 1'), (error) => isVeilgateError(error, 'STORE_UNAVAILABLE') && error.detail?.['outcome'] === 'unknown');
      assert.equal((await database.query('select from thing')).rowCount, 0);
    } finally {
      await database.close();
    }
  });

  it('lets nothing of an eager transaction go on once its begin has failed', async () => {
    const database = await freshDatabase({ maxConnections: 1 });
    await database.query('create table thing (n bigint primary key)');
    const { query } = pg.Client.prototype;
    const refusing = function (this: pg.Client, ...asked: unknown[]): unknown {
      return asked[0] === 'begin' ? Promise.reject(new Error('no begin')) : Reflect.apply(query, this, asked);
    };
    pg.Client.prototype.query = refusing as typeof query; // a fault that no server can be brought to on demand
    let late: Promise<unknown> = Promise.resolve();
    try {
      await assert.rejects(database.eagerTransaction('late', async (tx) => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        late = tx.query('insert into thing values (1)');
        await late;
        return { statements: [], result: () => undefined };
      }), /no begin/);
    } finally {
      pg.Client.prototype.query = query;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
    await assert.rejects(late);
    assert.equal((await database.query('select from thing')).rowCount, 0);
  });

  it('says that a text holds what PostgreSQL cannot keep, and quotes nothing of it', async () => {
    const database = await freshDatabase();
    for (const [sql, value] of [['select $1::text', 'canary\0'], ['select $1::jsonb', '{"canary":"\\u0000"}']] as const) {
      await assert.rejects(database.query(sql, [value]), (error) => isVeilgateError(error, 'REQUEST_INVALID') && !JSON.stringify([error.message, error.detail]).includes('canary'));
    }
  });

  it('never takes for committed what the server rolled back because a statement had failed unnoticed', async () => {
    const database = await freshDatabase();
    await database.query('create table thing (n bigint not null)');
    await assert.rejects(database.transaction('swallow', async (tx) => {
      await tx.query('insert into thing values (1)');
      await tx.query('select 1 / 0').catch(() => {});
    }), /rolled back/);
    assert.equal((await database.query('select from thing')).rowCount, 0);
  });

  it('applies a schema that takes longer than a statement may', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-schema-'));
    const file = path.join(folder, '999-slow.sql');
    writeFileSync(file, 'create table rewritten (at integer); insert into rewritten select 1 from pg_sleep(1.6);');
    const { url } = await freshDatabase();
    const hurried = openDatabase({ url: `${url}?options=-c%20statement_timeout%3D300`, statementTimeoutMs: 200 });
    await applySchema(hurried, [file]);
    assert.equal((await hurried.query('select from rewritten')).rowCount, 1);
    await assert.rejects(hurried.query('select pg_sleep(1.6)'), (error) => isVeilgateError(error, 'STORE_UNAVAILABLE'), 'this database has a time limit');
    await hurried.close();
    rmSync(folder, { recursive: true });
  });

  it('says that it may be tried again when the server gives up one of two that wait for each other', async () => {
    const database = await freshDatabase();
    await database.query("create table thing (n bigint not null); insert into thing values (1), (2)");
    const both = [[1, 2], [2, 1]].map(([first, second]) => database.transaction('cross', async (tx) => {
      await tx.query('update thing set n = n where n = $1', [first]);
      await until('the other holds its own', async () => ((await database.query("select from pg_locks where relation = 'thing'::regclass and mode = 'RowExclusiveLock' and granted")).rowCount ?? 0) > 1 || undefined);
      await tx.query('update thing set n = n where n = $1', [second]);
    }));
    const outcomes = await Promise.allSettled(both);
    assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
    assert.ok(outcomes.every((outcome) => outcome.status === 'fulfilled' || isVeilgateError(outcome.reason, 'STORE_UNAVAILABLE')), JSON.stringify(outcomes));
    for (const state of ['40001', '40P01', '55P03']) {
      await assert.rejects(database.query(`do $$ begin raise exception 'canary' using errcode = '${state}'; end $$`), (error) => isVeilgateError(error, 'STORE_UNAVAILABLE') && !error.message.includes('canary'), state);
    }
    assert.equal((await database.query('select from thing')).rowCount, 2, 'the connection goes on');
  });

  it('says so as well when it is closed meanwhile', async () => {
    const database = openDatabase({ url: (await freshDatabase()).url });
    await database.close();
    await assert.rejects(database.query('select 1'), (error) => isVeilgateError(error, 'STORE_UNAVAILABLE'));
  });

  it('ends a statement, and a transaction that pauses, after their time, and frees what they locked', async () => {
    const { url } = await freshDatabase();
    const hasty = openDatabase({ url, maxConnections: 2, statementTimeoutMs: 300 });
    try {
      await assert.rejects(hasty.query('select pg_sleep(5)'), (error) => isVeilgateError(error, 'STORE_UNAVAILABLE'));
      const { rows: [asleep] } = await hasty.query<{ n: number }>("select count(*) as n from pg_stat_activity where datname = current_database() and state = 'active' and query like 'select pg_sleep%'");
      assert.equal(asleep?.n, 0, 'the server ended it, not only we');
      await hasty.query('create table thing (n bigint not null)');
      await hasty.query('insert into thing values (1)');
      const paused = hasty.transaction('pause', async (tx) => {
        await tx.query('update thing set n = 2');
        await new Promise((resolve) => setTimeout(resolve, 900));
        await tx.query('update thing set n = 3');
      });
      await assert.rejects(paused, (error) => isVeilgateError(error, 'STORE_UNAVAILABLE'));
      await hasty.query('update thing set n = n + 10');
      assert.deepEqual((await hasty.query('select n from thing')).rows, [{ n: 11 }]);
    } finally {
      await hasty.close();
    }
  });
});
