import { VeilgateError } from '../errors.ts';
import { fromBase64, toBase64, type Bytes } from './bytes.ts';
import { openCheckpoint, type LogTrust, type OpenedCheckpoint } from './checkpoint.ts';
import { noteLengthMax } from './note.ts';
import { hashLength, leafHash, proofLengthMax, verifyInclusion, webSha256, type Sha256 } from './tree.ts';

/** C2SP tlog-proof: checkpoint and inclusion proof in one text that can be kept and verified without the log. */

const header = 'c2sp.org/tlog-proof@v1';

export type LogProof = { readonly index: number; readonly hashes: readonly Bytes[]; /** Signed note. */ readonly checkpoint: string };

export function formatLogProof({ index, hashes, checkpoint }: LogProof): string {
  return [header, `index ${index}`, ...hashes.map(toBase64), '', checkpoint].join('\n');
}

/** Errors: AUDIT_PROOF_INVALID. */
export function parseLogProof(text: string): LogProof {
  const malformed = () => new VeilgateError('AUDIT_PROOF_INVALID', 'This is no log proof (c2sp.org/tlog-proof@v1): fetch it again.');
  const end = text.indexOf('\n\n');
  if (end < 0 || text.length > noteLengthMax * 2) throw malformed();
  const [first, ...lines] = text.slice(0, end).split('\n');
  if (lines[0]?.startsWith('extra ')) lines.shift(); // opaque, not ours, not authenticated
  const [indexLine = '', ...hashLines] = lines;
  const index = /^index (0|[1-9][0-9]{0,15})$/.test(indexLine) ? Number(indexLine.slice(6)) : Number.NaN;
  const hashes = hashLines.map(fromBase64).filter((hash) => hash?.length === hashLength) as Bytes[];
  if (first !== header || !Number.isSafeInteger(index) || hashes.length !== hashLines.length || hashes.length > proofLengthMax) throw malformed();
  return { index, hashes, checkpoint: text.slice(end + 2) };
}

/**
 * Throws unless the proof shows that the log of `trust` holds `commitment` at `index`.
 * Errors: AUDIT_PROOF_INVALID, AUDIT_CHECKPOINT_INVALID.
 */
export async function verifyLogProof(text: string, entry: { readonly index: number; readonly commitment: Bytes }, trust: LogTrust, sha256: Sha256 = webSha256): Promise<OpenedCheckpoint> {
  const proof = parseLogProof(text);
  const checkpoint = await openCheckpoint(proof.checkpoint, trust);
  if (proof.index !== entry.index) throw new VeilgateError('AUDIT_PROOF_INVALID', 'The proof is for another entry of the log: fetch the one for this entry.');
  await verifyInclusion({
    index: entry.index, size: checkpoint.size, root: checkpoint.root, proof: proof.hashes, leafHash: await leafHash(entry.commitment, sha256),
  }, sha256);
  return checkpoint;
}
