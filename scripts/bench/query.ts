/**
 * What does a full authorised query cost, beside what no gateway of this security profile can go below?
 * Everything on this machine: load generator, gateway processes and PostgreSQL share its cores.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { createPrivateKey, hash, randomBytes, sign, type JsonWebKey, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { connect } from '../../src/sdk/connection.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import { loadPolicyPack } from '../../src/policy/load.ts';
import { freePort } from '../../src/store/cluster.ts';
import type { ConsentCeiling, FieldRef, InstitutionClass, PurposeCode } from '../../src/vocabulary.ts';
import { sampleSubject } from '../sample/subjects.ts';
import { load, type LoadResult } from './load/client.ts';
import { childrenOf, cpuEach, cpuSoFar, type Cpu } from './load/cpu.ts';
import { serverFlags } from '../../src/gateway/engine-flags.ts';
import { bankId, benchPlatform, grantAll, purpose, seed, startBenchGateway, type BenchPlatform } from './load/platform.ts';
import { packTimes } from './load/policies.ts';
import type { Bench } from './main.ts';
import { figure, type Figure } from './report.ts';

const root = path.resolve(import.meta.dirname, '../..');
const connections = 96;
const fieldsAsked = 20;
const pace = 1332;

type Sizes = { readonly enterprises: number; readonly requests: number; readonly more: readonly number[]; readonly policies: readonly number[] };
const fullSizes: Sizes = { enterprises: 100_000, requests: 20_000, more: [1_000, 1_000_000], policies: [1, 10] };
const quickSizes: Sizes = { enterprises: 10_000, requests: 5_000, more: [], policies: [] };

export const bench: Bench = async ({ quick, say }) => {
  const sizes = quick ? quickSizes : fullSizes;
  const cores = os.availableParallelism();
  const figures: Figure[] = [];
  const keys = await benchKeys();

  for (const workers of new Set([1, cores])) {
    const floor = await measureFloor(workers, sizes.requests, keys);
    say(`floor, ${workers} process(es): ${line(floor)}`);
    figures.push(figure(workers === cores ? 'query.floor_rps' : `query.floor_${workers}_process_rps`, floor.perSecond, '1/s'));
  }

  const platform = await benchPlatform({ enterprises: sizes.enterprises });
  try {
    const fields = openFields();
    await grantAll(platform.database, Math.min(sizes.enterprises, sizes.requests), new Map(fields.desensitised.map((field) => [field, 'desensitised'])));
    for (const workers of new Set([1, cores])) {
      const gateway = await startBenchGateway(platform, workers);
      let before: Cpu | undefined;
      const readCpu = () => cpuSoFar(gateway.process.pid, platform.cluster.pid);
      const full = await measureQueries(platform, keys, sizes.requests, { read: fields.desensitised }, undefined, () => { before = readCpu(); });
      const cpu = cpuEach(before ?? readCpu(), readCpu(), sizes.requests);
      say(`full desensitised query, ${workers} process(es): ${line(full)}`);
      figures.push(figure(workers === cores ? 'query.full_rps' : `query.full_${workers}_process_rps`, full.perSecond, '1/s', workers === cores ? `>= ${pace}` : null));
      if (workers === cores) {
        say(`CPU of one query: gateway ${cpu.gateway.toFixed(0)} µs, PostgreSQL ${cpu.postgresql.toFixed(0)} µs, load generator ${cpu.load.toFixed(0)} µs`);
        figures.push(figure('query.cpu_gateway_us', cpu.gateway, 'us'), figure('query.cpu_postgresql_us', cpu.postgresql, 'us'), figure('query.cpu_load_us', cpu.load, 'us'));
        const paced = await measureQueries(platform, keys, sizes.requests, { read: fields.desensitised }, pace);
        say(`the same at a pace of ${pace} a second: ${line(paced)}`);
        figures.push(figure('query.full_p50_ms', paced.p50Ms, 'ms'), figure('query.full_p99_ms', paced.p99Ms, 'ms', '<= 50'), figure('query.gateway_rss_mb', rssMb(gateway.process), 'MB'));
      }
      await gateway.stop();
    }
    const byName = (name: string) => figures.find((each) => each.name === name)?.value ?? Number.NaN;
    figures.push(figure('query.ratio_to_floor', byName('query.full_rps') / byName('query.floor_rps'), 'ratio', '>= 0.5'));

    const gateway = await startBenchGateway(platform, cores);
    const verification = await measureQueries(platform, keys, sizes.requests, { verify: ['tax.declared_revenue_cents'] });
    say(`verification: ${line(verification)}`);
    await grantAll(platform.database, Math.min(sizes.enterprises, sizes.requests), new Map(fields.original.map((field) => [field, 'original'])));
    const sealed = await measureQueries(platform, keys, Math.ceil(sizes.requests / 2), { read: fields.original });
    say(`original values, sealed: ${line(sealed)}`);
    figures.push(figure('query.verification_rps', verification.perSecond, '1/s'), figure('query.sealed_rps', sealed.perSecond, '1/s'));
    await gateway.stop();
    figures.push(...policyGrowth(fields.desensitised, sizes.policies));
  } finally {
    await platform.close();
  }
  for (const enterprises of sizes.more) figures.push(await enterpriseGrowth(enterprises, keys, sizes.requests, cores, say));
  return figures;
};

/** Twenty fields of three datasets that policy opens at each ceiling. */
export function openFields(): Readonly<Record<ConsentCeiling, readonly FieldRef[]>> {
  const catalogue = loadCatalogue(path.join(root, 'policies/catalogue'));
  const policy = loadPolicyPack(path.join(root, 'policies'), catalogue);
  const candidates = [...catalogue.fields.keys()].filter((field) => /^(registry|tax|financials)\./.test(field));
  const open = (ceiling: ConsentCeiling) => {
    const decision = policy.decide({
      purpose: purpose as PurposeCode, institutionClass: 'commercial_bank' as InstitutionClass,
      asked: candidates.map((field) => ({ field, use: 'read' })), consent: new Map(candidates.map((field) => [field, ceiling])), facts: new Map(),
    });
    const fields = decision.fields.filter(({ disposition }) => disposition !== 'withhold').map(({ field }) => field);
    const some = (dataset: string, count: number) => fields.filter((field) => field.startsWith(`${dataset}.`)).slice(0, count);
    const chosen = [...some('registry', 7), ...some('tax', 6), ...some('financials', 7)];
    if (chosen.length !== fieldsAsked) throw new Error(`the policy opens ${chosen.length} of the fields, not ${fieldsAsked}`);
    return [...new Set([...chosen, 'tax.declared_revenue_cents' as FieldRef])];
  };
  return { desensitised: open('desensitised').slice(0, fieldsAsked + 1), original: open('original').slice(0, fieldsAsked + 1) };
}

type BenchKeys = { readonly dpop: { readonly publicKey: CryptoKeyOf; readonly privateKey: CryptoKeyOf }; readonly dpopJwk: JWK; readonly dpopSigner: KeyObject };
type CryptoKeyOf = Awaited<ReturnType<typeof generateKeyPair>>['publicKey'];

export async function benchKeys(): Promise<BenchKeys> {
  const dpop = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const { kty, crv, x } = await exportJWK(dpop.publicKey);
  return { dpop, dpopJwk: { kty, crv, x } as JWK, dpopSigner: createPrivateKey({ key: (await exportJWK(dpop.privateKey)) as JsonWebKey, format: 'jwk' }) };
}

export async function measureFloor(workers: number, requests: number, keys: BenchKeys): Promise<LoadResult> {
  const port = await freePort();
  const child = fork(path.join(import.meta.dirname, 'load/floor-server.ts'), [String(port), String(workers), JSON.stringify(keys.dpopJwk)], { execArgv: [...serverFlags] });
  await once(child, 'message');
  const url = `http://127.0.0.1:${port}`;
  const make = (count: number) => Array.from({ length: count }, (_, at) => request({
    url, port, token: 'a'.repeat(700), nonce: 'n'.repeat(27), keys, signer: keys.dpopSigner, kid: 'k'.repeat(43), query: { subject: sampleSubject(at, seed), purpose, read: Array.from({ length: fieldsAsked }, (_each, n) => `financials.field_number_${n}`) },
  }));
  await load({ port, connections, requests: make(requests) });
  const result = await load({ port, connections, requests: make(requests) });
  const exited = once(child, 'exit');
  child.kill();
  await exited;
  return result;
}

type Asked = { readonly read?: readonly string[]; readonly verify?: readonly string[] };

/** Signs all requests beforehand, warms up with as many (a server runs all day), measures. Each request asks about another enterprise. */
export async function measureQueries(platform: BenchPlatform, keys: BenchKeys, requests: number, asked: Asked, perSecond?: number, onStart?: () => void): Promise<LoadResult> {
  const connection = await connect({ gateway: platform.gatewayUrl, credentials: platform.bank, scope: 'query', dpopKeys: keys.dpop });
  const nonce = (await connection.send({ method: 'GET', path: '/v1/catalogue' })).headers.get('dpop-nonce') ?? '';
  const token = await connection.token();
  const signer = createPrivateKey({ key: platform.signingJwk as JsonWebKey, format: 'jwk' });
  const make = (count: number) => Array.from({ length: count }, (_, at) => request({
    url: platform.gatewayUrl, port: platform.port, token, nonce, keys, signer, kid: platform.bank.signing.publicJwk.kid,
    query: {
      subject: sampleSubject(at, seed), purpose,
      ...(asked.read === undefined ? {} : { read: asked.read, rows: { tax: { limit: 1 } } }),
      ...(asked.verify === undefined ? {} : { verify: asked.verify.map((field) => ({ field, claimed: 12_345_600 })) }),
    },
  }));
  await load({ port: platform.port, connections, requests: make(requests) });
  const made = make(requests);
  onStart?.();
  const result = await load({ port: platform.port, connections, requests: made, ...(perSecond === undefined ? {} : { perSecond }) });
  if (result.statuses['200'] !== requests) throw new Error(`not every query was answered: ${JSON.stringify(result.statuses)}`);
  return result;
}

type RequestParts = { readonly url: string; readonly port: number; readonly token: string; readonly nonce: string; readonly keys: BenchKeys; readonly signer: KeyObject; readonly kid: string; readonly query: object };

/** One complete signed request as bytes. */
function request({ url, port, token, nonce, keys, signer, kid, query }: RequestParts): Buffer {
  const now = Math.floor(Date.now() / 1000);
  const proof = jws({ alg: 'EdDSA', typ: 'dpop+jwt', jwk: keys.dpopJwk }, { jti: randomBytes(16).toString('base64url'), htm: 'POST', htu: `${url}/v1/queries`, iat: now, ath: hash('sha256', token, 'base64url'), nonce }, keys.dpopSigner);
  const body = jws({ alg: 'EdDSA', typ: 'query+jwt', kid }, { iss: bankId, aud: url, iat: now, exp: now + 60, jti: randomBytes(16).toString('base64url'), query }, signer);
  return Buffer.from(`POST /v1/queries HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/jwt\r\nAuthorization: DPoP ${token}\r\nDPoP: ${proof}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
}

function jws(header: object, payload: object, key: KeyObject): string {
  const input = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`;
  return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`;
}

async function enterpriseGrowth(enterprises: number, keys: BenchKeys, requests: number, cores: number, say: (line: string) => void): Promise<Figure> {
  const platform = await benchPlatform({ enterprises });
  try {
    const count = Math.min(enterprises, requests);
    const fields = openFields().desensitised;
    await grantAll(platform.database, count, new Map(fields.map((field) => [field, 'desensitised'])));
    const gateway = await startBenchGateway(platform, cores);
    const result = await measureQueries(platform, keys, count, { read: fields });
    say(`with ${enterprises} enterprises: ${line(result)}`);
    await gateway.stop();
    return figure(`query.full_rps_${enterprises}_enterprises`, result.perSecond, '1/s');
  } finally {
    await platform.close();
  }
}

/** Time of one decision over 20 fields, among the ten policies of the sample pack and among a hundred. */
function policyGrowth(fields: readonly FieldRef[], factors: readonly number[]): Figure[] {
  const figures: Figure[] = [];
  for (const factor of factors) {
    const policy = packTimes(factor);
    const ask = { purpose: purpose as PurposeCode, institutionClass: 'commercial_bank' as InstitutionClass, asked: fields.slice(0, fieldsAsked).map((field) => ({ field, use: 'read' as const })), consent: new Map(fields.map((field) => [field, 'desensitised' as const])), facts: new Map() };
    for (let warm = 0; warm < 20_000; warm += 1) policy.decide(ask);
    const rounds = 50_000;
    const startMs = performance.now();
    for (let round = 0; round < rounds; round += 1) policy.decide(ask);
    figures.push(figure(`query.decide_us_${10 * factor}_policies`, ((performance.now() - startMs) * 1000) / rounds, 'us'));
  }
  return figures;
}

/** Resident memory of the gateway and its workers, from /proc. */
function rssMb(child: ChildProcess): number {
  const pids = [child.pid, ...childrenOf(child.pid ?? 0)];
  return pids.reduce<number>((sum, pid) => sum + residentKb(pid ?? 0), 0) / 1024;
}

function residentKb(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function line({ perSecond, p50Ms, p99Ms, requests }: LoadResult): string {
  return `${perSecond.toFixed(0)}/s over ${requests} requests, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`;
}

