import { VeilgateError } from '../errors.ts';
import { concat, type Bytes } from './bytes.ts';
import { hashLength, rootOver, type NodeReader, type Sha256, webSha256 } from './tree.ts';

/** C2SP tlog-tiles: how a log is cut into files that never change, and what they are called. */

/** Hashes in a full tile, entries in a full bundle. */
export const tileWidth = 256;
const tileHeight = 8;
/** tlog-tiles allows up to 63; a log below 2^53 entries has no more than seven levels. */
export const tileLevelMax = 6;

export type TileAddress = {
  /** `entries` for a bundle of entries, else 0..6. */
  readonly level: number | 'entries';
  readonly index: number;
  /** 1..256; below 256 the tile is partial. */
  readonly width: number;
};

/** `tile/<L>/<N>[.p/<W>]`, without a leading slash. */
export function tilePath({ level, index, width }: TileAddress): string {
  const groups = [];
  let rest = index;
  do {
    groups.unshift(String(rest % 1000).padStart(3, '0'));
    rest = Math.floor(rest / 1000);
  } while (rest > 0);
  const name = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
  return `tile/${level}/${name}${width < tileWidth ? `.p/${width}` : ''}`;
}

const pathGrammar = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/;

/** Reads a path that tilePath writes; undefined for any other, such as one with superfluous zeroes. */
export function parseTilePath(path: string): TileAddress | undefined {
  const [, levelText, name, widthText] = pathGrammar.exec(path) ?? [];
  if (levelText === undefined || name === undefined) return undefined;
  const address = {
    level: levelText === 'entries' ? levelText : Number(levelText),
    index: Number(name.replaceAll(/[x/]/g, '')),
    width: widthText === undefined ? tileWidth : Number(widthText),
  } as const;
  if (!isTileAddress(address) || tilePath(address) !== path) return undefined;
  return address;
}

/** True when a log below 2^53 entries could have such a tile. */
export function isTileAddress({ level, index, width }: TileAddress): boolean {
  const span = level === 'entries' ? 1 : 256 ** level;
  return (level === 'entries' || (Number.isInteger(level) && level >= 0 && level <= tileLevelMax))
    && Number.isSafeInteger(index) && index >= 0 && Number.isInteger(width) && width >= 1 && width <= tileWidth
    && Number.isSafeInteger(index * tileWidth * span);
}

/** How wide the tile (or bundle) is in a log of `size` entries: 0 when it is not there, 256 when it is full. */
export function widthAt(level: number | 'entries', index: number, size: number): number {
  const hashes = Math.floor(size / 256 ** (level === 'entries' ? 0 : level));
  return Math.min(Math.max(hashes - index * tileWidth, 0), tileWidth);
}

/** Cuts a tile of `width` hashes into its hashes. Errors: AUDIT_PROOF_INVALID for another length. */
export function tileHashes(tile: Uint8Array, width: number): Bytes[] {
  if (tile.length !== width * hashLength) {
    throw new VeilgateError('AUDIT_PROOF_INVALID', 'The log served a tile of the wrong length: fetch it again, and if it stays wrong tell the auditor.');
  }
  return Array.from({ length: width }, (_, at) => new Uint8Array(tile.subarray(at * hashLength, (at + 1) * hashLength)));
}

/** Entries of a bundle, each after its length (big-endian uint16). */
export function encodeBundle(entries: readonly Uint8Array[]): Bytes {
  return concat(...entries.flatMap((entry) => {
    if (entry.length > 0xffff) throw new RangeError('an entry holds at most 65,535 bytes');
    return [Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry];
  }));
}

/** The entries of a bundle; undefined when the bytes are no bundle. It may hold fewer entries than expected. */
export function decodeBundle(bundle: Uint8Array): Bytes[] | undefined {
  const entries: Bytes[] = [];
  for (let at = 0; at < bundle.length;) {
    const [high, low] = [bundle[at], bundle[at + 1]];
    if (high === undefined || low === undefined) return undefined;
    const end = at + 2 + high * 256 + low;
    if (end > bundle.length || entries.length === tileWidth) return undefined;
    entries.push(new Uint8Array(bundle.subarray(at + 2, end)));
    at = end;
  }
  return entries;
}

/** Gets a tile of hashes; called with the width the tile has in the log of the size in question. */
export type TileReader = (level: number, index: number, width: number) => Promise<Uint8Array>;

/** Nodes of the tree of `size` leaves out of its tiles; each tile is fetched once for the life of the reader. */
export function nodesOfTiles(size: number, readTile: TileReader, sha256: Sha256 = webSha256): NodeReader {
  const fetched = new Map<string, Promise<Bytes[]>>();
  const hashesOf = (level: number, index: number) => {
    const key = `${level}/${index}`;
    const width = widthAt(level, index, size);
    const known = fetched.get(key) ?? readTile(level, index, width).then((tile) => tileHashes(tile, width));
    fetched.set(key, known);
    return known;
  };
  return async (level, index) => {
    const tileLevel = Math.floor(level / tileHeight);
    const count = 2 ** (level % tileHeight);
    const first = index * count;
    const hashes = await hashesOf(tileLevel, Math.floor(first / tileWidth));
    const within = hashes.slice(first % tileWidth, (first % tileWidth) + count);
    if (within.length !== count) throw new RangeError('no complete subtree of this tree');
    return rootOver(within, sha256);
  };
}
