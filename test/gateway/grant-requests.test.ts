import { strict as assert } from 'node:assert';
import { hash, randomBytes } from 'node:crypto';
import { canonicalJson } from '../../src/canonical.ts';
import { sampleSubject } from '../../scripts/sample/subjects.ts';
import { dayStartMs } from '../../src/calendar.ts';
import { grantRequestsOfInstitutionMax } from '../../src/consent/grant-requests.ts';
import { isVeilgateError } from '../../src/errors.ts';
import { bankClient, type BankClient } from '../../src/sdk/bank.ts';
import { policiesClient } from '../../src/sdk/policies.ts';
import type { TimeMs } from '../../src/vocabulary.ts';
import { secondSubject, silentSubject, startWorld, subject, terms, thirdSubject, unknownSubject, type EnterpriseClient, type World } from '../flow/support/world.ts';
import type { Wire } from '../flow/support/wire.ts';

const codeOf = (attempt: Promise<unknown>) => attempt.then(() => 'done', (error: unknown) => (isVeilgateError(error) ? error.code : String(error)));
const detailOf = (attempt: Promise<unknown>) => attempt.then(() => assert.fail('refused'), (error: unknown) => (isVeilgateError(error) ? error.detail ?? {} : assert.fail(String(error))));
const asked = { ...terms, subject };

describe('requests for grants', () => {
  let world: World;
  let bank: BankClient;
  let otherBank: BankClient;
  let third: EnterpriseClient;
  let wires: { readonly bank: Wire; readonly enterprise: Wire; readonly second: Wire };
  const records = async () => (await world.platform.database.query<Record<string, unknown>>("select record::jsonb - 'v' - 'at' as record from audit_entry where kind like 'grant.request%' or kind = 'grant.created' order by index")).rows.map(({ record }) => record as Record<string, unknown>);

  before(async function () {
    this.timeout(60_000);
    world = await startWorld();
    const { platform } = world;
    bank = bankClient(await platform.connect('bank-a', 'query'));
    otherBank = bankClient(await platform.connect('bank-b', 'query'));
    third = await platform.enterprise(thirdSubject);
    const party = async (of: string) => (await platform.database.query<{ id: string }>('select id from enterprise where subject = $1', [of])).rows[0]?.id ?? '';
    wires = { bank: world.bank, enterprise: await world.wire(await party(subject), 'grants'), second: await world.wire(await party(secondSubject), 'grants') };
  });
  after(() => world.platform.close());

  it('are asked, read in plain words, narrowed and granted, and the log says each step without their words', async () => {
    const before = (await records()).length;
    const request = await bank.askForGrant(asked, 'Your application of 3 June');
    assert.deepEqual([request.state, request.institution, request.institution_name?.en, request.grant, request.terms.fields.length], ['pending', 'bank-a', 'Bank bank-a', null, 5]);
    assert.equal((await bank.readGrantRequest(request.id)).offer, null, 'the offer is the enterprise\'s');

    const { offer, message } = await world.enterprise.readGrantRequest(request.id);
    assert.ok(offer);
    assert.deepEqual([message, offer.obstacle, offer.description.zh.institution.name, offer.description.en.purpose.title], ['Your application of 3 June', null, '银行 bank-a', 'Review before a loan']);
    assert.equal(offer.description.en.fields.find(({ ref }) => ref === 'registry.name')?.gets.original.includes('original value'), true);
    assert.match(offer.terms.data_from ?? '', /^\d{4}-\d{2}-\d{2}$/, 'nothing is left open');
    assert.equal(offer.notice_digest, hash('sha256', canonicalJson({ request: request.id, message, terms: offer.terms, description: offer.description }), 'hex'), 'the digest is over what was shown');

    const choice = { fields: [{ field: 'registry.name', ceiling: 'desensitised' as const }, { field: 'tax.period', ceiling: 'original' as const }], valid_days: 7, uses_max: 2 };
    const { request: accepted, grant } = await world.enterprise.acceptGrantRequest(request.id, offer.notice_digest, choice);
    assert.deepEqual([accepted.state, accepted.grant], ['accepted', grant.id]);
    assert.deepEqual([grant.uses_left, grant['notice_digest'], grant.fields, grant.state], [2, offer.notice_digest, choice.fields, 'active']);
    assert.equal(Math.round((Date.parse(grant.valid_until) - Date.parse(grant.valid_from)) / 86_400_000), 7);
    assert.equal((await bank.readGrantRequest(request.id)).grant, grant.id);
    const answer = await bank.query({ subject, purpose: terms.purpose, grant: grant.id, read: ['tax.period', 'registry.address'] });
    assert.deepEqual(answer.withheld.map(({ field, reason }) => [field, reason]), [['registry.address', 'not_consented']]);

    const added = (await records()).slice(before);
    const enterprise = wires.enterprise.party;
    assert.deepEqual(added.map(({ kind, actor }) => [kind, actor]), [['grant.requested', 'bank-a'], ['grant.created', enterprise], ['grant.request_accepted', enterprise]]);
    assert.equal(added[0]?.['asked'], hash('sha256', canonicalJson({ terms: request.terms, message }), 'hex'));
    assert.deepEqual([added[1]?.['grant'], added[1]?.['notice'], added[2]?.['grant'], added[2]?.['request']], [grant.id, offer.notice_digest, grant.id, request.id]);
    assert.ok(!JSON.stringify(added).includes('application'));
    assert.ok(!world.platform.logged().includes('Your application'));
  });

  it('are accepted once: a repetition gives the first answer, a second attempt is refused, and two at once make one grant', async () => {
    const request = await bank.askForGrant({ ...asked, subject: secondSubject });
    const digest = (await world.secondEnterprise.readGrantRequest(request.id)).offer?.notice_digest ?? '';
    const first = await world.secondEnterprise.acceptGrantRequest(request.id, digest, {}, 'accept-once-0001');
    assert.deepEqual(await world.secondEnterprise.acceptGrantRequest(request.id, digest, {}, 'accept-once-0001'), first);
    assert.equal(await codeOf(world.secondEnterprise.acceptGrantRequest(request.id, digest, { uses_max: 1 }, 'accept-once-0001')), 'IDEMPOTENCY_KEY_REUSED');
    assert.deepEqual(await detailOf(world.secondEnterprise.acceptGrantRequest(request.id, digest)), { status: 409, state: 'accepted', grant: first.grant.id });
    assert.equal(await codeOf(world.secondEnterprise.refuseGrantRequest(request.id)), 'CONSENT_REQUEST_STATE_CONFLICT');
    assert.equal(await codeOf(bank.withdrawGrantRequest(request.id)), 'CONSENT_REQUEST_STATE_CONFLICT');

    const rival = await bank.askForGrant({ ...asked, subject: secondSubject });
    const rivalDigest = (await world.secondEnterprise.readGrantRequest(rival.id)).offer?.notice_digest ?? '';
    const codes = await Promise.all([1, 2, 3, 4].map(() => codeOf(world.secondEnterprise.acceptGrantRequest(rival.id, rivalDigest))));
    assert.deepEqual(codes.toSorted(), ['CONSENT_REQUEST_STATE_CONFLICT', 'CONSENT_REQUEST_STATE_CONFLICT', 'CONSENT_REQUEST_STATE_CONFLICT', 'done']);
    const { rows } = await world.platform.database.query("select 1 from consent_grant where notice_digest = $1", [rivalDigest]);
    assert.equal(rows.length, 1);
  });

  it('cannot be widened, or accepted as something else than was read', async () => {
    const request = await otherBank.askForGrant({ ...asked, uses_max: 3 });
    const digest = (await world.enterprise.readGrantRequest(request.id)).offer?.notice_digest ?? '';
    for (const [choice, pointer] of [
      [{ fields: [{ field: 'registry.status', ceiling: 'original' as const }] }, '/fields/0/field'], [{ fields: [{ field: 'owner.name', ceiling: 'original' as const }] }, '/fields/0/ceiling'],
      [{ valid_days: 31 }, '/valid_days'], [{ uses_max: 4 }, '/uses_max'], [{ data_life_days: 31 }, '/data_life_days'], [{ data_from: '1999-01-01' }, '/data_from'],
    ] as const) assert.deepEqual(await detailOf(world.enterprise.acceptGrantRequest(request.id, digest, choice)), { status: 422, pointer });
    assert.equal(await codeOf(world.enterprise.acceptGrantRequest(request.id, 'a'.repeat(64))), 'CONSENT_REQUEST_CHANGED');
    assert.equal((await world.enterprise.readGrantRequest(request.id)).state, 'pending', 'a refused attempt decides nothing');
    const refused = await world.enterprise.refuseGrantRequest(request.id, '已选择其他银行');
    assert.deepEqual([refused.state, (await otherBank.readGrantRequest(request.id)).reason], ['refused', '已选择其他银行']);
    assert.equal(await codeOf(world.enterprise.acceptGrantRequest(request.id, digest)), 'CONSENT_REQUEST_STATE_CONFLICT');
  });

  it('are for the two they are between: everybody else gets the answer for one that is not there', async () => {
    const request = await otherBank.askForGrant(asked);
    const nobodys = randomBytes(16).toString('base64url');
    const body = { notice_digest: 'a'.repeat(64) };
    for (const [wire, others, of] of [
      [wires.second, 'acceptance', body], [wires.second, 'refusal', {}], [wires.bank, 'withdrawal', {}],
    ] as const) {
      const [one, none] = [await wire.json('POST', `/v1/grant-requests/${request.id}/${others}`, of), await wire.json('POST', `/v1/grant-requests/${nobodys}/${others}`, of)];
      assert.deepEqual([one.status, one.code, { ...one.json, instance: '' }], [404, 'CONSENT_REQUEST_NOT_FOUND', { ...none.json, instance: '' }]);
    }
    for (const wire of [wires.second, wires.bank]) {
      assert.equal((await wire.get(`/v1/grant-requests/${request.id}`)).code, 'CONSENT_REQUEST_NOT_FOUND');
      assert.ok(!(await wire.get('/v1/grant-requests')).text.includes(request.id));
    }
    for (const [wire, path] of [[wires.bank, 'acceptance'], [wires.bank, 'refusal'], [wires.enterprise, 'withdrawal']] as const) assert.equal((await wire.json('POST', `/v1/grant-requests/${request.id}/${path}`, path === 'acceptance' ? body : {})).code, 'TOKEN_SCOPE_INSUFFICIENT');
    assert.equal((await wires.enterprise.json('POST', '/v1/grant-requests', { terms: { type: 'veilgate_consent', ...asked } })).code, 'TOKEN_SCOPE_INSUFFICIENT');
    await otherBank.withdrawGrantRequest(request.id);
    assert.deepEqual([(await world.enterprise.readGrantRequest(request.id)).state, await codeOf(world.enterprise.refuseGrantRequest(request.id))], ['withdrawn', 'CONSENT_REQUEST_STATE_CONFLICT']);
  });

  it('tell a bank nothing of whether an enterprise is registered, and wait for one that comes later', async () => {
    const shape = async (of: string) => {
      const request = await bank.askForGrant({ ...asked, subject: of });
      const again = await wires.bank.json('POST', '/v1/grant-requests', { terms: { type: 'veilgate_consent', ...asked, subject: of } });
      const { id: _id, subject: _subject, created_at: _at, expires_at: _until, terms: { subject: _of, ...rest }, ...more } = await bank.readGrantRequest(request.id);
      return { more, rest, again: [again.status, again.code, again.json['limit'], again.json['detail']], id: request.id };
    };
    const [known, unknown] = [await shape(silentSubject), await shape(unknownSubject)];
    assert.deepEqual({ ...known, id: '' }, { ...unknown, id: '' });
    assert.equal(known.again[1], 'CONSENT_REQUESTS_TOO_MANY');
    const late = await world.platform.enterprise(unknownSubject);
    assert.deepEqual((await late.grantRequests({ state: 'pending' })).requests.map(({ id }) => id), [unknown.id]);
  });

  it('are one open and three a day between a bank and an enterprise (CONSENT_REQUESTS_TOO_MANY)', async () => {
    const atOnce = await Promise.all([1, 2, 3].map(() => codeOf(bank.askForGrant({ ...asked, subject: thirdSubject }))));
    assert.deepEqual(atOnce.toSorted(), ['CONSENT_REQUESTS_TOO_MANY', 'CONSENT_REQUESTS_TOO_MANY', 'done']);
    const withdraw = async () => bank.withdrawGrantRequest((await bank.grantRequests({ state: 'pending' })).requests.find(({ subject: of }) => of === thirdSubject)?.id ?? '');
    for (let asking = 0; asking < 2; asking += 1) {
      await withdraw();
      await bank.askForGrant({ ...asked, subject: thirdSubject });
    }
    await withdraw();
    assert.deepEqual(await detailOf(bank.askForGrant({ ...asked, subject: thirdSubject })), { status: 429, limit: 'day', max: 3 });
    assert.equal((await otherBank.askForGrant({ ...asked, subject: thirdSubject })).state, 'pending', 'another bank is not held up');
    const repeated = await Promise.all([0, 1].map(() => otherBank.askForGrant({ ...asked, subject: secondSubject }, 'Once', 'ask-only-once-1').catch(() => undefined)));
    assert.equal(new Set(repeated.filter((each) => each !== undefined).map(({ id }) => id)).size, 1);
  });

  it('are a thousand a day of one bank, whoever they go to: made-up codes too (CONSENT_REQUESTS_TOO_MANY)', async () => {
    const { database } = world.platform;
    const detail = JSON.stringify({ type: 'veilgate_consent', ...asked, subject: thirdSubject });
    const fill = (count: number) => database.query(
      `insert into grant_request (id, institution, subject, terms, created_ms, expires_ms, state, decided_ms)
       select lpad(n::text, 22, '0'), 'bank-a', lpad(n::text, 18, '0'), $1::jsonb, $2, $2::bigint + 1, 'withdrawn', $2 from generate_series(1, $3::int) as n`, [detail, Date.now(), count]);
    const { rows: [before] } = await database.query<{ n: number }>("select count(*)::int as n from grant_request where institution = 'bank-a' and created_ms >= $1", [dayStartMs(Date.now() as TimeMs)]);
    await fill(grantRequestsOfInstitutionMax - (before?.n ?? 0) - 1);
    const fresh = Array.from({ length: 4 }, (_, n) => sampleSubject(20_000 + n, 11));
    const outcomes = await Promise.all(fresh.map((code) => codeOf(bank.askForGrant({ ...asked, subject: code }))));
    assert.deepEqual(outcomes.toSorted(), ['CONSENT_REQUESTS_TOO_MANY', 'CONSENT_REQUESTS_TOO_MANY', 'CONSENT_REQUESTS_TOO_MANY', 'done'], 'also of several at once');
    const { limit, max, retryAfterSeconds } = await detailOf(bank.askForGrant({ ...asked, subject: fresh[0] ?? '' }));
    assert.deepEqual([limit, max], ['institution', grantRequestsOfInstitutionMax]);
    assert.ok(Number(retryAfterSeconds) > 0 && Number(retryAfterSeconds) <= 86_400);
    assert.equal((await otherBank.askForGrant({ ...asked, subject: fresh[0] ?? '' })).state, 'pending', 'another bank is not held up');
    await database.query("delete from grant_request where institution = 'bank-a' and subject like '000%'");
  });

  it('can only be read once they have expired, and make way for another', async () => {
    const { database } = world.platform;
    const id = randomBytes(16).toString('base64url');
    const detail = { type: 'veilgate_consent', ...asked, subject: thirdSubject };
    await database.query('insert into grant_request (id, institution, subject, terms, created_ms, expires_ms) values ($1, $2, $3, $4::jsonb, $5, $6)', [id, 'bank-a', thirdSubject, JSON.stringify(detail), Date.now() - 31 * 86_400_000, Date.now() - 86_400_000]);
    const shown = await third.readGrantRequest(id);
    assert.deepEqual([shown.state, shown.offer, shown.decided_at], ['expired', null, null]);
    assert.deepEqual(await detailOf(third.acceptGrantRequest(id, 'a'.repeat(64))), { status: 409, state: 'expired' });
    assert.equal(await codeOf(bank.withdrawGrantRequest(id)), 'CONSENT_REQUEST_STATE_CONFLICT');
    assert.ok((await third.grantRequests({ state: 'expired' })).requests.some((each) => each.id === id));
    assert.ok(!(await third.grantRequests({ state: 'pending' })).requests.some((each) => each.id === id));
    await assert.rejects(database.query('update grant_request set expires_ms = expires_ms + 1 where id = $1', [id]), /never changed/);
    await assert.rejects(database.query("update grant_request set message = 'other' where id = $1", [id]), /never changed/);
  });

  it('are listed in pages', async () => {
    const all = (await bank.grantRequests()).requests.map(({ id }) => id);
    const paged: string[] = [];
    let after: string | undefined;
    do {
      const page = await bank.grantRequests({ limit: 2, ...(after === undefined ? {} : { after }) });
      paged.push(...page.requests.map(({ id }) => id));
      after = page.next ?? undefined;
    } while (after !== undefined);
    assert.ok(all.length > 4);
    assert.deepEqual(paged, all);
    assert.equal(await codeOf(bank.grantRequests({ after: 'elsewhere' })), 'REQUEST_INVALID');
  });

  it('are refused when no enterprise could grant them', async () => {
    const ask = (more: object) => codeOf(bank.askForGrant({ ...asked, subject: silentSubject, ...more }));
    assert.deepEqual(await Promise.all([
      ask({ purpose: 'gossip' }), ask({ valid_days: 91 }), ask({ fields: [{ field: 'owner.home_address', ceiling: 'original' }] }), ask({ subject: '91350211M000100Y47' }),
      ask({ fields: [] }), ask({ kind: 'one_time' }), codeOf(bank.askForGrant(asked, 'a\u202eb')), codeOf(bank.askForGrant(asked, 'x'.repeat(501))),
    ]), ['POLICY_PURPOSE_UNKNOWN', 'CONSENT_EXCEEDS_CAP', 'CONSENT_EXCEEDS_CAP', 'CONSENT_INVALID', 'CONSENT_INVALID', 'CONSENT_INVALID', 'CONSENT_INVALID', 'CONSENT_INVALID']);
  });

  it('are judged by the policy of the moment of acceptance, and by whether the institution is admitted then', async () => {
    const enterprise = await world.platform.enterprise(silentSubject);
    const [request] = (await enterprise.grantRequests({ state: 'pending' })).requests;
    assert.ok(request);
    const read = async () => (await enterprise.readGrantRequest(request.id)).offer;
    const before = (await read())?.notice_digest ?? '';
    const author = policiesClient(await world.platform.connect('officer-compliance', 'compliance'));
    await author.withhold({ field: 'registry.name', purpose: terms.purpose, reason: 'wrong_values' });
    assert.equal(await codeOf(enterprise.acceptGrantRequest(request.id, before)), 'CONSENT_REQUEST_CHANGED', 'what was read is no longer true');
    const offer = await read();
    assert.equal(offer?.obstacle?.code, 'CONSENT_EXCEEDS_CAP');
    assert.equal(offer?.description.en.fields.find(({ ref }) => ref === 'registry.name')?.gets.original, 'nothing');
    assert.deepEqual((await detailOf(enterprise.acceptGrantRequest(request.id, offer?.notice_digest ?? '')))['fields'], ['registry.name']);

    await world.platform.compliance.suspend('bank-a', 'terms_violated');
    assert.equal((await read())?.obstacle?.code, 'INSTITUTION_NOT_ACTIVE');
    assert.equal(await codeOf(enterprise.acceptGrantRequest(request.id, (await read())?.notice_digest ?? '')), 'INSTITUTION_NOT_ACTIVE');
    await world.platform.compliance.reinstate('bank-a');

    const kept = request.terms.fields.filter(({ field }) => field !== 'registry.name');
    const { grant } = await enterprise.acceptGrantRequest(request.id, (await read())?.notice_digest ?? '', { fields: kept });
    assert.deepEqual(grant.fields, kept, 'narrowed to what policy still opens');
  });
});
