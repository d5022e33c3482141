import { setImmediate as othersFirst } from 'node:timers/promises';
import { appendRecords } from '../../audit/append.ts';
import { recordHead, type AuditKind } from '../../audit/entry.ts';
import { shanghaiDate } from '../../calendar.ts';
import type { Clock } from '../../clock.ts';
import { VeilgateError } from '../../errors.ts';
import type { CompiledPolicy } from '../../policy/policy.ts';
import { changedPack, compilePack, packDigest, testPack, type Pack, type PackChanges } from '../../policy/store/pack.ts';
import {
  dueVersion, listVersions, lockOpen, lockProposal, lockVersions, readVersion, requireBasis, storeApproval, storeEnding, storeFirst, storeInForce, storeProposal, versionInForce,
  type NewVersion, type Version, type VersionHead,
} from '../../policy/store/registry.ts';
import { endWithholdsOf, holdingWithholds } from '../../policy/store/withholds.ts';
import type { Database, Tx } from '../../store/database.ts';
import type { Catalogue, PartyId, TimeMs } from '../../vocabulary.ts';
import type { PartyGate } from './party-gate.ts';
import { withheldRecord } from './policy-withholds.ts';

/** What decisions about versions of the policy need. */
export type PolicyDesk = {
  readonly database: Database;
  readonly clock: Clock;
  readonly catalogue: Catalogue;
  /** Where the policy comes from; versions can only be changed where it is the database. */
  readonly source: 'database' | 'folder';
  /** In force in this process, withholds included. */
  readonly policy: () => CompiledPolicy;
  /** For what compiles a policy for somebody: it holds the process up for tenths of a second. Errors: REQUEST_OVERLOADED. */
  readonly inTurn: PartyGate;
  /** Has this process look for what is in force at once. Never throws. */
  readonly pickUp: () => Promise<void>;
};

/** Proposals that may wait for a decision at once. */
const openProposalsMax = 100;
const platform = 'platform' as PartyId;

/** Errors: POLICY_IN_FOLDER. */
export function requireStored({ source }: Pick<PolicyDesk, 'source'>): void {
  if (source === 'folder') throw new VeilgateError('POLICY_IN_FOLDER', 'This installation takes its policy from a folder on its machine: change the files there, or have it started without VEILGATE_POLICY_SOURCE=folder.');
}

export type Change = {
  readonly basis: number;
  /** The whole pack, or what changes in the basis. */
  readonly files: { readonly whole: Pack } | { readonly changes: PackChanges };
  readonly comment: string;
  readonly effectiveMs: TimeMs | null;
};

/** A change that loads and keeps its own tests; not stored yet. Errors: POLICY_VERSION_NOT_FOUND, POLICY_BASIS_STALE, POLICY_BROKEN, POLICY_TESTS_FAILED, REQUEST_INVALID. */
export async function judgeChange(desk: PolicyDesk, { basis, files, comment, effectiveMs }: Change, by: PartyId, origin: NewVersion['origin'] = 'proposal'): Promise<NewVersion> {
  requireStored(desk);
  requireDayToCome(desk, effectiveMs);
  const pack = 'whole' in files ? files.whole : changedPack((await readVersion(desk.database, basis)).files, files.changes);
  const now = await requireBasis(desk.database, basis, pack);
  if (packDigest(pack) === now.digest) throw new VeilgateError('REQUEST_INVALID', 'These are the files that are in force: there is nothing to propose.', { pointer: '/files' });
  return { pack, policy: (await requireSound(desk, pack)).version, basis, origin, by, comment, effectiveMs };
}

/** Today will do: it is then in force as soon as it is approved. Errors: REQUEST_INVALID. */
function requireDayToCome({ clock }: Pick<PolicyDesk, 'clock'>, effectiveMs: TimeMs | null): void {
  if (effectiveMs === null || shanghaiDate(effectiveMs) >= shanghaiDate(clock.nowMs())) return;
  throw new VeilgateError('REQUEST_INVALID', 'By the platform\'s clock the day on which this is to come into force is over: name a later one, or none.', { pointer: '/effective_at' });
}

/** What loads, alone and with what is withheld now, and keeps its tests. Errors: POLICY_BROKEN, POLICY_TESTS_FAILED. */
async function requireSound(desk: Pick<PolicyDesk, 'database' | 'catalogue'>, pack: Pack): Promise<CompiledPolicy> {
  const policy = compilePack(pack, desk.catalogue);
  await othersFirst(); // each step takes a tenth of a second or so: requests are answered in between
  const { failures } = testPack(pack, policy);
  if (failures.length > 0) {
    throw new VeilgateError('POLICY_TESTS_FAILED', `The policy loads, but ${failures.length === 1 ? 'one expectation of its tests does' : `${failures.length} expectations of its tests do`} not come true: correct the rules or the tests; detail.failures says where.`, { failures: failures.slice(0, 100), count: failures.length });
  }
  compilePack(pack, desk.catalogue, await holdingWithholds(desk.database));
  return policy;
}

/** Keeps a judged change for somebody else to decide on. Errors: POLICY_BASIS_STALE, REQUEST_QUOTA_EXCEEDED. */
export async function propose(desk: Pick<PolicyDesk, 'clock'>, tx: Tx, change: NewVersion): Promise<VersionHead> {
  await lockVersions(tx);
  if ((await listVersions(tx, { state: 'proposed' })).length >= openProposalsMax) throw new VeilgateError('REQUEST_QUOTA_EXCEEDED', `${openProposalsMax} versions wait for a decision: decide on some first.`);
  const version = await storeProposal(tx, change, desk.clock);
  await appendRecords(tx, [versionRecord('policy.proposed', version, change.by, desk.clock.nowMs())]);
  return version;
}

/** The files of an earlier version as a new proposal. Errors: as judgeChange; POLICY_STATE_CONFLICT for one that never was in force. */
export async function judgeRollback(desk: PolicyDesk, number: number, { comment, effectiveMs }: Pick<Change, 'comment' | 'effectiveMs'>, by: PartyId): Promise<NewVersion> {
  requireStored(desk);
  const { files, state } = await readVersion(desk.database, number);
  if (state !== 'superseded') throw new VeilgateError('POLICY_STATE_CONFLICT', 'Only a version that was in force before can be gone back to: list the versions to see which were.', { state });
  return judgeChange(desk, { basis: (await readVersion(desk.database, 'in_force')).number, files: { whole: files }, comment, effectiveMs }, by, 'rollback');
}

/** Judges what is to be approved once more, by the catalogue of this moment. Errors: POLICY_VERSION_NOT_FOUND, POLICY_BROKEN, POLICY_TESTS_FAILED. */
export async function rejudge(desk: PolicyDesk, number: number): Promise<void> {
  requireStored(desk);
  const { files, state } = await readVersion(desk.database, number);
  if (state === 'proposed') await requireSound(desk, files); // any other state is said under lock
}

export type Decision = { readonly number: number; readonly digest: string; readonly comment: string };

/** Lets a rejudged proposal come into force at its time. Errors: POLICY_VERSION_NOT_FOUND, POLICY_CHANGED, POLICY_STATE_CONFLICT, POLICY_SAME_PERSON, POLICY_BASIS_STALE. */
export async function approve(desk: PolicyDesk, tx: Tx, by: PartyId, { number, digest, comment }: Decision): Promise<VersionHead> {
  const version = await lockProposal(tx, number, digest);
  await requireBasis(tx, version.basis ?? 0, version.files);
  await storeApproval(tx, version, { by, comment }, desk.clock);
  await appendRecords(tx, [versionRecord('policy.approved', version, by, desk.clock.nowMs())]);
  return version;
}

/** Ends a proposal. Its author may do so too, unless an emergency withhold became it. Errors: POLICY_VERSION_NOT_FOUND, POLICY_CHANGED, POLICY_STATE_CONFLICT, POLICY_SAME_PERSON. */
export async function refuse(desk: PolicyDesk, tx: Tx, by: PartyId, { number, digest, comment }: Decision): Promise<void> {
  requireStored(desk);
  await endProposal(desk, tx, await lockProposal(tx, number, digest), by, 'refused', comment);
}

/**
 * Takes one's own proposal back; one that is approved and waits for its time, anybody of compliance: what is in force stays so.
 * Errors: POLICY_VERSION_NOT_FOUND, POLICY_STATE_CONFLICT, POLICY_SAME_PERSON.
 */
export async function withdraw(desk: PolicyDesk, tx: Tx, by: PartyId, { number, comment }: Pick<Decision, 'number' | 'comment'>): Promise<void> {
  requireStored(desk);
  const version = await lockOpen(tx, number);
  if (version.state === 'proposed' && version.proposedBy !== by) throw new VeilgateError('POLICY_SAME_PERSON', 'Somebody else proposed this version: refuse it instead of withdrawing it.');
  await endProposal(desk, tx, version, by, 'withdrawn', comment);
}

async function endProposal({ clock }: PolicyDesk, tx: Tx, version: Version, by: PartyId, state: 'refused' | 'withdrawn', comment: string): Promise<void> {
  if (version.origin === 'withhold' && version.proposedBy === by) throw new VeilgateError('POLICY_SAME_PERSON', 'Your withhold became this version: somebody else must decide whether the field opens again.');
  const nowMs = clock.nowMs();
  await storeEnding(tx, version, state, { by, comment }, clock);
  const ended = await endWithholdsOf(tx, version.number, 'refused', by, nowMs);
  await appendRecords(tx, [
    versionRecord(`policy.${state}`, version, by, nowMs),
    ...ended.map((withhold) => ({ ...withheldRecord('policy.emergency_ended', withhold, by, nowMs), ending: 'refused' as const })),
  ]);
}

/**
 * Makes sure that there is a version in force: an empty database takes the folder's pack as its first.
 * @param readFirst reads that pack. Errors: POLICY_BROKEN.
 */
export async function ensureFirst({ database, clock, catalogue }: Pick<PolicyDesk, 'database' | 'clock' | 'catalogue'>, readFirst: () => Pack): Promise<void> {
  if (await versionInForce(database) !== undefined) return;
  await database.transaction('first policy version', async (tx) => {
    await lockVersions(tx);
    if (await versionInForce(tx) !== undefined) return;
    const pack = readFirst();
    const first = await storeFirst(tx, pack, compilePack(pack, catalogue).version, clock.nowMs());
    await appendRecords(tx, [{ ...versionRecord('policy.in_force', first, platform, clock.nowMs()), previous: null }]);
  });
}

/**
 * Puts the approved version into force whose time has come. Whichever process does it first has done it for all; until
 * one has, the version before stays in force.
 * @returns whether it did. Errors: POLICY_BROKEN when the version does not load here: it stays approved.
 */
export async function enforceDue({ database, clock, catalogue }: Pick<PolicyDesk, 'database' | 'clock' | 'catalogue'>): Promise<boolean> {
  return database.transaction('policy into force', async (tx) => {
    await lockVersions(tx);
    const nowMs = clock.nowMs();
    const version = await dueVersion(tx, nowMs);
    if (version === undefined) return false;
    compilePack(version.files, catalogue, await holdingWithholds(tx)); // or what cannot be decided by would be in force
    const previous = await readVersion(tx, 'in_force');
    await storeInForce(tx, version, nowMs);
    const ended = await endWithholdsOf(tx, version.number, 'lasting', null, nowMs);
    await appendRecords(tx, [
      { ...versionRecord('policy.in_force', version, platform, nowMs), previous: previous.number },
      ...ended.map((withhold) => ({ ...withheldRecord('policy.emergency_ended', withhold, platform, nowMs), ending: 'lasting' as const })),
    ]);
    return true;
  });
}

type VersionKind = Extract<AuditKind, 'policy.proposed' | 'policy.approved' | 'policy.refused' | 'policy.withdrawn' | 'policy.in_force'>;

export function versionRecord<Kind extends VersionKind>(kind: Kind, { number, digest, policy, basis }: VersionHead, by: PartyId, atMs: TimeMs) {
  return { ...recordHead(kind, atMs, by), version: number, digest, policy, basis };
}
