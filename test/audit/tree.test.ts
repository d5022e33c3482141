import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { toHex, type Bytes } from '../../src/audit/bytes.ts';
import { nodeSha256 } from '../../src/audit/node-sha256.ts';
import { consistencyProof, emptyRoot, frontier, inclusionProof, leafHash, nodeHash, rootAt, rootOver, verifyConsistency, verifyInclusion, type NodeReader } from '../../src/audit/tree.ts';
import { isVeilgateError } from '../../src/errors.ts';
import { naiveRoot } from './support/log.ts';

const vectorFolder = path.resolve(import.meta.dirname, '../vectors/merkle');
const readVectors = <T>(name: string) => JSON.parse(readFileSync(path.join(vectorFolder, name), 'utf8')) as T;
const bytes = (base64: string): Bytes => new Uint8Array(Buffer.from(base64, 'base64'));
const proofOf = (proof: string[] | null) => (proof ?? []).map(bytes);

/** Reads complete subtrees straight off the leaves. */
const readerOf = (leaves: readonly Uint8Array[]): NodeReader => async (level, index) => naiveRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));
const leafData = fc.array(fc.uint8Array({ maxLength: 8 }), { minLength: 1, maxLength: 70 });

async function verdict(check: Promise<void>): Promise<boolean> {
  try {
    await check;
    return true;
  } catch (error) {
    if (isVeilgateError(error, 'AUDIT_PROOF_INVALID')) return false;
    throw error;
  }
}

describe('tree', () => {
  type InclusionVector = { leafIdx: number; treeSize: number; root: string; leafHash: string; proof: string[] | null; desc: string; wantErr: boolean; _file: string };
  it('accepts and refuses every published inclusion case as it should', async () => {
    const vectors = readVectors<InclusionVector[]>('inclusion_vectors.json');
    assert.equal(vectors.length, 98);
    for (const { leafIdx, treeSize, root, leafHash: leaf, proof, desc, wantErr, _file } of vectors) {
      const accepted = await verdict(verifyInclusion({ index: leafIdx, size: treeSize, root: bytes(root), leafHash: bytes(leaf), proof: proofOf(proof) }));
      assert.equal(accepted, !wantErr, `${_file} ${desc}`);
    }
  });

  type ConsistencyVector = { size1: number; size2: number; root1: string; root2: string; proof: string[] | null; desc: string; wantErr: boolean; _file: string };
  it('accepts and refuses every published consistency case as it should', async () => {
    const vectors = readVectors<ConsistencyVector[]>('consistency_vectors.json');
    assert.equal(vectors.length, 98);
    for (const { size1, size2, root1, root2, proof, desc, wantErr, _file } of vectors) {
      const accepted = await verdict(verifyConsistency({ from: size1, to: size2, fromRoot: bytes(root1), toRoot: bytes(root2), proof: proofOf(proof) }));
      assert.equal(accepted, !wantErr, `${_file} ${desc}`);
    }
  });

  it('gives the published roots of RFC 6962 for every size', async () => {
    const { leaf_inputs_hex: inputs, root_by_tree_size_hex: roots } = readVectors<{ leaf_inputs_hex: string[]; root_by_tree_size_hex: string[] }>('rfc6962_tree.json');
    const leaves = inputs.map((hex) => Buffer.from(hex, 'hex'));
    for (const [size, root] of roots.entries()) {
      assert.equal(toHex(await rootAt(size, readerOf(leaves))), root);
      assert.equal(toHex(naiveRoot(leaves.slice(0, size))), root);
    }
    assert.equal(toHex(await emptyRoot()), roots[0]);
  });

  it('computes the same root as the recursive definition, in every way it can', async () => {
    await fc.assert(fc.asyncProperty(leafData, async (leaves) => {
      const expected = toHex(naiveRoot(leaves));
      const hashes = await Promise.all(leaves.map((leaf) => leafHash(leaf)));
      assert.equal(toHex(await rootOver(hashes)), expected);
      assert.equal(toHex(await rootAt(leaves.length, readerOf(leaves), nodeSha256)), expected);
      const growing = frontier(nodeSha256);
      for (const hash of hashes) await growing.append(0, hash);
      assert.equal(toHex(await growing.root()), expected);
    }), { numRuns: 40 });
  });

  it('proves every leaf, and the proof fits no other leaf, place or size', async () => {
    await fc.assert(fc.asyncProperty(leafData, fc.nat(), async (anyLeaves, pick) => {
      // a proof does fit another place where the same leaf stands again
      const leaves = anyLeaves.map((leaf, at) => Buffer.concat([Buffer.from([at >> 8, at & 255]), leaf]));
      const [size, root] = [leaves.length, naiveRoot(leaves)];
      const index = pick % size;
      const proof = await inclusionProof(index, size, readerOf(leaves), nodeSha256);
      const claim = { index, size, root, proof, leafHash: await leafHash(leaves[index]!) };
      assert.equal(await verdict(verifyInclusion(claim, nodeSha256)), true);
      const other = naiveRoot([Buffer.from('not in the tree')]);
      const wrong = [
        { ...claim, leafHash: other }, { ...claim, root: other }, { ...claim, index: index + 1 }, { ...claim, size: size * 2 + 1 },
        { ...claim, proof: [...proof, other] }, ...(proof.length > 0 ? [{ ...claim, proof: proof.slice(1) }, { ...claim, proof: proof.with(0, other) }] : []),
      ];
      for (const claimed of wrong) assert.equal(await verdict(verifyInclusion(claimed, nodeSha256)), false);
    }), { numRuns: 60 });
  });

  it('refuses proofs that are longer than a tree of that size is high, whatever root they lead to', async () => {
    const [leaf, extra] = [await leafHash(Buffer.from('leaf')), await leafHash(Buffer.from('extra'))];
    const claim = { index: 0, size: 1, leafHash: leaf, root: await nodeHash(extra, leaf), proof: [extra] };
    assert.equal(await verdict(verifyInclusion(claim)), false);
    assert.equal(await verdict(verifyInclusion({ ...claim, root: leaf, proof: [] })), true);
    const [one, two] = [await nodeHash(leaf, extra), await nodeHash(extra, await nodeHash(leaf, extra))];
    assert.equal(await verdict(verifyConsistency({ from: 1, fromRoot: leaf, to: 2, toRoot: one, proof: [extra] })), true);
    assert.equal(await verdict(verifyConsistency({ from: 1, fromRoot: await nodeHash(extra, leaf), to: 2, toRoot: two, proof: [extra, extra] })), false);
  });

  it('proves that a tree begins with any smaller one, and with no other', async () => {
    await fc.assert(fc.asyncProperty(leafData, fc.nat(), async (leaves, pick) => {
      const to = leaves.length;
      const from = (pick % to) + 1;
      const proof = await consistencyProof(from, to, readerOf(leaves), nodeSha256);
      const claim = { from, to, fromRoot: naiveRoot(leaves.slice(0, from)), toRoot: naiveRoot(leaves), proof };
      assert.equal(await verdict(verifyConsistency(claim, nodeSha256)), true);
      const other = naiveRoot([Buffer.from('another tree')]);
      for (const claimed of [{ ...claim, fromRoot: other }, { ...claim, toRoot: other }, { ...claim, proof: [...proof, other] }, { ...claim, from: 0 }]) {
        assert.equal(await verdict(verifyConsistency(claimed, nodeSha256)), false);
      }
    }), { numRuns: 60 });
  });

  it('refuses proofs for what is not in the tree', async () => {
    const read = readerOf([Buffer.from('a'), Buffer.from('b')]);
    for (const index of [-1, 2, 0.5, Number.NaN, 2 ** 53]) await assert.rejects(inclusionProof(index, 2, read), { code: 'AUDIT_RANGE_INVALID' });
    for (const [from, to] of [[0, 2], [3, 2], [1.5, 2], [1, -1], [1, 2 ** 60]] as const) await assert.rejects(consistencyProof(from, to, read), { code: 'AUDIT_RANGE_INVALID' });
  });

  it('works beyond 2^32 leaves', async () => {
    // all leaves alike, so that complete subtrees are known without building the tree
    const levels: Bytes[] = [await leafHash(Buffer.alloc(32))];
    for (let level = 1; level < 52; level += 1) levels.push(await rootOver([levels[level - 1]!, levels[level - 1]!]));
    const read: NodeReader = async (level) => levels[level]!;
    const [from, size] = [2 ** 40 + 12_345, 2 ** 50 + 2 ** 33 + 77];
    const root = await rootAt(size, read);
    for (const index of [0, 2 ** 32, 2 ** 49 + 1, size - 1]) {
      await verifyInclusion({ index, size, root, leafHash: levels[0]!, proof: await inclusionProof(index, size, read) });
    }
    await verifyConsistency({ from, to: size, fromRoot: await rootAt(from, read), toRoot: root, proof: await consistencyProof(from, size, read) });
  });
});
