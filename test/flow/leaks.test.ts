import { strict as assert } from 'node:assert';
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sampleSubject } from '../../scripts/sample/subjects.ts';
import type { BankClient, ConsentRequest, OpenedAnswer } from '../../src/sdk/bank.ts';
import type { enterpriseClient } from '../../src/sdk/enterprise.ts';
import { isVeilgateError } from '../../src/errors.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import { freePort, startCluster, type Cluster } from '../../src/store/cluster.ts';
import { openDatabase, type Database } from '../../src/store/database.ts';
import { consentInBrowser, password, startTestPlatform, type TestPlatform } from '../support/gateway.ts';
import { until, untilBlocked } from '../support/until.ts';
import { found, plant, type Canary } from './support/canaries.ts';
import { captureResponses, type Capture } from './support/capture.ts';
import { dumpOf, listenToOutput, secretsOf } from './support/leak-places.ts';
import { exchange, wireOf, type Wire } from './support/wire.ts';

const root = path.resolve(import.meta.dirname, '../..');
const subject = sampleSubject(0, 77);
const browserSubject = sampleSubject(1, 77);
const purpose = 'pre_loan_review';
const terms = { purpose, valid_days: 30, uses_max: 100, data_life_days: 30, kind: 'periodic', frequency: { max: 20, per: 'day' }, data_from: `${new Date().getFullYear() - 1}-01-01` } as const;

describe('flow: nothing leaks', () => {
  const catalogue = loadCatalogue(path.join(root, 'policies/catalogue'));
  const planted = plant(catalogue, subject, 41);
  /** In rows that a file brought and that were refused. */
  const refusedRows = plant(catalogue, subject, 42);
  const data: readonly Canary[] = [...planted.canaries, ...refusedRows.canaries];
  const everyField = [...catalogue.fields.keys()];
  let folder: string;
  let cluster: Cluster;
  let platform: TestPlatform;
  let database: Database;
  let capture: Capture;
  let bank: BankClient;
  let wire: Wire;
  let enterprise: ReturnType<typeof enterpriseClient>;
  let activation: Canary;
  const tokens: Canary[] = [];
  const opened: OpenedAnswer[] = [];
  const output: Buffer[] = [];
  let metrics = '';
  let restoreOutput: () => void;
  const children: ChildProcess[] = [];

  before(async function () {
    this.timeout(60_000);
    folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-leaks-'));
    chmodSync(folder, 0o755);
    cluster = await startCluster({ folder, settings: { fsync: 'off', shared_buffers: '64MB', logging_collector: 'on', log_directory: 'log', log_filename: 'server.log' } });
    restoreOutput = listenToOutput(output);
    capture = captureResponses();
    platform = await startTestPlatform({ DATABASE_URL: cluster.url() });
    database = openDatabase({ url: cluster.url(), maxConnections: 4 });
    bank = await platform.bank('bank-a', { securityLevel: 5 });
    await platform.bank('bank-b');
    for (const dataset of catalogue.datasets.values()) await platform.load(dataset.id, dataset.department, planted.csv.get(dataset.id) ?? '');
    wire = await wireOf(platform, await platform.credentials('bank-a'), 'query');
    enterprise = await platform.enterprise(subject);
    await playEverything();
    metrics = await platform.gateway.metrics.text();
    await delay(1500); // a checkpoint over all of it
    await readEverythingPublic();
    capture.stop();
  });
  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    restoreOutput();
    await platform.close();
    await database.close();
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Each kind of query, answered, refused and failing, with canaries in every one. */
  async function playEverything(): Promise<void> {
    await consentAndRead('desensitised');
    await consentAndRead('original');
    await consentAndRead('desensitised', { purpose: 'in_loan_approval', kind: 'one_time', uses_max: 1 });
    await consentAndRead('original', { purpose: 'in_loan_approval', kind: 'one_time', uses_max: 1 });
    await verifyCanaries();
    await beRefused();
    await provokeFaults();
    await loadRefusedRows();
    await signInAndConsent();
  }

  /** Grants all that can be granted at this ceiling, and reads all there is. */
  async function consentAndRead(ceiling: 'desensitised' | 'original', changes: Partial<ConsentRequest> = {}): Promise<void> {
    const facts = { loan_amount_cents: 2_000_000_000 };
    const asked = { subject, purpose: changes.purpose ?? purpose, read: everyField, facts };
    const { fields } = await bank.explain(asked);
    // some conditions ask about the grant, which explain does not know yet
    const conditional = asked.purpose === purpose ? [] : ['owner.identity_number', 'owner.bank_account'];
    const open = fields.filter((field) => field[`with_${ceiling}_consent`] !== 'withhold' || conditional.includes(field.field)).map(({ field }) => ({ field, ceiling }));
    assert.ok(open.length > 20);
    const { frequency, ...rest } = terms;
    const grant = await enterprise.grant('bank-a', { subject, ...rest, ...(changes.kind === 'one_time' ? {} : { frequency }), ...changes, fields: open });
    const answer = await bank.query({ ...asked, grant: grant.id });
    assert.equal(answer.withheld.length, everyField.length - open.length);
    opened.push(answer);
    await enterprise.receipt(grant.id);
    await wire.get(`/v1/grants/${grant.id}/token`);
    if (changes.kind === undefined) await enterprise.revoke(grant.id);
  }

  /** Both what is true and what is not: the answer is a word, the claim is not repeated. */
  async function verifyCanaries(): Promise<void> {
    const fields = ['registry.name', 'registry.contact_phone', 'owner.name', 'owner.identity_number', 'owner.phone', 'tax.declared_revenue_cents'];
    await enterprise.grant('bank-a', { subject, ...terms, fields: fields.map((field) => ({ field, ceiling: 'desensitised' })) });
    for (const from of [planted, refusedRows]) {
      const verify = fields.map((field) => {
        const text = from.canaries.find(({ name }) => name === field)?.text ?? '';
        return { field, claimed: field.endsWith('_cents') ? Number(text) : text };
      });
      const answer = await bank.query({ subject, purpose, verify });
      for (const { field, outcome } of answer.verified) assert.equal(outcome === 'match', from === planted, field);
    }
  }

  /** Values in every place of requests that are refused. */
  async function beRefused(): Promise<void> {
    const codes = new Set<string | undefined>();
    for (const { name, text } of planted.canaries.filter(({ name: of }) => /^(owner|registry)\./.test(of))) {
      for (const query of [
        { subject, purpose, read: [name], rows: { [name.split('.')[0] ?? '']: { filter: [{ field: name, op: 'eq', value: text }], sort: { field: name, direction: 'asc' } } } },
        { subject, purpose, read: [text] }, { subject, purpose: 'post_loan_monitoring', read: [name], facts: { [name.replace('.', '_')]: text } }, { subject: text, purpose, read: [name] }, { subject, purpose: text, read: [name] }, { subject, purpose, read: [name], facts: { loan_amount_cents: text } },
        { subject, purpose, read: [name], [text]: 1 }, { subject, purpose, grant: text, read: [name] }, { subject, purpose, verify: [{ field: 'owner.email', claimed: text }] },
      ]) codes.add((await wire.query(query)).code);
      codes.add((await wire.query({}, { body: text, headers: {} })).code);
      codes.add((await wire.query({}, { changes: { claims: `{"a":"${text}","a":"${text}"}` } })).code);
      codes.add((await wire.get(`/v1/grants/${encodeURIComponent(text)}`)).code);
      codes.add((await wire.get(`/v1/grants?after=${encodeURIComponent(text)}`)).code);
      codes.add((await wire.get('/v1/grants', { token: await wire.token({ claims: { sub: text, client_id: text } }) })).code);
      codes.add((await exchange(`${platform.gateway.gatewayUrl}/v1/${encodeURIComponent(text)}?${encodeURIComponent(text)}`, {})).code);
      await exchange(`${platform.gateway.issuerUrl}/token`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({ grant_type: text, client_id: text, client_assertion: text }).toString() }).catch(() => undefined);
    }
    for (const code of ['QUERY_FILTER_NOT_PERMITTED', 'QUERY_INVALID', 'CONSENT_REQUIRED', 'QUERY_NOTHING_PERMITTED', 'REQUEST_INVALID', 'REQUEST_NOT_FOUND', 'JSON_DUPLICATE_KEY', 'REQUEST_MALFORMED', 'TOKEN_CLAIM_INVALID']) assert.ok(codes.has(code), code);
  }

  /** The database fails in the middle, with values in its hands. */
  async function provokeFaults(): Promise<void> {
    await enterprise.grant('bank-a', { subject, ...terms, fields: [{ field: 'registry.name', ceiling: 'original' }, { field: 'owner.name', ceiling: 'desensitised' }] });
    const ask = async () => (await wire.query({ subject, purpose, read: ['registry.name', 'owner.name'] })).code;
    await database.query('alter table domain.registry rename column name to gone');
    assert.equal(await ask(), 'INTERNAL');
    await database.query('alter table domain.registry rename column gone to name');
    await database.query("create function fail() returns trigger language plpgsql as $$ begin raise exception 'cannot keep %', new.record using detail = (select string_agg(t::text, ' ') from domain.owner t); end $$");
    await database.query('create trigger fail before insert on audit_entry for each row execute function fail()');
    assert.equal(await ask(), 'AUDIT_UNAVAILABLE');
    await database.query('drop trigger fail on audit_entry');
    await database.query("alter table domain.owner add constraint nobody check (name is null or name !~ '^金丝雀42') not valid");
    const department = await wireOf(platform, await platform.credentials('market_regulation'), 'records');
    const answer = await department.send({ path: '/v1/datasets/owner/records', contentType: 'text/csv', body: refusedRows.csv.get('owner') ?? '' });
    assert.equal(answer.code, 'INTERNAL');
    await database.query('alter table domain.owner drop constraint nobody');
    assert.equal(await ask(), undefined);
  }

  /** Rows with one fault each: what is wrong is told, what was in it is not. */
  async function loadRefusedRows(): Promise<void> {
    for (const dataset of catalogue.datasets.values()) {
      const department = await wireOf(platform, await platform.credentials(dataset.department), 'records');
      const good = refusedRows.csv.get(dataset.id) ?? '';
      for (const body of [good.replace(subject, `${subject.slice(0, 17)}?`), good.trimEnd() + ',surplus\n', good.replace('subject', 'subjekt'), `${good}"${good}`]) {
        const answer = await department.send({ path: `/v1/datasets/${dataset.id}/records`, contentType: 'text/csv', body });
        assert.ok(answer.status >= 400 && answer.status < 500, answer.text);
        await department.get(`/v1/datasets/${dataset.id}/quality`);
      }
    }
  }

  async function signInAndConsent(): Promise<void> {
    const { activation_code: code } = await platform.registrar.registerEnterprise(sampleSubject(2, 77), '王芳');
    activation = { name: 'activation code', text: code };
    const browser = await platform.representative(browserSubject, 'canary.keeper');
    const consent = await consentInBrowser(bank, browser, { subject: browserSubject, ...terms, uses_max: 5, fields: [{ field: 'registry.name', ceiling: 'original' }] });
    const renewed = await bank.refresh(consent);
    const connection = await platform.connect('bank-a', 'query');
    tokens.push({ name: 'access token', text: await connection.token() }, ...[consent, renewed].flatMap(({ accessToken, refreshToken = '' }) => [{ name: 'access token of a grant', text: accessToken }, { name: 'refresh token', text: refreshToken }]));
    assert.ok(tokens.every(({ text }) => text.length > 20));
    for (const { text } of tokens) await exchange(`${platform.gateway.gatewayUrl}/v1/grants`, { headers: { authorization: `DPoP ${text}`, dpop: text } });
    await browser.open('/consents');
    await browser.open('/no-such-page');
    await browser.post('/sign-in', new URLSearchParams({ subject: browserSubject, username: 'canary.keeper', password: `${password}!` }));
    await bank.query({ subject: browserSubject, purpose, read: ['registry.name'] }, renewed.accessToken).catch((error: unknown) => assert.ok(isVeilgateError(error)));
  }

  async function readEverythingPublic(): Promise<void> {
    const { gatewayUrl, issuerUrl } = platform.gateway;
    const auditor = await wireOf(platform, await platform.credentials('officer-auditor'), 'audit');
    const { rows: [entries] } = await database.query<{ count: number }>('select count(*)::int as count from audit_entry');
    const checkpoint = await exchange(`${gatewayUrl}/v1/log/checkpoint`, {});
    const size = Number(checkpoint.text.split('\n')[1]);
    assert.equal(size, entries?.count);
    const width = size % 256;
    const bundle = (at: number) => (at < Math.floor(size / 256) ? String(at).padStart(3, '0') : `${String(at).padStart(3, '0')}.p/${width}`);
    for (let at = 0; at * 256 < size; at += 1) {
      for (const level of ['0', 'entries']) assert.equal((await exchange(`${gatewayUrl}/v1/log/tile/${level}/${bundle(at)}`, {})).status, 200);
      assert.equal((await auditor.get(`/v1/log/records/${at}?width=${at < Math.floor(size / 256) ? 256 : width}`)).status, 200);
    }
    for (const path_ of ['/v1/log/entries/3/proof', '/v1/log/consistency?from=1&to=2', '/v1/log/checkpoints?after=-1', '/v1/log/key', '/v1/policy', '/openapi.json', '/docs', '/healthz', '/readyz', '/.well-known/jwks.json', '/.well-known/oauth-protected-resource']) {
      assert.equal((await exchange(gatewayUrl + path_, {})).status, 200, path_);
    }
    for (const path_ of ['/.well-known/openid-configuration', '/jwks', '/sign-in', '/activation', '/consents', '/authorize', '/nothing']) await exchange(issuerUrl + path_, {});
    assert.equal((await auditor.get('/v1/accesses?limit=500')).status, 200);
    for (const path_ of ['/v1/accesses?limit=500', '/v1/grants', '/v1/catalogue']) assert.equal((await wire.get(path_)).status, 200);
  }

  it('finds what it looks for where it must be: every canary in the departments\' tables, the originals in what the bank opened', async () => {
    const tables = await dumpOf(database, 'domain');
    assert.deepEqual(found(planted.canaries, tables), planted.canaries.map(({ name }) => name));
    assert.ok(planted.canaries.length > 60, `${planted.canaries.length} fields have canaries`);
    const clear = found(planted.canaries, Buffer.from(JSON.stringify(opened)));
    for (const field of ['registry.name', 'registry.legal_representative', 'owner.identity_number', 'tax.declared_revenue_cents', 'financials.current_ratio']) assert.ok(clear.includes(field), field);
    for (const field of ['owner.email', 'owner.home_address', 'owner.phone', 'tax.largest_customer', 'credit.repayment_account']) assert.ok(!clear.includes(field), field);
    assert.deepEqual(found(refusedRows.canaries, tables), []);
    assert.deepEqual(found([{ name: 'a', text: '金丝雀00001号' }], Buffer.from(`x${Buffer.from('y金丝雀00001号z').toString('base64url')}`)), ['a']);
    assert.deepEqual(found([{ name: 'a', text: '7123456' }], Buffer.from('1712345678')), [], 'part of a longer number');
  });

  it('no value is in any byte that left, but sealed for the bank alone', async () => {
    const answers = await capture.from(platform.gateway.gatewayUrl);
    assert.ok(answers.length > 200_000);
    assert.deepEqual(found(data, answers), []);
    assert.deepEqual(found(data, await capture.from(platform.gateway.issuerUrl)), []);
  });

  it('no value under a desensitised consent is sealed either', () => {
    for (const answer of opened.filter((_, at) => at % 2 === 0)) {
      assert.ok(answer.sealed === undefined && answer.receipt.length > 0);
      assert.deepEqual(found(data, Buffer.from(JSON.stringify(answer))), []);
    }
  });

  it('no secret, token, password or activation code is in an answer, but the activation code in the one that hands it out', async () => {
    const [answers, pages] = [await capture.from(platform.gateway.gatewayUrl), await capture.from(platform.gateway.issuerUrl)];
    assert.deepEqual(found([...secretsOf(platform), ...tokens, { name: 'password', text: password }], answers), []);
    assert.deepEqual(found([...secretsOf(platform), { name: 'password', text: password }, activation], pages), []);
    assert.equal(answers.toString('latin1').split(activation.text).length, 2);
  });

  it('the log, the metrics and the output hold no value, no secret and no enterprise', async () => {
    const everything: readonly Canary[] = [...data, ...secretsOf(platform), ...tokens, activation, { name: 'password', text: password }, { name: 'subject', text: subject }, { name: 'subject', text: browserSubject }];
    const logged = Buffer.from(platform.logged());
    assert.ok(logged.includes('"event":"request.fault"') && logged.includes('QUERY_FILTER_NOT_PERMITTED'));
    assert.deepEqual(found(everything, logged), []);
    assert.match(metrics, /veilgate_/);
    assert.deepEqual(found([...everything, { name: 'bank', text: 'bank-a' }], Buffer.from(metrics)), []);
    assert.deepEqual(found(everything, Buffer.concat(output)), []);
  });

  it('the platform\'s own tables hold no value, no token, no password and no activation code', async () => {
    const tables = await dumpOf(database, 'public');
    assert.ok(tables.includes('query.released') && tables.includes('QUERY_FILTER_NOT_PERMITTED'));
    assert.ok(((await database.query('select from audit_request')).rowCount ?? 0) > 20, 'the signed requests, claims and all, are among them');
    assert.deepEqual(found([...data, ...secretsOf(platform), ...tokens, activation, { name: 'password', text: password }], tables), []);
  });

  it('PostgreSQL\'s own log holds none either, though statements failed on them', () => {
    const log = Buffer.concat(readdirSync(path.join(folder, 'pgdata', 'log')).map((name) => readFileSync(path.join(folder, 'pgdata', 'log', name))));
    assert.match(log.toString(), /ERROR:/);
    assert.deepEqual(found([...data, ...tokens, activation, { name: 'password', text: password }], log), []);
  });

  describe('a gateway that crashes', () => {
    const crashes: Readonly<Record<string, { readonly signal: NodeJS.Signals; readonly how?: string; readonly ends: readonly (number | string)[] }>> = {
      'by an exception that quotes values': { signal: 'SIGUSR2', ends: [70] },
      'by a rejection that quotes values': { signal: 'SIGUSR2', how: 'rejected', ends: [70] },
      'in the engine': { signal: 'SIGSEGV', ends: ['SIGSEGV', 139] },
      'by an abort': { signal: 'SIGABRT', ends: ['SIGABRT', 134] },
    };
    for (const [name, { signal, how, ends }] of Object.entries(crashes)) {
      it(`${name} says nothing of what it held`, async () => {
        const { id: grant } = await enterprise.grant('bank-a', { subject, ...terms, fields: [{ field: 'registry.name', ceiling: 'original' }, { field: 'registry.address', ceiling: 'original' }] });
        const child = await startChild({ DREAD: planted.canaries.map(({ text }) => text).join(' '), DREAD_HOW: how ?? '' });
        const before = await database.query("select from audit_entry where kind = 'query.released'");
        await database.transaction('hold', async (tx) => {
          await tx.query('select from consent_grant where id = $1 for update', [grant]);
          const asking = wire.query({ subject, purpose, grant, read: ['registry.name', 'registry.address'] }, { origin: child.origin }).then(() => 'answered', () => 'cut off');
          await untilBlocked(database);
          child.process.kill(signal);
          assert.equal(await asking, 'cut off');
        });
        const end = await child.ended;
        assert.ok(ends.includes(end), String(end));
        const said = child.said();
        assert.match(said.toString(), /gateway\.started/);
        if (signal === 'SIGUSR2') assert.match(said.toString(), /"event":"process\.fault"/);
        assert.deepEqual(found([...data, ...secretsOf(platform), { name: 'subject', text: subject }], said), []);
        await delay(200);
        assert.equal((await database.query("select from audit_entry where kind = 'query.released'")).rowCount, before.rowCount, 'what was not released is not in the log as released');
        await enterprise.revoke(grant);
      });
    }
  });

  /** A gateway as `npm start` starts it, another node of the same platform. */
  async function startChild(environment: Readonly<Record<string, string>>): Promise<{ readonly process: ChildProcess; readonly origin: string; readonly said: () => Buffer; readonly ended: Promise<number | string> }> {
    const port = await freePort();
    const child = spawn('/bin/sh', ['-c', 'ulimit -c 0; exec "$@"', 'sh', process.execPath, '--import', path.join(root, 'test/flow/support/throw-on-signal.ts'), path.join(root, 'src/gateway/main.ts')], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], DATABASE_URL: cluster.url(), VEILGATE_PORT: String(port), VEILGATE_ISSUER_PORT: String(await freePort()), VEILGATE_LOG_LEVEL: 'debug', VEILGATE_DRAIN_SECONDS: '1', VEILGATE_CUSTODIAN: 'none', VEILGATE_SCORE_TASKS: '0',
        VEILGATE_PUBLIC_URL: platform.gateway.gatewayUrl, VEILGATE_ISSUER_PUBLIC_URL: platform.gateway.issuerUrl, VEILGATE_KEYS_FOLDER: path.join(platform.folder, 'keys'), VEILGATE_POLICY_FOLDER: path.join(root, 'policies'), ...environment,
      },
    });
    children.push(child);
    const said: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
    const ended = new Promise<number | string>((resolve) => child.once('close', (code, signal) => resolve(signal ?? code ?? -1)));
    await until('the gateway is ready', async () => {
      if (child.exitCode !== null) throw new Error(`the gateway did not start: ${Buffer.concat(said).toString()}`);
      const ready = await fetch(`http://127.0.0.1:${port}/readyz`).then(({ ok }) => ok, () => false);
      return ready && Buffer.concat(said).includes('gateway.started');
    });
    return { process: child, origin: `http://127.0.0.1:${port}`, said: () => Buffer.concat(said), ended };
  }
});
