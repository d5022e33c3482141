import { strict as assert } from 'node:assert';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fixedClock, systemClock } from '../../src/clock.ts';
import { custodianChecks, custodianHelp, custodianSettingsPage, readCustodianConfig } from '../../src/custodian/config.ts';
import { makeHeKey, readHeKeys } from '../../src/custodian/he-keys.ts';
import { pinnedGateway } from '../../src/custodian/pinned-gateway.ts';
import { custodianSettings } from '../../src/custodian/settings.ts';
import { VeilgateError, type ErrorCode } from '../../src/errors.ts';
import { loadHe } from '../../src/he/runtime.ts';
import { selfSigned } from '../gateway/certificate.ts';
import { makeKey, refused } from '../identity/signing.ts';

const root = path.resolve(import.meta.dirname, '../..');
const page = path.join(root, 'docs', 'custodian.md');
const marks = ['<!-- settings: made by `UPDATE_DOCS=1 mocha test/custodian/config.test.ts` -->', '<!-- end of settings -->'] as const;

describe('custodian: settings and keys', () => {
  let folder: string;
  before(() => { folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-custodian-config-')); });
  after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, content: string, mode = 0o600) => {
    const at = path.join(folder, name);
    writeFileSync(at, content);
    chmodSync(at, mode);
    return at;
  };
  const read = (settings: Readonly<Record<string, string>> = {}) => readCustodianConfig({ CUSTODIAN_KEYS_FOLDER: path.join(folder, 'none'), ...settings }, systemClock.nowMs());
  const refusal = (settings: Readonly<Record<string, string>>): VeilgateError => {
    try {
      read(settings);
    } catch (error) {
      assert.ok(error instanceof VeilgateError);
      return error;
    }
    throw new assert.AssertionError({ message: `not refused: ${JSON.stringify(settings)}` });
  };

  it('starts on loopback with nothing set, and takes nothing of the gateway\'s settings', () => {
    const config = read({ VEILGATE_PORT: '1', VEILGATE_NONSENSE: 'x' });
    assert.deepEqual([config.host, config.port, config.id, config.databaseUrl, config.threads], ['127.0.0.1', 8090, 'custodian', undefined, 1]);
    assert.match(refusal({ CUSTODIAN_PROT: '1' }).message, /did you mean CUSTODIAN_PORT/);
    assert.match(custodianHelp(), /CUSTODIAN_GATEWAY_KEY_THUMBPRINTS/);
  });

  it('reads a file of its own, and lets variables win over it', () => {
    const at = file('custodian.yaml', 'port: 9000\nid: custodian-b\n');
    assert.deepEqual((({ port, id }) => [port, id])(read({ CUSTODIAN_CONFIG_FILE: at, CUSTODIAN_PORT: '9001' })), [9001, 'custodian-b']);
  });

  it('refuses to start with each thing that its page names', () => {
    const { cert, key } = selfSigned('custodian.test', 30);
    const other = selfSigned('other.test', 30);
    const pair = { CUSTODIAN_TLS_CERT_FILE: file('tls.crt', cert), CUSTODIAN_TLS_KEY_FILE: file('tls.key', key) };
    const openKeys = path.join(folder, 'open-keys');
    mkdirSync(openKeys);
    chmodSync(openKeys, 0o755);
    const provoked: readonly Readonly<Record<string, string>>[] = [
      { CUSTODIAN_HOST: '0.0.0.0' },
      { CUSTODIAN_TLS_CERT_FILE: pair.CUSTODIAN_TLS_CERT_FILE },
      { ...pair, CUSTODIAN_TLS_KEY_FILE: file('other.key', other.key) },
      { ...pair, CUSTODIAN_TLS_KEY_FILE: file('open.key', key, 0o644) },
      { CUSTODIAN_HOST: '0.0.0.0', CUSTODIAN_TLS_TERMINATED_BY_PROXY: 'true' },
      { CUSTODIAN_GATEWAY_JWKS_FILE: file('jwks.json', '{}'), CUSTODIAN_GATEWAY_JWKS_URL: 'https://gateway.test/jwks', CUSTODIAN_GATEWAY_KEY_THUMBPRINTS: 'A'.repeat(43) },
      { CUSTODIAN_GATEWAY_JWKS_FILE: path.join(folder, 'missing') },
      { CUSTODIAN_GATEWAY_URL: 'http://gateway.test' },
      { CUSTODIAN_GATEWAY_JWKS_URL: 'https://gateway.test/jwks' },
      { CUSTODIAN_DATABASE_URL: 'postgresql:///nowhere' },
      { CUSTODIAN_DATABASE_URL: 'postgresql://u:p@db.test/custodian' },
      { CUSTODIAN_DATABASE_URL: 'postgresql://u:p@127.0.0.1/custodian', CUSTODIAN_DATABASE_FOLDER: folder },
      { CUSTODIAN_KEYS_FOLDER: openKeys },
      { CUSTODIAN_LOG_FILE: path.join(folder, 'no', 'log') },
      { CUSTODIAN_BANK_TICKETS_PER_SECOND: '500' },
    ];
    assert.equal(provoked.length, custodianChecks.length);
    for (const [at, settings] of provoked.entries()) {
      const check = custodianChecks[at];
      const error = refusal(settings);
      assert.ok(error.message.includes(check?.refuses ?? '?'), `${error.message}\n${check?.refuses}`);
      assert.ok((check?.settings ?? []).every((name) => error.message.includes(custodianSettings[name].env)));
    }
    assert.equal(read(pair).tlsCertFile, pair.CUSTODIAN_TLS_CERT_FILE);
  });

  it('has a page that says the same', () => {
    const text = readFileSync(page, 'utf8');
    const [before = '', rest = ''] = text.split(marks[0]);
    const after = rest.split(marks[1])[1] ?? '';
    const expected = `${before}${marks[0]}\n\n${custodianSettingsPage()}\n\n${marks[1]}${after}`;
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(page, expected);
    assert.equal(readFileSync(page, 'utf8'), expected);
  });

  it('knows its gateway by pinned keys alone: never by those it saw first', async () => {
    const [key, other] = [await makeKey(), await makeKey()];
    const jwks = JSON.stringify({ keys: [key.jwk, other.jwk] });
    const serving = (text: string) => (async () => new Response(text)) as typeof fetch;
    const given = { gatewayUrl: 'https://gateway.test', gatewayJwksFile: undefined, gatewayJwksUrl: 'https://gateway.test/jwks', gatewayKeyThumbprints: [key.verification.thumbprint] };
    assert.deepEqual([...(await pinnedGateway(given, serving(jwks))).keys.keys()], [key.jwk.kid], 'of the keys served, the pinned one');
    const code = (work: Promise<unknown>, expected: ErrorCode) => refused(work, expected);
    await code(pinnedGateway({ ...given, gatewayKeyThumbprints: [] }, serving(jwks)), 'CONFIG_INSECURE');
    await code(pinnedGateway(given, serving(JSON.stringify({ keys: [other.jwk] }))), 'CONFIG_INSECURE');
    await code(pinnedGateway({ ...given, gatewayUrl: undefined }, serving(jwks)), 'CONFIG_INVALID');
    await code(pinnedGateway({ ...given, gatewayJwksUrl: undefined }), 'CONFIG_INVALID');
    await code(pinnedGateway(given, serving('not json')), 'CONFIG_INVALID');
    await code(pinnedGateway(given, async () => { throw new TypeError('fetch failed'); }), 'CONFIG_INVALID');
    const fromFile = { ...given, gatewayJwksUrl: undefined, gatewayKeyThumbprints: [] };
    assert.equal((await pinnedGateway({ ...fromFile, gatewayJwksFile: file('gateway.json', jwks) })).keys.size, 2);
    await code(pinnedGateway({ ...fromFile, gatewayJwksFile: file('open.json', jwks, 0o666) }), 'CONFIG_INSECURE');
    await code(pinnedGateway({ ...fromFile, gatewayJwksFile: file('twice.json', JSON.stringify({ keys: [key.jwk, { ...other.jwk, kid: key.jwk.kid }] })) }), 'CONFIG_INVALID');
  });

  it('refuses key files that others can read, that are links, or hold another key than their name says', async () => {
    const keys = path.join(folder, 'keys');
    const made = makeHeKey(keys, await loadHe(), fixedClock('2026-01-02T03:04:05Z'));
    assert.match(made.id, /^20260102-[0-9a-f]{16}$/);
    assert.deepEqual(readHeKeys(keys).map(({ id }) => id), [made.id]);
    const name = readdirSync(keys)[0] ?? '';
    const at = path.join(keys, name);
    const fault = () => { try { readHeKeys(keys); return 'none'; } catch (error) { return (error as VeilgateError).code; } };
    chmodSync(at, 0o640);
    assert.equal(fault(), 'CONFIG_INSECURE');
    chmodSync(at, 0o600);
    const text = readFileSync(at, 'utf8');
    writeFileSync(at, text.replace('"v":1', '"v":2'));
    assert.equal(fault(), 'CONFIG_INVALID');
    writeFileSync(at, text.replace(/"secret_key":"[^"]{20}/, '"secret_key":"AAAAAAAAAAAAAAAAAAAA'));
    assert.equal(fault(), 'HE_KEY_REFUSED');
    const another = makeHeKey(path.join(folder, 'keys-2'), await loadHe(), fixedClock('2026-01-02T03:04:05Z'));
    writeFileSync(at, readFileSync(path.join(folder, 'keys-2', `he-${another.id}.json`), 'utf8').replaceAll(another.id, made.id));
    assert.equal(fault(), 'CONFIG_INVALID');
    writeFileSync(at, text);
    assert.equal(fault(), 'none');
    symlinkSync(at, path.join(keys, `he-${another.id}.json`));
    assert.equal(fault(), 'CONFIG_INSECURE');
  });
});
