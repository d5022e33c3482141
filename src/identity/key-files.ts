import { closeSync, constants, existsSync, fstatSync, fsyncSync, linkSync, lstatSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { VeilgateError } from '../errors.ts';

/** Files of secrets: theirs and nobody else's, whole or not there at all. */

const defaultLengthMax = 65_536;
const othersMask = 0o077;
/** Windows has no such modes; there the folder's own access list counts. */
const modesCount = process.platform !== 'win32';

/**
 * Makes the folder, mode 0700, or checks that it is a real one of the process's own user and closed to others.
 * Errors: CONFIG_INSECURE, CONFIG_INVALID.
 */
export function openSecretFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch {
    throw new VeilgateError('CONFIG_INVALID', 'The keys folder cannot be made: check its path and the rights above it.');
  }
  const found = lstatSync(folder);
  if (!found.isDirectory()) throw new VeilgateError('CONFIG_INSECURE', 'The keys folder is a link or no folder: name the real folder.');
  requireOwn(found, 'The keys folder must belong to the user of the process and be closed to all others: chmod 700.', {});
}

/**
 * @param lengthMax bytes; 65,536 when absent
 * @returns the text; undefined when there is no such file. Errors: CONFIG_INSECURE, CONFIG_INVALID.
 */
export function readSecretFile(folder: string, name: string, lengthMax = defaultLengthMax): string | undefined {
  const file = path.join(folder, name);
  let descriptor: number;
  try {
    // a link could point at a file of somebody else's making
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP') throw new VeilgateError('CONFIG_INSECURE', 'A key file is a link: put the real file into the keys folder.', { file: name });
    throw new VeilgateError('CONFIG_INVALID', 'A key file cannot be read: check its owner and mode.', { file: name });
  }
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile() || found.size > lengthMax) throw new VeilgateError('CONFIG_INVALID', 'A key file is no file of keys: restore it from your backup.', { file: name });
    requireOwn(found, 'A key file must belong to the user of the process and be closed to all others: chmod 600.', { file: name });
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Writes a file that was not there before; when another process was faster, its file stays.
 * @returns the text that is there afterwards
 */
export function createSecretFile(folder: string, name: string, text: string, lengthMax = defaultLengthMax): string {
  writeAtomically(folder, name, text, (from, to) => {
    try {
      linkSync(from, to); // unlike rename, never over a file that is there
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST') throw error;
    }
    rmSync(from, { force: true });
  });
  return readSecretFile(folder, name, lengthMax) ?? text;
}

/** Puts a new text in the place of the old one: whoever reads gets the one or the other. */
export function replaceSecretFile(folder: string, name: string, text: string): void {
  writeAtomically(folder, name, text, renameSync);
}

/** Durable before it has its name: a crash leaves the old file or the new one. */
function writeAtomically(folder: string, name: string, text: string, moveInPlace: (from: string, to: string) => void): void {
  const temporary = path.join(folder, `.${name}.${randomBytes(8).toString('hex')}`);
  try {
    const descriptor = openSync(temporary, 'wx', 0o600);
    try {
      writeSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    moveInPlace(temporary, path.join(folder, name));
    if (modesCount) syncFolder(folder);
  } catch {
    if (existsSync(temporary)) rmSync(temporary, { force: true });
    throw new VeilgateError('CONFIG_INVALID', 'A key file cannot be written: check the keys folder\'s rights and free space.', { file: name });
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function requireOwn(found: { readonly mode: number; readonly uid: number }, message: string, detail: Readonly<Record<string, string>>): void {
  if (!modesCount) return;
  if ((found.mode & othersMask) !== 0 || found.uid !== process.getuid?.()) throw new VeilgateError('CONFIG_INSECURE', message, detail);
}
