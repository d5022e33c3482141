import type { DatasetView } from '../../sdk/catalogue.ts';

/** Datasets with the fields whose name or title has the words; a dataset whose own title has them is shown whole. */
export function matching(datasets: readonly DatasetView[], search: string): readonly DatasetView[] {
  const sought = search.trim().toLowerCase();
  if (sought === '') return datasets;
  const has = (...texts: readonly string[]) => texts.some((text) => text.toLowerCase().includes(sought));
  return datasets.flatMap((dataset) => {
    if (has(dataset.title.en, dataset.title.zh, dataset.id)) return [dataset];
    const fields = dataset.fields.filter(({ field, title }) => has(field, title.en, title.zh));
    return fields.length === 0 ? [] : [{ ...dataset, fields }];
  });
}

/** `code` is a type of fields and the word for codes of every kind. */
export const fieldTypeCode = (type: string) => (type === 'code' ? 'code_type' : type);
