/**
 * `npm run bench -- joint`: what encrypted aggregates cost. Pads, products, re-randomising, flood and opening are
 * real. First the parts, partner and platform in one process, without network; then a whole project over HTTP (joint/line.ts).
 */
import os from 'node:os';
import { jointParameters as set } from '../../src/he/joint-parameters.ts';
import { loadHe, type He } from '../../src/he/runtime.ts';
import { createWindowDecryptor } from '../../src/he/window-decrypt.ts';
import { clearSums } from '../../src/joint/circuit/clear.ts';
import { layoutOf, shiftOf } from '../../src/joint/circuit/layout.ts';
import { openTable, type ClearColumn } from '../../src/joint/circuit/table.ts';
import { match, pointsMax } from '../../src/joint/cohort/alignment.ts';
import { loadGroup } from '../../src/joint/cohort/group.ts';
import { makeBundle, type BundleSpec } from '../../src/joint/lottery/bundle.ts';
import { lotteryReady, newSeed } from '../../src/joint/lottery/keystream.ts';
import { blindInThreads, judgeInThreads, runTable } from '../../src/joint/threads/run.ts';
import { binOf, equalFrequencyEdges } from '../../src/joint/scorecard/binning.ts';
import { sampleSubject } from '../sample/subjects.ts';
import { readVerticalData } from '../sample/vertical-data.ts';
import { benchLine } from './joint/line.ts';
import type { Bench } from './main.ts';
import { figure, type Figure } from './report.ts';

const cores = os.availableParallelism();
const silent = { numerator: 0n, denominator: 1n };

export const bench: Bench = async ({ quick, say }) => {
  await lotteryReady;
  const he = await loadHe();
  const figures: Figure[] = [];

  const credit = creditColumns(quick ? 3_000 : 30_000);
  const woe = await encryptedPass(he, credit.label, 2, credit.oneHot);
  say(`WOE/IV of 23 features × 10 bins over ${credit.label.length} rows: ${woe.seconds.toFixed(1)} s, ${mebibytes(woe.padBytes)} MiB up, ${mebibytes(woe.resultBytes)} MiB down`);
  figures.push(figure('joint.woe_seconds', woe.seconds, 's'), figure('joint.woe_upload_mib', woe.padBytes / 2 ** 20, 'MiB'), figure('joint.woe_download_mib', woe.resultBytes / 2 ** 20, 'MiB'));

  const lottery = await lotterySeconds(he, { project: 'bench', cohort: 'bench', rows: credit.label.length, columns: [{ name: 'label', bins: 2 }] }, 16);
  say(`lottery of 16 bundles over the label: partner ${lottery.partner.toFixed(1)} s, platform ${lottery.platform.toFixed(1)} s`);
  figures.push(figure('joint.lottery_partner_seconds', lottery.partner, 's'), figure('joint.lottery_platform_seconds', lottery.platform, 's'));

  // FATE's published benchmark: 100,000 rows, 30 columns at the guest, 300 at the host; 136 s for an epoch on two 16-core hosts
  const rows = quick ? 5_000 : 100_000;
  const columnCount = quick ? 30 : 300;
  for (const [share, name] of [[0.1, 'tenth'], [0.5, 'half'], [1, '']] as const) {
    const pass = await encryptedPass(he, randomBins(rows * share, 2), 2, Array.from({ length: columnCount }, () => randomColumn(rows * share, 20)));
    say(`one encrypted pass, ${rows * share} rows × ${columnCount} columns: ${pass.seconds.toFixed(1)} s, peak ${pass.rssMib} MiB`);
    figures.push(figure(name === '' ? 'joint.fate_pass_seconds' : `joint.fate_pass_${name}_seconds`, pass.seconds, 's', name === '' ? '<= 15' : null));
    if (name === '') figures.push(figure('joint.fate_pass_rss_mib', pass.rssMib, 'MiB'));
  }

  for (const [size, name] of [[10_000, '1e4'], [100_000, '1e5']] as const) {
    const count = quick ? size / 100 : size;
    const seconds = await alignmentSeconds(count);
    say(`cohort of ${count} × ${count}: ${seconds.toFixed(1)} s on ${cores} cores`);
    figures.push(figure(`joint.psi_${name}_seconds`, seconds, 's', name === '1e5' ? '< 60' : null));
  }
  figures.push(...await benchLine(quick ? { rows: 2_000, own: 2, platform: 4 } : { rows: 30_000, own: 13, platform: 10 }, say));
  return figures;
};

/** The credit set's label, and each of its 23 features as one-hot columns. */
function creditColumns(rowsMax: number) {
  const data = readVerticalData('default_credit');
  const rows = Math.min(rowsMax, data.ids.length);
  const oneHot = [...data.guest, ...data.host].flatMap(({ values }) => {
    const used = [...values.subarray(0, rows)];
    const edges = equalFrequencyEdges(used, 10);
    const bins = used.map((value) => binOf(edges, value));
    return Array.from({ length: edges.length + 1 }, (_, bin): ClearColumn => ({ values: Int32Array.from(bins, (each) => (each === bin ? 1 : 0)), bound: 1 }));
  });
  return { label: data.bad.slice(0, rows), oneHot };
}

/** From pads as bytes to opened sums, on all cores; the sums are compared with the clear twin. */
async function encryptedPass(he: He, partnerBins: Uint8Array, bins: number, columns: readonly ClearColumn[]) {
  const pads: Uint8Array[] = [];
  const bundle = makeBundle(he, set, { project: 'bench', cohort: 'bench', rows: partnerBins.length, columns: [{ name: 'column', bins }] }, 0, newSeed(), (pad) => pads.push(pad));
  const layout = layoutOf(set.polyModulusDegree, bins);
  const shifts = Uint8Array.from(partnerBins, (bin, row) => shiftOf(layout, bin, bundle.pads[0]?.[row] ?? 0));
  let rssMib = 0;
  const watch = setInterval(() => (rssMib = Math.max(rssMib, Math.round(process.memoryUsage.rss() / 2 ** 20))), 50);
  const startedMs = performance.now();
  const results = await runTable({ threads: cores, memoryMb: 1024 }, { publicKey: bundle.publicKey, bins, shifts, columns, variance: silent, pads });
  const decryptor = createWindowDecryptor(he, set, bundle.secretKey);
  const opened = results.map((result) => openTable(decryptor, set, layout, result));
  const seconds = (performance.now() - startedMs) / 1000;
  clearInterval(watch);
  decryptor.close();
  const differing = opened.findIndex((sums, at) => sums.join() !== clearSums(columns[at]?.values ?? [], partnerBins, bins).join());
  if (differing >= 0) throw new Error(`column ${differing} is not what the clear twin gives`);
  return { seconds, rssMib, padBytes: pads.reduce((sum, { length }) => sum + length, 0), resultBytes: results.reduce((sum, { length }) => sum + length, 0) };
}

async function lotterySeconds(he: He, spec: BundleSpec, bundles: number) {
  const seeds = Array.from({ length: bundles }, () => newSeed());
  let startedMs = performance.now();
  const digests = seeds.map((seed, index) => makeBundle(he, set, spec, index, seed).digest);
  const partner = (performance.now() - startedMs) / 1000;
  startedMs = performance.now();
  const verdict = await judgeInThreads({ threads: cores, memoryMb: 512 }, spec, { digests }, 0, seeds.map((seed, at) => (at === 0 ? undefined : seed)));
  if (verdict.outcome !== 'honest') throw new Error('an honest partner was not found honest');
  return { partner, platform: (performance.now() - startedMs) / 1000 };
}

/** Both sides' work on all cores: each list is blinded twice. */
async function alignmentSeconds(count: number): Promise<number> {
  const group = await loadGroup();
  const [partner, platform] = [group.randomScalar(), group.randomScalar()];
  const threads = { threads: cores, memoryMb: 256 };
  const startedMs = performance.now();
  const blinded: Uint8Array[][] = [];
  for (const [seed, first, second] of [[1, partner, platform], [2, platform, partner]] as const) {
    const pieces = Array.from({ length: Math.ceil(count / pointsMax) }, (_, piece) => ({
      codes: Array.from({ length: Math.min(pointsMax, count - piece * pointsMax) }, (__, at) => sampleSubject(piece * pointsMax + at, seed)),
    }));
    const once: { readonly points: Uint8Array }[] = [];
    for await (const points of blindInThreads(threads, 'bench', first, pieces)) once.push({ points });
    const twice: Uint8Array[] = [];
    for await (const points of blindInThreads(threads, 'bench', second, once)) twice.push(points);
    blinded.push(twice);
  }
  const [own = [], cohort = []] = blinded;
  if (match(Buffer.concat(own), Buffer.concat(cohort)).some((position) => position !== undefined)) throw new Error('codes of two different lists were matched');
  return (performance.now() - startedMs) / 1000;
}

function randomBins(rows: number, bins: number): Uint8Array {
  return Uint8Array.from({ length: rows }, () => Math.floor(Math.random() * bins));
}

function randomColumn(rows: number, bound: number): ClearColumn {
  return { values: Int32Array.from({ length: rows }, () => Math.floor(Math.random() * (2 * bound + 1)) - bound), bound };
}

const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20);
