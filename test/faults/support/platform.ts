import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { SignJWT } from 'jose';
import { fillDomain } from '../../../scripts/sample/fill.ts';
import { sampleSubject } from '../../../scripts/sample/subjects.ts';
import { systemClock, type Clock } from '../../../src/clock.ts';
import { fieldSetJson, widthOf } from '../../../src/consent/field-sets.ts';
import { readConfig } from '../../../src/gateway/config.ts';
import { createLog } from '../../../src/gateway/log.ts';
import { startGateway } from '../../../src/gateway/gateway.ts';
import { startNode } from '../../../src/gateway/node.ts';
import { applyInstitution, approveInstitution, assessInstitution } from '../../../src/identity/registry/institution.ts';
import { bootstrapOfficers } from '../../../src/identity/registry/staff.ts';
import { generateCredentialsFile, readCredentials, type Credentials, type CredentialsFile } from '../../../src/sdk/keys.ts';
import { loadCatalogue } from '../../../src/source/catalogue.ts';
import { prepareDomainTables } from '../../../src/source/domain.ts';
import { freePort, startCluster, type Cluster } from '../../../src/store/cluster.ts';
import { applySchema, openDatabase, type Database } from '../../../src/store/database.ts';
import type { ConsentCeiling, FieldRef, GrantId, InstitutionId, PartyId, SubjectId } from '../../../src/vocabulary.ts';
import { until } from '../../support/until.ts';
import type { Step } from './steps.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const seed = 23;
const enterprises = 60;
export const bankId = 'bank-of-faults';
export const purpose = 'pre_loan_review';

/** What every grant here covers: one field that leaves sealed, one that leaves banded and can be verified. */
const consented = new Map<FieldRef, ConsentCeiling>([['registry.name' as FieldRef, 'original'], ['tax.declared_revenue_cents' as FieldRef, 'desensitised']]);

/** A platform whose PostgreSQL and gateway are processes of their own, to be ended, filled up and cut off. */
export type FaultPlatform = {
  readonly folder: string;
  readonly gatewayUrl: string;
  readonly ports: { readonly database: number; readonly gateway: number; readonly issuer: number };
  readonly bank: { readonly credentials: Credentials; readonly file: CredentialsFile };
  /** For looking at what is stored; lives through restarts of the server. */
  readonly database: Database;
  /** The folder given to startCluster. */
  readonly databaseFolder: string;
  readonly startDatabase: () => Promise<Cluster>;
  /** Process id of the running postmaster. */
  readonly databasePid: () => number;
  /** A grant of an enterprise that has none yet; it ends in `lifeMs`, 30 days when absent. */
  readonly grant: (usesMax: number, lifeMs?: number) => Promise<{ readonly id: GrantId; readonly subject: SubjectId }>;
  readonly startGateway: (settings?: Readonly<Record<string, string>>) => Promise<GatewayProcess>;
  /** A gateway in this process, with a clock or other settings of the test's own. @returns ends it */
  readonly startGatewayHere: (clock: Clock, settings?: Readonly<Record<string, string>>) => Promise<() => Promise<void>>;
  /** Ends everything that still runs and removes the files. */
  readonly close: () => Promise<void>;
};

export type GatewayProcess = {
  readonly child: ChildProcess;
  /** Arms it; resolves when it is armed. */
  readonly dieAt: (step: Step) => Promise<void>;
  readonly exited: Promise<void>;
  /** SIGKILL, and its end. */
  readonly kill: () => Promise<void>;
};

/** Processes this run started: none outlives it, whatever happens. */
const running = new Set<number>();
process.on('exit', () => {
  for (const pid of running) signal(pid, 'SIGKILL');
});

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it has ended already
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** @param databaseFolder where PostgreSQL keeps its files; in the platform's own folder when absent */
export async function startFaultPlatform(options: { readonly databaseFolder?: string; readonly databaseSettings?: Readonly<Record<string, string>> } = {}): Promise<FaultPlatform> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-faults-'));
  chmodSync(folder, 0o755); // root hands the server to another user, who must reach it
  const databaseFolder = options.databaseFolder ?? path.join(folder, 'database');
  const ports = { database: await freePort(), gateway: await freePort(), issuer: await freePort() };
  let home = databaseFolder;
  const startDatabase = async () => {
    const cluster = await startCluster({ folder: databaseFolder, port: ports.database, settings: { shared_buffers: '32MB', fsync: 'off', ...options.databaseSettings } });
    home = cluster.home;
    if (cluster.pid !== undefined) running.add(cluster.pid);
    return cluster;
  };
  const databasePid = () => Number(readFileSync(path.join(home, 'pgdata', 'postmaster.pid'), 'utf8').split('\n')[0]);

  const cluster = await startDatabase();
  const database = openDatabase({ url: cluster.url(), maxConnections: 3, applicationName: 'fault tests' });
  const gatewayUrl = `http://127.0.0.1:${ports.gateway}`;
  const file = await generateCredentialsFile(bankId, { encryption: true });
  const credentials = await readCredentials(file);
  await fill(database);
  await admitBank(database, credentials, gatewayUrl);
  const ofGateway = () => ({
    DATABASE_URL: cluster.url(), VEILGATE_PORT: String(ports.gateway), VEILGATE_ISSUER_PORT: String(ports.issuer),
    VEILGATE_KEYS_FOLDER: path.join(folder, 'keys'), VEILGATE_POLICY_FOLDER: path.join(root, 'policies'), VEILGATE_DRAIN_SECONDS: '1',
    VEILGATE_CHECKPOINT_SECONDS: '1', VEILGATE_CUSTODIAN: 'none', VEILGATE_SCORE_TASKS: '0', VEILGATE_PARTY_REQUESTS_PER_SECOND: '1000000', VEILGATE_ADDRESS_REQUESTS_PER_SECOND: '1000000',
  });
  let granted = 0;
  return {
    folder, gatewayUrl, ports, bank: { credentials, file }, database, databaseFolder, startDatabase, databasePid,
    async grant(usesMax, lifeMs = 30 * 86_400_000) {
      const subject = sampleSubject(granted++, seed);
      return { id: await storeGrant(database, subject, usesMax, lifeMs), subject };
    },
    startGateway: async (settings = {}) => startGatewayProcess(folder, gatewayUrl, { ...ofGateway(), ...settings }),
    async startGatewayHere(clock, settings = {}) {
      const config = readConfig({ ...ofGateway(), ...settings });
      const events = createLog({ level: 'info', file: path.join(folder, 'gateway.log') });
      const node = await startNode(config, events, clock);
      const gateway = await startGateway(config, node.databaseUrl, events, clock);
      return async () => {
        await gateway.stop();
        await node.stop();
        await events.close();
      };
    },
    async close() {
      await database.close();
      for (const pid of running) signal(pid, isAlive(pid) && pid === safely(databasePid) ? 'SIGQUIT' : 'SIGKILL');
      await until('the processes end', () => [...running].every((pid) => !isAlive(pid)));
      running.clear();
      rmSync(folder, { recursive: true, force: true });
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function safely<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

async function startGatewayProcess(folder: string, gatewayUrl: string, settings: Readonly<Record<string, string>>): Promise<GatewayProcess> {
  const child = fork(path.join(import.meta.dirname, 'gateway-process.ts'), [], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      VEILGATE_LOG_FILE: path.join(folder, 'gateway.log'), ...given(settings),
    },
  });
  const pid = child.pid ?? 0;
  running.add(pid);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => { said += chunk.toString('utf8'); });
  const exited = once(child, 'exit').then(() => {
    running.delete(pid);
  });
  await until('the gateway is ready', async () => {
    if (child.exitCode !== null) throw new Error(`the gateway did not start: ${said}`);
    return fetch(`${gatewayUrl}/readyz`).then(({ ok }) => ok, () => false);
  });
  return {
    child,
    exited,
    async dieAt(step) {
      const armed = once(child, 'message');
      child.send({ dieAt: step });
      await armed;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** An empty setting stands for one that is left out. */
function given(settings: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== ''));
}

async function fill(database: Database): Promise<void> {
  await applySchema(database);
  const catalogue = loadCatalogue(path.join(root, 'policies/catalogue'));
  await prepareDomainTables(database, catalogue);
  await fillDomain(database, catalogue, { enterprises, seed, periods: 3, datasets: ['registry', 'tax'] });
}

async function admitBank(database: Database, bank: Credentials, audience: string): Promise<void> {
  const officers = await Promise.all(['officer-one', 'officer-two'].map(async (id) => ({
    id, name: { en: id, zh: id }, roles: ['registrar', 'compliance'] as const, key: (await readCredentials(await generateCredentialsFile(id, { encryption: false }))).signing.publicJwk,
  })));
  const application = await new SignJWT({
    application: { name: { en: 'Bank of faults', zh: '故障测试银行' }, institution_class: 'commercial_bank', country: 'CN', redirect_uris: [], jwks: { keys: [bank.signing.publicJwk, bank.encryption?.publicJwk] } },
    jti: crypto.randomUUID(),
  })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'application+jwt', kid: bank.signing.publicJwk.kid })
    .setIssuer(bankId).setAudience(audience).setIssuedAt().setExpirationTime('60s').sign(bank.signing.privateKey);
  const institution = bankId as InstitutionId;
  const validUntil = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
  await database.transaction('admit the bank', async (tx) => {
    await bootstrapOfficers(tx, officers, systemClock);
    await applyInstitution(tx, { jws: application, audience, classes: new Set(['commercial_bank']) }, systemClock);
    await assessInstitution(tx, { institution, by: 'officer-one' as PartyId, level: 5, passed: true, validUntil, findingsDigest: 'e'.repeat(64) }, systemClock);
    await approveInstitution(tx, { institution, by: 'officer-two' as PartyId, limits: { requestsPerSecond: 1_000_000, queriesPerDay: 1_000_000_000 } }, systemClock);
  });
}

async function storeGrant(database: Database, subject: SubjectId, usesMax: number, lifeMs: number): Promise<GrantId> {
  const id = randomBytes(16).toString('base64url') as GrantId;
  const set = fieldSetJson(consented);
  const nowMs = Date.now();
  await database.query('insert into consent_field_set (digest, fields) values ($1, $2::jsonb) on conflict do nothing', [set.digest, set.json]);
  await database.query(
    `insert into consent_grant (id, subject, institution, purpose, field_set, width, valid_from_ms, valid_until_ms, kind, uses_max, uses_left, data_life_days, notice_digest, origin, evidence_digest, created_ms, changed_ms)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 'periodic', $9, $9, 90, $10, 'browser', $10, $7, $7)`,
    [id, subject, bankId, purpose, set.digest, widthOf(consented), nowMs - 60_000, nowMs + lifeMs, usesMax, 'd'.repeat(64)],
  );
  return id;
}
