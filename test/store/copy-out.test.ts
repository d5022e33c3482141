import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
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

  it('writes to the room that is given, of shared memory too, however it comes', async () => {
    const memory = new SharedArrayBuffer(200_000);
    const at = [0, 0, 1, 65_537, 196_722];
    for (const pieceBytes of [997, 20_000, 1_000_000]) {
      const { server, url } = await proxy(database.url, { pieceBytes, bytesMax: Infinity });
      const through = openDatabase({ url });
      new Uint8Array(memory).fill(0);
      const read = await through.readBytes('select bytes from held order by at', (row, length) => new Uint8Array(memory, at[row], length));
      assert.ok(read.every((bytes, row) => bytes.buffer === memory && rows[row]?.equals(bytes)), `in pieces of ${pieceBytes}`);
      await through.close();
      server.close();
    }
  });

  it('writes nothing any more to the room of a read that was given up', async () => {
    const { server, url, goOn } = await proxy(database.url, { pieceBytes: 1_000_000, bytesMax: 100_000 });
    const slow = openDatabase({ url, statementTimeoutMs: 300 });
    const room = new Uint8Array(new SharedArrayBuffer(131_185));
    await assert.rejects(slow.readBytes('select bytes from held where at = 3', () => room), (error) => isVeilgateError(error, 'STORE_UNAVAILABLE'));
    const before = Buffer.from(room);
    assert.ok(before.some((byte) => byte !== 0), 'the row had begun');
    await goOn();
    assert.deepEqual(Buffer.from(room), before);
    await slow.close();
    server.close();
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

/** Between a client and PostgreSQL: passes what the server sends in small pieces, `bytesMax` of it, and the rest when it is told to go on. */
async function proxy(url: string, { pieceBytes, bytesMax }: { readonly pieceBytes: number; readonly bytesMax: number }) {
  const target = new URL(url);
  let held: { readonly client: Socket; readonly bytes: Buffer } | undefined;
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) socket.on('error', () => {});
    client.on('close', () => upstream.destroy()).pipe(upstream);
    let passed = 0;
    let sending = Promise.resolve();
    upstream.on('data', (chunk: Buffer) => {
      const now = chunk.subarray(0, Math.max(0, bytesMax - passed));
      passed += now.length;
      if (now.length < chunk.length) held = { client, bytes: Buffer.concat([held?.bytes ?? Buffer.alloc(0), chunk.subarray(now.length)]) };
      sending = sending.then(async () => {
        for (let at = 0; at < now.length; at += pieceBytes) {
          client.write(now.subarray(at, at + pieceBytes));
          await new Promise(setImmediate);
        }
      });
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const through = new URL(url);
  through.port = String((server.address() as AddressInfo).port);
  const goOn = async () => {
    const { client, bytes } = held ?? assert.fail('nothing was held back');
    if (!client.destroyed) await new Promise((resolve) => { client.write(bytes, resolve); });
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  };
  return { server, url: through.href, goOn };
}
