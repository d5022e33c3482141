import type { DatasetId, InstitutionId } from '../vocabulary.ts';
import type { ErrorCode } from '../errors.ts';
import type { Common, Digest } from './entry.ts';

/** What is done under a joint-modelling project: counts, costs and digests, never a value and no enterprise. */
export type JointRunRecord = LotteryDrawn | LotteryJudged | BundleReady | JointReleased | JointRefused;

type OfRun = {
  readonly institution: InstitutionId;
  readonly project: string;
  readonly cohort: string;
  readonly run: string;
};

/** The partner committed to its bundles, and one was drawn. */
export type LotteryDrawn = Common<'joint.lottery_drawn'> & OfRun & {
  readonly bundles: readonly Digest[];
  readonly drawn: number;
  readonly deadline: string;
};

/** How the lottery ended. Whoever holds the project's document can make every opened bundle again from its seed. */
export type LotteryJudged = Common<'joint.lottery_judged'> & OfRun & {
  readonly outcome: 'honest' | 'cheated' | 'late';
  /** The first bundle that was not what was committed to. */
  readonly bundle: number | null;
  /** Of all bundles but the drawn one, base64url; null where none came. */
  readonly seeds: readonly (string | null)[];
};

/** The drawn bundle is there, and it is the one that was committed to. */
export type BundleReady = Common<'joint.bundle_ready'> & OfRun & { readonly bundle: Digest; readonly pads: number };

/** An encrypted aggregate went out. */
export type JointReleased = Common<'joint.released'> & OfRun & {
  /** Over statement, cost, run, bundle and shifts in canonical form (docs/formats/joint-run.md). */
  readonly question: Digest;
  readonly statement: Digest;
  readonly datasets: readonly DatasetId[];
  /** Enterprises it ranges over. */
  readonly rows: number;
  /** Results that went out. */
  readonly parts: number;
  /** Billionths of rho. */
  readonly costNanoRho: number;
  /** Over the results, one after another. */
  readonly answer: Digest;
};

/** A question, or the answer to one, was refused. */
export type JointRefused = Common<'joint.refused'> & OfRun & { readonly question: Digest | null; readonly code: ErrorCode; /** Which rule said no. */ readonly rule: string };
