import type { FieldRef, IsoDate, PartyId, SubjectId, TimeMs } from '../vocabulary.ts';

export type ObjectionState = 'submitted' | 'accepted' | 'returned' | 'corrected' | 'remedied' | 'rejected' | 'closed';
export type ObjectionAction = 'submit' | 'accept' | 'return' | 'correct' | 'remedy' | 'reject' | 'close';
/** As what somebody takes a step. */
export type ObjectionRole = 'enterprise' | 'officer' | 'department' | 'platform';
/** What is said to be the matter with a value. */
export type RecordFault = 'wrong' | 'outdated' | 'incomplete';

export type AboutRecord = {
  readonly about: 'record';
  readonly field: FieldRef;
  /** Names the row where a subject has several: period (`YYYY-MM-DD`) or the record field's value; null: none, or all of them. */
  readonly row: string | null;
  readonly fault: RecordFault;
  /** Party id of the supplying department. */
  readonly department: string;
};
export type AboutAccess = {
  readonly about: 'access';
  /** Index of the log entry. */
  readonly entry: number;
};

export type Objection = (AboutRecord | AboutAccess) & {
  readonly id: string;
  readonly subject: SubjectId;
  readonly submittedBy: PartyId;
  readonly submittedMs: TimeMs;
  readonly state: ObjectionState;
  /** Last day of the next step; null once closed. */
  readonly dueOn: IsoDate | null;
  /** Null before it was accepted, and for good when it never was. */
  readonly acceptedMs: TimeMs | null;
};

export type ObjectionStep = {
  readonly number: number;
  readonly action: ObjectionAction;
  /** After it. */
  readonly state: ObjectionState;
  readonly role: ObjectionRole;
  /** Null for the platform. */
  readonly by: PartyId | null;
  readonly atMs: TimeMs;
  /** Plain text of whoever did it. */
  readonly words: string | null;
  /** Index of its log entry. */
  readonly entry: number;
};
