import type { ConsentCeiling, FieldRef, Frequency, Grant, GrantId, GrantState, InstitutionId, IsoDate, PurposeCode, SubjectId, TimeMs } from '../vocabulary.ts';
import { stateAt, type Usability } from './refusals.ts';

/** A grant with what its parties see beyond its terms. */
export type StoredGrant = Grant & {
  /** Answers given so far. */
  readonly usesTotal: number;
  readonly lastUsedAtMs: TimeMs | null;
  /** When the state last changed. */
  readonly changedAtMs: TimeMs;
  /** SHA-256, hex, of what proves the consent. */
  readonly evidenceDigest: string;
};

/** One row of consent_grant as `grantColumns` reads it. */
export type GrantRow = {
  readonly id: GrantId;
  readonly subject: SubjectId;
  readonly institution: InstitutionId;
  readonly purpose: PurposeCode;
  readonly field_set: string;
  readonly data_from: IsoDate | null;
  readonly data_to: IsoDate | null;
  readonly valid_from_ms: TimeMs;
  readonly valid_until_ms: TimeMs;
  readonly kind: Grant['kind'];
  readonly uses_max: number | null;
  readonly frequency_max: number | null;
  readonly frequency_per: Frequency['per'] | null;
  readonly data_life_days: number;
  readonly notice_digest: string;
  readonly origin: Grant['origin'];
  readonly evidence_digest: string;
  readonly created_ms: TimeMs;
  readonly state: GrantState;
  readonly changed_ms: TimeMs;
  readonly uses_left: number | null;
  readonly uses_total: number;
  readonly last_used_ms: TimeMs | null;
  readonly window_ends_ms: TimeMs;
  readonly window_uses: number;
};

export const grantColumns = `g.id, g.subject, g.institution, g.purpose, g.field_set, g.data_from, g.data_to, g.valid_from_ms, g.valid_until_ms,
  g.kind, g.uses_max, g.frequency_max, g.frequency_per, g.data_life_days, g.notice_digest, g.origin, g.evidence_digest, g.created_ms,
  g.state, g.changed_ms, g.uses_left, g.uses_total, g.last_used_ms, g.window_ends_ms, g.window_uses`;

const idShape = /^[A-Za-z0-9_-]{22}$/;

/** False for what cannot be a grant's id, so that it never reaches a statement. */
export function isGrantId(text: unknown): text is GrantId {
  return typeof text === 'string' && idShape.test(text);
}

function frequencyOf(row: Pick<GrantRow, 'frequency_max' | 'frequency_per'>): Frequency | null {
  return row.frequency_max === null || row.frequency_per === null ? null : { max: row.frequency_max, per: row.frequency_per };
}

/** The part of a row that decides whether the grant can be used. */
export function usability(row: Pick<GrantRow, 'id' | 'state' | 'valid_from_ms' | 'valid_until_ms' | 'frequency_max' | 'frequency_per' | 'window_ends_ms' | 'window_uses'>): Usability {
  return {
    id: row.id,
    state: row.state,
    validFromMs: row.valid_from_ms,
    validUntilMs: row.valid_until_ms,
    frequency: frequencyOf(row),
    windowEndsMs: row.window_ends_ms,
    windowUses: row.window_uses,
  };
}

/** @param atMs the state shown is the one of this moment */
export function grantFromRow(row: GrantRow, fields: ReadonlyMap<FieldRef, ConsentCeiling>, atMs: TimeMs): StoredGrant {
  return {
    id: row.id,
    subject: row.subject,
    institution: row.institution,
    purpose: row.purpose,
    fields,
    dataFrom: row.data_from,
    dataTo: row.data_to,
    validFromMs: row.valid_from_ms,
    validUntilMs: row.valid_until_ms,
    kind: row.kind,
    usesMax: row.uses_max,
    frequency: frequencyOf(row),
    dataLifeDays: row.data_life_days,
    state: stateAt({ state: row.state, validUntilMs: row.valid_until_ms }, atMs),
    usesLeft: row.uses_left,
    noticeDigest: row.notice_digest,
    origin: row.origin,
    createdAtMs: row.created_ms,
    usesTotal: row.uses_total,
    lastUsedAtMs: row.last_used_ms,
    changedAtMs: row.changed_ms,
    evidenceDigest: row.evidence_digest,
  };
}
