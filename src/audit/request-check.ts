import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, errors as joseErrors, importJWK, type JWK } from 'jose';
import { isVeilgateError, VeilgateError } from '../errors.ts';
import { parseStrictJsonBytes } from '../strict-json.ts';
import { sameBytes, toHex, utf8 } from './bytes.ts';
import { commitmentOf } from './entry.ts';
import { webSha256, type Sha256 } from './tree.ts';

/** A signed request as the platform shows it, with everything it must agree with. */
export type RequestEvidence = {
  /** The entry: what stands in the log, and what it commits to. */
  readonly commitment: Uint8Array;
  readonly salt: Uint8Array;
  readonly record: Readonly<Record<string, unknown>>;
  /** Compact JWS. */
  readonly request: string;
  /** The key the registry has under the request's `kid`, with the time in which it was in use. */
  readonly key: { readonly jwk: Readonly<Record<string, unknown>>; readonly thumbprint: string; readonly addedAt: string; readonly retiredAt: string | null };
};

export type ProvenRequest = {
  /** Party that signed it. */
  readonly signer: string;
  readonly keyThumbprint: string;
  /** Seconds since the epoch, as the signer says. */
  readonly signedAtS: number;
  readonly claims: Readonly<Record<string, unknown>>;
};

/** Characters; longer requests are refused at the door. */
const lengthMax = 131_072;
const algorithms = ['EdDSA', 'Ed25519', 'ES256', 'PS256'];
/** How far the signer's clock may have been ahead of the platform's. */
const skewMs = 60_000;

/**
 * Throws unless the entry commits to the record, the record names this request, and the institution of the record signed
 * it with a key that was its own at that time. That the entry is in the log is for `verifyLogProof`; that the key is the
 * institution's is what the registry says, and the log, when the key was added.
 * Errors: AUDIT_REQUEST_INVALID with detail.fault `record | request | malformed | key | signature | signer | time`.
 */
export async function verifySignedRequest({ commitment, salt, record, request, key }: RequestEvidence, sha256: Sha256 = webSha256): Promise<ProvenRequest> {
  if (!sameBytes(await commitmentOf(record, salt, sha256), commitment)) invalid('record', 'The record is not the one the entry commits to: do not rely on either, and report it.');
  const digest = toHex(await sha256(utf8(request)));
  if (record['request'] !== digest) invalid('request', 'The record names another request: this one did not lead to the entry.');
  const { jwk, thumbprint, addedAt, retiredAt } = key;
  const { kid, iss, iat, claims } = await readSigned(request, jwk as JWK);
  if (jwk['kid'] !== kid || await calculateJwkThumbprint(jwk as JWK) !== thumbprint) invalid('key', 'The key is not the one the request names: ask the platform for the right one.');
  if (iss !== record['institution']) invalid('signer', 'The request is signed by another party than the one the record names.');
  const signedMs = iat * 1000;
  if (!(Date.parse(addedAt) <= signedMs + skewMs) || (retiredAt !== null && !(Date.parse(retiredAt) > signedMs))) invalid('time', 'The key that signed was not in use when the request was signed.');
  return { signer: iss, keyThumbprint: thumbprint, signedAtS: iat, claims };
}

type SignedText = { readonly kid: string; readonly iss: string; readonly iat: number; readonly claims: Readonly<Record<string, unknown>> };

/** The key's type decides what an algorithm can be; its spelling is beyond doubt, because the digest is of this very text. */
async function readSigned(request: string, jwk: JWK): Promise<SignedText> {
  if (request.length > lengthMax || request.split('.').length !== 3) malformed();
  let payload: Uint8Array;
  let kid: unknown;
  try {
    const { alg } = decodeProtectedHeader(request);
    ({ payload, protectedHeader: { kid } } = await compactVerify(request, await importJWK(jwk, alg), { algorithms }));
  } catch (error) {
    if (error instanceof joseErrors.JWSInvalid) malformed();
    if (error instanceof joseErrors.JOSEError || error instanceof TypeError) invalid('signature', 'The signature is not by the key the platform names: the request proves nothing.');
    throw error;
  }
  const claims = strictJson(payload);
  const { iss, iat } = claims ?? {};
  if (claims === undefined || typeof kid !== 'string' || typeof iss !== 'string' || typeof iat !== 'number' || !Number.isSafeInteger(iat)) malformed();
  return { kid, iss, iat, claims };
}

function strictJson(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = parseStrictJsonBytes(bytes, { maxLength: lengthMax });
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Readonly<Record<string, unknown>> : undefined;
  } catch (error) {
    if (isVeilgateError(error)) return undefined;
    throw error;
  }
}

function malformed(): never {
  invalid('malformed', 'This is no signed request: ask the platform for it again.');
}

function invalid(fault: string, message: string): never {
  throw new VeilgateError('AUDIT_REQUEST_INVALID', message, { fault });
}
