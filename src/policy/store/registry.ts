import type { Clock } from '../../clock.ts';
import { VeilgateError } from '../../errors.ts';
import { isUniqueViolation, type Sql, type Tx } from '../../store/database.ts';
import type { PartyId, PolicyVersion, TimeMs } from '../../vocabulary.ts';
import { packDifference, packDigest, packText, type Pack } from './pack.ts';

export type VersionState = 'proposed' | 'approved' | 'in_force' | 'superseded' | 'refused' | 'withdrawn';
export type VersionOrigin = 'pack' | 'proposal' | 'rollback' | 'withhold';

/** A version without its files. */
export type VersionHead = {
  readonly number: number;
  /** SHA-256, lower-case hex, of the files: what is decided on. */
  readonly digest: string;
  /** As decisions, receipts and log entries name it. */
  readonly policy: PolicyVersion;
  readonly basis: number | null;
  readonly origin: VersionOrigin;
  readonly state: VersionState;
  /** Null: the pack the installation started from. */
  readonly proposedBy: PartyId | null;
  readonly proposedMs: TimeMs;
  readonly comment: string;
  /** Null: as soon as it is approved. */
  readonly effectiveMs: TimeMs | null;
  readonly decidedBy: PartyId | null;
  readonly decidedMs: TimeMs | null;
  readonly decisionComment: string | null;
  readonly inForceMs: TimeMs | null;
  readonly supersededMs: TimeMs | null;
};
export type Version = VersionHead & { readonly files: Pack };

const headColumns = `number, digest, policy, basis, origin, state, proposed_by as "proposedBy", proposed_ms as "proposedMs", comment, effective_ms as "effectiveMs",
  decided_by as "decidedBy", decided_ms as "decidedMs", decision_comment as "decisionComment", in_force_ms as "inForceMs", superseded_ms as "supersededMs"`;
type Row = VersionHead & { readonly files: string };

/** Versions one page lists. */
export const versionPageMax = 100;

/** Errors: POLICY_VERSION_NOT_FOUND. */
export async function readVersion(sql: Sql, number: number | 'in_force'): Promise<Version> {
  const { rows: [row] } = number === 'in_force'
    ? await sql.query<Row>({ name: 'policy in force', text: `select ${headColumns}, files from policy_version where state = 'in_force'`, values: [] })
    : await sql.query<Row>({ name: 'policy version', text: `select ${headColumns}, files from policy_version where number = $1`, values: [number] });
  if (row === undefined) throw notFound();
  return withFiles(row);
}

/** The version in force; undefined while there is none. */
export async function versionInForce(sql: Sql): Promise<Version | undefined> {
  return readVersion(sql, 'in_force').catch((error: unknown) => {
    if (error instanceof VeilgateError && error.code === 'POLICY_VERSION_NOT_FOUND') return undefined;
    throw error;
  });
}

/** Newest first, before `before`; at most versionPageMax. */
export async function listVersions(sql: Sql, { before, state }: { readonly before?: number | undefined; readonly state?: VersionState | undefined } = {}): Promise<VersionHead[]> {
  const { rows } = await sql.query<VersionHead>({
    name: 'policy versions',
    text: `select ${headColumns} from policy_version where ($1::integer is null or number < $1) and ($2::text is null or state = $2) order by number desc limit $3`,
    values: [before ?? null, state ?? null, versionPageMax],
  });
  return rows;
}

/** Until the transaction ends nobody else decides on versions, puts one into force or ends a withhold. */
export async function lockVersions(tx: Tx): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtext('veilgate policy versions'))");
}

/** The first version of an installation. The caller holds lockVersions and has seen that there is none. */
export async function storeFirst(tx: Tx, pack: Pack, policy: PolicyVersion, nowMs: TimeMs): Promise<VersionHead> {
  const { rows: [row] } = await tx.query<VersionHead>({
    name: 'policy first version',
    text: `insert into policy_version (files, digest, policy, origin, state, proposed_ms, comment, decided_ms, in_force_ms) values ($1, $2, $3, 'pack', 'in_force', $4, '', $4, $4) returning ${headColumns}`,
    values: [packText(pack), packDigest(pack), policy, nowMs],
  });
  return row as VersionHead;
}

export type NewVersion = {
  readonly pack: Pack; readonly policy: PolicyVersion; readonly basis: number; readonly origin: Exclude<VersionOrigin, 'pack'>;
  readonly by: PartyId; readonly comment: string; readonly effectiveMs: TimeMs | null;
};

/** Keeps a checked pack for somebody else to decide on. The caller holds lockVersions. Errors: POLICY_BASIS_STALE. */
export async function storeProposal(tx: Tx, { pack, policy, basis, origin, by, comment, effectiveMs }: NewVersion, clock: Clock): Promise<VersionHead> {
  await requireBasis(tx, basis, pack);
  const { rows: [row] } = await tx.query<VersionHead>({
    name: 'policy propose',
    text: `insert into policy_version (files, digest, policy, basis, origin, state, proposed_by, proposed_ms, comment, effective_ms)
           values ($1, $2, $3, $4, $5, 'proposed', $6, $7, $8, $9) returning ${headColumns}`,
    values: [packText(pack), packDigest(pack), policy, basis, origin, by, clock.nowMs(), comment, effectiveMs],
  });
  return row as VersionHead;
}

/**
 * A change is made to what is in force, or what somebody else changed meanwhile would be undone unseen.
 * Errors: POLICY_BASIS_STALE with both sides: which files each of them changes.
 */
export async function requireBasis(sql: Sql, basis: number, pack: Pack): Promise<Version> {
  const now = await readVersion(sql, 'in_force');
  if (now.number === basis) return now;
  const before = await readVersion(sql, basis);
  const theirs = packDifference(before.files, now.files).map(({ file }) => file);
  const yours = packDifference(before.files, pack).map(({ file }) => file);
  throw new VeilgateError('POLICY_BASIS_STALE', `This changes version ${basis}, and version ${now.number} is in force by now: pull it, bring your change into it and propose again.`, {
    basis, in_force: now.number, in_force_digest: now.digest, theirs, yours, both: yours.filter((file) => theirs.includes(file)),
  });
}

/**
 * Locks a proposal for its decision.
 * @param digest of the files that were reviewed; undefined for who needs not have read them
 * Errors: POLICY_VERSION_NOT_FOUND, POLICY_CHANGED, POLICY_STATE_CONFLICT.
 */
export async function lockProposal(tx: Tx, number: number, digest: string): Promise<Version> {
  const version = await lockOpen(tx, number, ['proposed']);
  if (version.digest !== digest) throw new VeilgateError('POLICY_CHANGED', 'These are not the files you reviewed: read the version again before you decide.', { digest: version.digest });
  return version;
}

/** One that is not in force yet: proposed, or approved and waiting for its time. Errors: POLICY_VERSION_NOT_FOUND, POLICY_STATE_CONFLICT. */
export async function lockOpen(tx: Tx, number: number, states: readonly VersionState[] = ['proposed', 'approved']): Promise<Version> {
  await lockVersions(tx);
  const version = await readVersion(tx, number);
  if (!states.includes(version.state)) throw new VeilgateError('POLICY_STATE_CONFLICT', `The version is ${version.state.replace('_', ' ')}: read it again.`, { state: version.state });
  return version;
}

export type DecisionStep = { readonly by: PartyId | null; readonly comment: string };

/** Lets a locked proposal come into force at its time. Errors: POLICY_SAME_PERSON, POLICY_STATE_CONFLICT when another approved version waits for its time. */
export async function storeApproval(tx: Tx, version: VersionHead, { by, comment }: DecisionStep & { readonly by: PartyId }, clock: Clock): Promise<void> {
  if (version.proposedBy === by) throw new VeilgateError('POLICY_SAME_PERSON', 'You proposed this version: somebody else must approve it.');
  try {
    await end(tx, version.number, 'approved', { by, comment }, clock);
  } catch (error) {
    if (!isUniqueViolation(error, 'policy_version_approved')) throw error;
    throw new VeilgateError('POLICY_STATE_CONFLICT', 'Another approved version waits for its time: what follows it must be made from it once it is in force, or it must be withdrawn.', { state: 'proposed' });
  }
}

/** Ends a locked proposal, or with `approved` also one that waits for its time. */
export async function storeEnding(tx: Tx, version: VersionHead, state: 'refused' | 'withdrawn', step: DecisionStep, clock: Clock): Promise<void> {
  await end(tx, version.number, state, step, clock);
}

async function end(tx: Tx, number: number, state: 'approved' | 'refused' | 'withdrawn', { by, comment }: DecisionStep, clock: Clock): Promise<void> {
  await tx.query({
    name: 'policy decide', text: 'update policy_version set state = $2, decided_by = $3, decided_ms = $4, decision_comment = $5 where number = $1', values: [number, state, by, clock.nowMs(), comment],
  });
}

/** The approved version whose time has come. The caller holds lockVersions. */
export async function dueVersion(tx: Tx, nowMs: TimeMs): Promise<Version | undefined> {
  const { rows: [row] } = await tx.query<Row>({ name: 'policy due', text: `select ${headColumns}, files from policy_version where state = 'approved' and (effective_ms is null or effective_ms <= $1)`, values: [nowMs] });
  return row === undefined ? undefined : withFiles(row);
}

/** Puts an approved version into the place of the one in force. */
export async function storeInForce(tx: Tx, version: VersionHead, nowMs: TimeMs): Promise<void> {
  await tx.query({ name: 'policy supersede', text: "update policy_version set state = 'superseded', superseded_ms = $1 where state = 'in_force'", values: [nowMs] });
  await tx.query({ name: 'policy into force', text: "update policy_version set state = 'in_force', in_force_ms = $2 where number = $1", values: [version.number, nowMs] });
}

function withFiles(row: Row): Version {
  return { ...row, files: JSON.parse(row.files) as Pack };
}

function notFound(): VeilgateError {
  return new VeilgateError('POLICY_VERSION_NOT_FOUND', 'There is no such version: list the versions to see them.');
}
