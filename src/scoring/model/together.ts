import type { Functional } from './functional.ts';
import type { ScoringSettings } from './settings.ts';
import type { FeatureSpace } from './space.ts';
import type { ModelVerdict } from './verdict.ts';

/** Whether one institution may know all of these functions of one enterprise. Pure. Unknown features are refused. */
export function judgeTogether(_functionals: readonly Pick<Functional, 'id' | 'terms' | 'model'>[], _space: FeatureSpace, _settings: ScoringSettings): ModelVerdict {
  return { ok: false, findings: [] };
}
