import { VeilgateError } from '../errors.ts';
import { limitedBody } from './body.ts';
import { toBase64, type Bytes } from './bytes.ts';
import { acceptCosignatures } from './checkpoint.ts';
import { parseNote, parseSignatureLine, type VerifierKey } from './note.ts';

/** C2SP tlog-witness, the client's side: shows a witness a new checkpoint and gets its cosignature. */

export type Witness = {
  /** Submission prefix; `/add-checkpoint` is put behind it. */
  readonly url: string;
  readonly key: VerifierKey;
};

export type WitnessAnswer =
  | { readonly kind: 'cosigned'; /** Signature lines of this witness, verified. */ readonly lines: readonly string[] }
  /** The witness has cosigned another size last: the proof must start there. */
  | { readonly kind: 'stale'; readonly size: number }
  /** The witness answered otherwise (HTTP status) or wrongly (0). */
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'unreachable' };

export type WitnessRequest = {
  readonly witness: Witness;
  /** Signed note. */
  readonly checkpoint: string;
  /** Size the witness cosigned last, 0 for never. */
  readonly oldSize: number;
  /** Consistency proof from oldSize; empty for 0. */
  readonly proof: readonly Bytes[];
  readonly timeoutMs: number;
  readonly fetch?: typeof fetch;
};

const answerLengthMax = 65_536;

/** Sends `add-checkpoint` once. Throws nothing: a witness that fails is one cosignature fewer. */
export async function addCheckpoint({ witness, checkpoint, oldSize, proof, timeoutMs, fetch = globalThis.fetch }: WitnessRequest): Promise<WitnessAnswer> {
  const body = [`old ${oldSize}`, ...proof.map(toBase64), '', checkpoint].join('\n');
  try {
    const response = await fetch(`${witness.url.replace(/\/$/, '')}/add-checkpoint`, {
      method: 'POST', body, redirect: 'error', headers: { 'content-type': 'text/plain; charset=utf-8' }, signal: AbortSignal.timeout(timeoutMs),
    });
    const answer = await limitedBody(response, answerLengthMax);
    if (answer === undefined) return { kind: 'refused', status: 0 };
    const text = new TextDecoder().decode(answer);
    if (response.status === 409) return staleness(text);
    if (response.status !== 200) return { kind: 'refused', status: response.status };
    return await cosignatureLines(text, checkpoint, witness.key);
  } catch {
    return { kind: 'unreachable' };
  }
}

function staleness(text: string): WitnessAnswer {
  const size = /^(0|[1-9][0-9]{0,15})\n$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(size) ? { kind: 'stale', size } : { kind: 'refused', status: 0 };
}

async function cosignatureLines(text: string, checkpoint: string, key: VerifierKey): Promise<WitnessAnswer> {
  try {
    const signatures = text.replace(/\n$/, '').split('\n').map(parseSignatureLine);
    const accepted = await acceptCosignatures(parseNote(checkpoint).text, signatures, [key]);
    return accepted.length === 0 ? { kind: 'refused', status: 0 } : { kind: 'cosigned', lines: accepted.map(({ line }) => line) };
  } catch (error) {
    if (error instanceof VeilgateError) return { kind: 'refused', status: 0 };
    throw error;
  }
}
