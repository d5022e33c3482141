import { VeilgateError } from '../errors.ts';
import { concat, fromBase64, fromBase64url, sameBytes, toBase64, toHex, utf8, type Bytes } from './bytes.ts';

/** C2SP signed-note with Ed25519: a text, an empty line, signature lines. */

/** Signature types we know: plain Ed25519 (0x01) and timestamped Ed25519 cosignatures of checkpoints (0x04). */
export type SignatureType = 1 | 4;

/** A public key somebody decided to trust, with the name it signs under. */
export type VerifierKey = {
  readonly name: string;
  /** First four bytes of SHA-256(name, newline, type, public key), lower-case hex: tells signature lines apart. */
  readonly id: string;
  readonly type: SignatureType;
  /** 32 bytes, RFC 8032. */
  readonly publicKey: Bytes;
};

export type NoteSignature = {
  readonly name: string;
  readonly id: string;
  readonly signature: Bytes;
  /** The line as it stands in the note, without its newline. */
  readonly line: string;
};

export type Note = {
  /** What is signed; ends in a newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
};

/** signed-note asks for at least 16 signatures; those of ML-DSA have almost 5 kB each. */
export const noteLengthMax = 131_072;
const noteSignaturesMax = 64;
const keyNameLengthMax = 255;
/** Ed25519 public and private keys as WebCrypto names them. */
const ed25519 = { name: 'Ed25519' } as const;

/** Reads a signed note without verifying anything. Errors: AUDIT_CHECKPOINT_INVALID. */
export function parseNote(note: string): Note {
  // every control character but the newline is forbidden, and so is text that is no Unicode
  if (note.length > noteLengthMax || /[\u0000-\u0009\u000b-\u001f]/.test(note) || !note.isWellFormed()) refuse();
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) refuse();
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > noteSignaturesMax) refuse();
  return { text: note.slice(0, end + 1), signatures: lines.map(parseSignatureLine) };
}

/** Reads one signature line, without its newline. Errors: AUDIT_CHECKPOINT_INVALID. */
export function parseSignatureLine(line: string): NoteSignature {
  const [dash, name, encoded, ...more] = line.split(' ');
  const bytes = fromBase64(encoded ?? '');
  if (dash !== '\u2014' || name === undefined || !isKeyName(name) || bytes === undefined || bytes.length < 5 || more.length > 0) refuse();
  return { name, id: toHex(bytes.subarray(0, 4)), signature: bytes.slice(4), line };
}

/** Writes a signature line, without its newline. */
export function signatureLine(key: Pick<VerifierKey, 'name' | 'id'>, signature: Uint8Array): string {
  const id = Uint8Array.from(key.id.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  return `\u2014 ${key.name} ${toBase64(concat(id, signature))}`;
}

/** The signatures under the note that claim to be by this key: same name and same key id. */
export function signaturesBy(note: Note, key: VerifierKey): NoteSignature[] {
  return note.signatures.filter(({ name, id }) => name === key.name && id === key.id);
}

export async function verifyEd25519(key: VerifierKey, signature: Bytes, message: Bytes): Promise<boolean> {
  if (signature.length !== 64) return false;
  const imported = await crypto.subtle.importKey('raw', key.publicKey, ed25519, false, ['verify']).catch(() => undefined);
  return imported !== undefined && crypto.subtle.verify(ed25519, imported, signature, message);
}

/** The key under a name, with its id worked out. Errors: CONFIG_INVALID. */
export async function verifierKey(name: string, type: SignatureType, publicKey: Bytes): Promise<VerifierKey> {
  if (!isKeyName(name)) throw new VeilgateError('CONFIG_INVALID', 'A log key\'s name holds no blanks, no plus sign and at most 255 characters: use an address without its scheme.');
  if (publicKey.length !== 32) throw new VeilgateError('CONFIG_INVALID', 'A log key has 32 bytes (Ed25519): check the key text.');
  const digest = await crypto.subtle.digest('SHA-256', concat(utf8(`${name}\n`), Uint8Array.of(type), publicKey));
  return { name, id: toHex(new Uint8Array(digest, 0, 4)), type, publicKey };
}

/** Reads a vkey: `name+id+base64(type, public key)`. Errors: CONFIG_INVALID. */
export async function parseVerifierKey(text: string): Promise<VerifierKey> {
  const [, name = '', id = '', encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text) ?? [];
  const bytes = fromBase64(encoded);
  const type = bytes?.[0];
  if (bytes === undefined || (type !== 1 && type !== 4)) {
    throw new VeilgateError('CONFIG_INVALID', 'This is no verifier key of a log or witness (name+id+base64, Ed25519): copy it again from its operator.');
  }
  const key = await verifierKey(name, type, bytes.slice(1));
  if (key.id !== id) throw new VeilgateError('CONFIG_INVALID', 'The verifier key\'s id does not fit its name and key: copy it again from its operator.');
  return key;
}

export function formatVerifierKey(key: VerifierKey): string {
  return `${key.name}+${key.id}+${toBase64(concat(Uint8Array.of(key.type), key.publicKey))}`;
}

/** True when two verifier keys are the same key, under whatever names. */
export function sameKey(a: VerifierKey, b: VerifierKey): boolean {
  return sameBytes(a.publicKey, b.publicKey);
}

/** An Ed25519 private key as RFC 8037 writes it; never leaves the process that reads it. */
export type PrivateJwk = { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string; readonly d: string };

/** A private key with its public half; `sign` gives 64 bytes. Errors: CONFIG_INVALID. */
export async function signingKey(name: string, type: SignatureType, jwk: PrivateJwk): Promise<{ key: VerifierKey; sign: (message: Bytes) => Promise<Bytes> }> {
  const { kty, crv, x, d } = jwk;
  const unusable = () => new VeilgateError('CONFIG_INVALID', 'The log\'s signing key is no Ed25519 key pair (JWK, RFC 8037): make a new one.');
  const imported = await crypto.subtle.importKey('jwk', { kty, crv, x, d }, ed25519, false, ['sign']).catch(() => { throw unusable(); });
  const sign = async (message: Bytes) => new Uint8Array(await crypto.subtle.sign(ed25519, imported, message));
  const key = await verifierKey(name, type, fromBase64url(x) ?? new Uint8Array(0));
  // a public half that does not fit would make every checkpoint worthless, and nobody would notice here
  const trial = utf8(name);
  if (!await verifyEd25519(key, await sign(trial), trial)) throw unusable();
  return { key, sign };
}

function isKeyName(name: string): boolean {
  return name.length > 0 && name.length <= keyNameLengthMax && name.isWellFormed() && !/[\p{White_Space}\p{Cc}+]/u.test(name);
}

function refuse(): never {
  throw new VeilgateError('AUDIT_CHECKPOINT_INVALID', 'This is no signed note (text, empty line, signature lines): fetch the checkpoint again.', { fault: 'malformed' });
}
