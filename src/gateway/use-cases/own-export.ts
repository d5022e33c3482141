import { randomBytes } from 'node:crypto';
import { appendRecords } from '../../audit/append.ts';
import { fieldOutcomes, recordHead, type AppendedEntry } from '../../audit/entry.ts';
import type { AuditReader, StoredEntry } from '../../audit/read.ts';
import { listEntries, listMax } from '../../audit/read.ts';
import type { Clock } from '../../clock.ts';
import { listGrantRequests, type GrantRequest } from '../../consent/grant-requests.ts';
import type { StoredGrant } from '../../consent/grant-row.ts';
import { listGrants } from '../../consent/grants.ts';
import { desensitise, type DesensitiseContext } from '../../disclosure/desensitise.ts';
import { dayMs } from '../../calendar.ts';
import { VeilgateError } from '../../errors.ts';
import { listObjections, stepsOf } from '../../objection/registry.ts';
import type { Objection, ObjectionStep } from '../../objection/objection.ts';
import type { SelfAccess } from '../../policy/self-access.ts';
import { ownRows } from '../../source/own-rows.ts';
import type { Database, Tx } from '../../store/database.ts';
import type { Caller, Catalogue, Dataset, DatasetId, Disclosure, RawRow, SubjectId, TimeMs, Value } from '../../vocabulary.ts';
import { accessHistory } from './access-history.ts';

export type ExportDesk = {
  readonly database: Database;
  readonly clock: Clock;
  readonly catalogue: Catalogue;
  readonly log: AuditReader;
  readonly selfAccess: SelfAccess;
  readonly tokenKeys: DesensitiseContext['tokenKeys'];
};

/** What is exported beside the records of each dataset. */
export const historyParts = ['grants', 'grant_requests', 'objections', 'accesses'] as const;
export type HistoryPart = (typeof historyParts)[number];

/** Exports one enterprise may begin in 24 hours: one of everything, or a table for each part, several times. */
export const exportsPerDayMax = 60;

/** One line of an export. */
export type ExportItem =
  | { readonly part: 'records'; readonly dataset: DatasetId; readonly values: Readonly<Record<string, Value>> }
  | { readonly part: 'grants'; readonly grant: StoredGrant }
  | { readonly part: 'grant_requests'; readonly request: GrantRequest }
  | { readonly part: 'objections'; readonly objection: Objection; readonly steps: readonly ObjectionStep[] }
  | { readonly part: 'accesses'; readonly entry: StoredEntry };

export type OwnExport = {
  readonly id: string;
  readonly subject: SubjectId;
  readonly atMs: TimeMs;
  /** Where the log says that it happened. */
  readonly entry: AppendedEntry;
  /** Read once, to its end. */
  readonly items: AsyncIterable<ExportItem>;
};

/**
 * Begins the export of an enterprise's own data and history. It is an access like any other: the log has it before the first
 * value leaves (`export.own`), with what was decided of each field.
 * @param only one part; everything when absent
 * Errors: PARTY_NOT_PERMITTED, SOURCE_DATASET_UNKNOWN for a part that is none, REQUEST_QUOTA_EXCEEDED, AUDIT_UNAVAILABLE.
 */
export async function beginExport(desk: ExportDesk, caller: Caller, form: 'ndjson' | 'csv', only: string | undefined): Promise<OwnExport> {
  const { subject } = caller;
  if (subject === undefined) throw new VeilgateError('PARTY_NOT_PERMITTED', 'Only an enterprise takes its own data along.');
  const datasets = datasetsOf(desk, only);
  const atMs = desk.clock.nowMs();
  const id = randomBytes(16).toString('base64url');
  const refs = new Set(datasets.flatMap(({ fields }) => fields.map(({ ref }) => ref)));
  const outcomes = fieldOutcomes(desk.selfAccess.decision.fields.filter(({ field }) => refs.has(field)));
  const [entry] = await desk.database.transaction('own export', async (tx) => {
    await requireFew(tx, subject, atMs);
    return appendRecords(tx, [{ ...recordHead('export.own', atMs, caller.party), subject, export: id, form, part: only ?? null, policy: desk.selfAccess.digest, outcomes }]);
  });
  if (entry === undefined) throw new VeilgateError('AUDIT_UNAVAILABLE', 'The log could not take the entry, so nothing was disclosed: try again, and tell the platform if it stays so.');
  return { id, subject, atMs, entry, items: itemsOf(desk, caller, subject, datasets, only, entry.index) };
}

function datasetsOf({ catalogue }: ExportDesk, only: string | undefined): readonly Dataset[] {
  if (only === undefined) return [...catalogue.datasets.values()];
  if (isHistoryPart(only)) return [];
  const dataset = catalogue.datasets.get(only as DatasetId);
  if (dataset === undefined) throw new VeilgateError('SOURCE_DATASET_UNKNOWN', `There is no such part: name a dataset of the catalogue, or ${historyParts.join(', ')}.`);
  return [dataset];
}

export function isHistoryPart(part: string): part is HistoryPart {
  return historyParts.some((each) => each === part);
}

async function requireFew(tx: Tx, subject: SubjectId, atMs: TimeMs): Promise<void> {
  // until the entry is there: several at once would each not see the others
  await tx.query({ name: 'own export lock', text: 'select pg_advisory_xact_lock(hashtextextended($1, 0))', values: [`exports of ${subject}`] });
  const lately = await listEntries(tx, { subject, kinds: ['export.own'], fromMs: (atMs - dayMs) as TimeMs, limit: exportsPerDayMax });
  if (lately.length < exportsPerDayMax) return;
  throw new VeilgateError('REQUEST_QUOTA_EXCEEDED', `You took your data along ${exportsPerDayMax} times within a day: try again tomorrow.`, { limit: exportsPerDayMax });
}

async function* itemsOf(desk: ExportDesk, caller: Caller, subject: SubjectId, datasets: readonly Dataset[], only: string | undefined, entry: number): AsyncGenerator<ExportItem> {
  for (const dataset of datasets) yield* records(desk, caller, subject, dataset);
  const wants = (part: HistoryPart) => only === undefined || only === part;
  if (wants('grants')) yield* grants(desk, subject);
  if (wants('grant_requests')) yield* grantRequests(desk, subject);
  if (wants('objections')) yield* objections(desk, subject);
  if (wants('accesses')) yield* accesses(desk, subject, entry);
}

async function* records({ database, selfAccess, tokenKeys }: ExportDesk, caller: Caller, subject: SubjectId, dataset: Dataset): AsyncGenerator<ExportItem> {
  const refs = new Set(dataset.fields.map(({ ref }) => ref));
  const decision = { ...selfAccess.decision, fields: selfAccess.decision.fields.filter(({ field, disposition }) => refs.has(field) && disposition !== 'withhold') };
  const open = new Set(decision.fields.map(({ field }) => field));
  for await (const rows of ownRows(database, dataset, dataset.fields.filter(({ ref }) => open.has(ref)), subject)) {
    for (const values of ownValues(decision, dataset.id, rows, { institution: caller.party, tokenKeys })) yield { part: 'records', dataset: dataset.id, values };
  }
}

/** The same treatments as a bank's answer, but what is clear need not be sealed: it is the caller's own. */
function ownValues(decision: SelfAccess['decision'], dataset: DatasetId, rows: readonly RawRow[], context: DesensitiseContext): Record<string, Value>[] {
  const { rows: shown, clear } = desensitise(decision, new Map([[dataset, rows]]), context);
  return rows.map((_, at) => {
    const masked = Object.entries(shown[dataset]?.[at] ?? {}).filter(([, disclosure]) => disclosure.kind !== 'sealed').map(([name, disclosure]) => [name, maskedValue(disclosure)] as const);
    const values: Readonly<Record<string, Value>> = { ...clear[dataset]?.[at], ...Object.fromEntries(masked) };
    return Object.fromEntries(decision.fields.map(({ field }) => field.slice(dataset.length + 1)).map((name) => [name, values[name] ?? null]));
  });
}

/** Only masks are open to self access; anything else would have no plain form and shows nothing. */
function maskedValue(disclosure: Disclosure): Value {
  return disclosure.kind === 'masked' ? disclosure.value : null;
}

async function* grants({ database, clock }: ExportDesk, subject: SubjectId): AsyncGenerator<ExportItem> {
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof listGrants>> = await listGrants(database, { subject }, after === null ? {} : { after }, clock.nowMs());
    for (const grant of page.grants) yield { part: 'grants', grant };
    after = page.next;
  } while (after !== null);
}

async function* grantRequests({ database, clock }: ExportDesk, subject: SubjectId): AsyncGenerator<ExportItem> {
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof listGrantRequests>> = await listGrantRequests(database, { subject }, after === null ? {} : { after }, clock.nowMs());
    for (const request of page.requests) yield { part: 'grant_requests', request };
    after = page.next;
  } while (after !== null);
}

const objectionsAtOnce = 50;

async function* objections({ database }: ExportDesk, subject: SubjectId): AsyncGenerator<ExportItem> {
  let after: string | undefined;
  do {
    const page = await listObjections(database, { subject, limit: objectionsAtOnce, ...(after === undefined ? {} : { after }) });
    for (const objection of page) yield { part: 'objections', objection, steps: await stepsOf(database, objection.id) };
    after = page.length < objectionsAtOnce ? undefined : page.at(-1)?.id;
  } while (after !== undefined);
}

/** Up to and with the entry of the export itself: what comes later belongs to the next one. */
async function* accesses({ database, log }: ExportDesk, subject: SubjectId, last: number): AsyncGenerator<ExportItem> {
  let beforeIndex = last + 1;
  for (;;) {
    const page = await accessHistory(log, database, { subject, beforeIndex, limit: listMax });
    for (const entry of page) yield { part: 'accesses', entry };
    if (page.length < listMax) return;
    beforeIndex = page.at(-1)?.index ?? 0;
  }
}
