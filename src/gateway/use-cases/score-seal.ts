import { hash, randomBytes } from 'node:crypto';
import { canonicalJson } from '../../canonical.ts';
import { sealFor } from '../../disclosure/seal.ts';
import type { GatewayHalf, ModelRef } from '../../scoring/protocol.ts';
import { packWords } from '../../scoring/words.ts';
import type { FieldRef, GrantId, InstitutionId, PublicJwk, SubjectId, TimeMs } from '../../vocabulary.ts';

export type GatewayHalfFacts = {
  readonly ticket: string;
  readonly model: ModelRef;
  /** The plain modulus t. */
  readonly modulus: number;
  /** Slots that are released: place in the ticket's list, slot in the block, and whose it is. */
  readonly released: readonly { readonly place: number; readonly slot: number; readonly subject: SubjectId }[];
  /** One for each ciphertext: the masks of the whole block. Of slots that are not released nothing goes on. */
  readonly masks: readonly Uint32Array[];
  /** Fields behind the model that an enterprise disputes; absent where its answer says so itself. */
  readonly disputed?: ReadonlyMap<SubjectId, readonly FieldRef[]>;
};

/** The gateway's half as it is sealed: the masks of the released slots alone. */
export function gatewayHalf({ ticket, model, modulus, released, masks, disputed }: GatewayHalfFacts): GatewayHalf {
  const marked = released.flatMap(({ subject }, at) => {
    const fields = disputed?.get(subject);
    return fields === undefined ? [] : [{ at, fields }];
  });
  return {
    v: 2, ticket, model, modulus,
    places: packWords(released.map(({ place }) => place), modulus),
    subjects: released.map(({ subject }) => subject).join(''),
    masks: masks.map((mask) => packWords(released.map(({ slot }) => mask[slot] as number), modulus)),
    ...(marked.length === 0 ? {} : { disputed: marked }),
  };
}

/**
 * Seals a half for the institution; its id is the digest of the request, so that it opens for no other.
 * Errors: DISCLOSURE_KEY_MISSING, DISCLOSURE_UNSEALABLE.
 */
export function sealGatewayHalf(half: GatewayHalf, context: { readonly key: PublicJwk | undefined; readonly issuer: string; readonly institution: InstitutionId; readonly requestDigest: string; readonly nowMs: TimeMs }): Promise<string> {
  return sealFor(context.key, half, { issuer: context.issuer, audience: context.institution, jti: context.requestDigest, issuedAtMs: context.nowMs });
}

/** What a ticket says of grants: their digest under a salt that only the gateway's log has. */
export function grantsDigest(grants: readonly GrantId[], salt = randomBytes(16).toString('base64url')): { readonly digest: string; readonly salt: string } {
  return { digest: hash('sha256', canonicalJson({ grants, salt }), 'hex'), salt };
}
