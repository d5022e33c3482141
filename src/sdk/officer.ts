import type { JWK } from 'jose';
import type { GatewayCalls } from './connection.ts';

export type Assessment = {
  /** Security level the institution reached, 1–5. */
  readonly level: number;
  readonly passed: boolean;
  /** `YYYY-MM-DD`: the assessment counts until then. */
  readonly valid_until: string;
  /** SHA-256, lower-case hex, of the assessment report, which stays with the assessor. */
  readonly findings_digest: string;
};

export type InstitutionLimits = { readonly requests_per_second?: number; readonly queries_per_day?: number };

export type PartyRegistration = { readonly id: string; readonly name: { readonly en: string; readonly zh: string }; readonly key: JWK };

export type InstitutionStatus = 'applied' | 'assessed' | 'approved' | 'suspended' | 'revoked';

/** An institution as officers see it; times are RFC 3339. */
export type InstitutionView = {
  readonly id: string;
  readonly name: { readonly en: string; readonly zh: string };
  readonly class: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly status: InstitutionStatus;
  readonly status_reason: string | null;
  readonly scopes: readonly string[];
  readonly limits: InstitutionLimits;
  readonly redirect_uris: readonly string[];
  readonly registered_at: string;
  readonly registered_by: string | null;
  readonly approved_by: string | null;
  /** The latest; null: none yet. */
  readonly assessment: { readonly level: number; readonly passed: boolean; readonly assessor: string; readonly valid_until: string } | null;
  readonly keys: readonly { readonly thumbprint: string; readonly kid: string; readonly use: 'sig' | 'enc'; readonly retired: boolean }[];
};

/** An officer or a department. */
export type StaffView = {
  readonly id: string;
  readonly kind: 'officer' | 'department';
  readonly name: { readonly en: string; readonly zh: string } | null;
  /** `applied`: an officer who waits for another officer's approval. */
  readonly status: InstitutionStatus;
  readonly roles: readonly string[];
  readonly registered_by: string | null;
  readonly registered_at: string;
};

/** The gateway as platform staff use it: registrars, compliance officers, auditors. */
export function officerClient(connection: Pick<GatewayCalls, 'call'>) {
  const post = <Answer>(path: string, json: unknown) => connection.call<Answer>({ method: 'POST', path, json });
  const institution = (id: string) => `/v1/institutions/${encodeURIComponent(id)}`;
  return {
    /** At most 200, by id; `next` continues. */
    institutions: (after?: string) =>
      connection.call<{ readonly institutions: readonly InstitutionView[]; readonly next: string | null }>({ method: 'GET',
        path: after === undefined ? '/v1/institutions' : `/v1/institutions?after=${encodeURIComponent(after)}` }),
    institution: (id: string) => connection.call<InstitutionView>({ method: 'GET', path: institution(id) }),
    /** At most 200 officers and departments, by id; `next` continues. */
    staff: (after?: string) =>
      connection.call<{ readonly staff: readonly StaffView[]; readonly next: string | null }>({ method: 'GET',
        path: after === undefined ? '/v1/staff' : `/v1/staff?after=${encodeURIComponent(after)}` }),
    /** An application that an institution signed and gave to you. Needs the role registrar. */
    handIn: (application: string) => connection.call<{ readonly id: string; readonly status: string }>({ method: 'POST', path: '/v1/handed-in-applications', body: { type: 'application/jwt', content: application } }),
    assess: (id: string, assessment: Assessment) => post<{ readonly status: string }>(`${institution(id)}/assessments`, assessment),
    approve: (id: string, limits: InstitutionLimits = {}) =>
      post<{ readonly status: string }>(`${institution(id)}/approval`, { limits }),
    /** What is left out is no longer limited. */
    changeLimits: (id: string, limits: InstitutionLimits) => connection.call<{ readonly status: string }>({ method: 'PUT', path: `${institution(id)}/limits`, json: { limits } }),
    suspend: (id: string, reason: string) => post<{ readonly status: string }>(`${institution(id)}/suspension`, { reason }),
    reinstate: (id: string) => post<{ readonly status: string }>(`${institution(id)}/reinstatement`, {}),
    revoke: (id: string, reason: string) => post<{ readonly status: string }>(`${institution(id)}/revocation`, { reason }),
    registerEnterprise: (subject: string, representative: string, key?: JWK) =>
      post<{ readonly activation_code: string; readonly party: string }>('/v1/enterprises', { subject, representative, ...(key === undefined ? {} : { key }) }),
    registerDepartment: (department: PartyRegistration) => post<{ readonly id: string }>('/v1/departments', department),
    registerOfficer: (officer: PartyRegistration & { readonly roles: readonly string[] }) => post<{ readonly id: string }>('/v1/officers', officer),
    approveOfficer: (id: string) => connection.call<{ readonly id: string }>({ method: 'POST', path: `/v1/officers/${encodeURIComponent(id)}/approval` }),
  };
}
