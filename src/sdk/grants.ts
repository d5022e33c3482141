import type { Connection } from './connection.ts';

export type GrantView = {
  readonly id: string;
  readonly state: string;
  readonly subject: string;
  readonly institution: string;
  readonly purpose: string;
  readonly fields: readonly { readonly field: string; readonly ceiling: string }[];
  readonly data_from: string | null;
  readonly data_to: string | null;
  readonly valid_from: string;
  readonly valid_until: string;
  readonly kind: string;
  readonly uses_max: number | null;
  readonly uses_left: number | null;
  readonly frequency: { readonly max: number; readonly per: string } | null;
  readonly data_life_days: number;
  readonly origin: string;
} & Readonly<Record<string, unknown>>;

export type GrantPage = { readonly grants: readonly GrantView[]; readonly next: string | null };

/** Grants as whoever they concern sees them: the enterprise, the institution, an officer who steps in. */
export function grantsClient({ call }: Pick<Connection, 'call'>) {
  const path = (grant: string) => `/v1/grants/${encodeURIComponent(grant)}`;
  const change = (action: 'pause' | 'resume' | 'revoke') => (grant: string) => call<GrantView>({ method: 'POST', path: `${path(grant)}/${action}`, json: {} });
  return {
    /** A page, newest first. */
    grants(options: { readonly inForce?: boolean; readonly after?: string; readonly limit?: number } = {}) {
      const { inForce, after, limit } = options;
      const query = new URLSearchParams({
        ...(inForce === undefined ? {} : { in_force: String(inForce) }), ...(after === undefined ? {} : { after }), ...(limit === undefined ? {} : { limit: String(limit) }),
      });
      return call<GrantPage>({ method: 'GET', path: query.size === 0 ? '/v1/grants' : `/v1/grants?${query}` });
    },
    readGrant: (grant: string) => call<GrantView>({ method: 'GET', path: path(grant) }),
    pause: change('pause'),
    resume: change('resume'),
    revoke: change('revoke'),
    /** The consent receipt, a signed JWS for the enterprise to keep. */
    receipt: async (grant: string) => (await call<{ readonly receipt: string }>({ method: 'GET', path: `${path(grant)}/receipt` })).receipt,
    /** The grant as a signed statement, for its institution: proves what was granted, opens nothing. */
    consentToken: async (grant: string) => (await call<{ readonly consent_token: string }>({ method: 'GET', path: `${path(grant)}/token` })).consent_token,
  };
}
