import type { GatewayCalls } from './connection.ts';

type Title = { readonly en: string; readonly zh: string };

export type FieldView = {
  /** `dataset.field`. */
  readonly field: string;
  readonly title: Title;
  readonly type: string;
  readonly unit?: string;
  readonly classification: { readonly level: number; readonly kind: string };
  /** Meaning of each code, where the field has a list of codes. */
  readonly codes?: Readonly<Record<string, string>>;
};
export type DatasetView = { readonly id: string; readonly title: Title; readonly department: string; readonly rows: string; readonly fields: readonly FieldView[] };
export type PurposeView = { readonly code: string; readonly title: Title; readonly description?: Title };

/** Datasets, fields and purposes, as far as the caller may see them. */
export type CatalogueView = { readonly policy: string; readonly datasets: readonly DatasetView[]; readonly purposes: readonly PurposeView[] };
export type InstitutionClassView = { readonly code: string; readonly title: Title };

export function catalogueClient({ call }: Pick<GatewayCalls, 'call'>) {
  return {
    catalogue: () => call<CatalogueView>({ method: 'GET', path: '/v1/catalogue' }),
    /** Version of the policy in force, and the classes of institutions it knows. */
    policy: () => call<{ readonly policy: string; readonly institution_classes: readonly InstitutionClassView[] }>({ method: 'GET', path: '/v1/policy' }),
  };
}
