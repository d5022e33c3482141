import { createHash } from 'node:crypto';
import { appendRecords } from '../../../src/audit/append.ts';
import type { Bytes } from '../../../src/audit/bytes.ts';
import { checkpointSigner, type CheckpointSigner, type LogTrust } from '../../../src/audit/checkpoint.ts';
import { recordHead, type AppendedEntry, type AuditRecord, type QueryRefused, type QueryReleased } from '../../../src/audit/entry.ts';
import { publisher, type PublisherOptions } from '../../../src/audit/publish.ts';
import { fixedClock } from '../../../src/clock.ts';
import type { Database } from '../../../src/store/database.ts';
import type { DatasetId, FieldRef, GrantId, InstitutionId, PartyId, PolicyVersion, PurposeCode, SubjectId, TimeMs } from '../../../src/vocabulary.ts';
import { freshDatabase } from '../../support/database.ts';
import { newKey } from './keys.ts';

export const origin = 'gateway.example/log';
export const bank = 'bank-a' as InstitutionId;
export const officer = 'officer-1' as PartyId;
export const subject = '91350211M000100Y43' as SubjectId;
export const startMs = Date.parse('2026-01-02T03:04:05.678Z') as TimeMs;
export const digest = (text: string) => createHash('sha256').update(text).digest('hex');

/** The tree hash as RFC 6962 section 2.1 writes it down, by plain recursion. */
export function naiveRoot(leaves: readonly Uint8Array[]): Bytes {
  const sha256 = (...parts: Uint8Array[]) => new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest());
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return sha256(Uint8Array.of(0), leaves[0]!);
  const middle = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return sha256(Uint8Array.of(1), naiveRoot(leaves.slice(0, middle)), naiveRoot(leaves.slice(middle)));
}

export function released(changes: Partial<QueryReleased> = {}): QueryReleased {
  return {
    ...recordHead('query.released', startMs, bank),
    institution: bank, subject, purpose: 'pre_loan_review' as PurposeCode, grant: 'AAAAAAAAAAAAAAAAAAAAAA' as GrantId,
    policy: digest('policy') as PolicyVersion, decision: digest('decision'), request: digest('request'), answer: digest('answer'),
    outcomes: [{ use: 'read', disposition: 'mask', reason: 'permitted', fields: ['registry.name', 'registry.address'] as FieldRef[] }],
    rows: [{ dataset: 'registry' as DatasetId, rows: 1 }],
    ...changes,
  };
}

export function refused(changes: Partial<QueryRefused> = {}): QueryRefused {
  return {
    ...recordHead('query.refused', startMs, bank),
    institution: bank, subject, purpose: 'pre_loan_review' as PurposeCode, grant: null, policy: null, decision: null,
    outcomes: [], code: 'CONSENT_REQUIRED', request: digest('request'),
    ...changes,
  };
}

/** `count` records that differ. */
export function releases(count: number): QueryReleased[] {
  return Array.from({ length: count }, (_, at) => released({ answer: digest(String(at)) }));
}

export type TestLog = {
  readonly database: Database;
  readonly signer: CheckpointSigner;
  readonly trust: LogTrust;
  readonly clock: ReturnType<typeof fixedClock>;
  readonly append: (records: readonly AuditRecord[]) => Promise<AppendedEntry[]>;
  /** Appends, then publishes: one more checkpoint. */
  readonly grow: (count: number) => Promise<void>;
  readonly publish: (options?: Partial<PublisherOptions>) => ReturnType<ReturnType<typeof publisher>['publishNow']>;
};

export async function testLog(options: { maxConnections?: number } = {}): Promise<TestLog> {
  const database = await freshDatabase(options);
  const signer = await checkpointSigner(origin, newKey());
  const clock = fixedClock(startMs);
  const append: TestLog['append'] = (records) => database.transaction('test append', (tx) => appendRecords(tx, records));
  const publish: TestLog['publish'] = (more = {}) => publisher({ database, signer, clock, ...more }).publishNow();
  return {
    database, signer, clock, append, publish, trust: { origin, logKeys: [signer.key] },
    async grow(count) {
      await append(releases(count));
      await publish();
    },
  };
}

/** What an attacker with the database's own rights can do: change what the triggers guard. */
export async function tamper(database: Database, ...statements: readonly string[]): Promise<void> {
  await database.transaction('tamper', async (tx) => {
    await tx.query('set local session_replication_role = replica');
    for (const statement of statements) await tx.query(statement);
  });
}
