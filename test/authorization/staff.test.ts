import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { listAccounts, removeAccount } from '../../src/authorization/accounts.ts';
import { browserSessions, type BrowserSession } from '../../src/authorization/browser-session.ts';
import { isVeilgateError } from '../../src/errors.ts';
import type { PartyId } from '../../src/vocabulary.ts';
import { Browser } from '../../scripts/demo/form-browser.ts';
import { oneTimePassword } from '../../scripts/demo/one-time-password.ts';
import { formAt } from './support/passkey-pages.ts';
import { activationCode, consentDetail, openRequest, password, representative, startPlatform, subjectNumber, type Platform } from './support/platform.ts';
import { begin, invitation, signInWithApp, staff } from './support/staff.ts';

const cookieKeys = ['k'.repeat(43)];

describe('authorization/people of institutions and officers', () => {
  let platform: Platform;
  let n = 0;
  const unique = () => ({ username: `person.${n += 1}`, party: `office-${n}` });
  const sessions = () => browserSessions({
    issuer: platform.issuer, database: platform.database, clock: platform.clock, cookieKeys, secureCookies: false,
    isAdmitted: async (party) => !platform.suspended.has(party),
  });
  const sessionOf = (browser: Browser): Promise<BrowserSession | undefined> => sessions().read(`a=b; veilgate_session=${browser.cookie('veilgate_session') ?? ''}`);
  before(async () => { platform = await startPlatform({ cookieKeys }); });
  after(() => platform.close());
  beforeEach(() => platform.database.query('delete from sign_in_throttle'));

  it('are twenty at most for an institution, invitations counted; each is one person\'s', async () => {
    const of = { party: 'bank-many', kind: 'institution' } as const;
    const codes = [];
    for (let at = 0; at < 20; at += 1) codes.push(await invitation(platform, of));
    assert.equal(new Set(codes.map(({ accountId }) => accountId)).size, 20);
    await assert.rejects(invitation(platform, of), (error) => isVeilgateError(error, 'ACCOUNT_LIMIT_REACHED'));
    const [first, second] = codes;
    assert.ok(first && second);
    const removed = (accountId: string, party: string) => platform.database.transaction('remove', (tx) => removeAccount(tx, party as PartyId, accountId));
    assert.equal(await removed(first.accountId, 'bank-other'), false, 'another party\'s');
    assert.equal(await removed(first.accountId, of.party), true);
    await invitation(platform, of);
    assert.equal((await begin(platform, { ...of, username: 'gone.person', code: first.code })).choice.status, 403);
    platform.clock.advanceMs(7 * 86_400_000);
    await invitation(platform, of);
    assert.equal((await listAccounts(platform.database, of.party as PartyId, platform.clock.nowMs())).length, 1, 'codes that ended do not count');
  });

  it('invited at once take no tries from each other; when the last try is used up none is left', async () => {
    const of = { party: 'bank-team', kind: 'institution' } as const;
    const team = [];
    for (let at = 0; at < 13; at += 1) team.push(await invitation(platform, of));
    for (const [at, { code }] of team.slice(0, 12).entries()) {
      assert.equal((await begin(platform, { ...of, username: `team.${at}`, code })).choice.url.pathname, '/second-factor', `${at}`);
    }
    for (let tries = 0; tries < 10; tries += 1) await begin(platform, { ...of, username: 'guess.er', code: 'AAAA-AAAA-AAAA-AAAA' });
    assert.equal((await begin(platform, { ...of, username: 'team.12', code: team[12]?.code ?? '' })).choice.url.pathname, '/second-factor', 'anybody may try: a few take nothing away');
    await platform.database.query("update account_invitation set attempts_left = 1 where party = 'bank-team'");
    await begin(platform, { ...of, username: 'guess.er', code: 'AAAA-AAAA-AAAA-AAAA' });
    assert.equal((await begin(platform, { ...of, username: 'team.12', code: team[12]?.code ?? '' })).choice.status, 403);
  });

  it('land in the console, see none of the pages that are an enterprise\'s, and answer no request for consent', async () => {
    const { browser, landed } = await staff(platform, unique());
    assert.equal(landed.url.pathname, '/console/');
    for (const page of ['/', '/consents', '/consents/AAAAAAAAAAAAAAAAAAAAAA/receipt']) assert.equal((await browser.open(page)).url.pathname, '/console/', page);
    const list = await browser.open('/password');
    assert.match(list.html, new RegExp(`Signed in as person.${n}.*<a href="/console/">`, 's'));
    const csrf = list.forms[0]?.fields.find(([name]) => name === 'csrf')?.[1] ?? '';
    assert.equal((await browser.post('/consents/AAAAAAAAAAAAAAAAAAAAAA/revoke', new URLSearchParams({ csrf }))).url.pathname, '/console/');

    await representative(platform, platform.subject, 'the.enterprise');
    const request = await openRequest(platform, browser, consentDetail(platform.subject));
    assert.match(request.html, /You cannot answer this request/);
    await browser.submit(request, { decision: 'grant', agree: 'yes' });
    assert.deepEqual(platform.orders, []);
  });

  it('go on to the page they asked for, and to no other site', async () => {
    const who = await staff(platform, { ...unique(), to: '/console/policies/3?tab=replay' });
    assert.equal(who.landed.url.pathname + who.landed.url.search, '/console/policies/3?tab=replay');
    for (const to of ['https://evil.example/', '//evil.example/console/', '/console/../../evil', '/consents@evil.example']) {
      const visitor = new Browser(platform.issuer);
      platform.clock.advanceMs(30_000);
      const page = await visitor.open(`/sign-in?to=${encodeURIComponent(to)}`);
      const landed = await visitor.submit(page, { username: who.username, password, one_time_password: oneTimePassword(who.secret, platform.clock.nowMs()) });
      assert.equal(landed.url.href, `${platform.issuer}/console/`, to);
    }
  });

  it('of a party that is suspended are refused at the very next request, on pages, in the console and at sign-in', async () => {
    const who = await staff(platform, unique());
    const party = who.party as PartyId;
    assert.equal((await sessionOf(who.browser))?.party, party);
    platform.suspended.add(party);
    assert.equal(await sessionOf(who.browser), undefined);
    assert.equal((await who.browser.open('/password')).url.pathname, '/sign-in');
    const refused = await signInWithApp(platform, who);
    assert.equal(refused.status, 403);
    assert.match(refused.html, /not admitted right now/);
    assert.equal(platform.log.at(-1)?.facts['code'], 'ACCOUNT_NOT_ADMITTED');
    const wrong = await signInWithApp(platform, who, { typed: '000000' });
    assert.doesNotMatch(wrong.html, /not admitted/, 'only who is the person learns it');
    platform.suspended.delete(party);
    assert.equal((await sessionOf(who.browser))?.party, party);
  });

  it('count as confirmed for ten minutes after they signed in or showed a one-time password, each of which does it once', async () => {
    const who = await staff(platform, unique());
    const { confirm } = sessions();
    const now = async () => await sessionOf(who.browser) ?? assert.fail();
    const passwordOf = (steps: number) => oneTimePassword(who.secret, platform.clock.nowMs(), steps);
    assert.equal((await now()).confirmed, true);
    platform.clock.advanceMs(10 * 60_000);
    assert.equal((await now()).confirmed, false);
    for (const typed of ['', '000000', passwordOf(5)]) await assert.rejects(confirm(await now(), typed), (error) => isVeilgateError(error, 'ACCOUNT_SIGN_IN_FAILED'));
    assert.equal((await now()).confirmed, false);
    const right = passwordOf(0);
    await confirm(await now(), right);
    assert.equal((await now()).confirmed, true);
    await assert.rejects(confirm(await now(), right), (error) => isVeilgateError(error, 'ACCOUNT_SIGN_IN_FAILED'), 'used');
    for (let tries = 0; tries < 4; tries += 1) await confirm(await now(), '000000').catch(() => {});
    await assert.rejects(confirm(await now(), passwordOf(1)), (error) => isVeilgateError(error, 'ACCOUNT_LOCKED'), 'guesses are slowed down, the right one too');
  });

  it('are told apart by sessions that the console reads: who, for whom, until when', async () => {
    const who = await staff(platform, unique());
    const session = await sessionOf(who.browser);
    assert.ok(session);
    const nowMs = platform.clock.nowMs();
    const { sessionDigest, csrf, signedInAtMs, idleEndsAtMs, absoluteEndsAtMs, ...rest } = session;
    assert.deepEqual(rest, { accountId: who.accountId, party: who.party, kind: 'officer', name: 'Li Na', username: who.username, confirmed: true });
    assert.match(sessionDigest, /^[0-9a-f]{64}$/);
    assert.ok(nowMs - signedInAtMs < 60_000 && idleEndsAtMs - nowMs <= 15 * 60_000 && absoluteEndsAtMs === signedInAtMs + 8 * 3_600_000);
    const enterprise = await representative(platform, subjectNumber(700), 'enter.prise');
    const theirs = await sessionOf(enterprise);
    assert.deepEqual([theirs?.kind, theirs?.subject, theirs?.name], ['enterprise', subjectNumber(700), 'Wang Fang']);
    const { verifyCsrf, end, read } = sessions();
    assert.deepEqual([csrf, theirs?.csrf ?? '', '', `${csrf}A`, csrf.slice(1)].map((given) => verifyCsrf(session, given)), [true, false, false, false, false]);
    const nobodys = [undefined, 'veilgate_session=', `veilgate_session=${'A'.repeat(43)}`, `veilgate_visit=${who.browser.cookie('veilgate_session')}`];
    for (const cookie of nobodys) assert.equal(await read(cookie), undefined, cookie);
    await end(session);
    assert.equal(await sessionOf(who.browser), undefined);
    assert.ok(await sessionOf(enterprise), 'others stay');
  });

  it('have no session before their second factor, and none any more after eight hours or a quarter of an hour without a request', async () => {
    const { browser } = await begin(platform, unique());
    assert.ok(browser.cookie('veilgate_session'));
    assert.equal(await sessionOf(browser), undefined);
    const idle = await staff(platform, unique());
    platform.clock.advanceMs(15 * 60_000);
    assert.equal(await sessionOf(idle.browser), undefined);
    const busy = await staff(platform, unique());
    for (let minutes = 0; minutes < 470; minutes += 10) {
      assert.ok(await sessionOf(busy.browser), `${minutes}`);
      platform.clock.advanceMs(10 * 60_000);
    }
    platform.clock.advanceMs(10 * 60_000);
    assert.equal(await sessionOf(busy.browser), undefined);
  });

  it('change their password with the one they have; every other browser is signed out, this one gets a new session', async () => {
    const who = await staff(platform, unique());
    const other = new Browser(platform.issuer);
    assert.equal((await signInWithApp(platform, who, { browser: other })).url.pathname, '/console/');
    const fresh = 'another long secret';
    const change = async (fields: Readonly<Record<string, string>>) => {
      const page = await who.browser.open('/password');
      return who.browser.submit(page, { password, new_password: fresh, password_again: fresh, ...fields }, formAt(page, '/password'));
    };
    assert.equal((await change({ password: 'wrong wrong wrong' })).status, 403);
    assert.equal((await change({ new_password: 'short', password_again: 'short' })).status, 400);
    assert.equal((await change({ password_again: 'something else' })).status, 400);
    assert.equal((await change({ csrf: 'x' })).status, 403);
    const own = `${who.username}-secret`;
    assert.equal((await change({ new_password: own, password_again: own })).status, 400, 'a user name is guessed first');
    const before = who.browser.cookie('veilgate_session');
    const changed = await change({});
    assert.match(changed.html, /Your password was changed/);
    assert.notEqual(who.browser.cookie('veilgate_session'), before);
    assert.equal((await other.open('/password')).url.pathname, '/sign-in');
    platform.clock.advanceMs(30_000);
    assert.equal((await signInWithApp(platform, who)).status, 403);
    const again = new Browser(platform.issuer);
    const signedIn = await again.submit(await again.open('/sign-in'), { username: who.username, password: fresh, one_time_password: oneTimePassword(who.secret, platform.clock.nowMs()) });
    assert.equal(signedIn.url.pathname, '/console/');
    assert.equal((await new Browser(platform.issuer).open('/password')).url.pathname, '/sign-in');
  });

  it('leave with their sessions when they are removed', async () => {
    const who = await staff(platform, unique());
    assert.ok(await platform.database.transaction('remove', (tx) => removeAccount(tx, who.party as PartyId, who.accountId)));
    assert.equal(await sessionOf(who.browser), undefined);
    assert.equal((await signInWithApp(platform, who)).status, 403);
  });

  it('are given nothing of an enterprise by their code: each kind has its own', async () => {
    const code = await activationCode(platform, subjectNumber(701));
    assert.equal((await begin(platform, { party: 'office-x', username: 'mixed.up', code })).choice.status, 403);
  });
});

describe('authorization/accounts of before', () => {
  it('are moved as they are: enterprises sign in as they did, with sessions, passkeys and open codes', async () => {
    const platform = await startPlatform();
    const sql = (file: string) => readFileSync(path.resolve(import.meta.dirname, '../../src/store/schema', file), 'utf8');
    try {
      await platform.database.transaction('schema of before', async (tx) => {
        await tx.query("create schema before; set local search_path = before; create table party (id text primary key); create table enterprise (id text primary key, subject text not null)");
        await tx.query(sql('050-authorization.sql'));
        await tx.query(sql('051-authorization.sql'));
        await tx.query(`insert into enterprise values ('ent-a', '91310115MA1K000018'), ('ent-b', '91310115MA1K000026');
          insert into enterprise_account values ('AAAAAAAAAAAAAAAAAAAAAA', '91310115MA1K000018', '王芳', 'wang.fang', repeat('h', 80), 5);
          insert into enterprise_session values (sha256('s'), 'AAAAAAAAAAAAAAAAAAAAAA', 6, 7);
          insert into enterprise_passkey values (repeat('p', 22), 'AAAAAAAAAAAAAAAAAAAAAA', repeat('k', 40)::bytea, 3, 8, null);
          insert into enterprise_activation values ('91310115MA1K000018', null, sha256('a'), 9, 10), ('91310115MA1K000026', 'B', sha256('b'), 10, 11)`);
        await tx.query(sql('052-authorization.sql'));
        const all = async (table: string) => {
          const { rows } = await tx.query<{ row: Record<string, unknown> }>(`select to_jsonb(t) - 'code_hash' - 'id_hash' - 'public_key' as row from ${table} t order by t::text`);
          return rows.map(({ row }) => row);
        };
        assert.deepEqual(await all('account'), [{
          account_id: 'AAAAAAAAAAAAAAAAAAAAAA', party: 'ent-a', kind: 'enterprise', subject: '91310115MA1K000018', person_name: '王芳', username: 'wang.fang',
          password_hash: 'h'.repeat(80), created_at_ms: 5, last_used_at_ms: null,
        }]);
        assert.deepEqual(await all('account_session'), [{ account_id: 'AAAAAAAAAAAAAAAAAAAAAA', enrolling: false, created_at_ms: 6, last_seen_at_ms: 7 }]);
        assert.deepEqual(await all('account_passkey'), [{ credential_id: 'p'.repeat(22), account_id: 'AAAAAAAAAAAAAAAAAAAAAA', sign_count: 3, created_at_ms: 8, last_used_at_ms: null }]);
        const [renewed, open] = await all('account_invitation');
        assert.deepEqual([renewed?.['account_id'], renewed?.['party'], renewed?.['attempts_left'], open?.['party'], open?.['person_name']], ['AAAAAAAAAAAAAAAAAAAAAA', 'ent-a', 9, 'ent-b', 'B']);
        assert.match(String(open?.['account_id']), /^[A-Za-z0-9_-]{22}$/);
        await tx.query('drop schema before cascade');
      });
    } finally {
      await platform.close();
    }
  });
});
