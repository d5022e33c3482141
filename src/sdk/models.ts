import type { ModelJson } from '../scoring/model/document.ts';
import type { Trial } from '../scoring/model/trial-report.ts';
import type { ModelFinding } from '../scoring/model/verdict.ts';
import type { Connection } from './connection.ts';

export type ModelSummary = {
  readonly ref: string;
  readonly title: { readonly en: string; readonly zh: string };
  readonly state: 'proposed' | 'approved' | 'refused' | 'retired';
  /** SHA-256, lower-case hex, of the document: what is decided on. */
  readonly digest: string;
  readonly purposes: readonly string[];
  readonly proposed_by: string;
  readonly proposed_at: string;
  readonly decided_by: string | null;
  readonly decided_at: string | null;
  /** Code of why it was refused or retired. */
  readonly reason: string | null;
  readonly retired_by: string | null;
  readonly retired_at: string | null;
};

type Range = { readonly low: number; readonly high: number };

export type ModelView = ModelSummary & {
  readonly model: ModelJson;
  /** Between which raw values the score lies, then each reason group. */
  readonly raw_range: Range;
  readonly reason_ranges: readonly Range[];
};

export type ModelCheck = { readonly ok: boolean; readonly findings: readonly ModelFinding[]; readonly conflicts: readonly { readonly model: string; readonly problem: string }[] };

/** Scoring models as institutions and compliance officers handle them. Errors: those of the gateway, MODEL_*. */
export function modelsClient({ call }: Pick<Connection, 'call'>) {
  const path = (ref: string, noun = '') => `/v1/models/${encodeURIComponent(ref)}${noun}`;
  const post = <Answer>(at: string, json: unknown, idempotencyKey?: string) => call<Answer>({ method: 'POST', path: at, json, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) });
  const decide = (ref: string, noun: string, json: unknown) => post<{ readonly ref: string; readonly state: string }>(path(ref, noun), json);
  return {
    /** What the guards say; nothing is kept. */
    check: (model: unknown) => post<ModelCheck>('/v1/models/check', { model }),
    propose: (model: unknown, idempotencyKey?: string) => post<{ readonly ref: string; readonly state: string; readonly digest: string }>('/v1/models', { model }, idempotencyKey),
    /** At most 100 by name; `next` continues. */
    list({ after, state }: { readonly after?: string; readonly state?: string } = {}) {
      const query = new URLSearchParams({ ...(after === undefined ? {} : { after }), ...(state === undefined ? {} : { state }) });
      return call<{ readonly models: readonly ModelSummary[]; readonly next: string | null }>({ method: 'GET', path: query.size === 0 ? '/v1/models' : `/v1/models?${query}` });
    },
    read: (ref: string) => call<ModelView>({ method: 'GET', path: path(ref) }),
    /** Scores made-up enterprises in clear. */
    try: (ref: string, options: { readonly count: number; readonly seed: number }) => post<Trial>(path(ref, '/trial'), options),
    /** @param digest of the document that was reviewed */
    approve: (ref: string, digest: string) => decide(ref, '/approval', { digest }),
    refuse: (ref: string, digest: string, reason: string) => decide(ref, '/refusal', { digest, reason }),
    retire: (ref: string, reason: string) => decide(ref, '/retirement', { reason }),
  };
}
