import { createHash } from 'node:crypto';
import { appendRecords } from '../../audit/append.ts';
import { recordHead } from '../../audit/entry.ts';
import { canonicalJson } from '../../canonical.ts';
import type { Clock } from '../../clock.ts';
import { VeilgateError, isVeilgateError } from '../../errors.ts';
import type { ParameterSet } from '../../he/parameters.ts';
import { activeSignatureKey } from '../../identity/registry/party-key.ts';
import { featureBlock, type SignedBodies } from '../../identity/signed-body.ts';
import { storeColumn } from '../../scoring/feature/columns.ts';
import { readFrames, type Frame } from '../../scoring/feature/frame.ts';
import { keyForStorage, scoreKeysInUse, type KnownScoreKey } from '../../scoring/feature/keys.ts';
import { assignedSlots, placesGiven, slotsPerBlock, within } from '../../scoring/feature/positions.ts';
import type { Feature, FeatureId } from '../../scoring/protocol.ts';
import type { Database, Tx } from '../../store/database.ts';
import type { DatasetId, PartyId } from '../../vocabulary.ts';
import { blockInvalid, checkBlock, type CheckedBlock } from './feature-envelope.ts';
import { endRotation } from './feature-rekey.ts';

/** What storing blocks needs. */
export type BlockStore = {
  readonly database: Database;
  readonly clock: Clock;
  readonly bodies: SignedBodies;
  readonly features: () => ReadonlyMap<FeatureId, Feature>;
  /** Loads foreign bytes where a crash does no harm. Errors: HE_CIPHERTEXT_REFUSED. */
  readonly check: (set: ParameterSet, bytes: Uint8Array) => Promise<void>;
};

export type StoredBlocks = { readonly stored: number; /** Were there already, exactly so. */ readonly same: number; readonly rotated: boolean };

/**
 * Takes in blocks of one dataset under one key, at most framesMax: all of them, or none, with the place of the one that
 * was refused as `frame` in the error's detail. Handing blocks in again changes nothing.
 * Errors: TOKEN_*, FEATURE_*, HE_CIPHERTEXT_REFUSED, AUDIT_UNAVAILABLE.
 */
export async function storeBlocks(store: BlockStore, department: PartyId, dataset: DatasetId, source: AsyncIterable<Uint8Array>): Promise<StoredBlocks> {
  const keys = await scoreKeysInUse(store.database);
  const signers = new Set<string>();
  const checks: Promise<CheckedBlock>[] = [];
  for await (const frame of readFrames(source, blockInvalid)) {
    const at = checks.length;
    const check = checkFrame(store, { department, dataset, keys, signers }, frame).catch((error: unknown) => { throw atFrame(error, at); });
    check.catch(() => {}); // awaited in order
    checks.push(check);
    await checks[at - checksAtOnce + 1]; // none yet for the first ones
  }
  const blocks = await Promise.all(checks);
  const strange = blocks.findIndex(({ claims }) => claims.key !== blocks[0]?.claims.key);
  if (strange >= 0) throw atFrame(blockInvalid('one call holds blocks under one key'), strange);
  if (blocks.length === 0) throw blockInvalid('there is none in the body');
  const outcome = await storeAll(store, department, dataset, blocks);
  const rotated = outcome.stored > 0 && keys.length > 1 && await endRotation(store.database, store.clock);
  return { ...outcome, rotated };
}

/** Blocks that are being checked while the next arrive. */
const checksAtOnce = 4;

/** The same refusal, saying which block it was about. */
function atFrame(error: unknown, frame: number): unknown {
  return isVeilgateError(error) ? new VeilgateError(error.code, error.message, { ...error.detail, frame }) : error;
}

type Call = { readonly department: PartyId; readonly dataset: DatasetId; readonly keys: readonly KnownScoreKey[]; readonly signers: Set<string> };

async function checkFrame(store: BlockStore, { department, dataset, keys, signers }: Call, frame: Frame): Promise<CheckedBlock> {
  const { claims, keyThumbprint } = await store.bodies.verify(frame.envelope, featureBlock, department, store.clock.nowMs());
  if (!signers.has(keyThumbprint)) {
    await requireActive(store, department, frame.envelope);
    signers.add(keyThumbprint);
  }
  const block = checkBlock(claims, frame, store.features(), dataset, keys);
  await store.check(block.set, frame.ciphertext);
  return block;
}

/** Verification keeps imported keys: whether one is still in use is asked once for each call. */
async function requireActive(store: BlockStore, department: PartyId, envelope: string): Promise<void> {
  const header = JSON.parse(Buffer.from(envelope.split('.')[0] ?? '', 'base64url').toString('utf8')) as { readonly kid: string }; // verified just now
  if (await activeSignatureKey(store.database, department, header.kid) === undefined) {
    throw new VeilgateError('TOKEN_KEY_UNKNOWN', 'The token names a key that is not registered and active: sign with one that is.');
  }
}

async function storeAll({ database, clock }: BlockStore, department: PartyId, dataset: DatasetId, blocks: readonly CheckedBlock[]): Promise<{ stored: number; same: number }> {
  return database.transaction('store feature blocks', async (tx) => {
    const key = (blocks[0] as CheckedBlock).claims.key;
    await keyForStorage(tx, key);
    const assigned = await assignedSlots(tx, [...new Set(blocks.map(({ claims }) => claims.block))]);
    const given = await placesGiven(tx);
    // all at once: the statements of one transaction travel together
    const outcomes = await Promise.all(blocks.map((block, at) =>
      storeBlock(tx, department, block, assigned.get(block.claims.block), given, clock).catch((error: unknown) => { throw atFrame(error, at); })));
    const digests = blocks.filter((_, at) => outcomes[at] === 'stored').map(({ claims }) => claims.digest);
    if (digests.length > 0) {
      await appendRecords(tx, [{
        ...recordHead('features.loaded', clock.nowMs(), department), department, dataset, key, count: digests.length,
        blocks: createHash('sha256').update(canonicalJson(digests)).digest('hex'),
      }]);
    }
    return { stored: digests.length, same: blocks.length - digests.length };
  });
}

async function storeBlock(tx: Tx, department: PartyId, { feature, set, claims, filled, frame }: CheckedBlock, assigned: Uint8Array | undefined, given: number, clock: Clock): Promise<'stored' | 'same'> {
  if (claims.block * slotsPerBlock >= given) throw blockInvalid('no enterprise has a place in this block');
  if (assigned === undefined || !within(filled, assigned)) {
    throw new VeilgateError('FEATURE_SLOTS_UNASSIGNED', 'The block holds values in slots of no enterprise: one was taken out meanwhile. Ask for the positions again and encrypt the block anew.', { block: claims.block });
  }
  const outcome = await storeColumn(tx, {
    feature, set, key: claims.key, block: claims.block, revision: claims.revision, digest: claims.digest, filled,
    envelope: frame.envelope, department, rekeyed: false, stale: false, ciphertext: frame.ciphertext,
  }, clock.nowMs());
  if (outcome !== 'older') return outcome;
  throw new VeilgateError('FEATURE_BLOCK_STALE', 'A later revision of this block is stored: ask for the status, and send a higher revision.', { feature: feature.id, block: claims.block });
}
