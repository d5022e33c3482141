import { stopTestCluster } from './database.ts';

// an unhandled rejection is a defect, not a warning
process.on('unhandledRejection', (reason) => { throw reason; });

export const mochaHooks = {
  async afterAll(this: Mocha.Context) {
    this.timeout(90_000); // hundreds of databases are checkpointed on the way out
    await stopTestCluster();
  },
};
