/** A platform whose enterprises have encrypted features, a custodian in a process of its own, an approved model and a bank. */
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { encryptionThreads } from '../../../src/cli/encryption-threads.ts';
import { systemClock } from '../../../src/clock.ts';
import { admitBank } from '../../../src/custodian/banks.ts';
import { custodianDatabaseUrl, startCustodianChild, type RunningCustodianChild } from '../../../src/gateway/custodian-child.ts';
import { createCustodianClient } from '../../../src/gateway/custodian-client.ts';
import { createLog } from '../../../src/gateway/log.ts';
import { openKeyring } from '../../../src/identity/keyring.ts';
import { acceptScoreKey, type ScoreKey } from '../../../src/scoring/feature/keys.ts';
import { loadFeatures } from '../../../src/scoring/feature/load.ts';
import { approveModel, lockProposal, proposeModel } from '../../../src/scoring/model/registry.ts';
import { parseModel } from '../../../src/scoring/model/shape.ts';
import type { OpenableModel } from '../../../src/scoring/model/open.ts';
import type { Feature, FeatureId } from '../../../src/scoring/protocol.ts';
import { publicKeys } from '../../../src/sdk/keys.ts';
import { loadCatalogue } from '../../../src/source/catalogue.ts';
import { openDatabase } from '../../../src/store/database.ts';
import type { PartyId, PublicJwk } from '../../../src/vocabulary.ts';
import { fillEncrypted, syntheticColumn } from '../../sample/features.ts';
import { bankId, benchPlatform, seed, type BenchPlatform } from '../load/platform.ts';

const root = path.resolve(import.meta.dirname, '../../..');
/** 20 features, no reason groups. */
const modelFile = path.join(root, 'sample/models/solvency_linear-1.json');

export type ScoreBenchWorld = {
  readonly platform: BenchPlatform;
  readonly custodian: RunningCustodianChild;
  readonly key: ScoreKey;
  readonly openable: OpenableModel;
  /** In the order of the model's terms. */
  readonly features: readonly Feature[];
  readonly keysFolder: string;
  /** Values a second that all cores encrypted, one thread each. */
  readonly encryptedPerSecond: number;
  /** Settings of a gateway that uses this custodian. */
  readonly gatewaySettings: Readonly<Record<string, string>>;
  readonly close: () => Promise<void>;
};

/** @param enterprises how many have encrypted features; every column is encrypted on its own */
export async function scoreBenchWorld(enterprises: number, say: (line: string) => void): Promise<ScoreBenchWorld> {
  const platform = await benchPlatform({ enterprises, datasets: [] });
  const { database, cluster, folder, gatewayUrl } = platform;
  const keysFolder = path.join(folder, 'keys');
  const log = createLog({ level: 'warn', file: path.join(folder, 'custodian.log') });
  const keyring = openKeyring(keysFolder, systemClock);
  const custodian = await startCustodianChild({
    folder: path.join(folder, 'custodian'), databaseUrl: cluster.url(), gatewayUrl, gatewayJwks: keyring.gatewayJwks as { readonly keys: readonly PublicJwk[] }, log,
    // no limit is measured here
    settings: { CUSTODIAN_BANK_SLOTS_PER_DAY: '1000000000', CUSTODIAN_BANK_TICKETS_PER_SECOND: '100000', CUSTODIAN_TICKETS_PER_SECOND: '100000', CUSTODIAN_LOG_FILE: path.join(folder, 'custodian.log') },
  });
  await admitAtCustodian(platform);
  const client = createCustodianClient({ url: custodian.url, id: custodian.id, gatewayUrl, signer: keyring.gatewaySigner, pinnedKey: custodian.statementKey, clock: systemClock });
  const key: ScoreKey = { ...(await client.publicKey()), custodian: custodian.id };
  const { openable, features } = readModel();
  await database.transaction('bench key and model', async (tx) => {
    await acceptScoreKey(tx, key, systemClock.nowMs());
    const digest = await proposeModel(tx, { model: openable.model, by: 'officer-one' as PartyId }, systemClock);
    await approveModel(tx, await lockProposal(tx, openable.model.ref, digest), 'officer-two' as PartyId, systemClock);
  });
  const encryptedPerSecond = await fill(platform, key, features, enterprises, say);
  const keyFile = path.join(folder, 'custodian-key.json');
  writeFileSync(keyFile, JSON.stringify(custodian.statementKey));
  return {
    platform, custodian, key, openable, features, keysFolder, encryptedPerSecond,
    gatewaySettings: { VEILGATE_SCORE_TASKS: '3', VEILGATE_CUSTODIAN: 'remote', VEILGATE_CUSTODIAN_URL: custodian.url, VEILGATE_CUSTODIAN_ID: custodian.id, VEILGATE_CUSTODIAN_KEY_FILE: keyFile },
    async close() {
      await custodian.stop();
      await log.close();
      await platform.close();
    },
  };
}

function readModel(): { readonly openable: OpenableModel; readonly features: readonly Feature[] } {
  const { $schema: _schema, ...document } = JSON.parse(readFileSync(modelFile, 'utf8')) as Record<string, unknown>;
  const model = parseModel(document);
  const policies = path.join(root, 'policies');
  const declared = loadFeatures(policies, loadCatalogue(path.join(policies, 'catalogue')));
  return { openable: { model, reasonRanges: [] }, features: model.terms.map(({ feature }) => declared.get(feature as FeatureId) as Feature) };
}

async function admitAtCustodian({ bank, cluster }: BenchPlatform): Promise<void> {
  const database = openDatabase({ url: custodianDatabaseUrl(cluster.url()), maxConnections: 1 });
  await admitBank(database, systemClock, bankId, { keys: publicKeys(bank) });
  await database.close();
}

async function fill({ cluster, database }: BenchPlatform, key: ScoreKey, features: readonly Feature[], enterprises: number, say: (line: string) => void): Promise<number> {
  const cores = os.availableParallelism();
  const threads = encryptionThreads({ parameters: key.parameters, publicKey: key.publicKey }, cores);
  const own = openDatabase({ url: `${cluster.url()}?options=-c%20synchronous_commit%3Doff`, maxConnections: 4 });
  try {
    const columns = features.flatMap((feature) => Array.from({ length: 8 }, (_, block) => syntheticColumn(feature, block, seed)));
    await Promise.all(columns.slice(0, cores).map((column) => threads.encrypt(column.slice()))); // threads start
    const encryptStartMs = performance.now();
    await Promise.all(columns.map((column) => threads.encrypt(column)));
    const perSecond = (columns.length * 4096 * 1000) / (performance.now() - encryptStartMs);
    const startMs = performance.now();
    await fillEncrypted(own, { features, key: key.keyId, encrypt: threads.encrypt, enterprises, seed, nowMs: systemClock.nowMs() });
    await database.query('analyze score_column, score_position');
    await database.query('checkpoint');
    say(`${enterprises} enterprises × ${features.length} features encrypted and stored in ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
    return perSecond;
  } finally {
    await threads.close();
    await own.close();
  }
}
