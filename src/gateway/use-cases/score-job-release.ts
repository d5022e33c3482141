import { hash, randomBytes } from 'node:crypto';
import { appendRecords, decisionOutdated } from '../../audit/append.ts';
import { recordHead, type ScoresReleased } from '../../audit/entry.ts';
import { shanghaiDate } from '../../calendar.ts';
import { canonicalJson } from '../../canonical.ts';
import { VeilgateError, type ErrorCode } from '../../errors.ts';
import { disputedFields } from '../../objection/disputed.ts';
import { functionalsOf } from '../../scoring/model/functional.ts';
import { holdJob, isLive, type Job } from '../../scoring/job/job.ts';
import { decidePart, lockPendingPart, noteEntry, type Evaluated, type Part } from '../../scoring/job/part.ts';
import { readBlockPlan, type BlockPlan, type Planned, type Unscored } from '../../scoring/job/plan.ts';
import { maskPlace, openMasks } from '../../scoring/job/sealed-masks.ts';
import { assignedSlots } from '../../scoring/feature/positions.ts';
import { isFilled } from '../../scoring/run/outputs.ts';
import { recordScoreRelease } from '../../scoring/run/release.ts';
import { functionalSet } from '../../scoring/run/tally.ts';
import type { SealedScores } from '../../scoring/protocol.ts';
import type { Tx } from '../../store/database.ts';
import type { FieldRef, GrantId, PublicJwk, SubjectId, TimeMs } from '../../vocabulary.ts';
import { lockRelease, type LockedRelease, type ReleaseUse } from './lock-release.ts';
import { bringNext, jobTerms, type JobDesk } from './score-job-desk.ts';
import { grantsFor } from './score-job-plan.ts';
import { sourceFields, type ScoreTerms } from './score-eligibility.ts';
import { parameterSetOf } from './score-one.ts';
import { gatewayHalf, sealGatewayHalf } from './score-seal.ts';

/** What the bank fetches of a part, as the log's digest is over it. */
export type PartAnswer = {
  readonly job: string;
  readonly part: number;
  readonly purpose: string;
  readonly policy: string;
  readonly model: string;
  readonly parameters: string;
  readonly custodian: string;
  readonly count: number;
  readonly sealed: SealedScores;
};

/**
 * The one transaction through which the scores of a part leave: every grant is locked, looked at again and spent, what
 * the bank learns is held against what it learnt before, only those who passed go into the gateway's half, the log gets
 * one record, the masks are deleted, and the next part is brought. What was decided before is left as it is. Computing may
 * have taken long: institution, model and policy are those of this moment, and the log takes no entry under a policy of before.
 * Errors: those of jobTerms and DISCLOSURE_KEY_MISSING, for the whole job; DECISION_OUTDATED, STORE_UNAVAILABLE.
 */
export async function releasePart(desk: JobDesk, job: Job, part: Part): Promise<void> {
  const recipient = await desk.recipientKey(job.institution, job.recipient);
  if (recipient === undefined) throw new VeilgateError('DISCLOSURE_KEY_MISSING', 'The encryption key the request names is not registered any more: ask again with one that is.');
  await desk.database.transaction('release part of score job', async (tx) => {
    const atMs = desk.clock.nowMs();
    const held = await holdJob(tx, job.id);
    if (held?.state !== 'running' || !isLive(held, atMs)) return;
    const evaluated = await lockPendingPart(tx, part);
    if (evaluated === undefined || evaluated === 'not evaluated') return;
    const plan = await readBlockPlan(tx, job.id, part.block);
    const terms = await jobTerms({ ...desk, database: tx }, job);
    const choice = await choose(desk, tx, { job, part, plan, evaluated, terms, atMs });
    await bringNext(desk, tx, part);
    if (choice.released.length === 0) {
      await Promise.all([...choice.locked.statements().map((statement) => tx.query(statement)), decidePart(tx, part, { state: 'empty', released: 0, unscored: choice.unscored })]);
      return;
    }
    await leave(desk, tx, { job, part, evaluated, terms, atMs, recipient, choice });
  });
}

/** What stands against one enterprise of a job because it stands against all. */
const ofWholeJob: ReadonlySet<ErrorCode> = new Set(['INSTITUTION_NOT_ACTIVE', 'INSTITUTION_ASSESSMENT_MISSING', 'SCORE_MODEL_NOT_USABLE', 'DECISION_OUTDATED']);

type Chosen = { readonly place: number; readonly slot: number; readonly subject: SubjectId; readonly grant: GrantId };
type Choice = { readonly released: readonly Chosen[]; readonly unscored: readonly Unscored[]; readonly locked: LockedRelease };
type Choosing = { readonly job: Job; readonly part: Part; readonly plan: BlockPlan; readonly evaluated: Evaluated; readonly terms: ScoreTerms; readonly atMs: TimeMs };

/** Who of the ticket's slots is released, under locks that last until the transaction ends. */
async function choose(desk: JobDesk, tx: Tx, choosing: Choosing): Promise<Choice> {
  const { job, part: { block }, plan, evaluated, terms, atMs } = choosing;
  const placeOf = new Map(evaluated.slots.map((slot, place) => [slot, place]));
  const unscored: Unscored[] = [...plan.repeated];
  const candidates: Planned[] = [];
  // what was computed may have waited for long: who was taken out of the columns since then is left out too
  const [refused, places] = await Promise.all([refusedMeanwhile(tx, choosing), assignedSlots(tx, [block])]);
  const isThere = (slot: number) => placeOf.has(slot) && isFilled(places.get(block) ?? new Uint8Array(), slot);
  plan.planned.forEach((one) => {
    const reason = refused.get(one.subject) ?? (isThere(one.position.slot) ? undefined : 'SCORE_DATA_MISSING');
    if (reason === undefined) candidates.push(one);
    else unscored.push({ subject: one.subject, reason });
  });
  const set = functionalSet(functionalsOf(terms.model));
  const uses = candidates.map(({ subject, grant }): ReleaseUse => ({
    grant: { grant, institution: job.institution, atMs, verifications: [], verificationLimit: 0 },
    securityLevel: terms.caller.securityLevel, model: job.model,
    tally: { institution: job.institution, subject, set },
  }));
  const locked = await lockRelease(tx, uses, desk.tallies);
  const released: Chosen[] = [];
  candidates.forEach(({ subject, grant, position: { slot } }, at) => {
    const refusal = locked.decide(uses[at] as ReleaseUse);
    if (refusal !== undefined && ofWholeJob.has(refusal.code)) throw refusal;
    if (refusal === undefined) released.push({ place: placeOf.get(slot) as number, slot, subject, grant });
    else unscored.push({ subject, reason: refusal.code });
  });
  return { released, unscored, locked };
}

/** Policy is asked again when it, or the day, is another than when the list was planned; grants themselves are in lockRelease. */
async function refusedMeanwhile(tx: Tx, { job, plan, terms, atMs }: Choosing): Promise<ReadonlyMap<SubjectId, Unscored['reason']>> {
  const same = [...plan.policies].every((policy) => policy === terms.policy.version) && [...plan.days].every((day) => day === shanghaiDate(atMs));
  if (same) return new Map();
  const grants = await grantsFor(tx, job, plan.planned, terms, atMs);
  return new Map(plan.planned.flatMap(({ subject }, at) => {
    const grant = grants[at];
    return typeof grant === 'string' ? [[subject, grant] as const] : [];
  }));
}

type Leaving = Omit<Choosing, 'plan'> & { readonly recipient: PublicJwk; readonly choice: Choice };

async function leave(desk: JobDesk, tx: Tx, leaving: Leaving): Promise<void> {
  const { job, part, terms, choice: { released, unscored, locked } } = leaving;
  const disputed = await disputedOf(tx, leaving);
  const sealed = await sealBoth(desk, leaving, disputed);
  const subjectsSalt = randomBytes(32).toString('base64url');
  const record = releaseRecord(leaving, sealed, subjectsSalt);
  // all that is large first: the log's lock is held from its entry to the commit
  await Promise.all([
    ...locked.statements().map((statement) => tx.query(statement)),
    decidePart(tx, part, { state: 'released', released: released.length, unscored, result: { gatewayHalf: sealed.gateway, record: canonicalJson(record), subjectsSalt } }),
  ]);
  // both of one moment: what this process knows goes with what the log is asked
  const [inForce, asOf] = [desk.standing.policy(), desk.standing.asOf()];
  if (inForce.version !== terms.policy.version) throw decisionOutdated();
  const [entry] = await appendRecords(tx, [record], { vault: desk.vault, requests: [job.request] }, asOf);
  if (entry === undefined) throw new VeilgateError('AUDIT_UNAVAILABLE', 'The log took no entry, so nothing was disclosed.');
  await Promise.all([
    recordScoreRelease(tx, { entry: entry.index, institution: job.institution, model: job.model, released: released.map(({ subject, grant }) => ({ subject, grant, disputed: disputed.get(subject) ?? [] })) }),
    noteEntry(tx, part, entry),
  ]);
}

/** Fields behind the model that those who are released dispute at this moment: as at the answer to a single score. */
async function disputedOf(tx: Tx, { terms, choice: { released } }: Leaving): Promise<ReadonlyMap<SubjectId, readonly FieldRef[]>> {
  const used = new Set(sourceFields(terms));
  const disputed = await disputedFields(tx, released.map(({ subject }) => subject));
  return new Map([...disputed].map(([subject, fields]) => [subject, fields.filter((field) => used.has(field))] as const).filter(([, fields]) => fields.length > 0));
}

async function sealBoth(desk: JobDesk, { job, part, evaluated, atMs, recipient, choice: { released } }: Leaving, disputed: ReadonlyMap<SubjectId, readonly FieldRef[]>): Promise<SealedScores> {
  const { plainModulus, slots } = parameterSetOf(evaluated.key);
  const masks = openMasks(desk.maskSecrets, maskPlace(part, evaluated.ticket), evaluated.masks, slots);
  const half = gatewayHalf({ ticket: evaluated.ticket, model: job.model, modulus: plainModulus, masks, released, disputed });
  const gateway = await sealGatewayHalf(half, { key: recipient, issuer: desk.issuer, institution: job.institution, requestDigest: job.requestDigest, nowMs: atMs });
  return { custodian: evaluated.custodianHalf, gateway };
}

/** What the bank gets of a part: the same at each fetch. */
export function partAnswer(job: Pick<Job, 'id' | 'purpose' | 'model'>, record: Pick<ScoresReleased, 'part' | 'policy' | 'parameters' | 'custodian' | 'count'>, sealed: SealedScores): PartAnswer {
  return {
    job: job.id, part: record.part, purpose: job.purpose, policy: record.policy, model: job.model,
    parameters: record.parameters, custodian: record.custodian, count: record.count, sealed,
  };
}

function releaseRecord({ job, part, evaluated, terms, atMs, choice: { released } }: Leaving, sealed: SealedScores, salt: string): ScoresReleased {
  const { keyId, parameters, custodian } = evaluated.key;
  const facts = { part: part.n, policy: terms.policy.version, parameters, custodian, count: released.length };
  return {
    ...recordHead('scores.released', atMs, job.institution),
    institution: job.institution, purpose: job.purpose, model: job.model, job: job.id, key: keyId, ...facts,
    subjects: digest({ salt, subjects: released.map(({ subject }) => subject) }),
    ticket: evaluated.ticket, ticketSalt: evaluated.ticketSalt, request: job.requestDigest,
    answer: digest(partAnswer(job, facts, sealed)),
  };
}

/** SHA-256 over the canonical JSON, lower-case hex. */
function digest(value: unknown): string {
  return hash('sha256', canonicalJson(value), 'hex');
}
