import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { VeilgateError } from '../../../src/errors.ts';
import { jointParameters as set } from '../../../src/he/joint-parameters.ts';
import { createPadEncryptor, type PadEncryptor } from '../../../src/he/pads.ts';
import { loadHe, type He } from '../../../src/he/runtime.ts';
import { ciphertextPrefixBytes } from '../../../src/he/wire.ts';
import { chunksFor, layoutOf, padPolynomial } from '../../../src/joint/circuit/layout.ts';
import { makeBundle, padBins, padsOf, startBundleDigest, type BundleSpec } from '../../../src/joint/lottery/bundle.ts';
import { keystreamOf, lotteryReady, newSeed, uniformBins } from '../../../src/joint/lottery/keystream.ts';
import { checkCommitments, drawBundle, judgeOpening } from '../../../src/joint/lottery/lottery.ts';
import { createExactRandom } from '../../../src/joint/noise/exact-random.ts';
import { keystream } from '../support/keystream.ts';

const spec: BundleSpec = { project: 'p1', cohort: 'c1', rows: 1500, columns: [{ name: 'label', bins: 2 }, { name: 'region', bins: 5 }] };
const seedOf = (text: string) => {
  const seed = new Uint8Array(32);
  keystream(text)(seed);
  return seed;
};
const invalid = (error: unknown) => error instanceof VeilgateError && error.code === 'JOINT_LOTTERY_INVALID';

describe('bundles', () => {
  let he: He;
  before(async () => {
    await lotteryReady;
    he = await loadHe();
  });

  it('are the same to the last bit wherever they are made from the same seed: in this process and in another', () => {
    const here = makeBundle(he, set, spec, 3, seedOf('same'));
    assert.equal(makeBundle(he, set, spec, 3, seedOf('same')).digest, here.digest);
    const script = `
      import { lotteryReady } from './src/joint/lottery/keystream.ts'; import { makeBundle } from './src/joint/lottery/bundle.ts';
      import { loadHe } from './src/he/runtime.ts'; import { jointParameters } from './src/he/joint-parameters.ts';
      await lotteryReady; crypto.getRandomValues(new Uint8Array(7));
      const [spec, seed] = JSON.parse(process.argv[1]);
      console.log(makeBundle(await loadHe(), jointParameters, spec, 3, Uint8Array.from(seed)).digest);`;
    const there = execFileSync(process.execPath, ['--input-type=module-typescript', '-e', script, JSON.stringify([spec, [...seedOf('same')]])], { cwd: path.join(import.meta.dirname, '../../..'), encoding: 'utf8' });
    assert.equal(there.trim(), here.digest);
  });

  it('differ with the seed, the place, the project, the cohort and the columns', () => {
    const digests = [
      makeBundle(he, set, spec, 0, seedOf('a')), makeBundle(he, set, spec, 0, seedOf('b')), makeBundle(he, set, spec, 1, seedOf('a')),
      makeBundle(he, set, { ...spec, project: 'p2' }, 0, seedOf('a')), makeBundle(he, set, { ...spec, cohort: 'c2' }, 0, seedOf('a')),
      makeBundle(he, set, { ...spec, columns: [{ name: 'label', bins: 2 }, { name: 'other', bins: 5 }] }, 0, seedOf('a')),
    ].map(({ digest }) => digest);
    assert.equal(new Set(digests).size, digests.length);
  });

  it('leave the randomness of everybody else alone', () => {
    const before = crypto.getRandomValues;
    makeBundle(he, set, { ...spec, rows: 3 }, 0, seedOf('a'));
    assert.equal(crypto.getRandomValues, before);
    assert.ok(!Object.hasOwn(crypto, 'getRandomValues'));
    assert.notDeepEqual(newSeed(), newSeed());
  });

  it('give pads that are uniform over the bins, and every pad ciphertext once', () => {
    const counts = new Array<number>(5).fill(0);
    for (const bin of uniformBins(50_000, 5, keystreamOf(seedOf('uniform'), 'test'))) counts[bin] = (counts[bin] ?? 0) + 1;
    for (const count of counts) assert.ok(Math.abs(count - 10_000) < 600, counts.join());
    const emitted: number[] = [];
    makeBundle(he, set, spec, 0, seedOf('a'), (_, column) => emitted.push(column));
    assert.equal(emitted.length, padsOf(set, spec));
    assert.equal(emitted.filter((column) => column === 1).length, chunksFor(layoutOf(set.polyModulusDegree, 5), spec.rows));
  });
});

describe('the lottery', () => {
  const bundles = 8;
  const small: BundleSpec = { ...spec, rows: 40, columns: [{ name: 'label', bins: 2 }] };
  const seeds = Array.from({ length: bundles }, (_, at) => seedOf(`bundle ${at}`));
  let he: He;
  let honest: string[];
  before(async () => {
    await lotteryReady;
    he = await loadHe();
    honest = seeds.map((seed, at) => makeBundle(he, set, small, at, seed).digest);
  });
  const opening = (drawn: number) => seeds.map((seed, at) => (at === drawn ? undefined : seed));

  /** A bundle with a pad of the forger's own, its commitment made as an honest one's is. */
  function forged(index: number, seed: Uint8Array, padOf: (encryptor: PadEncryptor) => Uint8Array): string {
    const digest = startBundleDigest(set, small, index);
    const encryptor = createPadEncryptor(he, set, keystreamOf(seed, 'veilgate joint encryption'));
    digest.update(encryptor.publicKey);
    digest.update(padOf(encryptor));
    encryptor.close();
    return digest.hex();
  }
  /** "Bits" of a million. */
  const million = (encryptor: PadEncryptor) => {
    const huge = new Int32Array(set.polyModulusDegree);
    huge[0] = 1_000_000;
    return encryptor.encrypt(huge);
  };
  /** The honest pad of a seed with one bit of its noise flipped: a message beside the message. */
  const hidden = (seed: Uint8Array) => (encryptor: PadEncryptor) => {
    const pad = encryptor.encrypt(padPolynomial(layoutOf(set.polyModulusDegree, 2), padBins(small, 0, seed)));
    pad[ciphertextPrefixBytes + 4] = (pad[ciphertextPrefixBytes + 4] as number) ^ 1;
    return pad;
  };

  it('finds an honest partner honest, whatever is drawn', () => {
    for (let drawn = 0; drawn < bundles; drawn += 1) assert.deepEqual(judgeOpening(he, set, small, { digests: honest }, drawn, opening(drawn)), { outcome: 'honest' });
  });

  it('catches a vector with a million in it unless that bundle is drawn: 1 − 1/K', () => {
    const digests = honest.with(5, forged(5, seeds[5] as Uint8Array, million));
    const verdicts = Array.from({ length: bundles }, (_, drawn) => judgeOpening(he, set, small, { digests }, drawn, opening(drawn)));
    assert.deepEqual(verdicts.map(({ outcome }) => outcome), Array.from({ length: bundles }, (_, drawn) => (drawn === 5 ? 'honest' : 'cheated')));
    assert.deepEqual(verdicts[0], { outcome: 'cheated', bundle: 5 });
  });

  it('catches a second message in the noise of one pad, however small: a bundle is its seed\'s to the last bit', () => {
    const seed = seeds[4] as Uint8Array;
    const honestPad = (encryptor: PadEncryptor) => encryptor.encrypt(padPolynomial(layoutOf(set.polyModulusDegree, 2), padBins(small, 0, seed)));
    assert.equal(forged(4, seed, honestPad), honest[4], 'made by hand, without the message, it is the bundle');
    const digests = honest.with(4, forged(4, seed, hidden(seed)));
    assert.deepEqual(judgeOpening(he, set, small, { digests }, 0, opening(0)), { outcome: 'cheated', bundle: 4 });
    assert.deepEqual(judgeOpening(he, set, small, { digests }, 4, opening(4)), { outcome: 'honest' });
  });

  it('catches a bundle that serves twice, under another place', () => {
    const digests = honest.with(2, makeBundle(he, set, small, 2, seeds[1] as Uint8Array).digest);
    assert.deepEqual(judgeOpening(he, set, small, { digests }, 0, opening(0)), { outcome: 'cheated', bundle: 2 }, 'the seed opened for 2 is not the one it was made from');
    assert.throws(() => checkCommitments({ digests: honest.with(2, honest[1] as string) }, bundles), invalid);
  });

  it('takes no opening that lacks a seed, opens the drawn bundle or answers another draw', () => {
    const judge = (drawn: number, seedsOpened: readonly (Uint8Array | undefined)[]) => judgeOpening(he, set, small, { digests: honest }, drawn, seedsOpened);
    assert.throws(() => judge(3, opening(4)), invalid, 'answered for a draw it would have liked better');
    assert.throws(() => judge(3, seeds), invalid);
    assert.throws(() => judge(3, opening(3).with(0, undefined)), invalid);
    assert.throws(() => judge(3, opening(3).with(0, new Uint8Array(31))), invalid);
    assert.throws(() => checkCommitments({ digests: honest.slice(1) }, bundles), invalid);
    assert.throws(() => checkCommitments({ digests: honest.with(0, 'zz') }, bundles), invalid);
  });

  it('draws every bundle equally often', () => {
    const random = createExactRandom(keystream('draws'));
    const counts = new Array<number>(bundles).fill(0);
    for (let draw = 0; draw < 8000; draw += 1) {
      const drawn = drawBundle(bundles, random);
      counts[drawn] = (counts[drawn] ?? 0) + 1;
    }
    for (const count of counts) assert.ok(Math.abs(count - 1000) < 190, counts.join());
  });
});
