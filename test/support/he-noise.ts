import { arithmeticOf, reduce, scaledPlain } from '../../src/he/arithmetic.ts';
import { createDecryptor } from '../../src/he/decrypt.ts';
import { createSlotCoder } from '../../src/he/plaintext.ts';
import type { He } from '../../src/he/runtime.ts';
import { ciphertextPrefixBytes, emptyCiphertext, residuesOf, type CiphertextForm } from '../../src/he/wire.ts';
import { set } from './he.ts';

/** What a custodian can work out that its own code never does: the noise in a ciphertext, coefficient by coefficient. */
export type NoiseReader = {
  /** c0 + c1·s − the scaled plaintext, modulo the kept prime, centred. Exact where the noise is below half the prime. */
  readonly noiseOf: (bytes: Uint8Array, form: CiphertextForm, slots: Int32Array | Uint32Array) => Float64Array;
  /** The part of a fresh encryption's noise that depends on the values: round(q·m/t) − q·m/t. */
  readonly roundingOf: (slots: Int32Array | Uint32Array) => Float64Array;
};

const { polyModulusDegree: degree, plainModulus } = set;
const arithmetic = arithmeticOf(set);

export function createNoiseReader(he: He, secretKey: Uint8Array): NoiseReader {
  const coder = createSlotCoder(he.context(set), set.slots);
  const secret = secretPolynomial(he, secretKey);
  const product = BigInt(arithmetic.kept) * BigInt(arithmetic.dropped);
  return {
    noiseOf: (bytes, form, slots) => {
      const words = residuesOf(set, bytes, form);
      const polynomial = (from: number) => Float64Array.from({ length: degree }, (_, at) => (words[2 * (from + at) + 1] ?? 0) * 2 ** 32 + (words[2 * (from + at)] ?? 0));
      const noise = timesTernary(polynomial(words.length / 4), secret, arithmetic.kept);
      const coefficients = coder.coefficients(slots);
      const plain = form === 'column' ? scaledPlain(arithmetic, coefficients).kept : scaledByOnePrime(coefficients);
      const first = polynomial(0);
      return noise.map((value, at) => {
        const rest = reduce(value + (first[at] ?? 0) - (plain[at] ?? 0), arithmetic.kept);
        return rest > arithmetic.kept / 2 ? rest - arithmetic.kept : rest;
      });
    },
    roundingOf: (slots) => {
      const coefficients = coder.coefficients(slots);
      // what is left of q·m after whole multiples of t, as a fraction of t, centred
      return Float64Array.from({ length: degree }, (_, at) => {
        const rest = Number((product * BigInt(coefficients[2 * at] ?? 0)) % BigInt(plainModulus));
        return -(rest > plainModulus / 2 ? rest - plainModulus : rest) / plainModulus;
      });
    },
  };
}

/** round(p·m/t) for each coefficient. */
function scaledByOnePrime(coefficients: Uint32Array): Float64Array {
  const prime = BigInt(arithmetic.kept);
  const plain = BigInt(plainModulus);
  return Float64Array.from({ length: degree }, (_, at) => Number((prime * BigInt(coefficients[2 * at] ?? 0) + plain / 2n) / plain));
}

/** The secret key's coefficients, −1, 0 or 1: c0 = 0 and c1 = p/t decrypt to the key itself. */
function secretPolynomial(he: He, secretKey: Uint8Array): Int8Array {
  const bytes = emptyCiphertext(set, 'result');
  new DataView(bytes.buffer).setBigUint64(ciphertextPrefixBytes + 8 * degree, BigInt(Math.round(arithmetic.kept / plainModulus)), true);
  const decryptor = createDecryptor(he, set, secretKey);
  const coefficients = createSlotCoder(he.context(set), set.slots).coefficients(decryptor.decrypt(bytes));
  decryptor.close();
  return Int8Array.from({ length: degree }, (_, at) => (coefficients[2 * at] === plainModulus - 1 ? -1 : coefficients[2 * at] ?? 0));
}

/** polynomial × secret modulo X^N + 1 and the prime. Sums stay below 2^53 for 64 additions. */
function timesTernary(polynomial: Float64Array, secret: Int8Array, prime: number): Float64Array {
  const sum = new Float64Array(degree);
  let additions = 0;
  for (let shift = 0; shift < degree; shift++) {
    const sign = secret[shift] ?? 0;
    if (sign === 0) continue;
    for (let at = 0; at < degree - shift; at++) sum[at + shift]! += sign * polynomial[at]!;
    for (let at = degree - shift; at < degree; at++) sum[at + shift - degree]! -= sign * polynomial[at]!;
    if (++additions % 60 === 0) for (let at = 0; at < degree; at++) sum[at] = reduce(sum[at]!, prime);
  }
  return sum.map((value) => reduce(value, prime));
}

/** Pearson's correlation. Of independent series of n: about normal with deviation 1/√n. */
export function correlation(a: Float64Array, b: Float64Array): number {
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((value, at) => {
    const [x, y] = [value - meanA, (b[at] ?? 0) - meanB];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  });
  return ab / Math.sqrt(aa * bb);
}
