import type { Duplex } from 'node:stream';
import { aimOf } from './aimed-socket.ts';

/** Who takes the messages of a COPY: the length of each, then its bytes, in pieces as they come. The pieces are not kept. */
export type CopySink = {
  readonly message: (length: number) => void;
  readonly piece: (bytes: Buffer) => void;
  /** Memory for what comes next of this message, no longer than that: then it may be written there, and no piece comes of it. */
  readonly room?: () => Uint8Array | undefined;
  readonly wrote?: (length: number) => void;
};

type Listener = (chunk: Buffer) => void;

/** A message begins with its kind and the length of what follows, itself included (PostgreSQL's protocol, 54.2). */
const headBytes = 5;
const copyData = 0x64;
const readyForQuery = 0x5a;

/**
 * Takes the data of one COPY out of a connection before pg's own parser gets it, which would put every message together
 * from its pieces first: two copies of 150 MB for a province. From an aimed socket it is read to the sink's `room` without
 * being copied at all. Everything else goes to that parser as it came; when the
 * server is ready for another query, all of it does again.
 * @param stream a connection that waits for nothing: it stands between two messages
 */
export function divertCopyData(stream: Duplex, sink: CopySink): void {
  const [parser, ...others] = stream.listeners('data') as Listener[];
  if (parser === undefined || others.length > 0) throw new TypeError('not a connection of the version of pg that was looked at');
  const setAim = aimOf(stream);
  let head = Buffer.alloc(0);
  /** Bytes of the message that have not come; 0 between two. */
  let left = 0;

  const begin = (): void => {
    left = head.readUInt32BE(1) + 1 - headBytes;
    if (head[0] === copyData) sink.message(left);
    else parser(head);
  };
  const pass = (bytes: Buffer): void => {
    left -= bytes.length;
    if (head[0] === copyData) return sink.piece(bytes);
    if (left === 0 && head[0] === readyForQuery) {
      // first: pg may begin the next query at once
      setAim?.(undefined);
      stream.off('data', divert).on('data', parser);
    }
    parser(bytes);
  };
  const divert: Listener = (chunk) => {
    for (let at = 0; at < chunk.length;) {
      if (left === 0) {
        const part = chunk.subarray(at, at + headBytes - (head.length % headBytes));
        head = head.length % headBytes === 0 ? Buffer.from(part) : Buffer.concat([head, part]);
        at += part.length;
        if (head.length === headBytes) begin();
      } else {
        const piece = chunk.subarray(at, at + left);
        at += piece.length;
        pass(piece);
      }
    }
  };
  stream.on('data', divert).off('data', parser);
  setAim?.({
    next: () => (left > 0 && head[0] === copyData ? sink.room?.() : undefined),
    wrote: (length) => {
      left -= length;
      sink.wrote?.(length);
    },
  });
}
