import { createDecryptor } from '../../../src/he/decrypt.ts';
import { createColumnEncryptor } from '../../../src/he/encrypt.ts';
import { createEvaluator } from '../../../src/he/evaluate.ts';
import { generateKeyPair } from '../../../src/he/keygen.ts';
import { parameterSets } from '../../../src/he/parameters.ts';
import { compiledSeal } from '../../../src/he/pool-thread.ts';
import { loadHe } from '../../../src/he/runtime.ts';

export type SoakResult = { readonly rounds: number; readonly seconds: number; /** WebAssembly heap after the first tenth, and at the end. */ readonly heapMb: number; readonly growthMb: number };

const set = parameterSets['veilgate-score-1'];
const columnsEach = 20;

/**
 * Everything SEAL does for a score, again and again in one heap: encrypting a column, 20 columns into a masked result,
 * decrypting it. A heap of WebAssembly never shrinks, so whatever leaks shows.
 */
export async function soak(rounds: number): Promise<SoakResult> {
  const he = await loadHe(await compiledSeal());
  const keys = generateKeyPair(he, set);
  const encryptor = createColumnEncryptor(he, set, keys.publicKey);
  const evaluator = createEvaluator(he, set, keys.publicKey, { cacheBytesMax: columnsEach * set.columnBytes });
  const decryptor = createDecryptor(he, set, keys.secretKey);
  const values = Int32Array.from({ length: set.slots }, (_, slot) => slot % 100);
  const digests = Array.from({ length: columnsEach }, (_, at) => `column ${at}`);
  for (const digest of digests) evaluator.load(digest, encryptor.encrypt(values));
  const weights = digests.map((_, at) => at - 8);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const heapMb = () => (he.heapBytes() ?? Number.NaN) / 2 ** 20;
  let settled = Number.NaN;
  const startMs = performance.now();
  for (let round = 0; round < rounds; round += 1) {
    if (round === Math.ceil(rounds / 10)) settled = heapMb();
    encryptor.encrypt(values);
    const [result] = evaluator.evaluate(digests, [{ weights, offset: 5 }]);
    if (result === undefined) throw new Error('no result');
    const slot = round % set.slots;
    const opened = ((decryptor.decrypt(result.ciphertext)[slot] ?? 0) + set.plainModulus - (result.masks[slot] ?? 0)) % set.plainModulus;
    if (opened !== ((sum * (values[slot] ?? 0) + 5) % set.plainModulus)) throw new Error(`round ${round} gave another score than the clear twin`);
  }
  const result = { rounds, seconds: (performance.now() - startMs) / 1000, heapMb: heapMb(), growthMb: heapMb() - settled };
  for (const each of [encryptor, evaluator, decryptor]) each.close();
  return result;
}
