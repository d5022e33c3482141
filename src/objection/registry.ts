import { randomBytes } from 'node:crypto';
import { dayStartMs, secondsToNextDay } from '../calendar.ts';
import { VeilgateError } from '../errors.ts';
import type { Sql, Tx } from '../store/database.ts';
import type { FieldRef, IsoDate, PartyId, SubjectId, TimeMs } from '../vocabulary.ts';
import type { AboutAccess, AboutRecord, Objection, ObjectionState, ObjectionStep, RecordFault } from './objection.ts';

/** Objections a page of a list holds at most. */
export const objectionPageMax = 100;
/** Objections of one enterprise that may wait for an answer. */
const openMax = 50;
/** Objections one enterprise submits in a day (Asia/Shanghai), also of those it closed at once: each is two entries of the log. */
export const objectionsPerDayMax = 100;

type Row = {
  id: string; subject: SubjectId; submitted_by: PartyId; submitted_ms: TimeMs; about: 'record' | 'access'; field: FieldRef | null; row_key: string | null;
  fault: RecordFault | null; department: string | null; entry: number | null; state: ObjectionState; due_on: IsoDate | null; accepted_ms: TimeMs | null;
};
const columns = 'id, subject, submitted_by, submitted_ms, about, field, row_key, fault, department, entry, state, due_on::text as due_on, accepted_ms';
const idShape = /^[A-Za-z0-9_-]{22}$/;

export type NewObjection = (AboutRecord | AboutAccess) & { readonly subject: SubjectId; readonly by: PartyId; readonly dueOn: IsoDate | null };

/**
 * Registers an objection.
 * Errors: OBJECTION_EXISTS when one to the same waits for its answer, REQUEST_QUOTA_EXCEEDED.
 */
export async function insertObjection(tx: Tx, given: NewObjection, atMs: TimeMs): Promise<Objection> {
  const record = given.about === 'record' ? given : undefined;
  const access = given.about === 'access' ? given : undefined;
  // one after the other for each enterprise, or two at once would both see room for one more
  await tx.query("select pg_advisory_xact_lock(hashtextextended('objections of ' || $1, 0))", [given.subject]);
  const { rows: [before] } = await tx.query<{ open: number; today: number }>(
    "select count(*) filter (where state in ('submitted', 'accepted'))::integer as open, count(*) filter (where submitted_ms >= $2)::integer as today from objection where subject = $1 and (submitted_ms >= $2 or state in ('submitted', 'accepted'))",
    [given.subject, dayStartMs(atMs)],
  );
  if ((before?.today ?? 0) >= objectionsPerDayMax) throw new VeilgateError('REQUEST_QUOTA_EXCEEDED', `You objected ${objectionsPerDayMax} times today: continue tomorrow.`, { retryAfterSeconds: secondsToNextDay(atMs) });
  if ((before?.open ?? 0) >= openMax) throw new VeilgateError('REQUEST_QUOTA_EXCEEDED', `${openMax} of your objections wait for their answer: wait for it, or close some.`);
  const { rows } = await tx.query<Row>(
    `insert into objection (id, subject, submitted_by, submitted_ms, about, field, row_key, fault, department, entry, due_on)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::date) on conflict do nothing returning ${columns}`,
    [
      newId(), given.subject, given.by, atMs, given.about, record?.field ?? null, record?.row ?? null, record?.fault ?? null, record?.department ?? null,
      access?.entry ?? null, given.dueOn,
    ],
  );
  const [row] = rows;
  if (row === undefined) throw new VeilgateError('OBJECTION_EXISTS', 'An objection of yours to the same waits for its answer: see it in your list, or close it before you object again.');
  return objectionOf(row);
}

/** Errors: OBJECTION_NOT_FOUND. */
export async function readObjection(sql: Sql, id: string): Promise<Objection> {
  if (!idShape.test(id)) throw objectionNotFound();
  return found(await sql.query<Row>({ name: 'objection read', text: `select ${columns} from objection where id = $1`, values: [id] }));
}

/** Locked until the transaction ends: of two steps at once one comes second and sees the first. Errors: OBJECTION_NOT_FOUND. */
export async function lockObjection(tx: Tx, id: string): Promise<Objection> {
  if (!idShape.test(id)) throw objectionNotFound();
  return found(await tx.query<Row>({ name: 'objection lock', text: `select ${columns} from objection where id = $1 for no key update`, values: [id] }));
}

/** Writes what a step leads to, for a locked objection. */
export async function moveObjection(tx: Tx, { id }: Objection, to: Pick<Objection, 'state' | 'dueOn'>, atMs: TimeMs): Promise<Objection> {
  return found(await tx.query<Row>(
    `update objection set state = $2, due_on = $3::date, accepted_ms = case when $2 = 'accepted' then $4 else accepted_ms end where id = $1 returning ${columns}`,
    [id, to.state, to.dueOn, atMs],
  ));
}

/** Writes a step behind those there are; the objection is locked or new. */
export async function appendStep(tx: Tx, { id }: Objection, step: Omit<ObjectionStep, 'number'>): Promise<void> {
  await tx.query(
    `insert into objection_step (objection, number, action, state, role, by_party, at_ms, words, entry)
     select $1, count(*), $2, $3, $4, $5, $6, $7, $8 from objection_step where objection = $1`,
    [id, step.action, step.state, step.role, step.by, step.atMs, step.words, step.entry],
  );
}

/** In the order in which they were taken. */
export async function stepsOf(sql: Sql, id: string): Promise<ObjectionStep[]> {
  const { rows } = await sql.query<Omit<ObjectionStep, 'atMs'> & { readonly at_ms: TimeMs }>({
    name: 'objection steps',
    text: 'select number, action, state, role, by_party as by, at_ms, words, entry from objection_step where objection = $1 order by number',
    values: [id],
  });
  return rows.map(({ at_ms: atMs, ...step }) => ({ ...step, atMs }));
}

export type ObjectionFilter = {
  readonly subject?: SubjectId;
  /** Only what was accepted and is this department's. */
  readonly department?: PartyId;
  readonly states?: readonly ObjectionState[];
  /** Only those whose next step is due before this day: overdue on it. */
  readonly dueBefore?: IsoDate;
  /** Id of the last objection of the page before. */
  readonly after?: string;
  /** 1..objectionPageMax. */
  readonly limit: number;
};

const byAge = { key: 'submitted_ms, id', beyond: '<', order: 'submitted_ms desc, id desc' } as const;
const byDue = { key: 'due_on, id', beyond: '>', order: 'due_on, id' } as const;

/** Newest first; overdue ones longest due first. */
export async function listObjections(sql: Sql, filter: ObjectionFilter): Promise<Objection[]> {
  const { key, beyond, order } = filter.dueBefore === undefined ? byAge : byDue;
  const { rows } = await sql.query<Row>(
    `select ${columns} from objection
     where ($1::text is null or subject = $1) and ($2::text is null or (department = $2 and accepted_ms is not null)) and ($3::text[] is null or state = any($3))
       and ($4::date is null or due_on < $4) and ($5::text is null or (${key}) ${beyond} (select ${key} from objection where id = $5))
     order by ${order} limit $6`,
    [filter.subject ?? null, filter.department ?? null, filter.states ?? null, filter.dueBefore ?? null, filter.after ?? null, filter.limit],
  );
  return rows.map(objectionOf);
}

/** Objections in these states that were due before this day. Locked; skips what others hold. */
export async function lockOverdue(tx: Tx, states: readonly ObjectionState[], day: IsoDate, max: number): Promise<Objection[]> {
  const { rows } = await tx.query<Row>(
    `select ${columns} from objection where due_on < $1::date and state = any($2::text[]) order by due_on, id limit $3 for no key update skip locked`,
    [day, states, max],
  );
  return rows.map(objectionOf);
}

/** Equal for what is not there and what is somebody else's. */
export function objectionNotFound(): VeilgateError {
  return new VeilgateError('OBJECTION_NOT_FOUND', 'There is no such objection, or it is not yours to see.');
}

/** 128 random bits, base64url. */
export function newId(): string {
  return randomBytes(16).toString('base64url');
}

function found({ rows: [row] }: { readonly rows: readonly Row[] }): Objection {
  if (row === undefined) throw objectionNotFound();
  return objectionOf(row);
}

function objectionOf({ about, field, row_key: row, fault, department, entry, submitted_by: submittedBy, submitted_ms: submittedMs, due_on: dueOn, accepted_ms: acceptedMs, ...same }: Row): Objection {
  const common = { ...same, submittedBy, submittedMs, dueOn, acceptedMs };
  if (about === 'access') return { ...common, about, entry: entry as number };
  return { ...common, about, field: field as FieldRef, row, fault: fault as RecordFault, department: department as string };
}
