import { strict as assert } from 'node:assert';
import { jointParameters as set } from '../../../src/he/joint-parameters.ts';
import { loadHe, type He } from '../../../src/he/runtime.ts';
import { createWindowDecryptor } from '../../../src/he/window-decrypt.ts';
import { clearSums } from '../../../src/joint/circuit/clear.ts';
import { layoutOf, shiftOf } from '../../../src/joint/circuit/layout.ts';
import { openTable } from '../../../src/joint/circuit/table.ts';
import { sampleSubject } from '../../../scripts/sample/subjects.ts';
import { makeBundle, type Bundle, type BundleSpec } from '../../../src/joint/lottery/bundle.ts';
import { lotteryReady, newSeed } from '../../../src/joint/lottery/keystream.ts';
import { createAlignment } from '../../../src/joint/cohort/alignment.ts';
import { loadGroup } from '../../../src/joint/cohort/group.ts';
import { blindInThreads, judgeInThreads, runTable } from '../../../src/joint/threads/run.ts';
import { VeilgateError } from '../../../src/errors.ts';

const spec: BundleSpec = { project: 'p', cohort: 'c', rows: 1200, columns: [{ name: 'label', bins: 3 }] };
const threads = { threads: 2, memoryMb: 512 };

describe('tables and lotteries in threads', () => {
  let he: He;
  let bundle: Bundle;
  const pads: Uint8Array[] = [];
  before(async () => {
    await lotteryReady;
    he = await loadHe();
    bundle = makeBundle(he, set, spec, 0, newSeed(), (pad) => pads.push(pad));
  });

  const layout = layoutOf(set.polyModulusDegree, 3);
  const bins = Array.from({ length: spec.rows }, (_, row) => (row * row) % 3);
  const shifts = () => Uint8Array.from(bins, (bin, row) => shiftOf(layout, bin, bundle.pads[0]?.[row] as number));
  const columns = Array.from({ length: 5 }, (_, column) => ({ values: Int32Array.from(bins, (_bin, row) => ((row + column) % 7) - 3), bound: 3 }));
  const request = () => ({ publicKey: bundle.publicKey, bins: 3, shifts: shifts(), columns, variance: { numerator: 0n, denominator: 1n }, pads });

  it('give every column\'s sums, in order, however many threads there are', async () => {
    const decryptor = createWindowDecryptor(he, set, bundle.secretKey);
    for (const hands of [1, 2, 9]) {
      const results = await runTable({ ...threads, threads: hands }, request());
      assert.deepEqual(results.map((result) => openTable(decryptor, set, layout, result)), columns.map(({ values }) => clearSums(values, bins, 3)));
    }
    decryptor.close();
  });

  it('end with the partner\'s fault named, and leave no thread behind', async () => {
    const broken = (pads[0] as Uint8Array).slice(0, 100);
    await assert.rejects(runTable(threads, { ...request(), pads: [broken] }), (error: unknown) => error instanceof VeilgateError && error.code === 'HE_CIPHERTEXT_REFUSED');
    await assert.rejects(runTable(threads, { ...request(), pads: [] }), (error: unknown) => error instanceof VeilgateError && error.code === 'JOINT_INPUT_INVALID');
  });

  it('end as one failed run when a thread takes too long', async () => {
    await assert.rejects(runTable({ ...threads, timeoutMs: 1 }, request()), (error: unknown) => error instanceof VeilgateError && error.code === 'HE_EVALUATION_FAILED');
  });

  it('blind lists piece by piece, in order, as one thread would', async () => {
    const group = await loadGroup();
    const secret = group.randomScalar();
    const codes = Array.from({ length: 70 }, (_, at) => sampleSubject(at, 1));
    const pieces = Array.from({ length: 7 }, (_, at) => ({ codes: codes.slice(10 * at, 10 * at + 10) }));
    const blinded: Uint8Array[] = [];
    for await (const points of blindInThreads(threads, 'run', secret, pieces)) blinded.push(points);
    assert.deepEqual(Buffer.concat(blinded), Buffer.from(createAlignment(group, 'run').blind(secret, codes)));
    const again: Uint8Array[] = [];
    for await (const points of blindInThreads(threads, 'run', secret, blinded.map((points) => ({ points })))) again.push(points);
    assert.deepEqual(Buffer.concat(again), Buffer.from(createAlignment(group, 'run').blindAgain(secret, Buffer.concat(blinded))));
    await assert.rejects(async () => {
      for await (const _ of blindInThreads(threads, 'run', secret, [{ points: new Uint8Array(31) }])) assert.fail('half a point was blinded');
    }, (error: unknown) => error instanceof VeilgateError && error.code === 'COHORT_POINT_REFUSED');
  });

  it('judge an opening as one thread would, and name the first cheated bundle', async () => {
    const small = { ...spec, rows: 30 };
    const seeds = Array.from({ length: 8 }, () => newSeed());
    const digests = seeds.map((seed, index) => makeBundle(he, set, small, index, seed).digest);
    const opening = seeds.map((seed, index) => (index === 6 ? undefined : seed));
    const seen: number[] = [];
    assert.deepEqual(await judgeInThreads(threads, small, { digests }, 6, opening, (judged) => seen.push(judged)), { outcome: 'honest' });
    assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7]);
    const swapped = digests.with(2, digests[3] as string).with(4, digests[3] as string);
    assert.deepEqual(await judgeInThreads(threads, small, { digests: swapped }, 6, opening), { outcome: 'cheated', bundle: 2 });
  });
});
