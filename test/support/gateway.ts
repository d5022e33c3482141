import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { Browser } from '../../scripts/demo/form-browser.ts';
import { systemClock } from '../../src/clock.ts';
import { readConfig, type Config } from '../../src/gateway/config.ts';
import { createLog } from '../../src/gateway/log.ts';
import { startGateway, type RunningGateway } from '../../src/gateway/gateway.ts';
import { startNode, type RunningNode } from '../../src/gateway/node.ts';
import { applyForAdmission } from '../../src/sdk/application.ts';
import { bankClient, type BankClient, type ConsentRequest, type GrantedConsent } from '../../src/sdk/bank.ts';
import { connect, type Connection } from '../../src/sdk/connection.ts';
import { departmentClient } from '../../src/sdk/department.ts';
import { enterpriseClient } from '../../src/sdk/enterprise.ts';
import { generateCredentialsFile, readCredentials, type Credentials, type CredentialsFile } from '../../src/sdk/keys.ts';
import { officerClient } from '../../src/sdk/officer.ts';
import { freePorts } from '../../src/store/cluster.ts';
import type { Database } from '../../src/store/database.ts';
import { startTestCustodian, type TestCustodian } from './custodian.ts';
import { freshDatabase } from './database.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** A whole platform under test: real PostgreSQL, authorization server and gateway over HTTP, with parties to act. */
export type TestPlatform = {
  readonly gateway: RunningGateway;
  readonly node: RunningNode;
  readonly database: Database;
  readonly folder: string;
  readonly config: Config;
  /** With `scoring` only. */
  readonly custodian: TestCustodian | undefined;
  /** Every byte the gateway has logged so far. */
  readonly logged: () => string;
  readonly credentials: (party: string) => Promise<Credentials>;
  /** The same as a file holds them, private keys and all. */
  readonly credentialsFile: (party: string) => Promise<CredentialsFile>;
  readonly connect: (party: string, scope: string) => Promise<Connection>;
  readonly registrar: ReturnType<typeof officerClient>;
  readonly compliance: ReturnType<typeof officerClient>;
  /** An admitted institution. */
  readonly bank: (id: string, options?: { readonly institutionClass?: string; readonly securityLevel?: number; readonly limits?: { readonly requests_per_second?: number; readonly queries_per_day?: number } }) => Promise<BankClient>;
  /** Registers a department unless it is. */
  readonly department: (department: string) => Promise<void>;
  /** Loads CSV text as the department that owns the dataset. */
  readonly load: (dataset: string, department: string, csv: string) => Promise<Record<string, unknown>>;
  /** An enterprise with a key of its own, who can grant by signature. */
  readonly enterprise: (subject: string) => Promise<ReturnType<typeof enterpriseClient>>;
  /** A representative signed in at the authorization server's pages. */
  readonly representative: (subject: string, username: string) => Promise<Browser>;
  /** Stops what answers, as a restart does. @returns starts it again: the same addresses, keys and database, nothing else of before */
  readonly stopGateway: () => Promise<() => Promise<void>>;
  readonly close: () => Promise<void>;
};

export const redirectUri = 'https://bank.example/callback';
export const password = 'correct horse battery staple';

export type TestPlatformOptions = {
  /** Also start a custodian in this process, with keys, database and log of its own. */
  readonly scoring?: boolean;
  /** Settings of that custodian, such as CUSTODIAN_REFUSAL_MS. */
  readonly custodian?: Readonly<Record<string, string>>;
};

export async function startTestPlatform(settings: Readonly<Record<string, string>> = {}, options: TestPlatformOptions = {}): Promise<TestPlatform> {
  const database = await freshDatabase({ maxConnections: 4 });
  const folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-platform-'));
  const files = new Map<string, CredentialsFile>();
  const credentialsFile = async (party: string) => {
    const known = files.get(party) ?? await generateCredentialsFile(party, { encryption: true });
    files.set(party, known);
    return known;
  };
  const credentials = async (party: string) => readCredentials(await credentialsFile(party));
  const officersFile = path.join(folder, 'officers.json');
  const officers = {
    'officer-registrar': ['registrar'], 'officer-compliance': ['compliance'], 'officer-auditor': ['auditor'],
    ...(options.scoring === true ? { 'officer-models': ['compliance'] } : {}), // who proposes what the other approves
  };
  writeFileSync(officersFile, JSON.stringify(await Promise.all(Object.entries(officers).map(async ([id, roles]) => ({ id, roles, name: { en: id, zh: id }, key: (await credentials(id)).signing.publicJwk })))));

  const [port, issuerPort] = await freePorts(2);
  const config = readConfig({
    DATABASE_URL: database.url, VEILGATE_PORT: String(port), VEILGATE_ISSUER_PORT: String(issuerPort), VEILGATE_CHECKPOINT_SECONDS: '1',
    VEILGATE_KEYS_FOLDER: path.join(folder, 'keys'), VEILGATE_POLICY_FOLDER: path.join(root, 'policies'), VEILGATE_OFFICERS_FILE: officersFile,
    VEILGATE_LOG_LEVEL: 'debug', VEILGATE_ADDRESS_REQUESTS_PER_SECOND: '100000', VEILGATE_DRAIN_SECONDS: '1', ...settings,
  });
  let logText = '';
  const log = createLog({ level: config.logLevel, stream: new Writable({ write: (chunk: Buffer, _encoding, done) => { logText += chunk.toString('utf8'); done(); } }) });
  const node = await startNode(config, log, systemClock);
  const custodian = options.scoring === true ? await startTestCustodian({ folder, config, databaseUrl: node.databaseUrl, settings: options.custodian ?? {} }) : undefined;
  const start = () => startGateway(config, node.databaseUrl, log, systemClock, custodian);
  const gateway = await start();
  let running: RunningGateway | undefined = gateway;
  const connectAs = async (party: string, scope: string) => connect({ gateway: gateway.gatewayUrl, credentials: await credentials(party), scope });
  const registrar = officerClient(await connectAs('officer-registrar', 'registry'));
  const compliance = officerClient(await connectAs('officer-compliance', 'compliance'));
  const departments = new Set<string>();
  const registerDepartment = async (department: string) => {
    if (!departments.has(department)) await registrar.registerDepartment({ id: department, name: { en: department, zh: department }, key: (await credentials(department)).signing.publicJwk });
    departments.add(department);
  };

  return {
    gateway, node, database, folder, config, custodian, credentials, credentialsFile, connect: connectAs, registrar, compliance,
    logged: () => logText,
    async bank(id, { institutionClass = 'commercial_bank', securityLevel = 4, limits = {} } = {}) {
      await applyForAdmission(gateway.gatewayUrl, await credentials(id), { name: { en: `Bank ${id}`, zh: `银行 ${id}` }, institution_class: institutionClass, redirect_uris: [redirectUri], country: 'CN' });
      await compliance.assess(id, { level: securityLevel, passed: true, valid_until: new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10), findings_digest: 'a'.repeat(64) });
      await registrar.approve(id, limits);
      return bankClient(await connectAs(id, 'query'));
    },
    department: registerDepartment,
    async load(dataset, department, csv) {
      await registerDepartment(department);
      return departmentClient(await connectAs(department, 'records')).load(dataset, { format: 'csv', content: csv });
    },
    async enterprise(subject) {
      const name = `enterprise of ${subject}`;
      const { publicJwk } = (await credentials(name)).signing;
      const { party } = await registrar.registerEnterprise(subject, '王芳', publicJwk);
      files.set(party, { ...(await credentialsFile(name)), party });
      return enterpriseClient(await connectAs(party, 'grants'));
    },
    async representative(subject, username) {
      const { activation_code: code } = await registrar.registerEnterprise(subject, '王芳');
      const browser = new Browser(gateway.issuerUrl);
      await browser.submit(await browser.open('/activation'), { holder: subject, code, username, password, password_again: password });
      return browser;
    },
    async stopGateway() {
      await running?.stop();
      running = undefined;
      return async () => { running = await start(); };
    },
    async close() {
      await running?.stop();
      await custodian?.stop();
      await node.stop();
      await log.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The whole browser flow: pushed request, consent page, code, tokens. */
export async function consentInBrowser(bank: BankClient, browser: Browser, request: ConsentRequest): Promise<GrantedConsent> {
  const pending = await bank.requestConsent(request, redirectUri);
  const page = await browser.open(pending.url);
  const back = await browser.submit(page, { agree: 'yes', decision: 'grant' });
  return pending.finish(back.url.href);
}
