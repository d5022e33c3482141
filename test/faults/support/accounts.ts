import { strict as assert } from 'node:assert';
import type { Checkpoint } from '../../../src/audit/checkpoint.ts';
import { httpLogReader } from '../../../src/audit/http-reader.ts';
import { parseVerifierKey } from '../../../src/audit/note.ts';
import { auditReader } from '../../../src/audit/read.ts';
import { verifyReceipt } from '../../../src/audit/receipt.ts';
import { verifyLog } from '../../../src/audit/verify.ts';
import { canonicalJson } from '../../../src/canonical.ts';
import { systemClock } from '../../../src/clock.ts';
import { platformKeys } from '../../../src/sdk/bank.ts';
import type { Database } from '../../../src/store/database.ts';
import type { InstitutionId } from '../../../src/vocabulary.ts';
import type { Asked, Outcome } from './asking.ts';
import { until } from '../../support/until.ts';
import { bankId, type FaultPlatform } from './platform.ts';

/** Nobody can know whether the release was committed: it may be in the log, once. */
function mayBeReleased(outcome: Outcome): boolean {
  return outcome.kind !== 'refused' || outcome.code === 'STORE_UNAVAILABLE' || outcome.code === 'AUDIT_UNAVAILABLE';
}

type Entry = { readonly index: number; readonly salt: Buffer; readonly record: string; readonly grant: string; readonly request: string; readonly verified: boolean };

/**
 * Holds what the bank was told against what the platform stored: every answer is in the log under the index it gave and
 * was paid for with one use, no query was answered twice, nothing was spent without an entry, refused queries released
 * nothing.
 */
export async function checkAccounts(platform: Pick<FaultPlatform, 'database' | 'gatewayUrl'>, asked: readonly Asked[]): Promise<void> {
  const entries = await releasedEntries(platform.database);
  const byRequest = Map.groupBy(entries, ({ request }) => request);
  for (const [request, { length }] of byRequest) assert.equal(length, 1, `query ${request} was released ${length} times`);

  const keys = await platformKeys(platform.gatewayUrl);
  const answered = new Set<string>();
  const released = new Set(asked.filter(({ outcome }) => mayBeReleased(outcome)).map(({ prepared }) => prepared.digest));
  for (const { prepared, outcome } of asked) {
    const entry = byRequest.get(prepared.digest)?.[0];
    if (outcome.kind === 'answered') {
      assert.ok(!answered.has(prepared.digest), 'one signed query was answered twice');
      answered.add(prepared.digest);
      assert.ok(entry, 'an answer has no entry in the log');
      const { index, salt, record } = outcome.answer.entry;
      assert.deepEqual([index, salt, canonicalJson(record)], [entry.index, entry.salt.toString('base64url'), entry.record]);
      await verifyReceipt(outcome.answer.receipt, { keys: { keys: [...keys.keys] }, issuer: platform.gatewayUrl, institution: bankId as InstitutionId, clock: systemClock, record, request: prepared.digest });
    } else if (outcome.kind === 'refused' && !released.has(prepared.digest)) {
      assert.ok(entry === undefined, `refused with ${outcome.code}, yet released`);
    }
    if (outcome.kind === 'refused') for (const name of ['data', 'sealed', 'verified', 'entry', 'receipt']) assert.ok(!(name in outcome.problem), `a refusal holds ${name}`);
  }
  await checkUses(platform.database, entries);
}

async function releasedEntries(database: Database): Promise<Entry[]> {
  const { rows } = await database.query<Entry>(
    `select index, salt, record, record::jsonb ->> 'grant' as grant, record::jsonb ->> 'request' as request,
            jsonb_path_exists(record::jsonb, '$.outcomes[*] ? (@.use == "verify" && @.disposition == "verify")') as verified
     from audit_entry where kind = 'query.released' order by index`,
  );
  return rows;
}

async function checkUses(database: Database, entries: readonly Entry[]): Promise<void> {
  const { rows } = await database.query<{ id: string; uses_total: number; uses_left: number; uses_max: number; attempts: number }>(
    'select id, uses_total, uses_left, uses_max, coalesce((select sum(attempts) from verification_attempt where grant_id = id), 0) as attempts from consent_grant',
  );
  const ofGrant = Map.groupBy(entries, ({ grant }) => grant);
  for (const { id, uses_total: total, uses_left: left, uses_max: max, attempts } of rows) {
    const released = ofGrant.get(id) ?? [];
    assert.deepEqual({ total, left, attempts }, { total: released.length, left: max - released.length, attempts: released.filter(({ verified }) => verified).length }, 'uses or attempts spent differ from what the log says');
  }
}

/** An auditor who learned the log's key at the beginning and remembers the last checkpoint. */
export type LogWatch = {
  /** Verifies every entry the database holds, with the independent verifier. Waits for a checkpoint that counts them. */
  readonly check: () => Promise<void>;
};

export async function watchLog(platform: Pick<FaultPlatform, 'database' | 'gatewayUrl'>): Promise<LogWatch> {
  const key = await parseVerifierKey((await (await fetch(`${platform.gatewayUrl}/v1/log/key`)).text()).trim());
  const trust = { origin: key.name, logKeys: [key] };
  const records = auditReader(platform.database);
  let remembered: Checkpoint | undefined;
  return {
    async check() {
      await until('a checkpoint counts every entry', async () => {
        const { rows } = await platform.database.query<{ whole: boolean }>('select (select next_index from audit_sequencer) = (select coalesce(max(size), -1) from audit_checkpoint where published_at is not null) as whole');
        return rows[0]?.whole === true;
      });
      const reader = httpLogReader({ url: `${platform.gatewayUrl}/v1/log`, timeoutMs: 10_000, records: (index, width) => records.records(index, width) });
      const report = await verifyLog(reader, { trust, ...(remembered === undefined ? {} : { remembered }) });
      assert.equal(report.kind, 'sound', report.kind === 'unsound' ? `${report.fault.kind}: ${JSON.stringify(report.fault)}` : '');
      if (report.kind === 'sound') {
        remembered = report.checkpoint;
        assert.equal(report.records.verified, report.checkpoint.size, 'a record is missing');
      }
    },
  };
}
