import type { ConsentCeiling, DecisionReason, Disposition, Frequency, Use } from '../vocabulary.ts';
import type { Connection } from './connection.ts';

type Words = { readonly en: string; readonly zh: string };

/** What one use of a field would give, by which rule. */
export type FieldUseView = {
  readonly use: Use;
  readonly disposition: Disposition;
  readonly reason: DecisionReason;
  readonly rule: string | null;
  /** It hangs on what the institution states in its query. */
  readonly conditional: boolean;
  readonly words: Words;
};

/** One institution that could get something under one grant. */
export type ReaderView = {
  readonly grant: string;
  readonly institution: { readonly id: string; readonly name: Words | null; readonly class: string | null };
  readonly purpose: { readonly code: string; readonly title: Words | null };
  readonly valid_until: string;
  readonly uses_left: number | null;
  readonly frequency: Frequency | null;
  readonly data_from: string | null;
  readonly data_to: string | null;
  readonly data_life_days: number;
  /** Error code for which it gets nothing just now; null when it does. */
  readonly blocked_by: string | null;
  readonly fields: readonly { readonly field: string; readonly title: Words | null; readonly dataset: Words | null; readonly ceiling: ConsentCeiling; readonly uses: readonly FieldUseView[] }[];
  readonly models: readonly string[];
  readonly cohorts: readonly { readonly cohort: string; readonly project: string; readonly size: number; readonly formed_at: string }[];
};

export type ReaderPage = { readonly at: string; readonly policy: string; readonly without_grant: Words; readonly readers: readonly ReaderView[]; readonly next: string | null };

/** Who could access an enterprise's data at this moment, and why. */
export function readersClient({ call }: Pick<Connection, 'call'>) {
  return {
    /** A page of usable grants, newest first; 10 when no limit is given, at most 20. */
    readers({ after, limit }: { readonly after?: string; readonly limit?: number } = {}) {
      const query = new URLSearchParams({ ...(after === undefined ? {} : { after }), ...(limit === undefined ? {} : { limit: String(limit) }) });
      return call<ReaderPage>({ method: 'GET', path: query.size === 0 ? '/v1/readers' : `/v1/readers?${query}` });
    },
  };
}
