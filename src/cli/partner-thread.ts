import { parentPort } from 'node:worker_threads';
import { jointParameters } from '../he/joint-parameters.ts';
import { loadHe } from '../he/runtime.ts';
import { createAlignment } from '../joint/cohort/alignment.ts';
import { loadGroup } from '../joint/cohort/group.ts';
import { makeBundle, type BundleSpec } from '../joint/lottery/bundle.ts';
import { lotteryReady } from '../joint/lottery/keystream.ts';
import type { SubjectId } from '../vocabulary.ts';
import { faultOf, type CrewAnswer } from './crew.ts';

/** A partner's long work. Seeds, secrets and codes stay within the process. */
export type PartnerWork =
  | { readonly kind: 'digest'; readonly spec: BundleSpec; readonly index: number; readonly seed: Uint8Array }
  | { readonly kind: 'blind'; readonly run: string; readonly secret: Uint8Array; readonly codes: readonly SubjectId[] }
  | { readonly kind: 'blind_again'; readonly run: string; readonly secret: Uint8Array; readonly points: Uint8Array };
/** A digest, or points. */
export type PartnerResult = string | Uint8Array<ArrayBuffer>;

parentPort?.on('message', async (work: PartnerWork) => {
  let answer: CrewAnswer<PartnerResult>;
  try {
    answer = { result: await carryOut(work) };
  } catch (error) {
    answer = faultOf(error, 'A piece of joint modelling could not be worked out: is this client\'s version the platform\'s?');
  }
  parentPort?.postMessage(answer);
});

async function carryOut(work: PartnerWork): Promise<PartnerResult> {
  switch (work.kind) {
    case 'digest':
      await lotteryReady;
      return makeBundle(await loadHe(), jointParameters, work.spec, work.index, work.seed).digest;
    case 'blind':
      return createAlignment(await loadGroup(), work.run).blind(work.secret, work.codes);
    case 'blind_again':
      return createAlignment(await loadGroup(), work.run).blindAgain(work.secret, work.points);
    default:
      return work satisfies never;
  }
}
