import { recordHead, type QueriesRefused, type QueryRefused, type ScoreRefused } from '../../audit/entry.ts';
import type { JointRefused } from '../../audit/joint-run-entry.ts';
import { isoTime, type Clock } from '../../clock.ts';
import { isVeilgateError, type ErrorCode } from '../../errors.ts';
import type { IdentifiedRequest } from '../../identity/identify.ts';
import type { ScoreRequestClaims } from '../../scoring/protocol.ts';
import type { Caller, GrantId, InstitutionId, SubjectId, TimeMs } from '../../vocabulary.ts';
import type { Query } from './query.ts';

/**
 * Refusals at the door: of requests whose sender was proven, but which were not let in, and of questions of joint runs. So that no institution can fill
 * the log, each has a bound; what comes beyond it within a minute is counted in one record. Counts are kept in memory:
 * a process that is killed loses those of its last minute.
 */
export type DoorRefusals = {
  /** Logs a refusal, durable when it resolves, or counts it. Errors: AUDIT_UNAVAILABLE, STORE_UNAVAILABLE, REQUEST_OVERLOADED. */
  readonly record: (record: Countable, request?: string) => Promise<void>;
  /** Logs what was counted in minutes that are over; with `all`, in those that run as well. What cannot be logged stays counted. */
  readonly flush: (all?: boolean) => Promise<void>;
};

type Countable = QueryRefused | ScoreRefused | JointRefused;

export type DoorRefusalsOptions = {
  readonly clock: Clock;
  /** Refusals of one institution that are entries of their own, a minute. */
  readonly perMinuteMax: number;
  /** Appends one refusal with its signed request; durable when it resolves. */
  readonly append: (record: Countable, request?: string) => Promise<void>;
  /** Appends records of counts; durable when it resolves. */
  readonly appendCounts: (records: readonly QueriesRefused[]) => Promise<void>;
};

type Minute = { readonly institution: InstitutionId; readonly startMs: TimeMs; logged: number; readonly beyond: Map<ErrorCode, number> };

const minuteMs = 60_000;

export function createDoorRefusals({ clock, perMinuteMax, append, appendCounts }: DoorRefusalsOptions): DoorRefusals {
  const running = new Map<InstitutionId, Minute>();
  let ended: Minute[] = [];

  const minuteOf = (institution: InstitutionId, nowMs: TimeMs): Minute => {
    const before = running.get(institution);
    if (before !== undefined && !isOver(before, nowMs)) return before;
    if (before !== undefined) ended.push(before);
    const minute: Minute = { institution, startMs: nowMs, logged: 0, beyond: new Map() };
    running.set(institution, minute);
    return minute;
  };

  return {
    async record(record, request) {
      const minute = minuteOf(record.institution, clock.nowMs());
      if (minute.logged < perMinuteMax) {
        minute.logged += 1;
        await append(record, request);
      } else {
        minute.beyond.set(record.code, (minute.beyond.get(record.code) ?? 0) + 1);
      }
    },
    async flush(all = false) {
      const nowMs = clock.nowMs();
      for (const [institution, minute] of running) {
        if (!all && !isOver(minute, nowMs)) continue;
        running.delete(institution);
        ended.push(minute);
      }
      const counted = ended.filter(({ beyond }) => beyond.size > 0);
      ended = [];
      if (counted.length === 0) return;
      try {
        await appendCounts(counted.map((minute) => countRecord(minute, nowMs)));
      } catch (error) {
        ended.push(...counted);
        throw error;
      }
    },
  };
}

function isOver({ startMs }: Minute, nowMs: TimeMs): boolean {
  return Math.abs(nowMs - startMs) >= minuteMs; // also after the clock was set back
}

function countRecord({ institution, startMs, beyond }: Minute, nowMs: TimeMs): QueriesRefused {
  return {
    ...recordHead('queries.refused', nowMs, institution),
    institution, from: isoTime(startMs), until: isoTime(Math.max(startMs, Math.min(nowMs, startMs + minuteMs)) as TimeMs),
    refused: [...beyond].map(([code, count]) => ({ code, count })),
  };
}

/** A key that is out of use proves nobody; the others mean that the log, or what it stands on, is what failed. */
const notLogged: ReadonlySet<ErrorCode> = new Set(['TOKEN_KEY_UNKNOWN', 'PARTY_NOT_PERMITTED', 'AUDIT_UNAVAILABLE', 'STORE_UNAVAILABLE', 'REQUEST_OVERLOADED']);

/** What an institution asked that was refused at the door; of another form: nothing of it is repeated. */
type Scored = { readonly score: ScoreRequestClaims['score']; readonly asked: { readonly subject: SubjectId; readonly grant?: GrantId } };

/**
 * What the log says of a refusal at the door; undefined when it says nothing, because no institution was proven to ask.
 * @param caller undefined when admission itself refused
 * @param query undefined when it had another form: then nothing of it is repeated
 */
export function refusalAtTheDoor(identified: IdentifiedRequest, caller: Caller | undefined, query: Query | undefined, error: unknown, nowMs: TimeMs): QueryRefused | undefined {
  const code = loggedCode(identified, caller, error);
  if (code === undefined) return undefined;
  const institution = identified.party as InstitutionId;
  return {
    ...recordHead('query.refused', nowMs, institution),
    institution, subject: query?.subject ?? null, purpose: query?.purpose ?? null, grant: query?.grant ?? null,
    policy: null, decision: null, outcomes: [], code, request: identified.body?.digest ?? null,
  };
}

/** The same of the request for a score. */
export function scoreRefusalAtTheDoor(identified: IdentifiedRequest, caller: Caller | undefined, request: Scored | undefined, error: unknown, nowMs: TimeMs): ScoreRefused | undefined {
  const code = loggedCode(identified, caller, error);
  if (code === undefined) return undefined;
  const institution = identified.party as InstitutionId;
  return {
    ...recordHead('score.refused', nowMs, institution),
    institution, subject: request?.asked.subject ?? null, purpose: request?.score.purpose ?? null, grant: request?.asked.grant ?? null, model: request?.score.model ?? null,
    policy: null, decision: null, outcomes: [], ticket: null, code, request: identified.body?.digest ?? null,
  };
}

function loggedCode(identified: IdentifiedRequest, caller: Caller | undefined, error: unknown): ErrorCode | undefined {
  const code: ErrorCode = isVeilgateError(error) ? error.code : 'INTERNAL';
  // only institutions are given tokens for queries and scores
  const byInstitution = caller === undefined ? identified.scopes.has('query') : caller.kind === 'institution';
  return byInstitution && !notLogged.has(code) ? code : undefined;
}
