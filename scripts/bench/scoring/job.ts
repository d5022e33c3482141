import { connect } from '../../../src/sdk/connection.ts';
import { askedSubjects, digestList, openScoreJobPart, scoreJobsClient } from '../../../src/sdk/score-jobs.ts';
import { scoresClient } from '../../../src/sdk/scores.ts';
import type { OpenedScore } from '../../../src/scoring/protocol.ts';
import { sampleSubject } from '../../sample/subjects.ts';
import { purpose, seed } from '../load/platform.ts';
import type { ScoreBenchWorld } from './world.ts';

export type JobResult = {
  /** From opening the job to the last opened score. */
  readonly seconds: number;
  /** Of these: handing in the signed list, finding out who may be scored, and everything after. */
  readonly listSeconds: number;
  readonly planSeconds: number;
  /** Opened raw scores, by enterprise number. */
  readonly raw: Int32Array;
};

const pollMs = 50;

/** The whole job over HTTP, as a bank's SDK runs it: list, progress, parts fetched and opened while others are being made. */
export async function runScoreJob({ platform, openable }: ScoreBenchWorld, enterprises: number): Promise<JobResult> {
  const connection = await connect({ gateway: platform.gatewayUrl, credentials: platform.bank, scope: 'query' });
  const jobs = scoreJobsClient(connection);
  const model = openable.model.ref;
  const listed = Array.from({ length: enterprises }, (_, n) => ({ subject: sampleSubject(n, seed) }));
  const subjects = askedSubjects(listed.map(({ subject }) => subject));
  const opening = await scoresClient(connection).openable(model);
  const startMs = performance.now();
  const { request, job: opened } = await jobs.open({ model, purpose }, await digestList(listed));
  let job = await jobs.submit(opened, listed);
  const listSeconds = (performance.now() - startMs) / 1000;
  let planSeconds = 0;
  const scores: OpenedScore[] = [];
  let last = -1;
  const fetched = new Set<number>();
  for (let ended = false; !ended;) {
    job = await jobs.progress(job.job);
    ended = job.finished_at !== null;
    if (planSeconds === 0 && job.state !== 'planning') planSeconds = (performance.now() - startMs) / 1000 - listSeconds;
    // parts are done in about their order: what is behind the last seen number is asked for at the end
    for (const n of await jobs.parts(job.job, ended ? -1 : last)) {
      last = Math.max(last, n);
      if (fetched.has(n)) continue;
      fetched.add(n);
      scores.push(...await openScoreJobPart(await jobs.part(job.job, n), { request, job: job.job, model, subjects }, opening, connection));
    }
    if (!ended) await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  const seconds = (performance.now() - startMs) / 1000;
  if (job.state !== 'done' || scores.length !== enterprises) throw new Error(`the job is ${job.state} with ${scores.length} scores; ${JSON.stringify((await jobs.unscored(job.job).next()).value)}`);
  const numbers = new Map(listed.map(({ subject }, n) => [subject, n]));
  const raw = new Int32Array(enterprises);
  for (const one of scores) raw[numbers.get(one.subject) as number] = one.raw;
  return { seconds, listSeconds, planSeconds, raw };
}
