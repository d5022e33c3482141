import { VeilgateError, type ErrorCode } from './errors.ts';

export type JsonLimits = {
  /** UTF-16 code units of text. */
  readonly maxLength?: number;
  /** Objects and arrays inside one another; `[]` is 1. */
  readonly maxDepth?: number;
};

const defaultMaxLength = 1_048_576;
const defaultMaxDepth = 16;
/** The parser recurses: beyond this the engine's stack would be the limit. */
const highestMaxDepth = 256;

/**
 * Parses JSON (RFC 8259) and refuses what two readers could read differently (RFC 7493, I-JSON): duplicate keys,
 * lone surrogates, numbers beyond double range; and what attacks the reader: depth, length, and the keys
 * `__proto__`, `constructor`, `prototype`. Everything else gives exactly what JSON.parse gives.
 *
 * Errors carry `position` (code units from 0) and `pointer` (RFC 6901 path to the place, where a key that is not
 * a plain word stands as `*`), never a value. Errors: JSON_MALFORMED, JSON_DUPLICATE_KEY, JSON_TOO_DEEP,
 * JSON_FORBIDDEN_KEY, REQUEST_TOO_LARGE.
 */
export function parseStrictJson(text: string, limits: JsonLimits = {}): unknown {
  const maxLength = limits.maxLength ?? defaultMaxLength;
  if (text.length > maxLength) {
    throw new VeilgateError('REQUEST_TOO_LARGE', 'The JSON text is too long: send less at once.', { maxLength });
  }
  return new Parser(text, Math.min(limits.maxDepth ?? defaultMaxDepth, highestMaxDepth)).document();
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The same from UTF-8 bytes: bytes that are not UTF-8, and a byte order mark, are malformed. */
export function parseStrictJsonBytes(bytes: Uint8Array, limits: JsonLimits = {}): unknown {
  const maxLength = limits.maxLength ?? defaultMaxLength;
  // no code unit takes more than three bytes: what is longer cannot fit, and need not be decoded to know
  if (bytes.length > maxLength * 3) {
    throw new VeilgateError('REQUEST_TOO_LARGE', 'The JSON text is too long: send less at once.', { maxLength });
  }
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw new VeilgateError('JSON_MALFORMED', 'The text is not valid UTF-8: encode JSON as UTF-8.');
  }
  return parseStrictJson(text, limits);
}

const codeUnit = {
  tab: 0x09, lineFeed: 0x0a, carriageReturn: 0x0d, space: 0x20, quote: 0x22, comma: 0x2c, minus: 0x2d, nine: 0x39, zero: 0x30,
  colon: 0x3a, openBracket: 0x5b, backslash: 0x5c, closeBracket: 0x5d, f: 0x66, n: 0x6e, t: 0x74, openBrace: 0x7b, closeBrace: 0x7d,
} as const;

const numberGrammar = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const fourHexDigits = /[0-9A-Fa-f]{4}/y;
const escapes: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
/** Keys that may be repeated in an error: no digits, so no identity, account or telephone number. */
const plainWord = /^[A-Za-z][A-Za-z_]{0,39}$/;

/** Recursive descent over one text; each character is looked at once. */
class Parser {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #path: (string | number)[] = [];
  #at = 0;
  #depth = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  document(): unknown {
    this.#skipBlanks();
    const value = this.#value();
    this.#skipBlanks();
    if (this.#at < this.#text.length) throw this.#malformed('the end of the text');
    return value;
  }

  #value(): unknown {
    switch (this.#text.charCodeAt(this.#at)) {
      case codeUnit.quote: return this.#string();
      case codeUnit.openBrace: return this.#object();
      case codeUnit.openBracket: return this.#array();
      case codeUnit.t: return this.#word('true', true);
      case codeUnit.f: return this.#word('false', false);
      case codeUnit.n: return this.#word('null', null);
      default: return this.#number();
    }
  }

  #object(): Record<string, unknown> {
    this.#enter();
    const object: Record<string, unknown> = {};
    this.#skipBlanks();
    if (this.#take(codeUnit.closeBrace)) return this.#leave(object);
    for (;;) {
      const keyAt = this.#at;
      if (this.#text.charCodeAt(this.#at) !== codeUnit.quote) throw this.#malformed('a key in quotes');
      const key = this.#string();
      if (key === '__proto__' || key === 'constructor' || key === 'prototype') {
        throw this.#fault('JSON_FORBIDDEN_KEY', 'The JSON text holds a key that is never allowed: remove it.', keyAt);
      }
      this.#path.push(key);
      if (Object.hasOwn(object, key)) {
        throw this.#fault('JSON_DUPLICATE_KEY', 'The JSON text holds a key twice in one object: send each key once.', keyAt);
      }
      this.#skipBlanks();
      if (!this.#take(codeUnit.colon)) throw this.#malformed('a colon');
      this.#skipBlanks();
      object[key] = this.#value();
      this.#path.pop();
      this.#skipBlanks();
      if (this.#take(codeUnit.closeBrace)) return this.#leave(object);
      if (!this.#take(codeUnit.comma)) throw this.#malformed('a comma or the end of the object');
      this.#skipBlanks();
    }
  }

  #array(): unknown[] {
    this.#enter();
    const array: unknown[] = [];
    this.#skipBlanks();
    if (this.#take(codeUnit.closeBracket)) return this.#leave(array);
    for (;;) {
      this.#path.push(array.length);
      array.push(this.#value());
      this.#path.pop();
      this.#skipBlanks();
      if (this.#take(codeUnit.closeBracket)) return this.#leave(array);
      if (!this.#take(codeUnit.comma)) throw this.#malformed('a comma or the end of the array');
      this.#skipBlanks();
    }
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth > this.#maxDepth) {
      throw this.#fault('JSON_TOO_DEEP', `The JSON text is nested too deeply: at most ${this.#maxDepth} levels are read.`, this.#at);
    }
    this.#at += 1;
  }

  #leave<Container>(container: Container): Container {
    this.#depth -= 1;
    return container;
  }

  #string(): string {
    const text = this.#text;
    let from = ++this.#at;
    let done = '';
    let surrogates = false;
    for (;;) {
      const unit = text.charCodeAt(this.#at);
      if (unit === codeUnit.quote) break;
      if (unit === codeUnit.backslash) {
        done += text.slice(from, this.#at);
        const character = this.#escape();
        surrogates ||= isSurrogate(character.charCodeAt(0));
        done += character;
        from = this.#at;
        continue;
      }
      // NaN, the end of the text, fails this too
      if (!(unit >= codeUnit.space)) throw this.#malformed('a character that may stand in a string');
      surrogates ||= isSurrogate(unit);
      this.#at += 1;
    }
    const value = from === this.#at && done === '' ? '' : done + text.slice(from, this.#at);
    if (surrogates && !value.isWellFormed()) throw this.#malformed('well-formed Unicode');
    this.#at += 1;
    return value;
  }

  /** Reads one escape sequence; the position is at its backslash before and after its last character afterwards. */
  #escape(): string {
    const letter = this.#text.charAt(this.#at + 1);
    if (letter === 'u') {
      fourHexDigits.lastIndex = this.#at + 2;
      const digits = fourHexDigits.exec(this.#text)?.[0];
      if (digits === undefined) throw this.#malformed('four hexadecimal digits');
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const character = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined;
    if (character === undefined) throw this.#malformed('an escape JSON knows');
    this.#at += 2;
    return character;
  }

  #number(): number {
    numberGrammar.lastIndex = this.#at;
    const digits = numberGrammar.exec(this.#text)?.[0];
    if (digits === undefined) throw this.#malformed('a value');
    const value = Number(digits);
    if (!Number.isFinite(value)) throw this.#malformed('a number in double range');
    this.#at += digits.length;
    return value;
  }

  #word<Value>(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.#at)) throw this.#malformed('a value');
    this.#at += word.length;
    return value;
  }

  #take(unit: number): boolean {
    if (this.#text.charCodeAt(this.#at) !== unit) return false;
    this.#at += 1;
    return true;
  }

  #skipBlanks(): void {
    // kept at hand: sealed answers are padded with blanks by the hundred thousand
    const text = this.#text;
    let at = this.#at;
    for (;;) {
      const unit = text.charCodeAt(at);
      if (unit !== codeUnit.space && unit !== codeUnit.lineFeed && unit !== codeUnit.carriageReturn && unit !== codeUnit.tab) break;
      at += 1;
    }
    this.#at = at;
  }

  #malformed(expected: string): VeilgateError {
    return this.#fault('JSON_MALFORMED', `The text is not valid JSON: ${expected} was expected.`, this.#at);
  }

  #fault(code: ErrorCode, message: string, position: number): VeilgateError {
    const pointer = this.#path.map((step) => `/${typeof step === 'number' || plainWord.test(step) ? step : '*'}`).join('');
    return new VeilgateError(code, message, { position, pointer });
  }
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
