import { hash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemClock, type Clock } from '../../../src/clock.ts';
import { admitBank } from '../../../src/custodian/banks.ts';
import { readCustodianConfig } from '../../../src/custodian/config.ts';
import { startCustodian, type CustodianParts, type RunningCustodian } from '../../../src/custodian/custodian.ts';
import type { CustodianConfig } from '../../../src/custodian/settings.ts';
import { openSealed } from '../../../src/disclosure/open.ts';
import { custodianDatabaseUrl } from '../../../src/gateway/custodian-child.ts';
import { createColumnEncryptor } from '../../../src/he/encrypt.ts';
import { createEvaluator, type MaskedResult } from '../../../src/he/evaluate.ts';
import { parameterSets } from '../../../src/he/parameters.ts';
import { loadHe } from '../../../src/he/runtime.ts';
import { joinFrames } from '../../../src/scoring/frames.ts';
import { slotBits } from '../../../src/scoring/slots.ts';
import { unpackWords } from '../../../src/scoring/words.ts';
import type { CustodianHalf } from '../../../src/scoring/protocol.ts';
import { generateCredentialsFile, publicKeys, readCredentials, type Credentials } from '../../../src/sdk/keys.ts';
import { freshDatabase } from '../../support/database.ts';
import { memoryLog } from '../../gateway/shell.ts';
import { makeKey, signCompact, type TestKey } from '../../identity/signing.ts';

export const gatewayUrl = 'https://gateway.test';
export const set = parameterSets['veilgate-score-1'];
export const bankId = 'bank-a';

export type Bank = Credentials & { readonly id: string; readonly key: TestKey };

/** A running custodian with its gateway's key, an admitted bank and everything to make tickets, right or wrong. */
export type Workshop = {
  readonly custodian: RunningCustodian;
  readonly config: CustodianConfig;
  readonly folder: string;
  readonly gatewayKey: TestKey;
  readonly bank: Bank;
  readonly makeBank: (id: string, admit?: boolean) => Promise<Bank>;
  readonly keyId: () => Promise<string>;
  readonly logged: () => string;
  readonly restart: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Settings for a custodian of a test: its own folder, database and gateway. */
export async function testSettings(gatewayKey: TestKey, settings: Readonly<Record<string, string>> = {}): Promise<{ readonly folder: string; readonly environment: Readonly<Record<string, string>> }> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-custodian-'));
  const jwks = path.join(folder, 'gateway.jwks.json');
  writeFileSync(jwks, JSON.stringify({ keys: [gatewayKey.jwk] }), { mode: 0o600 });
  const environment = {
    CUSTODIAN_PORT: '0', CUSTODIAN_KEYS_FOLDER: path.join(folder, 'keys'), CUSTODIAN_DATABASE_URL: custodianDatabaseUrl((await freshDatabase()).url),
    CUSTODIAN_GATEWAY_URL: gatewayUrl, CUSTODIAN_GATEWAY_JWKS_FILE: jwks, CUSTODIAN_REFUSAL_MS: '0', CUSTODIAN_ADDRESS_REQUESTS_PER_SECOND: '100000', CUSTODIAN_DRAIN_SECONDS: '1', ...settings,
  };
  return { folder, environment };
}

export async function openWorkshop(options: { readonly settings?: Readonly<Record<string, string>>; readonly parts?: CustodianParts; readonly clock?: Clock } = {}): Promise<Workshop> {
  const clock = options.clock ?? systemClock;
  const gatewayKey = await makeKey();
  const { folder, environment } = await testSettings(gatewayKey, options.settings);
  const config = readCustodianConfig(environment, clock.nowMs());
  const { log, text } = memoryLog();
  let custodian = await startCustodian(config, log, clock, options.parts);
  const makeBank = async (id: string, admit = true) => {
    const bank = await newBank(id);
    if (admit) await admitBank(custodian.database, clock, id, { keys: publicKeys(bank) });
    return bank;
  };
  return {
    get custodian() { return custodian; },
    config, folder, gatewayKey, makeBank, bank: await makeBank(bankId),
    keyId: async () => (await (await fetch(`${custodian.url}/v1/key`)).json() as { statement: string }).statement.split('.')[1]!.replace(/^.*$/, (part) => (JSON.parse(Buffer.from(part, 'base64url').toString()) as { key: string }).key),
    logged: text,
    async restart() {
      await custodian.stop();
      custodian = await startCustodian(config, log, clock, options.parts);
    },
    async close() {
      await custodian.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A bank whose signing key is at hand as a TestKey too, so that a test can sign what the SDK would not. */
export async function newBank(id: string): Promise<Bank> {
  const file = await generateCredentialsFile(id, { encryption: true });
  const key = await makeKey();
  const credentials = await readCredentials(file);
  return { ...credentials, signing: { ...credentials.signing, publicJwk: key.jwk as never }, id, key };
}

const epoch = () => Math.floor(Date.now() / 1000);
export const randomId = () => randomBytes(16).toString('base64url');
export const digestOf = (bytes: Uint8Array) => hash('sha256', bytes, 'hex');

type Claims = Record<string, unknown>;

/** A bank's signed request; members of `claims` and `score` replace the right ones. */
export function signRequest(bank: Bank, { score = {}, key = bank.key, ...claims }: Claims & { score?: Claims; key?: TestKey } = {}): string {
  const iat = epoch();
  return signCompact(key, 'score+jwt', {
    iss: bank.id, aud: gatewayUrl, iat, exp: iat + 60, jti: randomId(), ...claims,
    score: { kind: 'one', model: 'm@1', purpose: 'pre_loan_review', recipient: bank.encryption?.publicJwk.kid, subjects: 'a'.repeat(64), count: 1, ...score },
  });
}

export type TicketParts = { readonly keyId: string; readonly request: string; readonly ciphertexts: readonly Uint8Array[]; readonly slots?: readonly number[]; readonly claims?: Claims; readonly signedBy?: TestKey; readonly typ?: string };

export function signTicket({ gatewayKey }: Pick<Workshop, 'gatewayKey'>, { keyId, request, ciphertexts, slots = [7], claims = {}, signedBy = gatewayKey, typ = 'score-ticket+jwt' }: TicketParts): string {
  const iat = epoch();
  return signCompact(signedBy, typ, {
    iss: gatewayUrl, aud: 'custodian', iat, exp: iat + 60, jti: randomId(), job: 'job-1', key: keyId, parameters: set.id,
    ciphertexts: ciphertexts.map(digestOf), slots: Buffer.from(slotBits(slots, set.slots)).toString('base64url'), grants: 'b'.repeat(64), request, ...claims,
  });
}

export async function post(url: string, ticket: string, ciphertexts: readonly Uint8Array[], path = '/v1/open'): Promise<{ readonly status: number; readonly text: string; readonly bytes: Uint8Array; readonly type: string | null }> {
  const response = await fetch(`${url}${path}`, { method: 'POST', headers: { 'Content-Type': 'application/octet-stream' }, body: joinFrames([Buffer.from(ticket), ...ciphertexts]) });
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { status: response.status, text: Buffer.from(bytes).toString('latin1'), bytes, type: response.headers.get('content-type') };
}

/** The gateway's side, in this process: columns encrypted under the custodian's key and summed up, masked. */
export async function gatewaySide(workshop: Pick<Workshop, 'custodian'>): Promise<{ readonly evaluate: (columns: readonly Int32Array[], weights: readonly number[], offset?: number) => MaskedResult; readonly encrypt: (column: Int32Array) => Uint8Array; readonly remask: (column: Uint8Array) => MaskedResult; readonly close: () => void }> {
  const answer = await (await fetch(`${workshop.custodian.url}/v1/key`)).json() as { public_key: string };
  const publicKey = new Uint8Array(Buffer.from(answer.public_key, 'base64url'));
  const he = await loadHe();
  const encryptor = createColumnEncryptor(he, set, publicKey);
  const evaluator = createEvaluator(he, set, publicKey, { cacheBytesMax: 64 * set.columnBytes });
  return {
    encrypt: encryptor.encrypt,
    remask: evaluator.remask,
    evaluate(columns, weights, offset = 0) {
      const digests = columns.map((column) => {
        const bytes = encryptor.encrypt(column);
        const digest = digestOf(bytes);
        evaluator.load(digest, bytes);
        return digest;
      });
      return evaluator.evaluate(digests, [{ weights, offset }])[0] as MaskedResult;
    },
    close() {
      encryptor.close();
      evaluator.close();
    },
  };
}

/** What a bank does with both halves: its own half opened, the mask taken off, centred. */
export async function openedScores(bank: Bank, half: string, request: string, masks: Uint32Array, slots: readonly number[]): Promise<number[]> {
  const opened = await openSealed(half, bank.encryption!.privateKey, { issuer: 'custodian', audience: bank.id, jti: hash('sha256', request, 'hex') }) as unknown as CustodianHalf;
  const values = unpackWords(opened.masked[0], slots.length, set.plainModulus) as Uint32Array;
  return slots.map((slot, place) => {
    const raw = ((values[place] as number) - (masks[slot] as number) + set.plainModulus) % set.plainModulus;
    return raw > set.plainModulus / 2 ? raw - set.plainModulus : raw;
  });
}
