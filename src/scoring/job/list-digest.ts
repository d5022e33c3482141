import type { GrantId, SubjectId } from '../../vocabulary.ts';

/** Enterprises of one chunk; every chunk but the last has exactly so many. */
export const chunkSubjectsMax = 10_000;
/** Enterprises one list may name. */
export const listSubjectsMax = 1_000_000;
/** Characters of one line with its end. */
const lineLengthMax = 71;
export const chunkBytesMax = chunkSubjectsMax * lineLengthMax;

/** An enterprise to be scored; without a grant, the widest that can be used. */
export type ListedSubject = { readonly subject: SubjectId; readonly grant?: GrantId };

/** Lines of a chunk: canonical JSON (RFC 8785) of each subject, each ended by one line feed. */
export function chunkLines(subjects: readonly ListedSubject[]): string {
  return subjects.map(({ subject, grant }) => (grant === undefined ? `{"subject":"${subject}"}\n` : `{"grant":"${grant}","subject":"${subject}"}\n`)).join('');
}

const line = /^\{(?:"grant":"([A-Za-z0-9_-]{22})",)?"subject":"([0-9A-Z]{18})"\}$/;

/** @returns the subjects, or the number of the first line (from 1) that is not as chunkLines writes it */
export function parseChunk(text: string): ListedSubject[] | number {
  const lines = text.split('\n');
  if (lines.pop() !== '') return lines.length + 1;
  const subjects: ListedSubject[] = [];
  for (const [at, each] of lines.entries()) {
    const [, grant, subject] = line.exec(each) ?? [];
    if (subject === undefined) return at + 1;
    subjects.push({ subject: subject as SubjectId, ...(grant === undefined ? {} : { grant: grant as GrantId }) });
  }
  return subjects;
}

/** How often a list of so many is cut. */
export function chunksOf(count: number): number {
  return Math.ceil(count / chunkSubjectsMax);
}

const encoder = new TextEncoder();
const domain = encoder.encode('veilgate score list 1\n');

/**
 * The digest of a list is a chain over its chunks, so that neither side ever needs the whole list: it begins with
 * SHA-256(domain ‖ salt), and each chunk makes it SHA-256(before ‖ SHA-256(lines)). Lower-case hex.
 * @param salt 32 random bytes
 */
export async function beginListDigest(salt: Uint8Array): Promise<string> {
  return hex(await sha256(concat(domain, salt)));
}

/** @param chunkDigest what digestOfLines gives */
export async function extendListDigest(before: string, chunkDigest: string): Promise<string> {
  return hex(await sha256(concat(fromHex(before), fromHex(chunkDigest))));
}

export async function digestOfLines(lines: string): Promise<string> {
  return hex(await sha256(encoder.encode(lines)));
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

function concat(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => Number.parseInt(text.slice(at * 2, at * 2 + 2), 16));
}
