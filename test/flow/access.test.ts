import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { signScoreRequest } from '../../src/sdk/scores.ts';
import { exchange, freshKey, type Wire, type WireAnswer } from './support/wire.ts';
import { assertNothingDisclosed, refusesLogged, refusesUnchanged, secondSubject, silentSubject, startWorld, subject, terms, unknownSubject, withoutLog, type World } from './support/world.ts';

const read = ['registry.name'];
const query = { subject, purpose: terms.purpose, read };
const inThirtyDays = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
const everyScope = 'query grants records registry compliance audit';

describe('flow: who may do what', () => {
  let world: World;

  before(async function () {
    this.timeout(60_000);
    world = await startWorld();
  });
  after(() => world.platform.close());

  describe('a bank without a grant of its own', () => {
    it('gets one and the same answer, whether the enterprise exists or not, and the log says each time that it asked', async () => {
      const underGrant = (grant: string) => async (wire: Wire, query_: object) => wire.query(query_ as Record<string, unknown>, { token: await wire.token({ claims: { authorization_details: [{ type: 'veilgate_consent', grant }] } }) });
      const ask = (wire: Wire, query_: object) => wire.query(query_ as Record<string, unknown>);
      const askings: Readonly<Record<string, () => Promise<WireAnswer>>> = {
        'an enterprise nobody knows': () => ask(world.bank, { ...query, subject: unknownSubject }),
        'an enterprise that granted nothing': () => ask(world.bank, { ...query, subject: silentSubject }),
        'an enterprise that granted to another bank': () => ask(world.otherBank, query),
        'another bank\'s grant, by name': () => ask(world.otherBank, { ...query, grant: world.grant }),
        'another bank\'s grant, by token': () => underGrant(world.grant)(world.otherBank, query),
        'a grant that does not exist': () => ask(world.bank, { ...query, grant: randomBytes(16).toString('base64url') }),
        'the grant of another enterprise': () => ask(world.bank, { ...query, grant: world.secondGrant }),
        'the token of another enterprise\'s grant': () => underGrant(world.secondGrant)(world.bank, query),
        'a grant by a token of another grant': () => underGrant(world.secondGrant)(world.bank, { ...query, grant: world.grant }),
        'another enterprise by the token of a grant': () => underGrant(world.grant)(world.bank, { ...query, subject: secondSubject, grant: world.secondGrant }),
      };
      const answers = new Map<string, string>();
      for (const [name, asking] of Object.entries(askings)) answers.set(name, comparable(await refusesLogged(world, 'CONSENT_REQUIRED', asking)));
      const [first] = answers.values();
      for (const [name, answer] of answers) assert.equal(answer, first, name);
    });

    it('learns nothing from explain either, which spends nothing and logs nothing', async () => {
      const before = await world.digest();
      const explain = async (wire: Wire, query_: Readonly<Record<string, unknown>>) => wire.query(query_, { path: '/v1/queries/explain' });
      const answers = await Promise.all([
        explain(world.otherBank, query), explain(world.otherBank, { ...query, grant: world.grant }), explain(world.otherBank, { ...query, subject: unknownSubject }), explain(world.otherBank, { ...query, subject: silentSubject }),
      ]);
      for (const answer of answers) {
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.json['grant_problem'], 'CONSENT_REQUIRED');
        assert.equal(answer.text, answers[0]?.text);
      }
      assert.equal((await explain(world.bank, query)).json['grant'], world.grant);
      assert.equal(await world.digest(), before);
    });

    it('gets for a purpose it has no grant for what it gets for an enterprise it has none of', async () => {
      const [own, others] = [await world.bank.query({ ...query, purpose: 'in_loan_approval' }), await world.otherBank.query({ ...query, purpose: 'in_loan_approval' })];
      assert.equal(own.code, 'CONSENT_REQUIRED');
      assert.equal(comparable(own), comparable(others));
    });
  });

  describe('what is not there and what is not yours', () => {
    const nobodys = randomBytes(16).toString('base64url');

    it('answers alike for grants, whatever is done to them', async () => {
      const party = await enterpriseWire();
      for (const [wire, path] of [
        [world.otherBank, ''], [world.otherBank, '/token'], [party, ''], [party, '/receipt'],
      ] as const) {
        const others: WireAnswer = await wire.get(`/v1/grants/${world.grant}${path}`);
        const absent: WireAnswer = await wire.get(`/v1/grants/${nobodys}${path}`);
        assert.equal(others.code, 'CONSENT_NOT_FOUND');
        assert.equal(comparable(others), comparable(absent));
      }
      for (const wire of [world.otherBank, party]) {
        for (const action of ['pause', 'resume', 'revoke']) {
          const others = await refusesUnchanged(world, 'CONSENT_NOT_FOUND', () => wire.json('POST', `/v1/grants/${world.grant}/${action}`, {}));
          assert.equal(comparable(others), comparable(await wire.json('POST', `/v1/grants/${nobodys}/${action}`, {})));
        }
      }
    });

    it('answers alike for entries of the log, and lists none of them', async () => {
      await world.bank.query(query);
      const entry = (await world.entries()).findLast(({ kind }) => kind === 'query.released');
      assert.ok(entry !== undefined);
      const own = await world.bank.get(`/v1/log/entries/${entry.index}`);
      assert.equal(own.status, 200);
      const party = await enterpriseWire();
      const department = await world.wire('tax_administration', everyScope);
      for (const wire of [world.otherBank, party]) {
        const others: WireAnswer = await wire.get(`/v1/log/entries/${entry.index}`);
        const absent: WireAnswer = await wire.get('/v1/log/entries/999999');
        assert.equal(others.code, 'AUDIT_ENTRY_NOT_FOUND');
        assert.equal(comparable(others), comparable(absent));
        for (const path of ['/v1/accesses', '/v1/accesses?institution=bank-a']) {
          const { accesses } = (await wire.get(path)).json as { accesses: readonly { index: number; institution: string | null; record: { subject?: string } }[] };
          assert.ok(accesses.every(({ index }) => index !== entry.index), path);
          assert.ok(accesses.every(({ institution, record }) => (wire === party ? record.subject === secondSubject : institution === 'bank-b')), path);
        }
      }
      assert.equal((await department.get(`/v1/log/entries/${entry.index}`)).code, 'TOKEN_SCOPE_INSUFFICIENT');
      assert.equal((await world.bank.get('/v1/log/records/0?width=1')).code, 'TOKEN_SCOPE_INSUFFICIENT');
    });

    it('answers alike for datasets, and takes no record', async () => {
      const department = await world.wire('tax_administration', 'records');
      const load = (dataset: string) => department.send({ path: `/v1/datasets/${dataset}/records`, contentType: 'text/csv', body: 'subject,name\n' });
      const others = await refusesUnchanged(world, 'SOURCE_DATASET_UNKNOWN', () => load('registry'));
      assert.equal(comparable(others), comparable(await refusesUnchanged(world, 'SOURCE_DATASET_UNKNOWN', () => load('no_such_dataset'))));
      const [othersReport, absentReport] = [await department.get('/v1/datasets/registry/quality'), await department.get('/v1/datasets/no_such_dataset/quality')];
      assert.equal(comparable(othersReport), comparable(absentReport));
    });

    it('answers alike for keys', async () => {
      const remove = (thumbprint: string) => refusesUnchanged(world, 'REQUEST_NOT_FOUND', () => world.bank.send({ method: 'DELETE', path: `/v1/keys/${thumbprint}` }));
      assert.equal(comparable(await remove(world.otherBank.signing.kid)), comparable(await remove((await freshKey()).kid)));
    });
  });

  describe('scopes', () => {
    it('open nothing without a token, and nothing with a token that has none', async () => {
      const { gatewayUrl } = world.platform.gateway;
      const { json: document } = await exchange(`${gatewayUrl}/openapi.json`, {});
      const [before, entries] = [await world.digest(), (await world.entries()).length];
      let doors = 0;
      for (const [template, operations] of Object.entries(document['paths'] as Record<string, Record<string, { security: unknown[]; requestBody?: { content: object } }>>)) {
        for (const [method, { security, requestBody }] of Object.entries(operations)) {
          if (security.length === 0) continue;
          doors += 1;
          const path = template.replace('{grant}', world.grant).replace('{thumbprint}', world.bank.signing.kid).replace('{institution}', 'bank-a').replace('{officer}', 'officer-auditor').replace('{dataset}', 'tax').replace('{job}', 'A'.repeat(22)).replace(/\{[a-z]+\}/, '0');
          const [type] = Object.keys(requestBody?.content ?? {});
          const body = type === undefined ? undefined : type === 'application/jwt' ? await world.bank.signed('query+jwt', { query }) : template.startsWith('/v1/score') ? await scoreBody(world, template) : '{}';
          const headers = { ...(type === undefined ? {} : { 'content-type': type }), 'idempotency-key': crypto.randomUUID() };
          const upper = method.toUpperCase() as 'GET';
          const none = await exchange(gatewayUrl + path, { method: upper, headers, ...(body === undefined ? {} : { body }) });
          assert.equal(none.code, 'TOKEN_MISSING', `${method} ${template}`);
          const powerless = await world.bank.send({ method: upper, path, headers, token: await world.bank.token({ claims: { scope: '' } }), ...(body === undefined ? {} : { body }) });
          // the grant's document is checked together with the token, so it is refused for its type first
          assert.equal(powerless.code, template === '/v1/grants' && method === 'post' ? 'TOKEN_WRONG_TYPE' : 'TOKEN_SCOPE_INSUFFICIENT', `${method} ${template}: ${powerless.text}`);
          assertNothingDisclosed(powerless);
        }
      }
      assert.ok(doors > 25);
      // the log says who was proven to ask a query; nothing else changed
      assert.deepEqual((await world.entries()).slice(entries).map(({ kind, code }) => [kind, code]).toSorted(), [['query.refused', 'TOKEN_SCOPE_INSUFFICIENT'], ['score.refused', 'TOKEN_SCOPE_INSUFFICIENT']]);
      assert.equal(withoutLog(await world.digest()), withoutLog(before));
    });

    it('count only as far as the registry gives them to the party, whatever a token says (TOKEN_SCOPE_INSUFFICIENT)', async () => {
      const bank = await world.wire('bank-a', everyScope);
      const department = await world.wire('tax_administration', everyScope);
      const registrar = await world.wire('officer-registrar', everyScope);
      for (const [wire, method, path, body] of [
        [bank, 'POST', '/v1/institutions/bank-b/suspension', { reason: 'terms_violated' }], [bank, 'POST', '/v1/departments', {}], [bank, 'PUT', '/v1/institutions/bank-a/limits', { limits: {} }],
        [department, 'POST', `/v1/grants/${world.grant}/revoke`, {}], [registrar, 'POST', '/v1/institutions/bank-a/assessments', {}], [registrar, 'POST', '/v1/institutions/bank-b/suspension', { reason: 'terms_violated' }],
      ] as const) await refusesUnchanged(world, 'TOKEN_SCOPE_INSUFFICIENT', () => wire.json(method, path, body));
      for (const [wire, path] of [
        [bank, '/v1/institutions'], [bank, '/v1/institutions/bank-a'], [bank, '/v1/datasets/tax/quality'], [bank, '/v1/log/records/0?width=1'],
        [department, '/v1/grants'], [department, `/v1/grants/${world.grant}`], [department, '/v1/accesses'], [registrar, '/v1/log/records/0?width=1'],
      ] as const) await refusesUnchanged(world, 'TOKEN_SCOPE_INSUFFICIENT', () => wire.get(path));
      for (const wire of [department, registrar]) await refusesUnchanged(world, 'TOKEN_SCOPE_INSUFFICIENT', () => wire.query(query));
    });

    it('are not given by the authorization server beyond the registration', async () => {
      for (const [party, scope] of [['bank-a', 'registry'], ['bank-a', 'query audit'], ['tax_administration', 'grants'], ['officer-registrar', 'compliance'], ['officer-compliance', 'query']] as const) {
        await assert.rejects(world.platform.connect(party, scope).then((connection) => connection.token()), { code: 'TOKEN_SCOPE_INSUFFICIENT' }, `${party} ${scope}`);
      }
    });

    it('do not let officers list what only enterprises and banks may (PARTY_NOT_PERMITTED)', async () => {
      const compliance = await world.wire('officer-compliance', 'compliance');
      await refusesUnchanged(world, 'PARTY_NOT_PERMITTED', () => compliance.json('POST', `/v1/grants/${world.grant}/pause`, {}));
      await refusesUnchanged(world, 'PARTY_NOT_PERMITTED', () => compliance.json('POST', `/v1/grants/${world.grant}/resume`, {}));
      await refusesUnchanged(world, 'PARTY_NOT_PERMITTED', () => world.bank.json('POST', `/v1/grants/${world.grant}/pause`, {}));
    });
  });

  describe('four eyes', () => {
    it('are needed to admit an institution and an officer (INSTITUTION_SAME_PERSON)', async () => {
      const { registrar, compliance, credentials } = world.platform;
      const registrarWire = await world.wire('officer-registrar', 'registry');
      const complianceWire = await world.wire('officer-compliance', 'compliance');
      await registrar.registerOfficer({ id: 'officer-new', roles: ['compliance'], name: { en: 'New', zh: '新' }, key: (await credentials('officer-new')).signing.publicJwk });
      await refusesUnchanged(world, 'INSTITUTION_SAME_PERSON', () => registrarWire.send({ path: '/v1/officers/officer-new/approval' }));
      const fresh = await world.wire('officer-new', 'compliance');
      await refusesUnchanged(world, 'PARTY_NOT_PERMITTED', () => fresh.json('POST', '/v1/institutions/bank-b/suspension', { reason: 'terms_violated' }));
      assert.equal((await complianceWire.send({ path: '/v1/officers/officer-new/approval' })).status, 200);

      const { applyForAdmission } = await import('../../src/sdk/application.ts');
      await applyForAdmission(world.platform.gateway.gatewayUrl, await credentials('bank-c'), { name: { en: 'Bank C', zh: '丙' }, institution_class: 'commercial_bank', redirect_uris: ['https://bank-c.example/callback'], country: 'CN' });
      const applicant = await world.wire('bank-c', 'query');
      await refusesLogged(world, 'INSTITUTION_NOT_ACTIVE', () => applicant.query(query));
      for (const wire of [registrarWire, complianceWire]) assert.ok((await wire.json('POST', '/v1/institutions/bank-c/approval', {})).status >= 400, 'nobody is admitted without an assessment');
      await compliance.assess('bank-c', { level: 3, passed: true, valid_until: inThirtyDays, findings_digest: 'a'.repeat(64) });
      await refusesUnchanged(world, 'INSTITUTION_SAME_PERSON', () => complianceWire.json('POST', '/v1/institutions/bank-c/approval', {}));
      assert.equal((await fresh.json('POST', '/v1/institutions/bank-c/approval', {})).status, 200);
      assert.equal((await applicant.query(query)).code, 'CONSENT_REQUIRED');
    });

    it('are no help when the latest assessment failed (INSTITUTION_ASSESSMENT_MISSING)', async () => {
      const assess = (passed: boolean) => world.platform.compliance.assess('bank-b', { level: 4, passed, valid_until: inThirtyDays, findings_digest: 'b'.repeat(64) });
      await assess(false);
      await refusesLogged(world, 'INSTITUTION_ASSESSMENT_MISSING', () => world.otherBank.query(query));
      await refusesUnchanged(world, 'INSTITUTION_ASSESSMENT_MISSING', () => world.otherBank.query(query, { path: '/v1/queries/explain' }));
      await assess(true);
      assert.equal((await world.otherBank.query(query)).code, 'CONSENT_REQUIRED');
    });
  });

  /** The second enterprise with a key of its own, on the wire. */
  async function enterpriseWire(): Promise<Wire> {
    const { rows } = await world.platform.database.query<{ id: string }>('select id from enterprise where subject = $1', [secondSubject]);
    return world.wire(rows[0]?.id ?? '', 'grants');
  }
});

/** What an attacker can compare: all of an answer but what differs between any two answers. */
function comparable({ status, json, headers }: WireAnswer): string {
  const { instance: _instance, ...problem } = json;
  const kept = [...headers].filter(([name]) => !['date', 'x-request-id', 'dpop-nonce'].includes(name));
  return JSON.stringify([status, kept, problem]);
}

/** A signed request for the score of an enterprise or of many, as each of the doors wants it. */
async function scoreBody({ platform }: World, template: string): Promise<string> {
  const own = { gateway: platform.gateway.gatewayUrl, credentials: await platform.credentials('bank-a') };
  const kind = template.startsWith('/v1/scores') ? 'one' : 'many';
  const { request, subjects } = await signScoreRequest(own, { kind, model: 'sme_growth@1', purpose: terms.purpose, lifetimeS: 60, subjects: [{ subject }] });
  switch (template) {
    case '/v1/score-jobs': return JSON.stringify({ request, salt: subjects.salt });
    case '/v1/score-jobs/{job}/runs': return JSON.stringify({ request });
    default: return JSON.stringify({ request, subjects });
  }
}
