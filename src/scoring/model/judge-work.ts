import type { Model, ModelRef } from '../protocol.ts';
import { functionalsOf, type Functional } from './functional.ts';
import { judgeModel } from './judge.ts';
import type { ScoringSettings } from './settings.ts';
import type { FeatureSpace } from './space.ts';
import { judgeTogether } from './together.ts';
import type { ModelVerdict } from './verdict.ts';

export type Conflict = { readonly model: ModelRef; readonly problem: string };

/** A model with those it would be used beside; everything is plain data, so that it can go to a thread. */
export type JudgeWork = { readonly model: Model; readonly others: readonly Model[]; readonly space: FeatureSpace; readonly settings: ScoringSettings };

/** Functions that one institution would have of one enterprise. */
export type TogetherWork = { readonly functionals: readonly Pick<Functional, 'id' | 'terms'>[]; readonly space: FeatureSpace; readonly settings: ScoringSettings };

/** A trial on made-up enterprises. */
export type TrialWork = { readonly trial: Model; readonly count: number; readonly seed: number; readonly space: FeatureSpace };

/** Conflicts are a first look, without digits; only a model that may be used has any. */
export function judgeWork({ model, others, space, settings }: JudgeWork): { readonly verdict: ModelVerdict; readonly conflicts: readonly Conflict[] } {
  const verdict = judgeModel(model, space, settings);
  if (!verdict.ok) return { verdict, conflicts: [] };
  const own = functionalsOf(model);
  const features = new Set(model.terms.map(({ feature }) => feature));
  const beside = others.filter(({ ref, terms }) => ref !== model.ref && terms.some(({ feature }) => features.has(feature)));
  return {
    verdict,
    conflicts: beside.flatMap((other) => {
      const { findings: [found] } = judgeTogether([...own, ...functionalsOf(other)], space, settings, { digits: false });
      return found === undefined ? [] : [{ model: other.ref, problem: found.problem }];
    }),
  };
}
