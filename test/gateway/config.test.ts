import { strict as assert } from 'node:assert';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { VeilgateError, type ErrorCode } from '../../src/errors.ts';
import { configChecks } from '../../src/gateway/config-checks.ts';
import { configHelp, configurationPage } from '../../src/gateway/config-page.ts';
import { fileKey, settingEntries } from '../../src/gateway/config-settings.ts';
import { isLoopback, readConfig } from '../../src/gateway/config.ts';
import { selfSigned } from './certificate.ts';

const root = path.resolve(import.meta.dirname, '../..');
let folder: string;
const at = (name: string) => path.join(folder, name);
const policies = { VEILGATE_POLICY_FOLDER: path.join(root, 'policies'), VEILGATE_KEYS_FOLDER: path.join(os.tmpdir(), 'veilgate-no-keys') };
const vkey = 'witness.example+0a1b2c3d+AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfGh';

function write(name: string, content: string, mode = 0o600): string {
  writeFileSync(at(name), content);
  chmodSync(at(name), mode);
  return at(name);
}

function makeFolder(name: string, mode: number): string {
  mkdirSync(at(name), { recursive: true });
  chmodSync(at(name), mode);
  return at(name);
}

function certificate(name: string, days: number): { readonly cert: string; readonly key: string } {
  const { cert, key } = selfSigned('gateway.test', days);
  return { cert: write(`${name}.crt`, cert), key: write(`${name}.key`, key) };
}

function refusal(env: NodeJS.ProcessEnv, file?: string): VeilgateError {
  try {
    readConfig({ ...policies, ...env }, file);
  } catch (error) {
    assert.ok(error instanceof VeilgateError);
    return error;
  }
  throw new assert.AssertionError({ message: `not refused: ${JSON.stringify(env)}` });
}

describe('gateway/config', () => {
  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-config-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('starts on loopback with nothing set', () => {
    const config = readConfig(policies);
    assert.deepEqual([config.host, config.port, config.issuerUrl, config.databaseUrl, config.databaseFolder, config.workers], ['127.0.0.1', 8080, undefined, undefined, '.data', 1]);
    assert.ok(Object.isFrozen(config));
  });

  it('reads a file, and lets variables win over it', () => {
    const file = write('all.yaml', `port: 9000\npublic_url: http://localhost:9000/\nworkers: 2\ntls_terminated_by_proxy: false\nwitnesses:\n  - { url: https://witness.example, vkey: ${vkey} }\npolicy_folder: ${policies.VEILGATE_POLICY_FOLDER}\n`);
    const config = readConfig({ VEILGATE_PORT: '9001', VEILGATE_KEYS_FOLDER: policies.VEILGATE_KEYS_FOLDER, VEILGATE_CONFIG_FILE: file, HOME: '/x' });
    assert.deepEqual([config.port, config.publicUrl, config.workers, config.witnesses], [9001, 'http://localhost:9000', 2, [{ url: 'https://witness.example', vkey }]]);
    assert.equal(readConfig(policies, write('one.json', '{"port": 9002}')).port, 9002);
    assert.equal(readConfig({ ...policies, VEILGATE_PORT: '' }, at('one.json')).port, 9002);
  });

  it('reads every setting from a variable as well as from a file', () => {
    const samples: Readonly<Record<string, [string, string]>> = {
      VEILGATE_TRUSTED_PROXIES: ['10.0.0.1, 10.1.0.0/16', '["10.0.0.1","10.1.0.0/16"]'], VEILGATE_WITNESSES: ['[]', '[]'], VEILGATE_TLS_TERMINATED_BY_PROXY: ['false', 'false'],
      VEILGATE_LOG_LEVEL: ['warn', '"warn"'], VEILGATE_CUSTODIAN: ['none', '"none"'], VEILGATE_CUSTODIAN_URL: ['http://localhost:4', '"http://localhost:4"'], VEILGATE_CUSTODIAN_ID: ['custodian', '"custodian"'], VEILGATE_DATA_REGION: ['CN-35', '"CN-35"'], VEILGATE_METRICS_TOKEN: ['0123456789abcdef0123456789abcdef', '"0123456789abcdef0123456789abcdef"'],
      DATABASE_URL: ['postgresql://a@localhost/b', '"postgresql://a@localhost/b"'], VEILGATE_ISSUER_URL: ['http://localhost:1', '"http://localhost:1"'], VEILGATE_PUBLIC_URL: ['http://localhost:2', '"http://localhost:2"'], VEILGATE_ISSUER_PUBLIC_URL: ['http://localhost:3', '"http://localhost:3"'],
      VEILGATE_POLICY_FOLDER: [path.join(root, 'src'), JSON.stringify(path.join(root, 'src'))], VEILGATE_POLICY_SOURCE: ['folder', '"folder"'], VEILGATE_OFFICERS_FILE: [path.join(root, 'package.json'), JSON.stringify(path.join(root, 'package.json'))], VEILGATE_AUDIT_LOG_ORIGIN: ['log.example/a', '"log.example/a"'],
      VEILGATE_HOST: ['::1', '"::1"'], VEILGATE_ISSUER_HOST: ['localhost', '"localhost"'], VEILGATE_METRICS_HOST: ['localhost', '"localhost"'], VEILGATE_WORKERS: ['3', '3'], VEILGATE_UPLOAD_TIMEOUT_SECONDS: ['4000', '4000'],
    };
    const pair = certificate('every', 2);
    for (const [name, setting] of settingEntries) {
      const remote = /^VEILGATE_CUSTODIAN_(URL|ID|KEY_FILE)$/.test(setting.env) ? { VEILGATE_CUSTODIAN: 'remote', VEILGATE_CUSTODIAN_URL: 'https://c.example', VEILGATE_CUSTODIAN_ID: 'c', VEILGATE_CUSTODIAN_KEY_FILE: pair.cert } : {};
      const alone = { VEILGATE_TLS_CERT_FILE: { VEILGATE_TLS_KEY_FILE: pair.key }, VEILGATE_TLS_KEY_FILE: { VEILGATE_TLS_CERT_FILE: pair.cert } }[setting.env] ?? remote;
      const [text, json] = samples[setting.env] ?? (setting.env.endsWith('CERT_FILE') ? [pair.cert, JSON.stringify(pair.cert)] : setting.env.endsWith('KEY_FILE') ? [pair.key, JSON.stringify(pair.key)] : typeof setting.default === 'number' || setting.env.endsWith('METRICS_PORT') ? ['17000', '17000'] : [at('x'), JSON.stringify(at('x'))]);
      const number = setting.schema['maximum'] !== undefined && Number(text) > Number(setting.schema['maximum']) ? String(setting.schema['maximum']) : text;
      const fromVariable = readConfig({ ...policies, ...alone, [setting.env]: number })[name];
      const fromFile = readConfig({ ...policies, ...alone, [setting.env]: '' }, write('single.yaml', `{"${fileKey(setting)}": ${number === text ? json : number}}`))[name];
      assert.deepEqual(fromVariable, fromFile, name);
      assert.notDeepEqual(fromVariable, undefined, name);
    }
  });

  it('takes a secret from a file of its own', () => {
    const secret = write('token', '0123456789abcdef0123456789abcdef\n');
    assert.equal(readConfig({ ...policies, VEILGATE_METRICS_TOKEN_FILE: secret }).metricsToken, '0123456789abcdef0123456789abcdef');
  });

  it('knows which names and addresses are this machine', () => {
    for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '::1', '[::1]']) assert.ok(isLoopback(host), host);
    for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example', 'localhost.example', '', '::ffff:127.0.0.1', '128.0.0.1']) assert.ok(!isLoopback(host), host);
  });

  describe('refuses', () => {
    const beyond = { VEILGATE_HOST: '0.0.0.0', VEILGATE_PUBLIC_URL: 'https://gateway.example', VEILGATE_ISSUER_PUBLIC_URL: 'https://issuer.example' };
    const proxied = { ...beyond, VEILGATE_TLS_TERMINATED_BY_PROXY: 'true', VEILGATE_TRUSTED_PROXIES: '10.0.0.2' };
    const remote = 'postgresql://u:a-long-password@db.example/v?sslmode=verify-full';
    const remoteCustodian = { VEILGATE_CUSTODIAN: 'remote', VEILGATE_CUSTODIAN_URL: 'https://c.example', VEILGATE_CUSTODIAN_ID: 'c', VEILGATE_CUSTODIAN_KEY_FILE: path.join(root, 'package.json') };
    type Case = readonly [string, () => NodeJS.ProcessEnv, ErrorCode, string];
    const cases: readonly Case[] = [
      ['an unknown variable', () => ({ VEILGATE_PROT: '1' }), 'CONFIG_INVALID', 'VEILGATE_PROT'],
      ['a port that is no number', () => ({ VEILGATE_PORT: '80a' }), 'CONFIG_INVALID', 'VEILGATE_PORT'],
      ['a port out of range', () => ({ VEILGATE_PORT: '70000' }), 'CONFIG_INVALID', 'VEILGATE_PORT'],
      ['a flag that is neither true nor false', () => ({ VEILGATE_TLS_TERMINATED_BY_PROXY: 'yes' }), 'CONFIG_INVALID', 'VEILGATE_TLS_TERMINATED_BY_PROXY'],
      ['an unknown log level', () => ({ VEILGATE_LOG_LEVEL: 'silly' }), 'CONFIG_INVALID', 'VEILGATE_LOG_LEVEL'],
      ['a public URL with a path', () => ({ VEILGATE_PUBLIC_URL: 'https://gateway.example/a' }), 'CONFIG_INVALID', 'VEILGATE_PUBLIC_URL'],
      ['a public URL with a user', () => ({ VEILGATE_PUBLIC_URL: 'https://me@gateway.example' }), 'CONFIG_INVALID', 'VEILGATE_PUBLIC_URL'],
      ['an issuer with a query', () => ({ VEILGATE_ISSUER_URL: 'https://issuer.example/?a=1' }), 'CONFIG_INVALID', 'VEILGATE_ISSUER_URL'],
      ['witnesses that are no JSON', () => ({ VEILGATE_WITNESSES: 'https://w.example' }), 'CONFIG_INVALID', 'VEILGATE_WITNESSES'],
      ['a witness without key', () => ({ VEILGATE_WITNESSES: '[{"url":"https://w.example"}]' }), 'CONFIG_INVALID', 'VEILGATE_WITNESSES'],
      ['a configuration file that is not there', () => ({ VEILGATE_CONFIG_FILE: at('none.yaml') }), 'CONFIG_INVALID', 'VEILGATE_CONFIG_FILE'],
      ['a secret given twice', () => ({ VEILGATE_METRICS_TOKEN: 'x', VEILGATE_METRICS_TOKEN_FILE: write('token2', 'y') }), 'CONFIG_INVALID', 'VEILGATE_METRICS_TOKEN_FILE'],
      ['a secret file that is not there', () => ({ VEILGATE_METRICS_TOKEN_FILE: at('none') }), 'CONFIG_INVALID', 'VEILGATE_METRICS_TOKEN_FILE'],
      ['a secret file that others read', () => ({ VEILGATE_METRICS_TOKEN_FILE: write('token3', 'y', 0o644) }), 'CONFIG_INSECURE', 'VEILGATE_METRICS_TOKEN_FILE'],
      ['a short secret', () => ({ VEILGATE_METRICS_TOKEN: 'short' }), 'CONFIG_INVALID', 'VEILGATE_METRICS_TOKEN'],
      ['a secret that can be guessed', () => ({ VEILGATE_METRICS_TOKEN: 'changeme'.repeat(5) }), 'CONFIG_INSECURE', 'VEILGATE_METRICS_TOKEN'],

      ['listening beyond loopback without TLS', () => beyond, 'CONFIG_INSECURE', 'VEILGATE_HOST'],
      ['an authorization server beyond loopback without TLS', () => ({ VEILGATE_ISSUER_HOST: '0.0.0.0', VEILGATE_ISSUER_PUBLIC_URL: 'https://issuer.example' }), 'CONFIG_INSECURE', 'VEILGATE_ISSUER_HOST'],
      ['a certificate without key', () => ({ VEILGATE_TLS_CERT_FILE: certificate('a', 2).cert }), 'CONFIG_INVALID', 'VEILGATE_TLS_KEY_FILE'],
      ['a certificate that is none', () => ({ VEILGATE_TLS_CERT_FILE: write('none.crt', 'x'), VEILGATE_TLS_KEY_FILE: write('none.key', 'x') }), 'CONFIG_INVALID', 'VEILGATE_TLS_CERT_FILE'],
      ['a certificate and another key', () => ({ VEILGATE_TLS_CERT_FILE: certificate('b', 2).cert, VEILGATE_TLS_KEY_FILE: certificate('c', 2).key }), 'CONFIG_INVALID', 'VEILGATE_TLS_CERT_FILE'],
      ['an expired certificate', () => { const { cert, key } = certificate('d', -1); return { VEILGATE_TLS_CERT_FILE: cert, VEILGATE_TLS_KEY_FILE: key }; }, 'CONFIG_INVALID', 'VEILGATE_TLS_CERT_FILE'],
      ['a key that others read', () => { const { cert, key } = certificate('e', 2); chmodSync(key, 0o640); return { VEILGATE_TLS_CERT_FILE: cert, VEILGATE_TLS_KEY_FILE: key }; }, 'CONFIG_INSECURE', 'VEILGATE_TLS_KEY_FILE'],
      ['TLS both here and at a proxy', () => { const { cert, key } = certificate('f', 2); return { ...proxied, VEILGATE_TLS_CERT_FILE: cert, VEILGATE_TLS_KEY_FILE: key }; }, 'CONFIG_INVALID', 'VEILGATE_TLS_TERMINATED_BY_PROXY'],
      ['a proxy nobody named', () => ({ ...proxied, VEILGATE_TRUSTED_PROXIES: '' }), 'CONFIG_INVALID', 'VEILGATE_TRUSTED_PROXIES'],
      ['a proxy that is no address', () => ({ ...proxied, VEILGATE_TRUSTED_PROXIES: '10.0.0.2/99' }), 'CONFIG_INVALID', 'VEILGATE_TRUSTED_PROXIES'],
      ['the whole network as proxy', () => ({ ...proxied, VEILGATE_TRUSTED_PROXIES: '0.0.0.0/0' }), 'CONFIG_INSECURE', 'VEILGATE_TRUSTED_PROXIES'],
      ['no public URL behind a proxy', () => ({ ...proxied, VEILGATE_PUBLIC_URL: '' }), 'CONFIG_INVALID', 'VEILGATE_PUBLIC_URL'],
      ['a public URL in clear', () => ({ VEILGATE_PUBLIC_URL: 'http://gateway.example' }), 'CONFIG_INSECURE', 'VEILGATE_PUBLIC_URL'],
      ['TLS with a public URL in clear', () => { const { cert, key } = certificate('g', 2); return { VEILGATE_TLS_CERT_FILE: cert, VEILGATE_TLS_KEY_FILE: key, VEILGATE_PUBLIC_URL: 'http://localhost:1' }; }, 'CONFIG_INVALID', 'VEILGATE_PUBLIC_URL'],
      ['an issuer in clear', () => ({ VEILGATE_ISSUER_URL: 'http://issuer.example' }), 'CONFIG_INSECURE', 'VEILGATE_ISSUER_URL'],
      ['an own issuer in clear', () => ({ VEILGATE_ISSUER_PUBLIC_URL: 'http://issuer.example' }), 'CONFIG_INSECURE', 'VEILGATE_ISSUER_PUBLIC_URL'],
      ['an external issuer and a port for an own one', () => ({ VEILGATE_ISSUER_URL: 'https://issuer.example', VEILGATE_ISSUER_PORT: '8081' }), 'CONFIG_INVALID', 'VEILGATE_ISSUER_PORT'],
      ['no issuer name behind a proxy', () => ({ ...proxied, VEILGATE_ISSUER_PUBLIC_URL: '' }), 'CONFIG_INVALID', 'VEILGATE_ISSUER_PUBLIC_URL'],
      ['one URL for gateway and authorization server', () => ({ ...proxied, VEILGATE_ISSUER_PUBLIC_URL: 'https://gateway.example' }), 'CONFIG_INVALID', 'VEILGATE_ISSUER_PUBLIC_URL'],
      ['one port for two servers', () => ({ VEILGATE_PORT: '8081' }), 'CONFIG_INVALID', 'VEILGATE_ISSUER_PORT'],
      ['one port for gateway and metrics', () => ({ VEILGATE_METRICS_PORT: '8080' }), 'CONFIG_INVALID', 'VEILGATE_METRICS_PORT'],
      ['one port for gateway and the metrics of its workers', () => ({ VEILGATE_WORKER_METRICS_PORT: '8080' }), 'CONFIG_INVALID', 'VEILGATE_WORKER_METRICS_PORT'],
      ['worker metrics beyond loopback without token', () => ({ VEILGATE_METRICS_HOST: '0.0.0.0', VEILGATE_WORKER_METRICS_PORT: '9464' }), 'CONFIG_INSECURE', 'VEILGATE_METRICS_HOST'],
      ['one port for authorization server and metrics', () => ({ VEILGATE_METRICS_PORT: '8081' }), 'CONFIG_INVALID', 'VEILGATE_METRICS_PORT'],
      ['one port for gateway and database', () => ({ VEILGATE_DATABASE_PORT: '8080' }), 'CONFIG_INVALID', 'VEILGATE_DATABASE_PORT'],
      ['a database URL of another kind', () => ({ DATABASE_URL: 'mysql://a/b' }), 'CONFIG_INVALID', 'DATABASE_URL'],
      ['a database URL without host', () => ({ DATABASE_URL: 'postgresql:///b' }), 'CONFIG_INVALID', 'DATABASE_URL'],
      ['a remote database without TLS', () => ({ DATABASE_URL: 'postgresql://u:a-long-password@db.example/v' }), 'CONFIG_INSECURE', 'DATABASE_URL'],
      ['a remote database with TLS that is not verified', () => ({ DATABASE_URL: remote.replace('verify-full', 'require') }), 'CONFIG_INSECURE', 'DATABASE_URL'],
      ['a remote database with two modes of TLS', () => ({ DATABASE_URL: `${remote}&sslmode=disable` }), 'CONFIG_INSECURE', 'DATABASE_URL'],
      ['a loopback database that leads elsewhere', () => ({ DATABASE_URL: 'postgresql://u@localhost/v?host=db.example' }), 'CONFIG_INSECURE', 'DATABASE_URL'],
      ['a remote database with a short password', () => ({ DATABASE_URL: remote.replace('a-long-password', 'short') }), 'CONFIG_INSECURE', 'DATABASE_URL'],
      ['a database URL and a folder for an own one', () => ({ DATABASE_URL: remote, VEILGATE_DATABASE_FOLDER: '.data' }), 'CONFIG_INVALID', 'VEILGATE_DATABASE_FOLDER'],
      ['more connections than the own database has', () => ({ VEILGATE_WORKERS: '10', VEILGATE_DATABASE_CONNECTIONS: '50' }), 'CONFIG_INVALID', 'VEILGATE_DATABASE_CONNECTIONS'],
      ['a remote custodian without its address', () => ({ VEILGATE_CUSTODIAN: 'remote' }), 'CONFIG_INVALID', 'VEILGATE_CUSTODIAN_URL'],
      ['the address of a custodian that is not remote', () => ({ VEILGATE_CUSTODIAN_URL: 'https://c.example' }), 'CONFIG_INVALID', 'VEILGATE_CUSTODIAN'],
      ['a custodian in clear', () => ({ ...remoteCustodian, VEILGATE_CUSTODIAN_URL: 'http://c.example' }), 'CONFIG_INSECURE', 'VEILGATE_CUSTODIAN_URL'],
      ['a custodian\'s key that is not there', () => ({ ...remoteCustodian, VEILGATE_CUSTODIAN_KEY_FILE: at('none') }), 'CONFIG_INVALID', 'VEILGATE_CUSTODIAN_KEY_FILE'],
      ['a custodian\'s folder that others enter', () => ({ VEILGATE_CUSTODIAN_FOLDER: makeFolder('custodian1', 0o755) }), 'CONFIG_INSECURE', 'VEILGATE_CUSTODIAN_FOLDER'],
      ['a policy folder that is none', () => ({ VEILGATE_POLICY_FOLDER: at('none') }), 'CONFIG_INVALID', 'VEILGATE_POLICY_FOLDER'],
      ['a keys folder that others enter', () => { return { VEILGATE_KEYS_FOLDER: makeFolder('keys1', 0o755) }; }, 'CONFIG_INSECURE', 'VEILGATE_KEYS_FOLDER'],
      ['a key in the folder that others read', () => { const keys = makeFolder('keys2', 0o700); write('keys2/key.json', '{}', 0o644); return { VEILGATE_KEYS_FOLDER: keys }; }, 'CONFIG_INSECURE', 'VEILGATE_KEYS_FOLDER'],
      ['an officers file that is not there', () => ({ VEILGATE_OFFICERS_FILE: at('none') }), 'CONFIG_INVALID', 'VEILGATE_OFFICERS_FILE'],
      ['a log file in no folder', () => ({ VEILGATE_LOG_FILE: at('none/gateway.log') }), 'CONFIG_INVALID', 'VEILGATE_LOG_FILE'],
      ['a witness in clear', () => ({ VEILGATE_WITNESSES: JSON.stringify([{ url: 'http://w.example', vkey }]) }), 'CONFIG_INSECURE', 'VEILGATE_WITNESSES'],
      ['a witness twice', () => ({ VEILGATE_WITNESSES: JSON.stringify([{ url: 'https://w.example', vkey }, { url: 'https://v.example', vkey }]) }), 'CONFIG_INVALID', 'VEILGATE_WITNESSES'],
      ['metrics beyond loopback without token', () => ({ VEILGATE_METRICS_HOST: '0.0.0.0', VEILGATE_METRICS_PORT: '9464' }), 'CONFIG_INSECURE', 'VEILGATE_METRICS_HOST'],
      ['files that may take less time than other bodies', () => ({ VEILGATE_UPLOAD_TIMEOUT_SECONDS: '5' }), 'CONFIG_INVALID', 'VEILGATE_UPLOAD_TIMEOUT_SECONDS'],
    ];
    for (const [what, env, code, setting] of cases) {
      it(`${what} with ${code}, naming ${setting}`, () => {
        const error = refusal(env());
        assert.equal(error.code, code, error.message);
        assert.ok((error.detail?.['settings'] as readonly string[]).includes(setting), error.message);
        assert.ok(error.message.includes(setting), error.message);
      });
    }
    it('each thing of the list that the documentation shows', () => {
      const messages = cases.map(([, env]) => refusal(env()).message);
      for (const check of configChecks) assert.ok(messages.some((message) => message.includes(check.refuses)), check.refuses);
    });
    it('nothing of the same settings when they fit', () => {
      const { cert, key } = certificate('ok', 2);
      readConfig({ ...policies, ...proxied });
      readConfig({ ...policies, ...beyond, VEILGATE_TLS_CERT_FILE: cert, VEILGATE_TLS_KEY_FILE: key });
      readConfig({ ...policies, DATABASE_URL: remote, VEILGATE_ISSUER_URL: 'https://issuer.example/realm', VEILGATE_WORKERS: '64' });
      readConfig({ ...policies, VEILGATE_METRICS_HOST: '0.0.0.0', VEILGATE_METRICS_PORT: '9464', VEILGATE_METRICS_TOKEN: '0123456789abcdef0123456789abcdef', VEILGATE_CLI_PROFILE: 'x' });
    });
    it('and guesses what was meant', () => {
      assert.match(refusal({ VEILGATE_PUBLIC_ULR: 'x' }).message, /did you mean VEILGATE_PUBLIC_URL\?/);
      assert.match(refusal({}, write('typo.yaml', 'pubic_url: x')).message, /did you mean public_url\?/);
      assert.ok(!/did you mean/.test(refusal({ VEILGATE_SOMETHING_ELSE_ALTOGETHER: 'x' }).message));
    });
    it('a file that is no mapping, has duplicate keys, aliases, empty or unknown settings, or is too long', () => {
      for (const content of ['- 1', '"x"', 'port: 1\nport: 2', 'a: &x 1\nport: *x', 'port:', 'host: [', `# ${'x'.repeat(300_000)}`, 'PORT: 1']) assert.equal(refusal({}, write('bad.yaml', content)).code, 'CONFIG_INVALID', content.slice(0, 40));
      assert.equal(refusal({}, write('open.yaml', 'metrics_token: 0123456789abcdef0123456789abcdef', 0o644)).code, 'CONFIG_INSECURE');
    });
    it('without ever showing a value', () => {
      for (const env of [{ VEILGATE_METRICS_TOKEN: 'CANARY' }, { DATABASE_URL: 'CANARY' }, { DATABASE_URL: 'postgresql://u:CANARY@db.example/v' }, { VEILGATE_PORT: 'CANARY' }, { VEILGATE_PUBLIC_URL: 'CANARY' }, { VEILGATE_WITNESSES: 'CANARY' }, { VEILGATE_TRUSTED_PROXIES: 'CANARY' }]) {
        const error = refusal(env);
        assert.ok(!JSON.stringify([error.message, error.detail]).includes('CANARY'), error.message);
      }
      assert.ok(!refusal({}, write('secret.yaml', 'port: CANARY')).message.includes('CANARY'));
      assert.ok(!refusal({}, write('secret.yaml', 'port: [CANARY')).message.includes('CANARY'));
    });
    it('several things at once, the insecure one first', () => {
      const error = refusal({ VEILGATE_PORT: '8081', VEILGATE_PUBLIC_URL: 'http://gateway.example' });
      assert.equal(error.code, 'CONFIG_INSECURE');
      assert.ok(['VEILGATE_PORT', 'VEILGATE_ISSUER_PORT', 'VEILGATE_PUBLIC_URL'].every((name) => error.message.includes(name)));
    });
  });

  it('documents every setting and every refusal: docs/configuration.md is current', () => {
    const file = path.join(root, 'docs', 'configuration.md');
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(file, configurationPage());
    assert.equal(readFileSync(file, 'utf8'), configurationPage());
    for (const [, setting] of settingEntries) assert.ok(configHelp().includes(setting.env));
  });
});
