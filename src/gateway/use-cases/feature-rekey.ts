import { createHash } from 'node:crypto';
import { appendRecords } from '../../audit/append.ts';
import { recordHead } from '../../audit/entry.ts';
import { canonicalJson } from '../../canonical.ts';
import type { Clock } from '../../clock.ts';
import { VeilgateError } from '../../errors.ts';
import type { MaskedResult } from '../../he/evaluate.ts';
import { unpackColumn } from '../../he/packed.ts';
import { parameterSetOf, type ParameterSet } from '../../he/parameters.ts';
import { packedColumnsOf, columnsOf, storeColumn } from '../../scoring/feature/columns.ts';
import { acceptScoreKey, keyForStorage, scoreKeysInUse, type KnownScoreKey, type ScoreKey, type ScoreKeyState } from '../../scoring/feature/keys.ts';
import { lockBlocks } from '../../scoring/feature/positions.ts';
import { finishRotation, removeRetiredColumns, retiredAtOnce, waitingColumns, waitingCount, type WaitingColumn } from '../../scoring/feature/rotation.ts';
import type { FeatureId } from '../../scoring/protocol.ts';
import type { Database, Tx } from '../../store/database.ts';
import type { DatasetId, PartyId } from '../../vocabulary.ts';

/** The masked path from one key of the custodian to the next, one column at a time. */
export type Rekeyer = {
  /** Adds a uniform mask to every slot, re-randomised, for the custodian to decrypt. Errors: HE_*. */
  readonly remask: (key: ScoreKey, set: ParameterSet, bytes: Uint8Array) => Promise<MaskedResult>;
  /** Has it encrypted under the other key, still masked. Errors: CUSTODIAN_UNAVAILABLE, CUSTODIAN_REFUSED. */
  readonly reencrypt: (asked: { readonly job: string; readonly key: string; readonly toKey: string; readonly parameters: string; readonly ciphertext: Uint8Array }) => Promise<Uint8Array>;
  /** Loads the custodian's bytes where a crash does no harm. Errors: HE_CIPHERTEXT_REFUSED. */
  readonly check: (set: ParameterSet, bytes: Uint8Array) => Promise<void>;
  /** Takes the mask off under the new key. */
  readonly unmask: (key: ScoreKey, set: ParameterSet, bytes: Uint8Array, masks: Uint32Array) => Promise<Uint8Array>;
};

export type Rotation = { readonly rekeyed: number; /** Columns of the dataset, and of all, that still wait. */ readonly waiting: number; readonly waitingOfAll: number; readonly rotated: boolean };

/** Columns one call takes to the next key. */
export const rekeyMax = 64;

/**
 * Asks the custodian for its key and takes it: the first is active at once, a new one pending until every column is
 * under it (at once, when there is none). Errors: CUSTODIAN_UNAVAILABLE, FEATURE_KEY_UNKNOWN.
 */
export async function refreshScoreKey(database: Database, clock: Clock, statement: () => Promise<ScoreKey>): Promise<ScoreKeyState> {
  const key = await statement();
  const state = await database.transaction('accept score key', (tx) => acceptScoreKey(tx, key, clock.nowMs()));
  const rotated = state === 'pending' && await endRotation(database, clock);
  return rotated ? 'active' : state;
}

/** Puts the next key in force once nothing waits, and removes what the old one held; what is left after a crash goes with housekeeping. */
export async function endRotation(database: Database, clock: Clock): Promise<boolean> {
  const ended = await database.transaction('finish key rotation', (tx) => finishRotation(tx, clock.nowMs()));
  while (ended && await removeRetiredColumns(database) === retiredAtOnce);
  return ended;
}

/**
 * Takes up to `limit` waiting columns of a dataset's features to the pending key; call until none waits. Each column is
 * stored as soon as it is done: a call that breaks off loses nothing.
 * Errors: FEATURE_KEY_UNKNOWN when no key is pending, those of the Rekeyer.
 */
export async function rekeyColumns(needs: { readonly database: Database; readonly clock: Clock; readonly rekeyer: Rekeyer }, department: PartyId, dataset: DatasetId, features: readonly FeatureId[], limit: number): Promise<Rotation> {
  const { database, clock } = needs;
  const keys = await scoreKeysInUse(database);
  const from = keys.find(({ state }) => state === 'active');
  const to = keys.find(({ state }) => state === 'pending');
  if (from === undefined || to === undefined) throw new VeilgateError('FEATURE_KEY_UNKNOWN', 'The custodian\'s key does not change at present: there is nothing to re-encrypt.');
  const columns = await waitingColumns(database, features, Math.min(limit, rekeyMax));
  const digests: string[] = [];
  for (const column of columns) {
    const digest = await rekeyColumn(needs, column, from, to);
    if (digest !== undefined) digests.push(digest);
  }
  const rotated = await database.transaction('rekey features', async (tx) => {
    if (digests.length > 0) {
      await appendRecords(tx, [{
        ...recordHead('features.rekeyed', clock.nowMs(), department), department, dataset, from: from.keyId, to: to.keyId, count: digests.length,
        blocks: createHash('sha256').update(canonicalJson(digests)).digest('hex'),
      }]);
    }
    return (await waitingCount(tx, [])).all === 0;
  }) && await endRotation(database, clock);
  const left = await waitingCount(database, features);
  return { rekeyed: digests.length, waiting: rotated ? 0 : left.own, waitingOfAll: rotated ? 0 : left.all, rotated };
}

/** @returns digest of the new ciphertext; undefined when the column was refreshed meanwhile and waits again */
async function rekeyColumn({ database, clock, rekeyer }: { readonly database: Database; readonly clock: Clock; readonly rekeyer: Rekeyer }, column: WaitingColumn, from: KnownScoreKey, to: KnownScoreKey): Promise<string | undefined> {
  const set = parameterSetOf(from.parameters);
  if (set === undefined || from.parameters !== to.parameters) throw new VeilgateError('FEATURE_KEY_UNKNOWN', 'The custodian\'s new key has other parameters: the departments must encrypt anew.');
  const [packed] = await packedColumnsOf(database, [column.packedDigest]);
  const masked = await rekeyer.remask(from, set, unpackColumn(set, packed as Uint8Array));
  const foreign = await rekeyer.reencrypt({ job: `${column.feature}:${column.block}`, key: from.keyId, toKey: to.keyId, parameters: set.id, ciphertext: masked.ciphertext });
  await rekeyer.check(set, foreign);
  const ciphertext = await rekeyer.unmask(to, set, foreign, masked.masks);
  const digest = createHash('sha256').update(ciphertext).digest('hex');
  return database.transaction('store rekeyed column', async (tx) => {
    await keyForStorage(tx, to.keyId);
    await lockBlocks(tx, [column.block], 'shared');
    const now = await sameColumn(tx, column, from);
    if (now === undefined) return undefined;
    const outcome = await storeColumn(tx, {
      feature: { id: column.feature, declaration: column.declaration }, key: to.keyId, set, block: column.block, revision: column.revision, digest, filled: now.filled, stale: now.stale,
      envelope: column.envelope, department: column.department, rekeyed: true, ciphertext,
    }, clock.nowMs());
    return outcome === 'stored' ? digest : undefined;
  });
}

/** The column as it is now, with the slots that were emptied meanwhile; undefined when other bytes took its place. */
async function sameColumn(tx: Tx, column: WaitingColumn, from: ScoreKey) {
  const found = await columnsOf(tx, { key: from.keyId, features: [{ id: column.feature, declaration: column.declaration }], blocks: [column.block] });
  return found.find(({ digest }) => digest === column.digest);
}
