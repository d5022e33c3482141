import type { Model } from '../protocol.ts';
import type { ScoringSettings } from './settings.ts';
import type { FeatureSpace } from './space.ts';
import type { ModelVerdict } from './verdict.ts';

/** Whether a model alone tells little enough of every single field. Pure. */
export function judgeModel(_model: Model, _space: FeatureSpace, _settings: ScoringSettings): ModelVerdict {
  return { ok: false, findings: [] };
}
