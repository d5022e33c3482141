import assert from 'node:assert/strict';
import { format, inspect } from 'node:util';
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { RawRow, type FieldRef } from '../../src/vocabulary.ts';

const canary = 'CANARY-机密-11010519491231002X';
const row = new RawRow(new Map([['owner.name' as FieldRef, canary]]));

function printed(print: (console: Console) => void): string {
  let text = '';
  const stream = new Writable({ write: (chunk: Buffer, _encoding, done) => { text += chunk.toString(); done(); } });
  print(new Console({ stdout: stream, stderr: stream }));
  return text;
}

/** Everything people do with a value without thinking. */
const ways: Readonly<Record<string, () => string>> = {
  'console.log': () => printed((console) => console.log(row)),
  'console.error in an object': () => printed((console) => console.error({ row, rows: [row] })),
  'console.dir with everything shown': () => printed((console) => console.dir(row, { showHidden: true, depth: 9 })),
  'console.table': () => printed((console) => console.table([row])),
  'JSON.stringify': () => JSON.stringify({ row, rows: [row], map: Object.fromEntries([['a', row]]) }),
  'a template string': () => `${row}`,
  'joining an array': () => [row, row].join(),
  'util.inspect': () => inspect(new Map([['row', row]]), { depth: 9 }),
  'util.inspect without custom inspection': () => inspect(row, { customInspect: false, showHidden: true, getters: true, depth: 9 }),
  'util.format': () => format('%s %o %O %j', row, row, row, row),
  'an error message': () => { const error = new Error(`failed for ${row}`, { cause: row }); return `${error.stack} ${inspect(error)}`; },
  'Object.entries': () => JSON.stringify([Object.entries(row), Object.keys(row), Reflect.ownKeys(row).map(String), { ...row }]),
  'structuredClone': () => inspect(structuredClone(row), { showHidden: true, depth: 9 }),
};

describe('a raw row', () => {
  for (const [way, shown] of Object.entries(ways)) {
    it(`shows no value through ${way}`, () => {
      const text = shown();
      assert.ok(text.length > 0);
      for (const part of ['CANARY', '机密', '110105']) assert.ok(!text.includes(part), `${way} shows ${part}`);
    });
  }
  it('gives the value to whoever reads it by name', () => {
    assert.equal(row.read('owner.name' as FieldRef), canary);
    assert.equal(row.read('owner.phone' as FieldRef), undefined);
  });
});
