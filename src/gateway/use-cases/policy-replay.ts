import { setImmediate as othersFirst } from 'node:timers/promises';
import type { QueryRefused, QueryReleased, ScoreReleased } from '../../audit/entry.ts';
import { listMax, type AuditReader } from '../../audit/read.ts';
import { pastGrants } from '../../consent/past-grants.ts';
import { readInstitution } from '../../identity/registry/institution-view.ts';
import { isVeilgateError } from '../../errors.ts';
import { gatherFacts } from '../../policy/facts.ts';
import type { CompiledPolicy } from '../../policy/policy.ts';
import { replay, replayedDisposition, type PastAsking, type Replayed } from '../../policy/replay.ts';
import { compilePack } from '../../policy/store/pack.ts';
import { readVersion } from '../../policy/store/registry.ts';
import { holdingWithholds } from '../../policy/store/withholds.ts';
import type { FieldRef, Grant, GrantId, InstitutionClass, InstitutionId, TimeMs, Use } from '../../vocabulary.ts';
import { requireStored, type PolicyDesk } from './policy-versions.ts';

type Past = QueryReleased | QueryRefused | ScoreReleased;
type Counts = { more: number; less: number; otherwise: number; unknown: number };

export type Replay = Counts & {
  /** Decisions that were worked out again, and between when and when they were made. */
  readonly queries: number;
  readonly from: string | null;
  readonly until: string | null;
  /** Queries in which nothing changes. */
  readonly same: number;
  /** Decisions that could not be worked out again: the record is erased, the grant or the class of the institution is gone. */
  readonly skipped: number;
  /** Made under the policy in force, but the facts as they are now lead to something else than was recorded: an assessment changed since. */
  readonly unlikeRecord: number;
  readonly institutions: readonly (Counts & { readonly institution: InstitutionId })[];
  readonly fields: readonly (Counts & { readonly field: FieldRef; readonly use: Use })[];
};

export const replayMax = 10_000;

/**
 * Works out the newest decisions of the log again: what the version in force (with what is withheld now) makes of them,
 * and what another version would. It goes by names, consent and facts; no value is looked at.
 * Errors: POLICY_VERSION_NOT_FOUND, POLICY_BROKEN.
 */
export async function replayDecisions(desk: PolicyDesk & { readonly log: AuditReader }, number: number, count: number): Promise<Replay> {
  requireStored(desk);
  const [inForce, version, closings] = [await readVersion(desk.database, 'in_force'), await readVersion(desk.database, number), await holdingWithholds(desk.database)];
  const before = compilePack(inForce.files, desk.catalogue, closings);
  await othersFirst();
  const after = compilePack(version.files, desk.catalogue, closings);
  const total = new Tally(before, after);
  const institutions = new Map<InstitutionId, Party | undefined>();
  for (let beforeIndex: number | undefined, left = count; left > 0;) {
    const page = await desk.log.list({ kinds: ['query.released', 'query.refused', 'score.released'], limit: Math.min(left, listMax), ...(beforeIndex === undefined ? {} : { beforeIndex }) });
    const grants = await pastGrants(desk.database, page.flatMap(({ record }) => (record as Past | null)?.grant ?? []), desk.clock.nowMs());
    for (const { institution } of page) if (institution !== null && !institutions.has(institution as InstitutionId)) institutions.set(institution as InstitutionId, await partyOf(desk, institution));
    for (const { record } of page) total.add(record as Past | null, grants, institutions);
    left -= page.length;
    beforeIndex = page.at(-1)?.index;
    if (page.length < listMax) break;
  }
  return total.result();
}

type Party = { readonly institutionClass: InstitutionClass; readonly securityLevel?: number };

async function partyOf(desk: PolicyDesk, id: string): Promise<Party | undefined> {
  try {
    const { class: institutionClass, assessment } = await readInstitution(desk.database, id);
    return { institutionClass, ...(assessment?.passed === true ? { securityLevel: assessment.level } : {}) };
  } catch (error) {
    if (isVeilgateError(error, 'INSTITUTION_NOT_FOUND')) return undefined;
    throw error;
  }
}

class Tally {
  readonly #before: CompiledPolicy;
  readonly #after: CompiledPolicy;
  readonly #total = { ...noCounts(), queries: 0, same: 0, skipped: 0, unlikeRecord: 0 };
  readonly #institutions = new Map<InstitutionId, Counts>();
  readonly #fields = new Map<string, Counts & { readonly field: FieldRef; readonly use: Use }>();
  #from: string | null = null;
  #until: string | null = null;

  constructor(before: CompiledPolicy, after: CompiledPolicy) {
    this.#before = before;
    this.#after = after;
  }

  add(record: Past | null, grants: ReadonlyMap<GrantId, Grant>, institutions: ReadonlyMap<InstitutionId, Party | undefined>): void {
    if (record !== null && record.outcomes.length === 0) return; // refused before anything was decided
    const grant = record?.grant === undefined || record.grant === null ? undefined : grants.get(record.grant);
    const party = record === null ? undefined : institutions.get(record.institution);
    if (record === null || record.purpose === null || party === undefined || (record.grant !== null && grant === undefined)) {
      this.#total.skipped += 1;
      return;
    }
    this.#until ??= record.at;
    this.#from = record.at;
    const seen = new Set<Replayed>();
    let unlike = false;
    const facts = gatherFacts({ ...party, grant: grant ?? null, nowMs: Date.parse(record.at) as TimeMs });
    for (const { use, disposition, fields } of record.outcomes) {
      for (const field of fields) {
        const asking: PastAsking = { purpose: record.purpose, institutionClass: party.institutionClass, field, use, consent: grant?.fields.get(field) ?? null, facts };
        const replayed = replay(this.#before, this.#after, asking);
        seen.add(replayed);
        this.#count(field, use, replayed);
        if (record.policy === this.#before.version && (replayedDisposition(this.#before, asking) ?? disposition) !== disposition) unlike = true;
      }
    }
    this.#total.queries += 1;
    if (unlike) this.#total.unlikeRecord += 1;
    const changes = kinds.filter((kind) => seen.has(kind));
    if (changes.length === 0) this.#total.same += 1;
    const counts = this.#institutions.get(record.institution) ?? noCounts();
    this.#institutions.set(record.institution, counts);
    for (const kind of changes) {
      this.#total[kind] += 1;
      counts[kind] += 1;
    }
  }

  #count(field: FieldRef, use: Use, replayed: Replayed): void {
    if (replayed === 'same') return;
    const key = `${field} ${use}`;
    const counts = this.#fields.get(key) ?? { field, use, ...noCounts() };
    this.#fields.set(key, counts);
    counts[replayed] += 1;
  }

  result(): Replay {
    const changed = (counts: Counts) => kinds.some((kind) => counts[kind] > 0);
    return {
      ...this.#total, from: this.#from, until: this.#until,
      institutions: [...this.#institutions].map(([institution, counts]) => ({ institution, ...counts })).filter(changed),
      fields: [...this.#fields.values()],
    };
  }
}

const kinds = ['more', 'less', 'otherwise', 'unknown'] as const;
const noCounts = (): Counts => ({ more: 0, less: 0, otherwise: 0, unknown: 0 });
