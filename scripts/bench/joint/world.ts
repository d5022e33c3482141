/** A platform with the credit set's host columns as records of made-up enterprises that all consent, and a bank with the guest's. */
import { sampleSubject } from '../../sample/subjects.ts';
import { readVerticalData, type Column, type VerticalData } from '../../sample/vertical-data.ts';
import { binOf, equalFrequencyEdges } from '../../../src/joint/scorecard/binning.ts';
import { connect } from '../../../src/sdk/connection.ts';
import { jointClient, type JointProjectJson } from '../../../src/sdk/joint.ts';
import { domainTable } from '../../../src/source/domain.ts';
import { loadCatalogue } from '../../../src/source/catalogue.ts';
import type { ConsentCeiling, DatasetId, FieldRef } from '../../../src/vocabulary.ts';
import { bankId, benchPlatform, grantAll, seed, startBenchGateway, type BenchPlatform } from '../load/platform.ts';

/** Bins of a feature that has a value; one more stands for who has none. */
const binsWanted = 10;
/** Decimals of the set's values. */
const digits = 6;
/** Bands of own points in the column that a hold-out is validated with. */
const ownBands = 5;

/** One column of the bank's: its bin for each row, and how many there are. */
export type OwnColumn = { readonly name: string; readonly bins: readonly number[]; readonly count: number };

export type JointBenchWorld = {
  readonly platform: BenchPlatform;
  /** Enterprise of each row. */
  readonly subjects: readonly ReturnType<typeof sampleSubject>[];
  readonly trains: readonly boolean[];
  readonly bad: Uint8Array;
  readonly own: readonly OwnColumn[];
  /** The platform's columns by row, for the clear twin. */
  readonly hostBins: readonly (readonly number[])[];
  readonly document: JointProjectJson;
  /** Of an approved project. */
  readonly project: string;
  readonly connection: Awaited<ReturnType<typeof connect>>;
  /** Of the gateway, whose child the worker is, and of PostgreSQL. */
  readonly pids: { readonly gateway: number | undefined; readonly postgres: number | undefined };
  readonly close: () => Promise<void>;
};

/** Of the project, and of it what a scorecard is meant to cost: the rest validates it. */
export const [projectEpsilon, scorecardEpsilon] = [4, 3];

/** How much of the credit set. */
export type JointBenchSize = { readonly rows: number; /** Columns of either side. */ readonly own: number; readonly platform: number };

export async function jointBenchWorld({ rows: rowsMax, own, platform: hosted }: JointBenchSize): Promise<JointBenchWorld> {
  const all = readVerticalData('default_credit');
  const data = { ...all, guest: all.guest.slice(0, own), host: all.host.slice(0, hosted) };
  const rows = Math.min(rowsMax, data.ids.length);
  const platform = await benchPlatform({ enterprises: rows, datasets: [] });
  try {
    return await filled(platform, data, rows);
  } catch (error) {
    await platform.close();
    throw error;
  }
}

async function filled(platform: BenchPlatform, data: VerticalData, rows: number): Promise<JointBenchWorld> {
  const cut = (column: Column) => binned(column, data.trains.slice(0, rows), rows);
  const own = data.guest.map((column): OwnColumn => {
    const { bins, edges } = cut(column);
    return { name: column.name, bins, count: edges.length + 1 };
  });
  const host = data.host.map(cut);
  const catalogue = loadCatalogue('policies/catalogue');
  const dataset = catalogue.datasets.get('financials' as DatasetId);
  const fields = (dataset?.fields ?? []).filter(({ type }) => type === 'decimal').slice(0, data.host.length);
  if (dataset === undefined || fields.length < data.host.length) throw new Error('the catalogue has no dataset that holds these columns');
  const subjects = Array.from({ length: rows }, (_, row) => sampleSubject(row, seed));
  const values = data.host.map(({ values: all }) => [...all.subarray(0, rows)].map((value) => value.toFixed(digits)));
  await platform.database.query(
    `insert into ${domainTable(dataset)} (subject, _supplied_at, statement_date, ${fields.map(({ name }) => name).join(', ')}) select subject, now(), date '2025-12-31', ${fields.map((_, at) => `v${at}`).join(', ')}
     from unnest($1::text[], ${fields.map((_, at) => `$${at + 2}::numeric[]`).join(', ')}) as t(subject, ${fields.map((_, at) => `v${at}`).join(', ')})`,
    [subjects, ...values],
  );
  await grantAll(platform.database, rows, new Map(fields.map(({ ref }): [FieldRef, ConsentCeiling] => [ref, 'desensitised'])), 'joint_modelling');
  const gateway = await startBenchGateway(platform, 1, { VEILGATE_SCORE_TASKS: '1' });
  const document: JointProjectJson = {
    title: { en: 'Credit default', zh: '信用违约' }, partner: bankId, purpose: 'joint_modelling', datasets: ['financials'],
    columns: fields.map(({ ref }, at) => ({ name: data.host[at]?.name ?? '', source: ref, encoding: { kind: 'bins', edges: host[at]?.edges ?? [] } })),
    partner_columns: [{ name: 'label', bins: 3 }, ...own.map(({ name, count }) => ({ name, bins: count + 1 })), { name: 'holdout', bins: 3 * ownBands + 1 }],
    budget: { epsilon: projectEpsilon, delta: 1e-6 }, bundles: 8, cohort_min: 100, ends_on: new Date(Date.now() + 90 * 86_400_000).toISOString().slice(0, 10),
  };
  const connection = await connect({ gateway: platform.gatewayUrl, credentials: platform.bank, scope: 'query' });
  const { id: project, digest } = await jointClient(connection).propose(document);
  for (const credentials of platform.officers) await jointClient(await connect({ gateway: platform.gatewayUrl, credentials, scope: 'compliance' })).approve(project, digest);
  return {
    platform, subjects, trains: data.trains.slice(0, rows), bad: data.bad.slice(0, rows), own, hostBins: host.map(({ bins }) => bins), document, project, connection, pids: { gateway: gateway.process.pid, postgres: platform.cluster.pid },
    async close() {
      await gateway.stop();
      await platform.close();
    },
  };
}

/** Cut at the training rows' quantiles; edges so that the project's bins (lower edge included) are these (upper edge included). */
function binned({ values }: Column, trains: readonly boolean[], rows: number): { readonly bins: number[]; readonly edges: number[] } {
  const used = [...values.subarray(0, rows)];
  const edges = equalFrequencyEdges(used.filter((_, row) => trains[row] === true), binsWanted);
  return { bins: used.map((value) => binOf(edges, value)), edges: edges.map((edge) => (Math.floor(edge * 10 ** digits + 1e-3) + 0.5) / 10 ** digits) };
}
