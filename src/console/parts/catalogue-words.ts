import { useMemo } from 'react';
import { catalogueClient, type DatasetView, type FieldView } from '../../sdk/catalogue.ts';
import { useLanguage, type Words } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';

export type CatalogueWords = {
  /** Titles in the language chosen; the code itself where the catalogue has no title for it, or is not there yet. */
  readonly field: (ref: string) => string;
  readonly dataset: (id: string) => string;
  readonly datasetOf: (ref: string) => string;
  readonly purpose: (code: string) => string;
  readonly datasets: readonly DatasetView[];
  readonly fieldView: (ref: string) => FieldView | undefined;
};

/** What fields, datasets and purposes are called, for people. */
export function useCatalogueWords(): CatalogueWords {
  const { language } = useLanguage();
  const { data } = useRead(['catalogue'], (calls) => catalogueClient(calls).catalogue());
  return useMemo(() => {
    const datasets = new Map(data?.datasets.map((dataset) => [dataset.id, dataset]));
    const fields = new Map(data?.datasets.flatMap((dataset) => dataset.fields.map((field) => [field.field, field] as const)));
    const purposes = new Map(data?.purposes.map((purpose) => [purpose.code, purpose]));
    const titleOf = (titled: { readonly title: Words } | undefined, code: string) => (titled === undefined ? code : titled.title[language]);
    const dataset = (id: string) => titleOf(datasets.get(id), id);
    return {
      dataset,
      field: (ref) => titleOf(fields.get(ref), ref),
      datasetOf: (ref) => dataset(ref.split('.')[0] ?? ref),
      purpose: (code) => titleOf(purposes.get(code), code),
      datasets: data?.datasets ?? [],
      fieldView: (ref) => fields.get(ref),
    };
  }, [data, language]);
}
