import { readFileSync, readdirSync } from 'node:fs';

/** Microseconds of CPU by part of the system. Zero where there is no /proc. */
export type Cpu = { readonly gateway: number; readonly postgresql: number; readonly load: number };

/**
 * CPU spent so far, with all threads: of the gateway and its workers, of PostgreSQL with all its backends, of this
 * process, which makes the load. On a machine that others use too, CPU for one query tells more than queries a second.
 * A process that ended takes its share along: read before and after a run, while all are alive.
 */
export function cpuSoFar(gateway: number | undefined, postgresql: number | undefined): Cpu {
  const own = process.cpuUsage();
  return { gateway: ofTree(gateway), postgresql: ofTree(postgresql), load: own.user + own.system };
}

/** What `requests` requests cost each, from one reading to the next. */
export function cpuEach(before: Cpu, after: Cpu, requests: number): Cpu {
  const each = (part: keyof Cpu) => (after[part] - before[part]) / requests;
  return { gateway: each('gateway'), postgresql: each('postgresql'), load: each('load') };
}

/** A process and its children; theirs are its workers or backends, which have none of their own. */
function ofTree(pid: number | undefined): number {
  return pid === undefined ? 0 : [pid, ...childrenOf(pid)].reduce((sum, each) => sum + ofProcess(each), 0);
}

function ofProcess(pid: number): number {
  return listed(`/proc/${pid}/task`).reduce((sum, thread) => sum + Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0]) / 1000, 0);
}

export function childrenOf(pid: number): number[] {
  return listed(`/proc/${pid}/task`).flatMap((thread) => read(`/proc/${pid}/task/${thread}/children`).trim().split(' ').filter((text) => text !== '').map(Number));
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
