import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { veilgate } from './support/platform.ts';

describe('cli: figures become bins', () => {
  let folder: string;
  const file = (name: string) => path.join(folder, name);
  before(() => { folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-bins-')); });
  after(() => rmSync(folder, { recursive: true }));

  const write = (name: string, lines: readonly string[]) => {
    writeFileSync(file(name), `${lines.join('\n')}\n`);
    return file(name);
  };
  const bin = (figures: string, cuts: string, out: string, ...more: string[]) => veilgate(['joint', 'scorecard', 'bin', figures, '--cuts', file(cuts), '--out', file(out), ...more]);
  const figures = () => write('figures.csv', ['subject,turnover,age,default', ...Array.from({ length: 12 }, (_, n) => `s${n},${n === 3 ? '' : n * 10},${20 + n * 3},${n % 2}`)]);
  const how = ['--bins', 'turnover=3', '--edges', 'age=25,35', '--keep', 'default'];

  it('of equal size or at edges, with a bin for who has no figure, and says what the project must declare', async () => {
    const { code, out, err } = await bin(figures(), 'cuts.json', 'bins.csv', '--json', ...how);
    assert.deepEqual([code, err], [0, '']);
    const { columns } = JSON.parse(out) as { columns: { name: string; edges: number[] | null; bins: number }[] };
    assert.deepEqual(columns.map(({ name, bins }) => [name, bins]), [['turnover', 5], ['age', 5], ['default', 3]], 'bins, who has none, and who is no customer');
    const rows = readFileSync(file('bins.csv'), 'utf8').trim().split('\n').slice(1).map((line) => line.split(','));
    assert.deepEqual(rows[3], ['s3', '3', '1', '1']);
    const [edge, other] = columns[0]!.edges as [number, number];
    rows.forEach(([subject, turnover, age, bad], n) => {
      if (n !== 3) assert.equal(Number(turnover), n * 10 <= edge ? 0 : n * 10 <= other ? 1 : 2, subject);
      assert.equal(Number(age), 20 + n * 3 <= 25 ? 0 : 20 + n * 3 <= 35 ? 1 : 2);
      assert.equal(Number(bad), n % 2);
    });
    const sizes = [0, 1, 2].map((each) => rows.filter(([, turnover]) => Number(turnover) === each).length);
    assert.ok(sizes.every((size) => size >= 3 && size <= 4), sizes.join());
  });

  it('a hold-out is cut as its training was, whatever its own figures are', async () => {
    const later = write('later.csv', ['subject,turnover,age,default', 'x,100000,0,1', 'y,-5,99,0']);
    assert.match((await bin(later, 'cuts.json', 'again.csv', ...how)).err, /^CONFIG_INVALID: These cuts are fixed already/);
    const { code, out } = await bin(later, 'cuts.json', 'holdout.csv');
    assert.equal(code, 0);
    assert.match(out, /^column +bins to declare +cut at\nturnover +5 /);
    assert.equal(readFileSync(file('holdout.csv'), 'utf8'), 'subject,turnover,age,default\nx,2,0,1\ny,0,2,0\n');
  });

  it('what cannot be cut is refused with its place, and nothing is written', async () => {
    const wrong: [string[], string[], RegExp][] = [
      [['subject,a', 's,x'], ['--bins', 'a=3'], /2 to 62 bins/], [['subject,a', 's,1'], ['--bins', 'a=1'], /2 to 62 bins/], [['subject,a', 's,1'], ['--edges', 'a=3,2'], /ascending numbers/],
      [['subject,a', 's,1'], ['--edges', 'a='], /ascending numbers/], [['subject,a', 's,1'], [], /Say once of every column/], [['subject,a', 's,1'], ['--keep', 'a', '--bins', 'a=2'], /Say once of every column/],
      [['subject,a', 's,1'], ['--keep', 'b'], /no such column/], [['subject,a', 's,1.5'], ['--keep', 'a'], /no bin/], [['subject,a', 's,1,2'], ['--keep', 'a'], /more or fewer cells/], [['a', '1'], ['--keep', 'a'], /first line names `subject`/],
      [['subject,a'], ['--keep', 'a'], /names no customer/], [['subject,a', 's,x'], ['--edges', 'a=1'], /no number/],
    ];
    for (const [lines, options, expected] of wrong) {
      const { code, err } = await bin(write('wrong.csv', lines), 'new.json', 'new.csv', ...options);
      assert.deepEqual([code, expected.test(err)], [2, true], `${lines.join(' ')} ${options.join(' ')}: ${err}`);
    }
    assert.deepEqual([existsSync(file('new.json')), existsSync(file('new.csv'))], [false, false]);
    assert.match((await bin(write('other.csv', ['subject,b', 's,1']), 'cuts.json', 'new.csv')).err, /The cuts say nothing of this column/);
    write('broken.json', ['{"format":"other"}']);
    assert.match((await bin(figures(), 'broken.json', 'new.csv')).err, /says nothing of how columns are cut/);
  });
});
