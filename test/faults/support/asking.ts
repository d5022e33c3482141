import { createPrivateKey, hash, randomUUID, sign, type JsonWebKey, type KeyObject } from 'node:crypto';
import http from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import type { Answer } from '../../../src/sdk/bank.ts';
import { connect } from '../../../src/sdk/connection.ts';
import { bankId, purpose, type FaultPlatform } from './platform.ts';

/** A signed query as bytes: sent twice, it is the same request twice. */
export type Prepared = { readonly headers: Readonly<Record<string, string>>; readonly body: string; /** How the log names it. */ readonly digest: string };

/** What came back. `broken`: nothing, or not all of it. */
export type Outcome =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly headers: http.IncomingHttpHeaders; readonly problem: Readonly<Record<string, unknown>>; readonly tookMs: number }
  | { readonly kind: 'broken'; readonly tookMs: number };

export type Asked = { readonly prepared: Prepared; readonly outcome: Outcome };

/** A bank that keeps what it asked and what it was told, for the accounts. */
export type Desk = {
  readonly prepare: (subject: string, options?: { readonly verify?: boolean; readonly atMs?: number }) => Prepared;
  readonly send: (prepared: Prepared) => Promise<Outcome>;
  /** A fresh query, sent. */
  readonly ask: (subject: string, options?: { readonly verify?: boolean; readonly atMs?: number }) => Promise<Outcome>;
  readonly asked: readonly Asked[];
  /** Begins a new list, so that it does not grow. */
  readonly forget: () => void;
};

const timeoutMs = 60_000;

/** Fetches a token once; it outlives restarts of the gateway. */
export async function openDesk(platform: Pick<FaultPlatform, 'gatewayUrl' | 'bank'>): Promise<Desk> {
  const dpop = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const { kty, crv, x } = await exportJWK(dpop.publicKey);
  const dpopKey = createPrivateKey({ key: (await exportJWK(dpop.privateKey)) as JsonWebKey, format: 'jwk' });
  const signingKey = createPrivateKey({ key: platform.bank.file.signing as JsonWebKey, format: 'jwk' });
  const connection = await connect({ gateway: platform.gatewayUrl, credentials: platform.bank.credentials, scope: 'query', dpopKeys: dpop });
  const token = await connection.token();
  const nonce = (await connection.send({ method: 'GET', path: '/v1/catalogue' })).headers.get('dpop-nonce') ?? '';
  const url = `${platform.gatewayUrl}/v1/queries`;
  const asked: Asked[] = [];

  const prepare: Desk['prepare'] = (subject, { verify = false, atMs = Date.now() } = {}) => {
    const iat = Math.floor(atMs / 1000);
    const query = {
      subject, purpose, read: ['registry.name', 'tax.declared_revenue_cents'],
      ...(verify ? { verify: [{ field: 'tax.declared_revenue_cents', claimed: 12_345_600 }] } : {}),
    };
    const proof = jws({ alg: 'EdDSA', typ: 'dpop+jwt', jwk: { kty, crv, x } }, { jti: randomUUID(), htm: 'POST', htu: url, iat, ath: hash('sha256', token, 'base64url'), nonce }, dpopKey);
    const body = jws({ alg: 'EdDSA', typ: 'query+jwt', kid: platform.bank.credentials.signing.publicJwk.kid }, { iss: bankId, aud: platform.gatewayUrl, iat, exp: iat + 60, jti: randomUUID(), query }, signingKey);
    return { headers: { 'content-type': 'application/jwt', authorization: `DPoP ${token}`, dpop: proof }, body, digest: hash('sha256', body, 'hex') };
  };
  const send = async (prepared: Prepared) => {
    const outcome = await post(url, prepared);
    asked.push({ prepared, outcome });
    return outcome;
  };
  return { prepare, send, asked, forget: () => { asked.length = 0; }, ask: (subject, options) => send(prepare(subject, options)) };
}

function jws(header: object, payload: object, key: KeyObject): string {
  const input = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`;
  return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`;
}

/** On a connection of its own, so that one that broke earlier explains nothing. */
function post(url: string, { headers, body }: Prepared): Promise<Outcome> {
  const startedMs = performance.now();
  const tookMs = () => performance.now() - startedMs;
  return new Promise((resolve) => {
    const broken = () => resolve({ kind: 'broken', tookMs: tookMs() });
    const request = http.request(url, { method: 'POST', headers: { ...headers, 'content-length': Buffer.byteLength(body) }, agent: false, timeout: timeoutMs }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', broken);
      response.on('end', () => {
        if (!response.complete) return broken();
        const content = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
        if (response.statusCode === 200) return resolve({ kind: 'answered', answer: content as unknown as Answer });
        return resolve({ kind: 'refused', status: response.statusCode ?? 0, code: String(content['code']), headers: response.headers, problem: content, tookMs: tookMs() });
      });
    });
    request.on('error', broken);
    request.on('timeout', () => request.destroy());
    request.end(body);
  });
}
