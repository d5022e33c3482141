import { VeilgateError, type ErrorCode } from '../errors.ts';

/** How a code looks on the wire. Titles are for people and never change with the occurrence (RFC 9457 section 3.1.3). */
type Wire = {
  readonly status: number;
  readonly title: string;
  /** Says this instead of the error's own sentence, and nothing of its facts: absent and foreign things answer alike. */
  readonly always?: string;
  /** Code that callers see instead: the difference is for the platform's own log. */
  readonly shownAs?: ErrorCode;
  /** Seconds after which a repetition makes sense, unless the error knows better. */
  readonly retryAfterS?: number;
  /** Error code of the WWW-Authenticate challenge: RFC 6750 section 3.1, RFC 9449 sections 7.1 and 9. */
  readonly challenge?: 'invalid_token' | 'invalid_dpop_proof' | 'use_dpop_nonce' | 'insufficient_scope' | 'none';
};

const absent = 'There is no such thing, or it is not yours to see.';
const token = { status: 401, challenge: 'invalid_token' } as const;

const wire = {
  STORE_UNAVAILABLE: { status: 503, title: 'Database unavailable', retryAfterS: 5 },
  STORE_SCHEMA_MISMATCH: { status: 503, title: 'Database of another version', retryAfterS: 60 },
  CONFIG_INVALID: { status: 500, title: 'Configuration invalid', always: 'The gateway is not set up correctly: ask the platform.' },
  CONFIG_INSECURE: { status: 500, title: 'Configuration insecure', always: 'The gateway is not set up correctly: ask the platform.' },

  REQUEST_MALFORMED: { status: 400, title: 'Request malformed' },
  REQUEST_TOO_LARGE: { status: 413, title: 'Request too large' },
  REQUEST_INVALID: { status: 400, title: 'Request not of the required form' },
  REQUEST_NOT_FOUND: { status: 404, title: 'Not found', always: absent },
  REQUEST_METHOD_NOT_ALLOWED: { status: 405, title: 'Method not allowed' },
  REQUEST_MEDIA_TYPE: { status: 415, title: 'Media type not accepted' },
  REQUEST_RATE_LIMITED: { status: 429, title: 'Too many requests', retryAfterS: 1 },
  REQUEST_QUOTA_EXCEEDED: { status: 429, title: 'Quota used up', retryAfterS: 3600 },
  REQUEST_OVERLOADED: { status: 503, title: 'Gateway busy', retryAfterS: 1 },
  REQUEST_TIMEOUT: { status: 408, title: 'Request took too long' },
  IDEMPOTENCY_KEY_MISSING: { status: 400, title: 'Idempotency key missing' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, title: 'Idempotency key used for another request' },
  IDEMPOTENCY_IN_PROGRESS: { status: 409, title: 'Same request under way', retryAfterS: 1 },
  JSON_MALFORMED: { status: 400, title: 'Not JSON' },
  JSON_DUPLICATE_KEY: { status: 400, title: 'JSON with a duplicate key' },
  JSON_TOO_DEEP: { status: 400, title: 'JSON nested too deeply' },
  JSON_FORBIDDEN_KEY: { status: 400, title: 'JSON with a forbidden key' },

  TOKEN_MISSING: { status: 401, title: 'Token missing', challenge: 'none' },
  TOKEN_MALFORMED: { ...token, title: 'Token malformed' },
  TOKEN_SIGNATURE_INVALID: { ...token, title: 'Signature invalid' },
  TOKEN_WRONG_TYPE: { ...token, title: 'Token of the wrong type' },
  TOKEN_ALGORITHM_FORBIDDEN: { ...token, title: 'Algorithm not accepted' },
  TOKEN_KEY_UNKNOWN: { ...token, title: 'Key unknown' },
  TOKEN_CLAIM_MISSING: { ...token, title: 'Claim missing' },
  TOKEN_CLAIM_INVALID: { ...token, title: 'Claim invalid' },
  TOKEN_EXPIRED: { ...token, title: 'Token expired' },
  TOKEN_NOT_YET_VALID: { ...token, title: 'Token not yet valid' },
  TOKEN_LIFETIME_TOO_LONG: { ...token, title: 'Token lives too long' },
  TOKEN_ISSUER_UNTRUSTED: { ...token, title: 'Issuer not trusted' },
  TOKEN_AUDIENCE_MISMATCH: { ...token, title: 'Token for another audience' },
  TOKEN_REPLAYED: { ...token, title: 'Token used before' },
  TOKEN_REVOKED: { ...token, title: 'Token revoked' },
  TOKEN_ISSUER_UNAVAILABLE: { status: 503, title: 'Authorization server unavailable', retryAfterS: 5 },
  TOKEN_SCOPE_INSUFFICIENT: { status: 403, title: 'Scope insufficient', challenge: 'insufficient_scope' },
  SESSION_MISSING: { status: 401, title: 'Not signed in', challenge: 'none' },
  SESSION_FORGED: { status: 403, title: 'Not from this session\'s page' },
  SESSION_CONFIRMATION_NEEDED: { status: 403, title: 'Confirmation needed' },
  DPOP_MISSING: { status: 401, title: 'DPoP proof missing', challenge: 'invalid_dpop_proof' },
  DPOP_INVALID: { status: 401, title: 'DPoP proof invalid', challenge: 'invalid_dpop_proof' },
  DPOP_BINDING_MISMATCH: { ...token, title: 'Token bound to another key' },
  DPOP_NONCE_REQUIRED: { status: 401, title: 'DPoP nonce required', challenge: 'use_dpop_nonce' },
  KEY_REFUSED: { status: 422, title: 'Key not accepted' },
  KEY_DUPLICATE: { status: 409, title: 'Key registered before' },
  INSTITUTION_NOT_FOUND: { status: 404, title: 'Not found', always: absent },
  INSTITUTION_EXISTS: { status: 409, title: 'Institution registered before' },
  INSTITUTION_STATE_CONFLICT: { status: 409, title: 'Not possible in this state' },
  INSTITUTION_NOT_ACTIVE: { status: 403, title: 'Institution not admitted' },
  INSTITUTION_SAME_PERSON: { status: 403, title: 'Another person must do this' },
  INSTITUTION_ASSESSMENT_MISSING: { status: 409, title: 'Security assessment missing' },
  PARTY_EXISTS: { status: 409, title: 'Party registered before' },
  PARTY_NOT_PERMITTED: { status: 403, title: 'Not permitted' },
  ENTERPRISE_EXISTS: { status: 409, title: 'Enterprise registered before' },
  ACCOUNT_ACTIVATION_INVALID: { status: 403, title: 'Activation not possible', always: 'The name or the activation code is not right, or the code was used or has expired: ask for a new one.' },
  ACCOUNT_SIGN_IN_FAILED: { status: 401, title: 'Sign-in failed', challenge: 'none', always: 'The user name, the password or the one-time password is not right.' },
  ACCOUNT_LOCKED: { status: 429, title: 'Sign-in locked', retryAfterS: 900 },
  ACCOUNT_NAME_TAKEN: { status: 409, title: 'User name taken' },
  ACCOUNT_NOT_ADMITTED: { status: 403, title: 'Organisation not admitted' },
  ACCOUNT_FACTOR_NEEDED: { status: 409, title: 'Second factor needed' },
  ACCOUNT_NOT_FOUND: { status: 404, title: 'Not found', always: absent },
  ACCOUNT_LIMIT_REACHED: { status: 409, title: 'Too many accounts' },
  ACCOUNT_KEY_REQUIRED: { status: 403, title: 'Needs the party\'s key' },

  CONSENT_REQUIRED: { status: 403, title: 'Consent required' },
  CONSENT_EXPIRED: { status: 403, title: 'Consent expired' },
  CONSENT_EXHAUSTED: { status: 403, title: 'Consent used up' },
  CONSENT_FREQUENCY_EXCEEDED: { status: 429, title: 'Consent used too often' },
  CONSENT_PAUSED: { status: 403, title: 'Consent paused' },
  CONSENT_REVOKED: { status: 403, title: 'Consent revoked' },
  CONSENT_STATE_CONFLICT: { status: 409, title: 'Not possible in this state' },
  CONSENT_NOT_FOUND: { status: 404, title: 'Not found', always: absent },
  CONSENT_EXCEEDS_CAP: { status: 422, title: 'Consent wider than its purpose allows' },
  CONSENT_INVALID: { status: 422, title: 'Consent invalid' },
  CONSENT_NOT_YET_VALID: { status: 403, title: 'Consent not yet valid' },
  CONSENT_REQUEST_NOT_FOUND: { status: 404, title: 'Not found', always: absent },
  CONSENT_REQUEST_STATE_CONFLICT: { status: 409, title: 'Request is not open any more' },
  CONSENT_REQUEST_CHANGED: { status: 409, title: 'Not what was read' },
  CONSENT_REQUESTS_TOO_MANY: { status: 429, title: 'Asked too often' },
  EXPORT_INVALID: { status: 422, title: 'Export invalid' },

  POLICY_BROKEN: { status: 422, title: 'Policy broken' },
  POLICY_PURPOSE_UNKNOWN: { status: 422, title: 'Purpose unknown' },
  POLICY_TESTS_FAILED: { status: 422, title: 'Policy fails its tests' },
  POLICY_VERSION_NOT_FOUND: { status: 404, title: 'No such version', always: absent },
  POLICY_BASIS_STALE: { status: 409, title: 'Another version is in force by now' },
  POLICY_CHANGED: { status: 409, title: 'Version is another one than was read' },
  POLICY_STATE_CONFLICT: { status: 409, title: 'Not possible in this state' },
  POLICY_SAME_PERSON: { status: 403, title: 'Needs another person' },
  POLICY_IN_FOLDER: { status: 409, title: 'Policy comes from a folder' },

  DECISION_OUTDATED: { status: 503, title: 'Decided by what has changed', retryAfterS: 1 },
  QUERY_INVALID: { status: 400, title: 'Query invalid' },
  QUERY_NOTHING_PERMITTED: { status: 403, title: 'Nothing of this is permitted' },
  QUERY_FILTER_NOT_PERMITTED: { status: 403, title: 'Filter or order not permitted' },
  QUERY_ATTEMPTS_EXHAUSTED: { status: 429, title: 'Verification attempts used up' },

  SOURCE_DATASET_UNKNOWN: { status: 404, title: 'Not found', always: absent },
  SOURCE_FILE_MALFORMED: { status: 422, title: 'File malformed' },
  SOURCE_ROWS_REJECTED: { status: 422, title: 'Rows rejected' },
  SOURCE_NOT_OWNER: { status: 404, title: 'Not found', always: absent, shownAs: 'SOURCE_DATASET_UNKNOWN' },

  OBJECTION_INVALID: { status: 422, title: 'Objection not acceptable' },
  OBJECTION_NOT_FOUND: { status: 404, title: 'Not found', always: absent },
  OBJECTION_STATE_CONFLICT: { status: 409, title: 'Not possible in this state' },
  OBJECTION_EXISTS: { status: 409, title: 'Objected to before' },
  OBJECTION_NOT_CORRECTED: { status: 409, title: 'Nothing corrected yet' },
  NOTICE_NOT_FOUND: { status: 404, title: 'Not found', always: absent },

  SCORE_INVALID: { status: 400, title: 'Score request not of the required form' },
  SCORE_MODEL_NOT_USABLE: { status: 403, title: 'Model not usable' },
  SCORE_NOT_PERMITTED: { status: 403, title: 'Score not permitted' },
  SCORE_DATA_MISSING: { status: 409, title: 'No data to score' },
  SCORE_LIMIT_REACHED: { status: 403, title: 'Scores together would tell too much' },
  SCORE_UNAVAILABLE: { status: 503, title: 'Scoring not available', retryAfterS: 30 },
  SCORE_UNREADABLE: { status: 422, title: 'Sealed scores unreadable' },
  SCORE_JOB_NOT_FOUND: { status: 404, title: 'No such job', always: absent },
  SCORE_JOB_STATE_CONFLICT: { status: 409, title: 'Job in another state' },
  SCORE_JOB_EXPIRED: { status: 409, title: 'Job has expired' },
  SCORE_JOBS_TOO_MANY: { status: 429, title: 'Too many jobs', retryAfterS: 60 },
  SCORE_LIST_INVALID: { status: 400, title: 'List not of the required form' },
  SCORE_LIST_MISMATCH: { status: 409, title: 'List is another one' },
  SCORE_SUBJECT_REPEATED: { status: 400, title: 'Enterprise named twice' },
  SCORE_PART_NOT_THERE: { status: 409, title: 'Part not there' },

  DISCLOSURE_KEY_MISSING: { status: 409, title: 'Encryption key missing' },
  DISCLOSURE_UNSEALABLE: { status: 500, title: 'Answer cannot be sealed' },
  DISCLOSURE_UNREADABLE: { status: 422, title: 'Sealed answer unreadable' },

  AUDIT_UNAVAILABLE: { status: 503, title: 'Log unavailable', retryAfterS: 5 },
  AUDIT_RANGE_INVALID: { status: 400, title: 'Range not in the log' },
  AUDIT_PROOF_INVALID: { status: 422, title: 'Proof invalid' },
  AUDIT_ENTRY_NOT_FOUND: { status: 404, title: 'Not found', always: absent },
  AUDIT_CHECKPOINT_INVALID: { status: 422, title: 'Checkpoint invalid' },
  AUDIT_RECEIPT_INVALID: { status: 422, title: 'Receipt invalid' },
  AUDIT_LOG_INCONSISTENT: { status: 500, title: 'Log inconsistent' },
  AUDIT_REQUEST_NOT_FOUND: { status: 404, title: 'Not found', always: absent },
  AUDIT_REQUEST_UNREADABLE: { status: 500, title: 'Signed request unreadable' },
  AUDIT_REQUEST_INVALID: { status: 422, title: 'Signed request invalid' },

  CUSTODIAN_UNAVAILABLE: { status: 503, title: 'Custodian unavailable', retryAfterS: 5 },
  CUSTODIAN_REFUSED: { status: 502, title: 'Custodian refused', always: 'The key custodian did not open the result, and does not say why: ask the platform.' },

  MODEL_INVALID: { status: 400, title: 'Model not of the required form' },
  MODEL_REFUSED: { status: 422, title: 'Model could tell single values' },
  MODEL_NOT_FOUND: { status: 404, title: 'No such model', always: absent },
  MODEL_EXISTS: { status: 409, title: 'Model version exists' },
  MODEL_STATE_CONFLICT: { status: 409, title: 'Model in another state' },
  MODEL_CHANGED: { status: 409, title: 'Model is another one than was read' },
  MODEL_SAME_PERSON: { status: 403, title: 'Needs another person' },
  MODEL_FILE_REFUSED: { status: 400, title: 'Model file not acceptable' },
  FEATURE_VALUE_REFUSED: { status: 400, title: 'Value outside its feature' },
  FEATURE_UNKNOWN: { status: 404, title: 'Feature unknown', always: absent },
  FEATURE_DECLARATION_CHANGED: { status: 409, title: 'Feature declared otherwise meanwhile' },
  FEATURE_KEY_UNKNOWN: { status: 409, title: 'Key of the custodian not in use' },
  FEATURE_BLOCK_INVALID: { status: 400, title: 'Feature block not acceptable' },
  FEATURE_BLOCK_STALE: { status: 409, title: 'Feature block older than the stored one' },
  FEATURE_BLOCK_MISSING: { status: 409, title: 'Feature block not stored' },
  FEATURE_SLOTS_UNASSIGNED: { status: 409, title: 'Slots of no enterprise' },

  GATEWAY_UNAVAILABLE: { status: 503, title: 'Gateway unavailable', retryAfterS: 5 },

  HE_CIPHERTEXT_REFUSED: { status: 422, title: 'Ciphertext refused', always: 'The ciphertext is not of the form the parameter set asks for: encrypt the column again with the key and parameters the gateway names.' },
  HE_KEY_REFUSED: { status: 422, title: 'Encryption key refused', always: 'The key is not of the form the parameter set asks for: fetch the active key again.' },
  HE_EVALUATION_FAILED: { status: 500, title: 'Evaluation failed', always: 'The score could not be worked out on our side: ask again, and tell the platform the request id if it stays so.' },

  COHORT_POINT_REFUSED: { status: 422, title: 'Blinded codes refused' },
  COHORT_NOT_FOUND: { status: 404, title: 'No such cohort', always: absent },
  COHORT_REFUSED: { status: 403, title: 'Cohort refused' },
  COHORT_STALE: { status: 409, title: 'Cohort out of date' },
  ALIGNMENT_NOT_FOUND: { status: 404, title: 'No such alignment', always: absent },
  ALIGNMENT_STATE_CONFLICT: { status: 409, title: 'Alignment is over' },
  ALIGNMENT_CHUNK_REFUSED: { status: 409, title: 'Chunk refused' },
  JOINT_PROJECT_INVALID: { status: 422, title: 'Project not valid' },
  JOINT_PROJECT_NOT_FOUND: { status: 404, title: 'No such project', always: absent },
  JOINT_PROJECT_STATE_CONFLICT: { status: 409, title: 'Not possible in this state' },
  JOINT_PROJECT_CHANGED: { status: 409, title: 'Another document than the one reviewed' },
  JOINT_PROJECT_SAME_PERSON: { status: 403, title: 'Two others must approve' },
  JOINT_NOT_PERMITTED: { status: 403, title: 'Not permitted for joint modelling' },
  JOINT_LOTTERY_INVALID: { status: 422, title: 'Commitments or opening not acceptable' },
  JOINT_LOTTERY_LATE: { status: 403, title: 'Bundles not opened in time' },
  JOINT_RUN_NOT_FOUND: { status: 404, title: 'No such run', always: absent },
  JOINT_RUN_STATE_CONFLICT: { status: 409, title: 'Not possible in the run\'s state' },
  JOINT_SHIFTS_FIXED: { status: 409, title: 'Shifts are fixed' },
  JOINT_STATEMENT_INVALID: { status: 422, title: 'Statement not acceptable' },
  JOINT_RELEASE_NOT_FOUND: { status: 404, title: 'No such release', always: absent },
  JOINT_RELEASE_NOT_READY: { status: 409, title: 'Nothing to fetch' },
  JOINT_INPUT_INVALID: { status: 422, title: 'Joint input not acceptable' },
  JOINT_BUDGET_EXHAUSTED: { status: 403, title: 'Privacy budget spent' },

  REPORT_PERIOD_INVALID: { status: 400, title: 'No report of this period' },
  REPORT_INVALID: { status: 422, title: 'Report invalid' },
  JOINT_BOUND_EXCEEDED: { status: 422, title: 'Bound of a column too large' },

  INTERNAL: { status: 500, title: 'Internal error', always: 'Something went wrong on our side and was recorded: tell the platform the request id.' },
} as const satisfies Record<ErrorCode, Wire>;

/** Code → status and title, for the interface's description. */
export const problems: Readonly<Record<ErrorCode, Wire>> = wire;

/** An error as HTTP sends it. */
export type Problem = {
  readonly code: ErrorCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text, media type application/problem+json. */
  readonly body: string;
};

export type ProblemContext = {
  /** `urn:veilgate:request:<id>` becomes the problem's `instance`. */
  readonly requestId: string;
  /** What DPoP challenges say; absent on servers that ask for no token. */
  readonly dpop?: DpopChallenge;
};

export type DpopChallenge = {
  /** JWS algorithms accepted for proofs, separated by blanks. */
  readonly algorithms: string;
  /** Where the authorization server is named (RFC 9728). */
  readonly resourceMetadataUrl?: string;
  /** The nonce to use from now on; undefined where nonces are not asked for. */
  readonly nonce: () => string | undefined;
};

export const problemMediaType = 'application/problem+json';

/**
 * Whatever was thrown as RFC 9457 problem. Facts of the error's detail become extension members; `requestId`
 * apart, two problems of one code whose `always` is set are equal. Of what is not a VeilgateError nothing shows.
 */
export function problemOf(thrown: unknown, context: ProblemContext): Problem {
  const error = asVeilgateError(thrown);
  const { status, title, always, challenge } = problems[error.code];
  const shown = problems[error.code].shownAs ?? error.code;
  const facts = always === undefined ? error.detail : undefined;
  const body = {
    ...facts,
    type: `urn:veilgate:error:${shown}`,
    title,
    status,
    detail: always ?? error.message,
    code: shown,
    instance: `urn:veilgate:request:${context.requestId}`,
  };
  const headers: Record<string, string> = { 'Content-Type': problemMediaType, 'Cache-Control': 'no-store' };
  const retryAfterS = retryAfterOf(error);
  if (retryAfterS !== undefined) headers['Retry-After'] = String(retryAfterS);
  if (challenge !== undefined && context.dpop !== undefined) Object.assign(headers, challengeHeaders(challenge, error, context.dpop));
  const allow = error.code === 'REQUEST_METHOD_NOT_ALLOWED' ? error.detail?.['allow'] : undefined;
  if (Array.isArray(allow)) headers['Allow'] = allow.join(', ');
  if (status === 408) headers['Connection'] = 'close'; // nobody waits for the rest of the body
  return { code: error.code, status, headers, body: JSON.stringify(body) };
}

/** The error itself, or what stands for anything that is none of ours. */
export function asVeilgateError(thrown: unknown): VeilgateError {
  if (thrown instanceof VeilgateError && Object.hasOwn(problems, thrown.code)) return thrown;
  // express and its router throw these for a path that is not valid percent-encoding
  if (thrown instanceof URIError) return new VeilgateError('REQUEST_MALFORMED', 'The path is not valid percent-encoding: encode it as RFC 3986 says.');
  return new VeilgateError('INTERNAL', 'Internal error.');
}

function retryAfterOf(error: VeilgateError): number | undefined {
  const known = error.detail?.['retryAfterSeconds'];
  return typeof known === 'number' && known >= 0 ? Math.ceil(known) : problems[error.code].retryAfterS;
}

function challengeHeaders(challenge: NonNullable<Wire['challenge']>, error: VeilgateError, dpop: DpopChallenge): Record<string, string> {
  const scope = error.detail?.['scope'];
  const parameters = [
    ...(challenge === 'none' ? [] : [`error="${challenge}"`]),
    ...(challenge === 'insufficient_scope' && typeof scope === 'string' ? [`scope="${scope.replace(/[^\x21\x23-\x5b\x5d-\x7e ]/g, '')}"`] : []),
    `algs="${dpop.algorithms}"`,
    ...(dpop.resourceMetadataUrl === undefined ? [] : [`resource_metadata="${dpop.resourceMetadataUrl}"`]),
  ];
  const nonce = dpop.nonce();
  return { 'WWW-Authenticate': `DPoP ${parameters.join(', ')}`, ...(nonce === undefined ? {} : { 'DPoP-Nonce': nonce }) };
}
