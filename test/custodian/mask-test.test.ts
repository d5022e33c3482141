import { strict as assert } from 'node:assert';
import { randomInt } from 'node:crypto';
import { crowds, gMax, gStatistic, maskFault, multipleMax, repeatsMax } from '../../src/custodian/mask-test.ts';

const slots = 4096;
const modulus = 1_032_193;
const uniform = (count = slots) => Uint32Array.from({ length: count }, () => randomInt(modulus));
/** Scores as a scorecard gives them, around 600 with a spread of 80, centred modulo t. */
const scores = (count = slots) => Uint32Array.from({ length: count }, () => Math.max(0, Math.round(600 + 80 * (randomInt(1000) + randomInt(1000) + randomInt(1000) - 1500) / 500)));
/** Scores as fine as a model may make them: 65,535 steps, all as likely. */
const fineScores = (count = slots) => Uint32Array.from({ length: count }, () => randomInt(65_535));
const add = (values: Uint32Array, mask: (slot: number) => number) => values.map((value, slot) => (value + mask(slot)) % modulus);
/** A masked block of which the first `count` slots are bare. */
const bare = (count: number, values: (count: number) => Uint32Array) => {
  const block = uniform();
  block.set(values(count));
  return block;
};

/**
 * 120 bare slots in one cell of 64, and of the masked ones 62 there, as many as the mean: 182 are a crowd (161 are not), whatever the
 * masks. The G statistic is then 148 and what 62 cells of uniform draws give: beyond its threshold of 348 once in 10^16 blocks.
 */
function crowdOf120(): Uint32Array {
  const cellOf = (value: number) => Math.floor((value * 64) / modulus);
  const crowded = cellOf(290_400);
  assert.equal(cellOf(290_400 + 14_999), crowded);
  const drawn = (isThere: boolean): number => {
    const value = randomInt(modulus);
    return (cellOf(value) === crowded) === isThere ? value : drawn(isThere);
  };
  return Uint32Array.from({ length: slots }, (_, slot) => (slot < 120 ? 290_400 + randomInt(15_000) : drawn(slot % 64 === 0)));
}

describe('custodian/mask-test', () => {
  const log2 = Math.log2;
  const bits = 68;

  it('has thresholds that a uniform block passes with less than 2^-68 each', () => {
    const x = gMax / 2;
    const k = 63;
    assert.ok((-x + k * (1 + Math.log(x / k))) / Math.LN2 < -bits, 'G statistic, Agrawal 2020');
    for (const { cells, countMax } of crowds) {
      const mean = (slots * Math.ceil(modulus / cells)) / modulus;
      const count = countMax + 1;
      assert.ok((-mean + count * (1 + Math.log(mean / count))) / Math.LN2 + log2(cells) < -bits, `crowds of ${cells}`);
    }
    const mean = (slots * (slots - 1)) / 2 / modulus;
    const repeats = repeatsMax + 1;
    assert.ok((-mean + repeats * (1 + Math.log(mean / repeats))) / Math.LN2 < -bits, 'repeats');
    let multiple = log2(modulus);
    for (let at = 0; at <= multipleMax; at += 1) multiple += log2(slots - at) - log2(at + 1) - log2(modulus);
    assert.ok(multiple < -bits, 'multiple');
  });

  it('passes masked blocks, whatever was masked', () => {
    for (let round = 0; round < 300; round += 1) {
      assert.equal(maskFault(uniform(), modulus), undefined);
      assert.equal(maskFault(add(scores(), () => randomInt(modulus)), modulus), undefined);
      assert.equal(maskFault(add(new Uint32Array(slots), () => randomInt(modulus)), modulus), undefined);
    }
  });

  it('has a G statistic that lies where a uniform block puts it', () => {
    const sizes = Array.from({ length: 64 }, (_, cell) => Math.ceil(((cell + 1) * modulus) / 64) - Math.ceil((cell * modulus) / 64));
    const counts = new Uint32Array(64);
    let sum = 0;
    for (let round = 0; round < 200; round += 1) {
      counts.fill(0);
      for (const value of uniform()) counts[Math.floor((value * 64) / modulus)]! += 1;
      sum += gStatistic(counts, sizes, modulus);
    }
    // 63 degrees of freedom: mean of 200 within 63 ± 6 except once in 10^11
    assert.ok(Math.abs(sum / 200 - 63) < 6, `${sum / 200}`);
  });

  const caught: readonly (readonly [string, () => Uint32Array, string])[] = [
    ['an unmasked block of scores', scores, 'range'],
    ['an unmasked block of the finest scores', fineScores, 'range'],
    ['zeros', () => new Uint32Array(slots), 'range'],
    ['a mask of 16 bits', () => add(scores(), () => randomInt(65_536)), 'range'],
    ['a mask that is a multiple of 64', () => Uint32Array.from({ length: slots }, () => 64 * randomInt(Math.floor(modulus / 64))), 'residue'],
    ['one mask for all slots', () => { const mask = randomInt(modulus); return add(fineScores(), () => mask); }, 'range'],
    ['masks that count up', () => { const mask = randomInt(modulus); return add(scores(), (slot) => mask + slot * 252); }, 'difference'],
    ['a mask for every second slot', () => add(scores(), (slot) => (slot % 2 === 0 ? 0 : randomInt(modulus))), 'range'],
    ['a mask that starts again after 4,000 slots', () => { const masks = uniform(4000); return add(new Uint32Array(slots), (slot) => masks[slot % 4000] ?? 0); }, 'repeats'],
    ['120 bare slots of scores within 15,000 steps', crowdOf120, 'crowd'],
    ['100 bare slots of scores', () => bare(100, scores), 'crowd'],
    ['nine bare slots without a value', () => bare(9, (count) => new Uint32Array(count)), 'multiple'],
    ['80 bare slots of a yes-or-no feature times a weight of 40,000', () => bare(80, (count) => Uint32Array.from({ length: count }, () => 40_000 * randomInt(2))), 'crowd'],
  ];
  for (const [what, block, fault] of caught) {
    it(`refuses ${what}`, () => {
      for (let round = 0; round < 20; round += 1) assert.equal(maskFault(block(), modulus), fault);
    });
  }

  it('cannot see what looks uniform: known masks, one mask for two blocks, a few bare slots (told plainly)', () => {
    const masks = uniform();
    assert.equal(maskFault(add(scores(), (slot) => masks[slot] ?? 0), modulus), undefined);
    assert.equal(maskFault(add(scores(), (slot) => masks[slot] ?? 0), modulus), undefined);
    assert.equal(maskFault(bare(8, fineScores), modulus), undefined);
  });
});
