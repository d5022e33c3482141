/**
 * The one error class of Veilgate and the closed list of its codes (stage + fault).
 * Neither message nor detail ever holds a field value, a secret or a token. Imports nothing.
 * gateway/problem.ts gives each code its HTTP status and title and does not compile when one is missing.
 */
export const errorCodes = [
  // store
  'STORE_UNAVAILABLE', 'STORE_SCHEMA_MISMATCH',
  // configuration
  'CONFIG_INVALID', 'CONFIG_INSECURE',
  // requests in general
  'REQUEST_MALFORMED', 'REQUEST_TOO_LARGE', 'REQUEST_INVALID', 'REQUEST_NOT_FOUND', 'REQUEST_METHOD_NOT_ALLOWED',
  'REQUEST_MEDIA_TYPE', 'REQUEST_RATE_LIMITED', 'REQUEST_QUOTA_EXCEEDED', 'REQUEST_OVERLOADED', 'REQUEST_TIMEOUT',
  'IDEMPOTENCY_KEY_MISSING', 'IDEMPOTENCY_KEY_REUSED', 'IDEMPOTENCY_IN_PROGRESS',
  'JSON_MALFORMED', 'JSON_DUPLICATE_KEY', 'JSON_TOO_DEEP', 'JSON_FORBIDDEN_KEY',
  // identity
  'TOKEN_MISSING', 'TOKEN_MALFORMED', 'TOKEN_SIGNATURE_INVALID', 'TOKEN_WRONG_TYPE', 'TOKEN_ALGORITHM_FORBIDDEN',
  'TOKEN_KEY_UNKNOWN', 'TOKEN_CLAIM_MISSING', 'TOKEN_CLAIM_INVALID', 'TOKEN_EXPIRED', 'TOKEN_NOT_YET_VALID',
  'TOKEN_LIFETIME_TOO_LONG', 'TOKEN_ISSUER_UNTRUSTED', 'TOKEN_ISSUER_UNAVAILABLE', 'TOKEN_AUDIENCE_MISMATCH', 'TOKEN_REPLAYED',
  'TOKEN_REVOKED', 'TOKEN_SCOPE_INSUFFICIENT',
  'DPOP_MISSING', 'DPOP_INVALID', 'DPOP_BINDING_MISMATCH', 'DPOP_NONCE_REQUIRED',
  'KEY_REFUSED', 'KEY_DUPLICATE',
  'INSTITUTION_NOT_FOUND', 'INSTITUTION_EXISTS', 'INSTITUTION_STATE_CONFLICT', 'INSTITUTION_NOT_ACTIVE',
  'INSTITUTION_SAME_PERSON', 'INSTITUTION_ASSESSMENT_MISSING',
  'PARTY_NOT_PERMITTED', 'PARTY_EXISTS',
  'ENTERPRISE_EXISTS', 'ENTERPRISE_ACTIVATION_INVALID', 'ENTERPRISE_SIGN_IN_FAILED', 'ENTERPRISE_LOCKED',
  // consent
  'CONSENT_REQUIRED', 'CONSENT_EXPIRED', 'CONSENT_EXHAUSTED', 'CONSENT_FREQUENCY_EXCEEDED',
  'CONSENT_PAUSED', 'CONSENT_REVOKED', 'CONSENT_STATE_CONFLICT', 'CONSENT_NOT_FOUND',
  'CONSENT_EXCEEDS_CAP', 'CONSENT_INVALID', 'CONSENT_NOT_YET_VALID',
  // policy
  'POLICY_BROKEN', 'POLICY_PURPOSE_UNKNOWN',
  // query
  'QUERY_INVALID', 'QUERY_NOTHING_PERMITTED', 'QUERY_FILTER_NOT_PERMITTED', 'QUERY_ATTEMPTS_EXHAUSTED',
  // source
  'SOURCE_DATASET_UNKNOWN', 'SOURCE_FILE_MALFORMED', 'SOURCE_ROWS_REJECTED', 'SOURCE_NOT_OWNER',
  // disclosure
  'DISCLOSURE_KEY_MISSING', 'DISCLOSURE_UNSEALABLE', 'DISCLOSURE_UNREADABLE',
  // audit
  'AUDIT_UNAVAILABLE', 'AUDIT_RANGE_INVALID', 'AUDIT_PROOF_INVALID', 'AUDIT_ENTRY_NOT_FOUND',
  'AUDIT_CHECKPOINT_INVALID', 'AUDIT_RECEIPT_INVALID', 'AUDIT_LOG_INCONSISTENT',
  'AUDIT_REQUEST_NOT_FOUND', 'AUDIT_REQUEST_UNREADABLE', 'AUDIT_REQUEST_INVALID',
  // custodian
  'CUSTODIAN_UNAVAILABLE', 'CUSTODIAN_REFUSED',
  // features of sealed scoring
  'MODEL_INVALID', 'MODEL_REFUSED', 'MODEL_NOT_FOUND', 'MODEL_EXISTS', 'MODEL_STATE_CONFLICT', 'MODEL_CHANGED', 'MODEL_SAME_PERSON', 'MODEL_FILE_REFUSED',
  'FEATURE_VALUE_REFUSED', 'FEATURE_UNKNOWN', 'FEATURE_DECLARATION_CHANGED', 'FEATURE_KEY_UNKNOWN', 'FEATURE_BLOCK_INVALID',
  'FEATURE_BLOCK_STALE', 'FEATURE_BLOCK_MISSING', 'FEATURE_SLOTS_UNASSIGNED',
  // clients
  'GATEWAY_UNAVAILABLE',
  // scores
  'SCORE_INVALID', 'SCORE_MODEL_NOT_USABLE', 'SCORE_NOT_PERMITTED', 'SCORE_DATA_MISSING', 'SCORE_LIMIT_REACHED', 'SCORE_UNAVAILABLE', 'SCORE_UNREADABLE',
  // jobs that score many
  'SCORE_JOB_NOT_FOUND', 'SCORE_JOB_STATE_CONFLICT', 'SCORE_JOB_EXPIRED', 'SCORE_JOBS_TOO_MANY', 'SCORE_LIST_INVALID', 'SCORE_LIST_MISMATCH', 'SCORE_SUBJECT_REPEATED', 'SCORE_PART_NOT_THERE',
  // homomorphic encryption
  'HE_CIPHERTEXT_REFUSED', 'HE_KEY_REFUSED', 'HE_EVALUATION_FAILED',
  'COHORT_POINT_REFUSED',
  'JOINT_LOTTERY_INVALID', 'JOINT_INPUT_INVALID', 'JOINT_BOUND_EXCEEDED', 'JOINT_BUDGET_EXHAUSTED',
  // anything nobody foresaw
  'INTERNAL',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** Structured, value-free facts for the caller, such as `{ pointer: '/purpose' }` or `{ row: 17 }`. */
export type ErrorDetail = Readonly<Record<string, string | number | boolean | readonly string[] | readonly object[]>>;

export class VeilgateError extends Error {
  readonly code: ErrorCode;
  readonly detail: ErrorDetail | undefined;

  /**
   * @param code stable code the caller can switch on
   * @param message one sentence, safe to show, that says what to do next
   * @param detail structured facts, safe to show
   */
  constructor(code: ErrorCode, message: string, detail?: ErrorDetail) {
    super(message);
    this.name = 'VeilgateError';
    this.code = code;
    this.detail = detail;
  }
}

/** True for a VeilgateError, of the given code when one is given. */
export function isVeilgateError(thrown: unknown, code?: ErrorCode): thrown is VeilgateError {
  return thrown instanceof VeilgateError && (code === undefined || thrown.code === code);
}
