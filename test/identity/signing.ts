import { constants, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { strict as assert } from 'node:assert';
import { VeilgateError, type ErrorCode } from '../../src/errors.ts';
import { importVerificationKey, type VerificationKey } from '../../src/identity/verification-key.ts';
import { vetPublicKey } from '../../src/identity/vetting.ts';
import type { PublicJwk } from '../../src/vocabulary.ts';

export type TestKey = { readonly privateKey: KeyObject; readonly publicKey: KeyObject; readonly jwk: PublicJwk; readonly alg: string; readonly verification: VerificationKey };

/** A fresh key pair of one of the accepted kinds. */
export async function makeKey(kind: 'Ed25519' | 'P-256' | 'RSA' = 'Ed25519'): Promise<TestKey> {
  const pair = kind === 'Ed25519' ? generateKeyPairSync('ed25519') : kind === 'P-256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = vetPublicKey(pair.publicKey.export({ format: 'jwk' }), 'sig');
  return { privateKey: pair.privateKey, publicKey: pair.publicKey, jwk, alg: jwk['alg'] as string, verification: importVerificationKey(jwk) };
}

/** Public half of a new encryption key. */
export function makeEncryptionJwk(): PublicJwk {
  return vetPublicKey(generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }), 'enc');
}

export const encode = (part: unknown): string => Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

/** A compact JWS over exactly this header and payload, however wrong: objects are written as JSON, text as it is. */
export function signRaw(key: Pick<TestKey, 'privateKey' | 'alg'>, header: unknown, payload: unknown): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${signature(key, input)}`;
}

function signature({ privateKey, alg }: Pick<TestKey, 'privateKey' | 'alg'>, input: string): string {
  const data = Buffer.from(input);
  const bytes = alg === 'EdDSA' ? sign(null, data, privateKey)
    : alg === 'ES256' ? sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    : sign('sha256', data, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
  return bytes.toString('base64url');
}

export function signCompact(key: TestKey, typ: string, payload: Record<string, unknown>, header: Record<string, unknown> = {}): string {
  return signRaw(key, { alg: key.alg, typ, kid: key.jwk.kid, ...header }, payload);
}

/** Awaits a refusal with this code and gives the error for further looks. */
export async function refused(work: Promise<unknown> | (() => unknown), code: ErrorCode): Promise<VeilgateError> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    assert(error instanceof VeilgateError, `not a VeilgateError: ${String(error)}`);
    assert.equal(error.code, code, error.message);
    return error;
  }
  throw new assert.AssertionError({ message: `nothing was refused where ${code} was due` });
}
