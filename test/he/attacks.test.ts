import { strict as assert } from 'node:assert';
import { clearWeightedSum } from '../../src/he/clear.ts';
import { createDecryptor, type Decryptor } from '../../src/he/decrypt.ts';
import { createColumnEncryptor, type ColumnEncryptor } from '../../src/he/encrypt.ts';
import { createEvaluator, type Evaluator } from '../../src/he/evaluate.ts';
import type { KeyPair } from '../../src/he/keygen.ts';
import { uniformIntegers, webRandomBytes } from '../../src/he/random.ts';
import type { He } from '../../src/he/runtime.ts';
import { residuesOf } from '../../src/he/wire.ts';
import { firstDifference, firstOf, naiveSum, opened, randomColumns, set, testHe } from '../support/he.ts';
import { correlation, createNoiseReader, type NoiseReader } from '../support/he-noise.ts';

/**
 * What a custodian learns that keeps its secret key, everything it receives, and does more with it than it should.
 * Each attack first succeeds against the sum as one would write it. Statistics of independent data stay below the
 * thresholds with probability above 1 − 10^-7: 5.5 deviations of a normal distribution.
 */
const deviationsMax = 5.5;
const unrelatedMax = deviationsMax / Math.sqrt(set.polyModulusDegree);

describe('a custodian that reads more than slots', function attacks() {
  this.timeout(60_000);
  let he: He;
  let keys: KeyPair;
  let encryptor: ColumnEncryptor;
  let decryptor: Decryptor;
  let evaluator: Evaluator;
  let reader: NoiseReader;
  before(async () => {
    ({ he, keys } = await testHe());
    encryptor = createColumnEncryptor(he, set, keys.publicKey);
    decryptor = createDecryptor(he, set, keys.secretKey);
    evaluator = createEvaluator(he, set, keys.publicKey, { cacheBytesMax: 64 * 131_072 });
    reader = createNoiseReader(he, keys.secretKey);
  });
  after(() => {
    for (const each of [encryptor, decryptor, evaluator]) each.close();
  });

  const newMasks = () => uniformIntegers(set.slots, set.plainModulus, webRandomBytes);
  const masked = (scores: Int32Array, masks: Uint32Array) => masks.map((mask, slot) => (mask + (scores[slot] ?? 0) + set.plainModulus) % set.plainModulus);
  const evaluate = (columns: readonly Uint8Array[], weights: readonly number[]) => {
    const digests = columns.map((bytes, at) => {
      evaluator.load(`column ${at}`, bytes);
      return `column ${at}`;
    });
    return firstOf(evaluator.evaluate(digests, [{ weights, offset: 0 }]));
  };
  const weights = [700, -300, 1200, 41];

  it('cannot tell two feature sets with equal masked outcomes apart by their noise; without the flood it can', () => {
    const [some, others] = [randomColumns(4, 20), randomColumns(4, 20)].map((columns) => ({ columns, encrypted: columns.map((column) => encryptor.encrypt(column)), scores: clearWeightedSum(columns, weights, 0) }));
    assert.ok(some !== undefined && others !== undefined);
    // the outcome is the same for both: the mask of the one makes up for the difference of the scores
    const masks = newMasks();
    const outcome = masked(some.scores, masks);
    const masksOfOthers = masks.map((mask, slot) => (mask + (some.scores[slot] ?? 0) - (others.scores[slot] ?? 0) + 2 * set.plainModulus) % set.plainModulus);
    assert.equal(firstDifference(masked(others.scores, masksOfOthers), outcome), -1);
    const naiveNoise = (encrypted: readonly Uint8Array[], mask: Uint32Array, slots: Uint32Array) =>
      reader.noiseOf(naiveSum(he, keys, encrypted, weights, { masks: mask, rerandomise: true, bothPrimes: true }), 'column', slots);
    const seenBefore = newMasks();
    const fingerprint = naiveNoise(some.encrypted, seenBefore, masked(some.scores, seenBefore));
    assert.ok(correlation(fingerprint, naiveNoise(some.encrypted, masks, outcome)) > 0.9, 'the attack works on what was seen before');
    assert.ok(Math.abs(correlation(fingerprint, naiveNoise(others.encrypted, masksOfOthers, outcome))) < unrelatedMax, 'and tells it from another');

    const flooded = [some, some, others].map(({ encrypted }) => {
      const { ciphertext } = evaluate(encrypted, weights);
      return reader.noiseOf(ciphertext, 'result', decryptor.decrypt(ciphertext));
    });
    const [first = fingerprint, second = fingerprint, third = fingerprint] = flooded;
    for (const [a, b] of [[first, second], [first, third], [first, fingerprint], [second, fingerprint]] as const) assert.ok(Math.abs(correlation(a, b)) < unrelatedMax);
    // uniform: as wide as the flood says, and nothing beyond it but rounding
    const width = 2 ** set.floodBits / Number(set.coeffModulus[1]);
    assert.ok(first.every((noise) => Math.abs(noise) < width + 2100));
    assert.ok(first.some((noise) => Math.abs(noise) > 0.97 * width));
  });

  it('cannot read feature values out of rounding, however often a column is refreshed; without the flood it can', () => {
    // two columns it holds possible: rounding q·m/t leaves a trace of the right one in every encryption of it
    const [truth = Int32Array.of(), other = Int32Array.of()] = randomColumns(2, 1000);
    const [roundingOfTruth, roundingOfOther] = [reader.roundingOf(truth), reader.roundingOf(other)];
    const template = roundingOfTruth.map((value, at) => value - (roundingOfOther[at] ?? 0));
    const length = Math.sqrt(template.reduce((sum, value) => sum + value * value, 0));
    const refreshes = 80;
    const decide = (noises: readonly Float64Array[]) => {
      const deviation = Math.sqrt(noises.flatMap((noise) => [...noise]).reduce((sum, value) => sum + value * value, 0) / (noises.length * set.polyModulusDegree));
      return noises.reduce((sum, noise) => sum + noise.reduce((inner, value, at) => inner + value * (template[at] ?? 0), 0), 0) / (deviation * length * Math.sqrt(noises.length));
    };
    const encrypted = Array.from({ length: refreshes }, () => encryptor.encrypt(truth));
    const naive = encrypted.map((bytes) => {
      const masks = newMasks();
      return reader.noiseOf(naiveSum(he, keys, [bytes], [250], { masks, rerandomise: true, bothPrimes: true }), 'column', masked(truth.map((value) => value * 250), masks));
    });
    assert.ok(decide(naive) > 2, `the right column stands out: ${decide(naive)} deviations`);
    const flooded = encrypted.map((bytes) => {
      const { ciphertext } = evaluate([bytes], [250]);
      return reader.noiseOf(ciphertext, 'result', decryptor.decrypt(ciphertext));
    });
    assert.ok(Math.abs(decide(flooded)) < deviationsMax);
  });

  it('cannot read scores: what it decrypts is uniform; without the mask it reads them', () => {
    const columns = randomColumns(4, 20);
    const encrypted = columns.map((column) => encryptor.encrypt(column));
    const scores = clearWeightedSum(columns, weights, 0);
    const unmasked = decryptor.decrypt(naiveSum(he, keys, encrypted, weights, { rerandomise: true }));
    assert.equal(firstDifference(opened(unmasked, new Uint32Array(set.slots)), scores), -1);

    const { ciphertext, masks } = evaluate(encrypted, weights);
    const decrypted = decryptor.decrypt(ciphertext);
    assert.equal(firstDifference(opened(decrypted, masks), scores), -1);
    for (const seen of [decrypted, masks, decryptor.decrypt(evaluator.remask(encrypted[0] ?? ciphertext).ciphertext)]) {
      const counts = new Float64Array(16);
      for (const value of seen) counts[Math.floor((16 * value) / set.plainModulus)]! += 1;
      const expected = set.slots / 16;
      // χ² with 15 degrees of freedom stays below 64 with probability 1 − 5·10^-8
      assert.ok(counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0) < 64);
      assert.ok(Math.abs(correlation(Float64Array.from(seen), Float64Array.from(scores))) < unrelatedMax);
    }
  });

  it('cannot link two requests for the same block, nor a request to a ciphertext it got hold of; without re-randomising it can', () => {
    const encrypted = randomColumns(4, 20).map((column) => encryptor.encrypt(column));
    const secondComponent = (bytes: Uint8Array) => {
      const words = residuesOf(set, bytes, 'result');
      return words.subarray(words.length / 2);
    };
    const isEqual = (a: Uint8Array, b: Uint8Array) => firstDifference(secondComponent(a), secondComponent(b)) === -1;
    // masks change c0 alone: c1 is Σ w·c1 of the stored columns, the same for every bank that asks
    const [one, two] = [0, 1].map(() => naiveSum(he, keys, encrypted, weights, { masks: newMasks() })) as [Uint8Array, Uint8Array];
    assert.ok(isEqual(one, two));
    const stolen = encrypted[2] ?? one;
    assert.ok(isEqual(naiveSum(he, keys, [stolen], [1], { masks: newMasks() }), naiveSum(he, keys, [stolen], [1], {})), 'a key rotation names the block');

    const results = [evaluate(encrypted, weights), evaluate(encrypted, weights), evaluator.remask(stolen), evaluator.remask(stolen)].map(({ ciphertext }) => ciphertext);
    const known = [...results, one, naiveSum(he, keys, [stolen], [1], {})].map((bytes) => Float64Array.from({ length: set.polyModulusDegree }, (_, at) => secondComponent(bytes)[2 * at + 1] ?? 0));
    known.slice(0, 4).forEach((a, at) => known.slice(at + 1).forEach((b) => assert.ok(Math.abs(correlation(a, b)) < unrelatedMax)));
  });
});
