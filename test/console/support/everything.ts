import { strict as assert } from 'node:assert';
import { sampleSubject } from '../../../scripts/sample/subjects.ts';
import { accountsClient, type InvitationView } from '../../../src/sdk/accounts.ts';
import { bankClient } from '../../../src/sdk/bank.ts';
import { connect } from '../../../src/sdk/connection.ts';
import { departmentClient } from '../../../src/sdk/department.ts';
import { enterpriseClient } from '../../../src/sdk/enterprise.ts';
import { grantRequestsClient } from '../../../src/sdk/grant-requests.ts';
import { jointClient } from '../../../src/sdk/joint.ts';
import { readCredentials, type CredentialsFile } from '../../../src/sdk/keys.ts';
import { objectionsClient } from '../../../src/sdk/objections.ts';
import { policyCellsClient } from '../../../src/sdk/policy-cells.ts';
import { policiesClient } from '../../../src/sdk/policies.ts';
import { digestList, scoreJobsClient } from '../../../src/sdk/score-jobs.ts';
import { freePort } from '../../../src/store/cluster.ts';
import { jointProject } from '../../support/joint.ts';
import { redirectUri, type TestPlatform } from '../../support/gateway.ts';
import { approveModel, recordValues, scoringBank, subjectOf, testModel, uploadFeatures } from '../../support/scoring.ts';
import { startTestConsole, type TestConsole } from './console.ts';
import { personOf, representativeOf, type Person } from './people.ts';
import { loadSampleRecords } from '../../support/sample-records.ts';

const sample = { enterprises: 2, seed: 23 };
const subject = sampleSubject(0, sample.seed);
const field = 'tax.declared_revenue_cents';
const terms = {
  subject, purpose: 'pre_loan_review', valid_days: 30, uses_max: 100, data_life_days: 30, kind: 'periodic',
  fields: [{ field: 'registry.name', ceiling: 'original' }, { field, ceiling: 'desensitised' }],
} as const;

/** A platform on which everything has happened once: no page of a console is empty. */
export type Everything = TestConsole & {
  /** By the area of their pages. */
  readonly people: Readonly<Record<'compliance' | 'enterprise' | 'bank' | 'audit', Person>>;
  readonly ids: Readonly<Record<'model' | 'project' | 'objection' | 'request' | 'grant' | 'entry', string>>;
  /** Somebody of the bank who has not come yet. */
  readonly invitation: InvitationView;
  /** Where a bank sends an enterprise's browser to have it consent. */
  readonly consentAddress: () => Promise<string>;
  readonly keyFile: { readonly name: string; readonly mimeType: string; readonly buffer: Buffer };
};

/** At a host name, which passkeys need. Undefined where there is no browser. */
export async function startEverything(): Promise<Everything | undefined> {
  const port = await freePort();
  const stage = await startTestConsole({ VEILGATE_ISSUER_PORT: String(port), VEILGATE_ISSUER_PUBLIC_URL: `http://localhost:${port}` }, { scoring: true, custodian: { CUSTODIAN_REFUSAL_MS: '0' } });
  if (stage === undefined) return undefined;
  const { platform } = stage;
  await loadSampleRecords(platform, ['registry', 'tax'], sample);
  await uploadFeatures(platform, new Map([[subjectOf(0), recordValues(0)]]));
  await approveModel(platform, testModel());
  await scoringBank(platform, 'bank-a');
  const connection = await platform.connect('bank-a', 'query');
  const own = await platform.credentials('an enterprise');
  const representative = await representativeOf(platform, subject, '王芳', own.signing.publicJwk);
  const { rows: [enterprise] } = await platform.database.query<{ id: string }>('select id from enterprise where subject = $1', [subject]);
  const people = {
    compliance: await personOf(platform, 'officer-compliance', 'officer', '李合规', 'compliance'), audit: await personOf(platform, 'officer-auditor', 'officer', '审计员', 'audit'),
    bank: await personOf(platform, 'bank-a', 'institution', '赵经理'), enterprise: representative,
  };
  const ids = await makeEverythingHappen(platform, { ...await platform.credentialsFile('an enterprise'), party: enterprise?.id ?? '' });
  return {
    ...stage, people, ids,
    invitation: await accountsClient(await platform.connect('bank-a', 'query')).invite('王新'),
    consentAddress: async () => (await bankClient(connection).requestConsent(terms, redirectUri)).url,
    keyFile: { name: 'bank-a.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(await platform.credentialsFile('bank-a'))) },
  };
}

/** A grant that was used and refused, a request that waits, objections before and after a correction, a list to score, a proposal, a withhold, a joint project. */
async function makeEverythingHappen(platform: TestPlatform, enterpriseKey: CredentialsFile): Promise<Everything['ids']> {
  const [bank, officer] = [await platform.connect('bank-a', 'query'), await platform.connect('officer-compliance', 'compliance')];
  const enterprise = await connect({ gateway: platform.gateway.gatewayUrl, credentials: await readCredentials(enterpriseKey), scope: 'grants' });
  const grant = await enterpriseClient(enterprise).grant('bank-a', terms);
  const query = { subject, purpose: terms.purpose, read: ['registry.name', field] };
  const { entry } = await bankClient(bank).query(query);
  await platform.compliance.suspend('bank-a', 'terms_violated');
  await assert.rejects(bankClient(bank).query(query), { code: 'INSTITUTION_NOT_ACTIVE' });
  await platform.compliance.reinstate('bank-a');
  const { id: request } = await grantRequestsClient(bank).askForGrant({ ...terms, uses_max: 3 }, 'For your loan of 3 June');

  const objections = objectionsClient(enterprise);
  const { id: corrected } = await objections.submit({ about: 'record', field, fault: 'wrong', text: 'It is not.' });
  await objectionsClient(officer).take(corrected, 'accept');
  const records = await platform.connect('tax_administration', 'records');
  const { rows: [row] } = await platform.database.query<{ record: Record<string, unknown> }>("select to_jsonb(t) - '_supplied_at' as record from domain.tax t where subject = $1 order by period desc limit 1", [subject]);
  await departmentClient(records).correct('tax', { ...row?.record, declared_revenue_cents: 4_242 });
  await objectionsClient(records).take(corrected, 'correct', 'The filing of July counts.');
  const { id: objection } = await objections.submit({ about: 'access', entry: entry.index, text: 'We never applied.' });

  const model = testModel().ref;
  await scoreJobsClient(bank).open({ model, purpose: terms.purpose }, await digestList([{ subject: subjectOf(0) }]));
  const edit = { field, use: 'read', purposes: ['post_loan_monitoring'], institution_classes: ['commercial_bank'], original: null } as const;
  const { version: { version } } = await policiesClient(officer).inForce();
  await policiesClient(officer).propose({ basis: version, changes: (await policyCellsClient(officer).judge(version, [edit], true)).changes, comment: 'As decided in July' });
  await policiesClient(officer).withhold({ field: 'tax.credit_rating', purpose: terms.purpose, reason: 'wrong_values', hours: 72 });
  const { id: project } = await jointClient(officer).propose(jointProject('bank-a'));
  return { model, project, objection, request, grant: grant.id, entry: String(entry.index) };
}
