import path from 'node:path';
import { systemClock } from '../../../src/clock.ts';
import { readConfig } from '../../../src/gateway/config.ts';
import { createLog } from '../../../src/gateway/log.ts';
import { startGateway } from '../../../src/gateway/gateway.ts';
import { freePort } from '../../../src/store/cluster.ts';
import { Writable } from 'node:stream';
import type { TestPlatform } from '../../support/gateway.ts';

const root = path.resolve(import.meta.dirname, '../../..');

/** Another process' worth of gateway for the same platform: same database, keys and public address, another port. */
export async function startSecondNode(platform: TestPlatform): Promise<{ readonly origin: string; readonly stop: () => Promise<void> }> {
  const [port, issuerPort] = [await freePort(), await freePort()];
  const config = readConfig({
    DATABASE_URL: platform.database.url, VEILGATE_PORT: String(port), VEILGATE_ISSUER_PORT: String(issuerPort),
    VEILGATE_PUBLIC_URL: platform.gateway.gatewayUrl, VEILGATE_ISSUER_PUBLIC_URL: platform.gateway.issuerUrl,
    VEILGATE_KEYS_FOLDER: path.join(platform.folder, 'keys'), VEILGATE_POLICY_FOLDER: path.join(root, 'policies'), VEILGATE_POLICY_SOURCE: platform.config.policySource,
    VEILGATE_ADDRESS_REQUESTS_PER_SECOND: '100000', VEILGATE_DRAIN_SECONDS: '1',
  });
  const log = createLog({ level: 'debug', stream: new Writable({ write: (_chunk, _encoding, done) => done() }) });
  const gateway = await startGateway(config, platform.node.databaseUrl, log, systemClock);
  return {
    origin: `http://127.0.0.1:${port}`,
    async stop() {
      await gateway.stop();
      await log.close();
    },
  };
}
