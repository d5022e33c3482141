/** A custodian whose decryption never ends: a process to be killed between a spent ticket and its answer. Settings come as its first message. */
import { systemClock } from '../../../src/clock.ts';
import { readCustodianConfig } from '../../../src/custodian/config.ts';
import { startCustodian } from '../../../src/custodian/custodian.ts';
import { createLog } from '../../../src/gateway/log.ts';

process.once('message', async (settings: NodeJS.ProcessEnv) => {
  const custodian = await startCustodian(readCustodianConfig(settings, systemClock.nowMs()), createLog({ level: 'error' }), systemClock, {
    decryption: async () => ({
      run: () => {
        process.send?.({ stalled: true });
        return new Promise(() => {});
      },
      close: async () => {},
    }),
  });
  process.send?.({ url: custodian.url });
});
process.once('disconnect', () => process.exit(0));
