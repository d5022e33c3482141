import type { ConsentCeiling, Frequency } from '../vocabulary.ts';
import type { Connection } from './connection.ts';
import type { ConsentRequest } from './consent-flow.ts';
import type { GrantView } from './grants.ts';

export type GrantRequestState = 'pending' | 'accepted' | 'refused' | 'withdrawn' | 'expired';
type Terms = ConsentRequest & { readonly type: 'veilgate_consent' };

/** A request for a grant, as both sides see it. */
export type GrantRequestView = {
  readonly id: string;
  readonly institution: string;
  readonly institution_name: { readonly en: string; readonly zh: string } | null;
  readonly subject: string;
  /** As asked; what is open is as far as the purpose allows. */
  readonly terms: Terms;
  readonly message: string | null;
  readonly created_at: string;
  readonly expires_at: string;
  readonly state: GrantRequestState;
  readonly decided_at: string | null;
  readonly reason: string | null;
  /** The grant it led to. */
  readonly grant: string | null;
};

/** Terms in plain words. */
export type TermsInWords = {
  readonly institution: { readonly name: string; readonly kind: string };
  readonly purpose: { readonly title: string; readonly text: string };
  readonly fields: readonly { readonly ref: string; readonly title: string; readonly dataset: string; readonly classification: string; readonly gets: Readonly<Record<ConsentCeiling, string>> }[];
  readonly caps: readonly string[];
};

/** What the enterprise would agree to at the moment of reading. */
export type GrantOfferView = {
  readonly terms: Terms;
  readonly description: { readonly en: TermsInWords; readonly zh: TermsInWords };
  readonly notice_digest: string;
  /** Why the terms cannot be accepted as they are; some can once they are narrowed. */
  readonly obstacle: { readonly code: string; readonly detail: string } | null;
};

/** How an enterprise narrows what it is asked for; what is absent stays as asked. */
export type GrantChoice = {
  readonly fields?: readonly { readonly field: string; readonly ceiling: ConsentCeiling }[];
  readonly data_from?: string;
  readonly data_to?: string;
  readonly valid_days?: number;
  readonly uses_max?: number;
  readonly frequency?: Frequency;
  readonly data_life_days?: number;
};

export type GrantRequestPage = { readonly requests: readonly GrantRequestView[]; readonly next: string | null };

/** Requests for grants: institutions ask and withdraw, enterprises accept and refuse. */
export function grantRequestsClient({ call }: Pick<Connection, 'call'>) {
  const path = (id: string) => `/v1/grant-requests/${encodeURIComponent(id)}`;
  const post = <Answer>(at: string, json: unknown, idempotencyKey?: string) => call<Answer>({ method: 'POST', path: at, json, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) });
  return {
    /** Asks an enterprise for a grant; `message` says why. Errors: CONSENT_*, POLICY_PURPOSE_UNKNOWN. */
    askForGrant: (terms: ConsentRequest, message?: string, idempotencyKey?: string) =>
      post<GrantRequestView>('/v1/grant-requests', { terms: { type: 'veilgate_consent', ...terms }, ...(message === undefined ? {} : { message }) }, idempotencyKey),
    /** A page, newest first. */
    grantRequests(options: { readonly state?: GrantRequestState; readonly after?: string; readonly limit?: number } = {}) {
      const { state, after, limit } = options;
      const query = new URLSearchParams({ ...(state === undefined ? {} : { state }), ...(after === undefined ? {} : { after }), ...(limit === undefined ? {} : { limit: String(limit) }) });
      return call<GrantRequestPage>({ method: 'GET', path: query.size === 0 ? '/v1/grant-requests' : `/v1/grant-requests?${query}` });
    },
    /** The offer is for the enterprise, while the request can be answered; null otherwise. */
    readGrantRequest: (id: string) => call<GrantRequestView & { readonly offer: GrantOfferView | null }>({ method: 'GET', path: path(id) }),
    withdrawGrantRequest: (id: string) => post<GrantRequestView>(`${path(id)}/withdrawal`, {}),
    refuseGrantRequest: (id: string, reason?: string) => post<GrantRequestView>(`${path(id)}/refusal`, reason === undefined ? {} : { reason }),
    /** @param noticeDigest of the offer that was read. Errors: CONSENT_REQUEST_CHANGED when it is not the same any more; CONSENT_*. */
    acceptGrantRequest: (id: string, noticeDigest: string, choice: GrantChoice = {}, idempotencyKey?: string) =>
      post<{ readonly request: GrantRequestView; readonly grant: GrantView }>(`${path(id)}/acceptance`, { notice_digest: noticeDigest, choice }, idempotencyKey),
  };
}
