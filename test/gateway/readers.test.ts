import { strict as assert } from 'node:assert';
import { isVeilgateError } from '../../src/errors.ts';
import { modelToJson } from '../../src/scoring/model/document.ts';
import { bankClient, platformKeys, type BankClient } from '../../src/sdk/bank.ts';
import { auditorClient } from '../../src/sdk/auditor.ts';
import { modelsClient } from '../../src/sdk/models.ts';
import type { ReaderView } from '../../src/sdk/readers.ts';
import { verifyReceipt } from '../../src/audit/receipt.ts';
import { systemClock } from '../../src/clock.ts';
import type { InstitutionId } from '../../src/vocabulary.ts';
import { secondSubject, silentSubject, startWorld, subject, terms, type World } from '../flow/support/world.ts';
import { consentTo, startJointStage, subjects } from '../support/joint.ts';
import { scoredFields, testModel } from '../support/scoring.ts';

const codeOf = (attempt: Promise<unknown>) => attempt.then(() => 'done', (error: unknown) => (isVeilgateError(error) ? error.code : String(error)));
/** `field use` → what it gives. */
const usesOf = (reader: ReaderView | undefined) => Object.fromEntries((reader?.fields ?? []).flatMap(({ field, uses }) => uses.map(({ use, disposition }) => [`${field} ${use}`, disposition])));

describe('who could access an enterprise\'s data now', () => {
  let world: World;
  let bank: BankClient;

  before(async function () {
    this.timeout(60_000);
    world = await startWorld();
    bank = bankClient(await world.platform.connect('bank-a', 'query'));
  });
  after(() => world.platform.close());

  it('is what a query of this moment would be answered with, with the rule that says so', async () => {
    const { readers, without_grant: without, policy, next } = await world.enterprise.readers();
    assert.deepEqual([readers.length, next, readers[0]?.grant, readers[0]?.institution.name?.zh, readers[0]?.purpose.title?.en, readers[0]?.blocked_by], [1, null, world.grant, '银行 bank-a', 'Review before a loan', null]);
    assert.match(without.en, /Nobody else/);
    const shown = usesOf(readers[0]);
    const answer = await bank.query({ subject, purpose: terms.purpose, grant: world.grant, read: terms.fields.map(({ field }) => field) });
    assert.equal(answer.policy, policy);
    const kinds = { clear: 'clear', masked: 'mask', banded: 'band', token: 'token', absent: '' } as const;
    let compared = 0;
    for (const [dataset, rows] of Object.entries(answer.data)) {
      for (const [field, { kind }] of rows.flatMap((row) => Object.entries(row)).filter(([, value]) => value.kind !== 'absent')) {
        assert.equal(shown[`${dataset}.${field} read`], kinds[kind], `${dataset}.${field}`);
        compared += 1;
      }
    }
    assert.ok(compared > 5);
    const revenue = readers[0]?.fields.find(({ field }) => field === 'tax.declared_revenue_cents');
    const read = revenue?.uses.find(({ use }) => use === 'read');
    assert.deepEqual([revenue?.ceiling, read?.disposition, read?.reason], ['desensitised', 'band', 'permitted']);
    assert.match(read?.rule ?? '', /^tax-/);
    assert.match(read?.words.zh ?? '', /依据规则tax-/);
    assert.equal((await world.enterprise.readers()).readers[0]?.uses_left, 99, 'looking spends nothing, asking does');
  });

  it('says what hangs on the institution\'s own statement', async () => {
    const large = await world.secondEnterprise.grant('bank-a', { subject: secondSubject, purpose: 'in_loan_approval', fields: [{ field: 'customs.main_trading_partner', ceiling: 'desensitised' }], valid_days: 10, data_life_days: 30, kind: 'one_time' });
    const [reader] = (await world.secondEnterprise.readers({ limit: 1 })).readers;
    const [use] = reader?.fields[0]?.uses.filter(({ use: each }) => each === 'read') ?? [];
    assert.deepEqual([reader?.grant, use?.disposition, use?.conditional, use?.rule], [large.id, 'withhold', true, 'customs-partner-token']);
    assert.match(use?.words.en ?? '', /the loan amount is at least CNY 10,000,000/);
  });

  it('comes in pages, for the enterprise alone', async () => {
    const all = (await world.secondEnterprise.readers()).readers.map(({ grant }) => grant);
    const first = await world.secondEnterprise.readers({ limit: 1 });
    const second = await world.secondEnterprise.readers({ limit: 1, after: first.next ?? '' });
    assert.deepEqual([...first.readers, ...second.readers].map(({ grant }) => grant), all);
    assert.equal(second.next, null);
    assert.ok(!all.includes(world.grant));
    assert.equal((await world.bank.get('/v1/readers')).code, 'TOKEN_SCOPE_INSUFFICIENT');
    assert.equal(await codeOf(world.secondEnterprise.readers({ after: 'x' })), 'REQUEST_INVALID');
    assert.equal(await codeOf(world.secondEnterprise.readers({ limit: 21 })), 'REQUEST_INVALID');
    assert.deepEqual((await (await world.platform.enterprise(silentSubject)).readers()).readers, []);
  });

  it('is nobody while a grant is paused, and nothing while the institution is suspended', async () => {
    const blocked = async () => (await world.enterprise.readers()).readers[0]?.blocked_by;
    await world.platform.compliance.suspend('bank-a', 'terms_violated');
    assert.equal(await blocked(), 'INSTITUTION_NOT_ACTIVE');
    await world.platform.compliance.reinstate('bank-a');
    const assess = (passed: boolean) => world.platform.compliance.assess('bank-a', { level: 4, passed, valid_until: new Date(Date.now() + 86_400_000 * 9).toISOString().slice(0, 10), findings_digest: 'a'.repeat(64) });
    await assess(false);
    assert.equal(await blocked(), 'INSTITUTION_ASSESSMENT_MISSING');
    await assess(true);
    assert.equal(await blocked(), null);
    await world.enterprise.pause(world.grant);
    assert.deepEqual((await world.enterprise.readers()).readers, []);
    await world.enterprise.resume(world.grant);
  });

  it('names approved models that the institution may use under the grant', async () => {
    const { platform } = world;
    await platform.registrar.registerOfficer({ id: 'officer-models', name: { en: 'M', zh: '模' }, roles: ['compliance'], key: (await platform.credentials('officer-models')).signing.publicJwk });
    await platform.compliance.approveOfficer('officer-models');
    const [author, reviewer] = await Promise.all(['officer-models', 'officer-compliance'].map(async (id) => modelsClient(await platform.connect(id, 'compliance'))));
    const { ref, digest } = await author!.propose(modelToJson(testModel()));
    const grant = await world.enterprise.grant('bank-a', { subject, ...terms, fields: scoredFields.map((field) => ({ field, ceiling: 'desensitised' as const })) });
    const models = async () => (await world.enterprise.readers()).readers.map(({ grant: of, models: names }) => [of, names]);
    assert.deepEqual(await models(), [[grant.id, []], [world.grant, []]]);
    await reviewer!.approve(ref, digest);
    assert.deepEqual(await models(), [[grant.id, [ref]], [world.grant, []]]);
    await world.enterprise.revoke(grant.id);
    assert.deepEqual(await models(), [[world.grant, []]]);
  });

  it('finds accesses by institution, time and outcome, each with a receipt that holds', async () => {
    await bank.query({ subject, purpose: terms.purpose, grant: world.grant, read: ['registry.name'], verify: [{ field: 'registry.name', claimed: 'x' }] });
    assert.equal(await codeOf(bank.query({ subject, purpose: 'in_loan_approval', read: ['registry.name'] })), 'CONSENT_REQUIRED');
    const accesses = async (filter: object) => (await world.enterprise.accesses(filter)).accesses;
    const [released, refused] = [await accesses({ outcome: 'released' }), await accesses({ outcome: 'refused' })];
    assert.deepEqual([new Set(released.map(({ kind }) => kind)), new Set(refused.map(({ kind }) => kind))], [new Set(['query.released']), new Set(['query.refused'])]);
    assert.deepEqual(await accesses({ outcome: 'released', institution: 'bank-b' }), []);
    assert.deepEqual((await accesses({ outcome: 'released', institution: 'bank-a' })).map(({ index }) => index), released.map(({ index }) => index));
    const [newest] = released;
    assert.ok(newest?.record);
    const at = Date.parse(newest.at);
    const moment = (ms: number) => new Date(ms).toISOString();
    assert.ok((await accesses({ outcome: 'released', from: moment(at) })).some(({ index }) => index === newest.index));
    assert.ok(!(await accesses({ outcome: 'released', to: moment(at) })).some(({ index }) => index === newest.index));
    assert.deepEqual(await accesses({ from: moment(at + 3_600_000) }), []);
    assert.equal(await codeOf(world.enterprise.accesses({ from: 'yesterday' })), 'REQUEST_INVALID');

    assert.deepEqual((newest.record['outcomes'] as readonly { use: string; fields: readonly string[] }[]).map(({ use, fields }) => [use, fields]), [['read', ['registry.name']], ['verify', ['registry.name']]]);
    const keys = await platformKeys(world.platform.gateway.gatewayUrl);
    const check = { keys: { keys: [...keys.keys] }, issuer: world.platform.gateway.gatewayUrl, institution: 'bank-a' as InstitutionId, clock: systemClock };
    const receipt = await verifyReceipt(await world.enterprise.entryReceipt(newest.index), { ...check, record: newest.record });
    assert.deepEqual([receipt.log.index, receipt.outcome, receipt.grant], [newest.index, 'released', world.grant]);
    const other = refused[0];
    assert.equal((await verifyReceipt(await world.enterprise.entryReceipt(other?.index ?? -1), { ...check, record: other?.record ?? {} })).outcome, 'refused');
    assert.equal(await codeOf(world.secondEnterprise.entryReceipt(newest.index)), 'AUDIT_ENTRY_NOT_FOUND');
    const created = (await accesses({})).find(({ kind }) => kind === 'grant.created');
    assert.equal(await codeOf(world.enterprise.entryReceipt(created?.index ?? -1)), 'AUDIT_ENTRY_NOT_FOUND');
    assert.equal(await codeOf(auditorClient(await world.platform.connect('bank-b', 'query')).entryReceipt(newest.index)), 'AUDIT_ENTRY_NOT_FOUND');
  });
});

describe('cohorts that count an enterprise in', () => {
  it('are named beside the grant for joint modelling', async function () {
    this.timeout(60_000);
    const stage = await startJointStage();
    try {
      const { platform, partner } = stage;
      const members = subjects(0, 101);
      const project = await stage.approved();
      const [inside, outside] = [members[0] ?? '', members[100] ?? ''];
      await consentTo(platform.database, 'bank-a', members.slice(0, 100));
      const cohort = await partner.formCohort(project);
      await consentTo(platform.database, 'bank-a', [members[100] ?? members[0]!]);
      const readers = async (of: string) => (await (await platform.enterprise(of)).readers()).readers;
      const [reader] = await readers(inside);
      assert.deepEqual(reader?.cohorts.map(({ cohort: id, project: by, size }) => [id, by, size]), [[cohort.id, project, 100]]);
      assert.ok(Object.entries(usesOf(reader)).some(([use, disposition]) => use.endsWith(' aggregate') && disposition === 'aggregate'));
      assert.deepEqual((await readers(outside)).map(({ cohorts }) => cohorts), [[]], 'consented later');
    } finally {
      await stage.platform.close();
    }
  });
});
