import { createCipheriv } from 'node:crypto';

/**
 * Format-preserving encryption FF1, NIST SP 800-38G Rev. 1, algorithms 7 and 8: a keyed permutation of all texts of
 * one length over one alphabet. Numbers stay numbers instead of digit strings between the rounds, which section 6
 * of the standard allows.
 */
export type Ff1 = {
  /**
   * @param tweak public, up to 256 bytes: the same text under another tweak gives an unrelated result
   * @returns text of the same length over the same alphabet; undefined when the text has other characters, fewer
   * than 1,000,000 texts of its length exist (the minimum domain of the standard), or it is longer than 256 characters
   */
  readonly encrypt: (text: string, tweak?: Uint8Array) => string | undefined;
  /** The inverse, with the same refusals. */
  readonly decrypt: (text: string, tweak?: Uint8Array) => string | undefined;
};

export const ff1LengthMax = 256;
export const ff1TweakBytesMax = 256;
/** Radix^length must reach this: SP 800-38G Rev. 1, section 5.2. */
const domainMin = 1_000_000;
const rounds = 10;
const blockBytes = 16;

/**
 * @param key 16, 24 or 32 bytes: AES-128, -192, -256
 * @param alphabet 2 to 128 different characters of one UTF-16 code unit; the place of a character is its digit
 */
export function createFf1(key: Uint8Array, alphabet: string): Ff1 {
  const digits = digitsOf(alphabet);
  // single blocks only, so one cipher object serves for good; the modes are built on it
  const cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
  const aes: Aes = (block) => cipher.update(block);
  const shapes = new Map<number, Shape>();

  const run = (text: string, tweak: Uint8Array, direction: 1 | -1): string | undefined => {
    const length = text.length;
    if (length > ff1LengthMax || alphabet.length ** length < domainMin || tweak.length > ff1TweakBytesMax) return undefined;
    let shape = shapes.get(length);
    if (shape === undefined) shapes.set(length, shape = shapeOf(alphabet.length, length));
    const left = numberOf(text.slice(0, shape.u), digits);
    const right = numberOf(text.slice(shape.u), digits);
    if (left === undefined || right === undefined) return undefined;
    const [a, b] = direction === 1 ? encryptHalves(left, right, shape, tweak, aes) : decryptHalves(left, right, shape, tweak, aes);
    return textOf(a, shape.u, alphabet) + textOf(b, shape.v, alphabet);
  };
  const none = new Uint8Array(0);
  return {
    encrypt: (text, tweak = none) => run(text, tweak, 1),
    decrypt: (text, tweak = none) => run(text, tweak, -1),
  };
}

type Aes = (block: Uint8Array) => Uint8Array;

/** What depends on radix and length alone. Names as in the standard. */
type Shape = {
  readonly radix: number;
  readonly n: number;
  /** Characters of the left and right half. */
  readonly u: number;
  readonly v: number;
  readonly modulusU: bigint;
  readonly modulusV: bigint;
  /** Bytes of a half as a number. */
  readonly b: number;
  /** Bytes of the pseudorandom number of a round. */
  readonly d: number;
};

function shapeOf(radix: number, n: number): Shape {
  const u = Math.floor(n / 2);
  const v = n - u;
  const modulusV = BigInt(radix) ** BigInt(v);
  // ⌈v·log2(radix)⌉ without floating point, which errs where the radix is a power of two
  const bits = (modulusV - 1n).toString(2).length;
  const b = Math.ceil(bits / 8);
  return { radix, n, u, v, modulusU: BigInt(radix) ** BigInt(u), modulusV, b, d: 4 * Math.ceil(b / 4) + 4 };
}

function encryptHalves(left: bigint, right: bigint, shape: Shape, tweak: Uint8Array, aes: Aes): [bigint, bigint] {
  const round = roundFunction(shape, tweak, aes);
  let [a, b] = [left, right];
  for (let i = 0; i < rounds; i += 1) {
    [a, b] = [b, (a + round(i, b)) % (i % 2 === 0 ? shape.modulusU : shape.modulusV)];
  }
  return [a, b];
}

function decryptHalves(left: bigint, right: bigint, shape: Shape, tweak: Uint8Array, aes: Aes): [bigint, bigint] {
  const round = roundFunction(shape, tweak, aes);
  let [a, b] = [left, right];
  for (let i = rounds - 1; i >= 0; i -= 1) {
    const modulus = i % 2 === 0 ? shape.modulusU : shape.modulusV;
    const difference = (b - round(i, a)) % modulus;
    [a, b] = [difference < 0n ? difference + modulus : difference, a];
  }
  return [a, b];
}

/** The pseudorandom number of a round: CBC-MAC over P ‖ Q, stretched to d bytes. The block P is the same in all rounds. */
function roundFunction({ radix, n, u, b, d }: Shape, tweak: Uint8Array, aes: Aes): (i: number, half: bigint) => bigint {
  const p = new Uint8Array([1, 2, 1, 0, 0, 0, rounds, u & 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
  const fields = new DataView(p.buffer);
  fields.setUint16(4, radix); // the high byte of the three stays 0
  fields.setUint32(8, n);
  fields.setUint32(12, tweak.length);
  const start = aes(p);

  const q = new Uint8Array(Math.ceil((tweak.length + b + 1) / blockBytes) * blockBytes);
  q.set(tweak);
  const mac = new Uint8Array(blockBytes);
  return (i, half) => {
    q[q.length - b - 1] = i;
    writeNumber(half, q, q.length - b);
    mac.set(start);
    for (let at = 0; at < q.length; at += blockBytes) {
      xorInto(mac, q, at);
      mac.set(aes(mac));
    }
    return stretch(mac, d, aes);
  };
}

/** d is a multiple of 4, from 8 on. */
function stretch(mac: Uint8Array, d: number, aes: Aes): bigint {
  if (d <= blockBytes) return bigEndian(mac, d);
  const stretched = new Uint8Array(Math.ceil(d / blockBytes) * blockBytes);
  stretched.set(mac);
  const counted = mac.slice();
  const lastWord = new DataView(counted.buffer, 12);
  const macLastWord = lastWord.getUint32(0);
  for (let counter = 1; counter * blockBytes < d; counter += 1) {
    lastWord.setUint32(0, macLastWord ^ counter);
    stretched.set(aes(counted), counter * blockBytes);
  }
  return bigEndian(stretched, d);
}

function bigEndian(bytes: Uint8Array, length: number): bigint {
  const words = new DataView(bytes.buffer, bytes.byteOffset);
  let result = words.getBigUint64(0);
  for (let at = 8; at < length; at += 4) result = (result << 32n) | BigInt(words.getUint32(at));
  return result;
}

function xorInto(target: Uint8Array, source: Uint8Array, from: number): void {
  for (let at = 0; at < blockBytes; at += 1) target[at] = (target[at] as number) ^ (source[from + at] as number);
}

/** Big-endian, up to the end of the target. */
function writeNumber(value: bigint, target: Uint8Array, from: number): void {
  let rest = value;
  let end = target.length;
  for (; end - from > 6; end -= 6) {
    writeSmall(Number(rest & 0xffff_ffff_ffffn), target, end - 6, end);
    rest >>= 48n;
  }
  writeSmall(Number(rest), target, from, end);
}

/** Up to six bytes: what bit operations on numbers cannot do, division can. */
function writeSmall(value: number, target: Uint8Array, from: number, end: number): void {
  let rest = value;
  for (let at = end - 1; at >= from; at -= 1) {
    target[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

function digitsOf(alphabet: string): ReadonlyMap<number, number> {
  const digits = new Map(Array.from({ length: alphabet.length }, (_, at) => [alphabet.charCodeAt(at), at]));
  if (alphabet.length < 2 || alphabet.length > 128 || digits.size !== alphabet.length) {
    throw new RangeError('An FF1 alphabet needs 2 to 128 different characters.');
  }
  return digits;
}

/** Digits that surely fit a double together, for the largest radix: 128^7 = 2^49. */
const chunkLength = 7;

function numberOf(text: string, digits: ReadonlyMap<number, number>): bigint | undefined {
  const radix = digits.size;
  let result = 0n;
  for (let start = 0; start < text.length; start += chunkLength) {
    const end = Math.min(start + chunkLength, text.length);
    let chunk = 0;
    for (let at = start; at < end; at += 1) {
      const digit = digits.get(text.charCodeAt(at));
      if (digit === undefined) return undefined;
      chunk = chunk * radix + digit;
    }
    result = result * BigInt(radix ** (end - start)) + BigInt(chunk);
  }
  return result;
}

function textOf(value: bigint, length: number, alphabet: string): string {
  const radix = alphabet.length;
  const chunkModulus = BigInt(radix ** chunkLength);
  let text = '';
  let rest = value;
  while (text.length < length) {
    let chunk = Number(rest % chunkModulus);
    rest /= chunkModulus;
    const chunkEnd = Math.min(text.length + chunkLength, length);
    while (text.length < chunkEnd) {
      text = alphabet.charAt(chunk % radix) + text;
      chunk = Math.floor(chunk / radix);
    }
  }
  return text;
}
