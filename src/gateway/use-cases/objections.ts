import { hash } from 'node:crypto';
import { appendMax, appendRecords } from '../../audit/append.ts';
import { recordHead, type AuditRecord } from '../../audit/entry.ts';
import type { ObjectionStepKind } from '../../audit/objection-entry.ts';
import type { AuditReader } from '../../audit/read.ts';
import { isIsoDate, shanghaiDate } from '../../calendar.ts';
import { canonicalJson } from '../../canonical.ts';
import type { Clock } from '../../clock.ts';
import { VeilgateError } from '../../errors.ts';
import type { AboutAccess, AboutRecord, Objection, ObjectionAction, ObjectionRole, ObjectionState, ObjectionStep, RecordFault } from '../../objection/objection.ts';
import { appendStep, insertObjection, listObjections, lockObjection, lockOverdue, moveObjection, objectionNotFound, readObjection, stepsOf } from '../../objection/registry.ts';
import type { ObjectionSettings } from '../../objection/settings.ts';
import { actionsNow, closedByTime, dueAfter, stepOf, type Step } from '../../objection/steps.ts';
import { noticesOf, type Notice } from '../../objection/notices.ts';
import type { Feature, FeatureId } from '../../scoring/protocol.ts';
import { scoreReleaseIn } from '../../scoring/run/release.ts';
import { isSuppliedSince } from '../../source/correct.ts';
import type { Database, Sql, Tx } from '../../store/database.ts';
import type { Caller, Catalogue, Dataset, FieldRef, PartyId, SubjectId, TimeMs } from '../../vocabulary.ts';
import { issueNotices } from './correction-notices.ts';

/** What objections need of the other stages. */
export type ObjectionDesk = {
  readonly database: Database;
  readonly clock: Clock;
  readonly catalogue: Catalogue;
  readonly log: Pick<AuditReader, 'entry'>;
  /** Features as the platform declares them now: which fields are behind a score. */
  readonly features: () => ReadonlyMap<FeatureId, Feature>;
  /** policies/calendar.yaml as it was at start. */
  readonly settings: () => ObjectionSettings;
};

/** What an enterprise objects to, in its own words. */
export type GivenObjection =
  | { readonly about: 'record'; readonly field: FieldRef; readonly row?: string; readonly fault: RecordFault; readonly text: string }
  | { readonly about: 'access'; readonly entry: number; readonly text: string };

/** An objection with its history, and what the caller may do with it now. */
export type ObjectionView = {
  readonly objection: Objection;
  readonly steps: readonly ObjectionStep[];
  readonly actions: readonly Step['action'][];
  /** Who was told of the correction; undefined for departments, which must not learn who the banks' customers are. */
  readonly notices: readonly Notice[] | undefined;
};

const platform = 'platform' as PartyId;
const overdueMax = 100;
/** States in which an answer is owed: what is late there is overdue. */
export const owedStates: readonly ObjectionState[] = ['submitted', 'accepted'];

/**
 * Takes an objection in, with its first step in the log.
 * Errors: OBJECTION_INVALID, OBJECTION_EXISTS, AUDIT_ENTRY_NOT_FOUND for an entry that is none about this enterprise, REQUEST_QUOTA_EXCEEDED, PARTY_NOT_PERMITTED.
 */
export async function submitObjection(desk: ObjectionDesk, tx: Tx, caller: Caller, given: GivenObjection): Promise<Objection> {
  if (caller.subject === undefined) throw new VeilgateError('PARTY_NOT_PERMITTED', 'Only an enterprise objects, to what is recorded of itself.');
  const about = given.about === 'record' ? aboutRecord(desk.catalogue, given) : await aboutAccess(desk, tx, caller.subject, given.entry);
  const atMs = desk.clock.nowMs();
  const objection = await insertObjection(tx, { ...about, subject: caller.subject, by: caller.party, dueOn: dueAfter('submitted', atMs, desk.settings()) }, atMs);
  await logStep(tx, objection, { action: 'submit', role: 'enterprise', by: caller.party, words: given.text, atMs });
  return objection;
}

export type AskedStep = { readonly id: string; readonly action: Step['action']; readonly words: string | null };

/**
 * Takes one step, under lock and with its entry in the log. A correction tells everybody who received the value.
 * Errors: OBJECTION_NOT_FOUND, OBJECTION_STATE_CONFLICT, OBJECTION_NOT_CORRECTED, PARTY_NOT_PERMITTED.
 */
export async function takeStep(desk: ObjectionDesk, tx: Tx, caller: Caller, { id, action, words }: AskedStep): Promise<Objection> {
  const objection = requireVisible(caller, await lockObjection(tx, id));
  const role = roleOf(caller);
  const step = stepOf(objection.about, role, action);
  if (step === undefined) throw new VeilgateError('PARTY_NOT_PERMITTED', 'This is for somebody else to decide: about a record the department that supplies it, about an access a compliance officer.');
  if (!step.from.includes(objection.state)) {
    throw new VeilgateError('OBJECTION_STATE_CONFLICT', `The objection is ${objection.state}: read it again; detail.actions gives what you can do.`, {
      state: objection.state, actions: actionsNow(objection, role),
    });
  }
  if (step.wordsRequired && words === null) throw new VeilgateError('REQUEST_INVALID', 'Say why, or what was done: send `text`.', { pointer: '/text' });
  if (action === 'correct') await requireSupplied(desk.catalogue, tx, objection);
  return move(desk, tx, objection, { action, role, by: caller.party, words, to: step.to }, async (moved, atMs) =>
    (action === 'correct' && moved.about === 'record' ? issueNotices(tx, desk.features(), moved, caller.party, atMs) : []));
}

/** Closes what has an outcome and that nobody has closed in time; in parts. */
export async function closeOverdueObjections(desk: Pick<ObjectionDesk, 'database' | 'clock' | 'settings'>): Promise<void> {
  for (let closed = overdueMax; closed === overdueMax;) {
    closed = await desk.database.transaction('close objections', async (tx) => {
      const overdue = await lockOverdue(tx, closedByTime, shanghaiDate(desk.clock.nowMs()), overdueMax);
      for (const objection of overdue) await move(desk, tx, objection, { action: 'close', role: 'platform', by: null, words: null, to: 'closed' });
      return overdue.length;
    });
  }
}

/** One objection this caller may see. Errors: OBJECTION_NOT_FOUND, equal for somebody else's and none. */
export async function viewObjection(sql: Sql, caller: Caller, id: string): Promise<ObjectionView> {
  const objection = requireVisible(caller, await readObjection(sql, id));
  return {
    objection,
    steps: await stepsOf(sql, id),
    actions: actionsNow(objection, roleOf(caller)),
    notices: caller.kind === 'department' ? undefined : await noticesOf(sql, id),
  };
}

export type AskedPage = { readonly state?: ObjectionState; readonly overdue: boolean; readonly after?: string; readonly limit: number };

/** One page of those this caller may see: an enterprise its own, a department what was accepted of its datasets, officers all. */
export function visibleObjections(desk: ObjectionDesk, caller: Caller, { state, overdue, after, limit }: AskedPage): Promise<Objection[]> {
  const states = state === undefined ? (overdue ? owedStates : undefined) : [state];
  return listObjections(desk.database, {
    ...ownedBy(caller), limit,
    ...(states === undefined ? {} : { states: overdue ? states.filter((each) => owedStates.includes(each)) : states }),
    ...(overdue ? { dueBefore: shanghaiDate(desk.clock.nowMs()) } : {}),
    ...(after === undefined ? {} : { after }),
  });
}

function ownedBy(caller: Caller): { readonly subject?: SubjectId; readonly department?: PartyId } {
  switch (roleOf(caller)) {
    case 'enterprise': return { subject: caller.subject as SubjectId };
    case 'department': return { department: caller.party };
    default: return {};
  }
}

/** Errors: PARTY_NOT_PERMITTED. */
function roleOf(caller: Caller): Exclude<ObjectionRole, 'platform'> {
  if (caller.subject !== undefined) return 'enterprise';
  if (caller.kind === 'department') return 'department';
  if (caller.kind === 'officer' && caller.scopes.has('compliance')) return 'officer';
  throw new VeilgateError('PARTY_NOT_PERMITTED', 'Objections are for the enterprise, the department concerned and compliance officers.');
}

function requireVisible(caller: Caller, objection: Objection): Objection {
  const role = roleOf(caller);
  if (role === 'enterprise' && objection.subject !== caller.subject) throw objectionNotFound();
  if (role === 'department' && (objection.about !== 'record' || objection.department !== caller.party || objection.acceptedMs === null)) throw objectionNotFound();
  return objection;
}

/** Errors: OBJECTION_INVALID. */
function aboutRecord(catalogue: Catalogue, { field, row, fault }: Extract<GivenObjection, { readonly about: 'record' }>): AboutRecord {
  const dataset = datasetOf(catalogue, field);
  if (dataset === undefined) throw invalid('/field', 'The catalogue has no such field: choose one of those it lists.');
  if (row !== undefined && dataset.cardinality.kind === 'one') throw invalid('/row', 'An enterprise has one record in this dataset: leave the row out.');
  if (row !== undefined && dataset.cardinality.kind === 'per_period' && !isIsoDate(row)) throw invalid('/row', 'Rows of this dataset are named by their period: write it YYYY-MM-DD.');
  return { about: 'record', field, row: row ?? null, fault, department: dataset.department };
}

/** Errors: AUDIT_ENTRY_NOT_FOUND, equal for an entry about somebody else and none. */
async function aboutAccess({ log }: ObjectionDesk, tx: Tx, subject: SubjectId, entry: number): Promise<AboutAccess> {
  const { kind, record } = await log.entry(entry);
  const own = kind === 'scores.released'
    ? await scoreReleaseIn(tx, subject, entry) !== undefined
    : accessKinds.has(kind) && record !== null && 'subject' in record && record.subject === subject;
  if (!own) throw new VeilgateError('AUDIT_ENTRY_NOT_FOUND', 'The log has no access to you with this index: see your access history.');
  return { about: 'access', entry };
}

const accessKinds: ReadonlySet<AuditRecord['kind']> = new Set(['query.released', 'query.refused', 'score.released', 'score.refused']);

/** Errors: OBJECTION_NOT_CORRECTED. */
async function requireSupplied(catalogue: Catalogue, tx: Tx, objection: Objection): Promise<void> {
  const dataset = objection.about === 'record' ? datasetOf(catalogue, objection.field) : undefined;
  const supplied = dataset !== undefined && objection.acceptedMs !== null && await isSuppliedSince(tx, dataset, objection.subject, objection.acceptedMs);
  if (supplied) return;
  throw new VeilgateError('OBJECTION_NOT_CORRECTED', 'No record of this enterprise was supplied since the objection came to you: load the corrected record first (`veilgate records correct`).');
}

function datasetOf({ fields, datasets }: Catalogue, field: FieldRef): Dataset | undefined {
  return fields.has(field) ? [...datasets.values()].find(({ fields: of }) => of.some(({ ref }) => ref === field)) : undefined;
}

type Taken = { readonly action: ObjectionAction; readonly role: ObjectionRole; readonly by: PartyId | null; readonly words: string | null };

/** @param follow what else happens with this step, as the log must say it */
async function move(
  desk: Pick<ObjectionDesk, 'clock' | 'settings'>, tx: Tx, objection: Objection, { to, ...taken }: Taken & { readonly to: ObjectionState },
  follow: (moved: Objection, atMs: TimeMs) => Promise<readonly AuditRecord[]> = async () => [],
): Promise<Objection> {
  const atMs = desk.clock.nowMs();
  const moved = await moveObjection(tx, objection, { state: to, dueOn: dueAfter(to, atMs, desk.settings()) }, atMs);
  await logStep(tx, moved, { ...taken, atMs }, await follow(moved, atMs));
  return moved;
}

/** Appends the step and what follows from it to the log, and writes it to the objection's history. */
async function logStep(tx: Tx, objection: Objection, { action, role, by, words, atMs }: Taken & { readonly atMs: TimeMs }, following: readonly AuditRecord[] = []): Promise<void> {
  const about = objection.about === 'record' ? { field: objection.field } : { entry: objection.entry };
  const digest = words === null ? null : hash('sha256', canonicalJson({ objection: objection.id, action, words }), 'hex');
  const record: AuditRecord = { ...recordHead(kindOf[action], atMs, by ?? platform), objection: objection.id, subject: objection.subject, ...about, words: digest };
  const [entry] = await appendRecords(tx, [record]);
  for (let at = 0; at < following.length; at += appendMax) await appendRecords(tx, following.slice(at, at + appendMax));
  if (entry === undefined) throw new VeilgateError('INTERNAL', 'The step was not logged: report this to the platform.');
  await appendStep(tx, objection, { action, state: objection.state, role, by, atMs, words, entry: entry.index });
}

const kindOf: Readonly<Record<ObjectionAction, ObjectionStepKind>> = {
  submit: 'objection.submitted', accept: 'objection.accepted', return: 'objection.returned', correct: 'objection.corrected',
  remedy: 'objection.remedied', reject: 'objection.rejected', close: 'objection.closed',
};

function invalid(pointer: string, message: string): VeilgateError {
  return new VeilgateError('OBJECTION_INVALID', message, { pointer });
}
