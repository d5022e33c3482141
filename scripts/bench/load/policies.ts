import path from 'node:path';
import { compilePolicyPack, readPolicyFiles, type PolicyFile } from '../../../src/policy/load.ts';
import type { CompiledPolicy } from '../../../src/policy/policy.ts';
import { loadCatalogue } from '../../../src/source/catalogue.ts';
import type { Catalogue, Dataset, DatasetId, FieldRef } from '../../../src/vocabulary.ts';

export const pack = path.resolve(import.meta.dirname, '../../../policies');

/** The sample pack, whose policies (one rule file for each dataset) stand there `factor` times, for as many datasets. */
export function packTimes(factor: number): CompiledPolicy {
  const files = readPolicyFiles(pack);
  const catalogue = loadCatalogue(path.join(pack, 'catalogue'));
  const copies = Array.from({ length: factor - 1 }, (_, at) => at + 2);
  return compilePolicyPack(
    [...files, ...copies.flatMap((copy) => files.filter(({ file }) => file.startsWith('rules/')).map((file) => copyOfRules(file, copy)))],
    withCopies(catalogue, copies),
  );
}

/** The rules of one file, for the dataset's copy. */
export function copyOfRules({ file, bytes }: PolicyFile, copy: number): PolicyFile {
  const text = new TextDecoder().decode(bytes).replace(/^dataset: (.*)$/m, `dataset: $1_${copy}`).replace(/^(  - id: )(.*)$/gm, `$1$2-${copy}`);
  return { file: file.replace('.yaml', `_${copy}.yaml`), bytes: new TextEncoder().encode(text) };
}

function withCopies(catalogue: Catalogue, copies: readonly number[]): Catalogue {
  const all = [...catalogue.datasets.values()];
  const datasets = [...all, ...copies.flatMap((copy) => all.map((dataset) => copyOf(dataset, copy)))];
  return { datasets: new Map(datasets.map((dataset) => [dataset.id, dataset])), fields: new Map(datasets.flatMap(({ fields }) => fields.map((field) => [field.ref, field]))) };
}

function copyOf(dataset: Dataset, copy: number): Dataset {
  const id = `${dataset.id}_${copy}` as DatasetId;
  return { ...dataset, id, fields: dataset.fields.map((field) => ({ ...field, ref: `${id}.${field.name}` as FieldRef })) };
}
