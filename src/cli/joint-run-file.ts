import { existsSync } from 'node:fs';
import { VeilgateError } from '../errors.ts';
import type { JointSeeds } from '../sdk/joint-run.ts';
import { readSecretJson, replaceSecret } from './secret-file.ts';

/** A run as its partner keeps it. Secret: with the seeds its answers can be read and its columns told. */
export type RunFile = JointSeeds & {
  readonly format: typeof runFormat;
  readonly gateway: string;
  readonly institution: string;
  /** Null before the platform has drawn. */
  readonly run: string | null;
};
/** One on which a bundle was drawn. */
export type DrawnRunFile = RunFile & { readonly run: string };

const runFormat = 'veilgate-joint-run-1';

/** Errors: CONFIG_INVALID, CONFIG_INSECURE. */
export function readRunFile(file: string): RunFile {
  const { format, gateway, institution, project, cohort, seeds, run } = readSecretJson(file) as Partial<RunFile>;
  const texts = [gateway, institution, project, cohort, ...(Array.isArray(seeds) ? seeds : [undefined])];
  if (format !== runFormat || !texts.every((each) => typeof each === 'string') || (typeof run !== 'string' && run !== null)) {
    throw new VeilgateError('CONFIG_INVALID', 'This is no run of joint modelling: name the file that `veilgate joint run commit --out` wrote.', { file });
  }
  return { format, gateway, institution, project, cohort, seeds, run } as RunFile;
}

/** Errors: CONFIG_INVALID, also before the commitment went through; CONFIG_INSECURE. */
export function readDrawnRunFile(file: string): DrawnRunFile {
  const { run, ...rest } = readRunFile(file);
  if (run === null) throw new VeilgateError('CONFIG_INVALID', 'The commitment of this run has not gone through: run `veilgate joint run commit` with the same file again.', { file });
  return { ...rest, run };
}

/** The file of an interrupted commitment; undefined when there is none. Errors: CONFIG_INVALID, CONFIG_INSECURE. */
export function runFileIfAny(file: string): RunFile | undefined {
  return existsSync(file) ? readRunFile(file) : undefined;
}

export function writeRunFile(file: string, run: Omit<RunFile, 'format'>): RunFile {
  const content: RunFile = { format: runFormat, ...run };
  replaceSecret(file, `${JSON.stringify(content)}\n`);
  return content;
}
