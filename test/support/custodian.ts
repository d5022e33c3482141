import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Writable } from 'node:stream';
import { systemClock } from '../../src/clock.ts';
import { admitBank, setBankState } from '../../src/custodian/banks.ts';
import { readCustodianConfig } from '../../src/custodian/config.ts';
import { startCustodian, type RunningCustodian } from '../../src/custodian/custodian.ts';
import type { Config } from '../../src/gateway/config.ts';
import { custodianDatabaseUrl } from '../../src/gateway/custodian-child.ts';
import { createLog } from '../../src/gateway/log.ts';
import { openKeyring } from '../../src/identity/keyring.ts';
import { publicKeys, type Credentials } from '../../src/sdk/keys.ts';

/** A real custodian over HTTP, with a database of its own beside the platform's. */
export type TestCustodian = RunningCustodian & {
  /** Every byte it has logged so far. */
  readonly logged: () => string;
  /** Admits a bank with its keys, as its operator does. */
  readonly admit: (credentials: Credentials) => Promise<void>;
  readonly suspend: (bank: string) => Promise<void>;
};

export async function startTestCustodian({ folder, config, databaseUrl, settings }: { readonly folder: string; readonly config: Config; readonly databaseUrl: string; readonly settings: Readonly<Record<string, string>> }): Promise<TestCustodian> {
  const jwksFile = path.join(folder, 'gateway-jwks.json');
  writeFileSync(jwksFile, JSON.stringify(openKeyring(config.keysFolder, systemClock).gatewayJwks), { mode: 0o600 });
  const custodianConfig = readCustodianConfig({
    CUSTODIAN_PORT: '0', CUSTODIAN_GATEWAY_URL: `http://127.0.0.1:${config.port}`, CUSTODIAN_GATEWAY_JWKS_FILE: jwksFile, CUSTODIAN_DATABASE_URL: custodianDatabaseUrl(databaseUrl),
    CUSTODIAN_KEYS_FOLDER: path.join(folder, 'custodian-keys'), CUSTODIAN_CHECKPOINT_SECONDS: '1', CUSTODIAN_DRAIN_SECONDS: '1', CUSTODIAN_LOG_LEVEL: 'debug', ...settings,
  }, Date.now());
  let logText = '';
  const log = createLog({ level: 'debug', stream: new Writable({ write: (chunk: Buffer, _encoding, done) => { logText += chunk.toString('utf8'); done(); } }) });
  const running = await startCustodian(custodianConfig, log, systemClock);
  return {
    ...running,
    logged: () => logText,
    admit: async (credentials) => { await admitBank(running.database, systemClock, credentials.party, { keys: publicKeys(credentials) }); },
    suspend: (bank) => setBankState(running.database, systemClock, bank, 'suspended'),
    async stop() {
      await running.stop();
      await log.close();
    },
  };
}
