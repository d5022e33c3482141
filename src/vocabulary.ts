/**
 * The words of Veilgate as types. Imports nothing; everything may import it.
 * The words themselves are explained in docs/architecture.md.
 */

declare const brand: unique symbol;
/** A value of type T that must not be confused with other values of type T. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Unified social credit code of an enterprise: GB 32100-2015, 18 characters, last one a check digit. */
export type SubjectId = Brand<string, 'SubjectId'>;
/** What stands for a subject where its code must not appear: lower-case hex, keyed by the platform. */
export type SubjectPseudonym = Brand<string, 'SubjectPseudonym'>;
/** OAuth client id of any party that calls the gateway. */
export type PartyId = Brand<string, 'PartyId'>;
/** Party id of a bank or joint-modelling partner. */
export type InstitutionId = PartyId & Brand<string, 'InstitutionId'>;
/** A grant's id: 22 base64url characters, 128 random bits. */
export type GrantId = Brand<string, 'GrantId'>;
export type DatasetId = Brand<string, 'DatasetId'>;
/** `dataset.field`, the only way a field is named outside its dataset's own file. */
export type FieldRef = Brand<string, 'FieldRef'>;
/** A purpose code of policies/purposes.yaml, such as `pre_loan_review`. */
export type PurposeCode = Brand<string, 'PurposeCode'>;
/** An institution class of policies/purposes.yaml, such as `commercial_bank`. */
export type InstitutionClass = Brand<string, 'InstitutionClass'>;
/** SHA-256 of the compiled policy pack, lower-case hex: names one exact policy. */
export type PolicyVersion = Brand<string, 'PolicyVersion'>;
/** Milliseconds since 1970-01-01T00:00:00Z. */
export type TimeMs = Brand<number, 'TimeMs'>;
/** `YYYY-MM-DD`, no time zone. */
export type IsoDate = Brand<string, 'IsoDate'>;

/* ---------- catalogue: what the departments hold ---------- */

/** Financial data security level (JR/T 0197-2020): 1 public … 5 most sensitive. */
export type ClassificationLevel = 1 | 2 | 3 | 4 | 5;
export type ClassificationKind = 'public' | 'commercial_secret' | 'personal';
export type Classification = { readonly level: ClassificationLevel; readonly kind: ClassificationKind };

/**
 * - `text`    string, at most `maxLength` characters
 * - `code`    string out of `codes`
 * - `integer` JSON number, safe integer, `min`..`max` (amounts of money are integers in cents, `unit: CNY cent`)
 * - `decimal` string with exactly `scale` digits after the point ("12.50"), `min`..`max`
 * - `date`    `YYYY-MM-DD`
 * - `boolean`
 */
export type FieldType = 'text' | 'code' | 'integer' | 'decimal' | 'date' | 'boolean';

/** One value of a record as JSON carries it; null means the department has none. */
export type Value = string | number | boolean | null;

export type Field = {
  readonly ref: FieldRef;
  readonly name: string;
  readonly title: { readonly en: string; readonly zh: string };
  readonly type: FieldType;
  readonly classification: Classification;
  /** Free text such as `CNY cent`, `kWh`, `ratio`; absent for unitless fields. */
  readonly unit?: string;
  readonly required: boolean;
  readonly maxLength?: number;
  /** A regular expression the whole text must match. */
  readonly pattern?: string;
  readonly min?: number;
  readonly max?: number;
  readonly scale?: number;
  readonly codes?: Readonly<Record<string, string>>;
  /** Named check beyond type and range; `uscc` and `identity_number` verify their check digits. */
  readonly check?: 'uscc' | 'identity_number';
};

/**
 * How many rows a subject has in a dataset: `one`; one `per_period` (the field named by `periodField`
 * is a date and part of the key); or `many` (the field named by `recordField` tells them apart).
 */
export type Cardinality =
  | { readonly kind: 'one' }
  | { readonly kind: 'per_period'; readonly periodField: string }
  | { readonly kind: 'many'; readonly recordField: string; readonly periodField?: string };

export type Dataset = {
  readonly id: DatasetId;
  readonly title: { readonly en: string; readonly zh: string };
  /** Party id of the department that supplies it. */
  readonly department: string;
  readonly cardinality: Cardinality;
  /** A record older than this is reported as not timely. */
  readonly freshnessDays: number;
  /** Without `subject`, the key column every dataset has. In catalogue order. */
  readonly fields: readonly Field[];
};

export type Catalogue = {
  readonly datasets: ReadonlyMap<DatasetId, Dataset>;
  readonly fields: ReadonlyMap<FieldRef, Field>;
};

/* ---------- policy: what may happen to a field ---------- */

/** What a caller wants to do with a field. A field may be open to several uses at once. */
export type Use = 'read' | 'verify' | 'score' | 'aggregate';

/** What a policy lets happen. `clear|mask|band|token` answer `read`; the next three are uses of their own. */
export type Disposition = 'clear' | 'mask' | 'band' | 'token' | 'verify' | 'score' | 'aggregate' | 'withhold';

/** How far the enterprise's consent goes for one field. `none`: no valid grant names it. */
export type ConsentState = 'none' | 'desensitised' | 'original';

/** How a value is made less telling. Each method is one function of disclosure/; parameters are public. */
export type Treatment =
  | { readonly method: 'suppress' }
  | { readonly method: 'fixed'; readonly text: string }
  | { readonly method: 'keep_ends'; readonly first: number; readonly last: number }
  | { readonly method: 'mask_range'; readonly from: number; readonly to: number }
  | { readonly method: 'class_preserving' }
  | { readonly method: 'email' }
  | { readonly method: 'phone' }
  | { readonly method: 'identity_number' }
  | { readonly method: 'chinese_name' }
  | { readonly method: 'address'; readonly level: 'province' | 'city' | 'district' }
  | { readonly method: 'bank_account' }
  | { readonly method: 'token' }
  | { readonly method: 'format_preserving_token'; readonly alphabet: 'digits' | 'alphanumeric' }
  | { readonly method: 'band'; readonly edges: readonly number[] }
  | { readonly method: 'generalise'; readonly groups: Readonly<Record<string, string>>; readonly otherwise: string }
  | { readonly method: 'round'; readonly to: number }
  | { readonly method: 'year' }
  | { readonly method: 'clamp'; readonly bottom: number; readonly top: number };

/** What a verification may answer. Tolerances and band edges are the policy's, never the caller's. */
export type Comparison =
  | { readonly method: 'equal' }
  | { readonly method: 'within_percent'; readonly percent: number }
  | { readonly method: 'within_absolute'; readonly amount: number }
  | { readonly method: 'same_band'; readonly edges: readonly number[] };

/** Why a field was decided as it was. Stable codes; safe to show to the caller. */
export type DecisionReason =
  | 'permitted'
  /** Unknown, or open to nobody of this class for any purpose: the two are told apart by nobody. */
  | 'not_available'
  | 'not_minimum_for_purpose'
  | 'no_valid_grant'
  | 'not_consented'
  | 'denied_by_rule'
  | 'no_rule'
  | 'condition_not_met'
  | 'condition_not_evaluable';

export type FieldDecision = {
  readonly field: FieldRef;
  readonly use: Use;
  readonly disposition: Disposition;
  readonly reason: DecisionReason;
  /** Id of the rule that decided, null where the default did. */
  readonly rule: string | null;
  /** Where that rule stands: file, then keys; safe to show. */
  readonly path: readonly string[];
  /** Present for `mask`, `band`, `token`. */
  readonly treatment?: Treatment;
  /** Present for `verify`. */
  readonly comparison?: Comparison;
};

export type Decision = {
  readonly policy: PolicyVersion;
  readonly purpose: PurposeCode;
  readonly institutionClass: InstitutionClass;
  readonly fields: readonly FieldDecision[];
};

/* ---------- disclosure: what leaves ---------- */

const inspectSymbol = Symbol.for('nodejs.util.inspect.custom');

/**
 * One record as the department stores it. Whoever prints, logs or serialises it gets `[raw row]`:
 * the values come out only through `read`, which disclosure/ calls and nothing else does.
 */
export class RawRow {
  readonly #values: ReadonlyMap<FieldRef, Value>;
  constructor(values: ReadonlyMap<FieldRef, Value>) {
    this.#values = values;
  }
  /** The value of a fetched field; undefined when the field was not fetched. */
  read(field: FieldRef): Value | undefined {
    return this.#values.get(field);
  }
  toJSON(): string {
    return '[raw row]';
  }
  toString(): string {
    return '[raw row]';
  }
  [inspectSymbol](): string {
    return '[raw row]';
  }
}

export type VerificationOutcome = 'match' | 'within_tolerance' | 'same_band' | 'mismatch' | 'no_value';

/** What leaves of one field in one row. `sealed` values are inside the answer's JWE under the same position. */
export type Disclosure =
  | { readonly kind: 'sealed' }
  | { readonly kind: 'masked'; readonly value: Value }
  | { readonly kind: 'banded'; readonly from: number | null; readonly to: number | null }
  | { readonly kind: 'token'; readonly value: string }
  | { readonly kind: 'absent' };

/** One row after desensitisation: only this type and SealedAnswer reach the response writer. */
export type DisclosedRow = Readonly<Record<string, Disclosure>>;

/* ---------- who calls ---------- */

export type PartyKind = 'institution' | 'department' | 'officer' | 'enterprise';

/** What a token may be used for. One scope per door; the registry says which a party may ask for. */
export type Scope =
  | 'query' // institutions: query, explain, read own grants
  | 'grants' // enterprises: own grants and access history
  | 'records' // departments: load records, read quality reports
  | 'registry' // officers: institutions, enterprises, departments
  | 'compliance' // officers: policy, suspension
  | 'audit'; // officers: log entries with their records

/** Who stands behind a request, after every check of identity/ has passed. */
export type Caller = {
  readonly party: PartyId;
  readonly kind: PartyKind;
  readonly scopes: ReadonlySet<Scope>;
  /** RFC 7638 thumbprint the access token is bound to; absent with a browser session. */
  readonly dpopKeyThumbprint?: string;
  /** Present when a person's browser session proved who calls, and no key of the party did. */
  readonly session?: true;
  /** The grant the access token was issued for, when it came from an authorization code. */
  readonly grant?: GrantId;
  /** Present for institutions. */
  readonly institutionClass?: InstitutionClass;
  /** Highest passed security assessment, 1–5; present for institutions. */
  readonly securityLevel?: number;
  /** Present for enterprises: the one subject they may speak for. */
  readonly subject?: SubjectId;
};

/* ---------- consent ---------- */

export type GrantState = 'active' | 'paused' | 'revoked' | 'exhausted' | 'expired';
export type ConsentCeiling = 'original' | 'desensitised';
export type Frequency = { readonly max: number; readonly per: 'day' | 'week' | 'month' };

/** What a bank asks an enterprise to consent to, as JSON carries it (RFC 9396); what is absent is left to policy. */
export type AskedTerms = {
  readonly subject: string;
  readonly purpose: string;
  readonly fields: readonly FieldCeiling[];
  readonly data_from?: string;
  readonly data_to?: string;
  readonly valid_days: number;
  readonly uses_max?: number;
  readonly frequency?: Frequency;
  readonly data_life_days: number;
  readonly kind: 'one_time' | 'periodic';
};

/** Field and ceiling as JSON carries them: a list, so that order and duplicates are visible. */
export type FieldCeiling = { readonly field: string; readonly ceiling: ConsentCeiling };

/** What an enterprise is asked to consent to, or has narrowed it to. */
export type GrantTerms = {
  readonly subject: SubjectId;
  readonly institution: InstitutionId;
  readonly purpose: PurposeCode;
  readonly fields: ReadonlyMap<FieldRef, ConsentCeiling>;
  /** Period the data may be about, inclusive; null: no bound on that side. */
  readonly dataFrom: IsoDate | null;
  readonly dataTo: IsoDate | null;
  readonly validFromMs: TimeMs;
  readonly validUntilMs: TimeMs;
  readonly kind: 'one_time' | 'periodic';
  /** Answers this grant allows altogether; null: no limit but frequency. */
  readonly usesMax: number | null;
  readonly frequency: Frequency | null;
  /** Days after disclosure until the institution must delete what it got. */
  readonly dataLifeDays: number;
};

export type Grant = GrantTerms & {
  readonly id: GrantId;
  readonly state: GrantState;
  readonly usesLeft: number | null;
  /** SHA-256, lower-case hex, of the notice text the representative saw or signed. */
  readonly noticeDigest: string;
  readonly origin: 'browser' | 'signed';
  readonly createdAtMs: TimeMs;
};

/** What policy allows a grant for one purpose to contain at most. */
export type PurposeCaps = {
  readonly validityDaysMax: number;
  readonly usesMax: number;
  readonly frequencyMax: Frequency;
  readonly dataLifeDaysMax: number;
  /** How far back the data may reach. */
  readonly dataPeriodYearsMax: number;
  readonly kinds: readonly ('one_time' | 'periodic')[];
  /** The minimum for the purpose: a grant naming other fields is refused. */
  readonly fields: ReadonlySet<FieldRef>;
};

/* ---------- keys ---------- */

/** A public key as RFC 7517 writes it; never with private members. */
export type PublicJwk = Readonly<Record<string, unknown>> & { readonly kty: string; readonly kid: string };

/** Signs a compact JWS with the platform's own key. */
export type Signer = {
  readonly kid: string;
  /** @returns compact JWS, alg EdDSA/Ed25519, with the given `typ` and payload */
  readonly sign: (typ: string, payload: Readonly<Record<string, unknown>>) => Promise<string>;
};
