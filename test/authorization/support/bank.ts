import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { SignJWT, calculateJwkThumbprint, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose';
import type { ClientMetadata } from '../../../src/authorization/clients.ts';
import type { PublicJwk } from '../../../src/vocabulary.ts';

export type Answer = { readonly status: number; readonly headers: Headers; readonly body: Record<string, unknown> };
export type KeyPair = { readonly privateKey: CryptoKey; readonly jwk: PublicJwk };

/** What one request does differently from how it should be. */
export type Deviations = {
  readonly parameters?: Readonly<Record<string, string | null>>;
  readonly assertion?: Readonly<Record<string, unknown>>;
  readonly assertionText?: string;
  readonly key?: KeyPair;
  readonly dpop?: 'missing' | 'without nonce';
  readonly dpopClaims?: Readonly<Record<string, unknown>>;
  readonly proofKey?: KeyPair;
  readonly rawBody?: string;
};

export async function newKeyPair(): Promise<KeyPair> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const jwk = await exportJWK(publicKey);
  return { privateKey, jwk: { ...jwk, kty: 'OKP', kid: await calculateJwkThumbprint(jwk), use: 'sig', alg: 'EdDSA' } };
}

/** The client side of the flow for one party: private_key_jwt, DPoP with nonces, PAR, PKCE. */
export class Bank {
  readonly issuer: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly keys: KeyPair;
  readonly proofKeys: KeyPair;
  readonly verifier = randomBytes(32).toString('base64url');
  readonly state = randomBytes(16).toString('base64url');
  #nonce: string | undefined;

  private constructor(issuer: string, clientId: string, redirectUri: string, keys: KeyPair, proofKeys: KeyPair) {
    this.issuer = issuer;
    this.clientId = clientId;
    this.redirectUri = redirectUri;
    this.keys = keys;
    this.proofKeys = proofKeys;
  }

  static async create(issuer: string, clientId: string, redirectUri = 'https://bank.example/callback'): Promise<Bank> {
    return new Bank(issuer, clientId, redirectUri, await newKeyPair(), await newKeyPair());
  }

  metadata(scope = 'query'): ClientMetadata {
    return { client_id: this.clientId, jwks: { keys: [this.keys.jwk] }, redirect_uris: [this.redirectUri], scope };
  }

  /** Pushes a consent request. */
  async push(detail: object, deviations: Deviations = {}): Promise<Answer> {
    return this.send('/par', {
      client_id: this.clientId,
      response_type: 'code',
      redirect_uri: this.redirectUri,
      scope: 'query',
      state: this.state,
      code_challenge: createHash('sha256').update(this.verifier).digest('base64url'),
      code_challenge_method: 'S256',
      authorization_details: JSON.stringify([detail]),
    }, deviations);
  }

  authorizationUrl(pushed: Answer): string {
    const url = new URL(`${this.issuer}/authorize`);
    url.searchParams.set('client_id', this.clientId);
    url.searchParams.set('request_uri', String(pushed.body['request_uri']));
    return url.href;
  }

  async exchange(code: string, deviations: Deviations = {}): Promise<Answer> {
    return this.send('/token', { grant_type: 'authorization_code', code, redirect_uri: this.redirectUri, code_verifier: this.verifier }, deviations);
  }

  async refresh(refreshToken: string, deviations: Deviations = {}): Promise<Answer> {
    return this.send('/token', { grant_type: 'refresh_token', refresh_token: refreshToken }, deviations);
  }

  async ownToken(scope = 'query', deviations: Deviations = {}): Promise<Answer> {
    return this.send('/token', { grant_type: 'client_credentials', scope }, deviations);
  }

  async revoke(token: string, deviations: Deviations = {}): Promise<Answer> {
    return this.send('/revoke', { token }, { dpop: 'missing', ...deviations });
  }

  async introspect(token: string, deviations: Deviations = {}): Promise<Answer> {
    return this.send('/introspect', { token }, { dpop: 'missing', ...deviations });
  }

  async send(path: string, parameters: Readonly<Record<string, string>>, deviations: Deviations): Promise<Answer> {
    const answer = await this.#sendOnce(path, parameters, deviations);
    if (answer.body['error'] !== 'use_dpop_nonce' || deviations.dpop !== undefined) return answer;
    return this.#sendOnce(path, parameters, deviations);
  }

  async #sendOnce(path: string, parameters: Readonly<Record<string, string>>, deviations: Deviations): Promise<Answer> {
    const body = new URLSearchParams({
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: deviations.assertionText ?? (await this.assertion(deviations)),
      ...parameters,
    });
    for (const [name, value] of Object.entries(deviations.parameters ?? {})) {
      if (value === null) body.delete(name);
      else body.set(name, value);
    }
    const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
    if (deviations.dpop !== 'missing') headers['dpop'] = await this.proof('POST', this.issuer + path, deviations);
    const response = await fetch(this.issuer + path, { method: 'POST', headers, body: deviations.rawBody === undefined ? body : `${body.toString()}${deviations.rawBody}` });
    this.#nonce = response.headers.get('dpop-nonce') ?? this.#nonce;
    const text = await response.text();
    const json = response.headers.get('content-type')?.includes('json') === true ? (JSON.parse(text) as Record<string, unknown>) : { text };
    return { status: response.status, headers: response.headers, body: json };
  }

  async assertion({ assertion = {}, key = this.keys }: Deviations = {}): Promise<string> {
    const nowS = Math.floor(Date.now() / 1000);
    return new SignJWT({ iss: this.clientId, sub: this.clientId, aud: this.issuer, jti: randomUUID(), iat: nowS, exp: nowS + 60, ...assertion })
      .setProtectedHeader({ alg: 'EdDSA', kid: key.jwk.kid })
      .sign(key.privateKey);
  }

  async proof(method: string, url: string, { dpop, dpopClaims = {}, proofKey = this.proofKeys }: Deviations = {}): Promise<string> {
    const { kty, crv, x } = proofKey.jwk as unknown as JWK; // thumbprint members only
    return new SignJWT({ htm: method, htu: url, jti: randomUUID(), iat: Math.floor(Date.now() / 1000), ...(dpop === 'without nonce' || this.#nonce === undefined ? {} : { nonce: this.#nonce }), ...dpopClaims })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'dpop+jwt', jwk: { kty: kty as 'OKP', crv: crv as string, x: x as string } })
      .sign(proofKey.privateKey);
  }
}
