import { shanghaiDate, workingDaysAfter } from '../calendar.ts';
import type { IsoDate, TimeMs } from '../vocabulary.ts';
import type { Objection, ObjectionAction, ObjectionRole, ObjectionState } from './objection.ts';
import type { ObjectionSettings } from './settings.ts';

/** One step: who may take it, for what kind of objection, out of which states, and where it leads. */
export type Step = {
  readonly action: Exclude<ObjectionAction, 'submit'>;
  readonly about: readonly Objection['about'][];
  readonly role: ObjectionRole;
  readonly from: readonly ObjectionState[];
  readonly to: ObjectionState;
  /** Whoever refuses something says why; whoever did something says what. */
  readonly wordsRequired: boolean;
};

const either = ['record', 'access'] as const;
/** What has an outcome, and waits for nothing but to be closed. */
const answered = ['returned', 'corrected', 'remedied', 'rejected'] as const;

/** The whole life of an objection; what is not here cannot be done. */
export const steps: readonly Step[] = [
  { action: 'accept', about: either, role: 'officer', from: ['submitted'], to: 'accepted', wordsRequired: false },
  { action: 'return', about: either, role: 'officer', from: ['submitted'], to: 'returned', wordsRequired: true },
  { action: 'correct', about: ['record'], role: 'department', from: ['accepted'], to: 'corrected', wordsRequired: true },
  { action: 'reject', about: ['record'], role: 'department', from: ['accepted'], to: 'rejected', wordsRequired: true },
  { action: 'remedy', about: ['access'], role: 'officer', from: ['accepted'], to: 'remedied', wordsRequired: true },
  { action: 'reject', about: ['access'], role: 'officer', from: ['accepted'], to: 'rejected', wordsRequired: true },
  { action: 'close', about: either, role: 'enterprise', from: ['submitted', 'accepted', ...answered], to: 'closed', wordsRequired: false },
  { action: 'close', about: either, role: 'platform', from: answered, to: 'closed', wordsRequired: false },
];

/** The step of this name for this kind of objection and role, from whatever state; undefined when there is none. */
export function stepOf(about: Objection['about'], role: ObjectionRole, action: ObjectionAction): Step | undefined {
  return steps.find((step) => step.action === action && step.role === role && step.about.includes(about));
}

/** What somebody in this role may do with an objection now. */
export function actionsNow({ about, state }: Pick<Objection, 'about' | 'state'>, role: ObjectionRole): Step['action'][] {
  return steps.filter((step) => step.role === role && step.about.includes(about) && step.from.includes(state)).map(({ action }) => action);
}

/** States in which housekeeping closes what is over its time. */
export const closedByTime: readonly ObjectionState[] = answered;

/** Last day for the step after one that was taken now; null when there is none. */
export function dueAfter(state: ObjectionState, atMs: TimeMs, { deadlines, calendar }: ObjectionSettings): IsoDate | null {
  if (state === 'closed') return null;
  const days = state === 'submitted' ? deadlines.accept : state === 'accepted' ? deadlines.decide : deadlines.close;
  return workingDaysAfter(shanghaiDate(atMs), days, calendar);
}
