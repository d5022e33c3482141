import { sampleSubject } from '../../scripts/sample/subjects.ts';
import { systemClock } from '../../src/clock.ts';
import { createGrant } from '../../src/consent/grants.ts';
import { isVeilgateError } from '../../src/errors.ts';
import { jointClient, type JointClient, type JointProjectJson } from '../../src/sdk/joint.ts';
import type { Database } from '../../src/store/database.ts';
import type { ConsentCeiling, FieldRef, GrantId, GrantTerms, InstitutionId, PurposeCode, SubjectId, TimeMs } from '../../src/vocabulary.ts';
import { startTestPlatform, type TestPlatform } from './gateway.ts';

/** A platform with three compliance officers and two partners, for tests of joint modelling. */
export type JointStage = {
  readonly platform: TestPlatform;
  readonly officers: readonly [JointClient, JointClient, JointClient];
  readonly partner: JointClient;
  /** Another institution, for what must not be seen. */
  readonly other: JointClient;
  /** A project of `bank-a` that two officers approved. @returns its id */
  readonly approved: (changes?: Partial<JointProjectJson>) => Promise<string>;
};

export async function startJointStage(settings: Readonly<Record<string, string>> = {}): Promise<JointStage> {
  const platform = await startTestPlatform(settings);
  for (const id of ['officer-second', 'officer-third']) {
    await platform.registrar.registerOfficer({ id, name: { en: id, zh: id }, roles: ['compliance'], key: (await platform.credentials(id)).signing.publicJwk });
    await platform.compliance.approveOfficer(id);
  }
  await platform.bank('bank-a');
  await platform.bank('partner-b', { institutionClass: 'modelling_partner' });
  const as = async (party: string, scope: string) => jointClient(await platform.connect(party, scope));
  const officers = await Promise.all(['officer-compliance', 'officer-second', 'officer-third'].map((id) => as(id, 'compliance'))) as [JointClient, JointClient, JointClient];
  const [partner, other] = await Promise.all([as('bank-a', 'query'), as('partner-b', 'query')]);
  return {
    platform, officers, partner, other,
    async approved(changes = {}) {
      const { id, digest } = await officers[0].propose({ ...jointProject(), ...changes });
      await officers[1].approve(id, digest);
      await officers[2].approve(id, digest);
      return id;
    },
  };
}

/** A small project: one column of bins, one of codes, one of steps, a label of the partner's. */
export function jointProject(partner = 'bank-a'): JointProjectJson {
  return {
    title: { en: 'Default of small enterprises', zh: '小微企业违约' },
    partner,
    purpose: 'joint_modelling',
    datasets: ['financials', 'registry'],
    columns: [
      { name: 'debt_ratio', source: 'financials.debt_ratio', encoding: { kind: 'bins', edges: [0.1, 0.2, 0.4] } },
      { name: 'size', source: 'registry.size_class', encoding: { kind: 'bins', codes: ['micro', 'small'] } },
      { name: 'capital', source: 'registry.registered_capital_cents', encoding: { kind: 'steps', min: 0, max: 1_000_000_000, steps: 20 } },
    ],
    partner_columns: [{ name: 'default', bins: 2 }],
    budget: { epsilon: 3, delta: 0.000001 },
    bundles: 8,
    cohort_min: 100,
    ends_on: new Date(Date.now() + 90 * 86_400_000).toISOString().slice(0, 10),
  };
}

/** Codes of made-up enterprises. */
export const subjects = (from: number, to: number): SubjectId[] => Array.from({ length: to - from }, (_, at) => sampleSubject(from + at, 1));

/** Consent of each, as the enterprises' pages or signatures would make it. @returns the grants, in order */
export async function consentTo(database: Database, institution: string, enterprises: readonly SubjectId[], fields: readonly string[] = jointProject().columns.map(({ source }) => source), ceiling: ConsentCeiling = 'desensitised', days = 200, changes: Partial<GrantTerms> = {}): Promise<GrantId[]> {
  const nowMs = systemClock.nowMs();
  return database.transaction('consent of many', async (tx) => {
    const grants: GrantId[] = [];
    for (const subject of enterprises) {
      const { grant } = await createGrant(tx, {
        subject, institution: institution as InstitutionId, purpose: 'joint_modelling' as PurposeCode, fields: new Map(fields.map((field): [FieldRef, ConsentCeiling] => [field as FieldRef, ceiling])),
        dataFrom: null, dataTo: null, validFromMs: nowMs, validUntilMs: (nowMs + days * 86_400_000) as TimeMs, kind: 'periodic', usesMax: 1000, frequency: null, dataLifeDays: 300, ...changes,
      }, 'browser', 'a'.repeat(64), 'b'.repeat(64), systemClock);
      grants.push(grant.id);
    }
    return grants;
  });
}

/** What an attempt was answered: `done`, or the code. */
export const codeOf = (attempt: Promise<unknown>): Promise<unknown> => attempt.then(() => 'done', (error: unknown) => (isVeilgateError(error) ? error.code : error));
/** The rule a refusal names. */
export const ruleOf = (attempt: Promise<unknown>): Promise<unknown> => attempt.then(() => 'done', (error: unknown) => (isVeilgateError(error) ? error.detail?.['rule'] : error));
