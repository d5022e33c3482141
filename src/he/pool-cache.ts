import { VeilgateError } from '../errors.ts';

/** Memory for the bytes of the column `at` of those asked for, when it has the length it must have. */
export type ColumnRoom = (at: number, length: number) => Uint8Array;

/** The bytes of these columns, in this order; whoever writes them to `room` and gives that back saves a copy. */
export type FetchColumns = (digests: readonly string[], room: ColumnRoom) => Promise<readonly Uint8Array[]>;

/**
 * Encrypted columns in memory that all threads of a pool share: one copy for all, so any thread can take any block.
 * Bounded; the least recently used go first, those in use never. Memory is taken in places of one column and reused.
 */
export type ColumnCache = {
  /**
   * Waits until there is room, fetches what is not there, and holds the columns until `release`.
   * @throws VeilgateError HE_EVALUATION_FAILED when they can never fit, HE_CIPHERTEXT_REFUSED for another length
   */
  readonly lease: (digests: readonly string[], fetch: FetchColumns) => Promise<Lease>;
  readonly clear: () => void;
};

export type Lease = {
  readonly places: readonly Place[];
  /** The columns' form was checked by a thread. */
  readonly checked: () => void;
  /** They were refused: none of the unchecked ones stays. */
  readonly refused: () => void;
  readonly release: () => void;
};

export type Place = { readonly number: number; readonly memory: SharedArrayBuffer; digest: string; leases: number; filled: Promise<void>; isChecked: boolean };

/** @param columnBytes length of a packed column */
export function createSharedColumns(bytesMax: number, columnBytes: number): ColumnCache {
  const placesMax = Math.floor(bytesMax / columnBytes);
  /** In order of use, the least recent first. */
  const used = new Map<string, Place>();
  const free: Place[] = [];
  let made = 0;
  let turn: Promise<void> = Promise.resolve();
  let freed = Promise.withResolvers<void>();

  const drop = (place: Place): void => {
    if (used.get(place.digest) === place) used.delete(place.digest);
  };
  const release = (place: Place): void => {
    place.leases -= 1;
    if (place.leases > 0) return;
    if (used.get(place.digest) !== place) free.push(place);
    freed.resolve();
    freed = Promise.withResolvers();
  };
  const evictable = (digests: ReadonlySet<string>): Place[] => [...used.values()].filter((place) => place.leases === 0 && !digests.has(place.digest));

  /** Pins those that are there and gives places to the others; one caller at a time, so that nobody waits for somebody who waits. */
  const reserve = async (digests: ReadonlySet<string>): Promise<{ readonly held: Map<string, Place>; readonly missing: Place[] }> => {
    if (digests.size > placesMax) throw new VeilgateError('HE_EVALUATION_FAILED', 'The columns do not fit the cache of the evaluation pool: enlarge it.');
    const room = () => free.length + (placesMax - made) + evictable(digests).length;
    while (room() < [...digests].filter((digest) => !used.has(digest)).length) await freed.promise;
    const oldest = evictable(digests)[Symbol.iterator]();
    const held = new Map<string, Place>();
    const missing: Place[] = [];
    for (const digest of digests) {
      let place = used.get(digest);
      if (place === undefined) {
        place = free.pop() ?? newPlace() ?? oldest.next().value;
        if (place === undefined) throw new VeilgateError('HE_EVALUATION_FAILED', 'There is no room for a column: ask again.');
        drop(place);
        Object.assign(place, { digest, isChecked: false });
        missing.push(place);
      }
      used.delete(digest);
      used.set(digest, place);
      place.leases += 1;
      held.set(digest, place);
    }
    return { held, missing };
  };
  const newPlace = (): Place | undefined => {
    if (made >= placesMax) return undefined;
    return { number: made++, memory: new SharedArrayBuffer(columnBytes), digest: '', leases: 0, filled: Promise.resolve(), isChecked: false };
  };

  return {
    lease: async (digests, fetch) => {
      const reserved = turn.then(() => reserve(new Set(digests)));
      turn = reserved.then(() => undefined, () => undefined);
      const { held, missing } = await reserved;
      fill(missing, fetch, columnBytes, drop);
      try {
        await Promise.all([...held.values()].map(({ filled }) => filled));
      } catch (thrown) {
        for (const place of held.values()) release(place);
        throw thrown;
      }
      return {
        places: digests.flatMap((digest) => held.get(digest) ?? []),
        checked: () => held.forEach((place) => Object.assign(place, { isChecked: true })),
        refused: () => [...held.values()].filter(({ isChecked }) => !isChecked).forEach(drop),
        release: () => held.forEach(release),
      };
    },
    clear: () => used.clear(),
  };
}

/** Fetches the columns of these places together, each into its memory. A failure is that of all of them. */
function fill(missing: readonly Place[], fetch: FetchColumns, columnBytes: number, drop: (place: Place) => void): void {
  if (missing.length === 0) return;
  const rooms = missing.map(({ memory }) => new Uint8Array(memory));
  const room: ColumnRoom = (at, length) => (length === columnBytes ? rooms[at] : undefined) ?? new Uint8Array(length);
  const filled = fetch(missing.map(({ digest }) => digest), room).then((columns) => {
    for (const [at, own] of rooms.entries()) {
      const bytes = columns[at];
      if (bytes?.length !== columnBytes) throw new VeilgateError('HE_CIPHERTEXT_REFUSED', 'A stored column does not have the length of its parameter set: load it again.');
      if (bytes !== own) own.set(bytes);
    }
  });
  filled.catch(() => missing.forEach(drop));
  for (const place of missing) place.filled = filled;
}
