import { fork } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { serverFlags } from '../../../src/gateway/engine-flags.ts';
import { openScore } from '../../../src/scoring/model/open.ts';
import { askedSubjects } from '../../../src/scoring/run/asked-subjects.ts';
import { openHalves, signScoreClaims } from '../../../src/sdk/scores.ts';
import type { OpenedScore } from '../../../src/scoring/protocol.ts';
import type { InstitutionId, PublicJwk } from '../../../src/vocabulary.ts';
import { sampleSubject } from '../../sample/subjects.ts';
import { bankId, purpose, seed } from '../load/platform.ts';
import type { BlockNews, BlockOrder } from './block-words.ts';
import { cpuSeconds, peakRssMb } from './processes.ts';
import type { ScoreBenchWorld } from './world.ts';

export type RoundResult = {
  /** From the order to the last opened score. */
  readonly seconds: number;
  /** Of all processes: blocks, custodian, PostgreSQL and the bank. */
  readonly cpu: Readonly<Record<'blocks' | 'custodian' | 'postgres' | 'bank', number>>;
  /** Waiting and work of each step, summed over blocks that run side by side. */
  readonly stepSeconds: Readonly<Record<string, number>>;
  /** Opened raw scores, by enterprise number. */
  readonly raw: Int32Array;
};

export type BlockRunner = {
  readonly pid: number;
  readonly round: (enterprises: number) => Promise<RoundResult>;
  readonly peakRssMb: () => number;
  readonly close: () => Promise<void>;
};

/** Blocks worked on at a time: while some wait for PostgreSQL or the custodian, others compute. */
const width = 6;

/** A process that scores blocks; the bank that opens them is this process. */
export async function startBlockRunner(world: ScoreBenchWorld, options: { readonly threads: number; readonly cacheBytesMax: number }): Promise<BlockRunner> {
  const { platform, custodian, openable, key } = world;
  const child = fork(path.join(import.meta.dirname, 'block-process.ts'), [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [...serverFlags], env: {} });
  const pid = child.pid ?? 0;
  const send = (order: BlockOrder) => child.send(order);
  let listen: (news: BlockNews) => void = () => {};
  child.on('message', (news: BlockNews) => listen(news));
  child.once('exit', () => listen({ failed: 'it ended' }));
  await new Promise<void>((resolve, reject) => {
    listen = (news) => ('ready' in news ? resolve() : reject(new Error(`the process that scores blocks: ${JSON.stringify(news)}`)));
    send({ setup: {
      databaseUrl: platform.cluster.url(), keysFolder: world.keysFolder, gatewayUrl: platform.gatewayUrl, model: openable.model, institution: bankId as InstitutionId,
      custodian: { url: custodian.url, id: custodian.id, statementKey: custodian.statementKey }, recipient: platform.bank.encryption?.publicJwk as PublicJwk, ...options,
    } });
  });
  const own = { gateway: platform.gatewayUrl, credentials: platform.bank };
  const pids = { blocks: pid, custodian: custodian.pid() ?? 0, postgres: platform.cluster.pid ?? 0 };

  const round = async (enterprises: number): Promise<RoundResult> => {
    const numbers = new Map(Array.from({ length: enterprises }, (_, n) => [sampleSubject(n, seed), n]));
    const subjects = askedSubjects([...numbers.keys()]);
    const request = await signScoreClaims(own, { kind: 'many', model: openable.model.ref, purpose, lifetimeS: 3600, subjects: 'a'.repeat(64), count: enterprises });
    const requestDigest = hash('sha256', request, 'hex');
    const raw = new Int32Array(enterprises);
    const used = () => ({ ...Object.fromEntries(Object.entries(pids).map(([name, id]) => [name, cpuSeconds([id])])), bank: ownCpuSeconds() }) as RoundResult['cpu'];
    const before = used();
    const startMs = performance.now();
    const opening: Promise<readonly OpenedScore[]>[] = [];
    const stepSeconds = await new Promise<Readonly<Record<string, number>>>((resolve, reject) => {
      listen = (news) => {
        if ('block' in news) {
          opening.push((async () => {
            const unmasked = await openHalves(news.sealed, { model: openable.model.ref, openable, subjects, custodian: key.custodian, parameters: key.parameters, requestDigest }, own);
            return openScore(openable, unmasked);
          })());
        } else if ('over' in news) resolve(news.over.stepSeconds);
        else reject(new Error(JSON.stringify(news)));
      };
      send({ round: { enterprises, request, requestDigest, width } });
    });
    const opened = await Promise.all(opening);
    const seconds = (performance.now() - startMs) / 1000;
    const after = used();
    if (opened.reduce((sum, { length }) => sum + length, 0) !== enterprises) throw new Error('not every score came');
    for (const one of opened.flat()) raw[numbers.get(one.subject) as number] = one.raw;
    const cpu = Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - before[name as keyof typeof before]])) as RoundResult['cpu'];
    return { seconds, cpu, stepSeconds, raw };
  };
  return {
    pid, round,
    peakRssMb: () => peakRssMb(pid),
    async close() {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}

function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
