import type { Clock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import { parameterSets } from '../he/parameters.ts';
import { createEvaluationPool, type EvaluationPool } from '../he/pool.ts';
import { packedColumnsOf } from '../scoring/feature/columns.ts';
import { activeScoreKey, type ScoreKey } from '../scoring/feature/keys.ts';
import { createTogetherGuard } from '../scoring/model/guard.ts';
import { approvedModel } from '../scoring/model/registry.ts';
import type { ScoringSettings } from '../scoring/model/settings.ts';
import type { FeatureSpace } from '../scoring/model/space.ts';
import { judgeTogether } from '../scoring/model/together.ts';
import { createTallies, type Tallies } from '../scoring/run/tally.ts';
import type { Database } from '../store/database.ts';
import type { PublicJwk, Signer } from '../vocabulary.ts';
import { createCustodianClient, type CustodianClient } from './custodian-client.ts';
import type { Metrics, ScoreOutcome } from './metrics.ts';
import { encryptionKeyByThumbprint } from './use-cases/encryption-keys.ts';
import type { PolicyStanding } from './use-cases/policy-standing.ts';
import type { Releaser } from './use-cases/release.ts';
import { batchedColumns } from './use-cases/score-columns.ts';
import type { ScoreDesk } from './use-cases/score-one.ts';

/** Where a custodian is, and the key its statements are checked with, learned by a way of trust. */
export type CustodianAddress = { readonly url: string; readonly id: string; readonly statementKey: PublicJwk };

export type ScoringOptions = {
  readonly database: Database;
  readonly clock: Clock;
  readonly standing: PolicyStanding;
  /** Features as declared now, and the fields they are made from. */
  readonly space: () => FeatureSpace;
  /** The model when it may be used; absent: when it is approved. */
  readonly model?: ScoreDesk['model'];
  readonly signer: Signer;
  readonly gatewayUrl: string;
  readonly logOrigin: string;
  readonly metrics: Pick<Metrics, 'batch' | 'score' | 'scoreStep'>;
  /** Undefined where this platform gives no scores. */
  readonly custodian: CustodianAddress | undefined;
  readonly pool: { readonly threads: number; readonly memoryMb: number; readonly cacheBytesMax: number };
};

/** What scores are made with in one process. */
export type Scoring = {
  readonly desk: ScoreDesk;
  readonly onScore: (outcome: ScoreOutcome, ms: number) => void;
  /** Threads that compute on ciphertexts; started with the first use. */
  readonly pool: () => EvaluationPool;
  /** Errors: SCORE_UNAVAILABLE without a custodian. */
  readonly custodian: () => CustodianClient;
  readonly close: () => Promise<void>;
};

/** How long the active key may be a stale one: 131 KB that hardly ever change. */
const keyLifeMs = 2000;

/** The guard over everything an institution was told of an enterprise; releases and scores share it. */
export function composeTallies(space: () => FeatureSpace, settings: () => ScoringSettings): Tallies {
  return createTallies((functionals) => judgeTogether(functionals, space(), settings()).ok, createTogetherGuard(space, settings));
}

export function composeScoring(options: ScoringOptions, tallies: Tallies, releaser: Releaser): Scoring {
  const { database, clock, standing, space, signer, gatewayUrl, metrics } = options;
  const pool = lazy(() => createEvaluationPool(options.pool));
  const custodian = lazy(() => {
    if (options.custodian === undefined) throw unavailable('This platform has no custodian and gives no scores: ask the platform.');
    const { url, id, statementKey } = options.custodian;
    return createCustodianClient({ url, id, gatewayUrl, signer, pinnedKey: statementKey, clock });
  });
  let warmed: string | undefined;
  /** Threads and blinders for a key, before the first score waits for them. */
  const warm = (of: ScoreKey) => {
    const set = Object.hasOwn(parameterSets, of.parameters) ? parameterSets[of.parameters as keyof typeof parameterSets] : undefined;
    if (warmed === of.keyId || set === undefined) return;
    warmed = of.keyId;
    pool.get().prepare({ set, keyId: of.keyId, publicKey: of.publicKey }).catch(() => { warmed = undefined; });
  };
  const key = remembered(keyLifeMs, clock, async () => {
    const active = await activeScoreKey(database);
    if (active === undefined) throw unavailable('The platform has no key to compute scores under yet: a compliance officer accepts the custodian\'s.');
    warm(active);
    return active;
  });
  return {
    pool: pool.get,
    custodian: custodian.get,
    onScore: metrics.score,
    desk: {
      clock, standing, key, signer,
      issuer: gatewayUrl,
      logOrigin: options.logOrigin,
      features: () => space().features,
      model: options.model ?? ((ref) => approvedModel(database, ref)),
      columns: batchedColumns(database, (items) => metrics.batch('columns', items)),
      async preview(use) {
        const [seen] = await tallies.preview(database, [use]);
        if (seen === undefined) throw new VeilgateError('INTERNAL', 'What an institution was told was not looked up: report this to the platform.');
        return seen;
      },
      evaluate: ({ key: under, ...task }) => pool.get().evaluate({ ...task, keyId: under.keyId, publicKey: under.publicKey }, (digests, room) => packedColumnsOf(database, digests, room)),
      openMasked: async (asked) => custodian.get().open(asked),
      recipientKey: encryptionKeyByThumbprint(database),
      release: releaser.release,
      recordRefusal: releaser.recordRefusal,
      onStep: metrics.scoreStep,
    },
    close: async () => { await pool.made()?.close(); },
  };
}

function unavailable(message: string): VeilgateError {
  return new VeilgateError('SCORE_UNAVAILABLE', message);
}

/** A value that is made when it is first needed. */
function lazy<T>(make: () => T): { readonly get: () => T; readonly made: () => T | undefined } {
  let value: T | undefined;
  return { get: () => (value ??= make()), made: () => value };
}

/** The last answer for `lifeMs`; calls that come meanwhile share one question, and a failure is not kept. */
function remembered<T>(lifeMs: number, clock: Clock, ask: () => Promise<T>): () => Promise<T> {
  let held: { readonly untilMs: number; readonly value: Promise<T> } | undefined;
  return () => {
    const nowMs = clock.nowMs();
    if (held === undefined || nowMs >= held.untilMs || held.untilMs - nowMs > lifeMs) {
      const asked = { untilMs: nowMs + lifeMs, value: ask() };
      held = asked;
      asked.value.catch(() => { if (held === asked) held = undefined; });
    }
    return held.value;
  };
}
