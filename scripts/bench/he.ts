import { hash } from 'node:crypto';
import { arithmeticOf } from '../../src/he/arithmetic.ts';
import { createBlinderSource } from '../../src/he/blind.ts';
import { createDecryptor } from '../../src/he/decrypt.ts';
import { createColumnEncryptor, createZeroEncryptor } from '../../src/he/encrypt.ts';
import { createEvaluator } from '../../src/he/evaluate.ts';
import { generateKeyPair, type KeyPair } from '../../src/he/keygen.ts';
import { checkPacked, packColumn, viewPacked, type PackedColumn } from '../../src/he/packed.ts';
import { parameterSets } from '../../src/he/parameters.ts';
import { createEvaluationPool } from '../../src/he/pool.ts';
import { webRandomBytes } from '../../src/he/random.ts';
import { loadHe, type He } from '../../src/he/runtime.ts';
import { reducedSums, switchedSum, weightedSums } from '../../src/he/sum.ts';
import type { Bench } from './main.ts';
import { figure, quantile, type Figure } from './report.ts';

/** `npm run bench -- he`: what each step of sealed scoring costs on one thread (fastest of many), and a province through the pool. */
const set = parameterSets['veilgate-score-1'];
const weights = Array.from({ length: 20 }, (_, at) => 100 * at - 900);
/** 310,000 enterprises. */
const blocksOfProvince = 76;

export const bench: Bench = async ({ quick, say }) => {
  const he = await loadHe();
  const keys = generateKeyPair(he, set);
  say('each step on one thread');
  const measured = steps(he, keys, quick ? 3 : 300);
  const blocks = quick ? 2 : blocksOfProvince;
  say(`${blocks} blocks of ${weights.length} columns through the pool, with all columns in its cache`);
  return [...measured, ...await province(he, keys, 1, blocks), ...await province(he, keys, 2, blocks)];
};

function steps(he: He, keys: KeyPair, rounds: number): Figure[] {
  const arithmetic = arithmeticOf(set);
  const encryptor = createColumnEncryptor(he, set, keys.publicKey);
  const zeros = createZeroEncryptor(he.context(set), set, keys.publicKey);
  const blinders = createBlinderSource(he, set, keys.publicKey, 0, webRandomBytes);
  const evaluator = createEvaluator(he, set, keys.publicKey, { cacheBytesMax: 1e6 });
  const decryptor = createDecryptor(he, set, keys.secretKey);
  const values = Int32Array.from({ length: set.slots }, (_, slot) => slot % 15 - 7);
  const bytes = encryptor.encrypt(values);
  const columns = weights.map(() => viewPacked(set, packColumn(set, bytes).buffer, 0));
  const [column] = columns as [PackedColumn];
  const { residues } = blinders.take();
  const words = new Uint32Array(4 * set.polyModulusDegree);
  const result = evaluator.remask(bytes).ciphertext;
  const acts: readonly (readonly [string, () => unknown])[] = [
    ['he.encrypt_column_ms', () => encryptor.encrypt(values)],
    ['he.encrypt_zero_ms', () => zeros.encryptZero()],
    ['he.blinder_ms', () => blinders.take()],
    ['he.check_column_ms', () => checkPacked(set, column)],
    ['he.sum_20_columns_ms', () => weightedSums(columns, [weights])],
    ['he.sum_and_switch_ms', () => weightedSums(columns, [weights]).forEach((sums) => switchedSum(arithmetic, reducedSums(arithmetic, sums), residues, words))],
    ['he.decrypt_ms', () => decryptor.decrypt(result)],
  ];
  const measured = acts.map(([name, act]) => figure(name, fastestMs(rounds, act), 'ms'));
  for (const each of [encryptor, zeros, blinders, evaluator, decryptor]) each.close();
  return [...measured, figure('he.column_bytes_per_value', set.columnBytes / set.slots, 'bytes'), figure('he.result_bytes_per_value', set.resultBytes / set.slots, 'bytes')];
}

function fastestMs(rounds: number, act: () => unknown): number {
  let fastest = Infinity;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    act();
    fastest = Math.min(fastest, performance.now() - start);
  }
  return fastest;
}

async function province(he: He, keys: KeyPair, threads: number, blocks: number): Promise<Figure[]> {
  const encryptor = createColumnEncryptor(he, set, keys.publicKey);
  const column = packColumn(set, encryptor.encrypt(Int32Array.of(1, 2, 3)));
  encryptor.close();
  // the digest is checked when a column comes in: as many different ones as the province has
  const stored = new Map(Array.from({ length: blocks * weights.length }, (_, at) => {
    const bytes = column.slice();
    new DataView(bytes.buffer).setUint32(0, at, true);
    return [hash('sha256', bytes, 'hex'), bytes] as const;
  }));
  const digests = [...stored.keys()];
  const pool = createEvaluationPool({ threads, memoryMb: 256, cacheBytesMax: (blocks * weights.length + 1) * 131_200, blindersMax: Math.ceil(blocks / threads) + 8, queueMax: blocks });
  const key = { set, keyId: 'bench', publicKey: keys.publicKey };
  const evaluate = (block: number) => pool.evaluate({ ...key, affinity: block, digests: digests.slice(block * weights.length, (block + 1) * weights.length), outputs: [{ weights, offset: 600 }] }, async (wanted) => wanted.map((digest) => stored.get(digest) ?? column));
  const all = async (): Promise<number> => {
    const start = performance.now();
    await Promise.all(Array.from({ length: blocks }, (_, block) => evaluate(block)));
    return performance.now() - start;
  };
  /** Until every thread has made all its blinders. */
  const rest = () => new Promise((resolve) => { setTimeout(resolve, (blocks + 16) * 8); });
  await pool.prepare(key);
  const cold = await all();
  const unprepared = await all();
  const prepared: number[] = [];
  const single: number[] = [];
  for (let round = 0; round < 3; round++) {
    await rest();
    prepared.push(await all());
  }
  await rest();
  for (let block = 0; block < blocks; block++) {
    const start = performance.now();
    await evaluate(block);
    single.push(performance.now() - start);
  }
  await pool.close();
  single.sort((a, b) => a - b);
  const named = `${threads}_thread${threads === 1 ? '' : 's'}`;
  return [
    figure(`he.province_${named}_columns_new_ms`, cold, 'ms'),
    figure(`he.province_${named}_ms`, unprepared, 'ms'),
    figure(`he.province_${named}_blinders_ready_ms`, Math.min(...prepared), 'ms'),
    figure(`he.block_${named}_p50_ms`, quantile(single, 0.5), 'ms'),
    figure(`he.block_${named}_p99_ms`, quantile(single, 0.99), 'ms'),
  ];
}
