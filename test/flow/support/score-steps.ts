/** The steps of a score in their order, as a process can be ended at each of them. */
export const scoreSteps = ['identified', 'admitted', 'looked up', 'evaluated', 'opened', 'sealed', 'spent', 'appended', 'committed'] as const;
export type ScoreStep = (typeof scoreSteps)[number];
