import pg from 'pg';
import { keyFields } from '../../src/source/catalogue.ts';
import { domainTable } from '../../src/source/domain.ts';
import { openDatabase, type Database } from '../../src/store/database.ts';
import type { Catalogue, Dataset, DatasetId, Field } from '../../src/vocabulary.ts';
import { sampleSubjectsSql } from './subjects.ts';

export type FillOptions = {
  /** 1 to 10^7. */
  readonly enterprises: number;
  /** Whole number, 0 to 10^9. */
  readonly seed: number;
  /** Datasets to fill; those the query benchmark reads when absent. */
  readonly datasets?: readonly string[];
  /** Months up to `lastPeriod` for periodic datasets; 12 when absent. */
  readonly periods?: number;
  /** `YYYY-MM-01`; 2026-10-01 when absent. */
  readonly lastPeriod?: string;
  /** Rows per enterprise for datasets with many records; 2 when absent. */
  readonly records?: number;
};

export const benchmarkDatasets = ['registry', 'tax', 'financials'] as const;

/**
 * Fills empty domain tables with made-up rows inside PostgreSQL, for benchmarks: the subjects are those of
 * sampleSubject(n, seed), the values fit their fields' types and ranges and mean nothing.
 * Two datasets at a time; a table's rows lie in the order of its key.
 */
export async function fillDomain(database: Database, catalogue: Catalogue, options: FillOptions): Promise<void> {
  const wanted = (options.datasets ?? benchmarkDatasets).map((id) => {
    const dataset = catalogue.datasets.get(id as DatasetId);
    if (dataset === undefined) throw new RangeError(`no dataset ${id}`);
    return dataset;
  });
  const queue = wanted.toSorted((a, b) => Number(b.cardinality.kind === 'per_period') - Number(a.cardinality.kind === 'per_period'));
  const own = openDatabase({ url: database.url, maxConnections: 2, applicationName: 'veilgate fill' });
  const work = async () => {
    for (let dataset = queue.shift(); dataset !== undefined; dataset = queue.shift()) await fillTable(own, dataset, options);
  };
  try {
    await Promise.all([work(), work()]);
  } finally {
    await own.close();
  }
}

async function fillTable(database: Database, dataset: Dataset, options: FillOptions): Promise<void> {
  const { periods = 12, lastPeriod = '2026-10-01', records = 2, seed, enterprises } = options;
  const { cardinality } = dataset;
  const rowsEach = cardinality.kind === 'one' ? 1 : cardinality.kind === 'per_period' ? periods : records;
  const columns = dataset.fields.map((field) => pg.escapeIdentifier(field.name));
  const values = dataset.fields.map((field, at) => {
    if (cardinality.kind !== 'one' && field.name === cardinality.periodField) return `('${lastPeriod}'::date - make_interval(months => (${rowsEach} - 1 - r)::int))::date`;
    if (cardinality.kind === 'many' && field.name === cardinality.recordField) return field.type === 'integer' ? 'r + 1' : "'R-' || n || '-' || r";
    return valueSql(field, `(hashint8extended(n * 1000 + r, ${seed + at}) & 4611686018427387903)`);
  });
  await database.transaction('fill domain', async (tx) => {
    await tx.query("set local work_mem = '128MB'; set local maintenance_work_mem = '256MB'; set local synchronous_commit = off");
    // an index built once costs half of one kept up row by row
    const keyName = pg.escapeIdentifier(`${dataset.id}_pkey`);
    await tx.query(`alter table ${domainTable(dataset)} drop constraint ${keyName}`);
    await tx.query(`
      insert into ${domainTable(dataset)} (subject, ${columns.join(', ')}, _supplied_at)
      select subject, ${values.join(', ')}, '${lastPeriod}'::timestamptz
        from (select n, subject from (${sampleSubjectsSql(enterprises, seed)}) as s order by subject) as subjects
        cross join lateral generate_series(0::bigint, ${rowsEach - 1} + n * 0) as r`); // lateral: a subject's rows lie together
    const key = ['subject', ...keyFields(dataset)].map((name) => pg.escapeIdentifier(name)).join(', ');
    await tx.query(`alter table ${domainTable(dataset)} add constraint ${keyName} primary key (${key})`);
  });
  await database.query(`vacuum (analyze) ${domainTable(dataset)}`);
}

const texts: Readonly<Record<string, (h: string) => string>> = {
  name: (h) => `'样本' || ${h} % 100000000 || '科技有限公司'`,
  legal_representative: (h) => `substr('王李张刘陈杨赵黄周吴', (${h} % 10)::int + 1, 1) || substr('伟芳娜敏静丽强磊军洋', (${h} / 10 % 10)::int + 1, 1)`,
  contact_phone: (h) => `'142' || lpad((${h} % 100000000)::text, 8, '0')`,
  contact_email: (h) => `'office' || ${h} % 1000000 || '@example.com'`,
  address: (h) => `'浙江省杭州市西湖区样本路' || ${h} % 1000 || '号'`,
  region_code: (h) => `(330100 + ${h} % 10)::text`,
};

/** An expression of the field's type out of a hash `h`, a bigint from 0. */
function valueSql(field: Field, h: string): string {
  switch (field.type) {
    case 'text':
      return texts[field.name]?.(h) ?? `'S' || ${h} % 1000000000000`;
    case 'code': {
      const codes = Object.keys(field.codes ?? {}).map(pg.escapeLiteral);
      return `(array[${codes.join(', ')}])[${h} % ${codes.length} + 1]`;
    }
    case 'integer': {
      const min = field.min ?? 0;
      const span = Math.max(1, Math.min((field.max ?? 1) - min, 1_000_000_000));
      return `${h} % ${span} + ${min}`;
    }
    case 'decimal': {
      const [min, unit] = [field.min ?? 0, 10 ** (field.scale ?? 0)];
      const span = Math.min((field.max ?? 1) - min, 1_000_000);
      return `(${h} % ${span * unit})::numeric / ${unit} + ${min}`;
    }
    case 'date':
      return `date '2000-01-01' + (${h} % 9000)::int`;
    case 'boolean':
      return `${h} % 20 = 0`;
    default:
      return field.type satisfies never;
  }
}
