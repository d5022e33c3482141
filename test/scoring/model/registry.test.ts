import { strict as assert } from 'node:assert';
import { modelsOn } from '../../../src/scoring/model/registry.ts';
import type { Feature, FeatureId, Model } from '../../../src/scoring/protocol.ts';
import type { FieldRef } from '../../../src/vocabulary.ts';
import { scoredFeatures, scoredFields, testModel } from '../../support/scoring.ts';

const features = new Map(scoredFeatures.map((id, at) => [id, { id, source: scoredFields[at] } as unknown as Feature]));
const on = (field: string, declared: ReadonlyMap<FeatureId, Feature>, models: readonly Model[] = [testModel('a@1'), { ...testModel('b@1'), terms: testModel().terms.slice(1) }]) =>
  modelsOn(field as FieldRef, models, declared);

describe('models that work on a field', () => {
  it('are those with a feature made from it, whatever the feature is called', () => {
    assert.deepEqual(on(scoredFields[0] ?? '', features), ['a@1']);
    assert.deepEqual(on(scoredFields[1] ?? '', features), ['a@1', 'b@1']);
    assert.deepEqual(on('financials.debt_ratio', features), []);
    const [first = '' as FeatureId] = scoredFeatures;
    const renamed = new Map([...features, [first, { id: first, source: 'tax.invoiced_cents' } as unknown as Feature]]);
    assert.deepEqual([on('tax.invoiced_cents', renamed), on(scoredFields[0] ?? '', renamed)], [['a@1'], []]);
  });

  it('are all of the dataset while a feature is declared no more: its field cannot be known', () => {
    const fewer = new Map([...features].slice(1));
    assert.deepEqual(on('financials.debt_ratio', fewer), ['a@1']);
    assert.deepEqual(on('financial.debt_ratio', fewer), [], 'a dataset of another name');
  });
});
