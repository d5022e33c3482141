import assert from 'node:assert/strict';
import { isVeilgateError } from '../../src/errors.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import { columnType, prepareDomainTables } from '../../src/source/domain.ts';
import type { Database } from '../../src/store/database.ts';
import { freshDatabase } from '../support/database.ts';
import { bytes, catalogueOf, loadThings, shippedCatalogueFolder, subject, thingYaml, thingsStored } from './support/fixtures.ts';

describe('domain tables', () => {
  let database: Database;
  beforeEach(async () => { database = await freshDatabase(); });

  const columns = async (table: string) => {
    const { rows } = await database.query<{ name: string; type: string; not_null: boolean; comment: string }>(
      `select attname as name, format_type(atttypid, atttypmod) as type, attnotnull as not_null, col_description(attrelid, attnum) as comment
         from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`, [table]);
    return new Map(rows.map((row) => [row.name, row]));
  };
  const key = async (table: string) => {
    const { rows } = await database.query<{ definition: string }>("select pg_get_constraintdef(oid) as definition from pg_constraint where conrelid = $1::regclass and contype = 'p'", [table]);
    return rows[0]?.definition;
  };

  it('has one typed table for each dataset of the catalogue, with classification as comment', async () => {
    const catalogue = loadCatalogue(shippedCatalogueFolder);
    await prepareDomainTables(database, catalogue);
    for (const dataset of catalogue.datasets.values()) {
      const found = await columns(`domain."${dataset.id}"`);
      for (const field of dataset.fields) {
        const column = found.get(field.name);
        assert.equal(column?.type, columnType(field), field.ref);
        assert.equal(column?.not_null, field.required, field.ref);
        assert.match(column?.comment ?? '', new RegExp(`level ${field.classification.level}, ${field.classification.kind}$`));
      }
    }
    assert.equal(await key('domain.registry'), 'PRIMARY KEY (subject)');
    assert.equal(await key('domain.tax'), 'PRIMARY KEY (subject, period)');
    assert.equal(await key('domain.owner'), 'PRIMARY KEY (subject, owner_no)');
  });

  it('changes nothing the second time, and survives many nodes starting at once', async () => {
    const catalogue = catalogueOf({ 'thing.yaml': thingYaml });
    await Promise.all([1, 2, 3, 4].map(() => prepareDomainTables(database, catalogue)));
    const before = await columns('domain.thing');
    const statements: string[] = [];
    const watching: Database = {
      ...database,
      transaction: (name, work) => database.transaction(name, (tx) => work({ ...tx, query: (text: never, values: never) => { statements.push(String(text)); return tx.query(text, values); } })),
    };
    await prepareDomainTables(watching, catalogue);
    assert.deepEqual(await columns('domain.thing'), before);
    assert.deepEqual(statements.filter((text) => /alter|create|comment/i.test(text) && !/select/i.test(text)), []);
  });

  it('takes quotes in a title as text', async () => {
    await prepareDomainTables(database, catalogueOf({ 'thing.yaml': thingYaml }));
    assert.equal((await columns('domain.thing')).get('label')?.comment, 'Label \'as\' "is"; -- · 标签; level 4, personal');
  });

  it('adds the column of a new field to a table with rows, and keeps that of a field that is gone', async () => {
    const before = catalogueOf({ 'thing.yaml': thingYaml });
    await prepareDomainTables(database, before);
    await loadThings(database, before, bytes(`subject,thing_no,made_on,label\n${subject(1)},1,2026-11-01,here\n`));
    const added = '  owner:\n    title: { en: Owner, zh: 主 }\n    type: text\n    classification: { level: 1, kind: public }\n    required: true\n    maxLength: 9\n';
    const after = catalogueOf({ 'thing.yaml': thingYaml.replace('  made_on:\n', '  made_at:\n').replace('periodField: made_on', 'periodField: made_at') + added });
    await prepareDomainTables(database, after);
    const found = await columns('domain.thing');
    assert.equal(found.get('owner')?.type, 'text');
    assert.equal(found.get('made_on')?.not_null, false, 'a column nobody fills any more may be empty');
    assert.equal(await thingsStored(database), 1);
    await loadThings(database, after, bytes(`subject,thing_no,made_at,owner\n${subject(2)},1,2026-11-01,me\n`));
    assert.equal(await thingsStored(database), 2);
  });

  it('refuses a change of a type or of the key, and says which', async () => {
    await prepareDomainTables(database, catalogueOf({ 'thing.yaml': thingYaml }));
    const mismatch = (message: RegExp) => (error: unknown) => isVeilgateError(error, 'STORE_SCHEMA_MISMATCH') && message.test(error.message);
    const newScale = catalogueOf({ 'thing.yaml': thingYaml.replace('scale: 3', 'scale: 4') });
    await assert.rejects(prepareDomainTables(database, newScale), mismatch(/the type of weight in dataset thing/));
    const newKey = catalogueOf({ 'thing.yaml': thingYaml.replace('{ kind: many, recordField: thing_no, periodField: made_on }', '{ kind: per_period, periodField: made_on }') });
    await assert.rejects(prepareDomainTables(database, newKey), mismatch(/tell its rows apart in dataset thing/));
    assert.equal(await key('domain.thing'), 'PRIMARY KEY (subject, thing_no)');
  });
});
