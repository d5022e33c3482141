import assert from 'node:assert/strict';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { csvLine } from '../src/csv.ts';

describe('CSV', () => {
  it('reads back as it was written, but for the quote before what begins like a formula', () => {
    fc.assert(fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }), (cells) => {
      const line = csvLine(cells);
      const [read] = parse(line, { relax_column_count: true, skip_empty_lines: false }) as string[][];
      assert.deepEqual(read, cells.map((cell) => (/^[=+\-@\t\r\n＝＋－＠]/.test(cell) ? `'${cell}` : cell)));
    }));
  });
  it('leaves nothing that a spreadsheet runs, and numbers as they are', () => {
    assert.equal(csvLine(['=1+1', '+1', '-1', '@x', '\tx', '＝1', -5, 0.5, true, null, 'a"b', 'c,d']), `'=1+1,'+1,'-1,'@x,'\tx,'＝1,-5,0.5,true,,"a""b","c,d"\r\n`);
  });
});
