import { isVeilgateError } from '../errors.ts';
import { sameBytes, type Bytes } from './bytes.ts';
import { openCheckpoint, type Checkpoint, type LogTrust, type OpenedCheckpoint } from './checkpoint.ts';
import { present, Unsound } from './fault.ts';
import type { LogReader } from './log-reader.ts';
import { nodesOfTiles, tileHashes, tileWidth, widthAt } from './tile.ts';
import { completeSubtrees, frontier, hashLength, leafHash, rootOver, type Sha256 } from './tree.ts';

/** The tree's part of a verification: entries against tiles, tiles against one another, roots against what the log signed. */

export async function openTrusted(note: string, trust: LogTrust): Promise<OpenedCheckpoint> {
  try {
    return await openCheckpoint(note, trust);
  } catch (error) {
    if (isVeilgateError(error, 'AUDIT_CHECKPOINT_INVALID')) throw new Unsound('checkpoint_invalid', null, error.message);
    throw error;
  }
}

export type SignedHead = { readonly size: number; readonly root: Bytes; readonly source: 'remembered' | 'history' | 'checkpoint' };

/** Every known tree head of `from` entries or more up to the checkpoint, smallest first; the checkpoint is the last. */
export async function* signedHeads(reader: LogReader, checkpoint: OpenedCheckpoint, trust: LogTrust, remembered: Checkpoint | undefined, from = 0): AsyncGenerator<SignedHead, void> {
  let waiting: SignedHead | undefined = remembered && { ...remembered, source: 'remembered' };
  const own = { origin: trust.origin, logKeys: trust.logKeys };
  for (let after = from - 1; reader.history !== undefined;) {
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

/** Entries of one bundle, and the tile of hashes above them. */
export type LeafBundle = { readonly index: number; /** Index of its first entry. */ readonly start: number; readonly width: number; readonly entries: readonly Bytes[]; readonly tile: Uint8Array };

/** Takes bundles in order: `checkEntries`, then `extend`, for each. Throws Unsound. */
export function treeCheck(reader: LogReader, size: number, heads: AsyncGenerator<SignedHead, void>, sha256: Sha256) {
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

  const readTile = async (level: number, index: number, width: number, range: { readonly index: number; readonly until: number }) => {
    const tile = await present(reader.tile(level, index, width), 'tile_missing', range, `The log does not serve tile ${level}/${index}.`);
    if (tile.length !== width * hashLength) throw new Unsound('tile_differs', range, `Tile ${level}/${index} holds more or fewer hashes than the log's size asks for.`);
    return tile;
  };

  /** Compares the hash of a full tile with what the tile above says, and so on upwards. */
  const rise = async (level: number, position: number, hash: Bytes): Promise<void> => {
    const index = Math.floor(position / tileWidth);
    const width = widthAt(level, index, size);
    const span = 256 ** level;
    const range = { index: position * span, until: (position + 1) * span };
    if (served[level] === undefined) {
      served[level] = tileHashes(await readTile(level, index, width, range), width);
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

  /** Takes the hashes over the first entries, whole bundles of them, as the tiles say: the next signed head shows whether they are right. */
  const takeOver = async (from: number) => {
    const node = nodesOfTiles(size, (level, index, width) => readTile(level, index, width, { index: 0, until: from }), sha256);
    for (const { level, index } of completeSubtrees({ start: 0, end: from })) await tree.append(level, await node(level, index));
    for (let level = 1, above = from / tileWidth; above >= 1; level += 1, above = Math.floor(above / tileWidth)) {
      const count = above % tileWidth;
      if (count === 0) continue;
      const index = Math.floor(above / tileWidth);
      const width = widthAt(level, index, size);
      const hashes = tileHashes(await readTile(level, index, width, { index: 0, until: from }), width);
      served[level] = hashes;
      filling[level] = hashes.slice(0, count);
    }
  };

  return {
    /** @param from entries that are not checked, a multiple of 256 */
    async start(from = 0): Promise<void> {
      if (from > 0) await takeOver(from);
      await nextHead();
      await checkHeads(from, from);
    },
    async checkEntries({ start, width, entries, tile }: LeafBundle): Promise<void> {
      const malformed = entries.findIndex((entry) => entry.length !== hashLength);
      const usable = malformed < 0 ? entries.slice(0, width) : entries.slice(0, malformed);
      leaves = await Promise.all(usable.map((entry) => leafHash(entry, sha256)));
      const differs = leaves.findIndex((leaf, at) => !sameBytes(leaf, tile.subarray(at * hashLength, (at + 1) * hashLength)));
      if (differs >= 0) throw new Unsound('entry_differs', { index: start + differs }, 'The entry and the tree above it contradict each other: one of them was changed.');
      if (malformed >= 0) throw new Unsound('entry_malformed', { index: start + malformed }, 'The entry is no commitment of 32 bytes.');
      if (entries.length < width) throw new Unsound('entry_missing', { index: start + entries.length }, 'The entry is missing though the checkpoint counts it.');
      if (entries.length > width || tile.length !== width * hashLength) throw new Unsound('tile_differs', { index: start, until: start + width }, 'The log serves more or fewer hashes than its size asks for.');
    },
    async extend({ index, start, width }: LeafBundle): Promise<void> {
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
