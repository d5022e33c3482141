import { isUtf8 } from 'node:buffer';
import { VeilgateError, isVeilgateError } from '../errors.ts';
import { parseStrictJson } from '../strict-json.ts';
import type { TimeMs } from '../vocabulary.ts';
import { isBase64url } from './base64url.ts';
import type { VerificationKey } from './verification-key.ts';

/*
 * Reads signed tokens so that one token has one text and one meaning. General libraries such as jose decode
 * generously (padding, blanks, spare bits), take the last of duplicate keys, ignore header members they do not know and
 * claims that are absent: each of these lets two readers see different tokens, or one token have many texts.
 * Why jose itself is not underneath: docs/decisions/0031-strict-tokens.md.
 */

/** Clocks of honest parties differ by this much at most. */
export const clockSkewS = 5;
const defaultMaxLength = 16_384;
const headerMaxLength = 4096;
const jtiGrammar = /^[\x21-\x7e]{1,128}$/;

export type Claims = Readonly<Record<string, unknown>>;
export type StandardClaims = Claims & { readonly iss: string; readonly aud: string | readonly string[]; readonly iat: number; readonly exp: number; readonly jti: string };

/** A compact JWS taken apart; nothing of it is verified yet. */
export type Compact = {
  readonly text: string;
  readonly encodedHeader: string;
  readonly encodedPayload: string;
  readonly encodedSignature: string;
};

export type Header = Readonly<Record<string, unknown>> & { readonly alg: string; readonly typ: string };

/**
 * Splits a compact JWS (RFC 7515 section 7.1) into exactly three canonical, non-empty base64url parts.
 * Errors: TOKEN_MALFORMED.
 */
export function readCompact(text: string, maxLength = defaultMaxLength): Compact {
  if (text.length > maxLength) throw malformed(`The token is too long: at most ${maxLength} characters are read.`);
  const first = text.indexOf('.');
  const second = text.indexOf('.', first + 1);
  if (first < 1 || second < 0) throw malformed('The token is not a compact JWS of three parts: send header, payload and signature with dots between.');
  const encodedHeader = text.slice(0, first);
  const encodedPayload = text.slice(first + 1, second);
  const encodedSignature = text.slice(second + 1);
  if (encodedHeader.length > headerMaxLength) throw malformed('The token\'s header is too long: send only the members that are needed.');
  for (const part of [encodedHeader, encodedPayload, encodedSignature]) {
    if (part === '' || !isBase64url(part)) {
      throw malformed('The token is not canonical base64url (RFC 7515): no padding, no blanks, no spare bits, three non-empty parts.');
    }
  }
  return { text, encodedHeader, encodedPayload, encodedSignature };
}

/**
 * Reads a header that has `alg` and `typ` and nothing beyond `members`; so `crit`, `b64`, `zip`, `jku`, `jwk`, `x5u`
 * and the like are refused unless asked for.
 * @param typ the one type that is meant here, or its spellings: a token of one kind must never pass for another
 * Errors: TOKEN_MALFORMED, TOKEN_WRONG_TYPE.
 */
export function readHeader(compact: Compact, typ: readonly string[], members: readonly string[]): Header {
  let header: Claims;
  try {
    header = jsonObject(compact.encodedHeader, headerMaxLength, 4);
  } catch (error) {
    if (isVeilgateError(error, 'TOKEN_MALFORMED') || !isVeilgateError(error)) throw error;
    throw malformed('The token\'s header is not acceptable JSON: see the reason.', error.code);
  }
  for (const name of Object.keys(header)) {
    if (name !== 'alg' && name !== 'typ' && !members.includes(name)) throw malformed('The token\'s header holds a member that is not allowed here: send only alg, typ and what identifies the key.');
  }
  if (typeof header['typ'] !== 'string' || !typ.includes(header['typ'])) throw new VeilgateError('TOKEN_WRONG_TYPE', 'The token is not of the type needed here: set its typ.', { expected: typ });
  if (typeof header['alg'] !== 'string') throw malformed('The token\'s header names no algorithm: set alg.');
  return header as Header;
}

/**
 * Checks the signature with the one key and an algorithm that is this key's own.
 * Errors: TOKEN_ALGORITHM_FORBIDDEN, TOKEN_SIGNATURE_INVALID.
 */
export async function checkSignature(compact: Compact, header: Header, key: VerificationKey): Promise<void> {
  if (!key.algorithms.includes(header.alg)) {
    throw new VeilgateError('TOKEN_ALGORITHM_FORBIDDEN', 'The token\'s algorithm does not go with its key: sign with the key\'s own algorithm.', { expected: key.algorithms });
  }
  const input = Buffer.from(compact.text.slice(0, -compact.encodedSignature.length - 1), 'latin1');
  if (!(await key.verify(input, Buffer.from(compact.encodedSignature, 'base64url')))) {
    throw new VeilgateError('TOKEN_SIGNATURE_INVALID', 'The token\'s signature is not valid: sign exactly what is sent, with the key it names.');
  }
}

/**
 * The payload as a JSON object. Errors: TOKEN_MALFORMED, and those of strict-json for the JSON itself.
 */
export function readClaims(compact: Compact, maxDepth = 16): Claims {
  return jsonObject(compact.encodedPayload, compact.encodedPayload.length, maxDepth);
}

export type ClaimRules = {
  readonly issuer: string;
  readonly audience: string;
  /** Longest `exp - iat` accepted, seconds. */
  readonly maxLifetimeS: number;
  /** Claims that must be present beyond iss, aud, iat, exp and jti. */
  readonly requiredClaims?: readonly string[];
  readonly nowMs: TimeMs;
};

const alwaysRequired = ['iss', 'aud', 'iat', 'exp', 'jti'] as const;

/**
 * Checks the claims every token of the platform has. Times are whole seconds; `iat` and `nbf` may lie up to
 * 5 s ahead (clock skew), `exp` must not have come. `aud` is exactly the audience, or a list of it alone.
 * Errors: TOKEN_CLAIM_MISSING, TOKEN_CLAIM_INVALID, TOKEN_ISSUER_UNTRUSTED, TOKEN_AUDIENCE_MISMATCH,
 * TOKEN_NOT_YET_VALID, TOKEN_LIFETIME_TOO_LONG, TOKEN_EXPIRED.
 */
export function checkClaims(claims: Claims, rules: ClaimRules): asserts claims is StandardClaims {
  for (const claim of [...alwaysRequired, ...(rules.requiredClaims ?? [])]) {
    if (!Object.hasOwn(claims, claim)) throw new VeilgateError('TOKEN_CLAIM_MISSING', 'The token lacks a claim that is needed here: add it.', { claim });
  }
  if (claims['iss'] !== rules.issuer) throw new VeilgateError('TOKEN_ISSUER_UNTRUSTED', 'The token\'s issuer is not the one expected here: check iss.');
  const { aud } = claims;
  if (!(aud === rules.audience || (Array.isArray(aud) && aud.length === 1 && aud[0] === rules.audience))) {
    throw new VeilgateError('TOKEN_AUDIENCE_MISMATCH', 'The token is not meant for this gateway alone: set aud to the gateway\'s URL.');
  }
  const { jti } = claims;
  if (typeof jti !== 'string' || !jtiGrammar.test(jti)) throw claimInvalid('jti');
  const iat = wholeSeconds(claims, 'iat');
  const exp = wholeSeconds(claims, 'exp');
  const nbf = Object.hasOwn(claims, 'nbf') ? wholeSeconds(claims, 'nbf') : iat;
  if (exp <= iat) throw claimInvalid('exp');
  if (exp - iat > rules.maxLifetimeS) throw new VeilgateError('TOKEN_LIFETIME_TOO_LONG', 'The token is valid for too long: set exp closer to iat.', { maxLifetimeS: rules.maxLifetimeS });
  checkTimes({ iat, nbf, exp }, rules.nowMs);
}

/** The part of checkClaims that time can change: for tokens whose other claims were checked before. */
export function checkTimes(times: { readonly iat: number; readonly nbf?: number; readonly exp: number }, nowMs: TimeMs): void {
  const nowS = nowMs / 1000;
  if (Math.max(times.iat, times.nbf ?? times.iat) > nowS + clockSkewS) throw new VeilgateError('TOKEN_NOT_YET_VALID', 'The token is not valid yet: check your clock.');
  if (nowS >= times.exp) throw new VeilgateError('TOKEN_EXPIRED', 'The token has expired: make or fetch a new one.');
}

export type CompactRules = ClaimRules & {
  readonly jws: string;
  readonly typ: string;
  /** Finds the key a token names; undefined when there is none. */
  readonly keys: (kid: string) => VerificationKey | undefined | Promise<VerificationKey | undefined>;
  /** Characters; 16,384 when absent. */
  readonly maxLength?: number;
};

export type VerifiedCompact = { readonly claims: StandardClaims; readonly key: VerificationKey };

/**
 * Verifies a signed token of the platform's parties: grammar, header, key, signature, claims, in this order.
 * Replays are the caller's to catch, by (iss, jti). Errors: all TOKEN_ codes of the steps, TOKEN_KEY_UNKNOWN,
 * and those of strict-json for the payload.
 */
export async function verifyCompact(rules: CompactRules): Promise<VerifiedCompact> {
  const compact = readCompact(rules.jws, rules.maxLength);
  const header = readHeader(compact, [rules.typ], ['kid']);
  const key = await rules.keys(keyIdOf(header));
  if (key === undefined) throw unknownKey();
  await checkSignature(compact, header, key);
  const claims = readClaims(compact);
  checkClaims(claims, rules);
  return { claims, key };
}

/** Errors: TOKEN_MALFORMED when the header names no key. */
export function keyIdOf(header: Header): string {
  const kid = header['kid'];
  if (typeof kid !== 'string' || kid === '' || kid.length > 128) throw malformed('The token names no key: set kid.');
  return kid;
}

export function unknownKey(): VeilgateError {
  return new VeilgateError('TOKEN_KEY_UNKNOWN', 'The token names a key that is not registered and active: sign with one that is.');
}

function jsonObject(encoded: string, maxLength: number, maxDepth: number): Claims {
  const bytes = Buffer.from(encoded, 'base64url'); // readCompact checked the grammar
  if (!isUtf8(bytes)) throw malformed('The token does not hold UTF-8 text: encode its JSON as UTF-8.');
  const value = parseStrictJson(bytes.toString('utf8'), { maxLength, maxDepth });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('The token\'s header and payload must be JSON objects.');
  return value as Claims;
}

function wholeSeconds(claims: Claims, claim: string): number {
  const value = claims[claim];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw claimInvalid(claim);
  return value;
}

function claimInvalid(claim: string): VeilgateError {
  return new VeilgateError('TOKEN_CLAIM_INVALID', 'A claim of the token is not what it must be: correct it.', { claim });
}

function malformed(message: string, reason?: string): VeilgateError {
  return new VeilgateError('TOKEN_MALFORMED', message, reason === undefined ? undefined : { reason });
}
