import { fromBase64url, sameBytes } from '../audit/bytes.ts';
import { commitmentOf } from '../audit/entry.ts';
import type { LogTrust } from '../audit/checkpoint.ts';
import { verifyLogProof } from '../audit/proof.ts';
import { VeilgateError } from '../errors.ts';
import type { EntryView } from './auditor.ts';
import type { GatewayCalls } from './connection.ts';
import { logTrust } from './log.ts';

/** An entry with all that shows it to be in the log, for somebody to keep: whoever has the log's key can check it without the platform. */
export type EntryProof = {
  readonly format: typeof entryProofFormat;
  readonly entry: EntryView;
  /** C2SP tlog-proof: inclusion proof and signed checkpoint. */
  readonly proof: string;
  /** Verifier key of the log, as the platform publishes it. */
  readonly log_key: string;
};

export const entryProofFormat = 'veilgate-entry-1';
/** Characters: a record has at most 64 KiB, an inclusion proof a few. */
export const entryProofLengthMax = 1_048_576;

/** Errors: CONFIG_INVALID. */
export function entryProofOf(content: unknown): EntryProof {
  const { format, entry, proof, log_key: logKey } = (content ?? {}) as Partial<EntryProof>;
  const isEntry = typeof entry === 'object' && entry !== null && Number.isSafeInteger(entry.index) && typeof entry.commitment === 'string' && (typeof entry.salt === 'string' || entry.salt === null)
    && typeof entry.record === 'object';
  if (format !== entryProofFormat || !isEntry || typeof proof !== 'string' || typeof logKey !== 'string') {
    throw new VeilgateError('CONFIG_INVALID', 'This is no saved entry: name a file that the console or `veilgate audit entry --out` wrote.');
  }
  return { format, entry, proof, log_key: logKey };
}

/** @returns the proof, and how many entries the signed log has that includes the entry. Errors: AUDIT_PROOF_INVALID, AUDIT_CHECKPOINT_INVALID; AUDIT_ENTRY_NOT_FOUND until a checkpoint counts it. */
export async function proveEntry({ send }: Pick<GatewayCalls, 'send'>, entry: EntryView): Promise<{ readonly proof: EntryProof; readonly size: number }> {
  const text = async (path: string) => (await send({ method: 'GET', path })).text();
  const proof: EntryProof = {
    format: entryProofFormat, entry, proof: await text(`/v1/log/entries/${entry.index}/proof`), log_key: (await text('/v1/log/key')).trim(),
  };
  return { proof, size: await checkEntryProof(proof) };
}

/**
 * Throws unless the entry's content is what the log commits to, at that place.
 * @param trust whom the holder trusts; when absent, the key that the file names
 * @returns size of the signed log. Errors: AUDIT_PROOF_INVALID, AUDIT_CHECKPOINT_INVALID.
 */
export async function checkEntryProof({ entry, proof, log_key: logKey }: EntryProof, trust?: LogTrust): Promise<number> {
  const commitment = fromBase64url(entry.commitment);
  if (commitment === undefined) throw differs();
  // an erased entry has no content left to compare; that it stood there is still shown
  if (entry.record !== null) {
    const salt = entry.salt === null ? undefined : fromBase64url(entry.salt);
    if (salt === undefined || !sameBytes(await commitmentOf(entry.record, salt), commitment)) throw differs();
  }
  return (await verifyLogProof(proof, { index: entry.index, commitment }, trust ?? await logTrust([logKey]))).size;
}

function differs(): VeilgateError {
  return new VeilgateError('AUDIT_PROOF_INVALID', 'The entry is not the one that the log commits to: keep what you were shown, and report it to the platform and its auditor.');
}
