import os from 'node:os';
import type { Blinding } from '../sdk/alignment.ts';
import type { DigestOf } from '../sdk/joint-run.ts';
import { startCrew } from './crew.ts';
import type { PartnerResult, PartnerWork } from './partner-thread.ts';

/** A partner's long work in threads, one a core: digests of bundles, and blinded codes. */
export type PartnerThreads = { readonly digestOf: DigestOf; readonly blinding: Blinding; readonly close: () => Promise<void> };

export function partnerThreads(count = os.availableParallelism()): PartnerThreads {
  const crew = startCrew<PartnerWork, PartnerResult>(new URL('./partner-thread.ts', import.meta.url), count, 'works for joint modelling');
  // a thread answers what it was asked: a digest for `digest`, points otherwise
  const points = async (work: PartnerWork) => await crew.ask(work) as Uint8Array<ArrayBuffer>;
  return {
    digestOf: async (spec, index, seed) => await crew.ask({ kind: 'digest', spec, index, seed }) as string,
    blinding: {
      blind: (run, secret, codes) => points({ kind: 'blind', run, secret, codes }),
      blindAgain: (run, secret, own) => points({ kind: 'blind_again', run, secret, points: own }),
    },
    close: crew.close,
  };
}

/** Runs a command's work with threads, and ends them with it. */
export async function withPartnerThreads<Result>(work: (threads: PartnerThreads) => Promise<Result>): Promise<Result> {
  const threads = partnerThreads();
  try {
    return await work(threads);
  } finally {
    await threads.close();
  }
}
