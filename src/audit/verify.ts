import { isVeilgateError } from '../errors.ts';
import { sameBytes, type Bytes } from './bytes.ts';
import { openCheckpoint, type Checkpoint, type LogTrust, type OpenedCheckpoint } from './checkpoint.ts';
import { erasedBy, recordFault, type RecordFaultKind, type ShownRecord } from './record-check.ts';
import { decodeBundle, tileHashes, tileWidth, widthAt } from './tile.ts';
import { frontier, hashLength, leafHash, rootOver, webSha256, type Sha256 } from './tree.ts';

/**
 * The independent verifier: re-derives every hash of a log from its entries up to what the log signed, through an
 * interface that can only read, and names the first entry that is wrong. Memory stays flat whatever the size.
 */

/**
 * Where a log is read from. What is not there is told by throwing AUDIT_ENTRY_NOT_FOUND; any other throw ends the
 * verification without a verdict.
 */
export type LogReader = {
  readonly checkpoint: () => Promise<string>;
  readonly tile: (level: number, index: number, width: number) => Promise<Uint8Array>;
  /** May hold fewer entries than `width`: the first that is missing is then named. */
  readonly entries: (index: number, width: number) => Promise<Uint8Array>;
  /**
   * Records of a bundle, one per entry, as far as the log goes, counted by a checkpoint or not: null when erased,
   * undefined when this reader may not see it.
   */
  readonly records?: (index: number, width: number) => Promise<readonly (ShownRecord | null | undefined)[]>;
  /** Earlier checkpoints beyond a size, smallest first, a page at a time: they narrow down where a forgery begins. */
  readonly history?: (afterSize: number) => Promise<readonly string[]>;
};

export type VerifyOptions = {
  readonly trust: LogTrust;
  /** A checkpoint seen before: the log must begin with what it counts. */
  readonly remembered?: Checkpoint;
  readonly sha256?: Sha256;
  /** Called after each bundle of 256 entries. */
  readonly onProgress?: (progress: { readonly verified: number; readonly size: number }) => void;
};

export type LogFault = {
  readonly kind:
    | 'checkpoint_invalid' | 'rolled_back' | 'forked' | 'root_differs' | 'tile_missing' | 'tile_differs'
    | 'entry_missing' | 'entry_malformed' | 'entry_differs' | 'record_missing' | RecordFaultKind;
  /** First entry that is wrong; with a larger `until`, the wrong one is among index..until-1. Null: the log as a whole. */
  readonly index: number | null;
  /** Exclusive. */
  readonly until: number | null;
  /** One plain sentence, without any value of a record. */
  readonly message: string;
};

export type LogReport =
  | { readonly kind: 'sound'; readonly checkpoint: OpenedCheckpoint; readonly records: RecordCounts }
  | { readonly kind: 'unsound'; readonly fault: LogFault; /** Entries that were found right before it. */ readonly verified: number };

export type RecordCounts = { readonly verified: number; readonly erased: number; readonly notShown: number };

/** Bundles under way at once. */
const readAhead = 4;

/** Thrown inside this file only; carries the verdict out of the loops. */
class Unsound extends Error {
  readonly fault: LogFault;
  constructor(kind: LogFault['kind'], range: { index: number; until?: number } | null, message: string) {
    super(message);
    this.fault = { kind, index: range?.index ?? null, until: range === null ? null : range.until ?? range.index + 1, message };
  }
}

/** Verifies a whole log. Throws only what the reader throws, and CONFIG_INVALID for a trust that contradicts itself. */
export async function verifyLog(reader: LogReader, options: VerifyOptions): Promise<LogReport> {
  let verified = 0;
  try {
    const checkpoint = await openTrusted(await reader.checkpoint(), options.trust);
    requireNotShorter(checkpoint, options.remembered);
    const heads = signedHeads(reader, checkpoint, options);
    const records = recordCheck(options.sha256);
    const tree = treeCheck(reader, checkpoint.size, heads, options.sha256);
    await tree.start();
    for await (const bundle of bundles(reader, checkpoint.size)) {
      const faults = [() => tree.checkEntries(bundle), () => records.check(bundle)];
      // of two faults in one bundle the one at the smaller index is the first
      await throwFirst(await Promise.all(faults.map(async (check) => check().catch(asUnsound))));
      await tree.extend(bundle);
      verified = bundle.start + bundle.width;
      options.onProgress?.({ verified, size: checkpoint.size });
    }
    return { kind: 'sound', checkpoint, records: await records.finish(reader, checkpoint.size) };
  } catch (error) {
    if (error instanceof Unsound) return { kind: 'unsound', fault: error.fault, verified };
    throw error;
  }
}

function asUnsound(error: unknown): Unsound {
  if (error instanceof Unsound) return error;
  throw error;
}

async function throwFirst(faults: readonly (Unsound | void)[]): Promise<void> {
  const [first] = faults.filter((fault) => fault !== undefined).toSorted((a, b) => (a.fault.index ?? 0) - (b.fault.index ?? 0));
  if (first !== undefined) throw first;
}

async function openTrusted(note: string, trust: LogTrust): Promise<OpenedCheckpoint> {
  try {
    return await openCheckpoint(note, trust);
  } catch (error) {
    if (isVeilgateError(error, 'AUDIT_CHECKPOINT_INVALID')) throw new Unsound('checkpoint_invalid', null, error.message);
    throw error;
  }
}

function requireNotShorter(checkpoint: Checkpoint, remembered: Checkpoint | undefined): void {
  if (remembered === undefined || remembered.size <= checkpoint.size) return;
  throw new Unsound('rolled_back', { index: checkpoint.size, until: remembered.size }, 'The log is shorter than a checkpoint that was seen before: entries were taken away.');
}

/* ---------- what the log signed, in order of size ---------- */

type SignedHead = { readonly size: number; readonly root: Bytes; readonly source: 'remembered' | 'history' | 'checkpoint' };

/** Every known tree head up to the checkpoint, smallest first; the checkpoint is the last. */
async function* signedHeads(reader: LogReader, checkpoint: OpenedCheckpoint, { trust, remembered }: VerifyOptions): AsyncGenerator<SignedHead, void> {
  let waiting: SignedHead | undefined = remembered && { ...remembered, source: 'remembered' };
  const own = { origin: trust.origin, logKeys: trust.logKeys };
  for (let after = -1; reader.history !== undefined;) {
    const page = await reader.history(after);
    for (const note of page) {
      const head = await openTrusted(note, own);
      if (head.size <= after) throw new Unsound('checkpoint_invalid', null, 'The history of checkpoints is not in order of size.');
      after = head.size;
      if (head.size > checkpoint.size) break;
      if (waiting !== undefined && waiting.size <= head.size) {
        yield waiting;
        waiting = undefined;
      }
      yield { ...head, source: 'history' };
    }
    if (page.length === 0 || after >= checkpoint.size) break;
  }
  if (waiting !== undefined) yield waiting;
  yield { ...checkpoint, source: 'checkpoint' };
}

/* ---------- bundles, read ahead ---------- */

type Bundle = {
  readonly index: number;
  /** Index of its first entry. */
  readonly start: number;
  readonly width: number;
  readonly entries: readonly Bytes[];
  readonly tile: Uint8Array;
  readonly records: readonly (ShownRecord | null | undefined)[];
};

async function* bundles(reader: LogReader, size: number): AsyncGenerator<Bundle, void> {
  const count = Math.ceil(size / tileWidth);
  const underWay: Promise<Bundle>[] = [];
  for (let next = 0; next < count || underWay.length > 0;) {
    while (next < count && underWay.length < readAhead) {
      const read = readBundle(reader, next, widthAt('entries', next, size));
      read.catch(() => {}); // reported when its turn comes, if it comes
      underWay.push(read);
      next += 1;
    }
    yield await underWay.shift()!;
  }
}

async function readBundle(reader: LogReader, index: number, width: number): Promise<Bundle> {
  const start = index * tileWidth;
  const range = { index: start, until: start + width };
  const [bytes, tile, records] = await Promise.all([
    present(reader.entries(index, width), 'entry_missing', range, 'The log does not serve these entries.'),
    present(reader.tile(0, index, width), 'tile_missing', range, 'The log does not serve the hashes of these entries.'),
    reader.records?.(index, width) ?? [],
  ]);
  const entries = decodeBundle(bytes);
  if (entries === undefined) throw new Unsound('entry_malformed', range, 'The log serves these entries in a form that cannot be read.');
  return { index, start, width, entries, tile, records };
}

async function present<T>(reading: Promise<T>, kind: LogFault['kind'], range: { index: number; until: number }, message: string): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (isVeilgateError(error, 'AUDIT_ENTRY_NOT_FOUND')) throw new Unsound(kind, range, message);
    throw error;
  }
}

/* ---------- entries against tiles, tiles against signed heads ---------- */

function treeCheck(reader: LogReader, size: number, heads: AsyncGenerator<SignedHead, void>, sha256: Sha256 = webSha256) {
  const tree = frontier(sha256);
  /** Hashes of the tile being filled at each level above the leaves. */
  const filling: Bytes[][] = [];
  const served: (Bytes[] | undefined)[] = [];
  let leaves: Bytes[] = [];
  let head: SignedHead | undefined;
  /** The largest tree that a signed head has shown to be right. */
  let proven = 0;

  const nextHead = async () => {
    const { value } = await heads.next();
    head = value ?? undefined;
  };

  const checkHeads = async (start: number, end: number) => {
    for (; head !== undefined && head.size <= end; await nextHead()) {
      const rest = head.size > start ? await rootOver(leaves.slice(0, head.size - start), sha256) : undefined;
      if (!sameBytes(await tree.root(rest), head.root)) throw headFault(head, proven);
      proven = head.size;
    }
  };

  /** Compares the hash of a full tile with what the tile above says, and so on upwards. */
  const rise = async (level: number, position: number, hash: Bytes): Promise<void> => {
    const index = Math.floor(position / tileWidth);
    const width = widthAt(level, index, size);
    const span = 256 ** level;
    const range = { index: position * span, until: (position + 1) * span };
    if (served[level] === undefined) {
      const tile = await present(reader.tile(level, index, width), 'tile_missing', range, `The log does not serve tile ${level}/${index}.`);
      if (tile.length !== width * hashLength) throw new Unsound('tile_differs', range, `Tile ${level}/${index} holds more or fewer hashes than the log's size asks for.`);
      served[level] = tileHashes(tile, width);
    }
    // what a signed head has shown to be right is not what is wrong
    const suspect = { ...range, index: Math.max(range.index, proven) };
    if (!sameBytes(served[level][position % tileWidth]!, hash)) throw new Unsound('tile_differs', suspect, `Tile ${level}/${index} contradicts the entries below it.`);
    const row = (filling[level] ??= []);
    row.push(hash);
    if (row.length < tileWidth) return;
    filling[level] = [];
    served[level] = undefined;
    await rise(level + 1, index, await rootOver(row, sha256));
  };

  return {
    async start(): Promise<void> {
      await nextHead();
      await checkHeads(0, 0);
    },
    async checkEntries({ start, width, entries, tile }: Bundle): Promise<void> {
      const malformed = entries.findIndex((entry) => entry.length !== hashLength);
      const usable = malformed < 0 ? entries.slice(0, width) : entries.slice(0, malformed);
      leaves = await Promise.all(usable.map((entry) => leafHash(entry, sha256)));
      const differs = leaves.findIndex((leaf, at) => !sameBytes(leaf, tile.subarray(at * hashLength, (at + 1) * hashLength)));
      if (differs >= 0) throw new Unsound('entry_differs', { index: start + differs }, 'The entry and the tree above it contradict each other: one of them was changed.');
      if (malformed >= 0) throw new Unsound('entry_malformed', { index: start + malformed }, 'The entry is no commitment of 32 bytes.');
      if (entries.length < width) throw new Unsound('entry_missing', { index: start + entries.length }, 'The entry is missing though the checkpoint counts it.');
      if (entries.length > width || tile.length !== width * hashLength) throw new Unsound('tile_differs', { index: start, until: start + width }, 'The log serves more or fewer hashes than its size asks for.');
    },
    async extend({ index, start, width }: Bundle): Promise<void> {
      if (width < tileWidth) return checkHeads(start, start + width);
      // a head that ends with this bundle is checked once the bundle is in the tree
      await checkHeads(start, start + width - 1);
      const root = await rootOver(leaves, sha256);
      await rise(1, index, root);
      await tree.append(8, root);
      await checkHeads(start + width, start + width);
    },
  };
}

function headFault(head: SignedHead, proven: number): Unsound {
  const range = { index: Math.min(proven, Math.max(head.size - 1, 0)), until: Math.max(head.size, 1) };
  switch (head.source) {
    case 'remembered': return new Unsound('forked', range, 'The log does not begin with what a checkpoint seen before counted: it was rewritten.');
    case 'history': return new Unsound('root_differs', range, 'The entries do not give the root of a checkpoint the log signed earlier: they were rewritten afterwards.');
    case 'checkpoint': return new Unsound('root_differs', range, 'The entries do not give the root the log signed.');
    default: return head.source satisfies never;
  }
}

/* ---------- records against entries ---------- */

function recordCheck(sha256: Sha256 = webSha256) {
  /** Records that are gone and that no entry has explained yet. */
  const unexplained = new Set<number>();
  let [verified, erased, notShown] = [0, 0, 0];

  return {
    async check({ start, width, entries, records }: Bundle): Promise<void> {
      const shown = Array.from({ length: Math.min(width, entries.length) }, (_, at) => records[at]);
      const results = await Promise.all(shown.map((record, at) => (record ? recordFault(record, entries[at]!, sha256) : undefined)));
      results.forEach((result, at) => {
        if (result?.fault !== undefined) throw new Unsound(result.fault, { index: start + at }, recordMessages[result.fault]);
      });
      shown.forEach((record, at) => {
        if (record === null) unexplained.add(start + at);
        else if (record === undefined) notShown += 1;
        else verified += 1;
      });
      for (const index of results.flatMap((result) => result?.erases ?? [])) if (unexplained.delete(index)) erased += 1;
    },
    /** Erasures come after what they erase, so what is left now was taken away without a word. */
    async finish(reader: LogReader, size: number): Promise<RecordCounts> {
      // an erasure of this very moment may be recorded but not yet counted by a checkpoint: the next run will check it
      if (unexplained.size > 0) for await (const index of pendingErasures(reader, size)) if (unexplained.delete(index)) erased += 1;
      const first = unexplained.values().next().value;
      if (first !== undefined) throw new Unsound('record_missing', { index: first }, 'The record is gone and no entry of the log says that it was erased.');
      return { verified, erased, notShown };
    },
  };
}

async function* pendingErasures(reader: LogReader, size: number): AsyncGenerator<number, void> {
  for (let index = Math.floor(size / tileWidth); ; index += 1) {
    const shown = await reader.records?.(index, tileWidth) ?? [];
    for (const record of shown) if (record) yield* erasedBy(record.record);
    if (shown.length < tileWidth) return;
  }
}

const recordMessages: Readonly<Record<RecordFaultKind, string>> = {
  record_differs: 'The record is not the one the entry committed to: record or salt was changed.',
  record_malformed: 'The record is no audit record.',
  facts_differ: 'The facts the entry is listed under contradict its record.',
};
