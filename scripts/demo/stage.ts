import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { readConfig } from '../../src/gateway/config.ts';
import { custodianDatabaseUrl, startCustodianChild } from '../../src/gateway/custodian-child.ts';
import { custodianHandedDown, databaseHandedDown } from '../../src/gateway/handed-down.ts';
import { createLog } from '../../src/gateway/log.ts';
import { gatewayUrlOf, startGateway, type RunningGateway } from '../../src/gateway/gateway.ts';
import { startNode } from '../../src/gateway/node.ts';
import { startWorkerChild } from '../../src/gateway/worker/child.ts';
import { openKeyring } from '../../src/identity/keyring.ts';
import { generateCredentialsFile, readCredentials, type Credentials, type CredentialsFile } from '../../src/sdk/keys.ts';
import { freePorts } from '../../src/store/cluster.ts';
import type { PublicJwk } from '../../src/vocabulary.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** A platform of one's own to play on: everything in one folder, gone when it stops. */
export type Stage = {
  readonly gateway: RunningGateway;
  readonly folder: string;
  readonly databaseUrl: string;
  /** The key custodian: a process with keys, a database and a log of its own. */
  readonly custodian: { readonly url: string; readonly id: string; readonly databaseUrl: string };
  /** Makes keys for a party and keeps them in the folder, where the command line client finds them. */
  readonly credentials: (party: string, options?: { readonly encryption: boolean }) => Promise<Credentials>;
  /** Keys made before. */
  readonly open: (party: string) => Promise<Credentials>;
  readonly credentialsFile: (party: string) => string;
  readonly stop: () => Promise<void>;
};

export const officers = [
  { id: 'officer-registrar', name: { en: 'Lin Registrar', zh: '林登记' }, roles: ['registrar'] },
  { id: 'officer-security', name: { en: 'Chen Security', zh: '陈安评' }, roles: ['compliance'] },
  { id: 'officer-auditor', name: { en: 'Zhou Auditor', zh: '周审计' }, roles: ['auditor'] },
  { id: 'officer-models', name: { en: 'Sun Models', zh: '孙模型' }, roles: ['compliance'] },
] as const;

/** Starts PostgreSQL, authorization server, gateway, key custodian and a worker with new keys. Settings in the environment are respected. */
export async function openStage(env: NodeJS.ProcessEnv): Promise<Stage> {
  const folder = newFolder();
  const credentialsFile = (party: string) => path.join(folder, 'credentials', `${party}.json`);
  const credentials = async (party: string, options = { encryption: false }): Promise<Credentials> => {
    const file = await generateCredentialsFile(party, options);
    writeFileSync(credentialsFile(party), JSON.stringify(file, null, 2), { mode: 0o600 });
    return readCredentials(file);
  };
  mkdirSync(path.join(folder, 'credentials'), { mode: 0o700 });
  const officersFile = path.join(folder, 'officers.json');
  const first = await Promise.all(officers.map(async (officer) => {
    await credentials(officer.id);
    const { d: _private, ...key } = (JSON.parse(readFileSync(credentialsFile(officer.id), 'utf8')) as CredentialsFile).signing;
    return { ...officer, key };
  }));
  writeFileSync(officersFile, JSON.stringify(first));
  const [port, issuerPort] = await freePorts(2);
  const settings: NodeJS.ProcessEnv = {
    VEILGATE_PORT: String(port),
    VEILGATE_ISSUER_PORT: String(issuerPort),
    VEILGATE_CHECKPOINT_SECONDS: '1',
    VEILGATE_ADDRESS_REQUESTS_PER_SECOND: '2000', // everybody who plays here has one address
    ...env,
    VEILGATE_DATABASE_FOLDER: path.join(folder, 'database'),
    VEILGATE_KEYS_FOLDER: path.join(folder, 'keys'),
    VEILGATE_POLICY_FOLDER: path.join(root, 'policies'),
    VEILGATE_LOG_FILE: path.join(folder, 'gateway.log'),
    VEILGATE_OFFICERS_FILE: officersFile,
    VEILGATE_CUSTODIAN: 'own', // started below, with a log of its own
  };
  const config = readConfig(settings);
  const log = createLog({ level: config.logLevel, file: path.join(folder, 'gateway.log') });
  const node = await startNode(config, log, systemClock);
  const custodian = await startCustodianChild({
    folder: path.join(folder, 'custodian'), databaseUrl: node.databaseUrl, gatewayUrl: gatewayUrlOf(config), log,
    gatewayJwks: openKeyring(config.keysFolder, systemClock).gatewayJwks as { readonly keys: readonly PublicJwk[] },
    settings: { CUSTODIAN_LOG_FILE: path.join(folder, 'custodian.log') },
  });
  const address = { url: custodian.url, id: custodian.id, statementKey: custodian.statementKey };
  const gateway = await startGateway(config, node.databaseUrl, log, systemClock, address);
  const worker = startWorkerChild({ ...settings, [databaseHandedDown]: node.databaseUrl, [custodianHandedDown]: JSON.stringify(address) }, log);
  return {
    gateway, folder, credentials, credentialsFile,
    open: (party) => readCredentials(JSON.parse(readFileSync(credentialsFile(party), 'utf8')) as CredentialsFile),
    databaseUrl: node.databaseUrl,
    custodian: { url: custodian.url, id: custodian.id, databaseUrl: custodianDatabaseUrl(node.databaseUrl) },
    async stop() {
      await gateway.stop();
      await worker.stop();
      await custodian.stop();
      await node.stop();
      await log.close();
      for (const leftOver of [folder, node.dataFolder]) if (leftOver !== undefined) rmSync(leftOver, { recursive: true, force: true });
    },
  };
}

/** `.data/demo-<pid>`; what a demo left behind that was killed is cleared away first. */
function newFolder(): string {
  const data = path.join(root, '.data');
  mkdirSync(data, { recursive: true });
  for (const name of readdirSync(data)) {
    const pid = /^demo-([0-9]+)$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) clearAway(path.join(data, name));
  }
  const folder = path.join(data, `demo-${process.pid}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 }); // it holds private keys
  return folder;
}

function clearAway(folder: string): void {
  const pidFile = path.join(folder, 'database', 'pgdata', 'postmaster.pid');
  if (existsSync(pidFile)) {
    try {
      process.kill(Number(readFileSync(pidFile, 'utf8').split('\n')[0]), 'SIGINT');
    } catch {
      // it is gone already
    }
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
