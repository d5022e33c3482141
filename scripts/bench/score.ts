/**
 * `npm run bench -- score`: what do sealed scores cost, of a province and of one enterprise, beside the same sum in SQL?
 * Everything on this machine: bank, gateway, workers, custodian and PostgreSQL share its cores. Every score that is
 * opened is compared with what SQL gives on the plain values. What each figure is: docs/performance.md.
 */
import os from 'node:os';
import { provideBase64 } from '../../src/base64.ts';
import { parameterSets } from '../../src/he/parameters.ts';
import type { FieldRef } from '../../src/vocabulary.ts';
import { grantAll, startBenchGateway } from './load/platform.ts';
import type { Bench } from './main.ts';
import { figure, type Figure } from './report.ts';
import { startBlockRunner, type RoundResult } from './scoring/blocks.ts';
import { runScoreJob } from './scoring/job.ts';
import { measureOnline } from './scoring/online.ts';
import { fillPlain, plainScores, plainSumSeconds } from './scoring/plain-sql.ts';
import { cpuSeconds, keepOnCores } from './scoring/processes.ts';
import { soak } from './scoring/soak.ts';
import { scoreBenchWorld, type ScoreBenchWorld } from './scoring/world.ts';

type Say = (line: string) => void;
type Sizes = { readonly province: number; readonly growth: readonly number[]; readonly online: number; readonly soak: number };

/** The soak: an hour with one score a second. */
const fullSizes: Sizes = { province: 310_000, growth: [10_000, 100_000, 1_000_000], online: 1200, soak: 3600 };
const quickSizes: Sizes = { province: 10_000, growth: [10_000], online: 60, soak: 60 };
/** Scores of one enterprise asked for in a second. */
const pace = 20;
/** Fewer columns than a province has: they come from PostgreSQL every time. */
const smallCacheBytes = 64 * 2 ** 20;
const largeCacheBytes = 512 * 2 ** 20;

export const bench: Bench = async ({ quick, say }) => {
  provideBase64(); // as the command line client does
  const sizes = quick ? quickSizes : fullSizes;
  const world = await scoreBenchWorld(Math.max(sizes.province, ...sizes.growth), say);
  const figures: Figure[] = [];
  try {
    await fillPlain(world.platform.cluster.url(), world.features, sizes.province);
    figures.push(...await province(world, sizes.province, say));
    figures.push(...await growth(world, sizes.growth, say));
    figures.push(...await throughTheGateway(world, sizes, say));
    const set = parameterSets['veilgate-score-1'];
    figures.push(figure('score.encrypt_values_per_second', world.encryptedPerSecond, '1/s'), figure('score.bytes_per_value', set.columnBytes / set.slots, 'bytes'));
  } finally {
    await world.close();
  }
  const soaked = await soak(sizes.soak);
  say(`soak of ${soaked.rounds} columns encrypted, results made and decrypted in one heap: ${soaked.seconds.toFixed(0)} s, heap ${soaked.heapMb.toFixed(0)} MB`);
  figures.push(figure('score.soak_rounds', soaked.rounds, 'count'), figure('score.soak_heap_mb', soaked.heapMb, 'MB'), figure('score.soak_heap_growth_mb', soaked.growthMb, 'MB', '<= 0'));
  return figures;
};

/** A province from ciphertexts to opened scores, beside the same in SQL, in turns. */
async function province(world: ScoreBenchWorld, enterprises: number, say: Say): Promise<Figure[]> {
  const url = world.platform.cluster.url();
  const plainly = () => plainScores(url, world.openable.model, enterprises);
  await plainly();
  const plain = await fastest(3, plainly);
  const same = (raw: Int32Array) => {
    const at = raw.findIndex((value, n) => value !== plain.raw[n]);
    if (at >= 0) throw new Error(`the score of enterprise ${at} is not what SQL gives`);
  };
  const cores = Math.min(2, os.availableParallelism());
  const runner = await startBlockRunner(world, { threads: cores, cacheBytesMax: smallCacheBytes });
  const first = await runner.round(enterprises);
  const sealed = await fastest(4, async () => {
    await rest();
    return runner.round(enterprises);
  });
  [first, sealed].forEach(({ raw }) => same(raw));
  const { pid } = runner;
  const oneCore = await onOneCore([pid, process.pid, world.custodian.pid() ?? 0, world.platform.cluster.pid ?? 0], cores, async () => ({
    sealed: await fastest(2, async () => { await rest(); return runner.round(enterprises); }), plain: await fastest(2, plainly),
  }));
  const peakRssMb = runner.peakRssMb();
  await runner.close();
  const keeping = await startBlockRunner(world, { threads: cores, cacheBytesMax: largeCacheBytes });
  await keeping.round(enterprises);
  const kept = await fastest(2, async () => { await rest(); return keeping.round(enterprises); });
  same(kept.raw);
  await keeping.close();
  const inside = (await fastest(3, async () => ({ seconds: await plainSumSeconds(url, world.openable.model) }))).seconds;
  say(`${enterprises} enterprises × ${world.features.length} features, ${cores} core(s): ${spelt(sealed)}; a worker that has just started ${first.seconds.toFixed(2)} s; all columns at hand ${kept.seconds.toFixed(2)} s`);
  say(`the same sums as SQL over plain columns, read by a client: ${plain.seconds.toFixed(3)} s; summed inside the server alone: ${inside.toFixed(3)} s`);
  if (oneCore !== undefined) say(`one core: ${spelt(oneCore.sealed)}; SQL ${oneCore.plain.seconds.toFixed(3)} s`);
  return [
    figure('score.province_seconds', sealed.seconds, 's'),
    figure('score.province_seconds_new_worker', first.seconds, 's'),
    figure('score.province_seconds_cached', kept.seconds, 's'),
    ...(oneCore === undefined ? [] : [figure('score.province_seconds_1core', oneCore.sealed.seconds, 's'), figure('score.sql_seconds_1core', oneCore.plain.seconds, 's')]),
    figure('score.province_cpu_seconds', sum(sealed.cpu), 's'),
    ...Object.entries(sealed.cpu).map(([name, seconds]) => figure(`score.province_cpu_${name}_seconds`, seconds, 's')),
    figure('score.peak_rss_mb', peakRssMb, 'MB'),
    figure('score.sql_seconds', plain.seconds, 's'),
    figure('score.sql_sum_only_seconds', inside, 's'),
    figure('score.ratio_to_sql', sealed.seconds / plain.seconds, 'ratio', '<= 3'),
    figure('score.ratio_to_sql_new_worker', first.seconds / plain.seconds, 'ratio'),
    figure('score.ratio_to_sql_cached', kept.seconds / plain.seconds, 'ratio'),
  ];
}

/** More enterprises: a fresh process for each size, so that its memory is its own. */
async function growth(world: ScoreBenchWorld, counts: readonly number[], say: Say): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const enterprises of counts) {
    const runner = await startBlockRunner(world, { threads: Math.min(2, os.availableParallelism()), cacheBytesMax: smallCacheBytes });
    await runner.round(Math.min(enterprises, 10_000)); // starts everything
    await rest();
    const result = await runner.round(enterprises);
    const rssMb = runner.peakRssMb();
    await runner.close();
    say(`${enterprises} enterprises: ${spelt(result)}, ${((result.seconds * 1e6) / enterprises).toFixed(1)} µs each, peak ${rssMb.toFixed(0)} MB`);
    figures.push(
      figure(`score.enterprises_${enterprises}_seconds`, result.seconds, 's'), figure(`score.enterprises_${enterprises}_us_each`, (result.seconds * 1e6) / enterprises, 'us'),
      figure(`score.enterprises_${enterprises}_cpu_us_each`, (sum(result.cpu) * 1e6) / enterprises, 'us'), figure(`score.enterprises_${enterprises}_rss_mb`, rssMb, 'MB'),
    );
  }
  return figures;
}

/** The whole job, and one enterprise at a time: grants, log and receipts in it, over HTTP. */
async function throughTheGateway(world: ScoreBenchWorld, sizes: Sizes, say: Say): Promise<Figure[]> {
  const { platform } = world;
  const fields = new Map(world.features.map(({ source }) => [source as FieldRef, 'desensitised' as const]));
  await grantAll(platform.database, sizes.province, fields);
  const gateway = await startBenchGateway(platform, 1, world.gatewaySettings);
  try {
    const job = await runScoreJob(world, sizes.province);
    say(`the whole job with ${sizes.province} grants: ${job.seconds.toFixed(1)} s (list ${job.listSeconds.toFixed(1)} s, who may be scored ${job.planSeconds.toFixed(1)} s)`);
    // a job of a province leaves 310,000 used grants behind: cleaning up after it belongs to it, not to the scores that follow
    await platform.database.query('vacuum (analyze)');
    const pids = [gateway.process.pid ?? 0, world.custodian.pid() ?? 0, platform.cluster.pid ?? 0];
    const cpuBefore = cpuSeconds(pids);
    const online = await measureOnline(world, { requests: sizes.online, perSecond: pace, enterprises: sizes.province });
    const cpuMs = ((cpuSeconds(pids) - cpuBefore) * 1000) / online.sent;
    say(`one enterprise at a time, ${pace} a second: p50 ${online.p50Ms.toFixed(1)} ms, p99 ${online.p99Ms.toFixed(1)} ms of ${sizes.online}; CPU of gateway, custodian and PostgreSQL ${cpuMs.toFixed(1)} ms each`);
    return [
      figure('score.province_job_seconds', job.seconds, 's'), figure('score.province_job_list_seconds', job.listSeconds, 's'), figure('score.province_job_plan_seconds', job.planSeconds, 's'),
      figure('score.online_per_second', pace, '1/s'), figure('score.online_p50_ms', online.p50Ms, 'ms'), figure('score.online_p99_ms', online.p99Ms, 'ms', '<= 60'), figure('score.online_cpu_ms_each', cpuMs, 'ms'),
    ];
  } finally {
    await gateway.stop();
  }
}

async function onOneCore<T>(pids: readonly number[], cores: number, work: () => Promise<T>): Promise<T | undefined> {
  if (cores === 1 || !keepOnCores(pids, 1)) return undefined;
  try {
    return await work();
  } finally {
    keepOnCores(pids, cores);
  }
}

async function fastest<Result extends { readonly seconds: number }>(rounds: number, act: () => Promise<Result>): Promise<Result> {
  let best = await act();
  for (let round = 1; round < rounds; round += 1) {
    const next = await act();
    if (next.seconds < best.seconds) best = next;
  }
  return best;
}

/** As long as a worker needs to make its blinders ahead. */
const rest = () => new Promise((resolve) => { setTimeout(resolve, 700); });
const sum = (cpu: RoundResult['cpu']) => Object.values(cpu).reduce((total, each) => total + each, 0);
const spelt = ({ seconds, cpu }: RoundResult) => `${seconds.toFixed(2)} s (CPU ${Object.entries(cpu).map(([name, each]) => `${name} ${each.toFixed(2)}`).join(', ')} s)`;
