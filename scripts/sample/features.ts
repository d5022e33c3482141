import { createHash } from 'node:crypto';
import { parameterSets } from '../../src/he/parameters.ts';
import { storeColumn } from '../../src/scoring/feature/columns.ts';
import { bitmapOf, slotsPerBlock } from '../../src/scoring/feature/positions.ts';
import type { Feature } from '../../src/scoring/protocol.ts';
import type { Database } from '../../src/store/database.ts';
import type { TimeMs, Value } from '../../src/vocabulary.ts';
import { sampleRows } from './generate.ts';
import type { SampleOptions } from './profile.ts';
import { sampleSubjectsSql } from './subjects.ts';

/** Names of the fields that some features of one dataset are made from. */
export function sourceFields(features: readonly Feature[]): string[] {
  return [...new Set(features.map(({ source }) => source.slice(source.indexOf('.') + 1)))];
}

/** One row for each enterprise with the values features are made from: of periodic datasets those of the latest period. */
export function* featureRows(dataset: string, features: readonly Feature[], options: SampleOptions): Generator<Readonly<Record<string, Value>>> {
  const names = sourceFields(features);
  let latest: Readonly<Record<string, Value | undefined>> | undefined;
  const cut = (row: Readonly<Record<string, Value | undefined>>) => ({ subject: row['subject'] ?? null, ...Object.fromEntries(names.map((name) => [name, row[name] ?? null])) });
  for (const row of sampleRows(dataset, { ...options, periods: 1 })) {
    if (latest !== undefined && latest['subject'] !== row['subject']) yield cut(latest);
    latest = row;
  }
  if (latest !== undefined) yield cut(latest);
}

/** The same as the file `veilgate domain encrypt` takes, in chunks of about 64 KB. */
export function* featuresCsv(dataset: string, features: readonly Feature[], options: SampleOptions): Generator<string> {
  const names = ['subject', ...sourceFields(features)];
  let text = `${names.join()}\n`;
  for (const row of featureRows(dataset, features, options)) {
    text += `${names.map((name) => row[name] ?? '').join()}\n`;
    if (text.length < 65_536) continue;
    yield text;
    text = '';
  }
  yield text;
}

/** A column of made-up integers within the feature's range: cheap, seeded, the same in every process. */
export function syntheticColumn(feature: Feature, block: number, seed: number, filled = slotsPerBlock): Int32Array<ArrayBuffer> {
  const values = new Int32Array(slotsPerBlock);
  const width = feature.high - feature.low + 1;
  let state = createHash('sha256').update(`${seed} ${feature.id} ${block}`).digest().readUInt32LE(0) | 1;
  for (let slot = 0; slot < filled; slot += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[slot] = feature.low + ((state >>> 0) % width);
  }
  return values;
}

export type EncryptedSample = {
  readonly features: readonly Feature[];
  /** Id of the custodian's key, and what encrypts under it. */
  readonly key: string;
  readonly encrypt: (values: Int32Array<ArrayBuffer>) => Promise<Uint8Array>;
  readonly enterprises: number;
  readonly seed: number;
  readonly nowMs: TimeMs;
  /** Columns that are being encrypted at once. */
  readonly width?: number;
  readonly onColumn?: (done: number, all: number) => void;
};

/**
 * Gives the sample's enterprises their places and fills columns of syntheticColumn straight into an empty platform's
 * database, for measurements: past the doors, without envelopes. Enterprise n stands at place n.
 */
export async function fillEncrypted(database: Database, sample: EncryptedSample): Promise<void> {
  const { features, enterprises, seed, nowMs } = sample;
  await database.query(`insert into score_position (place, subject, assigned_at) select n, subject, to_timestamp($1::double precision / 1000) from (${sampleSubjectsSql(enterprises, seed)}) as coded`, [nowMs]);
  const blocks = Math.ceil(enterprises / slotsPerBlock);
  const all = blocks * features.length;
  let next = 0;
  let done = 0;
  const work = async () => {
    for (let at = next++; at < all; at = next++) {
      const block = Math.floor(at / features.length);
      const feature = features[at % features.length] as Feature;
      const filled = Math.min(slotsPerBlock, enterprises - block * slotsPerBlock);
      const ciphertext = await sample.encrypt(syntheticColumn(feature, block, seed, filled));
      await database.transaction('fill column', (tx) => storeColumn(tx, {
        feature, key: sample.key, set: parameterSets['veilgate-score-1'], block, revision: 1, digest: createHash('sha256').update(ciphertext).digest('hex'), filled: bitmapOf(Array.from({ length: filled }, (_, slot) => slot)),
        envelope: 'made for a measurement', department: 'measurement', rekeyed: false, stale: false, ciphertext,
      }, nowMs));
      done += 1;
      sample.onColumn?.(done, all);
    }
  };
  await Promise.all(Array.from({ length: sample.width ?? 4 }, work));
}
