import { appending } from '../../audit/append.ts';
import type { AppendedEntry, AuditRecord, QueryRefused, QueryReleased, ScoreRefused, ScoreReleased } from '../../audit/entry.ts';
import type { RequestVault } from '../../audit/request-vault.ts';
import type { Clock } from '../../clock.ts';
import type { GrantUse } from '../../consent/consume.ts';
import { VeilgateError, isVeilgateError, type ErrorCode } from '../../errors.ts';
import type { Tallies, TallyUse } from '../../scoring/run/tally.ts';
import { batcher } from '../../store/batch.ts';
import type { Database, Ending, Tx } from '../../store/database.ts';
import type { TimeMs } from '../../vocabulary.ts';
import { lockRelease, type ReleaseUse } from './lock-release.ts';

/** An answer that is ready to leave: what the log will say of it, and what it costs the grant. */
export type Release = {
  readonly record: QueryReleased | ScoreReleased;
  readonly use: Omit<GrantUse, 'atMs'>;
  /** For a score: what the institution learns by it. */
  readonly tally?: TallyUse;
  /** What the log says instead when the grant can no longer be used. */
  readonly refused: (code: ErrorCode) => Refused;
  /** The compact JWS the institution signed, kept beside the record, encrypted. */
  readonly request?: string;
};

export type Refused = QueryRefused | ScoreRefused;

export type Releaser = {
  readonly release: (release: Release) => Promise<AppendedEntry>;
  /** @param request the compact JWS that is refused */
  readonly recordRefusal: (record: Refused, request?: string) => Promise<void>;
};

/** Refusals that were written in place of the answer: whoever catches them must not log them again. */
const loggedRefusals = new WeakSet<VeilgateError>();

export function wasLogged(error: unknown): boolean {
  return error instanceof VeilgateError && loggedRefusals.has(error);
}

function logged(refusal: VeilgateError): VeilgateError {
  loggedRefusals.add(refusal);
  return refusal;
}

/** Items one transaction releases at most, and how many may wait for the next. */
const batchMax = 128;
const waitingMax = 4096;

type Item = { readonly kind: 'release'; readonly release: Release } | { readonly kind: 'refusal'; readonly record: Refused; readonly request: string | undefined };

/**
 * The one door through which answers leave: one transaction re-checks and spends the grants, counts verification
 * attempts and appends to the log, for all answers that are ready. A grant that was paused, revoked or spent while
 * its query ran, or a suspension meanwhile, turns the answer into a refusal, which is logged in the same transaction.
 * Errors of `release`: CONSENT_*, INSTITUTION_NOT_ACTIVE, QUERY_ATTEMPTS_EXHAUSTED, SCORE_LIMIT_REACHED; AUDIT_UNAVAILABLE, STORE_UNAVAILABLE when nothing could be logged.
 */
export function createReleaser(database: Database, clock: Clock, vault: RequestVault, tallies: Tallies, onBatch: (entries: number) => void): Releaser {
  const commit = batcher<Item, AppendedEntry>(
    async (items) => {
      const results = await database.eagerTransaction('release', (tx) => releaseAll(tx, items, vault, tallies, clock.nowMs()));
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

/**
 * In two trips: lock what decides, then write, append and commit. A first statement that took effect without the
 * others would have locked rows and let them go: no harm (Database.eagerTransaction).
 */
async function releaseAll(tx: Tx, items: readonly Item[], vault: RequestVault, tallies: Tallies, atMs: TimeMs): Promise<Ending<(AppendedEntry | VeilgateError)[]>> {
  const uses = new Map<Item, ReleaseUse>(items.flatMap((item) => (item.kind === 'release' ? [[item, useOf(item.release, atMs)] as const] : [])));
  const locked = await lockRelease(tx, [...uses.values()], tallies);
  const refusals = new Map<Item, VeilgateError>();
  for (const [item, use] of uses) {
    const refusal = locked.decide(use);
    if (refusal !== undefined) refusals.set(item, refusal);
  }
  const records = items.map((item): AuditRecord => {
    const refusal = refusals.get(item);
    if (item.kind === 'refusal') return item.record;
    return refusal === undefined ? item.release.record : item.release.refused(refusal.code);
  });
  const requests = items.map((item) => (item.kind === 'refusal' ? item.request : item.release.request));
  const { statement, entries } = appending(records, { vault, requests });
  const statements = [...locked.statements(), statement];
  return {
    statements,
    result(answers) {
      const appended = entries(answers[statements.length - 1]);
      return items.map((item, at): AppendedEntry | VeilgateError => {
        const refusal = refusals.get(item);
        return refusal === undefined ? (appended[at] as AppendedEntry) : logged(refusal);
      });
    },
  };
}

function useOf({ use, tally }: Release, atMs: TimeMs): ReleaseUse {
  return { grant: { ...use, atMs }, ...(tally === undefined ? {} : { tally }) };
}
