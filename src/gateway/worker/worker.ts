import path from 'node:path';
import { requestVault } from '../../audit/request-vault.ts';
import type { Clock } from '../../clock.ts';
import { VeilgateError, isVeilgateError } from '../../errors.ts';
import { openQueue, startWork, type Task } from '../../jobs/queue.ts';
import { loadFeatures } from '../../scoring/feature/load.ts';
import { loadScoringSettings } from '../../scoring/model/settings.ts';
import type { FeatureSpace } from '../../scoring/model/space.ts';
import { loadCatalogue } from '../../source/catalogue.ts';
import { openDatabase } from '../../store/database.ts';
import type { Config } from '../config.ts';
import { gatewayUrlOf } from '../gateway.ts';
import { faultFacts, type Log } from '../log.ts';
import { createMetrics, serveMetrics, type Metrics } from '../metrics.ts';
import { openPolicySource } from '../policy-source.ts';
import { composeScoring, composeTallies, type CustodianAddress } from '../scoring.ts';
import { composeJoint } from '../joint.ts';
import { checkBundle } from '../use-cases/joint-bundle.ts';
import { judgeLottery } from '../use-cases/joint-lottery.ts';
import { answerQuestion } from '../use-cases/joint-release.ts';
import type { JointRunDesk } from '../use-cases/joint-run-desk.ts';
import { usableModel } from '../use-cases/models.ts';
import { createReleaser } from '../use-cases/release.ts';
import type { JobDesk } from '../use-cases/score-job-desk.ts';
import { runJobTask } from '../use-cases/score-job-part.ts';
import { openPlatformKeys } from './platform-keys.ts';

export type RunningWorker = { readonly stop: () => Promise<void>; readonly reload: () => void; /** Where its metrics are served, when they are. */ readonly metricsPort: number | undefined };

/** How many times longer a statement may take for which no request waits. */
const patience = 8;

/**
 * Works on jobs that score many and on joint modelling, beside any number of others on the same database. It is
 * configured like the gateway whose jobs it does, and answers nobody but who asks for its metrics.
 * @param databaseUrl where the node that made the schema keeps everything
 * @param custodian undefined where this platform gives no scores
 */
export async function startWorker(config: Config, databaseUrl: string, custodian: CustodianAddress | undefined, log: Log, clock: Clock): Promise<RunningWorker> {
  const database = openDatabase({
    url: databaseUrl, applicationName: 'veilgate score worker', statementTimeoutMs: config.databaseTimeoutSeconds * 1000 * patience,
    maxConnections: config.scoreTasks * 2 + 2, // a task looks things up side by side; and the queue
  });
  const keyring = await openPlatformKeys(config.keysFolder, database, config.auditLogOrigin, clock).catch(async (error: unknown) => {
    await database.close();
    throw error;
  });
  const metrics = createMetrics({ process: true });
  const catalogue = loadCatalogue(path.join(config.policyFolder, 'catalogue'));
  const policySource = await openPolicySource(config, database, catalogue, clock);
  const { holder: policy, standing } = policySource;
  const stopWatching = policySource.watch((report) => {
    if (report.outcome === 'kept') log.write('policy.refused', { code: 'POLICY_BROKEN', problems: report.problems.length });
  });
  const space: FeatureSpace = { features: loadFeatures(config.policyFolder, catalogue), fields: catalogue.fields };
  const scoringSettings = loadScoringSettings(config.policyFolder);
  const vault = requestVault(keyring.requestSecrets);
  const tallies = composeTallies(() => space, () => scoringSettings);
  const scoring = composeScoring({
    database, clock, standing, signer: keyring.gatewaySigner, gatewayUrl: gatewayUrlOf(config), custodian, logOrigin: config.auditLogOrigin,
    metrics, space: () => space,
    model: (ref) => usableModel({ database, clock, policy: standing.policy, space: () => space, settings: () => scoringSettings }, ref),
    pool: { threads: config.scoreThreads, memoryMb: config.scoreMemoryMb, cacheBytesMax: config.scoreCacheMb * 1_048_576 },
  }, tallies, createReleaser(database, clock, vault, tallies, standing, () => {}));
  const desk: JobDesk = { ...scoring.desk, database, vault, tallies, queue: openQueue(database), maskSecrets: keyring.maskSecrets, resultDays: config.scoreResultDays, onStep: metrics.scoreStep };
  const joint = composeJoint({ config, database, clock, catalogue, standing, secrets: keyring.maskSecrets });
  const served = config.workerMetricsPort === undefined ? undefined : await serveMetrics({
    host: config.metricsHost, port: config.workerMetricsPort, setting: 'VEILGATE_WORKER_METRICS_PORT', text: metrics.text, ...(config.metricsToken === undefined ? {} : { token: config.metricsToken }),
  });
  const work = await startWork({ database, concurrency: config.scoreTasks, run: (task) => measured(metrics, task, () => runTask(desk, joint, task)), onError: (error, task) => report(log, error, task) });
  log.write('score_worker.started', { tasks: config.scoreTasks, threads: config.scoreThreads });
  return {
    metricsPort: served?.port,
    reload: () => policy.reload(),
    async stop() {
      stopWatching();
      await served?.stop();
      await work.stop();
      await scoring.close();
      await database.close();
      log.write('score_worker.stopped', {});
    },
  };
}

async function measured(metrics: Pick<Metrics, 'task'>, { kind }: Task, run: () => Promise<void>): Promise<void> {
  const startMs = performance.now();
  const told = (outcome: 'done' | 'failed') => metrics.task(kind, outcome, performance.now() - startMs);
  await run().catch((error: unknown) => {
    told('failed');
    throw error;
  });
  told('done');
}

/** Each kind of task to whoever does it; one that this version does not know waits for another that does. */
async function runTask(desk: JobDesk, joint: JointRunDesk, task: Task): Promise<void> {
  switch (task.kind) {
    case 'plan':
    case 'part': return runJobTask(desk, task);
    case 'joint_judge': return judgeLottery(joint, task.job);
    case 'joint_bundle': return checkBundle(joint, task.job);
    case 'joint_release': return answerQuestion(joint, task.job);
    default:
      task satisfies never;
      throw new VeilgateError('INTERNAL', 'This worker does not know such a task: start it in the version of its gateway.');
  }
}

/** A task that fails is tried again; what went wrong is told by codes alone. */
function report(log: Log, error: unknown, task: Task | undefined): void {
  const { fault_name, fault_code } = faultFacts(error);
  log.write('score_task.failed', {
    task: task?.kind ?? 'queue', code: isVeilgateError(error) ? error.code : 'INTERNAL',
    ...(fault_name === undefined ? {} : { fault_name }), ...(fault_code === undefined ? {} : { fault_code }),
  });
}
