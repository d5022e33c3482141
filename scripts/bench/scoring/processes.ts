/** What processes of a measurement cost, and on which cores they run. Linux only; elsewhere there is nothing to tell. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

/** Clock ticks a second in /proc: the same on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** Seconds of CPU that processes and all their descendants, also ended ones that were waited for, have used; NaN without /proc. */
export function cpuSeconds(pids: readonly number[]): number {
  try {
    return [...family(pids)].reduce((sum, pid) => sum + ticksOf(pid), 0) / ticksPerSecond;
  } catch {
    return Number.NaN;
  }
}

/** Most memory a process ever had, in MB; NaN without /proc. */
export function peakRssMb(pid: number): number {
  try {
    return Number(/^VmHWM:\s+([0-9]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024;
  } catch {
    return Number.NaN;
  }
}

/** Keeps processes, their descendants and all their threads on the first `cores` cores. @returns false where that cannot be done */
export function keepOnCores(pids: readonly number[], cores: number): boolean {
  try {
    return [...family(pids)].every((pid) => spawnSync('taskset', ['-a', '-p', '-c', `0-${cores - 1}`, String(pid)]).status === 0);
  } catch {
    return false;
  }
}

function family(pids: readonly number[]): Set<number> {
  const parents = new Map(readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).map((name) => [Number(name), Number(statOf(Number(name))[1])]));
  const found = new Set(pids);
  for (let before = 0; before !== found.size;) {
    before = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  return found;
}

/** Fields of /proc/pid/stat from the state on; [] when the process has gone. */
function statOf(pid: number): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

function ticksOf(pid: number): number {
  // utime, stime and those of children that were waited for: fields 14 to 17 of proc(5)
  return statOf(pid).slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
}
