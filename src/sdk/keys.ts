import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose';

/** A party's key for one use: the private half to work with, the public half to register. */
export type PartyKey = { readonly privateKey: CryptoKey; readonly publicJwk: JWK & { readonly kid: string } };

/** What a caller of the gateway needs: who it is, and the keys that prove it. */
export type Credentials = {
  readonly party: string;
  /** Ed25519; signs client assertions, queries and applications. */
  readonly signing: PartyKey;
  /** P-256; opens sealed answers. Institutions only. */
  readonly encryption?: PartyKey;
};

/** Credentials as a file holds them. Contains private keys: mode 0600, never in a repository. */
export type CredentialsFile = { readonly party: string; readonly signing: JWK; readonly encryption?: JWK };

/** @param extractable true only where the key must be written to a file; a browser keeps it false */
export async function generateSigningKey(extractable = false): Promise<PartyKey> {
  return asPartyKey(await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable }), { alg: 'EdDSA', use: 'sig' });
}

export async function generateEncryptionKey(extractable = false): Promise<PartyKey> {
  return asPartyKey(await generateKeyPair('ECDH-ES+A256KW', { crv: 'P-256', extractable }), { alg: 'ECDH-ES+A256KW', use: 'enc' });
}

async function asPartyKey(pair: { privateKey: CryptoKey; publicKey: CryptoKey }, members: { alg: string; use: string }): Promise<PartyKey> {
  const jwk = await exportJWK(pair.publicKey);
  return { privateKey: pair.privateKey, publicJwk: { ...jwk, ...members, kid: await calculateJwkThumbprint(jwk) } };
}

/** Makes new extractable keys for a party and gives them in file form. */
export async function generateCredentialsFile(party: string, options: { readonly encryption: boolean }): Promise<CredentialsFile> {
  const signing = await generateSigningKey(true);
  const file = { party, signing: await withPrivate(signing) };
  return options.encryption ? { ...file, encryption: await withPrivate(await generateEncryptionKey(true)) } : file;
}

async function withPrivate(key: PartyKey): Promise<JWK> {
  return { ...key.publicJwk, ...(await exportJWK(key.privateKey)) };
}

/** Turns the file form into keys that can no longer be exported. */
export async function readCredentials(file: CredentialsFile): Promise<Credentials> {
  const signing = await importKey(file.signing, 'EdDSA');
  return file.encryption === undefined
    ? { party: file.party, signing }
    : { party: file.party, signing, encryption: await importKey(file.encryption, 'ECDH-ES+A256KW') };
}

async function importKey(jwk: JWK, alg: string): Promise<PartyKey> {
  const privateKey = (await importJWK(jwk, alg, { extractable: false })) as CryptoKey;
  const { d: _private, ...publicJwk } = jwk;
  return { privateKey, publicJwk: { ...publicJwk, kid: jwk.kid ?? (await calculateJwkThumbprint(publicJwk)) } };
}

/** The public halves, as registration wants them. */
export function publicKeys(credentials: Credentials): readonly JWK[] {
  return [credentials.signing, credentials.encryption].flatMap((key) => (key === undefined ? [] : [key.publicJwk]));
}
