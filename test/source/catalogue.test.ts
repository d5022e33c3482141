import assert from 'node:assert/strict';
import { identifierPattern, keyFields, loadCatalogue } from '../../src/source/catalogue.ts';
import { isVeilgateError } from '../../src/errors.ts';
import { catalogueOf, shippedCatalogueFolder, thingYaml } from './support/fixtures.ts';

describe('catalogue', () => {
  it('describes at least 8 datasets and 60 fields over all levels and kinds', () => {
    const catalogue = loadCatalogue(shippedCatalogueFolder);
    const fields = [...catalogue.fields.values()];
    assert.ok(catalogue.datasets.size >= 8);
    assert.ok(fields.length >= 60);
    assert.deepEqual([...new Set(fields.map(({ classification }) => classification.level))].sort(), [1, 2, 3, 4, 5]);
    assert.deepEqual([...new Set(fields.map(({ classification }) => classification.kind))].sort(), ['commercial_secret', 'personal', 'public']);
    for (const [id, dataset] of catalogue.datasets) {
      assert.equal(id, dataset.id);
      assert.match(id, identifierPattern);
      for (const field of dataset.fields) {
        assert.match(field.name, identifierPattern);
        assert.notEqual(field.name, 'subject');
        assert.equal(field.ref, `${id}.${field.name}`);
        assert.equal(catalogue.fields.get(field.ref), field);
      }
      for (const name of keyFields(dataset)) assert.ok(dataset.fields.some((field) => field.name === name && field.required));
    }
  });

  it('keeps the fields in the order of the file', () => {
    const [thing] = catalogueOf({ 'thing.yaml': thingYaml }).datasets.values();
    assert.deepEqual(thing?.fields.map(({ name }) => name), ['thing_no', 'made_on', 'label', 'colour', 'weight', 'price_cents', 'broken']);
    assert.equal(thing?.fields[2]?.required, false);
  });

  const line = (text: string) => thingYaml.split('\n').findIndex((candidate) => candidate.trim().startsWith(text)) + 1;
  const broken: readonly [string, string, { readonly line: number; readonly problem: RegExp }][] = [
    ['a key with a typo', thingYaml.replace('freshnessDays:', 'freshnesDays:'), { line: line('freshnessDays'), problem: /freshnesDays: is not a key that belongs here/ }],
    ['a type there is not', thingYaml.replace('type: boolean', 'type: bool'), { line: line('type: boolean'), problem: /fields\.broken\.type: must be one of text, code/ }],
    ['a field name out of bounds', thingYaml.replace('  colour:', '  "drop table":'), { line: line('colour:'), problem: /is not a valid name/ }],
    ['a level out of range', thingYaml.replace('level: 4', 'level: 6'), { line: line('classification: { level: 4'), problem: /level: must be <= 5/ }],
    ['text without a length', thingYaml.replace('    maxLength: 60\n', ''), { line: line('label:'), problem: /must have required property 'maxLength'/ }],
    ['a code without codes', thingYaml.replace('    codes: { red: Red, green: Green }\n', ''), { line: line('colour:'), problem: /must have required property 'codes'/ }],
    ['codes on a boolean', `${thingYaml}    codes: { a: A }\n`, { line: thingYaml.split('\n').length, problem: /does not belong to a field of this type/ }],
    ['min above max', thingYaml.replace('min: 1\n', 'min: 2000000\n'), { line: line('min: 1'), problem: /min: is greater than max/ }],
    ['a record field that is not there', thingYaml.replace('recordField: thing_no', 'recordField: nothing'), { line: line('cardinality'), problem: /there is no field nothing/ }],
    ['a period field that is no date', thingYaml.replace('periodField: made_on', 'periodField: label'), { line: line('cardinality'), problem: /must be of type date/ }],
    ['a cardinality there is not', thingYaml.replace('kind: many', 'kind: some'), { line: line('cardinality'), problem: /must be one, per_period or many/ }],
    ['a record field that may be empty', thingYaml.replace('recordField: thing_no', 'recordField: price_cents'), { line: line('cardinality'), problem: /must be required/ }],
    ['a pattern that is no expression', thingYaml.replace('maxLength: 60', 'maxLength: 60\n    pattern: "(["'), { line: line('maxLength') + 1, problem: /is not a valid regular expression/ }],
    ['a field named subject', thingYaml.replace('  label:', '  subject:'), { line: line('label:'), problem: /is a reserved name/ }],
    ['a field named like a system column', thingYaml.replace('  label:', '  xmin:'), { line: line('label:'), problem: /is a reserved name/ }],
    ['a field named twice', thingYaml.replace('  broken:', '  label:'), { line: line('broken:'), problem: /not valid YAML: Map keys must be unique/ }],
    ['a bracket that is never closed', thingYaml.replace('{ en: Thing, zh: 物 }', '{ en: Thing'), { line: line('title') + 1, problem: /not valid YAML/ }],
    ['another file name', thingYaml.replace('dataset: thing', 'dataset: things'), { line: 1, problem: /must be called things\.yaml/ }],
    ['nothing at all', '', { line: 1, problem: /must be object/ }],
    ['an alias bomb', `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`, { line: 1, problem: /not valid YAML/ }],
  ];
  for (const [name, yaml, expected] of broken) {
    it(`refuses ${name} and says where`, () => {
      assert.throws(() => catalogueOf({ 'thing.yaml': yaml }), (error) => {
        assert.ok(isVeilgateError(error, 'POLICY_BROKEN'));
        const problems = error.detail?.['problems'] as { file: string; line: number; problem: string }[];
        const found = problems.find(({ problem }) => expected.problem.test(problem));
        assert.ok(found, JSON.stringify(problems));
        assert.deepEqual([found.file, found.line], ['thing.yaml', expected.line]);
        return true;
      });
    });
  }

  it('reports the problems of all files at once, and the first one in the message', () => {
    assert.throws(
      () => catalogueOf({ 'a.yaml': thingYaml, 'thing.yaml': thingYaml.replace('type: boolean', 'type: bool') }),
      (error) => isVeilgateError(error, 'POLICY_BROKEN') && (error.detail?.['problems'] as object[]).length === 2 && /a\.yaml, line 1: .* \(and 1 more\)\.$/.test(error.message),
    );
  });

  it('refuses a folder without a dataset and a folder that is not there', () => {
    assert.throws(() => catalogueOf({}), (error) => isVeilgateError(error, 'POLICY_BROKEN'));
    assert.throws(() => loadCatalogue('/nowhere/at/all'), (error) => isVeilgateError(error, 'POLICY_BROKEN'));
  });
});
