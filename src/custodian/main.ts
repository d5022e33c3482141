#!/usr/bin/env node
/** `npm run custodian`: a key custodian from configuration (docs/custodian.md). The only place here that reads the environment. */
import { provideBase64 } from '../base64.ts';
import { systemClock } from '../clock.ts';
import { isVeilgateError } from '../errors.ts';
import { createLog, faultFacts, installCrashHandlers } from '../gateway/log.ts';
import { custodianHelp, readCustodianConfig } from './config.ts';
import { startCustodian } from './custodian.ts';

provideBase64();

if (process.argv.includes('--help')) {
  console.log(custodianHelp());
  process.exit(0);
}

try {
  await run();
} catch (error) {
  console.error(isVeilgateError(error) ? `${error.code}: ${error.message}` : error);
  process.exit(isVeilgateError(error) && error.code.startsWith('CONFIG') ? 78 : 1);
}

async function run(): Promise<void> {
  const config = readCustodianConfig(process.env, systemClock.nowMs());
  const log = createLog({ level: config.logLevel, ...(config.logFile === undefined ? {} : { file: config.logFile }) });
  const exit = (code: number) => void log.close().finally(() => process.exit(code));
  installCrashHandlers(log, exit);
  const custodian = await startCustodian(config, log, systemClock);
  let stopping = false;
  const stop = () => {
    if (stopping) return exit(130);
    stopping = true;
    custodian.stop().then(() => exit(0), () => exit(1));
  };
  process.on('SIGTERM', stop);
  // as a child it shares a terminal with a gateway, which says when; and it ends with that gateway
  if (process.send === undefined) process.on('SIGINT', stop);
  else process.on('SIGINT', () => {}).on('disconnect', stop);
  if (process.platform !== 'win32') process.on('SIGHUP', () => void custodian.reload().catch((error: unknown) => log.write('custodian.fault', faultFacts(error))));
  const { url, id, statementKey, logVerifierKey } = custodian;
  process.send?.({ ready: { url, id, statementKey, logVerifierKey } });
}
