import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { VeilgateError } from '../errors.ts';
import type { FieldRef, PartyId, PurposeCode, Value } from '../vocabulary.ts';
import { createFf1, type Ff1 } from './ff1.ts';

/**
 * Tokens stand for a value towards one institution, for one purpose, in one field: equal values give equal tokens
 * there and unrelated ones anywhere else, so institutions cannot join what they got. Plain hashes of names and numbers
 * are found by trial; these need the platform's secret.
 */
export type TokenScope = { readonly institution: PartyId; readonly purpose: PurposeCode; readonly field: FieldRef };

export type TokenAlphabet = 'digits' | 'alphanumeric';

/** The tokens of one scope under one version of the keys. */
export type FieldTokens = {
  /** `v<version>.` and 22 base64url characters: HMAC-SHA-256, the first 128 bits. Tells nothing about the length. */
  readonly token: (value: NonNullable<Value>) => string;
  /**
   * Text of the value's own length and alphabet: FF1, AES-256. Gives `token` instead for values with other characters,
   * of fewer than 6 digits or 4 alphanumerics (domain below 1,000,000) or more than 256, and for the one value in a
   * domain or so that FF1 maps to itself.
   */
  readonly formatPreservingToken: (value: NonNullable<Value>, alphabet: TokenAlphabet) => string;
};

export type TokenKeys = {
  readonly currentVersion: number;
  /**
   * @param version a kept version; the current one when absent
   * Errors: DISCLOSURE_KEY_MISSING for a version that is not kept.
   */
  readonly forField: (scope: TokenScope, version?: number) => FieldTokens;
  /** True when `token` (not a format-preserving one) stands for the value in this scope, under whichever kept version made it. */
  readonly standsFor: (token: string, value: NonNullable<Value>, scope: TokenScope) => boolean;
};

export const tokenSecretBytes = 32;
export const tokenVersionMax = 9999;
const cachedScopesMax = 10_000;
const tokenBytes = 16;
const alphabets: Readonly<Record<TokenAlphabet, string>> = {
  digits: '0123456789',
  alphanumeric: '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
};

export type TokenKeysOptions = {
  /** Version (1..9999) to platform secret of 32 random bytes. Old versions are kept to recognise old tokens. */
  readonly secrets: ReadonlyMap<number, Uint8Array>;
  readonly currentVersion: number;
  /** Scopes whose derived keys stay in memory. */
  readonly cachedScopes?: number;
};

/** Errors: CONFIG_INVALID for missing or malformed secrets. */
export function createTokenKeys(options: TokenKeysOptions): TokenKeys {
  const secrets = new Map([...options.secrets].map(([version, secret]) => [version, checkedSecret(version, secret)]));
  if (!secrets.has(options.currentVersion)) {
    throw new VeilgateError('CONFIG_INVALID', 'The current version of the token secret is not among the secrets: add it.', { version: options.currentVersion });
  }
  const cachedScopes = Math.max(1, options.cachedScopes ?? cachedScopesMax);
  const cache = new Map<string, FieldTokens>();

  const forField: TokenKeys['forField'] = (scope, version = options.currentVersion) => {
    const name = `${version}\n${scope.field}\n${scope.purpose}\n${scope.institution}`;
    const cached = cache.get(name);
    if (cached !== undefined) return cached;
    const secret = secrets.get(version);
    if (secret === undefined) {
      throw new VeilgateError('DISCLOSURE_KEY_MISSING', 'Tokens of this version cannot be made any more: ask for new ones.', { version });
    }
    const made = fieldTokens(secret, scope, version);
    // the oldest goes: deriving again costs microseconds, an unbounded map costs the process
    if (cache.size >= cachedScopes) cache.delete(cache.keys().next().value as string);
    cache.set(name, made);
    return made;
  };
  return {
    currentVersion: options.currentVersion,
    forField,
    standsFor(token, value, scope) {
      const version = Number(tokenShape.exec(token)?.[1]);
      return secrets.has(version) && forField(scope, version).token(value) === token;
    },
  };
}

const tokenShape = /^v([1-9]\d{0,3})\.[A-Za-z0-9_-]{22}$/;

function checkedSecret(version: number, secret: Uint8Array): KeyObject {
  if (!Number.isSafeInteger(version) || version < 1 || version > tokenVersionMax) {
    throw new VeilgateError('CONFIG_INVALID', `Versions of the token secret are numbers from 1 to ${tokenVersionMax}: correct them.`);
  }
  if (secret.length !== tokenSecretBytes || secret.every((byte) => byte === secret[0])) {
    throw new VeilgateError('CONFIG_INVALID', `A token secret must be ${tokenSecretBytes} random bytes: make a new one.`, { version });
  }
  return createSecretKey(secret);
}

function fieldTokens(secret: KeyObject, scope: TokenScope, version: number): FieldTokens {
  const hmacKey = createSecretKey(derive(secret, 'token', scope, version));
  const ciphers = new Map<TokenAlphabet, Ff1>();
  const cipher = (alphabet: TokenAlphabet): Ff1 => {
    let made = ciphers.get(alphabet);
    if (made === undefined) {
      made = createFf1(derive(secret, `format preserving token, ${alphabet}`, scope, version), alphabets[alphabet]);
      ciphers.set(alphabet, made);
    }
    return made;
  };
  const token: FieldTokens['token'] = (value) => {
    // the type is part of what is hashed: the text "1" is not the number 1
    const mac = createHmac('sha256', hmacKey).update(`${typeof value} ${String(value)}`).digest();
    return `v${version}.${mac.toString('base64url', 0, tokenBytes)}`;
  };
  return {
    token,
    formatPreservingToken(value, alphabet) {
      const text = String(value);
      const encrypted = typeof value === 'boolean' ? undefined : cipher(alphabet).encrypt(text);
      return encrypted === undefined || encrypted === text ? token(value) : encrypted;
    },
  };
}

/** HKDF-SHA-256 (RFC 5869), one key for each use of each scope and version. JSON keeps the parts of `info` apart. */
function derive(secret: KeyObject, use: string, { institution, purpose, field }: TokenScope, version: number): Uint8Array {
  const info = JSON.stringify(['veilgate', use, institution, purpose, field, version]);
  return new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), info, 32));
}
