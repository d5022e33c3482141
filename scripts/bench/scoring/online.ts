import { createPrivateKey, hash, randomBytes, sign, type JsonWebKey } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { connect } from '../../../src/sdk/connection.ts';
import { signScoreRequest } from '../../../src/sdk/scores.ts';
import { sampleSubject } from '../../sample/subjects.ts';
import { load, type LoadResult } from '../load/client.ts';
import { purpose, seed } from '../load/platform.ts';
import type { ScoreBenchWorld } from './world.ts';

const connections = 16;
/** Enterprises n, n + stride, …: neighbours in time are not neighbours in a block. */
const stride = 7919;
/** One of so many requests warms up, because a server runs all day and V8 compiles for some thousand requests. */
const warmUpShare = 3;

/** Scores of one enterprise each over the real HTTP line, at a steady pace; every request asks for another enterprise. @returns of the slowest piece; `sent`: requests in all, those that warm up too */
export async function measureOnline({ platform, openable }: ScoreBenchWorld, options: { readonly requests: number; readonly perSecond: number; readonly enterprises: number }): Promise<LoadResult & { readonly sent: number }> {
  const dpop = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const { kty, crv, x } = await exportJWK(dpop.publicKey);
  const dpopKey = createPrivateKey({ key: (await exportJWK(dpop.privateKey)) as JsonWebKey, format: 'jwk' });
  const connection = await connect({ gateway: platform.gatewayUrl, credentials: platform.bank, scope: 'query', dpopKeys: dpop });
  const nonce = (await connection.send({ method: 'GET', path: '/v1/catalogue' })).headers.get('dpop-nonce') ?? '';
  const token = await connection.token();
  const request = async (at: number): Promise<Buffer> => {
    const subject = sampleSubject((at * stride) % options.enterprises, seed);
    const body = JSON.stringify(await signScoreRequest(connection, { kind: 'one', model: openable.model.ref, purpose, lifetimeS: 60, subjects: [{ subject }] }));
    const header = { alg: 'EdDSA', typ: 'dpop+jwt', jwk: { kty, crv, x } };
    const payload = { jti: randomBytes(16).toString('base64url'), htm: 'POST', htu: `${platform.gatewayUrl}/v1/scores`, iat: Math.floor(Date.now() / 1000), ath: hash('sha256', token, 'base64url'), nonce };
    const input = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const proof = `${input}.${sign(null, Buffer.from(input), dpopKey).toString('base64url')}`;
    return Buffer.from(`POST /v1/scores HTTP/1.1\r\nHost: 127.0.0.1:${platform.port}\r\nContent-Type: application/json\r\nAuthorization: DPoP ${token}\r\nDPoP: ${proof}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  };
  const requests = async (from: number, count: number) => Promise.all(Array.from({ length: count }, (_, at) => request(from + at)));
  const warming = Math.ceil(options.requests / warmUpShare);
  await load({ port: platform.port, connections, requests: await requests(0, warming), perSecond: options.perSecond });
  // signed requests live a minute: what takes longer is measured in pieces
  const piece = Math.min(options.requests, options.perSecond * 40);
  const results: LoadResult[] = [];
  for (let done = 0; done < options.requests; done += piece) {
    results.push(await load({ port: platform.port, connections, requests: await requests(warming + done, Math.min(piece, options.requests - done)), perSecond: options.perSecond }));
  }
  const slowest = results.toSorted((one, other) => other.p99Ms - one.p99Ms)[0] as LoadResult;
  if (results.some(({ statuses, requests: sent }) => statuses['200'] !== sent)) throw new Error(`not every score was answered: ${JSON.stringify(results.map(({ statuses }) => statuses))}`);
  return { ...slowest, sent: warming + options.requests };
}
