import type { Model, ModelRef } from '../protocol.ts';
import { functionalsOf } from './functional.ts';
import { judgeModel } from './judge.ts';
import type { ScoringSettings } from './settings.ts';
import { modelDigest } from './shape.ts';
import type { FeatureSpace } from './space.ts';
import { judgeTogether } from './together.ts';
import type { ModelVerdict } from './verdict.ts';

/** Judges under the features and limits of one policy, and remembers. */
export type ModelGuard = {
  /** Whether the model may be used by itself; the same model is judged once. */
  readonly judge: (model: Model) => ModelVerdict;
  /** A first look, without digits: approved models of which an institution may not have the score of the same enterprise beside this one's. */
  readonly conflicts: (model: Model, others: readonly Model[]) => readonly { readonly model: ModelRef; readonly problem: string }[];
};

const verdictsMax = 1000;

export function createModelGuard(space: FeatureSpace, settings: ScoringSettings): ModelGuard {
  const verdicts = new Map<string, ModelVerdict>();
  return {
    judge(model) {
      const digest = modelDigest(model);
      const known = verdicts.get(digest);
      if (known !== undefined) return known;
      if (verdicts.size >= verdictsMax) verdicts.clear();
      const verdict = judgeModel(model, space, settings);
      verdicts.set(digest, verdict);
      return verdict;
    },
    conflicts(model, others) {
      const own = functionalsOf(model);
      const features = new Set(model.terms.map(({ feature }) => feature));
      return others.filter(({ ref, terms }) => ref !== model.ref && terms.some(({ feature }) => features.has(feature))).flatMap((other) => {
        const { findings: [found] } = judgeTogether([...own, ...functionalsOf(other)], space, settings, { digits: false });
        return found === undefined ? [] : [{ model: other.ref, problem: found.problem }];
      });
    },
  };
}
