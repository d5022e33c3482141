import { childrenOf } from '../load/cpu.ts';
import { cpuSeconds } from '../scoring/processes.ts';

/** Seconds of CPU by process, over one stage. */
export type StageCpu = { readonly partner: number; readonly gateway: number; readonly worker: number; readonly postgres: number };
export type Stage = { readonly seconds: number; readonly cpu: StageCpu };

export type Stages = {
  readonly timed: <Result>(name: string, work: () => Promise<Result>) => Promise<Result>;
  readonly of: (name: string) => Stage;
  /** Of stages one after another. */
  readonly sum: (names: readonly string[]) => Stage;
};

/** Times stages of a line whose gateway and PostgreSQL are processes of their own, and says what each took. @param pids process ids */
export function stagesOf(pids: { readonly gateway: number | undefined; readonly postgres: number | undefined }, say: (line: string) => void): Stages {
  const kept = new Map<string, Stage>();
  const soFar = (): StageCpu => {
    const own = process.cpuUsage();
    const worker = pids.gateway === undefined ? [] : childrenOf(pids.gateway);
    return { partner: (own.user + own.system) / 1e6, gateway: of([pids.gateway ?? 0]) - of(worker), worker: of(worker), postgres: of([pids.postgres ?? 0]) };
  };
  const stage = (name: string) => kept.get(name) ?? { seconds: Number.NaN, cpu: { partner: 0, gateway: 0, worker: 0, postgres: 0 } };
  return {
    async timed(name, work) {
      const [startedMs, before] = [performance.now(), soFar()];
      const result = await work();
      const [seconds, after] = [(performance.now() - startedMs) / 1000, soFar()];
      kept.set(name, { seconds, cpu: together([after, before], (now, then) => now - then) });
      say(`  ${name}: ${seconds.toFixed(1)} s; CPU ${cpuText(stage(name).cpu)}`);
      return result;
    },
    of: stage,
    sum: (names) => ({
      seconds: names.reduce((all, name) => all + stage(name).seconds, 0),
      cpu: names.map((name) => stage(name).cpu).reduce((all, each) => together([all, each], (one, other) => one + other)),
    }),
  };
}

export function cpuText(cpu: StageCpu): string {
  return Object.entries(cpu).map(([name, seconds]) => `${name} ${seconds.toFixed(1)}`).join(', ');
}

function together([one, other]: readonly [StageCpu, StageCpu], by: (one: number, other: number) => number): StageCpu {
  return { partner: by(one.partner, other.partner), gateway: by(one.gateway, other.gateway), worker: by(one.worker, other.worker), postgres: by(one.postgres, other.postgres) };
}

function of(pids: readonly number[]): number {
  return pids.length === 0 ? 0 : cpuSeconds(pids);
}
