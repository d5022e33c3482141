import { Readable } from 'node:stream';
import type { Clock } from '../../src/clock.ts';
import { loadRecords } from '../../src/source/ingest.ts';
import type { QualityReport } from '../../src/source/quality.ts';
import type { Database } from '../../src/store/database.ts';
import type { Catalogue } from '../../src/vocabulary.ts';
import { sampleCsv, sampleDatasets } from './generate.ts';
import type { SampleOptions } from './profile.ts';

/**
 * Loads the sample platform through the ordinary ingest, dataset after dataset, each as its own department.
 * The domain tables must be prepared. @returns the departments' quality reports
 */
export async function loadSample(
  database: Database,
  catalogue: Catalogue,
  options: SampleOptions & { readonly clock: Clock; readonly onDataset?: (report: QualityReport) => void },
): Promise<QualityReport[]> {
  const reports: QualityReport[] = [];
  for (const dataset of catalogue.datasets.values()) {
    if (!sampleDatasets.includes(dataset.id)) continue;
    const report = await loadRecords(database, {
      catalogue,
      dataset: dataset.id,
      supplier: dataset.department,
      format: 'csv',
      stream: Readable.from(utf8Chunks(sampleCsv(dataset, options)), { objectMode: false }),
      errorLimit: 0,
      clock: options.clock,
    });
    options.onDataset?.(report);
    reports.push(report);
  }
  return reports;
}

function* utf8Chunks(texts: Iterable<string>): Generator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}
