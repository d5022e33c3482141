/** A platform to measure: its own PostgreSQL with the settings of a real one, made-up enterprises, one bank, a grant each. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock } from '../../../src/clock.ts';
import { fieldSetJson, widthOf } from '../../../src/consent/field-sets.ts';
import { serverFlags } from '../../../src/gateway/engine-flags.ts';
import { applyInstitution, approveInstitution, assessInstitution } from '../../../src/identity/registry/institution.ts';
import { bootstrapOfficers } from '../../../src/identity/registry/staff.ts';
import { generateCredentialsFile, readCredentials, type Credentials, type CredentialsFile } from '../../../src/sdk/keys.ts';
import { loadCatalogue } from '../../../src/source/catalogue.ts';
import { prepareDomainTables } from '../../../src/source/domain.ts';
import { freePorts, startCluster, type Cluster } from '../../../src/store/cluster.ts';
import { applySchema, openDatabase, type Database } from '../../../src/store/database.ts';
import type { ConsentCeiling, FieldRef, InstitutionId, PartyId } from '../../../src/vocabulary.ts';
import { SignJWT } from 'jose';
import { fillDomain } from '../../sample/fill.ts';
import { sampleSubjectsSql } from '../../sample/subjects.ts';

const root = path.resolve(import.meta.dirname, '../../..');
export const bankId = 'bank-of-the-bench';
export const purpose = 'pre_loan_review';
export const seed = 11;

export type BenchPlatform = {
  readonly database: Database;
  readonly cluster: Cluster;
  readonly folder: string;
  readonly gatewayUrl: string;
  readonly port: number;
  readonly issuerPort: number;
  readonly bank: Credentials;
  /** Two of the platform's staff, registrar and compliance both. */
  readonly officers: readonly Credentials[];
  readonly signingJwk: CredentialsFile['signing'];
  readonly close: () => Promise<void>;
};

/** @param options enterprises: how many the domains hold; datasets: which are filled, those of queries when absent */
export async function benchPlatform(options: { readonly enterprises: number; readonly datasets?: readonly string[] }): Promise<BenchPlatform> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-bench-'));
  chmodSync(folder, 0o755);
  const cluster = await startCluster({ folder: path.join(folder, 'database'), settings: { shared_buffers: '1GB', max_wal_size: '4GB' } });
  const database = openDatabase({ url: cluster.url(), maxConnections: 4 });
  await applySchema(database);
  const catalogue = loadCatalogue(path.join(root, 'policies/catalogue'));
  await prepareDomainTables(database, catalogue);
  await fillDomain(database, catalogue, { ...options, seed, periods: 3 });
  const [port = 0, issuerPort = 0] = await freePorts(2);
  const gatewayUrl = `http://127.0.0.1:${port}`;
  const file = await generateCredentialsFile(bankId, { encryption: true });
  const bank = await readCredentials(file);
  const officers = await admitBank(database, bank, gatewayUrl);
  return {
    database, cluster, folder, gatewayUrl, port, issuerPort, bank, officers, signingJwk: file.signing,
    async close() {
      await database.close();
      await cluster.stop();
      rmSync(folder, { recursive: true, force: true });
      rmSync(cluster.home, { recursive: true, force: true });
    },
  };
}

async function admitBank(database: Database, bank: Credentials, audience: string): Promise<readonly Credentials[]> {
  const officers = await Promise.all(['officer-one', 'officer-two'].map(async (id) => readCredentials(await generateCredentialsFile(id, { encryption: false }))));
  const application = await new SignJWT({
    application: { name: { en: 'Bank of the bench', zh: '测试银行' }, institution_class: 'commercial_bank', country: 'CN', redirect_uris: [], jwks: { keys: [bank.signing.publicJwk, bank.encryption?.publicJwk] } },
    jti: crypto.randomUUID(),
  })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'application+jwt', kid: bank.signing.publicJwk.kid })
    .setIssuer(bankId).setAudience(audience).setIssuedAt().setExpirationTime('60s').sign(bank.signing.privateKey);
  const institution = bankId as InstitutionId;
  await database.transaction('admit the bank', async (tx) => {
    await bootstrapOfficers(tx, officers.map(({ party: id, signing }) => ({ id, name: { en: id, zh: id }, roles: ['registrar', 'compliance'], key: signing.publicJwk })), systemClock);
    await applyInstitution(tx, { jws: application, audience, classes: new Set(['commercial_bank']) }, systemClock);
    await assessInstitution(tx, { institution, by: 'officer-one' as PartyId, level: 5, passed: true, validUntil: new Date(Date.now() + 86_400_000 * 30).toISOString().slice(0, 10), findingsDigest: 'e'.repeat(64) }, systemClock);
    await approveInstitution(tx, { institution, by: 'officer-two' as PartyId, limits: { requestsPerSecond: 1_000_000, queriesPerDay: 1_000_000_000 } }, systemClock);
  });
  return officers;
}

/** One grant for each of the first `count` enterprises; replaces those made before. */
export async function grantAll(database: Database, count: number, fields: ReadonlyMap<FieldRef, ConsentCeiling>, forPurpose = purpose): Promise<void> {
  const set = fieldSetJson(fields);
  const now = Date.now();
  await database.query('truncate consent_grant cascade');
  await database.query('insert into consent_field_set (digest, fields) values ($1, $2::jsonb) on conflict do nothing', [set.digest, set.json]);
  await database.query(
    `insert into consent_grant (id, subject, institution, purpose, field_set, width, valid_from_ms, valid_until_ms, kind, uses_max, uses_left, data_life_days, notice_digest, origin, evidence_digest, created_ms, changed_ms)
     select translate(encode(substr(sha256(subject::bytea), 1, 16), 'base64'), '+/=', '-_'), subject, $1, $2, $3, $4, $5, $6, 'periodic', 1000000, 1000000, 90, $7, 'browser', $7, $5, $5
     from (${sampleSubjectsSql(count, seed)}) as sample`,
    [bankId, forPurpose, set.digest, widthOf(fields), now - 60_000, now + 30 * 86_400_000, 'd'.repeat(64)],
  );
  await database.query('analyze consent_grant');
}

/** Tenths of a second; a policy of thousands of fields takes a while to load. */
const startTriesMax = 1800;

/** A gateway in processes of its own, as `npm start` runs it; without scores unless `settings` name a custodian. */
export async function startBenchGateway(platform: BenchPlatform, workers: number, settings: Readonly<Record<string, string>> = {}): Promise<{ readonly process: ChildProcess; readonly stop: () => Promise<void> }> {
  const log = path.join(platform.folder, `gateway-${workers}.log`);
  writeFileSync(log, '');
  const child = fork(path.join(root, 'src/gateway/main.ts'), [], {
    cwd: root,
    execArgv: [...serverFlags],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: platform.cluster.url(),
      VEILGATE_PORT: String(platform.port), VEILGATE_ISSUER_PORT: String(platform.issuerPort), VEILGATE_WORKERS: String(workers),
      VEILGATE_KEYS_FOLDER: path.join(platform.folder, 'keys'), VEILGATE_POLICY_FOLDER: path.join(root, 'policies'),
      VEILGATE_LOG_FILE: log, VEILGATE_PARTY_REQUESTS_PER_SECOND: '1000000', VEILGATE_CUSTODIAN: 'none', VEILGATE_SCORE_TASKS: '0', ...settings,
    },
  });
  for (let tries = 0; ; tries += 1) {
    const ready = await fetch(`${platform.gatewayUrl}/readyz`).then(({ ok }) => ok, () => false);
    if (ready) break;
    if (tries > startTriesMax || child.exitCode !== null) {
      child.kill('SIGKILL');
      throw new Error('the gateway did not start');
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    process: child,
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}
