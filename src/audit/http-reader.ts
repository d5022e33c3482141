import { VeilgateError } from '../errors.ts';
import { limitedBody } from './body.ts';
import { noteLengthMax } from './note.ts';
import { decodeBundle, encodeBundle, tilePath, tileWidth } from './tile.ts';
import { hashLength } from './tree.ts';
import type { LogReader } from './log-reader.ts';

export type HttpReaderOptions = {
  /** Prefix of the log: `/checkpoint` and `/tile/…` are put behind it. */
  readonly url: string;
  readonly timeoutMs: number;
  readonly fetch?: typeof fetch;
  /** For those who may see records: gets them from wherever the platform serves them. */
  readonly records?: LogReader['records'];
  /** False for a log that serves nothing but what tlog-tiles asks for. */
  readonly history?: boolean;
};

/** A full bundle of 32-byte entries has 8,704 bytes, a full tile 8,192. */
const tileLengthMax = 65_536;
const historyLengthMax = 4_194_304;

/**
 * Reads any C2SP tlog-tiles log over HTTP. Answers of 404 mean not there; everything else that goes wrong on the way
 * is AUDIT_UNAVAILABLE and says nothing about the log.
 */
export function httpLogReader({ url, timeoutMs, fetch = globalThis.fetch, records, history = true }: HttpReaderOptions): LogReader {
  const prefix = url.replace(/\/$/, '');
  const get = async (path: string, lengthMax: number): Promise<Uint8Array | undefined> => {
    try {
      const response = await fetch(`${prefix}/${path}`, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
      if (response.status === 404) {
        await response.body?.cancel();
        return undefined;
      }
      if (response.status !== 200) throw new Error(`HTTP ${response.status}`);
      const body = await limitedBody(response, lengthMax);
      if (body === undefined) throw new Error('too long');
      return body;
    } catch {
      throw new VeilgateError('AUDIT_UNAVAILABLE', 'The log does not answer as it should: look at its address and try again later.', { path });
    }
  };
  /** A log may delete a partial tile once it is full. */
  const getTile = async (level: number | 'entries', index: number, width: number): Promise<Uint8Array> => {
    const exact = await get(tilePath({ level, index, width }), tileLengthMax);
    if (exact !== undefined) return exact;
    const full = width < tileWidth ? await get(tilePath({ level, index, width: tileWidth }), tileLengthMax) : undefined;
    if (full === undefined) throw new VeilgateError('AUDIT_ENTRY_NOT_FOUND', 'The log does not have this tile: ask only for what its checkpoint counts.');
    if (level !== 'entries') return full.subarray(0, width * hashLength);
    return encodeBundle(decodeBundle(full)?.slice(0, width) ?? []);
  };
  return {
    async checkpoint() {
      const bytes = await get('checkpoint', noteLengthMax);
      if (bytes === undefined) throw new VeilgateError('AUDIT_ENTRY_NOT_FOUND', 'There is no log at this address, or it has no checkpoint yet: check the address.');
      try {
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
      } catch {
        throw new VeilgateError('AUDIT_CHECKPOINT_INVALID', 'The checkpoint is no text: check the address of the log.', { fault: 'malformed' });
      }
    },
    tile: getTile,
    entries: (index, width) => getTile('entries', index, width),
    ...(records === undefined ? {} : { records }),
    ...(history ? { history: async (afterSize: number) => notes(await get(`checkpoints?after=${afterSize}`, historyLengthMax)) } : {}),
  };
}

/** A JSON array of signed notes; a log that has no history serves none. */
function notes(bytes: Uint8Array | undefined): string[] {
  if (bytes === undefined) return [];
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes)) as unknown;
    if (Array.isArray(value) && value.every((note) => typeof note === 'string')) return value;
  } catch {
    // told below
  }
  throw new VeilgateError('AUDIT_UNAVAILABLE', 'The log\'s history of checkpoints cannot be read: try again later.', { path: 'checkpoints' });
}
