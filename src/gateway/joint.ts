import type { Clock } from '../clock.ts';
import { openQueue } from '../jobs/queue.ts';
import type { MaskSecrets } from '../joint/cohort/sealed-secret.ts';
import { loadJointSettings } from '../joint/project/settings.ts';
import { createGate } from '../joint/threads/gate.ts';
import type { Database } from '../store/database.ts';
import type { Catalogue } from '../vocabulary.ts';
import type { Config } from './config.ts';
import type { JointRunDesk } from './use-cases/joint-run-desk.ts';
import type { PolicyStanding } from './use-cases/policy-standing.ts';

export type JointParts = {
  readonly config: Config;
  readonly database: Database;
  readonly clock: Clock;
  readonly catalogue: Catalogue;
  readonly standing: PolicyStanding;
  readonly secrets: MaskSecrets;
};

/** Pieces of joint modelling that may wait for a thread of this process. */
const waitingMax = 32;

/** What joint modelling works with in one process, whether it answers requests or does tasks. */
export function composeJoint({ config, database, clock, catalogue, standing, secrets }: JointParts): JointRunDesk {
  const settings = loadJointSettings(config.policyFolder);
  return {
    database, clock, catalogue, standing, policy: standing.policy, secrets,
    settings: () => settings,
    threads: { threads: config.scoreThreads, memoryMb: config.scoreMemoryMb },
    gate: createGate(config.scoreThreads, waitingMax),
    queue: openQueue(database),
  };
}
