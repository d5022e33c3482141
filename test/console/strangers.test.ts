import { strict as assert } from 'node:assert';
import { sampleSubject } from '../../scripts/sample/subjects.ts';
import { isVeilgateError } from '../../src/errors.ts';
import { modelToJson } from '../../src/scoring/model/document.ts';
import { accountsClient } from '../../src/sdk/accounts.ts';
import { bankClient } from '../../src/sdk/bank.ts';
import { connect, type Connection, type GatewayRequest } from '../../src/sdk/connection.ts';
import { departmentClient } from '../../src/sdk/department.ts';
import { grantRequestsClient } from '../../src/sdk/grant-requests.ts';
import { jointClient } from '../../src/sdk/joint.ts';
import { modelsClient } from '../../src/sdk/models.ts';
import { noticesClient, objectionsClient } from '../../src/sdk/objections.ts';
import { digestList, scoreJobsClient } from '../../src/sdk/score-jobs.ts';
import type { Scope } from '../../src/vocabulary.ts';
import { jointProject } from '../support/joint.ts';
import { approveModel, scoringBank, subjectOf, testModel, uploadFeatures, recordValues } from '../support/scoring.ts';
import { startTestPlatform, type TestPlatform } from '../support/gateway.ts';
import { personOf, representativeOf, type Person } from './support/people.ts';
import { loadSampleRecords } from '../support/sample-records.ts';

const sample = { enterprises: 2, seed: 17 };
const theirSubject = sampleSubject(0, sample.seed);
const ourSubject = sampleSubject(1, sample.seed);
const field = 'tax.declared_revenue_cents';
const terms = { subject: theirSubject, purpose: 'pre_loan_review', valid_days: 30, uses_max: 10, data_life_days: 30, kind: 'periodic', fields: [{ field, ceiling: 'desensitised' }] } as const;

/** Parts of an address that name nothing of anybody. */
const nobodys = { chunk: '0', part: '0' } as const;
/** Addresses of what only a key can begin, or that comes out of it: test/gateway/{score-jobs,joint-*}.test.ts knock there. */
const byKeyOnly = /^\/v1\/(joint-(cohorts|alignments|runs|releases)|score-keys)\/|\/runs$/;

type Operation = { readonly operationId: string; readonly security?: readonly { readonly dpop?: readonly string[] }[]; readonly requestBody?: { readonly content: Readonly<Record<string, { readonly example?: object }>> } };
type Answer = { readonly status: number; readonly code: string; readonly detail: string };

describe('what is somebody else\'s, asked for by a program or in a console', function () {
  this.timeout(120_000);
  let platform: TestPlatform;
  let clerk: Person;
  let representative: Person;
  let bank: Connection;
  let enterprise: Connection;
  let operations: readonly (Operation & { readonly method: string; readonly path: string })[];
  /** Ids of the other bank's and the other enterprise's things, each beside one that nothing has. */
  let ids: Readonly<Record<string, readonly [theirs: string, nothings: string]>>;

  before(async () => {
    platform = await startTestPlatform({}, { scoring: true, custodian: { CUSTODIAN_REFUSAL_MS: '0' } });
    await loadSampleRecords(platform, ['registry', 'tax'], sample);
    await uploadFeatures(platform, new Map([[subjectOf(0), recordValues(0)]]));
    await approveModel(platform, testModel());
    await scoringBank(platform, 'bank-a');
    await scoringBank(platform, 'bank-b');
    ids = await theirThings();
    clerk = await personOf(platform, 'bank-a', 'institution', 'Clerk');
    const own = await platform.credentials('our enterprise');
    representative = await representativeOf(platform, ourSubject, '王芳', own.signing.publicJwk);
    bank = await platform.connect('bank-a', 'query');
    enterprise = await connect({ gateway: platform.gateway.gatewayUrl, credentials: { ...own, party: await partyOf(ourSubject) }, scope: 'grants' });
    const { paths } = await (await fetch(`${platform.gateway.gatewayUrl}/openapi.json`)).json() as { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };
    operations = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ ...operation, method, path })));
  });
  after(() => platform?.close());

  const asTheirs = async (scope: 'query' | 'grants' = 'query') => platform.connect(scope === 'query' ? 'bank-b' : await partyOf(theirSubject), scope);
  const partyOf = async (subject: string) => (await platform.database.query<{ id: string }>('select id from enterprise where subject = $1', [subject])).rows[0]?.id ?? '';

  /** One of everything that has an id: the other bank's, and the other enterprise's. */
  async function theirThings() {
    const enterprise = await platform.enterprise(theirSubject);
    const grant = await enterprise.grant('bank-b', terms);
    const bank = await asTheirs();
    const { id: request } = await grantRequestsClient(bank).askForGrant({ ...terms, uses_max: 3 });
    const { entry: { index } } = await bankClient(bank).query({ subject: theirSubject, purpose: terms.purpose, read: [field] });
    const { account } = await accountsClient(bank).invite('Clerk of theirs');
    const objections = objectionsClient(await asTheirs('grants'));
    const officer = objectionsClient(await platform.connect('officer-compliance', 'compliance'));
    const corrected = await objections.submit({ about: 'record', field, fault: 'wrong', text: 'It is not.' });
    await officer.take(corrected.id, 'accept');
    const records = await platform.connect('tax_administration', 'records');
    const { rows: [row] } = await platform.database.query<{ record: Record<string, unknown> }>("select to_jsonb(t) - '_supplied_at' as record from domain.tax t where subject = $1 limit 1", [theirSubject]);
    await departmentClient(records).correct('tax', { ...row?.record, declared_revenue_cents: 4_242 });
    await objectionsClient(records).take(corrected.id, 'correct', 'Corrected.');
    const [notice] = (await noticesClient(bank).notices()).notices;
    const objection = await objections.submit({ about: 'access', entry: index, text: 'We never applied.' });
    const list = await digestList([{ subject: subjectOf(0) }]);
    const { job } = await scoreJobsClient(bank).open({ model: testModel().ref, purpose: 'pre_loan_review' }, list);
    const secret = testModel('secret_model@1');
    await modelsClient(await platform.connect('officer-models', 'compliance')).propose(modelToJson(secret));
    const { id: project } = await jointClient(await platform.connect('officer-compliance', 'compliance')).propose(jointProject('bank-b'));
    const nothing = 'A'.repeat(22);
    return {
      grant: [grant.id, nothing], request: [request, nothing], notice: [notice?.id ?? '', nothing], objection: [objection.id, nothing], job: [job.job, nothing], index: [String(index), '9999999'],
      model: [secret.ref, 'nothing@1'], project: [project, nothing], account: [account, nothing],
      thumbprint: [(await platform.credentials('bank-b')).signing.publicJwk.kid, 'A'.repeat(43)],
    } as const;
  }

  /** Everything of theirs that a request could have changed. */
  const stateOfTheirs = async () => JSON.stringify(await Promise.all([
    "select id, state, uses_left from consent_grant order by id", 'select id, state from grant_request order by id', 'select id, state from objection order by id',
    'select id, acknowledged_ms from objection_notice order by id', 'select id, state from scoring_job order by id', 'select count(*)::int from scoring_list',
  ].map(async (text) => (await platform.database.query(text)).rows)));

  /** As such a party's program, which may ask at more addresses than a console. */
  const answerTo = ({ send }: Connection, request: GatewayRequest): Promise<Answer> => send(request).then(({ status }) => ({ status, code: '', detail: '' }), (error: unknown) => {
    assert.ok(isVeilgateError(error), String(error));
    return { status: Number(error.detail?.['status']), code: error.code, detail: error.message };
  });

  /** Asks at every address that such a party may ask at and that names something: for theirs, and for nothing. */
  async function knock(caller: Connection, scope: Scope, atLeast: number) {
    const named = operations.filter(({ path, security }) => path.includes('{') && security?.some(({ dpop }) => dpop?.includes(scope)) === true && !byKeyOnly.test(path));
    assert.ok(named.length >= atLeast, String(named.length));
    const before = await stateOfTheirs();
    for (const { method, path, operationId, requestBody } of named) {
      const [[type, media] = []] = Object.entries(requestBody?.content ?? {});
      const sent = type === undefined ? {} : type === 'application/json' ? { json: media?.example ?? bodies[operationId] ?? {} } : { body: { type, content: `{"subject":"${subjectOf(0)}"}\n` } };
      const [theirs, nothings] = await Promise.all([0, 1].map(async (which) => {
        const address = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
          const value = ids[name]?.[which as 0 | 1] ?? (nobodys as Readonly<Record<string, string>>)[name];
          assert.ok(value !== undefined && value !== '', `${operationId}: say whose ${name} is, in the table of this test`);
          return encodeURIComponent(value);
        });
        return answerTo(caller, { method: method.toUpperCase() as GatewayRequest['method'], path: address, ...sent });
      }));
      assert.deepEqual(theirs, nothings, operationId);
      assert.ok(theirs?.status === 404 || theirs?.code === 'PARTY_NOT_PERMITTED', `${operationId}: ${theirs?.status} ${theirs?.code} ${theirs?.detail}`);
    }
    assert.equal(await stateOfTheirs(), before, 'and nothing changed');
  }

  async function readLists({ forms }: Person, lists: readonly string[]) {
    const api = `${platform.gateway.issuerUrl}/console/api`;
    const cookie = `veilgate_session=${forms.cookie('veilgate_session') ?? ''}`;
    const { csrf } = await (await fetch(`${api}/session`, { headers: { cookie } })).json() as { readonly csrf: string };
    const theirs = [theirSubject, ...Object.entries(ids).filter(([name]) => name !== 'index' && name !== 'thumbprint').map(([, [id]]) => id)];
    for (const list of lists) {
      const response = await fetch(`${api}/v1/${list}`, { headers: { cookie, 'veilgate-csrf': csrf } });
      const text = await response.text();
      assert.ok(response.status === 200 || list.includes('?after='), `${list}: ${response.status} ${text}`);
      assert.deepEqual(theirs.filter((each) => text.includes(each) && !list.includes(each)), [], list);
    }
  }

  it('answers a bank like what is not there, at every address that names something', () => knock(bank, 'query', 18));

  it('answers an enterprise like what is not there, at every address that names something', () => knock(enterprise, 'grants', 9));

  it('lists a bank nothing of it, nor goes on from it', () => readLists(clerk, [
    'grants', 'grant-requests', 'score-jobs', 'notices', 'models', 'joint-projects', `grants?after=${ids['grant']?.[0]}`, `grant-requests?after=${ids['request']?.[0]}`, `notices?after=${ids['notice']?.[0]}`,
  ]));

  it('lists an enterprise nothing of it, nor goes on from it', () => readLists(representative, [
    'grants', 'grant-requests', 'objections', 'accesses', 'readers', 'export', 'export?part=accesses', 'export?part=tax&format=csv', `grants?after=${ids['grant']?.[0]}`, `objections?after=${ids['objection']?.[0]}`,
  ]));
});

/** Bodies of the right form, for routes that show no example of theirs. */
const bodies: Readonly<Record<string, object>> = { acceptGrantRequest: { notice_digest: 'a'.repeat(64) }, tryModel: { count: 100, seed: 1 } };
