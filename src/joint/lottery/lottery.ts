import { VeilgateError } from '../../errors.ts';
import type { ParameterSet } from '../../he/parameters.ts';
import type { He } from '../../he/runtime.ts';
import { createExactRandom, type ExactRandom } from '../noise/exact-random.ts';
import { makeBundle, type BundleSpec } from './bundle.ts';
import { seedBytes } from './keystream.ts';

/**
 * The lottery that makes a partner's input honest. The partner commits to K bundles; one is drawn to be used; the
 * seeds of all others are laid open and every bundle made again from its seed. A partner that made one bundle
 * otherwise than from a seed is caught unless that very one is drawn: with probability 1 − 1/K, before anything is
 * released (covert security: Aumann and Lindell 2007).
 */
export type Commitments = {
  /** Digests of bundles 0..K − 1, all different. */
  readonly digests: readonly string[];
};

export const bundlesMin = 8;
export const bundlesMax = 64;

/** Errors: JOINT_LOTTERY_INVALID. */
export function checkCommitments({ digests }: Commitments, bundles: number): void {
  const wellFormed = digests.length === bundles && digests.every((digest) => /^[0-9a-f]{64}$/.test(digest)) && new Set(digests).size === digests.length;
  if (!wellFormed) throw new VeilgateError('JOINT_LOTTERY_INVALID', `Commit to exactly ${bundles} different bundles, each by its SHA-256 in lower-case hex.`);
}

/** Which bundle will be used: uniform, from the platform's own randomness, known to nobody before. */
export function drawBundle(bundles: number, random: ExactRandom = createExactRandom()): number {
  return Number(random.below(BigInt(bundles)));
}

/** Seeds of the bundles that were not drawn; undefined at the drawn place. */
export type Opening = readonly (Uint8Array | undefined)[];

/** `cheated`: the first bundle that is not what was committed to. Its seed and digest are the evidence. */
export type Verdict = { readonly outcome: 'honest' } | { readonly outcome: 'cheated'; readonly bundle: number };

/** Errors: JOINT_LOTTERY_INVALID. */
export function checkOpening(commitments: Commitments, drawn: number, opening: Opening): void {
  const complete = opening.length === commitments.digests.length && opening.every((seed, at) => (at === drawn ? seed === undefined : seed?.length === seedBytes));
  if (!complete) throw new VeilgateError('JOINT_LOTTERY_INVALID', 'Open every bundle but the drawn one, each by its seed of 32 bytes.');
}

/**
 * Makes every opened bundle again and compares. Takes the time of K − 1 encryptions of the columns; `progress` says how far.
 * An opening with a seed too few or for the drawn bundle is refused as malformed and may be sent again before its time
 * runs out. Errors: JOINT_LOTTERY_INVALID.
 */
export function judgeOpening(he: He, set: ParameterSet, spec: BundleSpec, commitments: Commitments, drawn: number, opening: Opening, progress: (bundles: number) => void = () => {}): Verdict {
  checkOpening(commitments, drawn, opening);
  for (const [bundle, seed] of opening.entries()) {
    if (seed === undefined) continue;
    if (makeBundle(he, set, spec, bundle, seed).digest !== commitments.digests[bundle]) return { outcome: 'cheated', bundle };
    progress(bundle + 1);
  }
  return { outcome: 'honest' };
}
