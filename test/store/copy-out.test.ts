import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { isVeilgateError } from '../../src/errors.ts';
import { openDatabase, type Database } from '../../src/store/database.ts';
import { freshDatabase } from '../support/database.ts';

describe('reading bytes at full speed', () => {
  let database: Database;
  const rows = [0, 1, 65_536, 131_185, 3].map((length) => randomBytes(length));
  before(async () => {
    database = await freshDatabase();
    await database.query('create table held (at integer primary key, bytes bytea)');
    for (const [at, bytes] of rows.entries()) await database.query('insert into held values ($1, $2)', [at, bytes]);
  });

  it('gives every row\'s bytes, in order, each in a buffer of its own', async () => {
    const read = await database.readBytes('select bytes from held order by at');
    assert.deepEqual(read.map((bytes) => Buffer.from(bytes)), rows);
    assert.ok(read.every((bytes) => bytes.buffer.byteLength === bytes.length && !Buffer.isBuffer(bytes)));
    assert.deepEqual(await database.readBytes('select bytes from held where false'), []);
  });

  it('gives the same to many at once', async () => {
    const all = await Promise.all(Array.from({ length: 12 }, (_, at) => database.readBytes(`select bytes from held where at = ${at % 5}`)));
    all.forEach((read, at) => assert.deepEqual(Buffer.from(read[0] ?? []), rows[at % 5]));
  });

  it('fails without harm on what is not one column of bytes, on mistakes and on nulls', async () => {
    await assert.rejects(database.readBytes('select bytes, bytes from held'), TypeError);
    await assert.rejects(database.readBytes('select null::bytea'), TypeError);
    await assert.rejects(database.readBytes('select nothing from held'), { code: '42703' });
    await assert.rejects(database.readBytes('select decode(repeat(\'zz\', 9), \'hex\') from held'), { code: '22023' });
    assert.equal((await database.readBytes('select bytes from held')).length, rows.length);
  });

  it('says that the database is not available when it is not', async () => {
    const nowhere = openDatabase({ url: 'postgresql://127.0.0.1:1/none', statementTimeoutMs: 500 });
    await assert.rejects(nowhere.readBytes('select 1'), (error) => isVeilgateError(error, 'STORE_UNAVAILABLE'));
    await nowhere.close();
    const slow = openDatabase({ url: database.url, statementTimeoutMs: 200 });
    await assert.rejects(slow.readBytes('select bytes from held, pg_sleep(5)'), (error) => isVeilgateError(error, 'STORE_UNAVAILABLE'));
    assert.equal((await slow.readBytes('select bytes from held')).length, rows.length);
    await slow.close();
  });
});
