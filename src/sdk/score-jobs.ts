import { canonicalJson } from '../canonical.ts';
import { openScore, type OpenableModel } from '../scoring/model/open.ts';
import type { AskedSubjects } from '../scoring/run/asked-subjects.ts';
import { unreadable } from '../scoring/run/halves.ts';
import { beginListDigest, chunkLines, chunkSubjectsMax, digestOfLines, extendListDigest, type ListedSubject } from '../scoring/job/list-digest.ts';
import type { ModelRef, OpenedScore, SealedScores } from '../scoring/protocol.ts';
import { sha256Hex } from './bank.ts';
import type { SigningCalls } from './connection.ts';
import { openHalves, signScoreClaims } from './scores.ts';

export type { ListedSubject } from '../scoring/job/list-digest.ts';
export { askedSubjects } from '../scoring/run/asked-subjects.ts';

/** Under which model and for what a list is scored. */
export type ScoreJobAsk = {
  /** `name@version`. */
  readonly model: string;
  readonly purpose: string;
  /** How long the job may take; 7 days at most. */
  readonly lifetimeS?: number;
};

/** A list as it is signed: its digest, its length, and the salt that keeps it from being guessed. */
export type DigestedList = { readonly salt: string; readonly digest: string; readonly count: number };

export type ScoreJob = {
  readonly job: string;
  readonly state: 'open' | 'planning' | 'running' | 'done' | 'cancelled' | 'stopped';
  /** Why it was stopped. */
  readonly reason: string | null;
  readonly repeats: string | null;
  readonly model: string;
  readonly purpose: string;
  readonly list: { readonly count: number; readonly received: number; readonly chunks: number; readonly next: number };
  readonly planned_chunks: number;
  readonly parts: { readonly total: number; readonly pending: number; readonly released: number; readonly empty: number; readonly failed: number; readonly stopped: number };
  readonly scored: number;
  readonly unscored: number;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly expires_at: string;
  readonly results_until: string | null;
};

/** One block of results as it travels. */
export type ScoreJobPart = {
  readonly job: string;
  readonly part: number;
  readonly purpose: string;
  readonly policy: string;
  readonly model: string;
  readonly parameters: string;
  readonly custodian: string;
  readonly count: number;
  readonly sealed: SealedScores;
  readonly subjects_salt: string;
  readonly entry: { readonly index: number; readonly salt: string; readonly record: Readonly<Record<string, unknown>> };
  readonly receipt: string;
};

export type Unscored = { readonly subject: string; readonly reason: string };
type ReportPage = { readonly unscored: readonly Unscored[]; readonly next: string | null };

export const jobLifetimeS = 7 * 86_400;

/** Cuts a list into the chunks it travels in, however it comes. */
export async function* chunked(subjects: Iterable<ListedSubject> | AsyncIterable<ListedSubject>): AsyncGenerator<readonly ListedSubject[]> {
  let chunk: ListedSubject[] = [];
  for await (const subject of subjects) {
    chunk.push(subject);
    if (chunk.length < chunkSubjectsMax) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** Reads a list once, for what is signed; it is read a second time to be sent. */
export async function digestList(subjects: Iterable<ListedSubject> | AsyncIterable<ListedSubject>, salt = crypto.getRandomValues(new Uint8Array(32))): Promise<DigestedList> {
  let digest = await beginListDigest(salt);
  let count = 0;
  for await (const chunk of chunked(subjects)) {
    digest = await extendListDigest(digest, await digestOfLines(chunkLines(chunk)));
    count += chunk.length;
  }
  return { salt: base64url(salt), digest, count };
}

/** Many scores as a bank asks for them. The same code runs in Node and in a browser. */
export function scoreJobsClient(connection: SigningCalls) {
  const path = (job: string, rest = '') => `/v1/score-jobs/${encodeURIComponent(job)}${rest}`;
  const sign = (ask: ScoreJobAsk, { digest, count }: Pick<DigestedList, 'digest' | 'count'>) =>
    signScoreClaims(connection, { kind: 'many', model: ask.model, purpose: ask.purpose, subjects: digest, count, lifetimeS: ask.lifetimeS ?? jobLifetimeS });

  return {
    /** Opens a job for a list. @returns the signed request too: parts open with it alone */
    async open(ask: ScoreJobAsk, list: DigestedList): Promise<{ readonly request: string; readonly job: ScoreJob }> {
      const request = await sign(ask, list);
      return { request, job: await connection.call<ScoreJob>({ method: 'POST', path: '/v1/score-jobs', json: { request, salt: list.salt } }) };
    },
    /** Hands in chunks from `list.next` on, then begins. Interrupted, it can be called again. @param onSent chunks that are there */
    async submit(job: ScoreJob, subjects: Iterable<ListedSubject> | AsyncIterable<ListedSubject>, onSent?: (chunks: number) => void): Promise<ScoreJob> {
      let n = 0;
      for await (const chunk of chunked(subjects)) {
        if (n >= job.list.next) await connection.call({ method: 'PUT', path: path(job.job, `/list/${n}`), body: { type: 'application/x-ndjson', content: chunkLines(chunk) } });
        n += 1;
        onSent?.(n);
      }
      return connection.call<ScoreJob>({ method: 'POST', path: path(job.job, '/start') });
    },
    /** The same list again under a new request: it begins at once. */
    async repeat(earlier: string, ask: ScoreJobAsk, list: Pick<DigestedList, 'digest' | 'count'>): Promise<{ readonly request: string; readonly job: ScoreJob }> {
      const request = await sign(ask, list);
      return { request, job: await connection.call<ScoreJob>({ method: 'POST', path: path(earlier, '/runs'), json: { request } }) };
    },
    progress: (job: string) => connection.call<ScoreJob>({ method: 'GET', path: path(job) }),
    list: async () => (await connection.call<{ readonly jobs: readonly ScoreJob[] }>({ method: 'GET', path: '/v1/score-jobs' })).jobs,
    /** Stops what is not released yet. */
    cancel: (job: string) => connection.call<ScoreJob>({ method: 'DELETE', path: path(job) }),
    /** Has the list of a job forgotten, and every job over it with its results. Errors: SCORE_JOB_STATE_CONFLICT while one is under way. */
    forget: (job: string) => connection.call<unknown>({ method: 'DELETE', path: path(job, '/list') }),
    /** Numbers of parts that can be fetched, behind `after`. */
    parts: async (job: string, after = -1) => (await connection.call<{ readonly parts: readonly number[] }>({ method: 'GET', path: path(job, `/parts?after=${after}`) })).parts,
    part: (job: string, n: number) => connection.call<ScoreJobPart>({ method: 'GET', path: path(job, `/parts/${n}`) }),
    /** Who is not scored, page by page. */
    async *unscored(job: string): AsyncGenerator<Unscored> {
      for (let after: string | null = ''; after !== null;) {
        const page: ReportPage = await connection.call<ReportPage>({ method: 'GET', path: path(job, `/report${after === '' ? '' : `?after=${after}`}`) });
        yield* page.unscored;
        after = page.next;
      }
    },
  };
}

export type ScoreJobsClient = ReturnType<typeof scoreJobsClient>;

/**
 * Opens a part: both halves, the log's digests of what was released and to whom.
 * @param asked the enterprises of the list: nobody else may be in the part
 * Errors: DISCLOSURE_KEY_MISSING, SCORE_UNREADABLE.
 */
export async function openScoreJobPart(part: ScoreJobPart, asked: { readonly request: string; readonly job: string; readonly model: string; readonly subjects: AskedSubjects }, openable: OpenableModel, own: Pick<SigningCalls, 'gateway' | 'credentials'>): Promise<readonly OpenedScore[]> {
  if (part.job !== asked.job || part.model !== asked.model) throw unreadable();
  const unmasked = await openHalves(part.sealed, {
    model: asked.model as ModelRef, openable, subjects: asked.subjects, custodian: part.custodian, parameters: part.parameters, requestDigest: await sha256Hex(asked.request),
  }, own);
  const { subjects, count, answer } = part.entry.record as { readonly subjects?: unknown; readonly count?: unknown; readonly answer?: unknown };
  if (count !== unmasked.subjects.length || subjects !== await sha256Hex(canonicalJson({ salt: part.subjects_salt, subjects: unmasked.subjects }))) throw unreadable();
  if (answer !== await scoreJobPartDigest(part)) throw unreadable();
  return openScore(openable, unmasked);
}

/** What a receipt calls `answer`: over the part as it travelled, without the receipt and the log's record. */
export function scoreJobPartDigest({ entry: _entry, receipt: _receipt, subjects_salt: _salt, ...answer }: ScoreJobPart): Promise<string> {
  return sha256Hex(canonicalJson(answer));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
