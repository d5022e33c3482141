import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { Readable } from 'node:stream';
import { VeilgateError, isVeilgateError } from '../../src/errors.ts';
import { readReports, type QualityReport } from '../../src/source/quality.ts';
import { rowBatchSize } from '../../src/source/row.ts';
import { openDatabase, type Database, type Tx } from '../../src/store/database.ts';
import type { DatasetId } from '../../src/vocabulary.ts';
import { freshDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';
import { bytes, catalogueOf, loadThings, prepared, subject, thingColumns, thingYaml, thingsStored } from './support/fixtures.ts';

const catalogue = catalogueOf({ 'thing.yaml': thingYaml });
const header = `${thingColumns.join()}\n`;
const canary = 'CANARY-51c2';
const row = (n: number, label = canary) => `${subject(n)},1,2026-10-01,${label},red,1.500,${n},true\n`;
const json = (n: number) => `${JSON.stringify({ subject: subject(n), thing_no: 1, made_on: '2026-10-01' })}\n`;

describe('loads that break', () => {
  let database: Database;
  beforeEach(async () => { database = await prepared(await freshDatabase(), catalogue); });

  const loaders = async () => {
    const { rows } = await database.query<{ pid: number }>("select pid from pg_stat_activity where application_name = 'veilgate load' and datname = current_database()");
    return rows.map(({ pid }) => pid);
  };
  const nothingLeft = async () => {
    await until('the loader\'s connection is closed', async () => (await loaders()).length === 0);
    assert.equal(await thingsStored(database), 0);
    const { rows } = await database.query("select count(*) as count from pg_class where relname = 'staged'");
    assert.deepEqual(rows, [{ count: 0 }]);
  };

  it('leaves nothing when its connection is cut in the middle', async () => {
    async function* slow() {
      yield Buffer.from(header + Array.from({ length: rowBatchSize }, (_, n) => row(n)).join(''));
      for (const pid of await loaders()) await database.query('select pg_terminate_backend($1)', [pid]);
      yield Buffer.from(Array.from({ length: rowBatchSize }, (_, n) => row(n + rowBatchSize)).join(''));
    }
    await assert.rejects(loadThings(database, catalogue, Readable.from(slow(), { objectMode: false })), (error) => isVeilgateError(error, 'STORE_UNAVAILABLE'));
    await nothingLeft();
  });

  it('leaves nothing when the database refuses the last step, and shows no value', async () => {
    await database.query(`create function refuse() returns trigger language plpgsql as $$ begin if new.price_cents = 7 then raise exception 'row with % refused', new.label; end if; return new; end $$`);
    await database.query('create trigger refuse before insert on domain.thing for each row execute function refuse()');
    await assert.rejects(loadThings(database, catalogue, bytes(header, row(1), row(7))), (error) => {
      assert.ok(isVeilgateError(error, 'INTERNAL'));
      assert.ok(!JSON.stringify([error.message, error.detail, error.stack]).includes(canary));
      return true;
    });
    await nothingLeft();
    assert.deepEqual(await readReports(database, 'thing' as DatasetId, 10), [], 'no report of a load that did not happen');
    await database.query('drop trigger refuse on domain.thing');
    assert.equal((await loadThings(database, catalogue, bytes(header, row(1), row(7)))).rows.new, 2);
  });

  it('leaves nothing when the report cannot be written', async () => {
    await database.query('alter table quality_report rename to away');
    await assert.rejects(loadThings(database, catalogue, bytes(header, row(1))), (error) => isVeilgateError(error, 'INTERNAL'));
    await nothingLeft();
  });

  it('stores the rows and what the caller adds together, or neither', async () => {
    await database.query('create table note (text text)');
    const alsoStore = async (tx: Tx, { rows }: QualityReport) => { await tx.query('insert into note values ($1)', [`${rows.new} new`]); };
    await assert.rejects(
      loadThings(database, catalogue, bytes(header, row(1)), { alsoStore: async (tx, report) => { await alsoStore(tx, report); throw new VeilgateError('AUDIT_UNAVAILABLE', 'no log'); } }),
      (error) => isVeilgateError(error, 'AUDIT_UNAVAILABLE'),
    );
    await nothingLeft();
    assert.equal((await database.query('select 1 from note')).rowCount, 0);
    await loadThings(database, catalogue, bytes(header, row(1)), { alsoStore });
    assert.deepEqual((await database.query('select text from note')).rows, [{ text: '1 new' }]);
    assert.equal(await thingsStored(database), 1);
  });

  it('leaves nothing when the whole process is killed', async () => {
    const child = spawn(process.execPath, [path.join(import.meta.dirname, 'support/load-child.ts'), database.url], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.write(Array.from({ length: rowBatchSize }, (_, n) => json(n)).join(''));
    await once(child.stdout, 'data'); // the first batch is on its way into the database
    assert.equal((await loaders()).length, 1);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await nothingLeft();
  });

  it('says that the database is away, and does not leave the sender hanging', async () => {
    const away = openDatabase({ url: 'postgresql://nobody:x@127.0.0.1:1/none' });
    const stream = bytes(header, row(1));
    await assert.rejects(loadThings(away, catalogue, stream), (error) => isVeilgateError(error, 'STORE_UNAVAILABLE'));
    assert.ok(stream.destroyed);
    await away.close();
  });

  it('lets two loads of one dataset at the same time both be whole', async () => {
    const numbers = Array.from({ length: 3000 }, (_, n) => n);
    const load = (order: readonly number[], label: string) => loadThings(database, catalogue, bytes(header, ...order.map((n) => row(n, label))));
    const [first, second] = await Promise.all([load(numbers, 'first'), load(numbers.toReversed(), 'second')]);
    const counts = [first.rows, second.rows].map((rows) => rows.new).sort((a, b) => a - b);
    assert.deepEqual(counts, [0, 3000], 'one found nothing there, the other everything');
    const { rows } = await database.query<{ label: string; count: number }>('select label, count(*) as count from domain.thing group by label');
    assert.equal(rows.length, 1, 'never rows of both');
    assert.equal(rows[0]?.count, 3000);
    assert.equal(rows[0]?.label, first.rows.new === 0 ? 'first' : 'second');
  });
});
