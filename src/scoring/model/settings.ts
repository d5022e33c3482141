/** What compliance sets in policies/scoring.yaml; each is explained there. */
export type ScoringSettings = {
  /** Least effective number of fields, (Σr)²/Σr², in everything that is released. */
  readonly effectiveFeaturesMin: number;
  /** Largest share of a released range that one field may have, over everything an institution can work out of what it gets. */
  readonly dominantShareMax: number;
  /** How much better than blind, 0..1, a released value may let anybody guess one field. */
  readonly guessGainMax: number;
  /** Different raw values a model may have. */
  readonly stepsMax: number;
  /** Different functions (scores and reason groups) one institution may get of one enterprise. */
  readonly functionalsMax: number;
};

/** Reads scoring.yaml of a policy pack. Errors: POLICY_BROKEN with every problem and its place. */
export function loadScoringSettings(_folder: string): ScoringSettings {
  throw new Error('loadScoringSettings');
}
