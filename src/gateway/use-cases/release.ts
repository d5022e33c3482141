import { appending, decisionOutdated, tookNothing } from '../../audit/append.ts';
import type { AppendedEntry, AuditRecord, QueryRefused, QueryReleased, ScoreRefused, ScoreReleased } from '../../audit/entry.ts';
import type { JointRefused } from '../../audit/joint-run-entry.ts';
import type { RequestVault } from '../../audit/request-vault.ts';
import type { Clock } from '../../clock.ts';
import type { GrantUse } from '../../consent/consume.ts';
import { VeilgateError, isVeilgateError, type ErrorCode } from '../../errors.ts';
import type { ModelRef } from '../../scoring/protocol.ts';
import type { Tallies, TallyUse } from '../../scoring/run/tally.ts';
import { batcher } from '../../store/batch.ts';
import type { Database, Ending, Tx } from '../../store/database.ts';
import type { TimeMs } from '../../vocabulary.ts';
import { lockRelease, type ReleaseUse } from './lock-release.ts';
import { logged } from './logged-refusals.ts';
import type { PolicyStanding } from './policy-standing.ts';

/** An answer that is ready to leave: what the log will say of it, and what it costs the grant. */
export type Release = {
  readonly record: QueryReleased | ScoreReleased;
  readonly use: Omit<GrantUse, 'atMs'>;
  /** Security level the institution was decided about with. */
  readonly securityLevel: number | undefined;
  /** For a score: what the institution learns by it. */
  readonly tally?: TallyUse;
  /** What the log says instead when the grant can no longer be used. */
  readonly refused: (code: ErrorCode) => Refused;
  /** The compact JWS the institution signed, kept beside the record, encrypted. */
  readonly request?: string;
};

export type Refused = QueryRefused | ScoreRefused | JointRefused;

export type Releaser = {
  readonly release: (release: Release) => Promise<AppendedEntry>;
  /** @param request the compact JWS that is refused */
  readonly recordRefusal: (record: Refused, request?: string) => Promise<void>;
};

/** Items one transaction releases at most, and how many may wait for the next. */
const batchMax = 128;
const waitingMax = 4096;

type Item = { readonly kind: 'release'; readonly release: Release } | { readonly kind: 'refusal'; readonly record: Refused; readonly request: string | undefined };

/**
 * The one door through which answers leave: one transaction re-checks and spends the grants, counts verification
 * attempts and appends to the log, for all answers that are ready. A grant that was paused, revoked or spent while
 * its query ran, a suspension, an assessment or a retired model meanwhile, turns the answer into a refusal, which is logged
 * in the same transaction. What was decided by another policy than the one in force is neither released nor logged: its
 * caller decides again (underPolicyInForce).
 * Errors of `release`: CONSENT_*, INSTITUTION_*, SCORE_MODEL_NOT_USABLE, QUERY_ATTEMPTS_EXHAUSTED, SCORE_LIMIT_REACHED; DECISION_OUTDATED;
 * AUDIT_UNAVAILABLE, STORE_UNAVAILABLE when nothing could be logged.
 */
export function createReleaser(database: Database, clock: Clock, vault: RequestVault, tallies: Tallies, standing: PolicyStanding, onBatch: (entries: number) => void): Releaser {
  const stages = { vault, tallies, standing };
  const commitAll = (items: readonly Item[]) => database.eagerTransaction('release', (tx) => releaseAll(tx, items, stages, clock.nowMs()));
  const commit = batcher<Item, AppendedEntry>(
    async (items) => {
      const results = await commitAll(items).catch(async (error: unknown) => {
        if (!tookNothing(error)) throw error;
        // another policy came into force: refusals are true under any
        const refusals = items.filter(({ kind }) => kind === 'refusal');
        const written = refusals.length === 0 ? [] : await commitAll(refusals);
        return items.map((item) => (item.kind === 'release' ? decisionOutdated() : written[refusals.indexOf(item)] as AppendedEntry));
      });
      onBatch(items.length);
      return results;
    },
    { maxItems: batchMax, maxWaiting: waitingMax, onFull: () => new VeilgateError('REQUEST_OVERLOADED', 'The platform is at its limit and discloses nothing more for now: try again in a second.') },
  );
  const committed = (item: Item) => commit(item).catch((error: unknown) => {
    if (isVeilgateError(error)) throw error;
    throw new VeilgateError('AUDIT_UNAVAILABLE', 'The log could not take the entry, so nothing was disclosed: try again, and tell the platform if it stays so.');
  });
  return {
    release: (release) => committed({ kind: 'release', release }),
    recordRefusal: async (record, request) => {
      await committed({ kind: 'refusal', record, request });
    },
  };
}

type Stages = { readonly vault: RequestVault; readonly tallies: Tallies; readonly standing: PolicyStanding };

/**
 * In two trips: lock what decides, then write, append and commit. A first statement that took effect without the
 * others would have locked rows and let them go: no harm (Database.eagerTransaction).
 */
async function releaseAll(tx: Tx, items: readonly Item[], { vault, tallies, standing }: Stages, atMs: TimeMs): Promise<Ending<(AppendedEntry | VeilgateError)[]>> {
  const uses = new Map<Item, ReleaseUse>(items.flatMap((item) => (item.kind === 'release' ? [[item, useOf(item.release, atMs)] as const] : [])));
  const locked = await lockRelease(tx, [...uses.values()], tallies);
  // both of one moment, and nothing is waited for from here on: what this process knows goes with what the log is asked
  const [inForce, asOf] = [standing.policy().version, standing.asOf()];
  const outdated = new Set<Item>(items.filter((item) => item.kind === 'release' && item.release.record.policy !== inForce));
  const refusals = new Map<Item, VeilgateError>();
  for (const [item, use] of uses) {
    if (outdated.has(item)) continue;
    const refusal = locked.decide(use);
    if (refusal !== undefined) refusals.set(item, refusal);
  }
  const entered = items.filter((item) => !outdated.has(item));
  const records = entered.map((item): AuditRecord => {
    const refusal = refusals.get(item);
    if (item.kind === 'refusal') return item.record;
    return refusal === undefined ? item.release.record : item.release.refused(refusal.code);
  });
  const requests = entered.map((item) => (item.kind === 'refusal' ? item.request : item.release.request));
  const discloses = entered.some((item) => item.kind === 'release' && !refusals.has(item));
  const appended = records.length === 0 ? undefined : appending(records, { vault, requests }, discloses ? asOf : null);
  const statements = [...locked.statements(), ...(appended === undefined ? [] : [appended.statement])];
  return {
    statements,
    result(answers) {
      const entries = new Map(appended?.entries(answers[statements.length - 1]).map((entry, at) => [entered[at] as Item, entry]));
      return items.map((item): AppendedEntry | VeilgateError => {
        if (outdated.has(item)) return decisionOutdated();
        const refusal = refusals.get(item);
        return refusal === undefined ? (entries.get(item) as AppendedEntry) : logged(refusal);
      });
    },
  };
}

function useOf({ use, securityLevel, tally, record }: Release, atMs: TimeMs): ReleaseUse {
  return { grant: { ...use, atMs }, securityLevel, ...(tally === undefined ? {} : { tally }), ...('model' in record ? { model: record.model as ModelRef } : {}) };
}
