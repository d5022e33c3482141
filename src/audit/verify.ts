import type { Checkpoint, LogTrust, OpenedCheckpoint } from './checkpoint.ts';
import { present, Unsound, type LogFault } from './fault.ts';
import type { LogReader } from './log-reader.ts';
import { erasedBy, recordFault, type RecordFaultKind, type ShownRecord } from './record-check.ts';
import { decodeBundle, tileWidth, widthAt } from './tile.ts';
import { webSha256, type Sha256 } from './tree.ts';
import { openTrusted, signedHeads, treeCheck, type LeafBundle } from './tree-check.ts';

export type { LogFault, LogReader };

/**
 * The independent verifier: re-derives every hash of a log from its entries up to what the log signed, through an
 * interface that can only read, and names the first entry that is wrong. Memory stays flat whatever the size.
 */

export type VerifyOptions = {
  readonly trust: LogTrust;
  /** A checkpoint seen before: the log must begin with what it counts. */
  readonly remembered?: Checkpoint;
  /**
   * Entries before this one were verified earlier and are not read again, rounded down to whole bundles. What `remembered`
   * counts shows that they are still the same ones; without it, or beyond it, everything is read.
   */
  readonly from?: number;
  readonly sha256?: Sha256;
  /** Called after each bundle of 256 entries. */
  readonly onProgress?: (progress: { readonly verified: number; readonly size: number }) => void;
};

export type LogReport =
  | { readonly kind: 'sound'; readonly checkpoint: OpenedCheckpoint; readonly records: RecordCounts }
  | { readonly kind: 'unsound'; readonly fault: LogFault; /** Entries that were found right before it. */ readonly verified: number };

export type RecordCounts = { readonly verified: number; readonly erased: number; readonly notShown: number };

/** Bundles under way at once. */
const readAhead = 4;

/** Verifies a whole log. Throws only what the reader throws, and CONFIG_INVALID for a trust that contradicts itself. */
export async function verifyLog(reader: LogReader, options: VerifyOptions): Promise<LogReport> {
  const { sha256 = webSha256 } = options;
  let verified = 0;
  try {
    const checkpoint = await openTrusted(await reader.checkpoint(), options.trust);
    requireNotShorter(checkpoint, options.remembered);
    const start = firstBundle(options);
    const heads = signedHeads(reader, checkpoint, options.trust, options.remembered, start * tileWidth);
    const records = recordCheck(sha256);
    const tree = treeCheck(reader, checkpoint.size, heads, sha256);
    await tree.start(start * tileWidth);
    verified = start * tileWidth;
    for await (const bundle of bundles(reader, checkpoint.size, start)) {
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

function firstBundle({ from = 0, remembered }: VerifyOptions): number {
  return Math.floor(Math.min(from, remembered?.size ?? 0) / tileWidth);
}

function asUnsound(error: unknown): Unsound {
  if (error instanceof Unsound) return error;
  throw error;
}

async function throwFirst(faults: readonly (Unsound | void)[]): Promise<void> {
  const [first] = faults.filter((fault) => fault !== undefined).toSorted((a, b) => (a.fault.index ?? 0) - (b.fault.index ?? 0));
  if (first !== undefined) throw first;
}

function requireNotShorter(checkpoint: Checkpoint, remembered: Checkpoint | undefined): void {
  if (remembered === undefined || remembered.size <= checkpoint.size) return;
  throw new Unsound('rolled_back', { index: checkpoint.size, until: remembered.size }, 'The log is shorter than a checkpoint that was seen before: entries were taken away.');
}

/* ---------- bundles, read ahead ---------- */

type Bundle = LeafBundle & { readonly records: readonly (ShownRecord | null | undefined)[] };

async function* bundles(reader: LogReader, size: number, first: number): AsyncGenerator<Bundle, void> {
  const count = Math.ceil(size / tileWidth);
  const underWay: Promise<Bundle>[] = [];
  for (let next = first; next < count || underWay.length > 0;) {
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

/* ---------- records against entries ---------- */

function recordCheck(sha256: Sha256) {
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
