import pg from 'pg';
import { VeilgateError } from '../errors.ts';

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
const tupleHeadBytes = 6;

/**
 * COPY … TO STDOUT in binary: the only way pg gives out bytes without hexadecimal text, nine times as fast
 * (docs/decisions/0132-ciphertexts-by-copy.md). Its connections are its own, because those of the pool send statements
 * one behind the other without waiting.
 */
export function bytesReader(options: pg.PoolConfig): BytesReader {
  const pool = new pg.Pool({ ...options, pipeline: false });
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

type Connection = { readonly query: (text: string) => void };

/** One COPY, as pg's client drives it. */
class CopyOut {
  readonly #text: string;
  readonly #room: RowRoom;
  readonly #rows: Uint8Array[] = [];
  #started = false;
  #failed = false;
  // pg replaces it when the connection has a time limit
  callback: (error: Error | null, rows: Uint8Array[]) => void;

  constructor(text: string, room: RowRoom, callback: (error: Error | null, rows: Uint8Array[]) => void) {
    this.#text = text;
    this.#room = room;
    this.callback = callback;
  }

  submit(connection: Connection): void {
    connection.query(this.#text);
  }

  /** Each row is a message of its own, the first with the header before it; then the end mark. The bytes are the parser's: copied here. */
  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    if (this.#failed) return;
    const start = this.#started ? 0 : headerBytes;
    this.#started = true;
    if (chunk.length === start) return;
    const columns = chunk.length < start + 2 ? 0 : chunk.readInt16BE(start);
    if (columns === -1) return;
    const from = start + tupleHeadBytes;
    const length = chunk.length < from ? -1 : chunk.readInt32BE(start + 2);
    if (columns !== 1 || length !== chunk.length - from) {
      this.handleError(new TypeError('not one column of bytes'));
      return;
    }
    const row = this.#room(this.#rows.length, length);
    row.set(chunk.subarray(from));
    this.#rows.push(row);
  }

  /** Who gave the room has it back: a connection that was given up may still have data. */
  abandon(): void {
    this.#failed = true;
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
