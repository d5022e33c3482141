import { closeSync, constants, fstatSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { VeilgateError, isVeilgateError } from '../errors.ts';
import { parseStrictJsonBytes } from '../strict-json.ts';

/** Files that only their owner may read: keys, consent requests under way, saved answers. */

const secretLengthMax = 65_536;

/** Reads JSON from a file that holds a secret. Errors: CONFIG_INSECURE when others can read it, CONFIG_INVALID. */
export function readSecretJson(file: string): Readonly<Record<string, unknown>> {
  return readJson(file, secretLengthMax, (mode) => {
    if (process.platform === 'win32' || (mode & 0o077) === 0) return;
    throw new VeilgateError('CONFIG_INSECURE', 'Others can read this file, and it holds a secret: run chmod 600 on it, and make a new key if somebody may have read it.', { file });
  });
}

/** Reads JSON from a file that need not be secret. Errors: CONFIG_INVALID. */
export function readJson(file: string, lengthMax: number, checkMode: (mode: number) => void = () => {}): Readonly<Record<string, unknown>> {
  let handle: number | undefined;
  try {
    handle = openSync(file, constants.O_RDONLY);
    const stats = fstatSync(handle);
    if (!stats.isFile() || stats.size > lengthMax) throw notReadable(file);
    checkMode(stats.mode);
    const value = parseStrictJsonBytes(readFileSync(handle), { maxLength: lengthMax });
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notReadable(file);
    return value as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (isVeilgateError(error, 'CONFIG_INSECURE') || isVeilgateError(error, 'CONFIG_INVALID')) throw error;
    throw notReadable(file);
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

function notReadable(file: string): VeilgateError {
  return new VeilgateError('CONFIG_INVALID', 'This file is not there, is too long, or is no JSON object: check its name.', { file });
}

/** A new file of mode 0600 that is there, empty, before there is anything to write: what is then given out once is not lost. */
export type ReservedFile = { readonly write: (text: string) => void; /** Takes the empty file away again. */ readonly discard: () => void };

/** Errors: CONFIG_INVALID when the file is there already or cannot be made. */
export function reserveFile(file: string): ReservedFile {
  let handle: number;
  try {
    handle = openSync(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  } catch {
    throw new VeilgateError('CONFIG_INVALID', 'The file is there already or cannot be written: choose another name.', { file });
  }
  return {
    write(text) {
      writeFileSync(handle, text);
      closeSync(handle);
    },
    discard() {
      closeSync(handle);
      rmSync(file, { force: true });
    },
  };
}

/** Writes a file anew in one step, mode 0600: a crash leaves the old content or the new. Errors: CONFIG_INVALID. */
export function replaceSecret(file: string, text: string): void {
  const fresh = `${file}.${process.pid}.new`;
  reserveFile(fresh).write(text);
  renameSync(fresh, file);
}
