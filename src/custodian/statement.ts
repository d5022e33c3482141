import { randomBytes } from 'node:crypto';
import { epochSeconds, type Clock } from '../clock.ts';
import type { HeKeyStatement } from '../scoring/protocol.ts';
import type { Signer } from '../vocabulary.ts';
import type { HeKey } from './he-keys.ts';

export const statementType = 'he-key+jwt';
const lifetimeS = 3600;

/** What `GET /v1/key` answers. `public_key`: base64url. */
export type PublicKeyAnswer = { readonly statement: string; readonly public_key: string };

export type StatementFacts = { readonly id: string; readonly gatewayUrl: string; readonly signer: Signer; readonly clock: Clock };

/** Signs which key is the custodian's: id, parameter set, digest, age. Made anew each time, good for an hour. */
export function signStatement(key: HeKey, { id, gatewayUrl, signer, clock }: StatementFacts): Promise<string> {
  const iat = epochSeconds(clock.nowMs());
  const claims: HeKeyStatement = {
    iss: id, aud: gatewayUrl, iat, exp: iat + lifetimeS, jti: randomBytes(16).toString('base64url'),
    key: key.id, parameters: key.set.id, digest: key.digest, created: key.created,
  };
  return signer.sign(statementType, claims);
}

export async function publicKeyAnswer(key: HeKey, facts: StatementFacts): Promise<PublicKeyAnswer> {
  return { statement: await signStatement(key, facts), public_key: Buffer.from(key.publicKey).toString('base64url') };
}
