import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { isVeilgateError } from '../../src/errors.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import { fetchRows, type FetchedRows } from '../../src/source/fetch.ts';
import { errorLimitMax, loadRecords } from '../../src/source/ingest.ts';
import { readReports, rejectsListedMax, type Reject } from '../../src/source/quality.ts';
import { rowBatchSize } from '../../src/source/row.ts';
import type { Database } from '../../src/store/database.ts';
import type { DatasetId } from '../../src/vocabulary.ts';
import { freshDatabase } from '../support/database.ts';
import { bytes, catalogueOf, clock, loadThings, prepared, ref, shippedCatalogueFolder, subject, thingColumns, thingYaml, thingsStored } from './support/fixtures.ts';

const catalogue = catalogueOf({ 'thing.yaml': thingYaml });
const header = `${thingColumns.join()}\n`;
const good = (n: number) => `${subject(n)},1,2026-10-01,label ${n},red,1.500,${n},true\n`;
const rejects = (error: unknown): readonly Reject[] => {
  assert.ok(isVeilgateError(error, 'SOURCE_ROWS_REJECTED'));
  return error.detail?.['rejects'] as readonly Reject[];
};

describe('loading records', () => {
  let database: Database;
  beforeEach(async () => { database = await prepared(await freshDatabase(), catalogue); });

  it('loads a file and says what is new, changed and unchanged', async () => {
    const first = await loadThings(database, catalogue, bytes(header, good(1), good(2), good(3)));
    assert.deepEqual(first.rows, { read: 3, rejected: 0, duplicates: 0, new: 3, changed: 0, unchanged: 0 });
    const second = await loadThings(database, catalogue, bytes(header, good(1), good(2).replace('red', 'green'), good(4)));
    assert.deepEqual(second.rows, { read: 3, rejected: 0, duplicates: 0, new: 1, changed: 1, unchanged: 1 });
    assert.equal(await thingsStored(database), 4);
    assert.equal(second.outcome, 'loaded');
    assert.equal(second.loadedAt, '2026-11-15T08:00:00.000Z');
  });

  it('loads nothing of a file with one bad row, and names row, field and reason', async () => {
    const file = [header, good(1), good(2).replace('1.500', '1.5005'), good(3).replace('red', 'blue')];
    await assert.rejects(loadThings(database, catalogue, bytes(...file)), (error) => {
      assert.deepEqual(rejects(error), [{ row: 3, field: 'weight', reason: 'scale' }, { row: 4, field: 'colour', reason: 'code' }]);
      return true;
    });
    assert.equal(await thingsStored(database), 0);
    const [report] = await readReports(database, 'thing' as DatasetId, 1);
    assert.equal(report?.outcome, 'refused');
    assert.deepEqual(report?.rows, { read: 3, rejected: 2, duplicates: 0, new: 0, changed: 0, unchanged: 0 });
  });

  it('loads the good rows when no more are bad than the error limit allows', async () => {
    const file = [header, good(1), good(2).replace('true', 'maybe'), good(3)];
    const report = await loadThings(database, catalogue, bytes(...file), { errorLimit: 1 });
    assert.deepEqual([report.outcome, report.rows.new, report.rows.rejected], ['loaded', 2, 1]);
    assert.deepEqual(report.rejects, [{ row: 3, field: 'broken', reason: 'type' }]);
    assert.equal(await thingsStored(database), 2);
  });

  it('finds every kind of fault in the shipped example, row by row', async () => {
    const shipped = loadCatalogue(shippedCatalogueFolder);
    await prepared(database, shipped);
    const options = { catalogue: shipped, dataset: 'tax', supplier: 'tax_administration', format: 'csv', clock } as const;
    const file = path.join(import.meta.dirname, '../../sample/tax_with_faults.csv');
    const expected: Reject[] = [
      { row: 4, field: 'subject', reason: 'check_digit' }, { row: 5, field: 'period', reason: 'missing' }, { row: 6, field: 'period', reason: 'type' },
      { row: 7, field: 'credit_rating', reason: 'code' }, { row: 8, field: 'declared_revenue_cents', reason: 'range' }, { row: 9, field: 'declared_revenue_cents', reason: 'type' },
      { row: 10, field: 'largest_customer_share', reason: 'scale' }, { row: 11, field: 'largest_customer_share', reason: 'range' },
      { row: 12, field: 'largest_customer', reason: 'check_digit' }, { row: 13, field: null, reason: 'duplicate' }, { row: 14, field: null, reason: 'columns' },
    ];
    await assert.rejects(loadRecords(database, { ...options, errorLimit: 10, stream: createReadStream(file) }), (error) => {
      assert.deepEqual(rejects(error), expected);
      return true;
    });
    const report = await loadRecords(database, { ...options, errorLimit: 11, stream: createReadStream(file) });
    assert.deepEqual(report.rejects, expected);
    assert.equal(report.rows.new, 3);
  });

  it('takes the first of two rows with one key and rejects the other, however far apart', async () => {
    const many = Array.from({ length: rowBatchSize + 10 }, (_, n) => good(n));
    const again = good(5).replace('label 5', 'other');
    const report = await loadThings(database, catalogue, bytes(header, ...many, again), { errorLimit: 1 });
    assert.deepEqual([report.rows.duplicates, report.rows.new], [1, many.length]);
    assert.deepEqual(report.rejects, [{ row: many.length + 2, field: null, reason: 'duplicate' }]);
    const { rows } = await database.query<{ label: string }>('select label from domain.thing where subject = $1', [subject(5)]);
    assert.equal(rows[0]?.label, 'label 5');
  });

  it('lists at most a thousand rejects and counts all', async () => {
    const bad = Array.from({ length: rejectsListedMax + 50 }, (_, n) => good(n).replace('red', 'x'));
    const report = await loadThings(database, catalogue, bytes(header, ...bad), { errorLimit: 2000 });
    assert.equal(report.rejects.length, rejectsListedMax);
    assert.equal(report.rejectsTruncated, true);
    assert.equal(report.rows.rejected, bad.length);
  });

  it('reports completeness and validity of each field', async () => {
    const file = [header, good(1), good(2).replace('red', ''), good(3).replace('red', 'x'), good(4)];
    const { fields } = await loadThings(database, catalogue, bytes(...file), { errorLimit: 1 });
    const colour = fields.find(({ field }) => field === 'colour');
    assert.deepEqual([colour?.completeness, colour?.validity, colour?.faults], [0.75, 2 / 3, { code: 1 }]);
    assert.deepEqual(fields.map(({ field }) => field), thingColumns);
  });

  it('takes columns in any order and lets optional ones be left out', async () => {
    await loadThings(database, catalogue, bytes(`made_on,subject,thing_no\n2026-10-01,${subject(1)},7\n`));
    const { rows } = await database.query('select thing_no, made_on, label from domain.thing');
    assert.deepEqual(rows, [{ thing_no: 7, made_on: '2026-10-01', label: null }]);
  });

  it('refuses who does not own the dataset, a dataset there is not, and an error limit out of bounds', async () => {
    const code = (expected: string) => (error: unknown) => isVeilgateError(error) && error.code === expected;
    await assert.rejects(loadThings(database, catalogue, bytes(header, good(1)), { supplier: 'court' }), code('SOURCE_NOT_OWNER'));
    for (const dataset of ['nothing', '__proto__', 'constructor', "thing'; drop schema domain cascade; --"]) {
      await assert.rejects(loadThings(database, catalogue, bytes(header, good(1)), { dataset }), code('SOURCE_DATASET_UNKNOWN'));
    }
    for (const errorLimit of [-1, 1.5, errorLimitMax + 1, Number.NaN]) {
      await assert.rejects(loadThings(database, catalogue, bytes(header, good(1)), { errorLimit }), code('REQUEST_INVALID'));
    }
    assert.equal(await thingsStored(database), 0);
  });

  it('gives the same records from CSV and from NDJSON, whatever the text', async () => {
    const hostile = ["'; drop table domain.thing; --", '"', '\\', '{}', 'NULL', ' lead and trail ', '=1+1', 'a,b', 'two\nlines', 'two\r\nlines', '𠮷野家', '\u202e', '$1', '%s', '\\N', '__proto__'];
    const label = fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => [...text].length <= 60 && !text.includes('\0')), fc.constant(null));
    const row = fc.record({
      label,
      colour: fc.constantFrom('red', 'green', null),
      weight: fc.oneof(fc.constant(null), fc.integer({ min: -999_999_999, max: 999_999_999 }).map((thousandths) => (thousandths / 1000).toFixed(3).replace(/^-0\.000$/, '0.000'))),
      price_cents: fc.oneof(fc.maxSafeInteger().map((n) => (n === 0 ? 0 : n)), fc.constant(null)),
      broken: fc.constantFrom(true, false, null),
    });
    await fc.assert(fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
      await database.query('truncate domain.thing');
      const full = rows.map((values, at) => ({ subject: subject(at % 3), thing_no: at + 1, made_on: '2026-10-01', ...values }));
      const quoted = (value: unknown) => (value === null ? '' : `"${String(value).replaceAll('"', '""')}"`);
      const csv = full.map((values) => `${thingColumns.map((name) => quoted(values[name])).join()}\n`).join('');
      const ndjson = full.map((values) => `${JSON.stringify(values)}\n`).join('');
      const first = await loadThings(database, catalogue, bytes(header, csv));
      assert.equal(first.rows.new, rows.length);
      const second = await loadThings(database, catalogue, bytes(ndjson), { format: 'ndjson' });
      assert.deepEqual([second.rows.unchanged, second.rows.changed], [rows.length, 0]);
      const fields = thingColumns.slice(1).map((name) => ref(`thing.${name}`));
      const requests = [0, 1, 2].map((n) => ({ subject: subject(n), fields, dataFrom: null, dataTo: null, rows: { thing: { sort: { field: ref('thing.thing_no'), direction: 'asc' as const } } } }));
      const fetched = (await fetchRows(database, catalogue, requests)) as readonly FetchedRows[];
      fetched.forEach((answer, n) => {
        const expected = full.filter(({ subject: owner }) => owner === subject(n)).map((values) => thingColumns.slice(1).map((name) => values[name]));
        const got = answer.get('thing' as DatasetId)?.map((raw) => fields.map((field) => raw.read(field)));
        assert.deepEqual(got, expected);
      });
    }), { numRuns: 12 });
    const { rows } = await database.query('select count(*) from pg_tables where schemaname = $1', ['domain']);
    assert.deepEqual(rows, [{ count: 1 }]);
  });

  it('takes records of many enterprises in small chunks that cut characters apart', async () => {
    const content = Buffer.from(header + Array.from({ length: 50 }, (_, n) => good(n).replace('label', '标签𠮷')).join(''));
    const pieces = Array.from({ length: Math.ceil(content.length / 7) }, (_, at) => content.subarray(at * 7, at * 7 + 7));
    await loadThings(database, catalogue, bytes(...pieces));
    const { rows } = await database.query<{ label: string }>('select label from domain.thing where subject = $1', [subject(49)]);
    assert.equal(rows[0]?.label, '标签𠮷 49');
  });
});
