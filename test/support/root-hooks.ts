import { stopTestCluster } from './database.ts';

// an unhandled rejection is a defect, not a warning
process.on('unhandledRejection', (reason) => { throw reason; });

export const mochaHooks = {
  async afterAll() {
    await stopTestCluster();
  },
};
