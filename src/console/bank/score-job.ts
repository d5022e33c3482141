import type { ListedSubject, ScoreJob, ScoreJobAsk, Unscored } from '../../sdk/score-jobs.ts';
import { askedSubjects, digestList, openScoreJobPart, scoreJobsClient } from '../../sdk/score-jobs.ts';
import { checkScoreJobPart, scoreLines, scoreLinesHead } from '../../sdk/score-job-results.ts';
import { scoresClient } from '../../sdk/scores.ts';
import { fromBase64url } from '../../audit/bytes.ts';
import type { SigningCalls } from '../../sdk/connection.ts';
import type { JSONWebKeySet } from 'jose';
import { browserStore } from './browser-store.ts';

/** What this browser keeps of a job it began: parts open with the request alone. Names no enterprise. */
export type KeptJob = { readonly job: string; readonly request: string; readonly model: string; readonly salt: string; readonly digest: string };

export const keptJobs = browserStore<KeptJob>('veilgate-score-jobs', 'jobs');

/** Opens a job, or goes on with the one that was interrupted, and hands in the list. @param onSent chunks that are there */
export async function scoreList(calls: SigningCalls, ask: ScoreJobAsk, subjects: readonly ListedSubject[], opened: { job?: string }, onSent: (chunks: number) => void): Promise<ScoreJob> {
  const client = scoreJobsClient(calls);
  if (opened.job !== undefined) return client.submit(await client.progress(opened.job), subjects, onSent);
  const list = await digestList(subjects);
  const { request, job } = await client.open(ask, list);
  await keptJobs.put(job.job, { job: job.job, request, model: ask.model, salt: list.salt, digest: list.digest });
  opened.job = job.job;
  return client.submit(job, subjects, onSent);
}

/** True when these are the enterprises the job was begun with, in the same order. */
export async function isListOf(kept: KeptJob, subjects: readonly ListedSubject[]): Promise<boolean> {
  return (await digestList(subjects, fromBase64url(kept.salt) as Uint8Array<ArrayBuffer>)).digest === kept.digest;
}

/** Opens every part that can be fetched and checks its receipt. @returns CSV. Errors: those of the gateway, SCORE_UNREADABLE, AUDIT_RECEIPT_INVALID */
export async function openResults(calls: SigningCalls, kept: KeptJob, subjects: readonly ListedSubject[], keys: JSONWebKeySet, onPart: (part: number) => void): Promise<{ readonly csv: string; readonly count: number }> {
  const client = scoreJobsClient(calls);
  const openable = await scoresClient(calls).openable(kept.model);
  const asked = { ...kept, subjects: askedSubjects(subjects.map(({ subject }) => subject)) };
  const lines = [scoreLinesHead];
  let count = 0;
  for (let after = -1, numbers = await client.parts(kept.job); numbers.length > 0; numbers = await client.parts(kept.job, after)) {
    for (const n of numbers) {
      onPart(n + 1);
      const part = await client.part(kept.job, n);
      await checkScoreJobPart(part, kept.request, keys, calls);
      const scores = await openScoreJobPart(part, asked, openable, calls);
      lines.push(scoreLines(scores));
      count += scores.length;
      after = n;
    }
  }
  return { csv: lines.join(''), count };
}

/** Everybody of the list who is not scored, and why. */
export async function readUnscored(calls: SigningCalls, job: string): Promise<readonly Unscored[]> {
  const all: Unscored[] = [];
  for await (const one of scoreJobsClient(calls).unscored(job)) all.push(one);
  return all;
}
