import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isVeilgateError } from '../../../src/errors.ts';
import { modelToJson, type ModelJson } from '../../../src/scoring/model/document.ts';
import { functionalsOf } from '../../../src/scoring/model/functional.ts';
import { judgeModel } from '../../../src/scoring/model/judge.ts';
import { loadScoringSettings } from '../../../src/scoring/model/settings.ts';
import { modelDigest, parseModel } from '../../../src/scoring/model/shape.ts';
import { judgeTogether } from '../../../src/scoring/model/together.ts';
import { loadFeatures } from '../../../src/scoring/feature/load.ts';
import { loadCatalogue } from '../../../src/source/catalogue.ts';
import { root } from '../../support/sources.ts';
import { model, numbers, reason, settings } from './declared.ts';

const policies = path.join(root, 'policies');
const sample = (name: string) => JSON.parse(readFileSync(path.join(root, `sample/models/${name}.json`), 'utf8')) as ModelJson;
const card = sample('sme_scorecard-1');

function problems(document: unknown): readonly { readonly pointer: string; readonly problem: string }[] {
  try {
    parseModel(document);
  } catch (error) {
    assert.ok(isVeilgateError(error, 'MODEL_INVALID'), String(error));
    return error.detail?.['problems'] as readonly { pointer: string; problem: string }[];
  }
  return [];
}
const pointers = (document: unknown) => problems(document).map(({ pointer }) => pointer);

describe('model documents', () => {
  it('come back as they went, whatever the order of their keys, and have one digest', () => {
    const parsed = parseModel(card);
    const { $schema: _schema, ...document } = card as ModelJson & { readonly $schema: string };
    assert.deepEqual(modelToJson(parsed), document);
    assert.equal(modelDigest(parsed), modelDigest(parseModel(Object.fromEntries(Object.entries(document).reverse()))));
    assert.notEqual(modelDigest(parsed), modelDigest(parseModel({ ...document, offset: 1 })));
  });

  it('have whole weights that are not zero, and no feature twice', () => {
    const terms = (...more: object[]) => ({ ...card, terms: [...card.terms, ...more] });
    assert.deepEqual(pointers(terms({ feature: 'a/b', weight: 0 })), [`/terms/${card.terms.length}/weight`]);
    assert.deepEqual(pointers(terms({ feature: 'a/b', weight: 1.5 })), [`/terms/${card.terms.length}/weight`]);
    assert.deepEqual(pointers(terms({ feature: 'a/b', weight: 65_536 })), [`/terms/${card.terms.length}/weight`]);
    assert.deepEqual(pointers(terms(card.terms[3] as object)), [`/terms/${card.terms.length}/feature`]);
  });

  it('have bands that ascend from below everything', () => {
    const [first, second, ...others] = card.bands as [ModelJson['bands'][number], ModelJson['bands'][number], ...ModelJson['bands']];
    assert.deepEqual(pointers({ ...card, bands: [{ ...first, from: 5 }, second] }), ['/bands/0/from']);
    assert.deepEqual(pointers({ ...card, bands: [first, { ...second, from: null }] }), ['/bands/1/from']);
    assert.deepEqual(pointers({ ...card, bands: [first, second, { ...second, code: 'X' }] }), ['/bands/2/from']);
    assert.deepEqual(pointers({ ...card, bands: [first, { ...second, code: first.code }, ...others] }), ['/bands/1/code']);
  });

  it('have reason groups over their own features that do not overlap', () => {
    const [one, ...others] = card.reasons as [ModelJson['reasons'][number], ...ModelJson['reasons']];
    const other = others[0]?.features[0] as string;
    assert.deepEqual(pointers({ ...card, reasons: [{ ...one, features: [...one.features, 'financials/tax_rate'] }, ...others] }), [`/reasons/0/features/${one.features.length}`]);
    assert.deepEqual(pointers({ ...card, reasons: [{ ...one, features: [...one.features, other] }, ...others] }), ['/reasons/1/features/0']);
    assert.deepEqual(pointers({ ...card, reasons: [one, { ...one, features: [other] }] }), ['/reasons/1/code']);
  });

  it('are refused for keys nobody knows, of which only words are repeated', () => {
    assert.deepEqual(problems({ ...card, colour: 'red' }).map(({ problem }) => problem), ['has an unknown key "colour"']);
    assert.deepEqual(problems({ ...card, 91370202: 1 }).map(({ problem }) => problem), ['has an unknown key']);
    for (const hostile of [null, 1, [], {}, { ...card, terms: 'x' }, { ...card, ref: 'x' }]) assert.ok(problems(hostile).length > 0);
  });
});

describe('the sample models', () => {
  const catalogue = loadCatalogue(path.join(policies, 'catalogue'));
  const space = { features: loadFeatures(policies, catalogue), fields: catalogue.fields };
  const limits = loadScoringSettings(policies);
  const models = ['solvency_linear-1', 'sme_scorecard-1'].map((name) => parseModel(sample(name)));

  it('keep all limits, alone and together', function () {
    for (const each of models) assert.deepEqual(judgeModel(each, space, limits), { ok: true, findings: [] });
    assert.deepEqual(judgeTogether(models.flatMap(functionalsOf), space, limits), { ok: true, findings: [] });
  });
});

describe('limits of models', () => {
  it('refuse a raw score, weights and steps beyond what is computed with', () => {
    const rules = (attack: ReturnType<typeof model>, world = numbers(10)) => judgeModel(attack, world, settings).findings.map(({ rule }) => rule);
    const even = [60, 61, 59, 62, 58, 63, 57, 64, 56, 65];
    assert.deepEqual(rules(model(even)), []);
    assert.deepEqual(rules(model(even, { offset: 500_000 })), ['raw_range']);
    assert.deepEqual(rules(model(even.map((weight, at) => weight * 11 + (at % 3))), numbers(10, 10)), ['steps']);
    assert.ok(rules(model(even.map((weight) => weight * 120)), numbers(10, 1)).includes('weight_sum'));
    const groups = Array.from({ length: 2 }, (_, at) => reason(`R${at}`, even.map((__, index) => `f${index}`).filter((__, index) => index % 2 === at)));
    assert.deepEqual(judgeModel(model(even, { reasons: groups }), numbers(10), { ...settings, functionalsMax: 2 }).findings.map(({ rule }) => rule), ['functionals']);
  });
});
