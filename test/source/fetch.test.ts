import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import type { QueryConfig } from 'pg';
import { VeilgateError, isVeilgateError } from '../../src/errors.ts';
import { fetchRows, type FetchedRows } from '../../src/source/fetch.ts';
import { rowsDefault, rowsMax, type FetchRequest, type RowSelection } from '../../src/source/selection.ts';
import type { Database, Sql } from '../../src/store/database.ts';
import type { DatasetId, IsoDate, SubjectId, Value } from '../../src/vocabulary.ts';
import { freshDatabase } from '../support/database.ts';
import { bytes, catalogueOf, loadThings, prepared, ref, subject, thingYaml } from './support/fixtures.ts';

const monthlyYaml = thingYaml.replace('dataset: thing', 'dataset: monthly').replace(/cardinality: .*/, 'cardinality: { kind: per_period, periodField: made_on }');
const singleYaml = thingYaml.replace('dataset: thing', 'dataset: single').replace(/cardinality: .*/, 'cardinality: { kind: one }');
const catalogue = catalogueOf({ 'thing.yaml': thingYaml, 'monthly.yaml': monthlyYaml, 'single.yaml': singleYaml });
const months = Array.from({ length: 130 }, (_, at) => `${2016 + Math.floor(at / 12)}-${String((at % 12) + 1).padStart(2, '0')}-01`);

type Part = Partial<Omit<FetchRequest, 'subject' | 'fields'>>;
function request(n: number, fields: readonly string[], part: Part = {}): FetchRequest {
  return { subject: subject(n), fields: fields.map(ref), dataFrom: null, dataTo: null, ...part };
}
function rowsOf(answer: FetchedRows | VeilgateError | undefined, dataset: string, fields: readonly string[]): (Value | undefined)[][] {
  assert.ok(answer !== undefined && !(answer instanceof VeilgateError), String(answer));
  return (answer.get(dataset as DatasetId) ?? []).map((row) => fields.map((field) => row.read(ref(field))));
}

describe('fetching rows', () => {
  let database: Database;
  const statements: QueryConfig[] = [];
  const watching: Sql = {
    query: (text: never, values: never) => {
      statements.push(text);
      return database.query(text, values);
    },
  };
  before(async () => {
    database = await prepared(await freshDatabase(), catalogue);
    const things = ['subject,thing_no,made_on,label,colour,weight,price_cents,broken'];
    for (let n = 1; n <= 3; n += 1) {
      things.push(`${subject(n)},1,2026-01-01,one,red,1.500,9007199254740991,true`, `${subject(n)},2,2026-03-01,two,green,-0.001,-5,false`, `${subject(n)},3,2026-02-01,,,,,`);
    }
    const monthly = ['subject,thing_no,made_on', ...months.map((month, at) => `${subject(1)},${at + 1},${month}`)];
    await loadThings(database, catalogue, bytes(things.join('\n')));
    await loadThings(database, catalogue, bytes(monthly.join('\n')), { dataset: 'monthly' });
    await loadThings(database, catalogue, bytes(`subject,thing_no,made_on,weight\n${subject(1)},1,2020-05-05,12`), { dataset: 'single' });
  });
  beforeEach(() => { statements.length = 0; });

  it('gives each value in the vocabulary\'s form', async () => {
    const fields = ['thing.thing_no', 'thing.made_on', 'thing.label', 'thing.colour', 'thing.weight', 'thing.price_cents', 'thing.broken'];
    const [answer] = await fetchRows(database, catalogue, [request(1, fields)]);
    assert.deepEqual(rowsOf(answer, 'thing', fields), [
      [2, '2026-03-01', 'two', 'green', '-0.001', -5, false],
      [3, '2026-02-01', null, null, null, null, null],
      [1, '2026-01-01', 'one', 'red', '1.500', 9_007_199_254_740_991, true],
    ]);
  });

  it('reads the columns asked for and no other', async () => {
    const [answer] = await fetchRows(watching, catalogue, [request(1, ['thing.colour', 'single.weight'])]);
    const rows = answer as FetchedRows;
    assert.deepEqual([...rows.keys()], ['thing', 'single']);
    assert.equal(rows.get('single' as DatasetId)?.[0]?.read(ref('single.weight')), '12.000');
    assert.equal(rows.get('thing' as DatasetId)?.[0]?.read(ref('thing.label')), undefined);
    const text = statements.map((statement) => statement.text).join();
    for (const column of ['label', 'weight"::text, ', 'price_cents', 'broken', '*']) assert.ok(!text.includes(column), column);
  });

  it('answers an unknown subject like one without rows, and no fields with nothing', async () => {
    const answers = await fetchRows(database, catalogue, [request(99, ['thing.label', 'single.label']), request(2, ['single.label']), request(1, [])]);
    assert.deepEqual([...(answers[0] as FetchedRows)], [['thing', []], ['single', []]]);
    assert.deepEqual([...(answers[1] as FetchedRows)], [['single', []]]);
    assert.equal((answers[2] as FetchedRows).size, 0);
  });

  it('makes one round trip for fifty queries of the same shape, and gives each its own rows', async () => {
    const fields = ['thing.label', 'monthly.thing_no', 'single.weight'];
    const requests = Array.from({ length: 50 }, (_, at) => request(at % 4, fields, at % 2 === 0 ? { dataTo: '2026-02-15' as IsoDate } : {}));
    const answers = await fetchRows(watching, catalogue, requests);
    assert.equal(statements.length, 1);
    answers.forEach((answer, at) => {
      const expected = at % 4 === 0 ? [] : at % 2 === 0 ? [[null], ['one']] : [['two'], [null], ['one']];
      assert.deepEqual(rowsOf(answer, 'thing', ['thing.label']), expected, String(at));
      assert.equal(rowsOf(answer, 'single', ['single.weight']).length, at % 4 === 1 ? 1 : 0);
    });
  });

  it('keeps requests of different shapes apart', async () => {
    const answers = await fetchRows(watching, catalogue, [request(1, ['thing.label']), request(1, ['thing.colour']), request(2, ['thing.label'])]);
    assert.equal(statements.length, 2);
    assert.deepEqual(rowsOf(answers[0], 'thing', ['thing.label', 'thing.colour'])[0], ['two', undefined]);
    assert.deepEqual(rowsOf(answers[1], 'thing', ['thing.label', 'thing.colour'])[0], [undefined, 'green']);
  });

  it('gives the most recent rows, by default two years of months', async () => {
    const fields = ['monthly.made_on'];
    const [standard, some, most] = await fetchRows(database, catalogue, [request(1, fields), ...[3, rowsMax].map((limit) => request(1, fields, { rows: { monthly: { limit } } }))]);
    assert.deepEqual(rowsOf(standard, 'monthly', fields).flat(), months.toReversed().slice(0, rowsDefault));
    assert.deepEqual(rowsOf(some, 'monthly', fields).flat(), months.toReversed().slice(0, 3));
    assert.equal(rowsOf(most, 'monthly', fields).length, rowsMax);
  });

  it('gives nothing outside the period the data may be about, also where the period is not read', async () => {
    const part = { dataFrom: '2026-02-01' as IsoDate, dataTo: '2026-03-01' as IsoDate };
    const [answer] = await fetchRows(database, catalogue, [request(1, ['thing.label', 'monthly.thing_no', 'single.made_on'], part)]);
    assert.deepEqual(rowsOf(answer, 'thing', ['thing.label']), [['two'], [null]]);
    assert.deepEqual(rowsOf(answer, 'monthly', ['monthly.thing_no']), [[123], [122]]);
    assert.equal(rowsOf(answer, 'single', ['single.made_on']).length, 1, 'a dataset without a period field is not bounded');
  });

  it('filters and sorts by fields that are read', async () => {
    const fields = ['thing.thing_no', 'thing.weight', 'thing.made_on', 'thing.colour', 'thing.broken'];
    const ask = async (rows: RowSelection) => {
      const [answer] = await fetchRows(database, catalogue, [request(1, fields, { rows: { thing: rows } })]);
      return rowsOf(answer, 'thing', ['thing.thing_no']).flat();
    };
    const filter = (field: string, op: 'eq' | 'gte' | 'lte', value: Value): RowSelection => ({ filter: [{ field: ref(field), op, value }] });
    assert.deepEqual(await ask(filter('thing.weight', 'gte', '0')), [1]);
    assert.deepEqual(await ask(filter('thing.weight', 'lte', '-0.001')), [2]);
    assert.deepEqual(await ask(filter('thing.made_on', 'gte', '2026-02-01')), [2, 3]);
    assert.deepEqual(await ask(filter('thing.colour', 'eq', 'red')), [1]);
    assert.deepEqual(await ask(filter('thing.colour', 'eq', 'no such code')), []);
    assert.deepEqual(await ask(filter('thing.broken', 'eq', false)), [2]);
    assert.deepEqual(await ask({ filter: [{ field: ref('thing.thing_no'), op: 'gte', value: 2 }, { field: ref('thing.thing_no'), op: 'lte', value: 2 }] }), [2]);
    assert.deepEqual(await ask({ sort: { field: ref('thing.weight'), direction: 'asc' } }), [2, 1, 3]);
    assert.deepEqual(await ask({ sort: { field: ref('thing.weight'), direction: 'desc' }, limit: 2 }), [1, 2]);
  });

  const refusals: readonly [string, Part & { fields?: readonly string[] }, string][] = [
    ['a filter by a field that is not read', { rows: { thing: { filter: [{ field: ref('thing.label'), op: 'eq', value: 'x' }] } } }, 'QUERY_FILTER_NOT_PERMITTED'],
    ['a filter by a field of another dataset', { rows: { thing: { filter: [{ field: ref('single.weight'), op: 'eq', value: '1' }] } } }, 'QUERY_FILTER_NOT_PERMITTED'],
    ['a filter by an unknown field', { rows: { thing: { filter: [{ field: ref('thing.nothing'), op: 'eq', value: 1 }] } } }, 'QUERY_FILTER_NOT_PERMITTED'],
    ['a filter in a dataset nothing is read of', { rows: { monthly: { filter: [{ field: ref('monthly.made_on'), op: 'eq', value: '2026-01-01' }] } } }, 'QUERY_FILTER_NOT_PERMITTED'],
    ['a sort by a field that is not read', { rows: { thing: { sort: { field: ref('thing.label'), direction: 'asc' } } } }, 'QUERY_FILTER_NOT_PERMITTED'],
    ['a sort by SQL', { rows: { thing: { sort: { field: ref('thing.weight desc; drop table domain.thing; --'), direction: 'asc' } } } }, 'QUERY_FILTER_NOT_PERMITTED'],
    ['a direction there is not', { rows: { thing: { sort: { field: ref('thing.weight'), direction: 'asc; drop table domain.thing; --' as 'asc' } } } }, 'QUERY_INVALID'],
    ['an operator there is not', { rows: { thing: { filter: [{ field: ref('thing.weight'), op: '<> 0 or 1 =' as 'eq', value: '1' }] } } }, 'QUERY_INVALID'],
    ['a code compared by size', { rows: { thing: { filter: [{ field: ref('thing.colour'), op: 'gte', value: 'a' }] } } }, 'QUERY_INVALID'],
    ['a value of another type', { rows: { thing: { filter: [{ field: ref('thing.weight'), op: 'gte', value: "0' or '1'='1" }] } } }, 'QUERY_INVALID'],
    ['a value that is null', { rows: { thing: { filter: [{ field: ref('thing.colour'), op: 'eq', value: null }] } } }, 'QUERY_INVALID'],
    ['a value with NUL', { rows: { thing: { filter: [{ field: ref('thing.colour'), op: 'eq', value: 'a\0' }] } } }, 'QUERY_INVALID'],
    ['six filters', { rows: { thing: { filter: Array.from({ length: 6 }, () => ({ field: ref('thing.weight'), op: 'gte' as const, value: '1' })) } } }, 'QUERY_INVALID'],
    ['no rows', { rows: { thing: { limit: 0 } } }, 'QUERY_INVALID'],
    ['too many rows', { rows: { thing: { limit: rowsMax + 1 } } }, 'QUERY_INVALID'],
    ['half a row', { rows: { thing: { limit: 1.5 } } }, 'QUERY_INVALID'],
    ['an unknown field', { fields: ['thing.nothing'] }, 'QUERY_INVALID'],
    ['a field made of two', { fields: ['thing.weight,thing.colour'] }, 'QUERY_INVALID'],
    ['SQL for a field', { fields: ['thing.weight" from domain.thing; drop table domain.thing; --'] }, 'QUERY_INVALID'],
    ['a field every object has', { fields: ['thing.__proto__'] }, 'QUERY_INVALID'],
    ['501 fields', { fields: Array.from({ length: 501 }, () => 'thing.weight') }, 'QUERY_INVALID'],
  ];
  for (const [name, { fields = ['thing.weight', 'thing.colour'], ...part }, code] of refusals) {
    it(`refuses ${name}, alone among the queries that travel with it`, async () => {
      const answers = await fetchRows(database, catalogue, [request(1, ['thing.weight', 'thing.colour']), request(1, fields, part), request(2, ['thing.weight', 'thing.colour'])]);
      assert.ok(isVeilgateError(answers[1]), String(answers[1]));
      assert.equal(answers[1].code, code);
      for (const at of [0, 2]) assert.equal(rowsOf(answers[at], 'thing', ['thing.weight']).length, 3);
    });
  }

  it('takes SQL in a subject and in a compared text for what it is: text', async () => {
    const hostile = ["' or '1'='1", '"; drop table domain.thing; --', '{"x"}', '\\', 'NULL', '$1', '{}', 'a,b'];
    const requests = hostile.flatMap((text) => [
      { ...request(1, ['thing.label']), subject: text as SubjectId },
      request(1, ['thing.label'], { rows: { thing: { filter: [{ field: ref('thing.label'), op: 'eq', value: text }] } } }),
    ]);
    const answers = await fetchRows(database, catalogue, requests);
    for (const answer of answers) assert.deepEqual(rowsOf(answer, 'thing', ['thing.label']), []);
    const [still] = await fetchRows(database, catalogue, [request(1, ['thing.label'])]);
    assert.equal(rowsOf(still, 'thing', ['thing.label']).length, 3);
  });

  it('shows no value when its answer is printed or serialised', async () => {
    const [answer] = await fetchRows(database, catalogue, [request(1, ['thing.weight'])]);
    for (const text of [inspect(answer, { depth: 9, showHidden: true }), JSON.stringify([...(answer as FetchedRows)])]) assert.ok(!text.includes('1.500') && text.includes('raw row'));
  });

  it('prepares what comes back often, and never more statements than a connection can hold', async () => {
    const named = new Set<string>();
    let unnamed = 0;
    const counting: Sql = {
      query: async (statement) => {
        const { name } = statement as QueryConfig;
        if (name === undefined) unnamed += 1;
        else named.add(name);
        return { rows: [], rowCount: 0, command: '', oid: 0, fields: [] };
      },
    };
    const own = catalogueOf({ 'thing.yaml': thingYaml });
    const fields = [...own.fields.keys()];
    for (let mask = 1; mask < 2 ** 7; mask += 1) {
      for (const direction of ['asc', 'desc'] as const) {
        const chosen = fields.filter((_, at) => mask & (1 << at));
        const asked = { subject: subject(1), fields: chosen, dataFrom: null, dataTo: null, rows: { thing: { sort: { field: chosen[0] as never, direction } } } };
        for (let use = 0; use < 5; use += 1) await fetchRows(counting, own, [asked]);
      }
    }
    assert.equal(named.size, 200);
    assert.ok(unnamed > 0);
    for (const name of named) assert.ok(name.length < 64);
  });

  it('says that the database is gone when it is', async () => {
    const gone: Sql = { query: async () => { throw new VeilgateError('STORE_UNAVAILABLE', 'gone'); } };
    await assert.rejects(fetchRows(gone, catalogue, [request(1, ['thing.label'])]), (error) => isVeilgateError(error, 'STORE_UNAVAILABLE'));
  });
});
