import { strict as assert } from 'node:assert';
import { amountsWords, amountWords } from '../../src/policy/amount-words.ts';
import { comparisonWords, openingWords, treatmentWords } from '../../src/policy/words.ts';

describe('policy/amount-words: money as people say it', () => {
  it('turns cents into yuan, in 万 and 亿 where that is a whole number', () => {
    const cases: readonly (readonly [cents: number, en: string, zh: string])[] = [
      [0, 'CNY 0', '0元'], [150, 'CNY 1.5', '1.5元'], [1_000_000, 'CNY 10,000', '1万元'], [50_000_000, 'CNY 500,000', '50万元'], [1_234_500, 'CNY 12,345', '12345元'],
      [1_000_000_000, 'CNY 10,000,000', '1000万元'], [10_000_000_000, 'CNY 100,000,000', '1亿元'], [-1_000_000, 'CNY -10,000', '-1万元'],
    ];
    for (const [cents, en, zh] of cases) assert.deepEqual(amountWords(cents, 'CNY cent'), { en, zh });
  });

  it('leaves other units, and numbers without one, as they are', () => {
    assert.deepEqual(amountWords(1_000_000, 'kWh'), { en: '1000000', zh: '1000000' });
    assert.deepEqual(amountsWords([0.1, 0.5]), { en: '0.1, 0.5', zh: '0.1、0.5' });
  });

  it('stands in what an enterprise reads before it consents', () => {
    const edges = [1_000_000, 10_000_000_000];
    assert.deepEqual(openingWords({ disposition: 'band', treatment: { method: 'band', edges } }, 'CNY cent'), {
      en: 'banded (shown as one of 3 bands with the edges CNY 10,000; CNY 100,000,000)', zh: '区间（以3个区间显示，分界点为1万元、1亿元）',
    });
    assert.equal(treatmentWords({ method: 'round', to: 1_000_000 }, 'CNY cent').zh, '按1万元取整');
    assert.equal(treatmentWords({ method: 'clamp', bottom: 0, top: 1_000_000 }, 'CNY cent').zh, '低于0元或高于1万元的值截断');
    assert.equal(comparisonWords({ method: 'within_absolute', amount: 100 }, 'CNY cent').en, 'equal within CNY 1');
    assert.equal(comparisonWords({ method: 'same_band', edges }, 'CNY cent').zh, '是否在同一区间（分界点1万元、1亿元）');
  });
});
