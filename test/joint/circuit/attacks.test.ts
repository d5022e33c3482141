import { strict as assert } from 'node:assert';
import { createCoefficientCoder } from '../../../src/he/coefficients.ts';
import { jointParameters as set } from '../../../src/he/joint-parameters.ts';
import { createPadEncryptor, type PadEncryptor } from '../../../src/he/pads.ts';
import { bytesOf, loadHe, type HeContext } from '../../../src/he/runtime.ts';
import { createTableEvaluator, type TableEvaluator } from '../../../src/he/table-products.ts';
import { createWindowDecryptor, type WindowDecryptor } from '../../../src/he/window-decrypt.ts';
import { checkPublicKeyBytes, ciphertextPrefixBytes, ownResidues, primesOf } from '../../../src/he/wire.ts';
import { clearPolynomial, layoutOf, padIndex, padPolynomial, shiftOf, sumsOf, windowStart } from '../../../src/joint/circuit/layout.ts';
import { openTable, startTable } from '../../../src/joint/circuit/table.ts';
import type { Rational } from '../../../src/joint/noise/discrete-gaussian.ts';
import { createExactRandom } from '../../../src/joint/noise/exact-random.ts';
import { VeilgateError } from '../../../src/errors.ts';
import { keystream } from '../support/keystream.ts';

const silent = { numerator: 0n, denominator: 1n };
/** σ = 5: what a fifth of a project's ε = 4 buys for one table of counts. */
const noisy = { numerator: 25n, denominator: 1n };

/**
 * A partner that follows the protocol but wants a single enterprise's value: it knows its secret key, its pads and
 * every coefficient of its ciphertexts. Each attack first wins against the product as plain homomorphic encryption
 * gives it, then meets the answer as it leaves.
 */
describe('what a curious partner makes of an encrypted table', () => {
  const layout = layoutOf(set.polyModulusDegree, 2);
  const rows = layout.rowsPerChunk / 2;
  const random = createExactRandom(keystream('attacks'));
  const bins = Array.from({ length: rows }, () => Number(random.below(2n)));
  const pads = Array.from({ length: rows }, () => Number(random.below(2n)));
  const shifts = Uint8Array.from(bins, (bin, row) => shiftOf(layout, bin, pads[row] as number));
  // two platforms that differ in one enterprise only, balanced by another so that every released sum is the same
  const values = Int32Array.from({ length: rows }, () => Number(random.below(2n)));
  const [first, second] = [bins.indexOf(1), bins.lastIndexOf(1)];
  const worldOf = (x: number, y: number) => Int32Array.from(values).with(first, x).with(second, y);
  const worlds = [worldOf(1, 0), worldOf(0, 1)] as const;

  let context: HeContext;
  let encryptor: PadEncryptor;
  let evaluator: TableEvaluator;
  let decryptor: WindowDecryptor;
  let pad: Uint8Array;
  before(async () => {
    const he = await loadHe();
    context = he.context(set);
    encryptor = createPadEncryptor(he, set, keystream('attacked key'));
    evaluator = createTableEvaluator(he, set, encryptor.publicKey);
    decryptor = createWindowDecryptor(he, set, encryptor.secretKey);
    pad = encryptor.encrypt(padPolynomial(layout, pads));
  });
  after(() => {
    encryptor.close();
    evaluator.close();
    decryptor.close();
  });

  const clear = (world: Int32Array) => clearPolynomial(layout, world, shifts);
  const answerTo = (sent: Uint8Array, world: Int32Array, by = shifts, variance: Rational = silent) => {
    const table = startTable(evaluator, set, layout, by, [{ values: world, bound: 1 }], variance, createExactRandom());
    table.add(sent);
    return table.finish()[0] as Uint8Array;
  };
  const answer = (world: Int32Array) => answerTo(pad, world);

  /** The product and nothing else: what a naive platform would send. Bytes of a full ciphertext. */
  function naive(world: Int32Array): Uint8Array {
    const { seal, context: sealContext } = context;
    using evaluate = new seal.Evaluator(sealContext);
    using ciphertext = new seal.Ciphertext();
    ciphertext.loadFromArray(sealContext, pad);
    using plaintext = createCoefficientCoder(context, set.polyModulusDegree, set.plainModulus).plaintext(clear(world));
    using product = new seal.Ciphertext();
    evaluate.multiplyPlain(ciphertext, plaintext, product);
    return bytesOf(context, product);
  }

  const secondComponent = (bytes: Uint8Array) => ownResidues(bytes).slice(4 * set.polyModulusDegree);

  it('dividing by the known c1 gives the platform\'s column from the naive product, and nothing from the answer', () => {
    // whoever can guess a column can check the guess: c1 of the product is c1 · x, to the bit
    const guesses = worlds.map((world) => secondComponent(naive(world)));
    const seen = secondComponent(naive(worlds[1]));
    assert.deepEqual(guesses.map((guess) => Buffer.from(guess.buffer).equals(Buffer.from(seen.buffer))), [false, true], 'the naive product tells which world it is');
    // the answer's c1 is c1 · x plus a · u + e with fresh u: neither guess is near it in any coefficient
    const left = new Uint32Array(answer(worlds[1]).slice(8 * layout.width).buffer);
    for (const world of worlds) {
      const switched = switchedSecondComponent(naive(world));
      const near = switched.filter((value, at) => Math.abs(value - (left[2 * at + 1]! * 2 ** 32 + left[2 * at]!)) < 2 ** 30).length;
      assert.ok(near < 20, `${near} of ${switched.length} coefficients within 2^30 of 2^46: chance gives 0.25`);
    }
  });

  /** c1 of a product after the last prime was dropped, as SEAL does it. */
  function switchedSecondComponent(bytes: Uint8Array): number[] {
    const { seal, context: sealContext } = context;
    using evaluate = new seal.Evaluator(sealContext);
    using ciphertext = new seal.Ciphertext();
    ciphertext.loadFromArray(sealContext, bytes);
    evaluate.cipherModSwitchToNextInplace(ciphertext);
    const words = ownResidues(bytesOf(context, ciphertext)).subarray(2 * set.polyModulusDegree);
    return Array.from({ length: set.polyModulusDegree }, (_, at) => words[2 * at + 1]! * 2 ** 32 + words[2 * at]!);
  }

  it('decryption noise tells how many enterprises have the value from the naive product, and nothing from the answer', () => {
    const { seal, context: sealContext } = context;
    using key = new seal.SecretKey();
    key.loadFromArray(sealContext, encryptor.secretKey);
    using decrypt = new seal.Decryptor(sealContext, key);
    const budget = (bytes: Uint8Array) => {
      using ciphertext = new seal.Ciphertext();
      ciphertext.loadFromArray(sealContext, bytes);
      return decrypt.invariantNoiseBudget(ciphertext);
    };
    const few = new Int32Array(rows).fill(0).with(0, 1);
    const many = new Int32Array(rows).fill(1);
    assert.ok(budget(naive(few)) - budget(naive(many)) >= 3, 'noise grows with the root of Σ x²');
    // the answer's window is read like a ciphertext's; its noise is the flood's and the rounding's, whatever x is
    const noise = (world: Int32Array) => windowNoise(answer(world));
    const [a, b] = [[few, few, few, few], [many, many, many, many]].map((runs) => Math.max(...runs.map(noise)));
    assert.ok((a as number) < 2 ** 21 && (b as number) < 2 ** 21);
    assert.ok((a as number) > 2 ** 16 && (b as number) > 2 ** 16 && Math.abs(Math.log2((a as number) / (b as number))) < 3, `${a} and ${b}`);
  });

  /** Greatest |c0 + c1·s − round(p·m/t)| over the window: SEAL opens it, and the distance to its rounding is what is left. */
  function windowNoise(bytes: Uint8Array, places = Array.from({ length: layout.width }, (_, at) => at)): number {
    // adding δ to c0 shifts the plaintext by one as soon as noise + δ passes half a step: bisect on δ
    const width = layout.width;
    const step = Number(set.coeffModulus[0]) / set.plainModulus;
    const base = decryptor.decrypt(bytes, windowStart(layout), width);
    let greatest = 0;
    for (const at of places) {
      let low = 0;
      let high = step;
      while (high - low > 1024) {
        const middle = Math.floor((low + high) / 2);
        const shifted = bytes.slice();
        const view = new DataView(shifted.buffer);
        view.setBigUint64(8 * at, (view.getBigUint64(8 * at, true) + BigInt(middle)) % (set.coeffModulus[0] as bigint), true);
        if (decryptor.decrypt(shifted, windowStart(layout), width)[at] === base[at]) low = middle;
        else high = middle;
      }
      greatest = Math.max(greatest, Math.abs(step / 2 - low));
    }
    return greatest;
  }

  it('coefficients beside the window give single enterprises\' values from the naive product; they never leave', () => {
    const { seal, context: sealContext } = context;
    using key = new seal.SecretKey();
    key.loadFromArray(sealContext, encryptor.secretKey);
    using decrypt = new seal.Decryptor(sealContext, key);
    const read = (bytes: Uint8Array) => {
      using ciphertext = new seal.Ciphertext();
      using plaintext = new seal.Plaintext();
      ciphertext.loadFromArray(sealContext, bytes);
      decrypt.decrypt(ciphertext, plaintext);
      return createCoefficientCoder(context, set.polyModulusDegree, set.plainModulus).coefficients(plaintext);
    };
    const centred = (value: number) => (value > set.plainModulus / 2 ? value - set.plainModulus : value);
    for (const world of worlds) {
      // the outermost place is reached by one product only: the pad of row 0 meets the platform's last row
      const coefficients = read(naive(world));
      const last = world[rows - 1] as number;
      const there = centred(coefficients[(layout.rowsPerChunk - rows) * layout.width + (pads[0] as number) + (shifts[rows - 1] as number)] as number);
      assert.equal(there, last, 'one enterprise\'s value, in clear');
    }
    assert.equal(answer(worlds[0]).length, 8 * (layout.width + set.polyModulusDegree), 'of the first component, the answer holds the window alone');
  });

  it('the two halves of a bin tell partial sums in the naive window; in the answer each half alone is uniform', () => {
    const halves = Array.from({ length: 200 }, () => decryptor.decrypt(answer(worlds[0]), windowStart(layout), layout.width));
    for (let at = 0; at < layout.width; at += 1) {
      const mean = halves.reduce((sum, window) => sum + (window[at] as number), 0) / halves.length / set.plainModulus;
      assert.ok(Math.abs(mean - 0.5) < 6 * Math.sqrt(1 / 12 / halves.length), `${mean}`);
    }
    const opened = halves.map((window) => sumsOf(layout, window).map((sum) => sum % set.plainModulus).join());
    assert.equal(new Set(opened).size, 1, 'only their sum says something');
  });

  it('a million in the place of a one reads its enterprise through any noise of an approved budget; no bundle made from a seed has one', () => {
    const huge = padPolynomial(layout, pads);
    huge[padIndex(layout, first, pads[first] as number)] = 1_000_000;
    const crafted = encryptor.encrypt(huge);
    const read = (world: Int32Array) => Math.round((openTable(decryptor, set, layout, answerTo(crafted, world, shifts, noisy))[1] as number) / 1_000_000);
    assert.deepEqual(worlds.map(read), [1, 0], 'the platform cannot see it, and without the lottery it would answer');
  });

  it('a second message hidden in oversized noise reads an enterprise off the answer\'s noise; no bundle made from a seed has such noise', () => {
    // nearly the flood's own size, and just below what decryption bears: the plaintext stays the honest one, to the bit
    const crafted = withNoise(pad, padIndex(layout, first, pads[first] as number), (9n * 2n ** BigInt(set.floodBits)) / 10n);
    assert.deepEqual(openTable(decryptor, set, layout, answerTo(crafted, worlds[0])), openTable(decryptor, set, layout, answer(worlds[0])), 'sums look as ever');
    const place = (pads[first] as number) + (shifts[first] as number);
    const greatest = (sent: Uint8Array, world: Int32Array) => Math.max(...Array.from({ length: 24 }, () => windowNoise(answerTo(sent, world), [place])));
    const flood = 2 ** set.floodBits / Number(set.coeffModulus[1]); // as it stands after the last data prime was dropped
    assert.ok(greatest(crafted, worlds[0]) > 1.05 * flood, 'beyond what the flood can make: the enterprise has the value');
    assert.ok(greatest(crafted, worlds[1]) < 1.02 * flood, 'it has not');
    assert.ok(greatest(pad, worlds[0]) < 1.02 * flood, 'so the flood does not hide it; the lottery does (lottery.test.ts)');
  });

  /** A pad with more noise in one coefficient of its first component. */
  function withNoise(bytes: Uint8Array, coefficient: number, noise: bigint): Uint8Array {
    const changed = bytes.slice();
    const view = new DataView(changed.buffer);
    primesOf(set, 'column').forEach((prime, at) => {
      const place = ciphertextPrefixBytes + 8 * (at * set.polyModulusDegree + coefficient);
      view.setBigUint64(place, (view.getBigUint64(place, true) + noise) % BigInt(prime), true);
    });
    return changed;
  }

  it('a vector with one 1 has an enterprise to itself in exact sums; with the noise of an approved budget the answer says little of it', () => {
    // honest input: everybody else is in the other bin, which nobody can forbid
    const alone = bins.map((_, row) => (row === first ? 1 : 0));
    const by = Uint8Array.from(alone, (bin, row) => shiftOf(layout, bin, pads[row] as number));
    const read = (world: Int32Array, variance: Rational) => openTable(decryptor, set, layout, answerTo(pad, world, by, variance))[1] as number;
    assert.deepEqual(worlds.map((world) => read(world, silent)), [1, 0], 'the attack works on exact sums');
    const runs = 150;
    const [having, lacking] = worlds.map((world) => Array.from({ length: runs }, () => read(world, noisy))) as [number[], number[]];
    const right = Math.max(...[-4, -2, 0, 1, 2, 4].map((edge) => (having.filter((sum) => sum >= edge).length + lacking.filter((sum) => sum < edge).length) / (2 * runs)));
    // the best test of N(1, σ²) against N(0, σ²) is right in 54 of 100 cases at σ = 5; six standard deviations more
    assert.ok(right < 0.54 + 6 * Math.sqrt(0.25 / (2 * runs)), `right in ${right}`);
  });

  it('two platforms that give the same sums give answers of the same size and of the same content, once opened', () => {
    const opened = worlds.map((world) => openTable(decryptor, set, layout, answer(world)));
    assert.deepEqual(opened[0], opened[1]);
    assert.equal(answer(worlds[0]).length, answer(worlds[1]).length);
  });

  it('a public key with a = 0 would make re-randomising worthless, and is refused', () => {
    const crafted = encryptor.publicKey.slice();
    crafted.fill(0, ciphertextPrefixBytes + (crafted.length - ciphertextPrefixBytes) / 2);
    assert.throws(() => checkPublicKeyBytes(set, crafted), (error: unknown) => error instanceof VeilgateError && error.code === 'HE_KEY_REFUSED');
  });
});
