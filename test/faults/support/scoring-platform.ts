import { fork, type ChildProcess } from 'node:child_process';
import { hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { canonicalJson } from '../../../src/canonical.ts';
import { systemClock } from '../../../src/clock.ts';
import { fieldSetJson, widthOf } from '../../../src/consent/field-sets.ts';
import { admitBank } from '../../../src/custodian/banks.ts';
import { createCustodianClient } from '../../../src/gateway/custodian-client.ts';
import { custodianDatabaseUrl, startCustodianChild, type RunningCustodianChild } from '../../../src/gateway/custodian-child.ts';
import { createLog } from '../../../src/gateway/log.ts';
import { addChunk, beginJob, openJob, type JobDoor } from '../../../src/gateway/use-cases/score-job-requests.ts';
import { parameterSets } from '../../../src/he/parameters.ts';
import { createColumnEncryptor } from '../../../src/he/encrypt.ts';
import { loadHe } from '../../../src/he/runtime.ts';
import { openKeyring } from '../../../src/identity/keyring.ts';
import { openQueue, prepareQueue } from '../../../src/jobs/queue.ts';
import { storeColumn } from '../../../src/scoring/feature/columns.ts';
import { acceptScoreKey } from '../../../src/scoring/feature/keys.ts';
import { loadFeatures } from '../../../src/scoring/feature/load.ts';
import { bitmapOf } from '../../../src/scoring/feature/positions.ts';
import { chunkLines } from '../../../src/scoring/job/list-digest.ts';
import { readPartResult } from '../../../src/scoring/job/part.ts';
import { modelToJson } from '../../../src/scoring/model/document.ts';
import type { OpenableModel } from '../../../src/scoring/model/open.ts';
import { approvedModel } from '../../../src/scoring/model/registry.ts';
import { digestList } from '../../../src/sdk/score-jobs.ts';
import { publicKeys } from '../../../src/sdk/keys.ts';
import { askedSubjects } from '../../../src/scoring/run/asked-subjects.ts';
import { openHalves, signScoreClaims } from '../../../src/sdk/scores.ts';
import { loadCatalogue } from '../../../src/source/catalogue.ts';
import { openDatabase } from '../../../src/store/database.ts';
import type { ConsentCeiling, FieldRef, InstitutionClass, InstitutionId, PartyId, SubjectId, TimeMs } from '../../../src/vocabulary.ts';
import { featureValues, rawOf, scoredFeatures, scoredFields, subjectOf, testModel } from '../../support/scoring.ts';
import { bankId, purpose, startFaultPlatform, type FaultPlatform } from './platform.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const set = parameterSets['veilgate-score-1'];
const custodianId = (child: RunningCustodianChild) => child.id;
const perBlock = 2;

/** A platform with encrypted columns in many blocks, whose PostgreSQL, custodian and workers are processes to be killed. */
export type ScoringPlatform = {
  readonly platform: FaultPlatform;
  readonly custodian: RunningCustodianChild;
  readonly startWorker: () => Promise<ChildProcess>;
  /** Begins a job over everybody. */
  readonly begin: () => Promise<string>;
  /** What the bank opens of all parts, each enterprise's raw score; throws when one is in two parts. */
  readonly open: (job: string) => Promise<ReadonlyMap<string, number>>;
  /** What it must get. */
  readonly expected: ReadonlyMap<string, number>;
  readonly close: () => Promise<void>;
};

export async function startScoringPlatform(blocks: number): Promise<ScoringPlatform> {
  const platform = await startFaultPlatform();
  const { database, folder, gatewayUrl, bank } = platform;
  await prepareQueue(database);
  const keysFolder = path.join(folder, 'keys');
  const keyring = openKeyring(keysFolder, systemClock);
  const custodian = await startCustodianChild({
    folder: path.join(folder, 'custodian'), databaseUrl: database.url, gatewayUrl, gatewayJwks: keyring.gatewayJwks, log: createLog({ level: 'error' }),
    settings: { CUSTODIAN_LOG_FILE: path.join(folder, 'custodian.log'), CUSTODIAN_CHECKPOINT_SECONDS: '3600' },
  });
  const ofCustodian = openDatabase({ url: custodianDatabaseUrl(database.url), maxConnections: 1 });
  await admitBank(ofCustodian, systemClock, bankId, { keys: publicKeys(bank.credentials) });
  await ofCustodian.close();

  const model = testModel();
  const subjects = Array.from({ length: blocks * perBlock }, (_, n) => subjectOf(n));
  await fill(platform, custodian, keyring.gatewaySigner, subjects);
  await database.query(
    "insert into scoring_model (ref, document, digest, state, proposed_by, proposed_ms, decided_by, decided_ms) values ($1, $2, $3, 'approved', 'officer-one', 0, 'officer-two', 0)",
    [model.ref, canonicalJson(modelToJson(model)), hash('sha256', canonicalJson(modelToJson(model)), 'hex')],
  );
  const features = loadFeatures(path.join(root, 'policies'), loadCatalogue(path.join(root, 'policies/catalogue')));
  const door: JobDoor = { database, queue: openQueue(database), clock: systemClock, features: () => features, model: (ref) => approvedModel(database, ref), resultDays: 7, listDays: 7, jobsMax: 4 };
  const workers = new Set<ChildProcess>();
  const requests = new Map<string, string>();

  return {
    platform, custodian,
    expected: new Map(subjects.map((subject, n) => [subject, rawOf(model, featureValues(n % perBlock))])),
    async startWorker() {
      const child = fork(path.join(root, 'src/gateway/worker/main.ts'), [], {
        cwd: root, stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        env: {
          PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], DATABASE_URL: database.url, PRIMARY_CUSTODIAN: JSON.stringify({ url: custodian.url, id: custodianId(custodian), statementKey: custodian.statementKey }),
          VEILGATE_PORT: String(platform.ports.gateway), VEILGATE_ISSUER_PORT: String(platform.ports.issuer), VEILGATE_KEYS_FOLDER: keysFolder, VEILGATE_POLICY_FOLDER: path.join(root, 'policies'),
          VEILGATE_SCORE_TASKS: '2', VEILGATE_SCORE_THREADS: '1', VEILGATE_LOG_FILE: path.join(folder, 'worker.log'), VEILGATE_CUSTODIAN: 'none',
        },
      });
      workers.add(child);
      return child;
    },
    async begin() {
      const listed = subjects.map((subject) => ({ subject }));
      const { salt, digest, count } = await digestList(listed);
      const request = await signScoreClaims({ gateway: gatewayUrl, credentials: bank.credentials }, { kind: 'many', model: model.ref, purpose, subjects: digest, count, lifetimeS: 3600 });
      const { score, exp } = JSON.parse(Buffer.from(request.split('.')[1] ?? '', 'base64url').toString()) as { score: Parameters<typeof openJob>[1]['score']; exp: number };
      const signed = { institution: bankId as InstitutionId, score, request, requestDigest: hash('sha256', request, 'hex'), expiresMs: exp * 1000 as TimeMs };
      const { id } = await openJob(door, signed, new Uint8Array(Buffer.from(salt, 'base64url')), { party: bankId as PartyId, institutionClass: 'commercial_bank' as InstitutionClass, securityLevel: 5 });
      await addChunk(door, bankId as InstitutionId, id, 0, chunkLines(listed));
      await beginJob(door, bankId as InstitutionId, id);
      requests.set(id, signed.requestDigest);
      return id;
    },
    async open(job) {
      const scores = new Map<string, number>();
      for (let n = 0; n < blocks; n += 1) {
        const part = await readPartResult(database, job, n);
        const unmasked = await openHalves({ custodian: part?.custodianHalf ?? '', gateway: part?.gatewayHalf ?? '' }, {
          model: model.ref, openable: { model, reasonRanges: [] } as OpenableModel, subjects: askedSubjects(subjects), custodian: custodianId(custodian), parameters: set.id, requestDigest: requests.get(job) ?? '',
        }, { gateway: gatewayUrl, credentials: bank.credentials });
        unmasked.subjects.forEach((subject, at) => {
          if (scores.has(subject)) throw new Error('an enterprise is in two parts');
          const residue = unmasked.values[0]?.[at] as number;
          scores.set(subject, residue > set.plainModulus / 2 ? residue - set.plainModulus : residue);
        });
      }
      return scores;
    },
    async close() {
      for (const worker of workers) worker.kill('SIGKILL');
      await Promise.all([...workers].map((worker) => (worker.exitCode === null && worker.signalCode === null ? once(worker, 'exit') : undefined)));
      await custodian.stop();
      await platform.close();
    },
  };
}

/** Key, places, the same two enterprises' values in every block, and a grant of each for two uses. */
async function fill({ database, gatewayUrl }: FaultPlatform, custodian: RunningCustodianChild, signer: Parameters<typeof createCustodianClient>[0]['signer'], subjects: readonly SubjectId[]): Promise<void> {
  const client = createCustodianClient({ url: custodian.url, id: custodian.id, gatewayUrl, signer, pinnedKey: custodian.statementKey, clock: systemClock });
  const key = { ...(await client.publicKey()), custodian: custodian.id };
  await database.transaction('test key', (tx) => acceptScoreKey(tx, key, systemClock.nowMs()));
  await database.query('insert into score_position (place, subject, assigned_at) select place, subject, now() from unnest($1::bigint[], $2::text[]) as p (place, subject)', [subjects.map((_, n) => Math.floor(n / perBlock) * 4096 + (n % perBlock)), subjects]);
  const features = loadFeatures(path.join(root, 'policies'), loadCatalogue(path.join(root, 'policies/catalogue')));
  const encryptor = createColumnEncryptor(await loadHe(), set, key.publicKey);
  const filled = bitmapOf(Array.from({ length: perBlock }, (_, slot) => slot));
  try {
    for (const [at, id] of scoredFeatures.entries()) {
      const ciphertext = encryptor.encrypt(Int32Array.from({ length: perBlock }, (_, n) => featureValues(n)[at] ?? 0));
      const column = { key: key.keyId, set, feature: { id, declaration: features.get(id)?.declaration ?? '' }, revision: 1, digest: hash('sha256', ciphertext, 'hex'), filled, ciphertext, envelope: 'none', department: 'none', rekeyed: false, stale: false };
      for (let block = 0; block < subjects.length / perBlock; block += 1) await database.transaction('test column', (tx) => storeColumn(tx, { ...column, block }, systemClock.nowMs()));
    }
  } finally {
    encryptor.close();
  }
  const consented = new Map(scoredFields.map((field) => [field as FieldRef, 'desensitised' as ConsentCeiling]));
  const json = fieldSetJson(consented);
  await database.query('insert into consent_field_set (digest, fields) values ($1, $2::jsonb)', [json.digest, json.json]);
  await database.query(
    `insert into consent_grant (id, subject, institution, purpose, field_set, width, valid_from_ms, valid_until_ms, kind, uses_max, uses_left, data_life_days, notice_digest, origin, evidence_digest, created_ms, changed_ms)
     select id, subject, $3, $4, $5, $6, $7, $8, 'periodic', 2, 2, 90, $9, 'browser', $9, $7, $7 from unnest($1::text[], $2::text[]) as g (id, subject)`,
    [subjects.map(() => randomBytes(16).toString('base64url')), subjects, bankId, purpose, json.digest, widthOf(consented), Date.now() - 60_000, Date.now() + 86_400_000, 'd'.repeat(64)],
  );
}
