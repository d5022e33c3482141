/**
 * The words of sealed scoring (protocol A) as types: what domains, gateway, custodian and bank say to each other.
 * Explained in docs/formats/sealed-scoring.md. Imports vocabulary only; everything of sealed scoring may import it.
 */
import type { Brand, FieldRef, GrantId, InstitutionClass, InstitutionId, PartyId, PurposeCode, SubjectId } from '../vocabulary.ts';

/* ---------- features: what a domain encrypts ---------- */

/** `dataset/name`: one encrypted column. The slash keeps it apart from a field's `dataset.field`. */
export type FeatureId = Brand<string, 'FeatureId'>;

/** How a value becomes an integer. What does not fit is refused, never clipped. */
export type FeatureEncoding =
  /** round(value × scale), value within min..max; the integer is within round(min × scale)..round(max × scale). */
  | { readonly kind: 'fixed_point'; readonly min: number; readonly max: number; readonly scale: number }
  /** 1 when at_least ≤ value < below (an open side is absent), else 0. */
  | { readonly kind: 'indicator'; readonly atLeast?: number; readonly below?: number }
  /** 1 when the value is one of the codes, else 0; what is not among `known` is refused. Of a boolean field the codes are `true` and `false`. */
  | { readonly kind: 'code_indicator'; readonly codes: readonly string[]; readonly known: readonly string[] };

export type Feature = {
  readonly id: FeatureId;
  /** The catalogue field it is made from: the policy's decision on this field with use `score` decides on the feature. */
  readonly source: FieldRef;
  readonly title: { readonly en: string; readonly zh: string };
  readonly encoding: FeatureEncoding;
  /** What an enterprise without a value is encoded as; `absent`: it has no slot in this column and is not scored with it. */
  readonly missing: number | 'absent';
  /** The encoded integers' bounds, inclusive, with `missing` counted in. */
  readonly low: number;
  readonly high: number;
  /**
   * SHA-256 (lower-case hex) of the canonical JSON of {id, source, encoding, missing}: what an integer of this column
   * means. A column that was encrypted under another declaration is never used.
   */
  readonly declaration: string;
};

/** Where an enterprise stands in every column of the platform: the same slot of the same block in each. */
export type Position = { readonly block: number; readonly slot: number };

/** Claims of a column block's envelope: compact JWS, `typ: feature-block+jwt`, signed by the department. */
export type FeatureBlockClaims = {
  readonly iss: PartyId;
  /** The gateway's public URL. */
  readonly aud: string;
  /** Seconds since 1970. */
  readonly iat: number;
  /** At most a day later: until then the block may be handed in. */
  readonly exp: number;
  /** The digest once more. */
  readonly jti: string;
  readonly feature: FeatureId;
  /** The feature's declaration it was encoded by. */
  readonly declaration: string;
  /** Id of the custodian's key it is encrypted under. */
  readonly key: string;
  /** Parameter set, such as `veilgate-score-1`. */
  readonly parameters: string;
  readonly block: number;
  /** Grows with every refresh of this block; a lower one is refused. */
  readonly revision: number;
  /** base64url of slots/8 bytes: bit i (least significant first) says that slot i holds an enterprise. */
  readonly filled: string;
  /** SHA-256 of the ciphertext bytes, lower-case hex. */
  readonly digest: string;
};

/* ---------- models ---------- */

/** `name@version`. */
export type ModelRef = Brand<string, 'ModelRef'>;

/**
 * raw = offset + Σ weight × feature, an integer; score = raw / scale. Bands and reasons are worked out by whoever
 * opened the score. A reason group is a second output over some of the features, opened by the bank to say which
 * part of the model cost most; each is held to the same rules as the score itself.
 */
export type Model = {
  readonly ref: ModelRef;
  readonly title: { readonly en: string; readonly zh: string };
  readonly purposes: readonly PurposeCode[];
  readonly institutionClasses: readonly InstitutionClass[];
  /** Institutions that may use it; absent: all of the classes. */
  readonly institutions?: readonly InstitutionId[];
  readonly terms: readonly { readonly feature: FeatureId; readonly weight: number }[];
  readonly offset: number;
  readonly scale: number;
  /** Ascending by `from` (a score, not a raw); the first has from null. */
  readonly bands: readonly { readonly from: number | null; readonly code: string; readonly text: { readonly en: string; readonly zh: string } }[];
  readonly reasons: readonly { readonly code: string; readonly text: { readonly en: string; readonly zh: string }; readonly features: readonly FeatureId[] }[];
};

export type ModelState = 'proposed' | 'approved' | 'refused' | 'retired';

/* ---------- asking ---------- */

/**
 * What a bank signs (`typ: score+jwt`). It goes on to the custodian, so it names no enterprise: `subjects` is
 * SHA-256 (lower-case hex) of the canonical JSON of {salt, subjects}, which the gateway alone receives beside it. Of a
 * job (`many`) it is the end of a hash chain over the list's canonical lines in chunks: d0 = SHA-256(domain ‖ salt),
 * dk = SHA-256(d(k−1) ‖ SHA-256(chunk k)); job/list-digest.ts.
 */
export type ScoreRequestClaims = {
  readonly iss: InstitutionId;
  /** The gateway's public URL. */
  readonly aud: string;
  readonly iat: number;
  /** At most 60 s later for one enterprise, 7 days for a job. */
  readonly exp: number;
  readonly jti: string;
  readonly score: {
    readonly kind: 'one' | 'many';
    readonly model: ModelRef;
    readonly purpose: PurposeCode;
    /** RFC 7638 thumbprint of the encryption key both halves are sealed to. */
    readonly recipient: string;
    readonly subjects: string;
    /** How many enterprises are asked for. */
    readonly count: number;
  };
};

/** The part of a request the custodian never sees. `salt`: 32 random bytes, base64url. */
export type ScoreSubjects = { readonly salt: string; readonly subjects: readonly { readonly subject: SubjectId; readonly grant?: GrantId }[] };

/* ---------- gateway → custodian → bank ---------- */

/** Claims of a ticket (`typ: score-ticket+jwt`), signed by the gateway: opens one masked block once. */
export type ScoreTicketClaims = {
  readonly iss: string;
  /** The custodian's id. */
  readonly aud: string;
  readonly iat: number;
  /** At most 60 s later. */
  readonly exp: number;
  /** 16 random bytes, base64url. */
  readonly jti: string;
  /** Job id; for one enterprise the request's own id. */
  readonly job: string;
  readonly key: string;
  readonly parameters: string;
  /** SHA-256 of each ciphertext, lower-case hex: the score first, then the reason groups. */
  readonly ciphertexts: readonly string[];
  /** Slots to answer: base64url of slots/8 bytes as in `filled` of a feature block. Never says which block. */
  readonly slots: string;
  /** SHA-256 of the canonical JSON of the grants' ids in slot order with a salt: for auditors of both logs. */
  readonly grants: string;
  /** The bank's signed request, as it came. */
  readonly request: string;
};

/** What the gateway's line says of a ticket; whoever sends it adds issuer, audience, times, id and digests. */
export type TicketFacts = Pick<ScoreTicketClaims, 'job' | 'key' | 'parameters' | 'grants' | 'request'> & { /** Ascending. */ readonly slots: readonly number[] };

/** Plaintext of the custodian's JWE to the bank: masked raw scores, mod t. */
export type CustodianHalf = {
  readonly v: 2;
  readonly ticket: string;
  /** One per ciphertext: the value of each slot of the ticket, packed in as many bits as t needs, base64url (words.ts). */
  readonly masked: readonly string[];
};

/** Plaintext of the gateway's JWE to the bank: what to subtract, mod t, from which slot, and whose it is. */
export type GatewayHalf = {
  readonly v: 2;
  readonly ticket: string;
  readonly model: ModelRef;
  /** The plain modulus t. */
  readonly modulus: number;
  /** The ticket's slots that are released, as places in `masked`; others were withdrawn meanwhile. Packed like the values. */
  readonly places: string;
  /** Whose they are: their codes of 18 characters, one after another. */
  readonly subjects: string;
  /** One per ciphertext: the mask of each of `places`, packed like the values. */
  readonly masks: readonly string[];
  /** In parts of jobs: enterprises that object to fields behind the model, by their number in `subjects`, ascending. Absent when there is none. */
  readonly disputed?: readonly DisputedFields[];
};

/** Fields behind a score whose objection waits for its department. `at`: which of the half's enterprises, from 0. */
export type DisputedFields = { readonly at: number; readonly fields: readonly FieldRef[] };

/** What a bank opens: two JWEs that are nothing without each other. */
export type SealedScores = { readonly custodian: string; readonly gateway: string };

/** What the bank has in its hands after opening. */
export type OpenedScore = {
  readonly subject: SubjectId;
  readonly raw: number;
  readonly score: number;
  readonly band: string;
  /** Reason codes, the costliest first. */
  readonly reasons: readonly string[];
  /** Fields behind the score to which the enterprise objects, and whose department has not answered yet; absent when there is none. */
  readonly disputed?: readonly FieldRef[];
};

/* ---------- rotating the homomorphic key ---------- */

/** Claims of a ticket (`typ: reencryption-ticket+jwt`), signed by the gateway: encrypts one masked block anew under a later key. */
export type ReencryptionTicketClaims = Pick<ScoreTicketClaims, 'iss' | 'aud' | 'iat' | 'exp' | 'jti' | 'job' | 'key' | 'parameters'> & {
  /** The key to encrypt under: made after `key`. */
  readonly toKey: string;
  /** SHA-256 of the one ciphertext, lower-case hex. */
  readonly ciphertexts: readonly [string];
};

/** Claims of what a custodian says of one of its public keys (`typ: he-key+jwt`), signed with its statement key. */
export type HeKeyStatement = {
  /** The custodian's id. */
  readonly iss: string;
  /** The gateway's public URL. */
  readonly aud: string;
  readonly iat: number;
  /** An hour later: an old statement must not bring a retired key back. */
  readonly exp: number;
  readonly jti: string;
  readonly key: string;
  readonly parameters: string;
  /** SHA-256 of the public key's bytes, lower-case hex. */
  readonly digest: string;
  /** When the key was made; RFC 3339, UTC. */
  readonly created: string;
};
