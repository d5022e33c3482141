import { VeilgateError } from '../errors.ts';
import { concat, sameBytes, type Bytes } from './bytes.ts';

/**
 * The Merkle tree of RFC 6962 section 2.1 over SHA-256: hashing, proofs, and their verification after
 * RFC 9162 sections 2.1.3.2 and 2.1.4.2. Sizes and indices are safe integers (below 2^53).
 */

/** SHA-256 of the caller's choice: WebCrypto everywhere, or a synchronous one where there is one. */
export type Sha256 = (data: Bytes) => Bytes | Promise<Bytes>;

export const webSha256: Sha256 = async (data) => new Uint8Array(await crypto.subtle.digest('SHA-256', data));

/** Hash of the complete subtree over leaves [index·2^level, (index+1)·2^level); level 0 are leaf hashes. */
export type NodeReader = (level: number, index: number) => Promise<Bytes>;

/** Leaves [start, end) of a tree. */
export type LeafRange = { readonly start: number; readonly end: number };

export const hashLength = 32;
/** More than any tree below 2^53 leaves needs. */
export const proofLengthMax = 64;

const leafPrefix = Uint8Array.of(0);
const nodePrefix = Uint8Array.of(1);

export async function leafHash(data: Uint8Array, sha256: Sha256 = webSha256): Promise<Bytes> {
  return sha256(concat(leafPrefix, data));
}

export async function nodeHash(left: Uint8Array, right: Uint8Array, sha256: Sha256 = webSha256): Promise<Bytes> {
  return sha256(concat(nodePrefix, left, right));
}

/** Root of the tree without leaves: the hash of nothing. */
export async function emptyRoot(sha256: Sha256 = webSha256): Promise<Bytes> {
  return sha256(new Uint8Array(0));
}

/** Root over adjacent leaf or node hashes of one level, at least one. Hashes of a level are asked for at once. */
export async function rootOver(hashes: readonly Bytes[], sha256: Sha256 = webSha256): Promise<Bytes> {
  let level = hashes;
  while (level.length > 1) {
    const above: (Bytes | Promise<Bytes>)[] = [];
    for (let at = 0; at + 1 < level.length; at += 2) above.push(sha256(concat(nodePrefix, level[at]!, level[at + 1]!)));
    // a lone last node rises unchanged: it is the root of the smaller right side
    if (level.length % 2 === 1) above.push(level.at(-1)!);
    level = await Promise.all(above);
  }
  return level[0]!;
}

/** Collects complete subtrees from left to right and knows the root over them at any moment; log2(size) hashes of memory. */
export function frontier(sha256: Sha256 = webSha256): Frontier {
  const nodes: { level: number; hash: Bytes }[] = [];
  return {
    async append(level, hash) {
      let node = { level, hash };
      for (let last = nodes.at(-1); last !== undefined && last.level === node.level; last = nodes.at(-1)) {
        nodes.pop();
        node = { level: node.level + 1, hash: await nodeHash(last.hash, node.hash, sha256) };
      }
      nodes.push(node);
    },
    async root(rest) {
      let root = rest;
      for (const { hash } of nodes.toReversed()) root = root === undefined ? hash : await nodeHash(hash, root, sha256);
      return root ?? emptyRoot(sha256);
    },
  };
}

export type Frontier = {
  /** Adds the next complete subtree of 2^level leaves; the size so far must be a multiple of 2^level. */
  append(level: number, hash: Bytes): Promise<void>;
  /** Root over everything appended and, when given, the root of a smaller rest to its right. */
  root(rest?: Bytes): Promise<Bytes>;
};

/** Largest power of two below `count`, which is at least 2. */
function splitPoint(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

/** The complete subtrees that make up a range which a tree hash is defined over, largest first. */
export function completeSubtrees({ start, end }: LeafRange): { level: number; index: number }[] {
  const subtrees: { level: number; index: number }[] = [];
  for (let at = start; at < end;) {
    let level = 0;
    while (at + 2 ** (level + 1) <= end && at % 2 ** (level + 1) === 0) level += 1;
    subtrees.push({ level, index: at / 2 ** level });
    at += 2 ** level;
  }
  return subtrees;
}

/** Root of the first `size` leaves. */
export async function rootAt(size: number, read: NodeReader, sha256: Sha256 = webSha256): Promise<Bytes> {
  requireSize(size);
  return size === 0 ? emptyRoot(sha256) : hashOf({ start: 0, end: size }, read, sha256);
}

async function hashOf(range: LeafRange, read: NodeReader, sha256: Sha256): Promise<Bytes> {
  const hashes = await Promise.all(completeSubtrees(range).map(({ level, index }) => read(level, index)));
  let root = hashes.at(-1)!;
  for (const hash of hashes.slice(0, -1).toReversed()) root = await nodeHash(hash, root, sha256);
  return root;
}

/** RFC 6962 section 2.1.1: from the leaf's sibling up. Errors: AUDIT_RANGE_INVALID. */
export async function inclusionProof(index: number, size: number, read: NodeReader, sha256: Sha256 = webSha256): Promise<Bytes[]> {
  requireSize(size);
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) {
    throw new VeilgateError('AUDIT_RANGE_INVALID', 'There is no such entry in a log of that size: ask for an index below the size.');
  }
  const siblings: LeafRange[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitPoint(end - start);
    if (index < middle) {
      siblings.push({ start: middle, end });
      end = middle;
    } else {
      siblings.push({ start, end: middle });
      start = middle;
    }
  }
  return Promise.all(siblings.toReversed().map((range) => hashOf(range, read, sha256)));
}

/** RFC 6962 section 2.1.2, between two sizes of one log; empty when they are equal. Errors: AUDIT_RANGE_INVALID. */
export async function consistencyProof(from: number, to: number, read: NodeReader, sha256: Sha256 = webSha256): Promise<Bytes[]> {
  requireSize(from);
  requireSize(to);
  if (from < 1 || from > to) {
    throw new VeilgateError('AUDIT_RANGE_INVALID', 'A consistency proof leads from a size of at least 1 to one that is not smaller: ask in that order.');
  }
  const ranges: LeafRange[] = [];
  let [start, end, whole] = [0, to, true];
  while (from < end) {
    const middle = start + splitPoint(end - start);
    if (from <= middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
      whole = false;
    }
  }
  // the old tree itself need not be proved to those who know its root
  if (!whole) ranges.push({ start, end });
  return Promise.all(ranges.toReversed().map((range) => hashOf(range, read, sha256)));
}

export type InclusionClaim = {
  readonly index: number;
  readonly size: number;
  readonly leafHash: Bytes;
  readonly root: Bytes;
  readonly proof: readonly Bytes[];
};

/** Throws AUDIT_PROOF_INVALID unless the proof shows the leaf at `index` in the tree of `size` with `root`. */
export async function verifyInclusion(claim: InclusionClaim, sha256: Sha256 = webSha256): Promise<void> {
  const { index, size, proof } = claim;
  if (!isSize(size) || !isSize(index) || index >= size || claim.leafHash.length !== hashLength || !wellFormed(proof)) refuseInclusion();
  let [position, last, hash] = [index, size - 1, claim.leafHash];
  for (const sibling of proof) {
    if (last === 0) refuseInclusion();
    if (position % 2 === 1 || position === last) {
      hash = await nodeHash(sibling, hash, sha256);
      while (position % 2 === 0 && position !== 0) [position, last] = [position / 2, half(last)];
    } else {
      hash = await nodeHash(hash, sibling, sha256);
    }
    [position, last] = [half(position), half(last)];
  }
  if (last !== 0 || !sameBytes(hash, claim.root)) refuseInclusion();
}

export type ConsistencyClaim = {
  readonly from: number;
  readonly fromRoot: Bytes;
  readonly to: number;
  readonly toRoot: Bytes;
  readonly proof: readonly Bytes[];
};

/** Throws AUDIT_PROOF_INVALID unless the proof shows that the larger tree begins with the smaller one, which is not empty. */
export async function verifyConsistency(claim: ConsistencyClaim, sha256: Sha256 = webSha256): Promise<void> {
  const { from, fromRoot, to, toRoot, proof } = claim;
  if (!isSize(from) || !isSize(to) || from < 1 || from > to || !wellFormed(proof)) refuseConsistency();
  if (from === to) {
    if (proof.length > 0 || !sameBytes(fromRoot, toRoot)) refuseConsistency();
    return;
  }
  let [position, last] = [from - 1, to - 1];
  while (position % 2 === 1) [position, last] = [half(position), half(last)];
  // an old tree that is one complete subtree is its own first node, which the proof leaves out
  const [first, ...rest] = position === 0 ? [fromRoot, ...proof] : proof;
  if (first === undefined || proof.length === 0) refuseConsistency();
  let [oldHash, newHash] = [first, first];
  for (const node of rest) {
    if (last === 0) refuseConsistency();
    if (position % 2 === 1 || position === last) {
      oldHash = await nodeHash(node, oldHash, sha256);
      newHash = await nodeHash(node, newHash, sha256);
      while (position % 2 === 0 && position !== 0) [position, last] = [position / 2, half(last)];
    } else {
      newHash = await nodeHash(newHash, node, sha256);
    }
    [position, last] = [half(position), half(last)];
  }
  if (last !== 0 || !sameBytes(oldHash, fromRoot) || !sameBytes(newHash, toRoot)) refuseConsistency();
}

const half = (value: number) => Math.floor(value / 2);
const isSize = (value: number) => Number.isSafeInteger(value) && value >= 0;
const wellFormed = (proof: readonly Bytes[]) => proof.length <= proofLengthMax && proof.every((hash) => hash.length === hashLength);

function requireSize(size: number): void {
  if (!isSize(size)) throw new VeilgateError('AUDIT_RANGE_INVALID', 'A log size is a whole number from 0: send one.');
}

function refuseInclusion(): never {
  throw new VeilgateError('AUDIT_PROOF_INVALID', 'The proof does not show this entry in the log: fetch it again, and if it stays wrong tell the auditor.');
}

function refuseConsistency(): never {
  throw new VeilgateError('AUDIT_PROOF_INVALID', 'The proof does not show that the log was only added to: keep both checkpoints and tell the auditor.');
}
