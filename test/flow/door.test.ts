import { strict as assert } from 'node:assert';
import { hash } from 'node:crypto';
import { auditorClient, type EntryView } from '../../src/sdk/auditor.ts';
import { startSecondNode } from './support/second-node.ts';
import { freshKey, type Wire } from './support/wire.ts';
import { refusesUnchanged, startWorld, subject, terms, type World } from './support/world.ts';

const query = { subject, purpose: terms.purpose, read: ['tax.period'] };

describe('flow: refused at the door', () => {
  let world: World;
  let auditor: ReturnType<typeof auditorClient>;

  before(async function () {
    this.timeout(60_000);
    world = await startWorld();
    auditor = auditorClient(await world.platform.connect('officer-auditor', 'audit'));
  });
  after(() => world.platform.close());

  const newest = async (institution: string) => (await auditor.accesses({ institution, limit: 1 })).accesses[0] as EntryView;
  const asks = async (wire: Wire, code: string, body: string, options: Parameters<Wire['query']>[1] = {}) => {
    const answer = await wire.query({}, { body, ...options });
    assert.equal(answer.code, code, answer.text);
    const entry = await newest(wire.party);
    assert.deepEqual([entry.kind, entry.record?.['code'], entry.record?.['request']], ['query.refused', code, hash('sha256', body)]);
    return entry;
  };

  it('is in the log with what was asked, and with what was signed: suspended, assessment failed, replayed, beyond the quota (REQUEST_QUOTA_EXCEEDED)', async () => {
    await world.platform.bank('bank-q', { limits: { queries_per_day: 1 } });
    const bank = await world.wire('bank-q', 'query');
    const { compliance } = world.platform;
    const sign = () => bank.signed('query+jwt', { query });
    const first = await sign();
    await bank.query({}, { body: first });
    const replayed = await asks(bank, 'TOKEN_REPLAYED', first);
    const beyond = await asks(bank, 'REQUEST_QUOTA_EXCEEDED', await sign());
    await compliance.suspend('bank-q', 'terms_violated');
    const suspended = await asks(bank, 'INSTITUTION_NOT_ACTIVE', await sign());
    await compliance.reinstate('bank-q');
    await compliance.assess('bank-q', { level: 3, passed: false, valid_until: new Date(Date.now() + 86_400_000).toISOString().slice(0, 10), findings_digest: 'b'.repeat(64) });
    const unassessed = await asks(bank, 'INSTITUTION_ASSESSMENT_MISSING', await sign());
    for (const { index, record, actor } of [replayed, beyond, suspended, unassessed]) {
      assert.deepEqual([actor, record?.['subject'], record?.['purpose'], record?.['policy'], record?.['outcomes']], ['bank-q', subject, terms.purpose, null, []]);
      assert.equal(hash('sha256', (await auditor.request(index)).request), record?.['request']);
    }
  });

  it('is in the log by its digest alone when it has another form, and nothing of it is repeated (QUERY_INVALID)', async () => {
    for (const wrong of [{ ...query, admin: true }, { ...query, subject: '110101196001011234' }, { ...query, subject: `${subject.slice(0, 17)}${subject.endsWith('0') ? '1' : '0'}` }]) {
      const { index, record } = await asks(world.bank, 'QUERY_INVALID', await world.bank.signed('query+jwt', { query: wrong }));
      assert.deepEqual([record?.['subject'], record?.['purpose'], record?.['grant']], [null, null, null]);
      await assert.rejects(auditor.request(index), { code: 'AUDIT_REQUEST_NOT_FOUND' });
    }
  });

  it('is a replay the second time, whatever its form', async () => {
    const body = await world.bank.signed('query+jwt', { query: { ...query, admin: true } });
    await asks(world.bank, 'QUERY_INVALID', body);
    await asks(world.bank, 'TOKEN_REPLAYED', body);
  });

  it('is in the log when the token does not allow it, or too many come (TOKEN_SCOPE_INSUFFICIENT, REQUEST_RATE_LIMITED)', async () => {
    await asks(world.bank, 'TOKEN_SCOPE_INSUFFICIENT', await world.bank.signed('query+jwt', { query }), { token: await world.bank.token({ claims: { scope: '' } }) });
    await world.platform.bank('bank-r', { limits: { requests_per_second: 1 } });
    const bank = await world.wire('bank-r', 'query');
    const answers = await Promise.all([1, 2, 3].map(() => bank.query(query)));
    const limited = answers.filter(({ code }) => code === 'REQUEST_RATE_LIMITED').length;
    assert.ok(limited > 0);
    const { accesses } = await auditor.accesses({ institution: 'bank-r' });
    assert.equal(accesses.filter(({ record }) => record?.['code'] === 'REQUEST_RATE_LIMITED').length, limited);
  });

  it('is not in the log when nobody is proven to have asked', async () => {
    const stranger = await freshKey();
    const { bank } = world;
    const [otherKey, otherSigner] = [{ key: stranger }, { key: stranger, header: { kid: stranger.kid } }];
    await refusesUnchanged(world, 'TOKEN_SIGNATURE_INVALID', () => bank.query(query, { changes: otherKey }));
    await refusesUnchanged(world, 'TOKEN_KEY_UNKNOWN', () => bank.query(query, { changes: otherSigner }));
    await refusesUnchanged(world, 'TOKEN_SIGNATURE_INVALID', async () => bank.query(query, { token: await bank.token(otherKey) }));
    await refusesUnchanged(world, 'DPOP_MISSING', () => bank.query(query, { proof: null }));
    await refusesUnchanged(world, 'JSON_MALFORMED', () => bank.query(query, { changes: { claims: 'not json' } }));
    const officer = await world.wire('officer-registrar', 'registry');
    await refusesUnchanged(world, 'TOKEN_SCOPE_INSUFFICIENT', () => officer.query(query));
  });

  it('is not in the log when a query is only explained', async () => {
    await refusesUnchanged(world, 'QUERY_INVALID', () => world.bank.query({ ...query, admin: true }, { path: '/v1/queries/explain' }));
  });

  it('cannot fill the log: beyond the bound of a minute one entry counts them, at the latest when the gateway stops', async () => {
    const second = await startSecondNode(world.platform);
    const before = (await world.entries()).length;
    const answers = await Promise.all(Array.from({ length: 45 }, () => world.otherBank.query({ ...query, admin: true }, { origin: second.origin })));
    assert.ok(answers.every(({ code }) => code === 'QUERY_INVALID'));
    assert.equal((await world.entries()).length - before, 20);
    await second.stop();
    const [counted, ...more] = (await auditor.accesses({ institution: 'bank-b' })).accesses.filter(({ kind }) => kind === 'queries.refused');
    assert.deepEqual([counted?.record?.['refused'], more], [[{ code: 'QUERY_INVALID', count: 25 }], []]);
  });
});
