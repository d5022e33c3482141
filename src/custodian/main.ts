#!/usr/bin/env node
/** `npm run custodian`: a key custodian from configuration (docs/custodian.md). The only place here that reads the environment. */
import { systemClock } from '../clock.ts';
import { faultFacts } from '../gateway/log.ts';
import { openProgramLog, runProgram, runUntilStopped } from '../gateway/program.ts';
import { custodianHelp, readCustodianConfig } from './config.ts';
import { startCustodian } from './custodian.ts';

await runProgram(process.argv, custodianHelp, run);

async function run(): Promise<void> {
  const config = readCustodianConfig(process.env, systemClock.nowMs());
  const { log, exit } = openProgramLog(config);
  const custodian = await runUntilStopped(exit, async () => {
    const started = await startCustodian(config, log, systemClock);
    return { ...started, reload: () => void started.reload().catch((error: unknown) => log.write('custodian.fault', faultFacts(error))) };
  });
  if (custodian === undefined || !process.connected) return;
  const { url, id, statementKey, logVerifierKey } = custodian;
  process.send?.({ ready: { url, id, statementKey, logVerifierKey } });
}
