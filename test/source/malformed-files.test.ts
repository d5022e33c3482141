import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { isVeilgateError } from '../../src/errors.ts';
import { rowSizeMaxBytes } from '../../src/source/row.ts';
import type { Database } from '../../src/store/database.ts';
import { freshDatabase } from '../support/database.ts';
import { bytes, catalogueOf, loadThings, prepared, subject, thingColumns, thingYaml, thingsStored } from './support/fixtures.ts';

const catalogue = catalogueOf({ 'thing.yaml': thingYaml });
const canary = 'CANARY-7f3a';
const header = `${thingColumns.join()}\n`;
const good = (n: number) => `${subject(n)},${n + 1},2026-10-01,label,red,1.500,${n},true\n`;
const json = (n: number, more: Record<string, unknown> = {}) => `${JSON.stringify({ subject: subject(n), thing_no: 1, made_on: '2026-10-01', ...more })}\n`;

describe('malformed files', () => {
  let database: Database;
  before(async () => { database = await prepared(await freshDatabase(), catalogue); });
  afterEach(async () => { await database.query('truncate domain.thing'); });

  const refused = async (stream: Readable, message: RegExp, format: 'csv' | 'ndjson' = 'csv') => {
    await assert.rejects(loadThings(database, catalogue, stream, { format, errorLimit: 1000 }), (error) => {
      assert.ok(isVeilgateError(error, 'SOURCE_FILE_MALFORMED'), String(error));
      assert.match(error.message, message);
      assert.ok(!JSON.stringify([error.message, error.detail]).includes(canary));
      return true;
    });
    assert.equal(await thingsStored(database), 0);
  };

  const csv: readonly [string, readonly (string | Buffer)[], RegExp][] = [
    ['an empty file', [''], /empty/],
    ['only a byte order mark', ['\ufeff'], /empty/],
    ['values where the header should be', [`${canary},1,2026-10-01\n`], /^Column 1 of the header is no field/],
    ['a header that names a field twice', ['subject,thing_no,made_on,label,label\n'], /^Column 5 of the header names a field for the second time/],
    ['a header without a required field', ['subject,thing_no\n', good(1)], /^The header lacks made_on\./],
    ['a column named like a property of every object', ['subject,thing_no,made_on,__proto__\n'], /^Column 4 of the header/],
    ['a column with SQL for a name', ['subject,thing_no,made_on,"label"") values (1); --"\n'], /^Column 4 of the header/],
    ['a quotation mark that is never closed', [header, good(1), `${subject(2)},2,2026-10-01,"${canary},red\n`, good(3)], /never closed/],
    ['a quotation mark inside an unquoted value', [header, good(1), `${subject(2)},2,2026-10-01,a"${canary}",red,,,\n`], /near line 3: a quotation mark stands inside/],
    ['a quoted value that goes on', [header, `${subject(2)},2,2026-10-01,"a"${canary},red,,,\n`], /near line 2: a quoted value goes on/],
    ['a row without an end', [header, 'x'.repeat(rowSizeMaxBytes + 10)], /longer than 1048576 characters/],
    ['GBK instead of UTF-8', [header, good(1), Buffer.from([0xb9, 0xab, 0xcb, 0xbe, 0x0a])], /not UTF-8/],
    ['UTF-16', [Buffer.from(`\ufeff${header}`, 'utf16le')], /not UTF-8/],
    ['a character cut off at the end', [header, good(1), Buffer.from([0xe5, 0x85])], /not UTF-8/],
  ];
  for (const [name, parts, message] of csv) {
    it(`refuses CSV with ${name}`, () => refused(bytes(...parts), message));
  }

  it('refuses NDJSON that is empty or has a row without an end', async () => {
    await refused(bytes(''), /empty/, 'ndjson');
    await refused(bytes('\n\n'), /empty/, 'ndjson');
    await refused(bytes(json(1), `{"subject":"${'x'.repeat(rowSizeMaxBytes)}"}\n`), /^Row 2 is longer/, 'ndjson');
    await refused(bytes(json(1), ...Array.from({ length: 20 }, () => 'x'.repeat(65_536))), /^Row 2 is longer/, 'ndjson');
  });

  for (const format of ['csv', 'ndjson'] as const) {
    it(`loads nothing when the sender breaks off in the middle of ${format}`, async () => {
      async function* broken() {
        yield Buffer.from(format === 'csv' ? header + good(1) : json(1));
        throw new Error(`connection with ${canary} lost`);
      }
      await refused(Readable.from(broken(), { objectMode: false }), /ended early/, format);
    });
  }

  it('takes a byte order mark, CRLF, blank lines and a missing last line end', async () => {
    const report = await loadThings(database, catalogue, bytes(`\ufeff${header}${good(1)}\n${good(2)}${good(3)}`.replaceAll('\n', '\r\n').replace(/\r\n$/, '')));
    assert.equal(report.rows.new, 3);
    const lines = await loadThings(database, catalogue, bytes(`\ufeff${json(1)}\n${json(2)}${json(3).trimEnd()}`.replaceAll('\n', '\r\n')), { format: 'ndjson' });
    assert.deepEqual([lines.rows.read, lines.rows.rejected], [3, 0]);
  });

  it('rejects the row, not the file, for a line that is not one flat object of known fields', async () => {
    const lines = [
      json(1), 'not json\n', '[1,2]\n', '"text"\n', 'null\n', json(2, { label: { nested: canary } }), json(3, { label: [[canary]] }), json(4, { [canary]: 1 }),
      `{"subject":"${subject(5)}","thing_no":1,"made_on":"2026-10-01","__proto__":{"label":"${canary}"}}\n`,
      `{"subject":"${subject(6)}","thing_no":1,"made_on":"2026-10-01","label":"a","label":"${canary}"}\n`,
      `{"subject":"${subject(7)}","thing_no":1,"made_on":"2026-10-01","label":"\\ud800"}\n`,
      json(8, { constructor: canary }), json(9, { label: canary.repeat(9) }), json(10).slice(0, 30) + '\n', json(11),
    ];
    const report = await loadThings(database, catalogue, bytes(...lines), { format: 'ndjson', errorLimit: 20 });
    assert.deepEqual(report.rejects, [
      { row: 2, field: null, reason: 'json' }, { row: 3, field: null, reason: 'json' }, { row: 4, field: null, reason: 'json' }, { row: 5, field: null, reason: 'json' },
      { row: 6, field: 'label', reason: 'type' }, { row: 7, field: null, reason: 'json' }, { row: 8, field: null, reason: 'unknown_field' },
      { row: 9, field: null, reason: 'json' }, { row: 10, field: null, reason: 'json' }, { row: 11, field: null, reason: 'json' }, { row: 12, field: null, reason: 'json' },
      { row: 13, field: 'label', reason: 'length' }, { row: 14, field: null, reason: 'json' },
    ]);
    assert.equal(report.rows.new, 2);
    assert.ok(!JSON.stringify(report).includes(canary));
    assert.equal(({} as Record<string, unknown>)['label'], undefined);
  });

  it('rejects rows with more or fewer columns than the header', async () => {
    const report = await loadThings(database, catalogue, bytes(header, good(1), good(2).replace('\n', ',extra\n'), `${subject(3)},1\n`), { errorLimit: 2 });
    assert.deepEqual(report.rejects, [{ row: 3, field: null, reason: 'columns' }, { row: 4, field: null, reason: 'columns' }]);
  });

  it('never repeats a value of a rejected row, in the report or in the error', async () => {
    const row = `${canary},${canary},${canary},${canary.repeat(9)},${canary},${canary},${canary},${canary}\n`;
    const report = await loadThings(database, catalogue, bytes(header, row), { errorLimit: 5 });
    assert.equal(report.rejects.length, thingColumns.length);
    await assert.rejects(loadThings(database, catalogue, bytes(header, row)), (error) => {
      assert.ok(isVeilgateError(error, 'SOURCE_ROWS_REJECTED'));
      assert.ok(!JSON.stringify([error.message, error.detail, error.stack]).includes(canary));
      return true;
    });
    const { rows } = await database.query<{ text: string }>('select report::text as text from quality_report');
    assert.ok(rows.length >= 2);
    for (const { text } of rows) assert.ok(!text.includes(canary));
  });
});
