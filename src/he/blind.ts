import { arithmeticOf, reduce, scaledPlain, type Arithmetic } from './arithmetic.ts';
import { createZeroEncryptor } from './encrypt.ts';
import type { ParameterSet } from './parameters.ts';
import { createSlotCoder } from './plaintext.ts';
import { uniformIntegers, type RandomBytes } from './random.ts';
import type { He } from './runtime.ts';

/**
 * What makes a weighted sum safe to hand to the custodian, all in one: a fresh public-key encryption (nobody can
 * tell which ciphertexts the sum came from) of a mask uniform mod t in every slot (its plaintext says nothing), with
 * a flood of uniform noise (nor does its noise). Knows nothing of the sum, so it can be made beforehand. Used once.
 */
export type Blinder = {
  /** Coefficients: for each component the kept prime's, then the dropped one's. */
  readonly residues: Float64Array;
  /** The mask's slots. */
  readonly masks: Uint32Array<ArrayBuffer>;
};

export type BlinderSource = {
  /** One prepared before, or a new one. */
  readonly take: () => Blinder;
  /** Makes one ahead; false when there are enough. */
  readonly prepare: () => boolean;
  readonly close: () => void;
};

/**
 * @param ahead how many may wait, about 145 KB each
 * @throws VeilgateError HE_KEY_REFUSED
 */
export function createBlinderSource(he: He, set: ParameterSet, publicKey: Uint8Array, ahead: number, random: RandomBytes): BlinderSource {
  const context = he.context(set);
  const zeros = createZeroEncryptor(context, set, publicKey);
  const coder = createSlotCoder(context, set.slots);
  const arithmetic = arithmeticOf(set);
  const waiting: Blinder[] = [];

  const make = (): Blinder => {
    const masks = uniformIntegers(set.slots, set.plainModulus, random);
    const scaled = scaledPlain(arithmetic, coder.coefficients(masks));
    const flood = uniformFlood(arithmetic, set.floodBits, random);
    const words = zeros.encryptZero();
    const residues = new Float64Array(words.length / 2);
    for (let at = 0; at < residues.length; at++) residues[at] = words[2 * at + 1]! * 2 ** 32 + words[2 * at]!;
    for (let at = 0; at < arithmetic.degree; at++) {
      const inDropped = at + arithmetic.degree;
      residues[at] = reduce(residues[at]! + scaled.kept[at]! + flood.kept[at]!, arithmetic.kept);
      residues[inDropped] = reduce(residues[inDropped]! + scaled.dropped[at]! + flood.dropped[at]!, arithmetic.dropped);
    }
    return { residues, masks };
  };

  return {
    take: () => waiting.pop() ?? make(),
    prepare: () => {
      if (waiting.length >= ahead) return false;
      waiting.push(make());
      return true;
    },
    close: () => {
      waiting.length = 0;
      zeros.close();
      coder.close();
    },
  };
}

/** Random bits below this go into the lower limb, the rest into the upper one. */
const lowerBits = 47;

/**
 * Integers uniform from −2^bits to 2^bits − 1, one for each coefficient, modulo both primes: bits + 1 random bits
 * as upper·2^47 + lower, less 2^bits. Both primes are a little below a power of two, so 2^47 mod each is small.
 */
export function uniformFlood({ degree, kept, dropped }: Arithmetic, bits: number, random: RandomBytes): { readonly kept: Float64Array; readonly dropped: Float64Array } {
  const words = new Uint32Array(random(12 * degree).buffer);
  const upperSize = 2 ** (bits + 1 - lowerBits);
  const inPrime = (prime: number): Float64Array => {
    const upperUnit = 2 ** lowerBits % prime;
    const middle = Number((1n << BigInt(bits)) % BigInt(prime));
    const flood = new Float64Array(degree);
    for (let at = 0; at < degree; at++) {
      const lower = (words[3 * at + 1]! & 0x7fff) * 2 ** 32 + words[3 * at]!;
      flood[at] = reduce((words[3 * at + 2]! % upperSize) * upperUnit + lower - middle, prime);
    }
    return flood;
  };
  return { kept: inPrime(kept), dropped: inPrime(dropped) };
}
