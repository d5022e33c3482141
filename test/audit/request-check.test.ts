import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { calculateJwkThumbprint, SignJWT, type JWK } from 'jose';
import { commitmentOf, type QueryReleased } from '../../src/audit/entry.ts';
import { verifySignedRequest, type RequestEvidence } from '../../src/audit/request-check.ts';
import type { InstitutionId } from '../../src/vocabulary.ts';
import { bank, digest, released, startMs } from './support/log.ts';

const signedAtS = Math.floor(startMs / 1000);
const day = 86_400_000;
const invalid = (fault: string) => ({ code: 'AUDIT_REQUEST_INVALID', detail: { fault } });
const keyPairs = {
  Ed25519: () => generateKeyPairSync('ed25519'),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
};

async function signedBy(alg: keyof typeof keyPairs, { kid = 'key-1', claims = {} }: { readonly kid?: string; readonly claims?: object } = {}) {
  const { privateKey, publicKey } = keyPairs[alg]();
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' } as JWK;
  const request = await new SignJWT({ iss: bank, aud: 'https://gateway.example', iat: signedAtS, query: { purpose: 'pre_loan_review' }, ...claims }).setProtectedHeader({ alg, typ: 'query+jwt', kid }).sign(privateKey);
  return { request, key: { jwk, thumbprint: await calculateJwkThumbprint(jwk), addedAt: new Date(startMs - day).toISOString(), retiredAt: null } };
}

async function evidence({ request, key }: { readonly request: string; readonly key: RequestEvidence['key'] }, changes: Partial<QueryReleased> = {}): Promise<RequestEvidence> {
  const record = released({ request: digest(request), ...changes });
  const salt = randomBytes(32);
  return { commitment: await commitmentOf(record, salt), salt, record, request, key };
}

describe('the proof of who signed a request', () => {
  for (const alg of ['Ed25519', 'ES256', 'PS256'] as const) {
    it(`holds for a request signed with ${alg}`, async () => {
      const signed = await signedBy(alg);
      const { signer, keyThumbprint, signedAtS: at, claims } = await verifySignedRequest(await evidence(signed));
      assert.deepEqual([signer, keyThumbprint, at, claims['query']], [bank, signed.key.thumbprint, signedAtS, { purpose: 'pre_loan_review' }]);
    });
  }

  it('holds when the key was retired later', async () => {
    const { request, key } = await signedBy('Ed25519');
    await verifySignedRequest(await evidence({ request, key: { ...key, retiredAt: new Date(startMs + 1000).toISOString() } }));
  });

  it('names what does not hold', async () => {
    const signed = await signedBy('Ed25519');
    const { request, key } = signed;
    const other = await signedBy('Ed25519');
    const good = await evidence(signed);
    const iso = (ms: number) => new Date(ms).toISOString();
    const wrong: readonly (readonly [string, RequestEvidence | Promise<RequestEvidence>])[] = [
      ['record', { ...good, record: { ...good.record, purpose: 'other' } }],
      ['record', { ...good, commitment: new Uint8Array(32) }],
      ['record', { ...good, salt: new Uint8Array(32) }],
      ['request', { ...good, request: other.request }],
      ['request', { ...good, request: `${request}=` }],
      ['signature', { ...good, key: other.key }],
      ['signature', { ...good, key: (await signedBy('ES256')).key }],
      ['signature', { ...good, key: { ...key, jwk: {} } }],
      ['signature', evidence({ request: `${request.slice(0, -4)}AAAA`, key })],
      ['malformed', evidence({ request: 'not a token', key })],
      ['malformed', evidence({ request: `${request}${'A'.repeat(131_072)}`, key })],
      ['malformed', evidence(await signedBy('Ed25519', { claims: { iss: undefined } }))],
      ['malformed', evidence(await signedBy('Ed25519', { claims: { iat: 1.5 } }))],
      ['key', { ...good, key: { ...key, thumbprint: other.key.thumbprint } }],
      ['key', { ...good, key: { ...key, jwk: { ...key.jwk, kid: 'key-2' } } }],
      ['signer', evidence(signed, { institution: 'bank-b' as InstitutionId })],
      ['time', { ...good, key: { ...key, addedAt: iso(startMs + day) } }],
      ['time', { ...good, key: { ...key, addedAt: 'never' } }],
      ['time', { ...good, key: { ...key, retiredAt: iso(startMs - 1000) } }],
      ['time', { ...good, key: { ...key, retiredAt: 'some day' } }],
    ];
    for (const [fault, shown] of wrong) await assert.rejects(verifySignedRequest(await shown), invalid(fault));
    await verifySignedRequest(good);
  });
});
