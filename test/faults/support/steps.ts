/** The steps of a query in their order, as a process can be ended at each of them. */
export const steps = ['received', 'identified', 'admitted', 'decided', 'fetched', 'sealed', 'spent', 'appended', 'committing', 'committed'] as const;
export type Step = (typeof steps)[number];
