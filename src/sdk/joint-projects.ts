import type { JointProjectJson } from '../joint/project/document.ts';
import type { GatewayCalls } from './connection.ts';

export type { Alignment, AlignmentState, AlignOptions } from './alignment.ts';
export type { JointProjectJson } from '../joint/project/document.ts';

export type JointProjectState = 'proposed' | 'approved' | 'active' | 'refused' | 'ended' | 'stopped';

export type JointProjectSummary = {
  readonly id: string;
  readonly title: { readonly en: string; readonly zh: string };
  readonly partner: string;
  readonly state: JointProjectState;
  /** SHA-256, lower-case hex, of the document: what is decided on. */
  readonly digest: string;
  readonly ends_on: string;
  readonly proposed_by: string;
  readonly proposed_at: string;
  readonly approvals: readonly { readonly by: string; readonly at: string }[];
  readonly closed_by: string | null;
  readonly closed_at: string | null;
  /** Code of why it was refused, stopped or ended. */
  readonly reason: string | null;
};

export type JointProjectView = JointProjectSummary & { readonly project: JointProjectJson };
type Changed = { readonly id: string; readonly state: JointProjectState; readonly approvals: number };

/** What is left of what may be learnt, in rho (zCDP); `spent_epsilon` is at the project's delta. */
export type JointBalances = {
  readonly delta: number;
  readonly accounts: readonly { readonly account: string; readonly total_rho: number; readonly spent_rho: number; readonly left_rho: number; readonly spent_epsilon: number }[];
};

export type CohortSummary = {
  readonly id: string;
  readonly project: string;
  readonly institution: string;
  readonly datasets: readonly string[];
  readonly size: number;
  readonly digest: string;
  readonly formed_at: string;
};

/** Projects and cohorts as partners and officers handle them. Errors: those of the gateway. */
export function jointProjectsClient({ call }: Pick<GatewayCalls, 'call'>) {
  const project = (id: string, noun = '') => `/v1/joint-projects/${encodeURIComponent(id)}${noun}`;
  const post = <Answer>(path: string, json?: unknown, idempotencyKey?: string) => call<Answer>({ method: 'POST', path, ...(json === undefined ? {} : { json }), ...(idempotencyKey === undefined ? {} : { idempotencyKey }) });
  return {
    propose: (document: unknown, idempotencyKey?: string) => post<{ readonly id: string; readonly state: 'proposed'; readonly digest: string }>('/v1/joint-projects', { project: document }, idempotencyKey),
    /** At most 100, newest first; `next` continues. */
    projects: (after?: string) => call<{ readonly projects: readonly JointProjectSummary[]; readonly next: string | null }>({ method: 'GET', path: `/v1/joint-projects${after === undefined ? '' : `?after=${encodeURIComponent(after)}`}` }),
    project: (id: string) => call<JointProjectView>({ method: 'GET', path: project(id) }),
    balances: (id: string) => call<JointBalances>({ method: 'GET', path: project(id, '/balances') }),
    /** @param digest of the document that was reviewed */
    approve: (id: string, digest: string) => post<Changed>(project(id, '/approval'), { digest }),
    refuse: (id: string, digest: string, reason: string) => post<Changed>(project(id, '/refusal'), { digest, reason }),
    stop: (id: string, reason: string) => post<Changed>(project(id, '/stop'), { reason }),
    end: (id: string) => post<Changed>(project(id, '/end')),
    /** Of those who consent now; the cohort that is there when they are the same. */
    formCohort: (of: string) => post<CohortSummary>(project(of, '/cohorts')),
    cohorts: async (of: string) => (await call<{ readonly cohorts: readonly CohortSummary[] }>({ method: 'GET', path: project(of, '/cohorts') })).cohorts,
    cohort: (id: string) => call<CohortSummary & { readonly fresh: boolean }>({ method: 'GET', path: `/v1/joint-cohorts/${encodeURIComponent(id)}` }),
  };
}
