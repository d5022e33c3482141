#!/usr/bin/env node
/**
 * `npm run worker`: does jobs that score many and joint modelling, for a gateway with the same configuration (docs/configuration.md), on
 * this machine or another one. `npm start` runs one beside itself.
 */
import os from 'node:os';
import { systemClock } from '../../clock.ts';
import { VeilgateError } from '../../errors.ts';
import { configHelp } from '../config-page.ts';
import { readConfig } from '../config.ts';
import { findCustodian } from '../custodian-address.ts';
import type { Log } from '../log.ts';
import { custodianHandedDown, databaseHandedDown } from '../handed-down.ts';
import { openProgramLog, runProgram, runUntilStopped } from '../program.ts';
import type { CustodianAddress } from '../scoring.ts';
import { startWorker } from './worker.ts';

await runProgram(process.argv, configHelp, run);

async function run(): Promise<void> {
  const config = readConfig(process.env);
  const { log, exit } = openProgramLog(config);
  const databaseUrl = process.env[databaseHandedDown] ?? config.databaseUrl;
  if (databaseUrl === undefined) throw new VeilgateError('CONFIG_INVALID', 'A worker shares the database of its gateway: set DATABASE_URL.', { settings: ['DATABASE_URL'] });
  if (config.scoreTasks === 0) throw new VeilgateError('CONFIG_INVALID', 'A worker works on at least one task at a time: set VEILGATE_SCORE_TASKS.', { settings: ['VEILGATE_SCORE_TASKS'] });
  // requests under way are more urgent than jobs, whoever shares the processors
  os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL);
  await runUntilStopped(exit, async () => startWorker(config, databaseUrl, await custodianAddress(config, databaseUrl, log), log, systemClock));
}

/** From the gateway that started this process, else from the configuration: only a remote one can be shared. */
async function custodianAddress(config: ReturnType<typeof readConfig>, databaseUrl: string, log: Log): Promise<CustodianAddress | undefined> {
  const handed = process.env[custodianHandedDown];
  if (handed !== undefined) return JSON.parse(handed) as CustodianAddress;
  if (config.custodian === 'none') return undefined; // joint modelling alone
  const found = config.custodian === 'remote' ? await findCustodian(config, databaseUrl, log, systemClock) : undefined;
  if (found === undefined) {
    throw new VeilgateError('CONFIG_INVALID', 'A worker beside no gateway needs a custodian that both can reach: set VEILGATE_CUSTODIAN to remote, and where it is.', { settings: ['VEILGATE_CUSTODIAN'] });
  }
  return found.address;
}
