import { VeilgateError } from '../errors.ts';
import { createEvaluator, type Evaluator } from '../he/evaluate.ts';
import type { ParameterSet } from '../he/parameters.ts';
import { loadHe } from '../he/runtime.ts';
import type { ScoreKey } from '../scoring/feature/keys.ts';
import type { Feature, FeatureId } from '../scoring/protocol.ts';
import type { FeatureServices } from './resources/features.ts';
import type { Scoring } from './scoring.ts';
import type { Rekeyer } from './use-cases/feature-rekey.ts';

/** What the doors for departments work with. The custodian and the threads are asked for only when they are needed. */
export function composeFeatures(declared: () => ReadonlyMap<FeatureId, Feature>, scoring: Pick<Scoring, 'pool' | 'custodian'>, custodianId: string): FeatureServices {
  const check: FeatureServices['check'] = (set, bytes) => scoring.pool().check(set, bytes);
  return {
    declared, check,
    custodianKey: async () => ({ ...(await scoring.custodian().publicKey()), custodian: custodianId }),
    rekeyer: { ...maskers(), check, reencrypt: async (asked) => scoring.custodian().reencrypt(asked) },
  };
}

/** Two keys are enough: the one columns come from, and the one they go to. */
function maskers(): Pick<Rekeyer, 'remask' | 'unmask'> {
  const evaluators = new Map<string, Promise<Evaluator>>();
  const evaluatorOf = (key: ScoreKey, set: ParameterSet): Promise<Evaluator> => {
    const known = evaluators.get(key.keyId);
    if (known !== undefined) return known;
    if (evaluators.size >= 2) {
      for (const [keyId, old] of evaluators) {
        evaluators.delete(keyId);
        void old.then((evaluator) => evaluator.close(), () => {});
      }
    }
    const made = loadHe().then((he) => createEvaluator(he, set, key.publicKey, { cacheBytesMax: 0 }));
    evaluators.set(key.keyId, made);
    made.catch(() => evaluators.delete(key.keyId));
    return made;
  };
  return {
    remask: async (key, set, bytes) => (await evaluatorOf(key, set)).remask(bytes),
    unmask: async (key, set, bytes, masks) => {
      if (masks.length !== set.slots) throw new VeilgateError('INTERNAL', 'A mask is not as long as its block.');
      return (await evaluatorOf(key, set)).unmask(bytes, masks);
    },
  };
}
