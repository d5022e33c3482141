import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { toBase64 } from '../audit/bytes.ts';
import { openCheckpoint, type Checkpoint, type LogTrust } from '../audit/checkpoint.ts';
import { httpLogReader } from '../audit/http-reader.ts';
import type { LogReader } from '../audit/log-reader.ts';
import { noteLengthMax, parseVerifierKey } from '../audit/note.ts';
import { verifyLog, type LogReport } from '../audit/verify.ts';
import { VeilgateError } from '../errors.ts';
import { progressLine } from './progress.ts';
import { pairs } from './table.ts';
import type { Output } from './terminal.ts';

export type TrustFlags = { readonly key?: readonly string[]; readonly witness?: readonly string[]; readonly witnessesMin?: number };

/** Whom the user trusts. The log's name is its key's name. Errors: CONFIG_INVALID. */
export async function trustOf({ key = [], witness = [], witnessesMin }: TrustFlags): Promise<LogTrust> {
  const logKeys = await Promise.all(key.map(parseVerifierKey));
  const [first, ...others] = logKeys;
  if (first === undefined) throw new VeilgateError('CONFIG_INVALID', 'Say whom you trust: --key VKEY, learned from the platform\'s operator in a way that cannot be forged.');
  if (others.some(({ name }) => name !== first.name)) throw new VeilgateError('CONFIG_INVALID', 'The keys are of different logs: name keys of one.');
  const witnesses = await Promise.all(witness.map(parseVerifierKey));
  return { origin: first.name, logKeys, witnesses, witnessesMin: witnessesMin ?? witnesses.length };
}

export type VerifyRun = {
  readonly url: string;
  readonly trust: LogTrust;
  /** File that keeps the newest checkpoint that was found right. */
  readonly remember: string | undefined;
  readonly records: LogReader['records'] | undefined;
  readonly timeoutMs: number;
  readonly watch: Output;
};

/** Verifies a log over HTTP and remembers its checkpoint when it is sound. Errors: AUDIT_UNAVAILABLE, AUDIT_ENTRY_NOT_FOUND, CONFIG_INVALID. */
export async function verifyRemembered({ url, trust, remember, records, timeoutMs, watch }: VerifyRun): Promise<{ readonly report: LogReport; readonly rememberedSize: number | undefined }> {
  const remembered = remember === undefined ? undefined : await readRemembered(remember, trust);
  const progress = progressLine(watch, (done, all) => `${done} of ${all} entries`);
  const reader = httpLogReader({ url, timeoutMs, ...(records === undefined ? {} : { records }) });
  const report = await verifyLog(reader, {
    trust, ...(remembered === undefined ? {} : { remembered }), onProgress: ({ verified, size }) => progress.show(verified, size),
  }).finally(progress.clear);
  if (report.kind === 'sound' && remember !== undefined) keep(remember, report.checkpoint.note);
  return { report, rememberedSize: remembered?.size };
}

/** Only the log's own signature is asked for: witnesses may have changed since. */
async function readRemembered(file: string, { origin, logKeys }: LogTrust): Promise<Checkpoint | undefined> {
  if (!existsSync(file)) return undefined;
  let note: string;
  try {
    note = readFileSync(file, 'utf8');
    if (note.length > noteLengthMax) throw new RangeError('too long');
  } catch {
    throw new VeilgateError('CONFIG_INVALID', 'The remembered checkpoint cannot be read: look at the file before you remove it.', { file });
  }
  return openCheckpoint(note, { origin, logKeys });
}

/** In one step: a crash leaves the old checkpoint or the new one. */
function keep(file: string, note: string): void {
  const fresh = `${file}.${process.pid}.new`;
  try {
    writeFileSync(fresh, note, { mode: 0o644 });
    renameSync(fresh, file);
  } catch {
    throw new VeilgateError('CONFIG_INVALID', 'The checkpoint cannot be remembered in this file: choose another one.', { file });
  }
}

/** A report for people. */
export function reportText(report: LogReport, rememberedSize: number | undefined): string {
  if (report.kind === 'unsound') {
    const { kind, index, until, message } = report.fault;
    const where = index === null ? 'the log as a whole' : until === null || until === index + 1 ? `entry ${index}` : `one of the entries ${index} to ${until - 1}`;
    return `NOT SOUND: ${where}: ${message}\n${pairs({ fault: kind, 'found right before it': report.verified })}`;
  }
  const { checkpoint, records } = report;
  return `The log is sound.\n${pairs({
    log: checkpoint.origin, entries: checkpoint.size, 'root hash': toBase64(checkpoint.root),
    witnesses: checkpoint.cosignatures.length === 0 ? undefined : checkpoint.cosignatures.map(({ witness, atS }) => `${witness} ${new Date(atS * 1000).toISOString()}`),
    records: records.verified + records.erased === 0 ? 'not looked at' : `${records.verified} agree with their entries, ${records.erased} erased and accounted for`,
    continues: rememberedSize === undefined ? undefined : `the log of ${rememberedSize} entries seen before`,
  })}`;
}

/** The same for machines. */
export function reportJson(report: LogReport, rememberedSize: number | undefined): object {
  if (report.kind === 'unsound') return report;
  const { checkpoint: { origin, size, root, note, cosignatures }, records } = report;
  return { kind: report.kind, checkpoint: { origin, size, root: toBase64(root), note, cosignatures }, records, remembered_size: rememberedSize ?? null };
}
