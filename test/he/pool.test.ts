import { strict as assert } from 'node:assert';
import { hash } from 'node:crypto';
import { clearWeightedSum } from '../../src/he/clear.ts';
import { createDecryptor, type Decryptor } from '../../src/he/decrypt.ts';
import { createColumnEncryptor, type ColumnEncryptor } from '../../src/he/encrypt.ts';
import { generateKeyPair, type KeyPair } from '../../src/he/keygen.ts';
import { packColumn } from '../../src/he/packed.ts';
import { createEvaluationPool, type EvaluationPool, type EvaluationTask, type PoolOptions } from '../../src/he/pool.ts';
import type { He } from '../../src/he/runtime.ts';
import { firstDifference, firstOf, opened, randomColumns, set, testHe } from '../support/he.ts';

describe('the evaluation pool', function pool() {
  this.timeout(60_000);
  let he: He;
  let keys: KeyPair;
  let encryptor: ColumnEncryptor;
  let decryptor: Decryptor;
  let pool: EvaluationPool;
  const pools: EvaluationPool[] = [];
  const columns = randomColumns(6, 50);
  /** By name; the pool knows them by digest. */
  const stored = new Map<string, Uint8Array>();
  const digests = new Map<string, string>();
  const store = (name: string, packed: Uint8Array) => {
    stored.set(name, packed);
    digests.set(name, hash('sha256', packed, 'hex'));
  };
  const digestOf = (name: string) => digests.get(name) ?? name;
  let fetched: string[] = [];
  const fetch = async (wanted: readonly string[]): Promise<Uint8Array[]> => {
    const names = wanted.map((digest) => [...digests].find(([, known]) => known === digest)?.[0] ?? '');
    fetched.push(...names);
    return names.map((name) => stored.get(name) ?? new Uint8Array(0));
  };
  const newPool = (options: Partial<PoolOptions> = {}): EvaluationPool => {
    const made = createEvaluationPool({ threads: 2, memoryMb: 256, cacheBytesMax: 20 * 131_200, blindersMax: 2, ...options });
    pools.push(made);
    return made;
  };
  const task = (names: readonly string[], more: Partial<EvaluationTask> = {}): EvaluationTask =>
    ({ set, keyId: 'key', publicKey: keys.publicKey, affinity: 0, digests: names.map(digestOf), outputs: [{ weights: names.map((_, at) => at + 1), offset: 5 }], ...more });

  before(async () => {
    ({ he, keys } = await testHe());
    encryptor = createColumnEncryptor(he, set, keys.publicKey);
    decryptor = createDecryptor(he, set, keys.secretKey);
    columns.forEach((column, at) => store(`c${at}`, packColumn(set, encryptor.encrypt(column))));
    pool = newPool();
  });
  beforeEach(() => {
    fetched = [];
  });
  after(async () => {
    await Promise.all(pools.map((each) => each.close()));
    encryptor.close();
    decryptor.close();
  });

  const expectedOf = (names: readonly string[]) => clearWeightedSum(names.map((name) => columns[Number(name.slice(1))] ?? Int32Array.of()), names.map((_, at) => at + 1), 5);
  const evaluates = async (on: EvaluationPool, names: readonly string[], more: Partial<EvaluationTask> = {}): Promise<void> => {
    const { ciphertext, masks } = firstOf(await on.evaluate(task(names, more), fetch));
    assert.equal(firstDifference(opened(decryptor.decrypt(ciphertext), masks), expectedOf(names)), -1);
  };
  const refuses = (promise: Promise<unknown>, code: string) => assert.rejects(promise, { name: 'VeilgateError', code });

  it('evaluates many tasks at once, each exactly, and fetches a column once', async () => {
    await pool.prepare({ set, keyId: 'key', publicKey: keys.publicKey });
    const choices = [['c0'], ['c1', 'c2'], ['c0', 'c1', 'c2', 'c3', 'c4'], ['c5', 'c0'], ['c2', 'c2']];
    await Promise.all(Array.from({ length: 20 }, (_, at) => evaluates(pool, choices[at % choices.length] ?? [], { affinity: at })));
    assert.deepEqual(fetched.toSorted(), ['c0', 'c1', 'c2', 'c3', 'c4', 'c5']);
  });

  it('never holds more columns than its cache has room for, and makes tasks wait for it', async () => {
    const small = newPool({ cacheBytesMax: 2 * 131_200 });
    await Promise.all([['c0', 'c1'], ['c2', 'c3'], ['c4'], ['c5'], ['c0', 'c1']].map((names) => evaluates(small, names)));
    await evaluates(small, ['c1', 'c4']);
    await refuses(small.evaluate(task(['c0', 'c1', 'c2']), fetch), 'HE_EVALUATION_FAILED');
    await small.close();
  });

  it('changes keys without mixing them up', async () => {
    const other = generateKeyPair(he, set);
    const [otherEncryptor, otherDecryptor] = [createColumnEncryptor(he, set, other.publicKey), createDecryptor(he, set, other.secretKey)];
    store('of another key', packColumn(set, otherEncryptor.encrypt(Int32Array.of(8))));
    const { ciphertext, masks } = firstOf(await pool.evaluate(task(['of another key'], { keyId: 'other', publicKey: other.publicKey }), fetch));
    assert.equal(opened(otherDecryptor.decrypt(ciphertext), masks)[0], 13);
    await evaluates(pool, ['c3']);
    otherEncryptor.close();
    otherDecryptor.close();
  });

  it('refuses stored columns that are not of the form, or not what their digest names, and forgets them', async () => {
    const whole = packColumn(set, encryptor.encrypt(Int32Array.of(1)));
    const damaged = (at: number, bit: number) => {
      const bytes = whole.slice();
      bytes[at] = (bytes[at] ?? 0) ^ bit;
      return bytes;
    };
    store('foreign', damaged(whole.length - 1, 0x80)); // not below its prime
    store('short', whole.slice(1));
    store('stored', whole);
    stored.set('stored', damaged(4 * 900, 1)); // still below its prime: a wrong score, had nobody noticed
    for (const name of ['foreign', 'short', 'absent', 'stored']) await refuses(pool.evaluate(task(['c1', name]), fetch), 'HE_CIPHERTEXT_REFUSED');
    store('stored', whole);
    await pool.evaluate(task(['stored']), fetch);
    await refuses(pool.evaluate(task(['c1', 'never'] ), () => Promise.reject(new Error('the database is gone'))).catch((thrown: Error) => {
      assert.equal(thrown.message, 'the database is gone');
      return pool.evaluate(task(['c1'], { outputs: [] }), fetch);
    }), 'HE_EVALUATION_FAILED');
    await refuses(pool.evaluate(task(['c1'], { keyId: 'no key', publicKey: keys.publicKey.slice(1) }), fetch), 'HE_KEY_REFUSED');
    await evaluates(pool, ['c1', 'c2']);
  });

  it('loses one task to a crash, an end, a full heap or a hang, and goes on', async () => {
    const faulty = newPool({ threads: 1, timeoutMs: 3000, memoryMb: 64, program: new URL('./faulty-thread.ts', import.meta.url) });
    for (const keyId of ['crash', 'exit', 'memory', 'hang']) {
      await refuses(faulty.evaluate(task(['c0'], { keyId }), fetch), 'HE_EVALUATION_FAILED');
      await evaluates(faulty, ['c0', 'c1']);
    }
    await faulty.close();
  });

  it('replaces a thread whose WebAssembly heap has grown beyond its limit', async () => {
    const tight = newPool({ threads: 1, memoryMb: 15 }); // SEAL starts with 16 MB
    for (let round = 0; round < 2; round++) await evaluates(tight, ['c0']);
    await tight.close();
  });

  it('bounds how many tasks wait', async () => {
    const narrow = newPool({ threads: 1, queueMax: 1 });
    const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => evaluates(narrow, ['c0'])));
    assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'fulfilled', 'rejected', 'rejected']);
    for (const outcome of outcomes) if (outcome.status === 'rejected') assert.equal((outcome.reason as { code: string }).code, 'REQUEST_OVERLOADED');
    await narrow.close();
  });

  it('checks foreign bytes: no flip of a bit, no cut and no noise ends the process or gets through in the header', async () => {
    const valid = encryptor.encrypt(columns[0] ?? Int32Array.of());
    const kept = valid.slice();
    await pool.check(set, valid);
    assert.equal(firstDifference(valid, kept), -1, 'the bytes stay the caller\'s');
    const random = (limit: number) => Math.floor(Math.random() * limit);
    for (let round = 0; round < 60; round++) {
      const flipped = valid.slice();
      const at = random(113);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << random(8));
      await refuses(pool.check(set, flipped), 'HE_CIPHERTEXT_REFUSED');
      await refuses(pool.check(set, valid.slice(0, random(valid.length))), 'HE_CIPHERTEXT_REFUSED');
      // within the coefficients a flip gives another ciphertext, or one that is not below its prime
      const inside = valid.slice();
      const place = 113 + random(valid.length - 113);
      inside[place] = (inside[place] ?? 0) ^ (1 << random(8));
      await pool.check(set, inside).catch((thrown: { code?: string }) => assert.equal(thrown.code, 'HE_CIPHERTEXT_REFUSED'));
    }
    const noise = crypto.getRandomValues(new Uint8Array(65_536));
    const foreign = valid.slice();
    foreign.set(noise, 113);
    for (const bytes of [noise, foreign, new Uint8Array(valid.length), keys.publicKey, keys.secretKey, new Uint8Array(0)]) await refuses(pool.check(set, bytes), 'HE_CIPHERTEXT_REFUSED');
    await pool.check(set, valid);
  });

  it('is closed for good', async () => {
    const closing = newPool({ threads: 1 });
    const running = closing.evaluate(task(['c0']), fetch);
    const waiting = closing.evaluate(task(['c0']), fetch);
    const outcomes = Promise.allSettled([running, waiting]);
    await closing.close();
    assert.deepEqual((await outcomes).map(({ status }) => status), ['rejected', 'rejected']);
    await refuses(closing.evaluate(task(['c0']), fetch), 'HE_EVALUATION_FAILED');
    await refuses(closing.check(set, encryptor.encrypt(Int32Array.of(1))), 'HE_CIPHERTEXT_REFUSED');
  });
});
