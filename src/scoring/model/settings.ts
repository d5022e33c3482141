import { readSettingsFile } from '../../policy/settings-file.ts';

/** What compliance sets in policies/scoring.yaml; each is explained there. */
export type ScoringSettings = {
  /** Least effective number of fields, (Σr)²/Σr², in everything that is released; in thousandths. */
  readonly effectiveFeaturesMin: number;
  /** Largest share of a released range that one field may have, over everything an institution can work out of what it gets; in thousandths. */
  readonly dominantShareMax: number;
  /** How far a released value may take a guess of one field from chance (0) to certainty (1). */
  readonly guessGainMax: number;
  /** Different raw values a model may have. */
  readonly stepsMax: number;
  /** Different functions (scores and reason groups) one institution may get of one enterprise. */
  readonly functionalsMax: number;
};

type ScoringText = Readonly<Record<'effective_features_min' | 'dominant_share_max' | 'guess_gain_max' | 'steps_max' | 'functionals_max', number>>;

const file = 'scoring.yaml';

/** Reads scoring.yaml of a policy pack, as strictly as its rules. Errors: POLICY_BROKEN with every problem and its place. */
export function loadScoringSettings(folder: string): ScoringSettings {
  const text = readSettingsFile(folder, file, 'scoring').value as ScoringText;
  return {
    effectiveFeaturesMin: text.effective_features_min, dominantShareMax: text.dominant_share_max, guessGainMax: text.guess_gain_max,
    stepsMax: text.steps_max, functionalsMax: text.functionals_max,
  };
}
