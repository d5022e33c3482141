import type { Connection } from './connection.ts';

type Words = { readonly en: string; readonly zh: string };
export type PolicyRisk = 'loosened' | 'mixed' | 'altered' | 'tightened';

/** One version of the platform's policy; times are RFC 3339. */
export type PolicyVersionView = {
  readonly version: number;
  /** SHA-256, lower-case hex, of the files: what is decided on. */
  readonly digest: string;
  /** As decisions, receipts and log entries name it. */
  readonly policy: string;
  readonly basis: number | null;
  readonly origin: 'pack' | 'proposal' | 'rollback' | 'withhold';
  readonly state: 'proposed' | 'approved' | 'in_force' | 'superseded' | 'refused' | 'withdrawn';
  readonly proposed_by: string | null;
  readonly proposed_at: string;
  readonly comment: string;
  readonly effective_at: string | null;
  readonly decided_by: string | null;
  readonly decided_at: string | null;
  readonly decision_comment: string | null;
  readonly in_force_at: string | null;
  readonly superseded_at: string | null;
};

/** Files by name: `purposes.yaml`, `rules/<dataset>.yaml`, `tests/<name>.yaml`. */
export type PolicyFiles = Readonly<Record<string, string>>;

export type PolicyReviewView = {
  readonly version: PolicyVersionView;
  readonly against: number;
  readonly basis_in_force: boolean;
  readonly files: readonly { readonly file: string; readonly change: 'added' | 'changed' | 'removed' }[];
  readonly summary: Words;
  readonly combinations: number;
  readonly combinations_changed: number;
  readonly changes: readonly {
    readonly risk: PolicyRisk; readonly words: Words; readonly use: string; readonly fields: readonly string[]; readonly purposes: readonly string[];
    readonly institution_classes: readonly string[]; readonly consent: readonly string[];
  }[];
  readonly settings: readonly { readonly risk: PolicyRisk; readonly words: Words; readonly path: readonly string[] }[];
  readonly tests: {
    readonly run: number;
    readonly failures: readonly { readonly test: string; readonly file: string; readonly line: number; readonly column: number; readonly pointer: string; readonly problem: string }[];
    readonly uncovered_rules: readonly string[];
  };
  /** What to look at first. */
  readonly marks: readonly string[];
  readonly exemptions: readonly { readonly rule: string; readonly description: Words; readonly ends: string; readonly over: boolean }[];
};

type Counts = { readonly more: number; readonly less: number; readonly otherwise: number; /** It hangs on what callers stated. */ readonly unknown: number };
export type PolicyReplayView = Counts & {
  readonly queries: number;
  readonly same: number;
  readonly skipped: number;
  readonly unlike_record: number;
  readonly from: string | null;
  readonly until: string | null;
  readonly institutions: readonly (Counts & { readonly institution: string })[];
  readonly fields: readonly (Counts & { readonly field: string; readonly use: string })[];
};

export type PolicyWithholdView = {
  readonly withhold: string;
  readonly field: string;
  readonly purpose: string;
  readonly reason: string;
  readonly set_by: string;
  readonly set_at: string;
  /** When it becomes a proposal; it holds until that is decided. */
  readonly expires_at: string;
  readonly proposal: number | null;
  readonly ended_at: string | null;
  readonly ended_by: string | null;
  readonly ending: 'lifted' | 'lasting' | 'refused' | null;
};

export type PolicyChange = {
  /** Number of the version it changes; it must be in force. */
  readonly basis: number;
  readonly comment: string;
  readonly effective_at?: string;
} & ({ readonly files: PolicyFiles } | { readonly changes: Readonly<Record<string, string | null>> });

type Answer = { readonly version: PolicyVersionView };

/** The platform's policy as compliance officers change it together, and auditors read it. Errors: those of the gateway, POLICY_*. */
export function policiesClient({ call }: Pick<Connection, 'call'>) {
  const get = <Result>(path: string) => call<Result>({ method: 'GET', path });
  const post = <Result>(path: string, json: unknown, idempotencyKey?: string) => call<Result>({ method: 'POST', path, json, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) });
  const at = (version: number, noun = '') => `/v1/policies/${version}${noun}`;
  return {
    inForce: () => get<Answer & { readonly files: PolicyFiles }>('/v1/policies/in_force'),
    read: (version: number) => get<Answer & { readonly files: PolicyFiles }>(at(version)),
    /** At most 100, newest first; `next` continues. */
    list({ before, state }: { readonly before?: number; readonly state?: string } = {}) {
      const query = new URLSearchParams({ ...(before === undefined ? {} : { before: String(before) }), ...(state === undefined ? {} : { state }) });
      return get<{ readonly versions: readonly PolicyVersionView[]; readonly next: number | null }>(query.size === 0 ? '/v1/policies' : `/v1/policies?${query}`);
    },
    review: (version: number) => get<PolicyReviewView>(at(version, '/review')),
    /** How the last decisions would have come out; counts only. */
    replay: (version: number, count = 1000) => get<PolicyReplayView>(at(version, `/replay?count=${count}`)),
    /** POLICY_BASIS_STALE says which files changed on both sides (`theirs`, `yours`, `both`). */
    propose: (change: PolicyChange, idempotencyKey?: string) => post<Answer>('/v1/policies', change, idempotencyKey),
    /** The files of an earlier version as a new proposal. */
    rollBack: (version: number, comment: string, idempotencyKey?: string) => post<Answer>(at(version, '/rollback'), { comment }, idempotencyKey),
    /** @param digest of the files that were reviewed */
    approve: (version: number, digest: string, comment: string) => post<Answer>(at(version, '/approval'), { digest, comment }),
    refuse: (version: number, digest: string, comment: string) => post<Answer>(at(version, '/refusal'), { digest, comment }),
    withdraw: (version: number, comment: string) => post<Answer>(at(version, '/withdrawal'), { comment }),
    withholds: () => get<{ readonly withholds: readonly PolicyWithholdView[] }>('/v1/policy-withholds'),
    /** Closes a field for a purpose at once, on every node. */
    withhold: (emergency: { readonly field: string; readonly purpose: string; readonly reason: string; readonly hours?: number }, idempotencyKey?: string) => post<{ readonly withhold: PolicyWithholdView }>('/v1/policy-withholds', emergency, idempotencyKey),
    lift: (withhold: string) => post<{ readonly withhold: PolicyWithholdView }>(`/v1/policy-withholds/${encodeURIComponent(withhold)}/lifting`, {}),
  };
}
