import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { VeilgateError } from '../../errors.ts';

/** Secrets of 32 bytes by version; the current one seals. */
export type MaskSecrets = { readonly secrets: ReadonlyMap<number, Uint8Array>; readonly currentVersion: number };

const algorithm = 'aes-256-gcm';
const versionBytes = 4;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Seals the secret of an alignment for as long as it runs: whoever reads the database cannot undo the blinding of
 * codes. Version ‖ nonce ‖ ciphertext ‖ tag. @param run opening under another run's id fails
 */
export function sealSecret({ secrets, currentVersion }: MaskSecrets, run: string, secret: Uint8Array): Buffer {
  const header = Buffer.alloc(versionBytes + nonceBytes);
  header.writeUInt32LE(currentVersion);
  randomBytes(nonceBytes).copy(header, versionBytes);
  const cipher = createCipheriv(algorithm, secretOf(secrets, currentVersion), header.subarray(versionBytes));
  cipher.setAAD(placeOf(run));
  return Buffer.concat([header, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
}

/** Errors: INTERNAL when it was altered or moved, or its version was retired. */
export function openSecret({ secrets }: MaskSecrets, run: string, sealed: Uint8Array): Uint8Array {
  const bytes = Buffer.from(sealed);
  try {
    const decipher = createDecipheriv(algorithm, secretOf(secrets, bytes.readUInt32LE()), bytes.subarray(versionBytes, versionBytes + nonceBytes));
    decipher.setAAD(placeOf(run));
    decipher.setAuthTag(bytes.subarray(-tagBytes));
    return new Uint8Array(Buffer.concat([decipher.update(bytes.subarray(versionBytes + nonceBytes, -tagBytes)), decipher.final()]));
  } catch {
    throw damaged();
  }
}

/** The same secrets seal masks of scores: the place tells the two apart. */
function placeOf(run: string): Buffer {
  return Buffer.from(`veilgate alignment ${run}`, 'utf8');
}

function secretOf(secrets: MaskSecrets['secrets'], version: number): Uint8Array {
  const secret = secrets.get(version);
  if (secret === undefined) throw damaged();
  return secret;
}

function damaged(): VeilgateError {
  return new VeilgateError('INTERNAL', 'The secret of this alignment is damaged: begin the alignment anew.');
}
