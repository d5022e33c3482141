import { readFileSync } from 'node:fs';
import path from 'node:path';
import { calculateJwkThumbprint, exportJWK, importJWK, type CryptoKey, type JWK } from 'jose';
import type { Credentials } from '../../../src/sdk/keys.ts';
import type { TestPlatform } from '../../support/gateway.ts';

/** A key and what a token signed with it says of it. */
export type WireKey = { readonly privateKey: CryptoKey; readonly publicJwk: JWK; readonly kid: string; readonly alg: string };

/** What to change in an otherwise perfect token. `undefined` takes a member away; text or bytes replace the whole part. */
export type Changes = {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>> | string | Uint8Array;
  readonly key?: WireKey;
};

export type WireRequest = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path, with a query where there is one. */
  readonly path: string;
  readonly token?: string;
  /** The proof to send; a good one when absent, none when null. */
  readonly proof?: string | null;
  readonly proofChanges?: Changes;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where to connect, when it is another node than the one the platform is known by. */
  readonly origin?: string;
};

export type WireAnswer = {
  readonly status: number;
  /** Code of the problem document; undefined when the answer is none. */
  readonly code: string | undefined;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
};

const encoded = (part: unknown): string => Buffer.from(typeof part === 'string' || part instanceof Uint8Array ? part : JSON.stringify(part)).toString('base64url');

/** A compact JWS over exactly this header and payload: objects as JSON, texts and bytes as they are. */
export async function compact(key: Pick<WireKey, 'privateKey'>, header: unknown, payload: unknown): Promise<string> {
  const input = `${encoded(header)}.${encoded(payload)}`;
  const { name } = key.privateKey.algorithm;
  const how = name === 'ECDSA' ? { name, hash: 'SHA-256' } : name === 'RSA-PSS' ? { name, saltLength: 32 } : { name };
  return `${input}.${Buffer.from(await crypto.subtle.sign(how, key.privateKey, Buffer.from(input))).toString('base64url')}`;
}

export async function freshKey(kind: 'Ed25519' | 'P-256' | 'RSA' = 'Ed25519'): Promise<WireKey> {
  const algorithm = kind === 'Ed25519' ? { name: 'Ed25519' } : kind === 'P-256' ? { name: 'ECDSA', namedCurve: 'P-256' } : { name: 'RSA-PSS', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' };
  const { privateKey, publicKey } = (await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])) as { privateKey: CryptoKey; publicKey: CryptoKey };
  const { key_ops: _ops, ext: _ext, ...publicJwk } = await exportJWK(publicKey);
  return { privateKey, publicJwk, kid: await calculateJwkThumbprint(publicJwk), alg: kind === 'Ed25519' ? 'EdDSA' : kind === 'P-256' ? 'ES256' : 'PS256' };
}

/** The authorization server's own key: lets tests make tokens that are wrong in one way only. */
export async function issuerKey(platform: TestPlatform): Promise<WireKey> {
  const { keys: [jwk] } = JSON.parse(readFileSync(path.join(platform.folder, 'keys', 'issuer-signing.jwks.json'), 'utf8')) as { keys: JWK[] };
  if (jwk === undefined) throw new Error('the issuer has no key');
  const { d: _private, ...publicJwk } = jwk;
  return { privateKey: (await importJWK(jwk, 'EdDSA')) as CryptoKey, publicJwk, kid: jwk.kid ?? '', alg: 'EdDSA' };
}

/** A party on the wire that makes each token itself, well or badly. */
export type Wire = {
  readonly party: string;
  readonly signing: WireKey;
  readonly dpop: WireKey;
  /** An access token as the authorization server would issue it. */
  readonly token: (changes?: Changes) => Promise<string>;
  readonly proof: (target: { readonly method: string; readonly path: string; readonly token: string }, changes?: Changes) => Promise<string>;
  /** A body signed by the party, such as `query+jwt` with `{ query }`. */
  readonly signed: (typ: string, own: Readonly<Record<string, unknown>>, changes?: Changes) => Promise<string>;
  /** Sends with a good token and proof, unless told otherwise. */
  readonly send: (request: WireRequest) => Promise<WireAnswer>;
  /** A whole signed query. */
  readonly query: (query: Readonly<Record<string, unknown>>, options?: Partial<WireRequest> & { readonly changes?: Changes }) => Promise<WireAnswer>;
  readonly json: (method: 'POST' | 'PUT', path: string, body: unknown, options?: Partial<WireRequest>) => Promise<WireAnswer>;
  readonly get: (path: string, options?: Partial<WireRequest>) => Promise<WireAnswer>;
};

export async function wireOf(platform: TestPlatform, credentials: Credentials, scope: string): Promise<Wire> {
  const { gatewayUrl, issuerUrl } = platform.gateway;
  const issuer = await issuerKey(platform);
  const dpop = await freshKey();
  const signing: WireKey = { privateKey: credentials.signing.privateKey, publicJwk: credentials.signing.publicJwk, kid: credentials.signing.publicJwk.kid, alg: 'EdDSA' };
  const { party } = credentials;
  const nowS = () => Math.floor(Date.now() / 1000);
  let nonce: string | undefined;

  const make = (key: WireKey, typ: string, named: Readonly<Record<string, unknown>>, claims: Readonly<Record<string, unknown>>, changes: Changes = {}) =>
    compact(changes.key ?? key, { alg: (changes.key ?? key).alg, typ, ...named, ...changes.header }, typeof changes.claims === 'string' || changes.claims instanceof Uint8Array ? changes.claims : { ...claims, ...changes.claims });

  const wire: Wire = {
    party, signing, dpop,
    token: (changes) => make(issuer, 'at+jwt', { kid: issuer.kid }, {
      iss: issuerUrl, aud: gatewayUrl, sub: party, client_id: party, scope, cnf: { jkt: dpop.kid }, iat: nowS(), exp: nowS() + 300, jti: crypto.randomUUID(),
    }, changes),
    proof: async ({ method, path: of, token }, changes) => make(dpop, 'dpop+jwt', { jwk: (changes?.key ?? dpop).publicJwk }, {
      jti: crypto.randomUUID(), htm: method, htu: gatewayUrl + of.split('?')[0], iat: nowS(), ath: await sha256(token), nonce: await currentNonce(),
    }, changes),
    signed: (typ, own, changes) => make(signing, typ, { kid: signing.kid }, { iss: party, aud: gatewayUrl, iat: nowS(), exp: nowS() + 60, jti: crypto.randomUUID(), ...own }, changes),
    async send({ method = 'POST', path: to, token, proof, proofChanges, body, contentType, headers = {}, origin = gatewayUrl }) {
      const access = token ?? (await wire.token());
      const dpopProof = proof === undefined ? await wire.proof({ method, path: to, token: access }, proofChanges) : proof;
      return exchange(origin + to, {
        method,
        headers: {
          authorization: `DPoP ${access}`,
          ...(dpopProof === null ? {} : { dpop: dpopProof }),
          ...(contentType === undefined ? {} : { 'content-type': contentType }),
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
      });
    },
    query: async (query, { changes, ...options } = {}) =>
      wire.send({ path: '/v1/queries', contentType: 'application/jwt', body: await wire.signed('query+jwt', { query }, changes), ...options }),
    json: (method, to, body, options = {}) =>
      wire.send({ method, path: to, contentType: 'application/json', body: typeof body === 'string' ? body : JSON.stringify(body), ...options, headers: { 'idempotency-key': crypto.randomUUID(), ...options.headers } }),
    get: (to, options = {}) => wire.send({ method: 'GET', path: to, ...options }),
  };

  async function currentNonce(): Promise<string> {
    if (nonce !== undefined) return nonce;
    const { headers } = await exchange(`${gatewayUrl}/v1/catalogue`, { headers: { authorization: 'DPoP x', dpop: 'x' } });
    nonce = headers.get('dpop-nonce') ?? '';
    return nonce;
  }
  return wire;
}

/** One request, and everything that came back. */
export async function exchange(url: string, init: RequestInit): Promise<WireAnswer> {
  const response = await fetch(url, { redirect: 'manual', ...init });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  const json = (isJson ? JSON.parse(text) : {}) as Readonly<Record<string, unknown>>;
  return { status: response.status, code: response.ok ? undefined : (json['code'] as string | undefined), text, json, headers: response.headers };
}

async function sha256(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('base64url');
}

/** Other spellings of a compact JWS, none of which may be read as the same token. */
export function misspellings(jws: string): readonly (readonly [name: string, text: string])[] {
  const [header = '', payload = '', signature = ''] = jws.split('.');
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(signature.at(-1) ?? '');
  return [
    ['padding behind the signature', `${jws}==`],
    ['padding behind the header', `${header}=.${payload}.${signature}`],
    ['a blank within', `${header}.${payload}. ${signature}`],
    ['altered spare bits of the signature', jws.slice(0, -1) + alphabet.charAt(last + 1)],
    ['the other alphabet', `${header}.${payload}.${signature.slice(0, -2)}+/`],
    ['a fourth part', `${jws}.${signature}`],
    ['two parts', `${header}.${payload}`],
    ['an empty signature', `${header}.${payload}.`],
    ['an empty payload', `${header}..${signature}`],
    ['a character too many', `${header}.${payload}.${signature}AAA`],
    ['a header that is no object', `${encoded('[]')}.${payload}.${signature}`],
  ];
}
