import { parentPort } from 'node:worker_threads';
import type { PoolWork } from '../../src/he/pool-words.ts';

/** The pool's real thread program, which goes wrong for keys of certain names instead of working. */
const faults: Readonly<Record<string, () => void>> = {
  crash: () => {
    throw new Error('a crash');
  },
  exit: () => process.exit(7),
  memory: () => {
    const hoard: string[][] = [];
    for (;;) hoard.push(Array.from({ length: 10_000 }, (_, at) => `${at} ${hoard.length}`));
  },
  hang: () => {
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
  },
};

const port = parentPort;
if (port !== null) {
  const listen = port.on.bind(port);
  Object.assign(port, {
    on: (event: string, listener: (value: PoolWork) => void) =>
      listen(event, (work: PoolWork) => (work.kind === 'check' ? listener(work) : (faults[work.keyId] ?? (() => listener(work)))())),
  });
}
await import('../../src/he/pool-worker.ts');
