import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { appendRecords } from '../audit/append.ts';
import { checkpointSigner, type CheckpointSigner } from '../audit/checkpoint.ts';
import { recordHead } from '../audit/entry.ts';
import { formatVerifierKey, parseVerifierKey } from '../audit/note.ts';
import { startPublisher } from '../audit/publish.ts';
import { auditReader } from '../audit/read.ts';
import { removeExpiredAuthorizationState } from '../authorization/cleanup.ts';
import { createAuthorizationServer } from '../authorization/server.ts';
import type { Clock } from '../clock.ts';
import { expireGrants } from '../consent/expire.ts';
import { createTokenKeys } from '../disclosure/tokens.ts';
import { VeilgateError, isVeilgateError } from '../errors.ts';
import { identify, openIdentity } from '../identity/identify.ts';
import { openKeyring, type Keyring } from '../identity/keyring.ts';
import { clientMetadata } from '../identity/registry/client-metadata.ts';
import { bootstrapOfficers, hasOfficers, type NewOfficer } from '../identity/registry/staff.ts';
import { deleteExpired, revokeToken } from '../identity/replay.ts';
import { PolicyHolder, watchPolicy, type ReloadReport } from '../policy/holder.ts';
import { loadPolicyPack } from '../policy/load.ts';
import { loadCatalogue } from '../source/catalogue.ts';
import { prepareDomainTables } from '../source/domain.ts';
import { fetchRows, type FetchedRows } from '../source/fetch.ts';
import type { FetchRequest } from '../source/selection.ts';
import { batcher } from '../store/batch.ts';
import { startCluster } from '../store/cluster.ts';
import { applySchema, openDatabase, type Database } from '../store/database.ts';
import type { Catalogue, PartyId, PolicyVersion, SubjectId, SubjectPseudonym } from '../vocabulary.ts';
import { createGatewayApp, type Identify } from './app.ts';
import type { Config } from './config.ts';
import { createIdempotency } from './idempotency.ts';
import { createLimits } from './limits.ts';
import type { FaultName } from './log-events.ts';
import { faultFacts, type Log } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { routes } from './resources/routes.ts';
import type { Services } from './resources/services.ts';
import { querySchemas } from './schema/query.ts';
import { signedSchemas } from './schema/signed.ts';
import { startServer, type RunningServer } from './server.ts';
import { steadyClock } from './steady-clock.ts';
import { createAdmissions } from './use-cases/admission.ts';
import { createConsentDesk } from './use-cases/consent-desk.ts';
import { consentReceipts } from './use-cases/consent-receipts.ts';
import { encryptionKeys } from './use-cases/encryption-keys.ts';
import { recordRegistryEvent } from './use-cases/record-change.ts';
import { createReleaser } from './use-cases/release.ts';

/** What there is once per node: its own PostgreSQL, the schema, first officers, the log's publisher, housekeeping. */
export type RunningNode = {
  readonly databaseUrl: string;
  /** Where the node's own PostgreSQL keeps its files; undefined with DATABASE_URL. */
  readonly dataFolder: string | undefined;
  readonly stop: () => Promise<void>;
};

/** One process that answers requests. */
export type RunningGateway = {
  readonly gatewayUrl: string;
  readonly issuerUrl: string;
  /** C2SP verifier key of the log: what an auditor must learn by a way of trust. */
  readonly logVerifierKey: string;
  readonly metrics: Metrics;
  readonly stop: () => Promise<void>;
  readonly reload: () => void;
};

const housekeepingMs = 60_000;
const purgeMax = 10_000;
/** How many times longer a statement may take for which nobody waits. */
const housekeepingPatience = 8;

/** Errors: STORE_*, CONFIG_*, POLICY_BROKEN, KEY_REFUSED. */
export async function startNode(config: Config, log: Log, clock: Clock): Promise<RunningNode> {
  const cluster = config.databaseUrl === undefined ? await startCluster({ folder: config.databaseFolder, port: config.databasePort, keepRunning: true }) : undefined;
  const databaseUrl = config.databaseUrl ?? cluster?.url() ?? '';
  const database = openDatabase({ url: databaseUrl, maxConnections: 4, applicationName: 'veilgate node', statementTimeoutMs: config.databaseTimeoutSeconds * 1000 * housekeepingPatience });
  await applySchema(database);
  const catalogue = loadCatalogue(path.join(config.policyFolder, 'catalogue'));
  await prepareDomainTables(database, catalogue);
  const keyring = openKeyring(config.keysFolder, clock);
  await admitFirstOfficers(config, database, clock);
  await recordPolicy(database, loadPolicyPack(config.policyFolder, catalogue).version, clock);
  const stopPublisher = startPublisher({
    database,
    clock,
    signer: await logSigner(config, keyring),
    witnesses: await Promise.all(config.witnesses.map(async ({ url, vkey }) => ({ url, key: await parseVerifierKey(vkey) }))),
    intervalMs: config.checkpointSeconds * 1000,
    onError: (error) => log.write('audit.checkpoint_failed', { code: isVeilgateError(error) ? error.code : 'INTERNAL' }),
  });
  const stopHousekeeping = startHousekeeping(config, database, log, clock);
  return {
    databaseUrl,
    dataFolder: cluster?.home,
    async stop() {
      await stopHousekeeping();
      await stopPublisher();
      await database.close();
      await cluster?.stop();
    },
  };
}

async function admitFirstOfficers(config: Config, database: Database, clock: Clock): Promise<void> {
  if (config.officersFile === undefined) return;
  let officers: readonly NewOfficer[];
  try {
    officers = JSON.parse(readFileSync(config.officersFile, 'utf8')) as readonly NewOfficer[];
  } catch {
    throw new VeilgateError('CONFIG_INVALID', 'VEILGATE_OFFICERS_FILE names no readable JSON file: see docs/configuration.md.', { settings: ['VEILGATE_OFFICERS_FILE'] });
  }
  await database.transaction('first officers', async (tx) => {
    if (await hasOfficers(tx)) return;
    for (const event of await bootstrapOfficers(tx, officers, clock)) await recordRegistryEvent(tx, event, clock.nowMs());
  });
}

/** The log says which policy was in force from when on; the same policy is not said twice. */
async function recordPolicy(database: Database, policy: PolicyVersion, clock: Clock): Promise<void> {
  await database.transaction('policy loaded', async (tx) => {
    await tx.query("select pg_advisory_xact_lock(hashtext('veilgate policy loaded'))");
    const { rows } = await tx.query<{ policy: PolicyVersion }>("select record::jsonb ->> 'policy' as policy from audit_entry where kind = 'policy.loaded' order by index desc limit 1");
    const previous = rows[0]?.policy ?? null;
    if (previous === policy) return;
    await appendRecords(tx, [{ ...recordHead('policy.loaded', clock.nowMs(), 'platform' as PartyId), policy, previous }]);
  });
}

function startHousekeeping(config: Config, database: Database, log: Log, clock: Clock): () => Promise<void> {
  const idempotency = createIdempotency({ database, clock, hours: config.idempotencyHours });
  const tasks = {
    replay_purge: () => deleteExpired(database, clock.nowMs()),
    state_purge: () => removeExpiredAuthorizationState(database, clock),
    grant_expiry: () => database.transaction('expire grants', (tx) => expireGrants(tx, clock.nowMs())),
    idempotency_purge: () => idempotency.purge(purgeMax),
  } as const;
  const steady = steadyClock(clock, () => log.write('clock.jumped', {}));
  let round = Promise.resolve();
  const timer = setInterval(() => {
    if (!steady()) return;
    round = round.then(async () => {
      for (const task of Object.keys(tasks) as (keyof typeof tasks)[]) {
        await tasks[task]().catch((error: unknown) => log.write('maintenance.failed', { task, ...named(error) }));
      }
    });
  }, housekeepingMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await round;
  };
}

function named(error: unknown) {
  const { fault_name, fault_code } = faultFacts(error);
  return { ...(fault_name === undefined ? {} : { fault_name }), ...(fault_code === undefined ? {} : { fault_code }) };
}

function logSigner(config: Config, keyring: Keyring): Promise<CheckpointSigner> {
  return checkpointSigner(config.auditLogOrigin, keyring.logSigningKey);
}

/**
 * Puts the stages together and listens: the gateway, and its own authorization server unless the platform has one.
 * @param databaseUrl what startNode gave
 */
export async function startGateway(config: Config, databaseUrl: string, log: Log, clock: Clock): Promise<RunningGateway> {
  const database = openDatabase({ url: databaseUrl, maxConnections: config.databaseConnections, applicationName: 'veilgate gateway', statementTimeoutMs: config.databaseTimeoutSeconds * 1000 });
  const limits = createLimits(config);
  const metrics = createMetrics({ inFlight: limits.inFlight, process: true });
  const keyring = openKeyring(config.keysFolder, clock);
  const catalogue = loadCatalogue(path.join(config.policyFolder, 'catalogue'));
  const policy = new PolicyHolder(() => loadPolicyPack(config.policyFolder, catalogue));
  const gatewayUrl = config.publicUrl ?? `${scheme(config)}://${shownHost(config.host)}:${config.port}`;
  const issuerUrl = config.issuerUrl ?? config.issuerPublicUrl ?? `${scheme(config)}://${shownHost(config.issuerHost ?? config.host)}:${config.issuerPort}`;
  const services = await putTogether({ config, database, keyring, catalogue, policy, metrics, gatewayUrl, issuerUrl, clock });
  const policyInForce = (report?: ReloadReport) => reportPolicy(report, policy, catalogue, database, log, metrics, clock);
  policyInForce();
  const stopWatching = watchPolicy(policy, config.policyFolder, policyInForce);

  let server: RunningServer | undefined;
  const app = createGatewayApp({
    config, publicUrl: gatewayUrl, log, metrics, limits,
    idempotency: createIdempotency({ database, clock, hours: config.idempotencyHours }),
    identify: identifyCaller(services),
    dpop: { algorithms: 'EdDSA Ed25519 ES256 PS256', resourceMetadataUrl: `${gatewayUrl}/.well-known/oauth-protected-resource`, nonce: () => services.identity.nonces.current(clock.nowMs()) },
    routes: routes(services),
    schemas: { ...querySchemas, ...signedSchemas },
    health: [
      { name: 'database', check: () => database.ready(1000) },
      { name: 'policy', check: async () => policy.current().version.length > 0 },
    ],
    draining: () => server?.draining() ?? false,
  });
  const issuer = config.issuerUrl === undefined ? await startIssuer(config, services, keyring, issuerUrl, log) : undefined;
  server = await startServer(app, config, log);
  const gateway = server;
  return {
    gatewayUrl,
    issuerUrl,
    logVerifierKey: services.logVerifierKey,
    metrics,
    reload() {
      gateway.reloadTls();
      issuer?.reloadTls();
      policyInForce(policy.reload());
    },
    async stop() {
      stopWatching();
      await Promise.all([gateway.stop(), issuer?.stop()]);
      await database.close();
    },
  };
}

type Parts = {
  readonly config: Config; readonly database: Database; readonly keyring: Keyring; readonly catalogue: Catalogue; readonly policy: PolicyHolder;
  readonly metrics: Metrics; readonly gatewayUrl: string; readonly issuerUrl: string; readonly clock: Clock;
};

async function putTogether({ config, database, keyring, catalogue, policy, metrics, gatewayUrl, issuerUrl, clock }: Parts): Promise<Services> {
  const current = () => policy.current();
  const releaser = createReleaser(database, clock, (entries) => {
    metrics.logAppended(entries);
    metrics.batch('release', entries);
  });
  const signer = keyring.gatewaySigner;
  return {
    database, clock, catalogue, policy: current, signer, gatewayUrl, issuerUrl,
    identity: openIdentity({
      audience: gatewayUrl, issuers: [issuerUrl], dpopNonceSecret: keyring.dpopNonceSecret, sql: database, clock,
      fetchJwks: config.issuerUrl === undefined ? async () => keyring.issuerJwks : fetchJwks,
    }),
    admissions: createAdmissions(database, clock, (items) => metrics.batch('admit', items)),
    desk: {
      clock, catalogue, policy: current, signer, issuer: gatewayUrl, logOrigin: config.auditLogOrigin,
      fetch: batchedFetch(database, catalogue, (items) => metrics.batch('fetch', items)),
      encryptionKey: encryptionKeys(database),
      release: releaser.release,
      recordRefusal: releaser.recordRefusal,
      tokenKeys: createTokenKeys(keyring.tokenSecrets),
    },
    receipts: consentReceipts({ database, clock, catalogue, policy: current, signer, gatewayUrl, issuerUrl, dataRegion: config.dataRegion }),
    log: auditReader(database),
    logVerifierKey: formatVerifierKey((await logSigner(config, keyring)).key),
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
    { maxItems: 128, maxWaiting: 4096, concurrency: 1, lingerMs: 2, onFull: () => new VeilgateError('REQUEST_OVERLOADED', 'The platform is at its limit: try again in a second.') },
  );
}

/** An external issuer's keys, from where its metadata says they are (RFC 8414). */
async function fetchJwks(issuer: string): Promise<unknown> {
  const get = async (url: string) => {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000), redirect: 'error' });
    if (!response.ok) throw new VeilgateError('TOKEN_ISSUER_UNAVAILABLE', 'The authorization server does not answer: try again in a few seconds.');
    return (await response.json()) as Record<string, unknown>;
  };
  const metadata = await get(`${issuer}/.well-known/openid-configuration`);
  if (metadata['issuer'] !== issuer || typeof metadata['jwks_uri'] !== 'string') throw new VeilgateError('TOKEN_ISSUER_UNAVAILABLE', 'The authorization server\'s metadata is not its own.');
  return get(metadata['jwks_uri']);
}

function pseudonym(secret: Uint8Array, subject: SubjectId): SubjectPseudonym {
  return createHmac('sha256', secret).update(`veilgate subject ${subject}`).digest('hex') as SubjectPseudonym;
}

/** Who calls, for every route that does not find out itself. */
function identifyCaller({ identity, admissions }: Services): Identify {
  return async (proof) => admissions.caller(await identify(proof, identity));
}

async function startIssuer(config: Config, services: Services, keyring: Keyring, issuerUrl: string, log: Log): Promise<RunningServer> {
  const { database, clock, catalogue, policy, receipts, gatewayUrl } = services;
  const app = createAuthorizationServer({
    issuer: issuerUrl,
    gatewayAudience: gatewayUrl,
    database,
    clock,
    signingKeys: keyring.issuerSigningKeys,
    cookieKeys: keyring.cookieKeys,
    dpopNonceSecret: keyring.dpopNonceSecret,
    findClient: (id) => clientMetadata(database, id),
    consent: createConsentDesk({ database, clock, catalogue, policy, receipts }),
    onTokenRevoked: (jti, expiresAtMs) => revokeToken(database, { issuer: issuerUrl, jti, expiresAtMs }),
    async onActivated(tx, subject) {
      await appendRecords(tx, [{ ...recordHead('enterprise.activated', clock.nowMs(), 'platform' as PartyId), subject }]);
    },
    log: (event, { client, fault }) => log.write('issuer.event', {
      event,
      ...(typeof client === 'string' ? { party: client as PartyId } : {}),
      ...(typeof fault === 'string' ? { fault_name: fault as FaultName } : {}),
    }),
    secureCookies: issuerUrl.startsWith('https:'),
    behindProxy: config.tlsTerminatedByProxy,
  });
  return startServer(app, { ...config, host: config.issuerHost ?? config.host, port: config.issuerPort }, log);
}

function reportPolicy(report: ReloadReport | undefined, holder: PolicyHolder, catalogue: Catalogue, database: Database, log: Log, metrics: Metrics, clock: Clock): void {
  if (report?.outcome === 'kept') {
    log.write('policy.refused', { code: 'POLICY_BROKEN', problems: report.problems.length });
    return;
  }
  const { version } = holder.current();
  log.write('policy.loaded', { policy: version, datasets: catalogue.datasets.size, fields: catalogue.fields.size });
  metrics.policyLoaded(version);
  if (report?.outcome === 'replaced') {
    recordPolicy(database, version, clock).catch(() => log.write('maintenance.failed', { task: 'policy_reload' }));
  }
}

function scheme(config: Config): 'http' | 'https' {
  return config.tlsCertFile === undefined ? 'http' : 'https';
}

function shownHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
