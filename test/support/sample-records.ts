import { strict as assert } from 'node:assert';
import { sampleCsv } from '../../scripts/sample/generate.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import type { DatasetId } from '../../src/vocabulary.ts';
import type { TestPlatform } from './gateway.ts';

/** Has the departments load the sample records of these datasets. */
export async function loadSampleRecords(platform: Pick<TestPlatform, 'load'>, datasets: readonly string[], sample: Parameters<typeof sampleCsv>[1]): Promise<void> {
  const catalogue = loadCatalogue('policies/catalogue');
  for (const id of datasets as readonly DatasetId[]) {
    const dataset = catalogue.datasets.get(id);
    assert.ok(dataset);
    await platform.load(id, dataset.department, [...sampleCsv(dataset, sample)].join(''));
  }
}
