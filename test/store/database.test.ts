import { strict as assert } from 'node:assert';
import pg from 'pg';
import { isVeilgateError } from '../../src/errors.ts';
import { openDatabase } from '../../src/store/database.ts';
import { freshDatabase } from '../support/database.ts';

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
      await Promise.all(numbers.map((n) => tx.query('insert into thing values ($1)', [n])));
      return numbers.length;
    });
    for (const numbers of [[1, 1, 2], [1, 2, 1], [1, 2, 2]]) await assert.rejects(insertAll(numbers));
    assert.equal((await database.query('select from thing')).rowCount, 0);
    assert.equal(await insertAll([1, 2, 3]), 3);
    assert.equal((await database.query('select from thing')).rowCount, 3);
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
      }), /no begin/);
    } finally {
      pg.Client.prototype.query = query;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
    await assert.rejects(late);
    assert.equal((await database.query('select from thing')).rowCount, 0);
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
