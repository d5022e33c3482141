import { createHmac } from 'node:crypto';
import { appendRecords } from '../audit/append.ts';
import { checkpointSigner } from '../audit/checkpoint.ts';
import { formatVerifierKey } from '../audit/note.ts';
import { auditReader } from '../audit/read.ts';
import { requestVault } from '../audit/request-vault.ts';
import type { Clock } from '../clock.ts';
import { createTokenKeys } from '../disclosure/tokens.ts';
import { VeilgateError } from '../errors.ts';
import { openIdentity } from '../identity/identify.ts';
import type { Keyring } from '../identity/keyring.ts';
import { openQueue } from '../jobs/queue.ts';
import { loadSelfAccess } from '../policy/self-access.ts';
import { loadObjectionSettings } from '../objection/settings.ts';
import { loadFeatures } from '../scoring/feature/load.ts';
import { loadScoringSettings } from '../scoring/model/settings.ts';
import type { FeatureSpace } from '../scoring/model/space.ts';
import { fetchRows, type FetchedRows } from '../source/fetch.ts';
import type { FetchRequest } from '../source/selection.ts';
import { batcher } from '../store/batch.ts';
import type { Database } from '../store/database.ts';
import type { Catalogue, SubjectId, SubjectPseudonym } from '../vocabulary.ts';
import type { Config } from './config.ts';
import { composeFeatures } from './features.ts';
import { fetchJwks } from './issuer.ts';
import { composeJoint } from './joint.ts';
import type { Metrics } from './metrics.ts';
import { createPartyGate } from './use-cases/party-gate.ts';
import type { Services } from './resources/services.ts';
import { createAdmissions } from './use-cases/admission.ts';
import { consentReceipts } from './use-cases/consent-receipts.ts';
import { createDoorRefusals } from './use-cases/door-refusals.ts';
import { encryptionKeys } from './use-cases/encryption-keys.ts';
import { usableModel, type ModelDesk } from './use-cases/models.ts';
import type { PolicyDesk } from './use-cases/policy-versions.ts';
import type { PolicyStanding } from './use-cases/policy-standing.ts';
import { createReleaser } from './use-cases/release.ts';
import { composeScoring, composeTallies, type CustodianAddress } from './scoring.ts';
import { signedRequests } from './use-cases/signed-request.ts';

type Parts = {
  readonly config: Config; readonly database: Database; readonly keyring: Keyring; readonly catalogue: Catalogue; readonly standing: PolicyStanding;
  readonly metrics: Metrics; readonly gatewayUrl: string; readonly issuerUrl: string; readonly clock: Clock;
  /** Undefined where this platform gives no scores. */
  readonly custodian: CustodianAddress | undefined;
};

/** Pieces of work on policies that may wait for one party: a page asks for a few at a time. */
const policyWorkWaitingMax = 16;

/** What resources work with: each stage with what it needs of the others. */
export async function composeServices({ config, database, keyring, catalogue, standing, metrics, gatewayUrl, issuerUrl, clock, custodian }: Parts): Promise<Services> {
  const { policy, follow } = standing;
  const vault = requestVault(keyring.requestSecrets);
  const space: FeatureSpace = { features: loadFeatures(config.policyFolder, catalogue), fields: catalogue.fields };
  const scoringSettings = loadScoringSettings(config.policyFolder);
  const models: ModelDesk = { database, clock, policy, space: () => space, settings: () => scoringSettings };
  const policies: PolicyDesk = {
    database, clock, catalogue, source: config.policySource, policy, pickUp: follow, inTurn: createPartyGate(1, policyWorkWaitingMax),
  };
  const tallies = composeTallies(() => space, () => scoringSettings);
  const releaser = createReleaser(database, clock, vault, tallies, standing, (entries) => {
    metrics.logAppended(entries);
    metrics.batch('release', entries);
  });
  const signer = keyring.gatewaySigner;
  const scoring = composeScoring({
    database, clock, standing, signer, gatewayUrl, metrics, custodian, logOrigin: config.auditLogOrigin, space: () => space, model: (ref) => usableModel(models, ref),
    pool: { threads: config.scoreThreads, memoryMb: config.scoreMemoryMb, cacheBytesMax: config.scoreCacheMb * 1_048_576 },
  }, tallies, releaser);
  const log = auditReader(database);
  const tokenKeys = createTokenKeys(keyring.tokenSecrets);
  const objectionSettings = loadObjectionSettings(config.policyFolder);
  const joint = composeJoint({ config, database, clock, catalogue, standing, secrets: keyring.maskSecrets });
  return {
    database, clock, catalogue, policy, signer, gatewayUrl, issuerUrl,
    identity: openIdentity({
      audience: gatewayUrl, issuers: [issuerUrl], dpopNonceSecret: keyring.dpopNonceSecret, sql: database, clock,
      fetchJwks: config.issuerUrl === undefined ? async () => keyring.issuerJwks : fetchJwks,
    }),
    admissions: createAdmissions(database, clock, config.workers, (items) => metrics.batch('admit', items)),
    desk: {
      clock, catalogue, standing, signer, issuer: gatewayUrl, logOrigin: config.auditLogOrigin,
      fetch: batchedFetch(database, catalogue, (items) => metrics.batch('fetch', items)),
      encryptionKey: encryptionKeys(database),
      release: releaser.release,
      recordRefusal: releaser.recordRefusal,
      tokenKeys,
    },
    scoring,
    jobs: {
      database, clock, queue: openQueue(database), features: scoring.desk.features, model: scoring.desk.model,
      resultDays: config.scoreResultDays, listDays: config.scoreListDays, jobsMax: config.scoreJobs,
    },
    models,
    policies,
    joint,
    jointRuns: joint,
    objections: { database, clock, catalogue, log, features: scoring.desk.features, settings: () => objectionSettings },
    ownExport: { database, clock, catalogue, log, tokenKeys, selfAccess: loadSelfAccess(config.policyFolder, catalogue) },
    features: composeFeatures(() => space.features, scoring, custodian?.id ?? ''),
    refusals: createDoorRefusals({
      clock, perMinuteMax: config.refusalsPerMinute, append: releaser.recordRefusal,
      appendCounts: (records) => database.transaction('refusals counted', async (tx) => { await appendRecords(tx, records); }),
    }),
    receipts: consentReceipts({ database, clock, catalogue, policy, signer, gatewayUrl, issuerUrl, dataRegion: config.dataRegion }),
    log,
    signedRequests: signedRequests(database, clock, vault),
    logVerifierKey: formatVerifierKey((await checkpointSigner(config.auditLogOrigin, keyring.logSigningKey)).key),
    pseudonymOf: (subject) => pseudonym(keyring.pseudonymSecret, subject),
    publicKeys: keyring.gatewayJwks.keys,
    onQuery: (outcome, ms) => metrics.query(outcome, ms),
  };
}

/** Rows for all queries that want them at this moment: one statement for each shape of query. */
function batchedFetch(database: Database, catalogue: Catalogue, onBatch: (items: number) => void): (request: FetchRequest) => Promise<FetchedRows> {
  return batcher<FetchRequest, FetchedRows>(
    async (requests) => {
      onBatch(requests.length);
      return fetchRows(database, catalogue, requests);
    },
    { maxItems: 128, maxWaiting: 4096, concurrency: 1, onFull: () => new VeilgateError('REQUEST_OVERLOADED', 'The platform is at its limit: try again in a second.') },
  );
}

function pseudonym(secret: Uint8Array, subject: SubjectId): SubjectPseudonym {
  return createHmac('sha256', secret).update(`veilgate subject ${subject}`).digest('hex') as SubjectPseudonym;
}
