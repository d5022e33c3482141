#!/usr/bin/env node
/**
 * `npm run worker`: does jobs that score many and joint modelling, for a gateway with the same configuration (docs/configuration.md), on
 * this machine or another one. `npm start` runs one beside itself.
 */
import os from 'node:os';
import { provideBase64 } from '../../base64.ts';
import { systemClock } from '../../clock.ts';
import { VeilgateError, isVeilgateError } from '../../errors.ts';
import { configHelp } from '../config-page.ts';
import { readConfig } from '../config.ts';
import { findCustodian } from '../custodian-address.ts';
import { createLog, installCrashHandlers } from '../log.ts';
import { custodianHandedDown, databaseHandedDown } from '../handed-down.ts';
import type { CustodianAddress } from '../scoring.ts';
import { startWorker } from './worker.ts';

provideBase64();

if (process.argv.includes('--help')) {
  console.log(configHelp());
  process.exit(0);
}

try {
  await run();
} catch (error) {
  console.error(isVeilgateError(error) ? `${error.code}: ${error.message}` : error);
  process.exit(isVeilgateError(error) && error.code.startsWith('CONFIG') ? 78 : 1);
}

async function run(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLog({ level: config.logLevel, ...(config.logFile === undefined ? {} : { file: config.logFile }) });
  const exit = (code: number) => void log.close().finally(() => process.exit(code));
  installCrashHandlers(log, exit);
  const databaseUrl = process.env[databaseHandedDown] ?? config.databaseUrl;
  if (databaseUrl === undefined) throw new VeilgateError('CONFIG_INVALID', 'A worker shares the database of its gateway: set DATABASE_URL.', { settings: ['DATABASE_URL'] });
  if (config.scoreTasks === 0) throw new VeilgateError('CONFIG_INVALID', 'A worker works on at least one task at a time: set VEILGATE_SCORE_TASKS.', { settings: ['VEILGATE_SCORE_TASKS'] });
  // requests under way are more urgent than jobs, whoever shares the processors
  os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL);
  const worker = await startWorker(config, databaseUrl, await custodianAddress(config, databaseUrl, log), log, systemClock);

  let stopping = false;
  const stop = () => {
    if (stopping) return exit(130);
    stopping = true;
    worker.stop().then(() => exit(0), () => exit(1));
  };
  process.on('SIGTERM', stop);
  // beside a gateway it shares a terminal with it, which says when; and it ends with that gateway
  if (process.send === undefined) process.on('SIGINT', stop);
  else process.on('SIGINT', () => {}).on('disconnect', () => { if (!stopping) stop(); });
  if (process.send !== undefined && !process.connected) stop(); // it was gone before this was ready
  if (process.platform !== 'win32') process.on('SIGHUP', () => worker.reload());
}

/** From the gateway that started this process, else from the configuration: only a remote one can be shared. */
async function custodianAddress(config: ReturnType<typeof readConfig>, databaseUrl: string, log: ReturnType<typeof createLog>): Promise<CustodianAddress | undefined> {
  const handed = process.env[custodianHandedDown];
  if (handed !== undefined) return JSON.parse(handed) as CustodianAddress;
  if (config.custodian === 'none') return undefined; // joint modelling alone
  const found = config.custodian === 'remote' ? await findCustodian(config, databaseUrl, log, systemClock) : undefined;
  if (found === undefined) {
    throw new VeilgateError('CONFIG_INVALID', 'A worker beside no gateway needs a custodian that both can reach: set VEILGATE_CUSTODIAN to remote, and where it is.', { settings: ['VEILGATE_CUSTODIAN'] });
  }
  return found.address;
}
