import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/gateway/log.ts';
import { startWorker, type RunningWorker } from '../../src/gateway/worker/worker.ts';
import type { BundleSpec } from '../../src/joint/lottery/bundle.ts';
import type { JointProjectJson } from '../../src/sdk/joint.ts';
import { bundleSpec, columnByPosition, fixColumn, holdLottery, jointRunClient, newSeeds, uploadBundle, type JointRunClient, type JointRunView, type JointSeeds } from '../../src/sdk/joint-run.ts';
import type { SubjectId } from '../../src/vocabulary.ts';
import { consentTo, jointProject, startJointStage, subjects, type JointStage } from './joint.ts';
import { root } from './sources.ts';

/** What the records of the n-th enterprise come to, and what its bank knows of it. */
export type Twin = { readonly debt: number; readonly rating: number; readonly invoices: number; readonly bad: number; readonly own: number };

const ratings = ['A', 'B', 'M', 'C'];
export const invoiceSteps = 20;

/** The clear twin of the columns below. Missing values: every 17th has no debt ratio, every 13th no tax record. */
export function twinOf(n: number): Twin {
  const hasTax = n % 13 !== 0;
  const debt = n % 17 === 0 ? 3 : Math.min(2, Math.floor((n % 10) / 4));
  const rating = hasTax ? (n * 7) % 4 : 4;
  const invoices = hasTax ? (n * 11) % (invoiceSteps + 1) : 0;
  return { debt, rating, invoices, bad: (n * 5 + debt * 3) % 7 < 1 + debt ? 1 : 0, own: (n * 3) % 4 };
}

export const partnerColumns = [{ name: 'default', bins: 3 }, { name: 'own_rating', bins: 5 }] as const;

/** Small columns from two datasets, one of them with a record a month. */
export function runProject(partner = 'bank-a'): JointProjectJson {
  return {
    ...jointProject(partner), datasets: ['financials', 'tax'],
    columns: [
      { name: 'debt', source: 'financials.debt_ratio', encoding: { kind: 'bins', edges: [0.4, 0.8] } },
      { name: 'rating', source: 'tax.credit_rating', encoding: { kind: 'bins', codes: ratings } },
      { name: 'invoices', source: 'tax.invoice_count', encoding: { kind: 'steps', min: 0, max: 200, steps: invoiceSteps } },
      { name: 'invoices_wide', source: 'tax.invoice_count', encoding: { kind: 'steps', min: 0, max: 200, steps: invoiceSteps / 2 } },
    ],
    partner_columns: partnerColumns, bundles: 8, cohort_min: 100, budget: { epsilon: 4, delta: 0.000001 },
  };
}

function financialsCsv(list: readonly SubjectId[]): string {
  return ['subject,statement_date,debt_ratio', ...list.map((subject, n) => `${subject},2025-12-31,${n % 17 === 0 ? '' : ((n % 10) / 10).toFixed(9)}`)].join('\n');
}

/** The month before says otherwise: only the latest record counts. */
function taxCsv(list: readonly SubjectId[]): string {
  const lines = list.flatMap((subject, n) => {
    const { rating, invoices } = twinOf(n);
    return rating === ratings.length ? [] : [`${subject},2026-09-01,D,3`, `${subject},2026-10-01,${ratings[rating]},${invoices * 10}`];
  });
  return ['subject,period,credit_rating,invoice_count', ...lines].join('\n');
}

/** The sample policies with other limits of joint modelling, in a folder that goes with the process. */
function policiesWith(changes: readonly (readonly [string, string])[]): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-policies-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  cpSync(path.join(root, 'policies'), folder, { recursive: true });
  const file = path.join(folder, 'joint.yaml');
  writeFileSync(file, changes.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`policies/joint.yaml does not say ${from}`);
    return text.replace(from, to);
  }, readFileSync(file, 'utf8')));
  return folder;
}

export type JointRunStage = JointStage & {
  readonly enterprises: readonly SubjectId[];
  readonly runs: JointRunClient;
  readonly otherRuns: JointRunClient;
  /** From then on tasks wait: tests do them by themselves. */
  readonly stopWorker: () => Promise<void>;
  readonly workerLog: () => string;
  readonly document: JointProjectJson;
  /** An approved project, a cohort of all who consented, and the seeds of its bundles. */
  readonly begin: (changes?: Partial<JointProjectJson>) => Promise<JointCase>;
  /** The same, with the lottery won, the bundle there and both columns fixed. */
  readonly ready: (changes?: Partial<JointProjectJson>) => Promise<JointCase & { readonly run: JointRunView }>;
  readonly records: (kind: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;
  readonly close: () => Promise<void>;
};

export type JointCase = {
  readonly project: string;
  readonly cohort: string;
  readonly document: JointProjectJson;
  readonly spec: BundleSpec;
  readonly seeds: JointSeeds;
  /** Which enterprise stands at each position; the partner knows it by alignment. */
  readonly order: readonly number[];
};

/** @param joint changes of policies/joint.yaml, as `[words, their replacement]` */
export async function startRunStage(count = 240, joint: readonly (readonly [string, string])[] = [], settings: Readonly<Record<string, string>> = {}): Promise<JointRunStage> {
  const stage = await startJointStage({ VEILGATE_SCORE_TASKS: '2', VEILGATE_SCORE_THREADS: '2', ...(joint.length === 0 ? {} : { VEILGATE_POLICY_FOLDER: policiesWith(joint) }), ...settings });
  const { platform, partner } = stage;
  const enterprises = subjects(0, count);
  await platform.load('financials', 'finance_bureau', financialsCsv(enterprises));
  await platform.load('tax', 'tax_administration', taxCsv(enterprises));
  await consentTo(platform.database, 'bank-a', enterprises, runProject().columns.map(({ source }) => source));
  let logged = '';
  const log = createLog({ level: 'debug', stream: new Writable({ write: (chunk: Buffer, _encoding, done) => { logged += chunk.toString('utf8'); done(); } }) });
  let worker: RunningWorker | undefined = await startWorker(platform.config, platform.database.url, undefined, log, systemClock);
  const runs = jointRunClient(await platform.connect('bank-a', 'query'));
  const document = runProject();

  const stopWorker = async () => {
    await worker?.stop();
    worker = undefined;
  };
  const begin = async (changes: Partial<JointProjectJson> = {}): Promise<JointCase> => {
    const own = { ...document, ...changes };
    const project = await stage.approved(own);
    const cohort = await partner.formCohort(project);
    const list = enterprises.filter((_, n) => n % 6 !== 5); // the bank's own customers
    const known = new Map(enterprises.map((code, n) => [code, n]));
    const positions = await partner.align(cohort.id, list);
    const order = new Array<number>(cohort.size).fill(-1);
    positions.forEach((position, at) => { if (position !== undefined) order[position] = known.get(list[at] as SubjectId) as number; });
    return { project, cohort: cohort.id, document: own, spec: bundleSpec({ project, cohort: cohort.id }, cohort.size, own), seeds: newSeeds(project, cohort.id, own.bundles), order };
  };
  return {
    ...stage, enterprises, runs, otherRuns: jointRunClient(await platform.connect('partner-b', 'query')), stopWorker, workerLog: () => logged, document, begin,
    async ready(changes) {
      const found = await begin(changes);
      const { run: id } = await holdLottery(runs, found.spec, found.seeds, { pollMs: 50 });
      const run = await uploadBundle(runs, found.spec, found.seeds, id, { pollMs: 50 });
      const mine = found.order.flatMap((n, position) => (n < 0 ? [] : [{ position, twin: twinOf(n) }]));
      const place = mine.map(({ position }) => position);
      await fixColumn(runs, found.spec, found.seeds, run, 'default', columnByPosition(run.rows, place, mine.map(({ twin }) => twin.bad), 2));
      await fixColumn(runs, found.spec, found.seeds, run, 'own_rating', columnByPosition(run.rows, place, mine.map(({ twin }) => twin.own), 4));
      return { ...found, run };
    },
    async records(kind) {
      const { rows } = await platform.database.query<{ record: Readonly<Record<string, unknown>> }>('select record::jsonb as record from audit_entry where kind = $1 order by index', [kind]);
      return rows.map(({ record }) => record);
    },
    async close() {
      await stopWorker();
      await platform.close();
    },
  };
}
