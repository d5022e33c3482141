import { hash, randomBytes, randomInt } from 'node:crypto';
import path from 'node:path';
import { requestVault } from '../../../src/audit/request-vault.ts';
import { fixedClock } from '../../../src/clock.ts';
import { fieldSetJson, widthOf } from '../../../src/consent/field-sets.ts';
import { openSealed } from '../../../src/disclosure/open.ts';
import { parameterSets } from '../../../src/he/parameters.ts';
import { VeilgateError } from '../../../src/errors.ts';
import { openQueue, prepareQueue, type ScoreTask } from '../../../src/jobs/queue.ts';
import { loadPolicyPack } from '../../../src/policy/load.ts';
import { loadFeatures } from '../../../src/scoring/feature/load.ts';
import { assignPositions, bitmapOf } from '../../../src/scoring/feature/positions.ts';
import { beginListDigest, chunkLines, chunkSubjectsMax, digestOfLines, extendListDigest, type ListedSubject } from '../../../src/scoring/job/list-digest.ts';
import type { FeatureId, GatewayHalf, Model, ModelRef } from '../../../src/scoring/protocol.ts';
import { askedSubjects } from '../../../src/scoring/run/asked-subjects.ts';
import { combineHalves } from '../../../src/scoring/run/halves.ts';
import { packWords } from '../../../src/scoring/words.ts';
import { createTallies, type JudgeFunctionals } from '../../../src/scoring/run/tally.ts';
import { generateCredentialsFile, readCredentials } from '../../../src/sdk/keys.ts';
import { loadCatalogue } from '../../../src/source/catalogue.ts';
import { usccCheckDigit } from '../../../src/uscc.ts';
import type { Database } from '../../../src/store/database.ts';
import type { ConsentCeiling, FieldRef, GrantId, InstitutionClass, InstitutionId, PartyId, PublicJwk, PurposeCode, SubjectId, TimeMs } from '../../../src/vocabulary.ts';
import { unloggedStanding } from '../../../src/gateway/use-cases/policy-standing.ts';
import type { JobDesk } from '../../../src/gateway/use-cases/score-job-desk.ts';
import { addChunk, beginJob, openJob, type JobDoor, type SignedScores } from '../../../src/gateway/use-cases/score-job-requests.ts';
import { readReport } from '../../../src/scoring/job/progress.ts';
import { runJobTask } from '../../../src/gateway/use-cases/score-job-part.ts';
import { readPartResult } from '../../../src/scoring/job/part.ts';
import { freshDatabase } from '../../support/database.ts';

const root = path.resolve(import.meta.dirname, '../../..');
export const bank = 'bank-a' as InstitutionId;
export const purpose = 'pre_loan_review' as PurposeCode;
export const startMs = Date.parse('2026-03-10T09:00:00+08:00');
const set = parameterSets['veilgate-score-1'];
const catalogue = loadCatalogue(path.join(root, 'policies/catalogue'));
const policy = loadPolicyPack(path.join(root, 'policies'), catalogue);
const features = loadFeatures(path.join(root, 'policies'), catalogue);
const used = ['tax/rating_a', 'tax/rating_b', 'tax/violations_none'] as FeatureId[];

export const model: Model = {
  ref: 'test@1' as ModelRef, title: { en: 'Test', zh: '测试' }, purposes: [purpose], institutionClasses: ['commercial_bank' as InstitutionClass],
  terms: used.map((feature, at) => ({ feature, weight: at + 1 })), offset: 100, scale: 1,
  bands: [{ from: null, code: 'all', text: { en: 'All', zh: '全部' } }], reasons: [{ code: 'rating', text: { en: 'Rating', zh: '评级' }, features: used.slice(0, 2) }],
};

/** The n-th of many valid credit codes. */
export function subjectOf(n: number): SubjectId {
  const first17 = `91310000${String(n).padStart(9, '0')}`;
  return `${first17}${usccCheckDigit(first17)}` as SubjectId;
}

/** What stands in for the score of slot s in block b. */
export const scoreOf = (block: number, slot: number) => (block * 7 + slot * 13) % 5000;

/** Everything a job needs but ciphertexts and a custodian: masked numbers in clear stand for them. */
export type World = {
  readonly database: Database;
  readonly clock: ReturnType<typeof fixedClock>;
  readonly desk: JobDesk;
  readonly door: JobDoor;
  /** Gives each enterprise a place; and columns that hold it, unless left out. */
  readonly place: (subjects: readonly SubjectId[], options?: { readonly unfilled?: readonly SubjectId[] }) => Promise<void>;
  /** The same at chosen places: block × 4096 + slot. */
  readonly placeAt: (places: readonly (readonly [SubjectId, number])[]) => Promise<void>;
  readonly grant: (subjects: readonly SubjectId[], options?: { readonly usesMax?: number; readonly institution?: string; readonly fields?: readonly string[] }) => Promise<Map<SubjectId, GrantId>>;
  readonly sign: (subjects: readonly ListedSubject[], options?: { readonly salt?: Uint8Array; readonly lifeMs?: number }) => Promise<{ readonly signed: SignedScores; readonly salt: Uint8Array }>;
  /** Opens a job, hands in its list and begins it. */
  readonly begun: (subjects: readonly ListedSubject[]) => Promise<string>;
  /** Tasks that wait in the queue, taken out, the oldest first. */
  readonly takeTasks: (limit?: number) => Promise<ScoreTask[]>;
  /** Tasks that runAll did not do. */
  readonly held: ScoreTask[];
  /** Puts them into the queue again. */
  readonly putBack: () => Promise<void>;
  /** What the bank opens of a part. */
  readonly openPart: (job: string, n: number) => Promise<ReadonlyMap<SubjectId, number>>;
  /** Faults to be met: each is called before the step it is named after. */
  readonly before: { evaluate?: () => Promise<void>; openMasked?: () => Promise<void>; release?: () => Promise<void> };
  readonly counts: { evaluated: number; opened: number };
};

export async function makeWorld(options: { readonly judge?: JudgeFunctionals; readonly database?: Database } = {}): Promise<World> {
  const database = options.database ?? await freshDatabase();
  await prepareQueue(database);
  const clock = fixedClock(startMs);
  const credentials = await readCredentials(await generateCredentialsFile(bank, { encryption: true }));
  const recipient = credentials.encryption!.publicJwk as PublicJwk;
  await admitBank(database);
  await database.query("insert into score_key (key_id, custodian, parameters, public_key, thumbprint, state, received_at) values ('key-1', 'custodian-1', $1, '', 'none', 'active', now()) on conflict do nothing", [set.id]);
  const secrets = { secrets: new Map([[1, new Uint8Array(randomBytes(32))]]), currentVersion: 1 };
  const tallies = createTallies(options.judge ?? (() => true));
  const before: World['before'] = {};
  const counts = { evaluated: 0, opened: 0 };
  const filled = new Map<number, Set<number>>();
  const held: ScoreTask[] = [];
  const desk: JobDesk = {
    database, clock, tallies, queue: openQueue(database), standing: unloggedStanding(() => policy), features: () => features, issuer: 'https://gateway.example',
    model: async (ref) => (ref === model.ref ? model : undefined),
    key: async () => ({ keyId: 'key-1', parameters: set.id, publicKey: new Uint8Array(), custodian: 'custodian-1' }),
    async evaluate({ affinity, outputs }) {
      await before.evaluate?.();
      counts.evaluated += 1;
      return outputs.map((_, output) => {
        const masks = Uint32Array.from({ length: set.slots }, () => randomInt(set.plainModulus));
        const masked = masks.map((mask, slot) => (mask + scoreOf(affinity, slot) + output) % set.plainModulus);
        return { masks, ciphertext: new Uint8Array(masked.buffer) };
      });
    },
    async openMasked({ ticket: { slots }, ciphertexts }) {
      await before.openMasked?.();
      counts.opened += 1;
      const ticket = randomBytes(16).toString('base64url');
      const masked = ciphertexts.map((bytes) => packWords(slots.map((slot) => new Uint32Array(bytes.buffer)[slot] as number), set.plainModulus));
      return { ticket, half: JSON.stringify({ v: 2, ticket, masked }) };
    },
    async recipientKey() {
      await before.release?.();
      return recipient;
    },
    vault: requestVault(secrets), maskSecrets: secrets, resultDays: 7, onStep: () => {},
  };
  const door: JobDoor = { ...desk, listDays: 90, jobsMax: 4 };
  const caller = { party: bank as unknown as PartyId, institutionClass: 'commercial_bank' as InstitutionClass, securityLevel: 4 };

  const sign: World['sign'] = async (subjects, { salt = new Uint8Array(randomBytes(32)), lifeMs = 86_400_000 } = {}) => {
    let digest = await beginListDigest(salt);
    for (const chunk of chunksOf(subjects)) digest = await extendListDigest(digest, await digestOfLines(chunkLines(chunk)));
    const request = `e30.${randomBytes(16).toString('base64url')}.c2ln`;
    const score = { kind: 'many', model: model.ref, purpose, recipient: recipient.kid, subjects: digest, count: subjects.length } as const;
    return { salt, signed: { institution: bank, score, request, requestDigest: hash('sha256', request, 'hex'), expiresMs: (clock.nowMs() + lifeMs) as SignedScores['expiresMs'] } };
  };

  return {
    database, clock, desk, door, sign, before, counts,
    place: (subjects, { unfilled = [] } = {}) => placeAll(database, filled, subjects, new Set(unfilled)),
    async placeAt(places) {
      await database.query('insert into score_position (place, subject, assigned_at) select place, subject, now() from unnest($1::bigint[], $2::text[]) as p (place, subject)', [places.map(([, place]) => place), places.map(([subject]) => subject)]);
      await placeAll(database, filled, places.map(([subject]) => subject), new Set());
    },
    grant: (subjects, about) => grantAll(database, subjects, about),
    async begun(subjects) {
      const { signed, salt } = await sign(subjects);
      const { id } = await openJob(door, signed, salt, caller);
      for (const [n, chunk] of chunksOf(subjects).entries()) await addChunk(door, bank, id, n, chunkLines(chunk));
      await beginJob(door, bank, id);
      return id;
    },
    async takeTasks(limit = 1000) {
      const { rows } = await database.query<{ data: ScoreTask }>(
        `with taken as (delete from job_queue.job where id in (select id from job_queue.job where name = 'score' and state in ('created', 'retry') order by created_on, id limit $1) returning data, created_on, id)
         select data from taken order by created_on, id`, [limit]);
      return rows.map(({ data }) => data);
    },
    held,
    async putBack() {
      await database.transaction('test put back', (tx) => desk.queue.add(tx, held.splice(0)));
    },
    async openPart(job, n) {
      const part = await readPartResult(database, job, n);
      if (part?.gatewayHalf == null || part.custodianHalf == null) throw new VeilgateError('SCORE_PART_NOT_THERE', 'not there');
      const { rows: [{ digest } = { digest: '' }] } = await database.query<{ digest: string }>('select request_digest as digest from scoring_job where id = $1', [job]);
      const gateway = await openSealed(part.gatewayHalf, credentials.encryption!.privateKey, { issuer: desk.issuer, audience: bank, jti: digest });
      const subjects = ((gateway as GatewayHalf).subjects.match(/.{18}/g) ?? []) as SubjectId[];
      const { values } = combineHalves(JSON.parse(part.custodianHalf), gateway, { model: model.ref, modulus: set.plainModulus, outputs: 2, subjects: askedSubjects(subjects) });
      return new Map(subjects.map((subject, at) => [subject, values[0]?.[at] as number]));
    },
  };
}

export function chunksOf(subjects: readonly ListedSubject[]): ListedSubject[][] {
  return Array.from({ length: Math.ceil(subjects.length / chunkSubjectsMax) }, (_, n) => subjects.slice(n * chunkSubjectsMax, (n + 1) * chunkSubjectsMax));
}

async function admitBank(database: Database): Promise<void> {
  await database.query("insert into party (id, kind, name_en, name_zh, status, registered_ms, changed_ms) values ($1, 'institution', 'Bank', '银行', 'approved', $2, $2)", [bank, startMs]);
  await database.query("insert into party (id, kind, name_en, name_zh, status, registered_ms, changed_ms) values ('officer-c', 'officer', 'C', '丙', 'approved', $1, $1)", [startMs]);
  await database.query("insert into officer (id, roles) values ('officer-c', '{compliance}')");
  await database.query("insert into institution (id, class, country, redirect_uris, application, scopes) values ($1, 'commercial_bank', 'CN', '{}', 'e30.e30.c2ln', '{query}')", [bank]);
  await database.query("insert into security_assessment (institution, level, passed, assessor, assessed_ms, valid_until, findings_digest) values ($1, 4, true, 'officer-c', $2, '2027-01-01', $3)", [bank, startMs, 'a'.repeat(64)]);
}

async function placeAll(database: Database, filled: Map<number, Set<number>>, subjects: readonly SubjectId[], unfilled: ReadonlySet<SubjectId>): Promise<void> {
  for (let at = 0; at < subjects.length; at += 10_000) {
    const positions = await database.transaction('test places', (tx) => assignPositions(tx, subjects.slice(at, at + 10_000), startMs as TimeMs));
    for (const [subject, { block, slot }] of positions) {
      const slots = filled.get(block) ?? new Set();
      filled.set(block, slots);
      if (!unfilled.has(subject)) slots.add(slot);
    }
  }
  const rows = [...filled].flatMap(([block, slots]) => used.map((feature) => ({ feature, block, bits: Buffer.from(bitmapOf(slots)).toString('hex') })));
  await database.query(
    `insert into score_column (key_id, feature, block, revision, declaration, digest, filled, stale, envelope, department, rekeyed, packed, packed_digest, loaded_at)
     select 'key-1', feature, block, 1, declaration, digest, decode(bits, 'hex'), false, 'none', 'tax', false, '', digest, now()
     from unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::text[]) as c (feature, block, declaration, digest, bits)
     on conflict (key_id, feature, block) do update set filled = excluded.filled`,
    [
      rows.map(({ feature }) => feature), rows.map(({ block }) => block), rows.map(({ feature }) => features.get(feature)?.declaration ?? ''),
      rows.map(({ feature, block }) => hash('sha256', `${feature} ${block}`, 'hex')), rows.map(({ bits }) => bits),
    ],
  );
}

async function grantAll(database: Database, subjects: readonly SubjectId[], options: { readonly usesMax?: number; readonly institution?: string; readonly fields?: readonly string[] } = {}): Promise<Map<SubjectId, GrantId>> {
  const fields = new Map<FieldRef, ConsentCeiling>((options.fields ?? ['tax.credit_rating', 'tax.violations']).map((field) => [field as FieldRef, 'original']));
  const json = fieldSetJson(fields);
  await database.query('insert into consent_field_set (digest, fields) values ($1, $2::jsonb) on conflict do nothing', [json.digest, json.json]);
  const ids = subjects.map(() => randomBytes(16).toString('base64url') as GrantId);
  await database.query(
    `insert into consent_grant (id, subject, institution, purpose, field_set, width, valid_from_ms, valid_until_ms, kind, uses_max, uses_left, data_life_days, notice_digest, origin, evidence_digest, created_ms, changed_ms)
     select id, subject, $3, $4, $5, $6, $7, $8, 'periodic', $9, $9, 90, $10, 'browser', $10, $7, $7 from unnest($1::text[], $2::text[]) as g (id, subject)`,
    [ids, subjects, options.institution ?? bank, purpose, json.digest, widthOf(fields), startMs - 60_000, startMs + 30 * 86_400_000, options.usesMax ?? 10, 'd'.repeat(64)],
  );
  return new Map(subjects.map((subject, at) => [subject, ids[at] as GrantId]));
}

/** Does every task until none is left, but those that `wanted` holds back. */
export async function runAll(world: World, wanted: (task: ScoreTask) => boolean = () => true, desk: JobDesk = world.desk): Promise<void> {
  for (let tasks = await world.takeTasks(); tasks.length > 0; tasks = await world.takeTasks()) {
    for (const task of tasks) {
      if (wanted(task)) await runJobTask(desk, task);
      else world.held.push(task);
    }
  }
}

/** Who was not scored and why, by enterprise. */
export async function reasonsOf(world: World, job: string): Promise<[string, string][]> {
  const reasons: [string, string][] = [];
  for (let page = await readReport(world.database, job, undefined); ; page = await readReport(world.database, job, page.next)) {
    reasons.push(...page.unscored.map(({ subject, reason }): [string, string] => [subject, reason]));
    if (page.next === undefined) return reasons.sort();
  }
}

/** Uses spent of each enterprise's grants. */
export async function usesOf(world: World): Promise<ReadonlyMap<string, number>> {
  const { rows } = await world.database.query<{ subject: string; uses: number }>('select subject, sum(uses_total) as uses from consent_grant where institution = $1 group by subject order by min(created_ms), min(ctid)', [bank]);
  return new Map(rows.map(({ subject, uses }) => [subject, Number(uses)]));
}
