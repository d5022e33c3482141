import { createPublicKey, hash, type JsonWebKey } from 'node:crypto';
import { VeilgateError } from '../errors.ts';
import type { PublicJwk } from '../vocabulary.ts';
import { decodeBase64url } from './base64url.ts';
import { ed25519PointFault, x25519PointFault } from './curve-points.ts';

export type KeyUse = 'sig' | 'enc';

const rsaBitsMin = 2048;
const rsaBitsMax = 4096;
/** 2^16 + 1, the only exponent accepted: smaller ones have broken too many schemes. */
const rsaExponent = 'AQAB';
const kidGrammar = /^[A-Za-z0-9._~-]{1,128}$/;
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'] as const;
const certificateMembers = ['x5c', 'x5t', 'x5t#S256', 'x5u'] as const;

/** What one kind of key may look like. `algs`: acceptable `alg`; the first is put in when the key names none. */
type Shape = { readonly use: KeyUse; readonly algs: readonly string[]; readonly members: readonly string[]; readonly check: (jwk: Members) => void };
type Members = Readonly<Record<string, unknown>>;

const shapes: Readonly<Record<string, readonly Shape[]>> = {
  'OKP Ed25519': [{ use: 'sig', algs: ['EdDSA', 'Ed25519'], members: ['crv', 'x'], check: checkEd25519 }],
  'OKP X25519': [{ use: 'enc', algs: ['ECDH-ES+A256KW', 'ECDH-ES'], members: ['crv', 'x'], check: checkX25519 }],
  'EC P-256': [
    { use: 'sig', algs: ['ES256'], members: ['crv', 'x', 'y'], check: checkP256 },
    { use: 'enc', algs: ['ECDH-ES+A256KW', 'ECDH-ES'], members: ['crv', 'x', 'y'], check: checkP256 },
  ],
  RSA: [{ use: 'sig', algs: ['PS256'], members: ['n', 'e'], check: checkRsa }],
};

/** `key_ops` that go with a public key of each use (RFC 7517 section 4.3); ECDH public keys have none. */
const operations: Readonly<Record<KeyUse, readonly string[]>> = { sig: ['verify'], enc: ['deriveKey', 'deriveBits'] };

/**
 * Accepts a public key for one use, or says why not. Signatures: Ed25519, P-256 (ES256), RSA 2048–4096 with
 * e = 65537 (PS256). Encryption: P-256 or X25519 (ECDH-ES).
 * Refused: private and symmetric members, certificates, other curves and algorithms, points off the curve or of low
 * order, encodings that are not canonical, a `use`, `alg` or `key_ops` that says otherwise.
 * @returns the key with the members that matter and nothing else; `kid` is its RFC 7638 thumbprint when it names none
 * Errors: KEY_REFUSED.
 */
export function vetPublicKey(jwk: unknown, use: KeyUse): PublicJwk {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) throw refused('not_a_key', 'A key must be a JSON Web Key object (RFC 7517).');
  const members = jwk as Members;
  if (secretMembers.some((name) => Object.hasOwn(members, name))) {
    throw refused('private_member', 'The key holds private or symmetric members: make a new key pair and register its public half only.');
  }
  if (certificateMembers.some((name) => Object.hasOwn(members, name))) throw refused('certificate', 'The key refers to a certificate: register the bare public key.');
  const kind = members['kty'] === 'RSA' ? 'RSA' : [members['kty'], members['crv']].map((member) => (typeof member === 'string' ? member : '')).join(' ');
  const candidates = Object.hasOwn(shapes, kind) ? shapes[kind] : undefined;
  if (candidates === undefined) throw refused('kind', 'The key is of a kind that is not accepted: use Ed25519, P-256 or RSA to sign, P-256 or X25519 to encrypt.');
  const shape = candidates.find((candidate) => candidate.use === use);
  if (shape === undefined) throw refused('use', `A key of this kind cannot be registered for ${use === 'sig' ? 'signatures' : 'encryption'}: use another kind.`);
  checkDeclarations(members, shape);
  shape.check(members);
  importable(members, shape);

  const vetted: Record<string, unknown> = { kty: members['kty'] };
  for (const name of shape.members) vetted[name] = members[name];
  const kid = members['kid'] ?? jwkThumbprint(vetted);
  return { ...vetted, use, alg: members['alg'] ?? shape.algs[0], kid } as unknown as PublicJwk;
}

/**
 * RFC 7638: SHA-256 over the required members in lexicographic order, base64url.
 * @param jwk a vetted key, or the members of one
 */
export function jwkThumbprint(jwk: Readonly<Record<string, unknown>>): string {
  const names = jwk['kty'] === 'RSA' ? ['e', 'kty', 'n'] : jwk['kty'] === 'EC' ? ['crv', 'kty', 'x', 'y'] : ['crv', 'kty', 'x'];
  return hash('sha256', JSON.stringify(Object.fromEntries(names.map((name) => [name, jwk[name]]))), 'base64url');
}

function checkDeclarations(jwk: Members, shape: Shape): void {
  const { kid, use, alg, key_ops: operationsListed } = jwk;
  if (kid !== undefined && (typeof kid !== 'string' || !kidGrammar.test(kid))) {
    throw refused('kid', 'The key\'s kid must be 1 to 128 letters, digits or . _ ~ -, or be left out.');
  }
  if (use !== undefined && use !== shape.use) throw refused('use', 'The key says that it is meant for another use: register a key of its own for each use.');
  if (alg !== undefined && !(typeof alg === 'string' && shape.algs.includes(alg))) {
    throw refused('algorithm', `The key names an algorithm that is not accepted: ${shape.algs.join(' or ')} goes with this kind.`);
  }
  if (operationsListed === undefined) return;
  const allowed = operations[shape.use];
  const consistent = Array.isArray(operationsListed) && new Set(operationsListed).size === operationsListed.length && operationsListed.every((operation) => allowed.includes(operation as string))
    && (shape.use === 'enc' || operationsListed.length > 0);
  if (!consistent) throw refused('key_ops', 'The key\'s key_ops do not go with its use: leave them out.');
}

function checkEd25519(jwk: Members): void {
  checkPoint(ed25519PointFault(octets(jwk, 'x', 32)));
}

function checkX25519(jwk: Members): void {
  checkPoint(x25519PointFault(octets(jwk, 'x', 32)));
}

function checkPoint(fault: ReturnType<typeof ed25519PointFault>): void {
  switch (fault) {
    case undefined: return;
    case 'not_canonical': throw refused('encoding', 'The key\'s point is not encoded in the one canonical way: export the key again.');
    case 'not_on_curve': throw refused('not_on_curve', 'The key is not a point of its curve: export the key again.');
    case 'low_order': throw refused('low_order', 'The key is a point of low order, which protects nothing: make a new key pair.');
    default: fault satisfies never;
  }
}

function checkP256(jwk: Members): void {
  octets(jwk, 'x', 32);
  octets(jwk, 'y', 32);
}

function checkRsa(jwk: Members): void {
  if (jwk['e'] !== rsaExponent) throw refused('exponent', 'The RSA key\'s public exponent must be 65537.');
  const modulus = octets(jwk, 'n');
  if (modulus[0] === 0) throw refused('encoding', 'The RSA modulus has leading zero bytes: export the key again.');
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  if (bits < rsaBitsMin || bits > rsaBitsMax) throw refused('size', `The RSA modulus must have ${rsaBitsMin} to ${rsaBitsMax} bits.`, { bits });
  if (hasSmallFactor(BigInt(`0x${modulus.toString('hex')}`))) throw refused('modulus', 'The RSA modulus has a small factor, so the key is broken: make a new key pair.');
}

/** A real modulus has two large prime factors; a mistyped or planted one is likely to have a small one. */
function hasSmallFactor(modulus: bigint): boolean {
  for (let factor = 2n; factor < 1000n; factor += 1n) if (modulus % factor === 0n) return true;
  return false;
}

/** A member's bytes, of exactly `length` when given. */
function octets(jwk: Members, name: string, length?: number): Buffer {
  const text = jwk[name];
  const bytes = typeof text === 'string' && text.length > 0 && text.length <= 1024 ? decodeBase64url(text) : undefined;
  if (bytes === undefined || (length !== undefined && bytes.length !== length)) {
    throw refused('encoding', `The key's member ${name} is not canonical base64url of the right length: export the key again.`);
  }
  return bytes;
}

/** Lets OpenSSL have its say: for P-256 it checks that the point is on the curve. */
function importable(jwk: Members, shape: Shape): void {
  const key: Record<string, unknown> = { kty: jwk['kty'] };
  for (const name of shape.members) key[name] = jwk[name];
  try {
    createPublicKey({ key: key as JsonWebKey, format: 'jwk' });
  } catch {
    throw refused('not_on_curve', 'The key is not valid for its kind, such as a point off the curve: export the key again.');
  }
}

function refused(reason: string, message: string, detail: Readonly<Record<string, number>> = {}): VeilgateError {
  return new VeilgateError('KEY_REFUSED', message, { reason, ...detail });
}
