import { strict as assert } from 'node:assert';
import { sampleRows } from '../../../scripts/sample/generate.ts';
import { sampleSubject } from '../../../scripts/sample/subjects.ts';
import type { ConsentRequest } from '../../../src/sdk/bank.ts';
import type { enterpriseClient } from '../../../src/sdk/enterprise.ts';
import { startTestPlatform, type TestPlatform } from '../../support/gateway.ts';
import { wireOf, type Wire, type WireAnswer } from './wire.ts';
import { loadSampleRecords } from '../../support/sample-records.ts';

const sample = { enterprises: 4, seed: 11 };
/** Enterprises with records; the last of them has records but no grants. */
export const subject: string = sampleSubject(0, sample.seed);
export const secondSubject: string = sampleSubject(1, sample.seed);
export const thirdSubject: string = sampleSubject(2, sample.seed);
export const silentSubject: string = sampleSubject(3, sample.seed);
/** A well-formed code that nobody has. */
export const unknownSubject = sampleSubject(9_999, sample.seed);

export const terms = {
  purpose: 'pre_loan_review', valid_days: 30, uses_max: 100, data_life_days: 30, kind: 'periodic', frequency: { max: 20, per: 'day' },
  fields: [
    { field: 'registry.name', ceiling: 'original' }, { field: 'registry.address', ceiling: 'desensitised' }, { field: 'owner.name', ceiling: 'desensitised' },
    { field: 'tax.period', ceiling: 'original' }, { field: 'tax.declared_revenue_cents', ceiling: 'desensitised' },
  ],
} as const satisfies Omit<ConsentRequest, 'subject'>;

export type EnterpriseClient = ReturnType<typeof enterpriseClient>;

/** A platform with records, two banks and two enterprises that granted to the first of them. */
export type World = {
  readonly platform: TestPlatform;
  readonly bank: Wire;
  readonly otherBank: Wire;
  readonly enterprise: EnterpriseClient;
  readonly secondEnterprise: EnterpriseClient;
  readonly grant: string;
  readonly secondGrant: string;
  /** A digest of everything that must not change when something is refused; the log is part of it. */
  readonly digest: () => Promise<string>;
  readonly entries: () => Promise<readonly LogEntry[]>;
  /** A party that acts on the wire with its own keys. */
  readonly wire: (party: string, scope: string) => Promise<Wire>;
};

export type LogEntry = { readonly index: number; readonly kind: string; readonly code: string | null; readonly subject: string | null; readonly institution: string | null };

/** Everything but the memory of replays, the quota's counter and what the publisher derives. */
const tables = [
  'party', 'institution', 'security_assessment', 'party_key', 'officer', 'enterprise', 'consent_grant', 'signed_grant', 'grant_event', 'verification_attempt', 'verification_day',
  'quality_report', 'audit_entry', 'account', 'account_invitation', 'idempotency_key', 'domain.registry', 'domain.tax', 'domain.owner',
];

export async function startWorld(settings: Readonly<Record<string, string>> = {}): Promise<World> {
  const platform = await startTestPlatform(settings);
  const { database } = platform;
  await loadSampleRecords(platform, ['registry', 'tax', 'owner'], sample);
  await platform.bank('bank-a');
  await platform.bank('bank-b');
  const wire = async (party: string, scope: string) => wireOf(platform, await platform.credentials(party), scope);
  const enterprise = await platform.enterprise(subject);
  const secondEnterprise = await platform.enterprise(secondSubject);
  const grant = await enterprise.grant('bank-a', { subject, ...terms });
  const secondGrant = await secondEnterprise.grant('bank-a', { subject: secondSubject, ...terms });
  return {
    platform, enterprise, secondEnterprise, wire,
    bank: await wire('bank-a', 'query'),
    otherBank: await wire('bank-b', 'query'),
    grant: grant.id,
    secondGrant: secondGrant.id,
    async digest() {
      const { rows } = await database.query<{ digest: string }>(
        tables.map((table) => `select '${table} ' || count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as digest from ${table} t`).join(' union all '));
      return rows.map(({ digest }) => digest).sort().join('\n');
    },
    async entries() {
      const { rows } = await database.query<LogEntry>("select index, kind, record::jsonb ->> 'code' as code, subject, institution from audit_entry order by index");
      return rows;
    },
  };
}

/** Values that would tell something about the sample's enterprises. */
const secrets: readonly string[] = [...sampleRows('registry', sample), ...sampleRows('owner', sample)]
  .flatMap(({ name, identity_number: id, contact_phone: phone, legal_representative: person }) => [name, id, phone, person])
  .filter((value) => typeof value === 'string' && value.length > 1) as string[];

export function assertNothingDisclosed(answer: WireAnswer): void {
  for (const secret of secrets) assert.ok(!answer.text.includes(secret), 'a refusal quotes a record');
  assert.ok(!('data' in answer.json) && !('sealed' in answer.json) && !('receipt' in answer.json));
}

/** The request is refused with this code, and nothing at all changed: no use, no attempt, no entry. */
export async function refusesUnchanged(world: World, code: string, request: () => Promise<WireAnswer>): Promise<WireAnswer> {
  const before = await world.digest();
  const answer = await request();
  assert.equal(answer.code, code, answer.text);
  assertNothingDisclosed(answer);
  assert.equal(await world.digest(), before);
  return answer;
}

/** World.digest without the log's part. */
export function withoutLog(digest: string): string {
  return digest.split('\n').filter((line) => !line.startsWith('audit_entry ')).join('\n');
}

/** The query is refused with this code, nothing was spent, and the log holds exactly one entry that says so. */
export async function refusesLogged(world: World, code: string, request: () => Promise<WireAnswer>): Promise<WireAnswer> {
  const [digest, entries] = [await world.digest(), await world.entries()];
  const answer = await request();
  assert.equal(answer.code, code, answer.text);
  assertNothingDisclosed(answer);
  const added = (await world.entries()).slice(entries.length);
  assert.deepEqual(added.map(({ kind, code: logged }) => [kind, logged]), [['query.refused', code]]);
  assert.equal(withoutLog(await world.digest()), withoutLog(digest));
  return answer;
}
