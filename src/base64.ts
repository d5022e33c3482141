/**
 * Uint8Array.prototype.toBase64 and Uint8Array.fromBase64 of ECMAScript 2026 where the engine has not got them yet: jose
 * takes them when they are there, and is else ten times as slow over long texts. For Node's own programs, which call it
 * first of all; browsers have both.
 */
type Options = { readonly alphabet?: 'base64' | 'base64url'; readonly omitPadding?: boolean; readonly lastChunkHandling?: 'loose' };

/** Adds what is missing and changes nothing that is there. */
export function provideBase64(to: { readonly prototype: object } = Uint8Array): void {
  const add = (on: object, name: string, value: unknown) => {
    if (!(name in on)) Object.defineProperty(on, name, { value, writable: true, configurable: true, enumerable: false });
  };
  add(to.prototype, 'toBase64', toBase64);
  add(to, 'fromBase64', fromBase64);
}

function toBase64(this: Uint8Array, { alphabet = 'base64', omitPadding = false }: Options = {}): string {
  const bytes = Buffer.from(this.buffer, this.byteOffset, this.byteLength);
  if (alphabet === 'base64url') {
    const text = bytes.toString('base64url');
    return omitPadding ? text : text.padEnd(Math.ceil(text.length / 4) * 4, '=');
  }
  const text = bytes.toString('base64');
  return omitPadding ? text.replace(/=+$/, '') : text;
}

const digitsOf = { base64: /^[A-Za-z0-9+/]*={0,2}$/, base64url: /^[A-Za-z0-9_-]*={0,2}$/ } as const;

/** Only `loose`, the standard's default. */
function fromBase64(text: string, { alphabet = 'base64', lastChunkHandling = 'loose' }: Options = {}): Uint8Array<ArrayBuffer> {
  if (typeof text !== 'string') throw new TypeError('base64 is text');
  if (lastChunkHandling !== 'loose' || !Object.hasOwn(digitsOf, alphabet)) throw new TypeError('this alphabet or last chunk is not provided here');
  // long texts have no blanks: one look finds them whole
  const digits = digitsOf[alphabet].test(text) ? text : withoutBlanks(text, digitsOf[alphabet]);
  // the last group has two or three digits with all of its padding or none, or it is whole
  const isWhole = digits?.endsWith('=') === true ? digits.length % 4 === 0 : digits !== undefined && digits.length % 4 !== 1;
  if (digits === undefined || !isWhole) throw new SyntaxError('this is not base64 of the alphabet named');
  return new Uint8Array(Buffer.from(digits, alphabet)); // a copy: small buffers are views of a pool
}

function withoutBlanks(text: string, shape: RegExp): string | undefined {
  const digits = text.replaceAll(/[\t\n\f\r ]+/g, '');
  return shape.test(digits) ? digits : undefined;
}
