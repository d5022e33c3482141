import { strict as assert } from 'node:assert';
import { setTimeout as delay } from 'node:timers/promises';
import { changeGrant } from '../../src/consent/grants.ts';
import { systemClock } from '../../src/clock.ts';
import { bankClient, type ConsentRequest } from '../../src/sdk/bank.ts';
import { suspend } from '../../src/identity/registry/status.ts';
import type { Tx } from '../../src/store/database.ts';
import type { GrantId, PartyId, SubjectId } from '../../src/vocabulary.ts';
import { redirectUri } from '../support/gateway.ts';
import { untilBlocked } from '../support/until.ts';
import type { Wire, WireAnswer } from './support/wire.ts';
import { refusesLogged, refusesUnchanged, secondSubject, silentSubject, startWorld, subject, terms, thirdSubject, type EnterpriseClient, type World } from './support/world.ts';

const query = { subject, purpose: terms.purpose, read: ['registry.name'] };
const claim = { field: 'tax.declared_revenue_cents', claimed: 1 };

describe('flow: consent that holds', () => {
  let world: World;
  let enterprise: EnterpriseClient;
  let wire: Wire;

  before(async function () {
    this.timeout(60_000);
    world = await startWorld();
    enterprise = world.enterprise;
    const { rows } = await world.platform.database.query<{ id: string }>('select id from enterprise where subject = $1', [subject]);
    wire = await world.wire(rows[0]?.id ?? '', 'grants');
  });
  after(() => world.platform.close());

  /** A grant of its own for one test, and a way to ask under it. */
  async function granted(changes: Partial<ConsentRequest> = {}): Promise<{ readonly id: string; readonly ask: (more?: object) => Promise<WireAnswer> }> {
    const { id } = await enterprise.grant('bank-a', { subject, ...terms, ...changes });
    return { id, ask: (more = {}) => world.bank.query({ ...query, grant: id, ...more }) };
  }

  async function usesOf(grant: string): Promise<number> {
    const { rows } = await world.platform.database.query<{ uses: number }>('select uses_total as uses from consent_grant where id = $1', [grant]);
    return rows[0]?.uses ?? -1;
  }

  describe('a grant that changes while its query runs', () => {
    /** Holds the grant's row, lets a query run into it, changes the row as `change` says and lets go. */
    async function interleaved(grant: string, ask: () => Promise<WireAnswer>, change: (tx: Tx) => Promise<unknown>): Promise<WireAnswer> {
      return (await world.platform.database.transaction('hold', async (tx) => {
        await tx.query('select from consent_grant where id = $1 for update', [grant]);
        const answer = ask();
        await untilBlocked(world.platform.database);
        await change(tx);
        return { answer };
      })).answer;
    }

    const ends: Readonly<Record<string, readonly [code: string, change: (tx: Tx, grant: string) => Promise<unknown>]>> = {
      revoked: ['CONSENT_REVOKED', (tx, grant) => changeGrant(tx, { grant: grant as GrantId, actor: { subject: subject as SubjectId }, action: 'revoke' }, systemClock)],
      paused: ['CONSENT_PAUSED', (tx, grant) => changeGrant(tx, { grant: grant as GrantId, actor: { subject: subject as SubjectId }, action: 'pause' }, systemClock)],
      'used up': ['CONSENT_EXHAUSTED', (tx, grant) => tx.query("update consent_grant set state = 'exhausted', uses_left = 0, uses_total = uses_max where id = $1", [grant])],
    };
    for (const [name, [code, change]] of Object.entries(ends)) {
      it(`is not used once it is ${name}: nothing leaves, and the log says refused (${code})`, async () => {
        const { id, ask } = await granted({ uses_max: 1 });
        const before = (await world.entries()).length;
        let uses = -1;
        const answer = await interleaved(id, ask, async (tx) => {
          await change(tx, id);
          uses = (await tx.query<{ uses: number }>('select uses_total as uses from consent_grant where id = $1', [id])).rows[0]?.uses ?? -1;
        });
        assert.equal(answer.code, code, answer.text);
        assert.ok(!('data' in answer.json) && !('sealed' in answer.json));
        assert.deepEqual((await world.entries()).slice(before).map(({ kind, code: logged }) => [kind, logged]), [['query.refused', code]]);
        assert.equal(await usesOf(id), uses);
      });
    }

    it('refuses only its own query: one beside it in the same batch is answered', async () => {
      const revoked = await granted();
      const beside = await granted();
      let besideAnswer: Promise<WireAnswer> | undefined;
      const answer = await interleaved(revoked.id, () => {
        const first = revoked.ask();
        besideAnswer = delay(20).then(() => beside.ask());
        return first;
      }, (tx) => changeGrant(tx, { grant: revoked.id as GrantId, actor: { subject: subject as SubjectId }, action: 'revoke' }, systemClock));
      assert.equal(answer.code, 'CONSENT_REVOKED');
      assert.equal((await besideAnswer)?.status, 200);
    });

    it('is not answered to a bank that is suspended before the answer leaves (INSTITUTION_NOT_ACTIVE)', async () => {
      const { id, ask } = await granted();
      const { database } = world.platform;
      const asked = await database.transaction('suspend', async (tx) => {
        await suspend(tx, { party: 'bank-a' as PartyId, by: 'officer-compliance' as PartyId, reason: 'terms_violated' }, systemClock);
        const answer = ask();
        await untilBlocked(world.platform.database);
        return { answer };
      });
      const answer = await asked.answer;
      assert.equal(answer.code, 'INSTITUTION_NOT_ACTIVE', answer.text);
      assert.deepEqual((await world.entries()).slice(-1).map(({ kind, code }) => [kind, code]), [['query.refused', 'INSTITUTION_NOT_ACTIVE']]);
      assert.equal(await usesOf(id), 0);
      await world.platform.compliance.reinstate('bank-a');
    });

    it('leaves for no suspended bank: the log has no answer after the suspension', async () => {
      const { ask } = await granted();
      for (let round = 0; round < 3; round += 1) {
        const from = (await world.entries()).length;
        const asking = Array.from({ length: 15 }, (_, at) => delay(at).then(() => ask()));
        await delay(4 * round);
        await world.platform.compliance.suspend('bank-a', 'terms_violated');
        const answers = await Promise.all(asking);
        const entries = (await world.entries()).slice(from);
        const at = entries.findIndex(({ kind }) => kind === 'institution.suspended');
        assert.ok(at >= 0 && entries.slice(at).every(({ kind }) => kind !== 'query.released'));
        assert.equal(entries.filter(({ kind }) => kind === 'query.released').length, answers.filter(({ status }) => status === 200).length);
        await world.platform.compliance.reinstate('bank-a');
      }
    });
  });

  describe('a grant\'s end', () => {
    it('counts from the moment the enterprise is told so: paused, resumed, revoked', async () => {
      const { id, ask } = await granted();
      assert.equal((await ask()).status, 200);
      await enterprise.pause(id);
      await refusesLogged(world, 'CONSENT_PAUSED', ask);
      await enterprise.resume(id);
      assert.equal((await ask()).status, 200);
      await enterprise.revoke(id);
      await refusesLogged(world, 'CONSENT_REVOKED', ask);
      await refusesUnchanged(world, 'CONSENT_STATE_CONFLICT', () => wire.json('POST', `/v1/grants/${id}/resume`, {}));
    });

    it('comes after its last use, however many ask at once', async () => {
      for (const [changes, allowed] of [[{ kind: 'periodic', uses_max: 3 }, 3], [{ kind: 'periodic', uses_max: 100, frequency: { max: 2, per: 'day' } }, 2]] as const) {
        const { id, ask } = await granted(changes);
        const answers = await Promise.all(Array.from({ length: 12 }, () => ask()));
        assert.equal(answers.filter(({ status }) => status === 200).length, allowed);
        assert.deepEqual([...new Set(answers.filter(({ status }) => status !== 200).map(({ code }) => code))], [allowed === 3 ? 'CONSENT_EXHAUSTED' : 'CONSENT_FREQUENCY_EXCEEDED']);
        assert.equal(await usesOf(id), allowed);
      }
    });
  });

  describe('fields', () => {
    it('that are masked or withheld choose no rows (QUERY_FILTER_NOT_PERMITTED)', async () => {
      const { ask } = await granted();
      const read = ['tax.period', 'tax.declared_revenue_cents'];
      for (const rows of [
        { filter: [{ field: 'tax.declared_revenue_cents', op: 'gte', value: 1 }] },
        { sort: { field: 'tax.declared_revenue_cents', direction: 'asc' } },
        { filter: [{ field: 'tax.vat_paid_cents', op: 'gte', value: 1 }] },
        { filter: [{ field: 'tax.no_such_field', op: 'eq', value: 1 }] },
      ]) {
        await refusesLogged(world, 'QUERY_FILTER_NOT_PERMITTED', () => ask({ read, rows: { tax: rows } }));
      }
      assert.equal((await ask({ read, rows: { tax: { sort: { field: 'tax.period', direction: 'asc' }, limit: 2 } } })).status, 200);
      await refusesLogged(world, 'QUERY_INVALID', () => ask({ read: ['registry.name'], rows: { tax: { filter: [{ field: 'registry.name', op: 'eq', value: 'x' }] } } }));
    });

    it('that the grant does not cover, that no rule opens and that do not exist are withheld, and nothing is spent on them alone (QUERY_NOTHING_PERMITTED)', async () => {
      const { ask } = await granted();
      const answer = await refusesLogged(world, 'QUERY_NOTHING_PERMITTED', () => ask({ read: ['owner.identity_number', 'owner.email', 'owner.no_such_field', 'no_such.field', 'utility.electricity_kwh'] }));
      const reasons = new Map((answer.json['withheld'] as { field: string; reason: string }[]).map(({ field, reason }) => [field, reason]));
      assert.equal(reasons.get('owner.email'), reasons.get('owner.no_such_field'), 'a field nobody may see answers as one that is not there');
      assert.equal(reasons.get('no_such.field'), reasons.get('owner.no_such_field'));
    });

    it('are verified as often as policy allows, however many ask at once and under however many grants (QUERY_ATTEMPTS_EXHAUSTED)', async () => {
      const first = await granted();
      const answers = await Promise.all(Array.from({ length: 8 }, (_, at) => first.ask({ read: undefined, verify: [{ ...claim, claimed: at }] })));
      assert.deepEqual(answers.map(({ code, status }) => code ?? status).sort(), [200, 200, 200, ...Array.from({ length: 5 }, () => 'QUERY_ATTEMPTS_EXHAUSTED')]);
      assert.equal(await usesOf(first.id), 3);
      const second = await granted();
      await refusesLogged(world, 'QUERY_ATTEMPTS_EXHAUSTED', () => second.ask({ read: undefined, verify: [claim] }));
      assert.equal((await second.ask()).status, 200, 'reading goes on');
      await refusesLogged(world, 'QUERY_INVALID', () => second.ask({ read: undefined, verify: [claim, claim] }));
    });

    it('are not sealed for a bank that has no key to open them with, and nothing is spent (DISCLOSURE_KEY_MISSING)', async () => {
      const { encryption } = await world.platform.credentials('bank-b');
      assert.equal((await world.otherBank.send({ method: 'DELETE', path: `/v1/keys/${encryption?.publicJwk.kid}` })).status, 200);
      await enterprise.grant('bank-b', { subject, ...terms });
      await refusesLogged(world, 'DISCLOSURE_KEY_MISSING', () => world.otherBank.query(query));
    });
  });

  describe('a signed grant', () => {
    const good = (changes: object = {}) => ({ terms: { type: 'veilgate_consent', subject, ...terms, ...changes }, institution: 'bank-a' });
    const hand = async (body: string, by: Wire = wire) => by.send({ path: '/v1/grants', contentType: 'application/jwt', body });
    const sign = (own: Readonly<Record<string, unknown>>, by: Wire = wire) => by.signed('grant+jwt', own);

    const excesses: Readonly<Record<string, object>> = {
      'longer validity': { valid_days: 91 },
      'more uses': { uses_max: 201 },
      'more often': { frequency: { max: 21, per: 'day' } },
      'longer keeping': { data_life_days: 181 },
      'older data': { data_from: '2001-01-01' },
      'a field beyond the minimum': { fields: [...terms.fields, { field: 'owner.home_address', ceiling: 'desensitised' }] },
      'a field that does not exist': { fields: [...terms.fields, { field: 'owner.no_such_field', ceiling: 'desensitised' }] },
      'a field no rule opens': { fields: [{ field: 'credit.repayment_account', ceiling: 'original' }] },
    };
    for (const [name, changes] of Object.entries(excesses)) {
      it(`is refused with more than its purpose allows: ${name} (CONSENT_EXCEEDS_CAP)`, async () => {
        await refusesUnchanged(world, 'CONSENT_EXCEEDS_CAP', async () => hand(await sign(good(changes))));
      });
    }

    it('grants access to the signer\'s own data only', async () => {
      await refusesUnchanged(world, 'CONSENT_INVALID', async () => hand(await sign(good({ subject: secondSubject }))));
      await refusesUnchanged(world, 'CONSENT_INVALID', async () => hand(await sign(good({ subject: thirdSubject }))));
      const bank = await world.wire('bank-a', 'query grants');
      const asBank = await refusesUnchanged(world, 'TOKEN_SCOPE_INSUFFICIENT', async () => hand(await sign(good(), bank), bank));
      assert.equal(asBank.status, 403);
      await refusesUnchanged(world, 'TOKEN_KEY_UNKNOWN', async () => hand(await sign(good(), world.bank)));
    });

    it('is refused for a purpose, an institution or terms that are none', async () => {
      for (const [code, own] of [
        ['POLICY_PURPOSE_UNKNOWN', good({ purpose: 'curiosity' })],
        ['INSTITUTION_NOT_FOUND', { ...good(), institution: 'bank-z' }],
        ['INSTITUTION_NOT_FOUND', { ...good(), institution: 'officer-auditor' }],
        ['CONSENT_INVALID', good({ fields: [] })],
        ['CONSENT_INVALID', good({ kind: 'for_ever' })],
        ['CONSENT_INVALID', good({ valid_days: -1 })],
        ['CONSENT_INVALID', good({ data_from: '2026-02-31' })],
        ['CONSENT_INVALID', good({ more: 1 })],
        ['CONSENT_INVALID', { ...good(), notice_digest: 'x' }],
      ] as const) await refusesUnchanged(world, code, async () => hand(await sign(own)));
    });

    it('is taken in any number at once', async () => {
      const bodies = await Promise.all(Array.from({ length: 40 }, () => sign(good())));
      const startMs = performance.now();
      const answers = await Promise.all(bodies.map((body) => hand(body)));
      assert.deepEqual([...new Set(answers.map(({ code, status }) => code ?? status))], [201]);
      assert.ok(performance.now() - startMs < 4000, 'they waited for each other');
    });

    it('grants once, also after it was revoked (TOKEN_REPLAYED)', async () => {
      const body = await sign(good());
      const created = await hand(body);
      assert.equal(created.status, 201, created.text);
      await refusesUnchanged(world, 'TOKEN_REPLAYED', () => hand(body));
      await enterprise.revoke(created.json['id'] as string);
      await refusesUnchanged(world, 'TOKEN_REPLAYED', () => hand(body));
    });
  });

  describe('consent in the browser', () => {
    it('can be narrowed and never widened, whatever the form says', async () => {
      const browser = await world.platform.representative(thirdSubject, 'zhao.liu');
      const bank = bankClient(await world.platform.connect('bank-a', 'query'));
      const asked: ConsentRequest = { subject: thirdSubject, ...terms, uses_max: 10, data_from: `${new Date().getFullYear() - 1}-01-01` };
      const pending = await bank.requestConsent(asked, redirectUri);
      const page = await browser.open(pending.url);
      const grants = async () => (await bank.grants()).grants.filter((grant) => grant['subject'] === thirdSubject);
      for (const wider of [
        { field: [...asked.fields.map(({ field }) => field), 'owner.identity_number'] },
        { 'ceiling.owner.name': 'original' },
        { valid_days: '31' }, { uses_max: '11' }, { uses_max: '-1' }, { valid_days: 'NaN' }, { field: [] as string[] },
      ]) {
        await browser.submit(page, { agree: 'yes', decision: 'grant', ...wider });
        assert.deepEqual(await grants(), [], JSON.stringify(wider));
      }
      const back = await browser.submit(page, { agree: 'yes', decision: 'grant', field: ['registry.name'], 'ceiling.registry.name': 'desensitised', valid_days: '3', uses_max: '2' });
      const consent = await pending.finish(back.url.href);
      const [grant] = await grants();
      assert.equal(grant?.['id'], consent.grant);
      assert.deepEqual([grant?.['fields'], grant?.['uses_max']], [[{ field: 'registry.name', ceiling: 'desensitised' }], 2]);
      const answer = await bank.query({ subject: thirdSubject, purpose: terms.purpose, read: ['registry.name', 'tax.period'] }, consent.accessToken);
      assert.equal(answer.data['registry']?.[0]?.['name']?.kind, 'masked');
      assert.deepEqual(answer.withheld.map(({ field }) => field), ['tax.period']);
    });

    it('is not given by another enterprise\'s representative, and the bank is not told why', async () => {
      const other = await world.platform.representative(silentSubject, 'qian.qi');
      const bank = bankClient(await world.platform.connect('bank-a', 'query'));
      const pending = await bank.requestConsent({ subject: thirdSubject, ...terms, data_from: `${new Date().getFullYear() - 1}-01-01` }, redirectUri);
      const before = await world.digest();
      const back = await other.submit(await other.open(pending.url), { agree: 'yes', decision: 'grant' });
      await assert.rejects(pending.finish(back.url.href));
      assert.equal(back.url.searchParams.get('error'), 'access_denied');
      assert.equal(await world.digest(), before);
    });
  });
});
