import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Where bytes go that are still to come: `next` gives memory for them, undefined for none in particular, and is asked again
 * after each read; `wrote` is told how many of it came.
 */
export type Aim = { readonly next: () => Uint8Array | undefined; readonly wrote: (length: number) => void };

/** Sets the aim; undefined: nothing is aimed any more. What was given for a read under way is still written to. */
type SetAim = (aim: Aim | undefined) => void;

const aims = new WeakMap<Duplex, SetAim>();

/** As much as an ordinary socket reads at once. */
const ownBytes = 65_536;
/** While there is an aim, but none for the next bytes: little, so that what belongs somewhere is not read before that is known. */
const peekBytes = 32;

/**
 * A socket that can be read straight to where the bytes belong (`aimOf`). An ordinary one allocates 64 KiB for each read:
 * for a province 150 MB to copy once more, and to collect as garbage. Without an aim it emits `data` as any other.
 */
export function aimedSocket(): Socket {
  const own = Buffer.alloc(ownBytes);
  const peek = own.subarray(0, peekBytes);
  let aim: Aim | undefined;
  let aimed: Uint8Array | undefined;
  const socket = new Socket({
    onread: {
      buffer: () => (aimed = aim?.next()) ?? (aim === undefined ? own : peek),
      callback: (length) => {
        if (aimed === undefined) socket.emit('data', Buffer.from(own.subarray(0, length))); // a copy: who listens may keep it
        else aim?.wrote(length);
        return true;
      },
    },
  });
  aims.set(socket, (next) => { aim = next; });
  return socket;
}

/** What aims this stream; undefined for one that was not made here, as under TLS. */
export function aimOf(stream: Duplex): SetAim | undefined {
  return aims.get(stream);
}
