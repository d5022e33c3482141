import { VeilgateError } from '../../errors.ts';
import { conditionsAbout, declaredFacts, openedFields, type DeclaredFact, type PurposeCondition } from '../../policy/edit/purpose-view.ts';
import type { Purpose } from '../../policy/purpose.ts';
import type { Dataset, Field } from '../../vocabulary.ts';
import type { ReadyVersion, ReadyVersions } from './policy-cells.ts';
import type { PolicyDesk } from './policy-versions.ts';

export type PurposeField = {
  readonly field: Field;
  readonly inMinimum: boolean;
  /** Some rule opens it to somebody for the purpose, or would if it were in the minimum. */
  readonly opened: boolean;
};
export type PurposeView = {
  readonly ready: ReadyVersion;
  readonly purpose: Purpose;
  /** Every field of the catalogue. */
  readonly datasets: readonly { readonly dataset: Dataset; readonly fields: readonly PurposeField[] }[];
  readonly conditions: readonly PurposeCondition[];
  readonly facts: readonly DeclaredFact[];
};

/** One purpose of a version as people read it: what it needs, what bounds its grants, what its answers hang on. Errors: REQUEST_INVALID, and those of readyVersions. */
export async function readPurpose(desk: PolicyDesk, versions: ReadyVersions, number: number, code: string): Promise<PurposeView> {
  const ready = await versions(number);
  const purpose = ready.policy.purposes.get(code);
  if (purpose === undefined) throw new VeilgateError('REQUEST_INVALID', 'The policy knows no such purpose: choose one of the list.', { pointer: '/purpose' });
  const opened = openedFields(ready.policy, code);
  const datasets = [...desk.catalogue.datasets.values()].map((dataset) => ({
    dataset, fields: dataset.fields.map((field) => ({ field, inMinimum: purpose.caps.fields.has(field.ref), opened: opened.has(field.ref) })),
  }));
  return { ready, purpose, datasets, conditions: conditionsAbout(ready.policy, code), facts: declaredFacts(ready.policy) };
}
