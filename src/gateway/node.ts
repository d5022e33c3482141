import { readFileSync } from 'node:fs';
import path from 'node:path';
import { checkpointSigner } from '../audit/checkpoint.ts';
import { parseVerifierKey } from '../audit/note.ts';
import { startPublisher } from '../audit/publish.ts';
import { deleteRequestsBefore, requestsDeletedMax } from '../audit/request-vault.ts';
import { takeFacts } from '../audit/take-facts.ts';
import { removeExpiredAuthorizationState } from '../authorization/cleanup.ts';
import { dayMs } from '../calendar.ts';
import type { Clock } from '../clock.ts';
import { VeilgateError, isVeilgateError } from '../errors.ts';
import { openKeyring } from '../identity/keyring.ts';
import { bootstrapOfficers, hasOfficers, type NewOfficer } from '../identity/registry/staff.ts';
import { deleteExpired } from '../identity/replay.ts';
import { prepareQueue } from '../jobs/queue.ts';
import { loadObjectionSettings } from '../objection/settings.ts';
import { removeRetiredColumns } from '../scoring/feature/rotation.ts';
import { loadCatalogue } from '../source/catalogue.ts';
import { prepareDomainTables } from '../source/domain.ts';
import { startCluster } from '../store/cluster.ts';
import { applySchema, openDatabase, type Database } from '../store/database.ts';
import type { Catalogue, TimeMs } from '../vocabulary.ts';
import type { Config } from './config.ts';
import { createIdempotency } from './idempotency.ts';
import { faultFacts, type Log } from './log.ts';
import { openPolicySource } from './policy-source.ts';
import { steadyClock } from './steady-clock.ts';
import { expireAndLog } from './use-cases/grant-expiry.ts';
import { recordPolicy } from './use-cases/policy-in-force.ts';
import { proposeExpired } from './use-cases/policy-withholds.ts';
import { recordRegistryEvent } from './use-cases/record-change.ts';
import { expireAlignments } from './use-cases/joint-cohorts.ts';
import { purgeFinishedPads } from './use-cases/joint-bundle.ts';
import { endLateLotteries } from './use-cases/joint-lottery.ts';
import { endOverdueProjects } from './use-cases/joint-projects.ts';
import { closeOverdueObjections } from './use-cases/objections.ts';
import { tidyJobs } from './use-cases/score-job-desk.ts';

/** What there is once per node: its own PostgreSQL, the schema, first officers, the log's publisher, housekeeping. */
export type RunningNode = {
  readonly databaseUrl: string;
  /** Where the node's own PostgreSQL keeps its files; undefined with DATABASE_URL. */
  readonly dataFolder: string | undefined;
  readonly stop: () => Promise<void>;
};

const housekeepingMs = 60_000;
const purgeMax = 10_000;
const purgeRoundsMax = 100;
const factRoundsMax = 100;
/** How many times longer a statement may take for which nobody waits. */
const housekeepingPatience = 8;

/** Errors: STORE_*, CONFIG_*, POLICY_BROKEN, KEY_REFUSED. */
export async function startNode(config: Config, log: Log, clock: Clock): Promise<RunningNode> {
  const cluster = config.databaseUrl === undefined ? await startCluster({ folder: config.databaseFolder, port: config.databasePort, keepRunning: true }) : undefined;
  const databaseUrl = config.databaseUrl ?? cluster?.url() ?? '';
  const database = openDatabase({ url: databaseUrl, maxConnections: 4, applicationName: 'veilgate node', statementTimeoutMs: config.databaseTimeoutSeconds * 1000 * housekeepingPatience });
  await applySchema(database);
  await prepareQueue(database);
  const catalogue = loadCatalogue(path.join(config.policyFolder, 'catalogue'));
  await prepareDomainTables(database, catalogue);
  const keyring = openKeyring(config.keysFolder, clock);
  await admitFirstOfficers(config, database, clock);
  await recordPolicy(database, (await openPolicySource(config, database, catalogue, clock)).holder.current().version, clock);
  const stopPublisher = startPublisher({
    database,
    clock,
    signer: await checkpointSigner(config.auditLogOrigin, keyring.logSigningKey),
    witnesses: await Promise.all(config.witnesses.map(async ({ url, vkey }) => ({ url, key: await parseVerifierKey(vkey) }))),
    intervalMs: config.checkpointSeconds * 1000,
    onError: (error) => log.write('audit.checkpoint_failed', { code: isVeilgateError(error) ? error.code : 'INTERNAL' }),
  });
  const stopHousekeeping = startHousekeeping(config, database, catalogue, log, clock);
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

function startHousekeeping(config: Config, database: Database, catalogue: Catalogue, log: Log, clock: Clock): () => Promise<void> {
  const idempotency = createIdempotency({ database, clock, hours: config.idempotencyHours });
  const objectionSettings = loadObjectionSettings(config.policyFolder);
  const tasks = {
    replay_purge: () => deleteExpired(database, clock.nowMs()),
    state_purge: () => removeExpiredAuthorizationState(database, clock),
    grant_expiry: () => expireAndLog(database, clock),
    idempotency_purge: () => idempotency.purge(purgeMax),
    retired_columns_purge: () => removeRetiredColumns(database),
    request_purge: () => deleteEndedRequests(config, database, clock),
    policy_withholds: () => proposeExpired({ database, clock, catalogue, source: config.policySource }),
    score_jobs: () => tidyJobs({ database, clock, resultDays: config.scoreResultDays }),
    joint_projects: () => endOverdueProjects({ database, clock }),
    joint_alignments: () => expireAlignments({ database, clock }),
    joint_lotteries: () => endLateLotteries({ database, clock }),
    joint_pads: () => purgeFinishedPads(database),
    objections: () => closeOverdueObjections({ database, clock, settings: () => objectionSettings }),
    log_facts: () => takeFacts(database, factRoundsMax),
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

/** In parts, so that no statement takes long; what is left after an hour's worth is for the next round. */
async function deleteEndedRequests(config: Config, database: Database, clock: Clock): Promise<void> {
  const beforeMs = clock.nowMs() - config.requestDays * dayMs as TimeMs;
  for (let round = 0; round < purgeRoundsMax && await deleteRequestsBefore(database, beforeMs) === requestsDeletedMax;) round += 1;
}

function named(error: unknown) {
  const { fault_name, fault_code } = faultFacts(error);
  return { ...(fault_name === undefined ? {} : { fault_name }), ...(fault_code === undefined ? {} : { fault_code }) };
}
