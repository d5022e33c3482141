import type { GatewayCalls } from './connection.ts';

export type ObjectionState = 'submitted' | 'accepted' | 'returned' | 'corrected' | 'remedied' | 'rejected' | 'closed';
export type ObjectionStepName = 'accept' | 'return' | 'correct' | 'remedy' | 'reject' | 'close';
export type RecordFault = 'wrong' | 'outdated' | 'incomplete';

/** What an enterprise objects to, in its own words: plain text of at most 2000 characters. */
export type ObjectionGiven =
  /** A recorded value; `row` names its row where an enterprise has several: period or record field's value. */
  | { readonly about: 'record'; readonly field: string; readonly row?: string; readonly fault: RecordFault; readonly text: string }
  /** An access out of its history, by the index of its entry. */
  | { readonly about: 'access'; readonly entry: number; readonly text: string };

export type ObjectionSummary = {
  readonly id: string;
  readonly subject: string;
  readonly about: 'record' | 'access';
  readonly dataset: string | null;
  readonly field: string | null;
  readonly row: string | null;
  readonly fault: RecordFault | null;
  readonly department: string | null;
  readonly entry: number | null;
  readonly state: ObjectionState;
  readonly submitted_at: string;
  readonly accepted_at: string | null;
  /** Last day of the next step, Asia/Shanghai. */
  readonly due_on: string | null;
  /** Until then; less than 0 when it is over. */
  readonly working_days_left: number | null;
  /** An answer is owed and late. */
  readonly overdue: boolean;
};

export type ObjectionStepView = {
  readonly action: 'submit' | ObjectionStepName;
  readonly state: ObjectionState;
  readonly role: 'enterprise' | 'officer' | 'department' | 'platform';
  readonly by: string | null;
  readonly at: string;
  readonly text: string | null;
  /** Index of its log entry. */
  readonly entry: number;
};

export type ObjectionView = ObjectionSummary & {
  readonly steps: readonly ObjectionStepView[];
  /** What the caller can do now. */
  readonly actions: readonly ObjectionStepName[];
  /** Who received the value and was told of its correction; not for departments. */
  readonly notified?: readonly { readonly institution: string; readonly grant: string; readonly received: number; readonly dispositions: readonly string[]; readonly acknowledged_at: string | null }[];
};

/** A field that an institution received was corrected since. */
export type NoticeView = {
  readonly id: string;
  readonly subject: string;
  readonly grant: string;
  readonly field: string;
  readonly dispositions: readonly string[];
  readonly received: number;
  /** Log entries of that, newest first. */
  readonly entries: readonly number[];
  readonly corrected_at: string;
  readonly acknowledged_at: string | null;
};

export type ObjectionPage = { readonly objections: readonly ObjectionSummary[]; readonly next: string | null };
export type ObjectionFilter = { readonly state?: ObjectionState; readonly overdue?: boolean; readonly after?: string; readonly limit?: number };
export type NoticePage = { readonly notices: readonly NoticeView[]; readonly next: string | null };
export type NoticeFilter = { readonly open?: boolean; readonly after?: string; readonly limit?: number };

const nouns: Readonly<Record<ObjectionStepName, string>> = { accept: 'acceptance', return: 'return', correct: 'correction', remedy: 'remedy', reject: 'rejection', close: 'closure' };

/** Objections as whoever they concern handles them: the enterprise, the department, compliance officers. Errors: those of the gateway, OBJECTION_*. */
export function objectionsClient({ call }: Pick<GatewayCalls, 'call'>) {
  const path = (id: string, noun = '') => `/v1/objections/${encodeURIComponent(id)}${noun}`;
  return {
    /** @param idempotencyKey of this very objection, so that sending it again submits nothing twice */
    submit: (given: ObjectionGiven, idempotencyKey?: string) =>
      call<ObjectionSummary>({ method: 'POST', path: '/v1/objections', json: given, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) }),
    /** A page, newest first; `next` continues. */
    list: (filter: ObjectionFilter = {}) => call<ObjectionPage>({ method: 'GET', path: withQuery('/v1/objections', filter) }),
    read: (id: string) => call<ObjectionView>({ method: 'GET', path: path(id) }),
    /** @param text why, or what was done: needed for all but `accept` and `close` */
    take: (id: string, action: ObjectionStepName, text?: string, idempotencyKey?: string) =>
      call<ObjectionSummary>({ method: 'POST', path: path(id, `/${nouns[action]}`), json: text === undefined ? {} : { text }, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) }),
  };
}

/** Notices of corrections, for institutions. Errors: those of the gateway, NOTICE_NOT_FOUND. */
export function noticesClient({ call }: Pick<GatewayCalls, 'call'>) {
  return {
    /** A page, newest first; `next` continues. */
    notices: (filter: NoticeFilter = {}) => call<NoticePage>({ method: 'GET', path: withQuery('/v1/notices', filter) }),
    acknowledge: (id: string) => call<NoticeView>({ method: 'POST', path: `/v1/notices/${encodeURIComponent(id)}/acknowledgement` }),
  };
}

function withQuery(path: string, filter: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const query = new URLSearchParams(Object.entries(filter).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, String(value)]])));
  return query.size === 0 ? path : `${path}?${query}`;
}
