import { VeilgateError } from '../../errors.ts';
import type { Clock } from '../../clock.ts';
import type { Tx } from '../../store/database.ts';
import type { InstitutionId, PartyId, TimeMs } from '../../vocabulary.ts';
import { verifyCompact } from '../strict-jws.ts';
import { importVerificationKey } from '../verification-key.ts';
import { vetPublicKey, type KeyUse } from '../vetting.ts';
import { conflict } from './institution.ts';
import type { RegistryEvent } from './events.ts';
import { activeKeys, activeSignatureKey, insertKey, markRetired } from './party-key.ts';
import { invalid, lockParty, requireOfficer, type Party } from './party.ts';

/** What a party signs with a key it has, to add one. */
export const keyAdditionType = 'key+jwt';
/** What the new key signs, to prove that the party has its private half; not needed of encryption keys. */
export const keyProofType = 'key-proof+jwt';
const lifetimeMaxS = 300;

/**
 * Adds a key to a party. Only the party itself can: the request is signed with a signature key it has in use, and
 * carries for a new signature key a proof made with it. No officer can: who can add a key can act as the party.
 * Errors: TOKEN_ codes, KEY_REFUSED, KEY_DUPLICATE, INSTITUTION_STATE_CONFLICT, REQUEST_INVALID.
 */
export async function addKey(
  tx: Tx,
  request: { readonly party: PartyId; readonly jws: string; readonly audience: string },
  clock: Clock,
): Promise<RegistryEvent & { readonly thumbprint: string }> {
  const { party: id, audience } = request;
  const nowMs = clock.nowMs();
  const { claims } = await verifyCompact({
    jws: request.jws, typ: keyAdditionType, issuer: id, audience, maxLifetimeS: lifetimeMaxS, requiredClaims: ['key'], nowMs,
    keys: async (kid) => {
      const jwk = await activeSignatureKey(tx, id, kid);
      return jwk === undefined ? undefined : importVerificationKey(jwk);
    },
  });
  const use = (claims['key'] as { readonly use?: unknown } | null)?.use;
  if (use !== 'sig' && use !== 'enc') throw new VeilgateError('KEY_REFUSED', 'Say what the key is for: use "sig" or "enc".', { reason: 'use' });
  const jwk = vetPublicKey(claims['key'], use);
  if (use === 'sig') await checkProof(claims['proof'], jwk, { party: id, audience, nowMs });
  const party = await lockParty(tx, id);
  if (party === undefined || party.status === 'revoked') throw conflict('revoked');
  const thumbprint = await insertKey(tx, id, jwk, use, nowMs);
  return keyEvent('added', party, id, thumbprint, use);
}

async function checkProof(proof: unknown, jwk: unknown, rules: { readonly party: PartyId; readonly audience: string; readonly nowMs: TimeMs }): Promise<void> {
  if (typeof proof !== 'string') throw new VeilgateError('TOKEN_CLAIM_MISSING', `A new signature key proves itself: put a ${keyProofType} signed with it into the claim proof.`, { claim: 'proof' });
  const key = importVerificationKey(jwk);
  await verifyCompact({
    jws: proof, typ: keyProofType, issuer: rules.party, audience: rules.audience, maxLifetimeS: lifetimeMaxS, nowMs: rules.nowMs,
    keys: (kid) => (kid === key.kid ? key : undefined),
  });
}

/**
 * Retires a key at once, on every node, for ever. A party retires its own while another one can sign; a registrar or
 * compliance officer retires any, also the last, for instance when it was stolen.
 * Errors: PARTY_NOT_PERMITTED, INSTITUTION_NOT_FOUND (no such party), REQUEST_NOT_FOUND (no such key in use), INSTITUTION_STATE_CONFLICT.
 */
export async function retireKey(
  tx: Tx,
  request: { readonly party: PartyId; readonly thumbprint: string; readonly by: PartyId },
  clock: Clock,
): Promise<RegistryEvent & { readonly thumbprint: string }> {
  const { party: id, thumbprint, by } = request;
  if (!/^[A-Za-z0-9_-]{43}$/.test(thumbprint)) throw invalid('/thumbprint', 'A thumbprint is 43 characters of base64url (RFC 7638).');
  if (by !== id) await requireOfficer(tx, by, ['registrar', 'compliance']);
  const party = await lockParty(tx, id);
  if (party === undefined) throw new VeilgateError('INSTITUTION_NOT_FOUND', 'There is no such party: check the id.');
  const use = await markRetired(tx, id, thumbprint, clock.nowMs());
  if (use === undefined) throw new VeilgateError('REQUEST_NOT_FOUND', 'The party has no such key in use.');
  if (by === id && (await activeKeys(tx, id, 'sig')).length === 0) throw conflict(party.status);
  return keyEvent('retired', party, by, thumbprint, use);
}

function keyEvent(verb: 'added' | 'retired', party: Party, actor: PartyId, thumbprint: string, use: KeyUse): RegistryEvent & { readonly thumbprint: string } {
  return party.kind === 'institution'
    ? { kind: `institution.key_${verb}`, actor, institution: party.id as InstitutionId, thumbprint, use }
    : { kind: `party.key_${verb}`, actor, party: party.id, partyKind: party.kind, thumbprint, use };
}
