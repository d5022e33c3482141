import { createPrivateKey, generateKeyPairSync, randomBytes, sign, type JsonWebKey } from 'node:crypto';
import { VeilgateError } from '../errors.ts';
import { epochSeconds, type Clock } from '../clock.ts';
import { parseStrictJson } from '../strict-json.ts';
import type { PublicJwk, Signer } from '../vocabulary.ts';
import { decodeBase64url } from './base64url.ts';
import { createSecretFile, openSecretFolder, readSecretFile, replaceSecretFile } from './key-files.ts';
import { signatureThread } from './verification-key.ts';
import { jwkThumbprint, vetPublicKey } from './vetting.ts';

/** A private Ed25519 key (RFC 8037); `kid` is its RFC 7638 thumbprint. */
export type PrivateSigningJwk = { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string; readonly d: string; readonly kid: string; readonly use: 'sig'; readonly alg: 'EdDSA' };

/** The platform's own keys and secrets. Every node of one platform has the same. */
export type Keyring = {
  /** Signs answers' receipts, consent receipts and tickets. */
  readonly gatewaySigner: Signer;
  /** Keys to check gatewaySigner's signatures with, older ones included until they are retired. */
  readonly gatewayJwks: { readonly keys: readonly PublicJwk[] };
  /** Signs checkpoints of the log; what the log is known by, so it is never changed. */
  readonly logSigningKey: PrivateSigningJwk;
  /** Of the platform's own authorization server, newest first. */
  readonly issuerSigningKeys: readonly PrivateSigningJwk[];
  readonly issuerJwks: { readonly keys: readonly PublicJwk[] };
  /** Secrets behind tokens that stand for values, 32 bytes each, by version. */
  readonly tokenSecrets: { readonly secrets: ReadonlyMap<number, Uint8Array>; readonly currentVersion: number };
  /** Secrets behind the encryption of signed requests in the log, 32 bytes each, by version. */
  readonly requestSecrets: { readonly secrets: ReadonlyMap<number, Uint8Array>; readonly currentVersion: number };
  /** Secrets behind the encryption of masks that wait for the release of scores, 32 bytes each, by version. */
  readonly maskSecrets: { readonly secrets: ReadonlyMap<number, Uint8Array>; readonly currentVersion: number };
  /** 32 bytes. */
  readonly dpopNonceSecret: Uint8Array;
  /** 32 bytes; behind pseudonyms of subjects, so it is never changed. */
  readonly pseudonymSecret: Uint8Array;
  /** 43 characters each; the first signs. */
  readonly cookieKeys: readonly string[];
};

type Kind = 'signature' | 'secret';
/** One file each, a JWK set (RFC 7517 section 5), newest key first. */
const purposes = {
  'gateway-signing': { kind: 'signature', rotates: true },
  'log-signing': { kind: 'signature', rotates: false },
  'issuer-signing': { kind: 'signature', rotates: true },
  'custodian-signing': { kind: 'signature', rotates: false },
  'token-secret': { kind: 'secret', rotates: true },
  'request-secret': { kind: 'secret', rotates: true },
  'mask-secret': { kind: 'secret', rotates: true },
  'dpop-nonce-secret': { kind: 'secret', rotates: true },
  'pseudonym-secret': { kind: 'secret', rotates: false },
  'cookie-secret': { kind: 'secret', rotates: true },
} as const satisfies Readonly<Record<string, { readonly kind: Kind; readonly rotates: boolean }>>;

export type KeyPurpose = keyof typeof purposes;
export type RotatingPurpose = { [Purpose in KeyPurpose]: (typeof purposes)[Purpose]['rotates'] extends true ? Purpose : never }[KeyPurpose];
/** What can be changed by rotateKey, for command lines. */
export const rotatingPurposes = (Object.keys(purposes) as KeyPurpose[]).filter((purpose): purpose is RotatingPurpose => purposes[purpose].rotates);

const secretBytes = 32;
const keysMax = 20;

/** Secrets have their version as kid: "1", "2" and so on. */
type SecretJwk = { readonly kty: 'oct'; readonly k: string; readonly kid: string };
/** `iat`: when it was made, seconds since the epoch. */
type StoredKey = (PrivateSigningJwk | SecretJwk) & { readonly iat: number };

/**
 * Loads the platform's keys, making those that are missing; many processes may do so at once and all get the same.
 * Reads each file once: a rotated key is used after the next start.
 * Errors: CONFIG_INSECURE when others than the gateway's user can read the folder or a file; CONFIG_INVALID.
 */
export function openKeyring(folder: string, clock: Clock): Keyring {
  const load = openPurposes(folder, clock);
  const signing = (purpose: KeyPurpose) => load(purpose) as readonly (PrivateSigningJwk & StoredKey)[];
  const secrets = (purpose: KeyPurpose) => (load(purpose) as readonly (SecretJwk & StoredKey)[]).map(({ kid, k }) => ({ version: Number(kid), text: k, bytes: new Uint8Array(Buffer.from(k, 'base64url')) }));

  const gatewayKeys = signing('gateway-signing');
  const issuerKeys = signing('issuer-signing');
  const versioned = (purpose: KeyPurpose) => {
    const versions = secrets(purpose);
    return { secrets: new Map(versions.map(({ version, bytes }) => [version, bytes])), currentVersion: versions[0]?.version ?? 0 };
  };
  return {
    gatewaySigner: signerOf(gatewayKeys[0] as PrivateSigningJwk),
    gatewayJwks: publicSet(gatewayKeys),
    logSigningKey: withoutDate(signing('log-signing')[0] as PrivateSigningJwk & StoredKey),
    issuerSigningKeys: issuerKeys.map(withoutDate),
    issuerJwks: publicSet(issuerKeys),
    tokenSecrets: versioned('token-secret'),
    requestSecrets: versioned('request-secret'),
    maskSecrets: versioned('mask-secret'),
    dpopNonceSecret: secrets('dpop-nonce-secret')[0]?.bytes ?? new Uint8Array(0),
    pseudonymSecret: secrets('pseudonym-secret')[0]?.bytes ?? new Uint8Array(0),
    cookieKeys: secrets('cookie-secret').map(({ text }) => text),
  };
}

/** For who does a gateway's work with its keys, and must never make keys of its own. Errors: CONFIG_INVALID when one is missing; those of openKeyring. */
export function openExistingKeyring(folder: string, clock: Clock): Keyring {
  for (const purpose of Object.keys(purposes) as KeyPurpose[]) if (purpose !== 'custodian-signing') storedKeys(folder, purpose);
  return openKeyring(folder, clock);
}

/** A custodian's own keys, in its own folder. */
export type CustodianKeyring = {
  /** Signs what it says of its public keys. */
  readonly statementSigner: Signer;
  readonly statementKey: PublicJwk;
  /** Signs checkpoints of its own log, so it is never changed. */
  readonly logSigningKey: PrivateSigningJwk;
};

/** The same for a custodian. Errors: CONFIG_INSECURE, CONFIG_INVALID. */
export function openCustodianKeyring(folder: string, clock: Clock): CustodianKeyring {
  const load = openPurposes(folder, clock);
  const newest = (purpose: KeyPurpose) => load(purpose)[0] as PrivateSigningJwk & StoredKey;
  const statement = newest('custodian-signing');
  return { statementSigner: signerOf(statement), statementKey: publicSet([statement]).keys[0] as PublicJwk, logSigningKey: withoutDate(newest('log-signing')) };
}

/** Reads the keys of a purpose, newest first, making one where there is none. */
function openPurposes(folder: string, clock: Clock): (purpose: KeyPurpose) => readonly StoredKey[] {
  openSecretFolder(folder);
  return (purpose) => {
    const there = readSecretFile(folder, fileName(purpose));
    return readKeys(purpose, there ?? createSecretFile(folder, fileName(purpose), written([makeKey(purpose, [], clock)])));
  };
}

/**
 * Makes a new key of a purpose: it signs from the next start of each node on, the older ones are still published.
 * Start all nodes anew before anything signed with it is relied on.
 * @returns the new key's id. Errors: CONFIG_INVALID, CONFIG_INSECURE.
 */
export function rotateKey(folder: string, purpose: RotatingPurpose, clock: Clock): string {
  const keys = storedKeys(folder, purpose);
  if (keys.length >= keysMax) throw new VeilgateError('CONFIG_INVALID', `There are ${keysMax} keys of this purpose already: retire old ones first.`, { purpose });
  const fresh = makeKey(purpose, keys, clock);
  replaceSecretFile(folder, fileName(purpose), written([fresh, ...keys]));
  return fresh.kid;
}

/** Takes an older key out for good: what it signed cannot be checked any more, tokens it made are not recognised, requests it encrypted cannot be read. Errors: CONFIG_INVALID, CONFIG_INSECURE. */
export function retirePlatformKey(folder: string, purpose: RotatingPurpose, kid: string): void {
  const keys = storedKeys(folder, purpose);
  const at = keys.findIndex((key) => key.kid === kid);
  if (at < 1) throw new VeilgateError('CONFIG_INVALID', 'Only an older key can be retired: give its id, and rotate first if it is the newest.', { purpose });
  replaceSecretFile(folder, fileName(purpose), written(keys.toSpliced(at, 1)));
}

function storedKeys(folder: string, purpose: KeyPurpose): readonly StoredKey[] {
  openSecretFolder(folder);
  const text = readSecretFile(folder, fileName(purpose));
  if (text === undefined) throw new VeilgateError('CONFIG_INVALID', 'The keys folder holds no such key yet: start the gateway once.', { purpose });
  return readKeys(purpose, text);
}

function fileName(purpose: KeyPurpose): string {
  return `${purpose}.jwks.json`;
}

function written(keys: readonly StoredKey[]): string {
  return `${JSON.stringify({ keys }, null, 2)}\n`;
}

function makeKey(purpose: KeyPurpose, others: readonly StoredKey[], clock: Clock): StoredKey {
  const iat = epochSeconds(clock.nowMs());
  if (purposes[purpose].kind === 'secret') {
    const version = Math.max(0, ...others.map(({ kid }) => Number(kid))) + 1;
    return { kty: 'oct', k: randomBytes(secretBytes).toString('base64url'), kid: String(version), iat };
  }
  const { x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as { x: string; d: string };
  return { kty: 'OKP', crv: 'Ed25519', x, d, kid: jwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x }), use: 'sig', alg: 'EdDSA', iat };
}

/** Nothing of the file is repeated in an error. */
function readKeys(purpose: KeyPurpose, text: string): readonly StoredKey[] {
  const broken = () => new VeilgateError('CONFIG_INVALID', 'A key file does not hold what it must: restore it from your backup.', { file: fileName(purpose) });
  let keys: unknown;
  try {
    keys = (parseStrictJson(text) as { readonly keys?: unknown } | null)?.keys;
  } catch {
    throw broken();
  }
  const isGood = purposes[purpose].kind === 'secret' ? isSecret : isSigningKey;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > keysMax || !keys.every(isGood)) throw broken();
  const stored = keys as readonly StoredKey[];
  if (new Set(stored.map(({ kid }) => kid)).size !== stored.length) throw broken();
  return stored;
}

function isSecret(key: unknown): boolean {
  const { kty, k, kid, iat } = (key ?? {}) as Record<string, unknown>;
  return kty === 'oct' && typeof k === 'string' && decodeBase64url(k)?.length === secretBytes && typeof kid === 'string' && /^[1-9][0-9]{0,3}$/.test(kid) && Number.isSafeInteger(iat);
}

/** The private half must be the public half's: signatures under a key nobody can check are worse than none. */
function isSigningKey(key: unknown): boolean {
  const { kty, crv, x, d, kid, use, alg, iat } = (key ?? {}) as Record<string, unknown>;
  if (typeof d !== 'string' || decodeBase64url(d)?.length !== 32 || use !== 'sig' || alg !== 'EdDSA' || !Number.isSafeInteger(iat)) return false;
  try {
    vetPublicKey({ kty, crv, x }, 'sig');
    const derived = createPrivateKey({ key: { kty, crv, x, d } as JsonWebKey, format: 'jwk' }).export({ format: 'jwk' });
    return derived.x === x && kid === jwkThumbprint({ kty, crv, x });
  } catch {
    return false;
  }
}

function withoutDate({ kty, crv, x, d, kid, use, alg }: PrivateSigningJwk & StoredKey): PrivateSigningJwk {
  return { kty, crv, x, d, kid, use, alg };
}

function publicSet(keys: readonly PrivateSigningJwk[]): { readonly keys: readonly PublicJwk[] } {
  return { keys: keys.map(({ kty, crv, x, kid, use, alg }) => ({ kty, crv, x, kid, use, alg })) };
}

function signerOf(jwk: PrivateSigningJwk): Signer {
  const key = createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' });
  /** By `typ`, of which there are few. */
  const headers = new Map<string, string>();
  return {
    kid: jwk.kid,
    sign(typ, payload) {
      let header = headers.get(typ);
      if (header === undefined) headers.set(typ, header = Buffer.from(JSON.stringify({ alg: jwk.alg, typ, kid: jwk.kid })).toString('base64url'));
      const input = `${header}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`;
      if (signatureThread === 'own') return Promise.resolve(`${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`);
      return new Promise((resolve, reject) => {
        sign(null, Buffer.from(input), key, (error, signature) => (error === null ? resolve(`${input}.${signature.toString('base64url')}`) : reject(error)));
      });
    },
  };
}
