import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { compactVerify, importJWK, type JWK } from 'jose';
import { fixedClock } from '../../src/clock.ts';
import { VeilgateError, type ErrorCode } from '../../src/errors.ts';
import { openKeyring, retirePlatformKey, rotateKey, rotatingPurposes, type Keyring } from '../../src/identity/keyring.ts';

const clock = fixedClock('2026-03-01T08:00:00Z');
const files = ['cookie-secret', 'dpop-nonce-secret', 'gateway-signing', 'issuer-signing', 'log-signing', 'mask-secret', 'pseudonym-secret', 'request-secret', 'token-secret'].map((name) => `${name}.jwks.json`);

describe('identity/keyring', () => {
  let parent: string;
  let folder: string;
  beforeEach(() => {
    parent = mkdtempSync(path.join(os.tmpdir(), 'veilgate-keys-'));
    folder = path.join(parent, 'private');
  });
  afterEach(() => {
    rmSync(parent, { recursive: true, force: true });
  });

  const open = () => openKeyring(folder, clock);
  const file = (name: string) => path.join(folder, `${name}.jwks.json`);
  const everything = ({ gatewaySigner, ...rest }: Keyring) => ({ ...rest, kid: gatewaySigner.kid });
  const refuses = (code: ErrorCode, work: () => unknown = open) => assert.throws(work, (error: unknown) => {
    assert(error instanceof VeilgateError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  });

  it('makes everything at the first start and finds the same at the next', () => {
    const first = open();
    assert.deepEqual(readdirSync(folder).toSorted(), files);
    assert.deepEqual(everything(open()), everything(first));
    const other = openKeyring(path.join(parent, 'other'), clock);
    assert.notDeepEqual(other.pseudonymSecret, first.pseudonymSecret);
    for (const secret of [first.dpopNonceSecret, first.pseudonymSecret, first.tokenSecrets.secrets.get(1)]) assert.equal(secret?.length, 32);
    assert.equal(first.tokenSecrets.currentVersion, 1);
    assert.equal(first.cookieKeys[0]?.length, 43);
  });

  it('keeps the folder and every file to itself', function () {
    if (process.platform === 'win32') this.skip();
    const mask = process.umask(0);
    try {
      open();
    } finally {
      process.umask(mask);
    }
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    for (const name of files) assert.equal(statSync(path.join(folder, name)).mode & 0o777, 0o600, name);
    for (const mode of [0o750, 0o701, 0o770]) {
      chmodSync(folder, mode);
      refuses('CONFIG_INSECURE');
    }
    chmodSync(folder, 0o700);
    for (const name of files) {
      for (const mode of [0o640, 0o604, 0o660]) {
        chmodSync(path.join(folder, name), mode);
        refuses('CONFIG_INSECURE');
      }
      chmodSync(path.join(folder, name), 0o600);
    }
    open();
  });

  it('follows no links', function () {
    if (process.platform === 'win32') this.skip();
    open();
    renameSync(file('token-secret'), path.join(parent, 'elsewhere'));
    symlinkSync(path.join(parent, 'elsewhere'), file('token-secret'));
    refuses('CONFIG_INSECURE');
    symlinkSync(folder, path.join(parent, 'link'));
    refuses('CONFIG_INSECURE', () => openKeyring(path.join(parent, 'link'), clock));
    writeFileSync(path.join(parent, 'plain'), '');
    refuses('CONFIG_INVALID', () => openKeyring(path.join(parent, 'plain'), clock));
  });

  it('refuses files that do not hold what they must, without repeating them', () => {
    open();
    const good = readFileSync(file('gateway-signing'), 'utf8');
    const { keys: [key] } = JSON.parse(good) as { keys: [Record<string, unknown>] };
    const other = JSON.parse(readFileSync(file('issuer-signing'), 'utf8')).keys[0] as Record<string, unknown>;
    const bad = ['', '{}', 'null', '{"keys":[]}', good.slice(0, -20), JSON.stringify({ keys: [{ ...key, d: undefined }] }), JSON.stringify({ keys: [{ ...key, d: other['d'] }] }),
      JSON.stringify({ keys: [{ ...key, kid: 'x' }] }), JSON.stringify({ keys: [key, key] }), JSON.stringify({ keys: [{ ...key, use: 'enc' }] }), JSON.stringify({ keys: Array.from({ length: 21 }, () => key) }), JSON.stringify({ keys: [null] })];
    for (const text of bad) {
      writeFileSync(file('gateway-signing'), text);
      assert.throws(open, (error: VeilgateError) => error.code === 'CONFIG_INVALID' && !`${error.message}${JSON.stringify(error.detail)}`.includes(String(key['d'])), text);
    }
    writeFileSync(file('gateway-signing'), good);
    for (const secret of [{ kty: 'oct', k: 'AAAA', kid: '1', iat: 0 }, { kty: 'oct', k: Buffer.alloc(32).toString('base64url'), kid: 'x', iat: 0 }]) {
      writeFileSync(file('token-secret'), JSON.stringify({ keys: [secret] }));
      refuses('CONFIG_INVALID');
    }
  });

  it('refuses a folder that cannot be made', () => {
    writeFileSync(path.join(parent, 'plain'), '');
    refuses('CONFIG_INVALID', () => openKeyring(path.join(parent, 'plain', 'private'), clock));
  });

  it('signs what the published keys verify', async () => {
    const { gatewaySigner, gatewayJwks } = open();
    const jws = await gatewaySigner.sign('receipt+jwt', { iss: 'https://gateway.example', 名: 'é' });
    const [published] = gatewayJwks.keys;
    assert.deepEqual(Object.keys(published ?? {}).toSorted(), ['alg', 'crv', 'kid', 'kty', 'use', 'x']);
    const { payload, protectedHeader } = await compactVerify(jws, await importJWK(published as JWK, 'EdDSA'));
    assert.deepEqual(protectedHeader, { alg: 'EdDSA', typ: 'receipt+jwt', kid: gatewaySigner.kid });
    assert.deepEqual(JSON.parse(new TextDecoder().decode(payload)), { iss: 'https://gateway.example', 名: 'é' });
  });

  it('publishes no private half', () => {
    const keyring = open();
    for (const jwk of [...keyring.gatewayJwks.keys, ...keyring.issuerJwks.keys]) assert.equal('d' in jwk, false);
    assert.equal(keyring.issuerSigningKeys.every(({ d }) => d.length === 43), true);
  });

  it('signs with the newest key and publishes older ones until they are retired', () => {
    const before = open();
    clock.advanceMs(1000);
    for (const purpose of ['gateway-signing', 'issuer-signing'] as const) rotateKey(folder, purpose, clock);
    const after = open();
    assert.notEqual(after.gatewaySigner.kid, before.gatewaySigner.kid);
    assert.deepEqual(after.gatewayJwks.keys.map(({ kid }) => kid), [after.gatewaySigner.kid, before.gatewaySigner.kid]);
    assert.deepEqual(after.issuerSigningKeys.slice(1), before.issuerSigningKeys);
    refuses('CONFIG_INVALID', () => retirePlatformKey(folder, 'gateway-signing', after.gatewaySigner.kid));
    refuses('CONFIG_INVALID', () => retirePlatformKey(folder, 'gateway-signing', 'unknown'));
    retirePlatformKey(folder, 'gateway-signing', before.gatewaySigner.kid);
    assert.deepEqual(open().gatewayJwks.keys.map(({ kid }) => kid), [after.gatewaySigner.kid]);
  });

  it('counts versions of secrets up and keeps old ones, so that old tokens are still known', () => {
    const first = open();
    rotateKey(folder, 'token-secret', clock);
    rotateKey(folder, 'token-secret', clock);
    const { secrets, currentVersion } = open().tokenSecrets;
    assert.deepEqual([currentVersion, [...secrets.keys()]], [3, [3, 2, 1]]);
    assert.deepEqual(secrets.get(1), first.tokenSecrets.secrets.get(1));
    retirePlatformKey(folder, 'token-secret', '2');
    assert.equal(rotateKey(folder, 'token-secret', clock), '4');
    assert.deepEqual(rotatingPurposes.toSorted(), ['cookie-secret', 'dpop-nonce-secret', 'gateway-signing', 'issuer-signing', 'mask-secret', 'request-secret', 'token-secret']);
    for (let n = 0; n < 17; n += 1) rotateKey(folder, 'token-secret', clock);
    refuses('CONFIG_INVALID', () => rotateKey(folder, 'token-secret', clock));
    open();
  });

  it('has nothing to rotate before the first start', () => {
    refuses('CONFIG_INVALID', () => rotateKey(folder, 'gateway-signing', clock));
  });

  it('gives processes that start together the same keys, and leaves no half-written file', async () => {
    const script = `
      import { openKeyring } from ${JSON.stringify(path.join(import.meta.dirname, '../../src/identity/keyring.ts'))};
      const { gatewaySigner, pseudonymSecret } = openKeyring(${JSON.stringify(folder)}, { nowMs: Date.now });
      console.log(gatewaySigner.kid + Buffer.from(pseudonymSecret).toString('hex'));`;
    const start = () => new Promise<string>((resolve, reject) => {
      const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => { output += chunk.toString(); });
      child.once('error', reject);
      child.once('close', () => resolve(output));
    });
    const outputs = await Promise.all([start(), start(), start()]);
    assert.equal(new Set(outputs).size, 1);
    assert.equal(outputs[0]?.trim().length, 43 + 64);
    assert.deepEqual(readdirSync(folder).toSorted(), files);
  });

  it('does not mistake a file that was being written for a key file', () => {
    mkdirSync(folder, { mode: 0o700 });
    writeFileSync(path.join(folder, '.token-secret.jwks.json.0011223344556677'), '{"keys":[', { mode: 0o600 });
    open();
  });
});
