/** A process that starts a custodian as its child, says which one, and lives on: to be killed. Options come as its first message. */
import { startCustodianChild, type CustodianChildOptions } from '../../../src/gateway/custodian-child.ts';
import { createLog } from '../../../src/gateway/log.ts';

process.once('message', async (options: Omit<CustodianChildOptions, 'log'>) => {
  const custodian = await startCustodianChild({ ...options, log: createLog({ level: 'error' }) });
  process.send?.({ pid: custodian.pid() });
});
