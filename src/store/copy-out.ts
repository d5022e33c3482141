import type { Duplex } from 'node:stream';
import pg from 'pg';
import { VeilgateError } from '../errors.ts';
import { aimedSocket } from './aimed-socket.ts';
import { divertCopyData } from './copy-data.ts';

/** Where the bytes of a row go: `length` bytes of memory that nobody else writes to. */
export type RowRoom = (row: number, length: number) => Uint8Array;

/** Reads one column of bytes of many rows. */
export type BytesReader = {
  /**
   * @param select a SELECT of exactly one bytea column without nulls; it takes no parameters, so what it names must be
   * made of checked text only
   * @param room where each row is written to; absent: a buffer of its own. After a failure nothing is written to it any more
   * @returns what `room` gave, filled, in the order of the rows
   */
  readonly read: (select: string, room?: RowRoom) => Promise<Uint8Array[]>;
  readonly close: () => Promise<void>;
};

/** PGCOPY, flags and the length of a header extension that is never there. */
const headerBytes = 19;
/** Number of columns (2 bytes) and the value's length (4 bytes). */
const columnsBytes = 2;
const tupleHeadBytes = 6;
/** In the place of a number of columns: no row follows. */
const endMark = -1;
const endMarkBytes = 2;

/**
 * COPY … TO STDOUT in binary: the only way pg gives out bytes without hexadecimal text, nine times as fast
 * (docs/decisions/0132-ciphertexts-by-copy.md). Its connections are its own, because those of the pool send statements
 * one behind the other without waiting.
 */
export function bytesReader(options: pg.PoolConfig): BytesReader {
  const isPlain = new pg.Client(options).ssl === false; // TLS has buffers of its own
  const pool = new pg.Pool({ ...options, ...(isPlain ? { stream: aimedSocket } : {}), pipeline: false });
  pool.on('error', () => {}); // an idle connection broke: the next read reports it
  return {
    async read(select, room = (_row, length) => new Uint8Array(length)) {
      const client = await pool.connect();
      let broken: Error | undefined;
      let copy: CopyOut | undefined;
      const onError = (error: Error) => { broken = error; };
      client.on('error', onError);
      try {
        return await new Promise((resolve, reject) => {
          // pg takes any object with `submit` and the handlers it calls, which its types do not say
          copy = new CopyOut(`copy (${select}) to stdout (format binary)`, room, (error, rows) => (error === null ? resolve(rows) : reject(error)));
          client.query(copy as unknown as pg.Query);
        });
      } catch (error) {
        if (!(error instanceof pg.DatabaseError)) broken = error as Error;
        throw error;
      } finally {
        copy?.abandon();
        client.off('error', onError);
        client.release(broken);
      }
    },
    close: () => pool.end(),
  };
}

type Connection = { readonly stream: Duplex; readonly query: (text: string) => void };

/** One COPY, as pg's client drives it. */
class CopyOut {
  readonly #text: string;
  readonly #room: RowRoom;
  readonly #rows: Uint8Array[] = [];
  #failed = false;
  /** Where the head of a row begins in its message. */
  #start = headerBytes;
  /** What stands before the bytes of a row, as far as it has come; and how long it is, and all of its message. */
  #head: Uint8Array = new Uint8Array(0);
  #headLength = 0;
  #messageLength = 0;
  #written = 0;
  #stream: Duplex | undefined;
  // pg replaces it when the connection has a time limit
  callback: (error: Error | null, rows: Uint8Array[]) => void;

  constructor(text: string, room: RowRoom, callback: (error: Error | null, rows: Uint8Array[]) => void) {
    this.#text = text;
    this.#room = room;
    this.callback = callback;
  }

  submit(connection: Connection): void {
    this.#stream = connection.stream;
    divertCopyData(connection.stream, {
      message: (length) => this.#begin(length), piece: (bytes) => this.#take(bytes),
      room: () => (this.#failed ? undefined : this.#rest()), wrote: (length) => { this.#written += length; },
    });
    connection.query(this.#text);
  }

  /** Each row is a message of its own, the first with the header before it; then the end mark. */
  #begin(length: number): void {
    this.#start = this.#messageLength === 0 ? headerBytes : 0;
    this.#messageLength = length;
    this.#headLength = Math.min(length, this.#start + tupleHeadBytes);
    this.#head = new Uint8Array(0);
  }

  #take(bytes: Uint8Array): void {
    if (this.#failed) return;
    const missing = this.#headLength - this.#head.length;
    if (missing > 0) {
      this.#head = Buffer.concat([this.#head, bytes.subarray(0, missing)]);
      if (this.#head.length === this.#headLength) this.#beginRow();
    }
    const rest = missing > 0 ? bytes.subarray(missing) : bytes;
    if (rest.length === 0 || this.#failed) return;
    this.#rows.at(-1)?.set(rest, this.#written);
    this.#written += rest.length;
  }

  #beginRow(): void {
    const head = Buffer.from(this.#head.subarray(this.#start));
    if (head.length === 0 || (head.length === endMarkBytes && head.readInt16BE() === endMark)) return;
    const length = head.length === tupleHeadBytes && head.readInt16BE() === 1 ? head.readInt32BE(columnsBytes) : -1;
    if (length !== this.#messageLength - this.#headLength) {
      this.handleError(new TypeError('not one column of bytes'));
      return;
    }
    this.#rows.push(this.#room(this.#rows.length, length));
    this.#written = 0;
  }

  /** What is missing of the row that has begun; undefined when nothing is. */
  #rest(): Uint8Array | undefined {
    const row = this.#rows.at(-1);
    return row === undefined || this.#written === row.length ? undefined : row.subarray(this.#written);
  }

  /** Who gave the room has it back: a connection that was given up in the middle of a row would still write to it. */
  abandon(): void {
    this.#failed = true;
    if (this.#rest() !== undefined) this.#stream?.destroy();
  }

  handleError(error: Error): void {
    if (this.#failed) return;
    this.#failed = true;
    this.callback(error, []);
  }

  handleReadyForQuery(): void {
    if (!this.#failed) this.callback(null, this.#rows);
  }

  handleCommandComplete(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
  handleCopyInResponse(): void {
    this.handleError(new VeilgateError('INTERNAL', 'A statement that reads asked for data.'));
  }
}
