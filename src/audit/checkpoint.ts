import { VeilgateError } from '../errors.ts';
import { concat, fromBase64, toBase64, utf8, type Bytes } from './bytes.ts';
import { parseNote, sameKey, signatureLine, signaturesBy, signingKey, verifyEd25519, type Note, type NoteSignature, type PrivateJwk, type VerifierKey } from './note.ts';
import { hashLength } from './tree.ts';

/** C2SP tlog-checkpoint and tlog-cosignature (Ed25519): what a log says its tree is, signed by it and by witnesses. */

/** What a log signs. */
export type Checkpoint = {
  /** Name of the log, such as `gateway.example/log`. */
  readonly origin: string;
  /** Entries in the tree. */
  readonly size: number;
  readonly root: Bytes;
};

/** Whom a reader trusts, decided beforehand and never taken from the log itself. */
export type LogTrust = {
  readonly origin: string;
  /** Keys of the log (type 1), more than one while a key is being replaced; one good signature is enough. */
  readonly logKeys: readonly VerifierKey[];
  /** Keys of witnesses (type 4). */
  readonly witnesses?: readonly VerifierKey[];
  /** How many different witnesses must have cosigned; 0 when absent. */
  readonly witnessesMin?: number;
};

export type Cosignature = { readonly witness: string; /** Seconds since the epoch. */ readonly atS: number };

export type OpenedCheckpoint = Checkpoint & {
  /** The signed note as it was given. */
  readonly note: string;
  readonly cosignatures: readonly Cosignature[];
};

/** Signs checkpoints of one log. */
export type CheckpointSigner = {
  readonly origin: string;
  readonly key: VerifierKey;
  /** @returns the signed note */
  readonly sign: (tree: { readonly size: number; readonly root: Bytes }) => Promise<string>;
};

/** Signs checkpoints of others, as a witness does. */
export type Cosigner = {
  readonly key: VerifierKey;
  /** @returns a signature line without newline; `text` is the note's text, `atS` seconds since the epoch */
  readonly cosign: (text: string, atS: number) => Promise<string>;
};

/** The note text of a checkpoint. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${toBase64(root)}\n`;
}

/** Reads a note text of three lines or more; extension lines are allowed and mean nothing. Errors: AUDIT_CHECKPOINT_INVALID. */
export function parseCheckpointText(text: string): Checkpoint {
  const [origin, sizeText, rootText, ...extensions] = text.slice(0, -1).split('\n');
  const root = fromBase64(rootText ?? '');
  const size = /^(0|[1-9][0-9]{0,15})$/.test(sizeText ?? '') ? Number(sizeText) : Number.NaN;
  if (!text.endsWith('\n') || origin === undefined || origin === '' || !Number.isSafeInteger(size) || root?.length !== hashLength || extensions.includes('')) {
    throw new VeilgateError('AUDIT_CHECKPOINT_INVALID', 'The signed note is no checkpoint (origin, size, root hash): fetch it again.', { fault: 'malformed' });
  }
  return { origin, size, root };
}

/** Signer of a log: `origin` is the log's name and its key's name. Errors: CONFIG_INVALID. */
export async function checkpointSigner(origin: string, jwk: PrivateJwk): Promise<CheckpointSigner> {
  const { key, sign } = await signingKey(origin, 1, jwk);
  return {
    origin,
    key,
    async sign(tree) {
      const text = checkpointText({ origin, ...tree });
      return `${text}\n${signatureLine(key, await sign(utf8(text)))}\n`;
    },
  };
}

/** Signer of a witness. Errors: CONFIG_INVALID. */
export async function cosigner(name: string, jwk: PrivateJwk): Promise<Cosigner> {
  const { key, sign } = await signingKey(name, 4, jwk);
  return {
    key,
    async cosign(text, atS) {
      const time = new Uint8Array(8);
      new DataView(time.buffer).setBigUint64(0, BigInt(atS));
      return signatureLine(key, concat(time, await sign(cosignedMessage(text, atS))));
    },
  };
}

/**
 * Reads a checkpoint and verifies what the reader's trust asks for. A signature that claims to be by a trusted
 * key and is not makes the whole note invalid; signatures by strangers are passed over.
 * Errors: AUDIT_CHECKPOINT_INVALID with detail.fault `malformed | origin | signature | witnesses`.
 */
export async function openCheckpoint(note: string, trust: LogTrust): Promise<OpenedCheckpoint> {
  requireTrust(trust);
  const parsed = parseNote(note);
  const checkpoint = parseCheckpointText(parsed.text);
  if (checkpoint.origin !== trust.origin) invalid('origin', 'The checkpoint belongs to another log: look at the address it was fetched from.');
  const bySigners = await Promise.all(trust.logKeys.map((key) => verifyAll(parsed, key)));
  if (!bySigners.includes('good') || bySigners.includes('bad')) {
    invalid('signature', 'The checkpoint is not signed by the log: do not rely on it, and tell the auditor.');
  }
  const cosignatures = await readCosignatures(parsed, trust.witnesses ?? []);
  if (cosignatures.length < (trust.witnessesMin ?? 0)) {
    invalid('witnesses', 'Too few witnesses have cosigned the checkpoint: wait for the next one, and if this goes on tell the auditor.');
  }
  return { ...checkpoint, note, cosignatures };
}

/** The valid cosignature lines of known witnesses among `lines` over the note text; one per witness. Errors: AUDIT_CHECKPOINT_INVALID. */
export async function acceptCosignatures(text: string, signatures: readonly NoteSignature[], witnesses: readonly VerifierKey[]): Promise<(Cosignature & { line: string })[]> {
  const note: Note = { text, signatures };
  const accepted = await Promise.all(witnesses.map(async (key) => {
    const [first, ...others] = signaturesBy(note, key);
    if (first === undefined) return undefined;
    const times = await Promise.all([first, ...others].map((signature) => cosignatureTime(text, key, signature)));
    if (times.includes(undefined)) invalid('signature', 'A witness\'s signature under the checkpoint is wrong: do not rely on the checkpoint, and tell the auditor.');
    return { witness: key.name, atS: times[0]!, line: first.line };
  }));
  return accepted.filter((cosignature) => cosignature !== undefined);
}

async function readCosignatures(note: Note, witnesses: readonly VerifierKey[]): Promise<Cosignature[]> {
  const accepted = await acceptCosignatures(note.text, note.signatures, witnesses);
  return accepted.map(({ witness, atS }) => ({ witness, atS }));
}

async function verifyAll(note: Note, key: VerifierKey): Promise<'good' | 'bad' | 'absent'> {
  const message = utf8(note.text);
  const verdicts = await Promise.all(signaturesBy(note, key).map(({ signature }) => verifyEd25519(key, signature, message)));
  if (verdicts.length === 0) return 'absent';
  return verdicts.every(Boolean) ? 'good' : 'bad';
}

/** Seconds since the epoch when the witness signed; undefined when the signature is wrong. */
async function cosignatureTime(text: string, key: VerifierKey, { signature }: NoteSignature): Promise<number | undefined> {
  if (signature.length !== 72) return undefined;
  const time = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
  const atS = Number(time);
  // zero is for subtrees: a witness of a checkpoint says when it looked
  if (atS === 0 || !Number.isSafeInteger(atS)) return undefined;
  return (await verifyEd25519(key, signature.slice(8), cosignedMessage(text, atS))) ? atS : undefined;
}

function cosignedMessage(text: string, atS: number): Bytes {
  return utf8(`cosignature/v1\ntime ${atS}\n${text}`);
}

/** A trust that would let one key count twice, or a log's key count as a witness, is a mistake. */
function requireTrust({ logKeys, witnesses = [], witnessesMin = 0 }: LogTrust): void {
  const keys = [...logKeys, ...witnesses];
  const doubled = keys.some((key, at) => keys.slice(0, at).some((earlier) => sameKey(earlier, key)));
  if (logKeys.length === 0 || doubled || logKeys.some(({ type }) => type !== 1) || witnesses.some(({ type }) => type !== 4) || witnessesMin > witnesses.length) {
    throw new VeilgateError('CONFIG_INVALID', 'Trust in a log names at least one log key, every key once, and no more required witnesses than there are: correct it.');
  }
}

function invalid(fault: string, message: string): never {
  throw new VeilgateError('AUDIT_CHECKPOINT_INVALID', message, { fault });
}
