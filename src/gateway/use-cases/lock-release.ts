import { decisionOutdated } from '../../audit/append.ts';
import { shanghaiDate } from '../../calendar.ts';
import { lockUses, usesPerBatchMax, type GrantUse, type LockedUses } from '../../consent/consume.ts';
import { VeilgateError } from '../../errors.ts';
import { holdInstitutions } from '../../identity/registry/party.ts';
import { holdModels } from '../../scoring/model/registry.ts';
import type { ModelRef } from '../../scoring/protocol.ts';
import type { Tallies, TallyUse } from '../../scoring/run/tally.ts';
import type { Statement, Tx } from '../../store/database.ts';
import type { TimeMs } from '../../vocabulary.ts';
import { modelNotUsable } from './score-eligibility.ts';

/** What one answer, or one enterprise of a block of scores, costs. */
export type ReleaseUse = {
  readonly grant: GrantUse;
  /** Security level the institution was decided about with. */
  readonly securityLevel: number | undefined;
  /** For scores: what computed them. */
  readonly model?: ModelRef;
  /** For scores: what the institution learns of the enterprise. */
  readonly tally?: TallyUse;
};

/** What decides about release is locked: it stays as it is until the transaction ends. */
export type LockedRelease = {
  /** Decides one use and counts it, in order; a use that is refused counts nothing. */
  readonly decide: (use: ReleaseUse) => VeilgateError | undefined;
  /** What writes all that was counted; none of it waits for anybody. To be sent even when every use was refused. */
  readonly statements: () => readonly Statement[];
};

/**
 * Locks what decides whether answers may leave, for all who release and always in this order, so that batches on many
 * nodes cannot deadlock: parties, models, grants by id, what scores told, counters of attempts; the log comes last
 * (appendRecords), and with it the policy. A suspension, an assessment, a retirement, a pause, a revocation or another score
 * that has committed counts; one that comes later waits for this transaction. `uses`: all that may be decided.
 */
export async function lockRelease(tx: Tx, uses: readonly ReleaseUse[], tallies: Tallies): Promise<LockedRelease> {
  const scored = uses.flatMap(({ tally }) => (tally === undefined ? [] : [tally]));
  const today = shanghaiDate(uses[0]?.grant.atMs ?? 0 as TimeMs);
  const [levels, unusable, grants, tally] = await Promise.all([
    holdInstitutions(tx, uses.map(({ grant }) => grant.institution), today),
    holdModels(tx, uses.flatMap(({ model }) => model ?? [])),
    lockGrants(tx, uses.map(({ grant }) => grant)),
    scored.length === 0 ? undefined : tallies.lock(tx, scored),
  ]);
  return {
    decide(use) {
      const refusal = standingRefusal(use, levels.get(use.grant.institution));
      if (refusal !== undefined) return refusal;
      if (use.model !== undefined && unusable.has(use.model)) return modelNotUsable();
      const told = use.tally === undefined ? undefined : tally?.refusal(use.tally);
      if (told !== undefined) return told;
      const outcome = grants.decide(use.grant);
      if (outcome instanceof VeilgateError) return outcome;
      if (use.tally !== undefined) tally?.count(use.tally);
      return undefined;
    },
    statements: () => [...grants.statements(), ...(tally?.statements() ?? [])],
  };
}

/** In as many statements as one call of lockUses takes; in the order of ids over all of them. */
async function lockGrants(tx: Tx, uses: readonly GrantUse[]): Promise<LockedUses> {
  if (uses.length <= usesPerBatchMax) return lockUses(tx, uses);
  const ordered = uses.toSorted((one, other) => (one.grant < other.grant ? -1 : 1));
  const lockOf = new Map<GrantUse['grant'], LockedUses>();
  const locks: LockedUses[] = [];
  for (let at = 0; at < ordered.length;) {
    let end = Math.min(at + usesPerBatchMax, ordered.length);
    // uses of one grant are counted by one lock, or each would count from the beginning
    while (end < ordered.length && end > at + 1 && ordered[end]?.grant === ordered[end - 1]?.grant) end -= 1;
    const part = ordered.slice(at, end);
    const locked = await lockUses(tx, part);
    for (const { grant } of part) {
      if (lockOf.has(grant)) throw new VeilgateError('REQUEST_TOO_LARGE', `At most ${usesPerBatchMax} uses of one grant are counted at once: split the batch.`);
    }
    for (const { grant } of part) lockOf.set(grant, locked);
    locks.push(locked);
    at = end;
  }
  return {
    decide: (use) => lockOf.get(use.grant)?.decide(use) ?? new VeilgateError('INTERNAL', 'A grant was not locked before its use: report this to the platform.'),
    statements: () => locks.flatMap((locked) => locked.statements()),
  };
}

/** @param level the institution's, as of now; null without a valid assessment, undefined when it is not admitted */
function standingRefusal({ securityLevel }: ReleaseUse, level: number | null | undefined): VeilgateError | undefined {
  if (level === undefined) return suspended();
  if (level === null) return new VeilgateError('INSTITUTION_ASSESSMENT_MISSING', 'The institution\'s latest security assessment is not passed, or not valid any more: have it assessed.');
  return level === securityLevel ? undefined : decisionOutdated();
}

function suspended(): VeilgateError {
  return new VeilgateError('INSTITUTION_NOT_ACTIVE', 'The institution\'s access was suspended or revoked while the request ran: ask the platform.');
}
