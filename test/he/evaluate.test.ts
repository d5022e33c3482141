import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { readFigures } from '../../scripts/sample/figures.ts';
import { arithmeticOf, factor, multiplyBy, reduce } from '../../src/he/arithmetic.ts';
import { assertFits, clearWeightedSum, rangeOfSum } from '../../src/he/clear.ts';
import { createDecryptor, type Decryptor } from '../../src/he/decrypt.ts';
import { createColumnEncryptor, type ColumnEncryptor } from '../../src/he/encrypt.ts';
import { createEvaluator, type Evaluator, type Output } from '../../src/he/evaluate.ts';
import { generateKeyPair, type KeyPair } from '../../src/he/keygen.ts';
import { bytesOf, type He } from '../../src/he/runtime.ts';
import { packColumn, viewPacked } from '../../src/he/packed.ts';
import { reducedSums, switchedSum, weightedSums } from '../../src/he/sum.ts';
import { ciphertextPrefixBytes, emptyCiphertext } from '../../src/he/wire.ts';
import { uniformIntegers, webRandomBytes } from '../../src/he/random.ts';
import { firstDifference, firstOf, naiveSum, opened, randomColumns, set, testHe } from '../support/he.ts';

describe('weighted sums of encrypted columns', () => {
  let he: He;
  let keys: KeyPair;
  let encryptor: ColumnEncryptor;
  let decryptor: Decryptor;
  let evaluator: Evaluator;
  before(async () => {
    ({ he, keys } = await testHe());
    encryptor = createColumnEncryptor(he, set, keys.publicKey);
    decryptor = createDecryptor(he, set, keys.secretKey);
    evaluator = createEvaluator(he, set, keys.publicKey, { cacheBytesMax: 64 * 131_072, blindersMax: 4 });
  });
  after(() => {
    for (const each of [encryptor, decryptor, evaluator]) each.close();
  });

  let loads = 0;
  const loadAll = (columns: readonly Int32Array[]): string[] => columns.map((column) => {
    const digest = `column ${loads++}`;
    evaluator.load(digest, encryptor.encrypt(column));
    return digest;
  });
  const scoresOf = (digests: readonly string[], outputs: readonly Output[]): Int32Array[] =>
    evaluator.evaluate(digests, outputs).map(({ ciphertext, masks }) => opened(decryptor.decrypt(ciphertext), masks));
  const refuses = (act: () => unknown, code = 'HE_EVALUATION_FAILED') => assert.throws(act, { name: 'VeilgateError', code });

  it('equal the clear twin exactly, whatever the columns, the weights and the offset', () => {
    fc.assert(fc.property(
      fc.array(fc.record({ weight: fc.integer({ min: -6000, max: 6000 }), salt: fc.integer(), magnitude: fc.integer({ min: 0, max: 8 }) }), { minLength: 1, maxLength: 10 }),
      fc.integer({ min: -30_000, max: 30_000 }),
      (terms, offset) => {
        const columns = terms.map(({ salt, magnitude }) => Int32Array.from({ length: set.slots }, (_, slot) => (Math.imul(slot + 1, salt | 1) >>> 7) % (2 * magnitude + 1) - magnitude));
        const weights = terms.map(({ weight }) => weight);
        const [scores] = scoresOf(loadAll(columns), [{ weights, offset }]);
        assert.equal(firstDifference(scores, clearWeightedSum(columns, weights, offset)), -1);
      },
    ), { numRuns: 20 });
  });

  it('equal the clear twin exactly at the ends: the largest weights, the largest values, both signs', () => {
    const limit = (set.plainModulus - 1) / 2;
    const column = Int32Array.from({ length: set.slots }, (_, slot) => (slot % 2 === 0 ? 7 : -7));
    const columns = [column, column.map((value) => -value)];
    for (const weights of [[65_535, 0], [-65_535, 0], [32_768, -32_767], [0, 0], [1, -1]]) {
      assert.equal(firstDifference(scoresOf(loadAll(columns), [{ weights, offset: 0 }])[0], clearWeightedSum(columns, weights, 0)), -1);
    }
    const wide = Int32Array.of(limit, -limit, 0, 1);
    assert.deepEqual(scoresOf(loadAll([wide]), [{ weights: [1], offset: 0 }])[0]?.subarray(0, 4), wide);
    assert.deepEqual(scoresOf(loadAll([Int32Array.of(0)]), [{ weights: [1], offset: -limit }])[0]?.[0], -limit);
  });

  it('equal the clear twin exactly on the real ratios of 4,096 enterprises, for a score and its reason groups at once', () => {
    const figures = readFigures().slice(0, set.slots);
    const names = [...(figures[0]?.ratios.keys() ?? [])].slice(0, 20);
    const columns = names.map((name) => Int32Array.from(figures, ({ ratios }) => Math.round(Math.max(-1, Math.min(1, Number(ratios.get(name)))) * 100)));
    assert.equal(columns.length, 20);
    const weights = names.map((_, at) => (at % 3 === 0 ? -1 : 1) * (37 + 11 * at));
    const groups = [0, 1, 2].map((group) => weights.map((weight, at) => (at % 3 === group ? weight : 0)));
    const outputs = [weights, ...groups].map((each, at) => ({ weights: each, offset: at === 0 ? 600 : 0 }));
    scoresOf(loadAll(columns), outputs).forEach((scores, at) => {
      assert.equal(firstDifference(scores, clearWeightedSum(columns, outputs[at]?.weights ?? [], outputs[at]?.offset ?? 0)), -1);
    });
  });

  it('are what SEAL computes, to the bit, before they are blinded', () => {
    const weights = [65_000, -17, 0, 1, 500];
    const columns = randomColumns(5, 1000).map((column) => encryptor.encrypt(column));
    const arithmetic = arithmeticOf(set);
    const [sum] = weightedSums(columns.map((bytes) => viewPacked(set, packColumn(set, bytes).buffer, 0)), [weights]);
    assert.ok(sum !== undefined);
    const words = new Uint32Array(4 * set.polyModulusDegree);
    switchedSum(arithmetic, reducedSums(arithmetic, sum), new Float64Array(4 * set.polyModulusDegree), words);
    const bytes = emptyCiphertext(set, 'result');
    bytes.set(new Uint8Array(words.buffer), ciphertextPrefixBytes);
    // SEAL throws on a product with zero, which would be transparent: it gets the others only
    const others = [0, 1, 3, 4];
    assert.equal(firstDifference(bytes, naiveSum(he, keys, others.map((at) => columns[at] ?? bytes), others.map((at) => weights[at] ?? 0), {})), -1);
  });

  it('multiply residues exactly', () => {
    for (const prime of set.coeffModulus.slice(0, 2)) {
      const residue = fc.bigInt({ min: 0n, max: prime - 1n });
      fc.assert(fc.property(residue, residue, (a, b) => multiplyBy(factor(Number(b), Number(prime)), Number(a)) === Number((a * b) % prime)), {
        numRuns: 3000, examples: [[prime - 1n, prime - 1n], [0n, prime - 1n], [1n, prime - 1n], [2n ** 24n, 2n ** 45n], [prime >> 1n, 2n]],
      });
      fc.assert(fc.property(fc.bigInt({ min: -(2n ** 51n), max: 2n ** 51n }), (value) => reduce(Number(value), Number(prime)) === Number(((value % prime) + prime) % prime)), { numRuns: 1000 });
    }
  });

  it('reduce sums of words exactly, beside every multiple of a prime too', () => {
    const arithmetic = arithmeticOf(set);
    const [kept = 1n, dropped = 1n] = set.coeffModulus;
    const multiples = fc.array(fc.tuple(fc.bigInt({ min: -65_535n, max: 65_535n }), fc.integer({ min: -2, max: 2 }), fc.integer({ min: -60_000, max: 60_000 })), { minLength: 1, maxLength: 50 });
    fc.assert(fc.property(multiples, (cases) => {
      const sums = { low: new Float64Array(4 * set.slots), high: new Int32Array(4 * set.slots) };
      const expected = new Float64Array(4 * set.slots);
      for (const [polynomial, prime] of [kept, dropped, kept, dropped].entries()) {
        for (const [place, [multiple, beside, moved]] of cases.entries()) {
          const value = multiple * prime + BigInt(beside);
          const high = value >> 32n;
          const at = polynomial * set.slots + place;
          // the low sums are not below 2^32: some of it may stand in them that could stand in the high ones
          const carried = high - BigInt(moved) >= -(2n ** 31n) && high - BigInt(moved) < 2n ** 31n ? moved : 0;
          sums.high[at] = Number(high) - carried;
          sums.low[at] = Number(value & 0xffff_ffffn) + carried * 2 ** 32;
          expected[at] = Number(((value % prime) + prime) % prime);
        }
      }
      assert.equal(firstDifference(reducedSums(arithmetic, sums), expected), -1);
    }), { numRuns: 40 });
  });

  it('encrypt as SEAL does: its plaintext added by SEAL is ours, to the bit', () => {
    const context = he.context(set);
    const { seal } = context;
    const values = uniformIntegers(set.slots, set.plainModulus, webRandomBytes);
    const base = encryptor.encrypt(Int32Array.of());
    using ciphertext = new seal.Ciphertext();
    ciphertext.loadFromArray(context.context, base);
    using encoder = new seal.BatchEncoder(context.context);
    using plaintext = new seal.Plaintext();
    encoder.encode(BigInt64Array.from(values, (value) => BigInt(set.plainModulus - value) % BigInt(set.plainModulus)), plaintext);
    using adder = new seal.Evaluator(context.context);
    adder.addPlainInplace(ciphertext, plaintext);
    assert.equal(firstDifference(evaluator.unmask(base, values), bytesOf(context, ciphertext)), -1);
  });

  it('look the same for a zero weight: same form, same length, no fault, also when all are zero', () => {
    const digests = loadAll(randomColumns(6, 3));
    const results = evaluator.evaluate(digests, [[1, 2, 3, 4, 5, 6], [1, 0, 0, 0, 0, 6], [0, 0, 0, 0, 0, 0]].map((weights) => ({ weights, offset: 9 })));
    assert.deepEqual(results.map(({ ciphertext }) => ciphertext.length), [set.resultBytes, set.resultBytes, set.resultBytes]);
    assert.ok(opened(decryptor.decrypt(firstOf(results.slice(2)).ciphertext), firstOf(results.slice(2)).masks).every((score) => score === 9));
  });

  it('take the same work for a zero weight: every coefficient of every column is read as often', () => {
    const columns = randomColumns(6, 3).map((column) => viewPacked(set, packColumn(set, encryptor.encrypt(column)).buffer, 0));
    const readsWith = (weights: readonly number[]) => {
      const reads = columns.map(() => 0);
      const counted = columns.map((column, at) => {
        const counting = <Words extends object>(words: Words): Words => new Proxy(words, {
          get: (target, name) => {
            if (name !== 'length') reads[at] = (reads[at] ?? 0) + 1;
            return Reflect.get(target, name, target) as unknown;
          },
        });
        return { low: counting(column.low), high: counting(column.high) };
      });
      weightedSums(counted, [weights]);
      return reads;
    };
    const each = readsWith([1, 2, 3, 4, 5, 6]);
    assert.ok(each.every((reads) => reads >= 2 * 4 * set.polyModulusDegree), each.join());
    for (const weights of [[0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 6], [0, 0, 0, 0, 65_535, 0]]) assert.deepEqual(readsWith(weights), each);
  });

  it('are refused when they could leave the range of the plain modulus', () => {
    const limit = (set.plainModulus - 1) / 2;
    const digests = loadAll(randomColumns(2, 3));
    const bounds = [{ low: -10, high: 10 }, { low: 0, high: limit }];
    evaluator.evaluate(digests, [{ weights: [0, 1], offset: 0 }], bounds);
    refuses(() => evaluator.evaluate(digests, [{ weights: [1, 1], offset: 0 }], bounds));
    refuses(() => evaluator.evaluate(digests, [{ weights: [0, 1], offset: 1 }], bounds));
    refuses(() => evaluator.evaluate(digests, [{ weights: [1, 1], offset: 0 }], bounds.slice(1)));
    assert.deepEqual(rangeOfSum([3, -2], [{ low: -1, high: 2 }, { low: 0, high: 5 }], 4), { low: -9, high: 10 });
    assert.throws(() => assertFits(set, [1], [{ low: NaN, high: 0 }], 0), { code: 'HE_EVALUATION_FAILED' });
  });

  it('are refused for weights that the noise bound has no room for, that are no integers, or too few or many', () => {
    const digests = loadAll(randomColumns(2, 3));
    const outputs: readonly Output[][] = [
      [], [{ weights: [65_535, 1], offset: 0 }], [{ weights: [-40_000, 40_000], offset: 0 }], [{ weights: [1.5, 1], offset: 0 }], [{ weights: [NaN, 1], offset: 0 }],
      [{ weights: [1], offset: 0 }], [{ weights: [1, 1, 1], offset: 0 }], [{ weights: [1, 1], offset: 0.5 }], Array.from({ length: 65 }, () => ({ weights: [1, 1], offset: 0 })),
    ];
    for (const each of outputs) refuses(() => evaluator.evaluate(digests, each));
    refuses(() => evaluator.evaluate([], [{ weights: [], offset: 0 }]));
    refuses(() => encryptor.encrypt(new Int32Array(set.slots + 1)));
    refuses(() => encryptor.encrypt(Int32Array.of((set.plainModulus + 1) / 2)));
  });

  it('are made from what is loaded; the cache keeps what was used last', () => {
    const bytes = encryptor.encrypt(Int32Array.of(5));
    const small = createEvaluator(he, set, keys.publicKey, { cacheBytesMax: 2 * 131_072 });
    for (const digest of ['a', 'b']) small.load(digest, bytes);
    small.evaluate(['a'], [{ weights: [1], offset: 0 }]);
    small.load('c', bytes);
    assert.deepEqual(small.missing(['a', 'b', 'c']), ['b']);
    refuses(() => small.evaluate(['a', 'b'], [{ weights: [1, 1], offset: 0 }]));
    refuses(() => small.load('d', bytes.slice(1)), 'HE_CIPHERTEXT_REFUSED');
    small.close();
  });

  it('use each blinder once, prepared or not', () => {
    const digests = loadAll(randomColumns(1, 3));
    let prepared = 0;
    while (evaluator.prepare()) prepared += 1;
    assert.equal(prepared, 4);
    const results = Array.from({ length: 6 }, () => firstOf(evaluator.evaluate(digests, [{ weights: [3], offset: 0 }])));
    assert.equal(new Set(results.map(({ masks }) => masks.join())).size, 6);
    assert.equal(evaluator.prepare(), true);
  });

  it('move to a new key without anybody seeing a value: masked, re-encrypted, unmasked', () => {
    const next = generateKeyPair(he, set);
    const column = randomColumns(1, 500_000)[0] ?? Int32Array.of();
    const { ciphertext, masks } = evaluator.remask(encryptor.encrypt(column));
    const seen = decryptor.decrypt(ciphertext); // the custodian: uniform, see attacks.test.ts
    const nextEncryptor = createColumnEncryptor(he, set, next.publicKey);
    const moved = evaluator.unmask(nextEncryptor.encrypt(opened(seen, new Uint32Array(set.slots))), masks);
    const [nextEvaluator, nextDecryptor] = [createEvaluator(he, set, next.publicKey, { cacheBytesMax: 1e6 }), createDecryptor(he, set, next.secretKey)];
    const result = nextEvaluator.remask(moved);
    assert.equal(firstDifference(opened(nextDecryptor.decrypt(result.ciphertext), result.masks), column), -1);
    refuses(() => evaluator.unmask(moved, masks.subarray(1)));
    for (const each of [nextEncryptor, nextEvaluator, nextDecryptor]) each.close();
  });

  it('fail in one way, whatever went wrong inside SEAL', () => {
    const closed = createEvaluator(he, set, keys.publicKey, { cacheBytesMax: 1e6 });
    const bytes = encryptor.encrypt(Int32Array.of(5));
    closed.close();
    refuses(() => closed.remask(bytes));
    refuses(() => closed.unmask(bytes, new Uint32Array(set.slots)));
  });

  it('draw uniformly: words above the last whole multiple of the modulus are drawn again', () => {
    const words = [Uint32Array.of(2 ** 32 - 1, 3), Uint32Array.of(9)];
    assert.deepEqual(uniformIntegers(2, 10, () => new Uint8Array((words.shift() ?? Uint32Array.of(0)).buffer)), Uint32Array.of(3, 9));
    assert.equal(webRandomBytes(200_000).length, 200_000);
  });
});
