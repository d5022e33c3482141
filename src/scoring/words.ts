/**
 * Numbers below a bound that both sides know, as the halves of scores carry them: each in as many bits as the bound needs,
 * one behind the other, the lowest bit first; base64url of the bytes. Portable.
 */

/** Of ECMAScript 2026, where there is it. */
type Encodes = { readonly toBase64: (options: { readonly alphabet: 'base64url'; readonly omitPadding: true }) => string };

/** @param bound at most 2^24 */
function widthOf(bound: number): number {
  return 32 - Math.clz32(bound - 1);
}

function bytesOf(count: number, bound: number): number {
  return Math.ceil((count * widthOf(bound)) / 8);
}

export function packBits(words: ArrayLike<number>, bound: number): Uint8Array<ArrayBuffer> {
  const width = widthOf(bound);
  const bytes = new Uint8Array(bytesOf(words.length, bound));
  let held = 0;
  let bits = 0;
  let filled = 0;
  for (let at = 0; at < words.length; at += 1) {
    held |= words[at]! << bits;
    for (bits += width; bits >= 8; bits -= 8) {
      bytes[filled++] = held;
      held >>>= 8;
    }
  }
  if (bits > 0) bytes[filled] = held;
  return bytes;
}

export function packWords(words: ArrayLike<number>, bound: number): string {
  const bytes = packBits(words, bound);
  if ('toBase64' in bytes) return (bytes as Encodes).toBase64({ alphabet: 'base64url', omitPadding: true });
  let binary = '';
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** How many words a text of this length can hold. */
export function wordsIn(text: string, bound: number): number {
  return Math.floor((Math.floor((text.length * 3) / 4) * 8) / widthOf(bound));
}

/** @returns undefined for anything but exactly `count` values below `bound` in the one spelling packWords gives */
export function unpackWords(text: unknown, count: number, bound: number): Uint32Array | undefined {
  const length = bytesOf(count, bound);
  const bytes = typeof text === 'string' && text.length === Math.ceil((length * 4) / 3) ? decoded(text, length) : undefined;
  if (bytes === undefined) return undefined;
  const width = widthOf(bound);
  const words = new Uint32Array(count);
  let held = 0;
  let bits = 0;
  let taken = 0;
  for (let at = 0; at < count; at += 1) {
    for (; bits < width; bits += 8) held |= bytes[taken++]! << bits;
    words[at] = held & ((1 << width) - 1);
    if (words[at]! >= bound) return undefined;
    held >>>= width;
    bits -= width;
  }
  return held === 0 ? words : undefined; // bits that stand for nothing are zero
}

function decoded(text: string, length: number): Uint8Array | undefined {
  const bytes = new Uint8Array(length);
  let held = 0;
  let faults = 0;
  let filled = 0;
  for (let at = 0; at < text.length; at += 1) {
    const digit = digitOf[text.charCodeAt(at)] ?? -1;
    faults |= digit;
    held = held << 6 | digit;
    if (at % 4 !== 0) bytes[filled++] = held >> (2 * (3 - at % 4));
  }
  // no digit is negative, and the last one's bits that stand for nothing are zero
  return faults < 0 || (held & ((1 << (2 * (3 - (text.length + 3) % 4))) - 1)) !== 0 ? undefined : bytes;
}

/** The value of each digit of base64url by its character code; −1 for any other character. */
const digitOf = Int8Array.from({ length: 128 }, (_, code) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.indexOf(String.fromCharCode(code)));
