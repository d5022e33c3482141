import { Readable } from 'node:stream';
import { systemClock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import type { Connection } from '../sdk/connection.ts';
import { departmentClient } from '../sdk/department.ts';
import { loadCatalogue } from '../source/catalogue.ts';
import { correctRecord } from '../source/correct.ts';
import { prepareDomainTables } from '../source/domain.ts';
import { loadRecords } from '../source/ingest.ts';
import { readReports, type QualityReport } from '../source/quality.ts';
import { openDatabase } from '../store/database.ts';
import type { Dataset, DatasetId } from '../vocabulary.ts';

export type RecordsFile = { readonly format: 'csv' | 'ndjson'; readonly stream: Readable; readonly errorLimit: number };

/** What `veilgate records` needs, over HTTP or straight from a database. */
export type RecordsService = {
  /** Errors: SOURCE_*, and those of the way there. */
  readonly load: (dataset: string, file: RecordsFile) => Promise<QualityReport>;
  /** Replaces one record of an enterprise. Errors: SOURCE_*, and those of the way there. */
  readonly correct: (dataset: string, record: Readonly<Record<string, unknown>>) => Promise<{ readonly dataset: string; readonly subject: string; readonly outcome: string }>;
  /** The newest report first. */
  readonly quality: (dataset: string) => Promise<readonly QualityReport[]>;
  /** Names of a file's columns, `subject` first. */
  readonly columns: (dataset: string) => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
};

const reportsShown = 10;

/** For the operator of the platform, on its own machine: acts as the department that owns the dataset. */
export async function directRecords(databaseUrl: string, catalogueFolder: string): Promise<RecordsService> {
  const catalogue = loadCatalogue(catalogueFolder);
  const database = openDatabase({ url: databaseUrl, maxConnections: 2, applicationName: 'veilgate records' });
  const find = (id: string): Dataset => {
    const dataset = catalogue.datasets.get(id as DatasetId);
    if (dataset === undefined) throw unknownDataset([...catalogue.datasets.keys()]);
    return dataset;
  };
  return {
    async load(id, file) {
      const dataset = find(id);
      await prepareDomainTables(database, catalogue);
      return loadRecords(database, { ...file, catalogue, dataset: dataset.id, supplier: dataset.department, clock: systemClock });
    },
    async correct(id, record) {
      const dataset = find(id);
      return database.transaction('correct record', (tx) => correctRecord(tx, catalogue, { dataset: dataset.id, supplier: dataset.department, record }, systemClock.nowMs()));
    },
    quality: async (id) => readReports(database, find(id).id, reportsShown),
    columns: async (id) => ['subject', ...find(id).fields.map(({ name }) => name)],
    close: () => database.close(),
  };
}

/** For a department: through the gateway, with its own credentials. */
export function remoteRecords(connection: Connection): RecordsService {
  const client = departmentClient(connection);
  return {
    async load(dataset, { format, stream, errorLimit }) {
      const content = Readable.toWeb(stream) as ReadableStream<Uint8Array>;
      return (await client.load(dataset, { format, content }, errorLimit)) as unknown as QualityReport; // the gateway's answer, as its description says
    },
    correct: (dataset, record) => client.correct(dataset, record),
    async quality(dataset) {
      const { report } = (await client.quality(dataset)) as { readonly report: QualityReport | null };
      return report === null ? [] : [report];
    },
    async columns(dataset) {
      const { datasets } = await connection.call<CatalogueAnswer>({ method: 'GET', path: '/v1/catalogue' });
      const found = datasets.find(({ id }) => id === dataset);
      if (found === undefined) throw unknownDataset(datasets.map(({ id }) => id));
      return ['subject', ...found.fields.map(({ field }) => field.slice(dataset.length + 1))];
    },
    close: async () => {},
  };
}

/** What of `GET /v1/catalogue` is needed here. */
type CatalogueAnswer = { readonly datasets: readonly { readonly id: string; readonly fields: readonly { readonly field: string }[] }[] };

function unknownDataset(ids: readonly string[]): VeilgateError {
  return new VeilgateError('SOURCE_DATASET_UNKNOWN', `There is no such dataset. There are: ${ids.join(', ')}.`);
}
