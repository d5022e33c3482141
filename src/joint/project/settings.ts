import { readSettingsFile } from '../../policy/settings-file.ts';

/** Differential privacy as people state it. */
export type PrivacyBudget = { readonly epsilon: number; readonly delta: number };

/** What compliance sets in policies/joint.yaml; each is explained there. */
export type JointSettings = {
  readonly cohortMin: number;
  readonly cohortMax: number;
  readonly listMax: number;
  /** For each institution and calendar day; cohorts are counted by the same number. */
  readonly alignmentsPerDay: number;
  readonly alignmentHours: number;
  /** For a partner to open the bundles that were not drawn. */
  readonly openingHours: number;
  readonly projectDaysMax: number;
  readonly budgets: { readonly project: PrivacyBudget; readonly institutionDataset: PrivacyBudget; readonly dataset: PrivacyBudget };
};

type SettingsText = Readonly<Record<'cohort_min' | 'cohort_max' | 'list_max' | 'alignments_per_day' | 'alignment_hours' | 'opening_hours' | 'project_days_max', number>> & {
  readonly budgets: Readonly<Record<'project' | 'institution_dataset' | 'dataset', PrivacyBudget>>;
};

const file = 'joint.yaml';

/** Reads joint.yaml of a policy pack, as strictly as its rules. Errors: POLICY_BROKEN with every problem and its place. */
export function loadJointSettings(folder: string): JointSettings {
  const { budgets, ...text } = readSettingsFile(folder, file, 'joint').value as SettingsText;
  return {
    cohortMin: text.cohort_min, cohortMax: text.cohort_max, listMax: text.list_max, alignmentsPerDay: text.alignments_per_day,
    alignmentHours: text.alignment_hours, openingHours: text.opening_hours, projectDaysMax: text.project_days_max,
    budgets: { project: budgets.project, institutionDataset: budgets.institution_dataset, dataset: budgets.dataset },
  };
}
