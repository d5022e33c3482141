import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { arrayParameter } from '../../src/store/array-parameter.ts';
import type { Database } from '../../src/store/database.ts';
import { freshDatabase } from '../support/database.ts';

describe('an array as a parameter', () => {
  let database: Database;
  before(async () => { database = await freshDatabase(); });
  const read = async (values: readonly (string | null)[]) => (await database.query<{ read: (string | null)[] }>('select $1::text[] as read', [arrayParameter(values)])).rows[0]?.read;

  it('is read as it was, whatever texts it holds', async () => {
    const odd = fc.string({ unit: fc.constantFrom(...'aN\\"{},\' \t\n()é王0-_.:@'), maxLength: 8 });
    const text = fc.oneof(odd, fc.constantFrom('NULL', 'null', 'Null', '', 'vZ0eO2qXr5cM6m1c9yT3kQ', '91350211M000100Y43', '\\', '""', '{}'));
    await fc.assert(fc.asyncProperty(fc.array(fc.option(text)), async (values) => {
      assert.deepEqual(await read(values), values);
    }), { numRuns: 300 });
  });

  it('is read as it was, whatever numbers it holds', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.option(fc.maxSafeInteger())), async (values) => {
      const { rows: [row] } = await database.query<{ read: (number | null)[] }>('select $1::bigint[]::text[]::bigint[] as read', [arrayParameter(values)]);
      assert.deepEqual(row?.read.map((value) => (value === null ? null : Number(value))), values);
    }), { numRuns: 100 });
  });
});
