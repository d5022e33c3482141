import { appendFileSync, closeSync, existsSync, ftruncateSync, openSync, statSync } from 'node:fs';
import { VeilgateError } from '../errors.ts';
import type { OpenedScore } from '../scoring/protocol.ts';
import { scoreLines, scoreLinesHead } from '../sdk/score-job-results.ts';
import { readJson, replaceSecret, reserveFile } from './secret-file.ts';

/** What is kept beside the results, so that an interrupted command goes on where it was. */
export type JobFile = {
  readonly format: typeof jobFormat;
  readonly gateway: string;
  readonly institution: string;
  readonly job: string;
  /** The signed request: parts open with it alone. */
  readonly request: string;
  readonly model: string;
  readonly purpose: string;
  /** Of the list, as it was signed. */
  readonly salt: string;
  readonly digest: string;
  readonly count: number;
  /** Last part whose scores are in the results, and how long the results were then. */
  readonly part: number;
  readonly bytes: number;
};

const jobFormat = 'veilgate-score-job-1';
const lengthMax = 65_536;

export function jobFileOf(results: string): string {
  return `${results}.job.json`;
}

/** The job of an interrupted run; undefined when there is none. Errors: CONFIG_INVALID. */
export function readJobFile(results: string): JobFile | undefined {
  const file = jobFileOf(results);
  if (!existsSync(file)) return undefined;
  const content = readJson(file, lengthMax) as Partial<JobFile>;
  const texts = [content.gateway, content.institution, content.job, content.request, content.model, content.purpose, content.salt, content.digest];
  if (content.format !== jobFormat || !texts.every((text) => typeof text === 'string') || ![content.count, content.part, content.bytes].every(Number.isSafeInteger)) {
    throw new VeilgateError('CONFIG_INVALID', 'This is no job of `veilgate score many`: choose another name for the results, or remove the file.', { file });
  }
  return content as JobFile;
}

/** Results whose name is taken, and nothing else yet. */
export type ReservedResults = { readonly begin: (job: Omit<JobFile, 'format' | 'part' | 'bytes'>) => JobFile; /** Gives the name back. */ readonly discard: () => void };

/** Takes the name of a results file before there is a job to fill it. Errors: CONFIG_INVALID when it is taken or cannot be written. */
export function reserveResults(results: string): ReservedResults {
  const reserved = reserveFile(results);
  return {
    begin(job) {
      reserved.write(scoreLinesHead);
      const begun: JobFile = { format: jobFormat, ...job, part: -1, bytes: Buffer.byteLength(scoreLinesHead) };
      replaceSecret(jobFileOf(results), `${JSON.stringify(begun)}\n`);
      return begun;
    },
    discard: reserved.discard,
  };
}

/** Takes away what an interruption may have left half written. */
export function cutResults(results: string, { bytes }: JobFile): void {
  const handle = openSync(results, 'r+');
  try {
    ftruncateSync(handle, bytes);
  } finally {
    closeSync(handle);
  }
}

/** Adds the scores of a part: results first, then the note that they are there. */
export function addPart(results: string, job: JobFile, part: number, scores: readonly OpenedScore[]): JobFile {
  appendFileSync(results, scoreLines(scores));
  const next = { ...job, part, bytes: statSync(results).size };
  replaceSecret(jobFileOf(results), `${JSON.stringify(next)}\n`);
  return next;
}
