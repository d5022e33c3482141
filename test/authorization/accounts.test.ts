import { strict as assert } from 'node:assert';
import { removeExpiredAuthorizationState } from '../../src/authorization/cleanup.ts';
import { activateAccount, inviteRepresentative } from '../../src/authorization/invitations.ts';
import { hashPassword, vetPassword, verifyPassword } from '../../src/authorization/passwords.ts';
import { startSession } from '../../src/authorization/sessions.ts';
import * as signing from '../../src/authorization/sign-in.ts';
import { addressKey, countTry, uncountTry } from '../../src/authorization/throttle.ts';
import { fixedClock } from '../../src/clock.ts';
import { isVeilgateError, type ErrorCode } from '../../src/errors.ts';
import type { Database } from '../../src/store/database.ts';
import type { SubjectId } from '../../src/vocabulary.ts';
import { freshDatabase } from '../support/database.ts';
import { Browser } from '../../scripts/demo/form-browser.ts';
import { partyOf, password, representative, startPlatform, subjectNumber } from './support/platform.ts';

const code = (expected: ErrorCode) => (error: unknown) => {
  assert.ok(isVeilgateError(error, expected), String(error));
  return true;
};

describe('authorization/accounts', () => {
  let database: Database;
  let clock: ReturnType<typeof fixedClock>;
  before(async () => { database = await freshDatabase(); });
  beforeEach(() => { clock = fixedClock('2026-03-01T00:00:00Z'); });

  const register = async (subject: SubjectId, personName = 'Li Na') =>
    (await database.transaction('register', (tx) => inviteRepresentative(tx, clock, { party: partyOf(subject), subject, personName }))).code;
  type Form = { readonly username: string; readonly password: string; readonly address: string };
  const signIn = (form: Form) => signing.signIn({ database, clock, oneTimePasswords: [] }, { ...form, oneTimePassword: '' });
  let address = 0;
  const from = () => `192.0.2.${(address += 1)}`;
  const activate = (holder: string, given: string, username: string, changes: { password?: string; address?: string } = {}) =>
    activateAccount(database, clock, { holder, code: given, username, password, address: from(), ...changes });

  it('makes an account with the registrar\'s code, however it is typed, and only once', async () => {
    const given = await register(subjectNumber(1));
    assert.match(given, /^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/);
    const account = await activate(` ${subjectNumber(1).toLowerCase()} `, ` ${given.replaceAll('-', ' ').toLowerCase()}`, 'User.One');
    assert.equal(account.subject, subjectNumber(1));
    assert.equal(account.personName, 'Li Na');
    await assert.rejects(activate(subjectNumber(1), given, 'user.one'), code('ACCOUNT_ACTIVATION_INVALID'));
    assert.equal((await signIn({ username: 'USER.one', password, address: from() })).accountId, account.accountId);
  });

  it('answers an unknown subject, a wrong code and a late code alike, and wrong tries of others use nothing up', async () => {
    await assert.rejects(activate(subjectNumber(90), 'AAAA-AAAA-AAAA-AAAA', 'user.x'), code('ACCOUNT_ACTIVATION_INVALID'));
    const given = await register(subjectNumber(2));
    for (let n = 0; n < 20; n += 1) await assert.rejects(activate(subjectNumber(2), 'AAAA-AAAA-AAAA-AAAA', 'user.two'), code('ACCOUNT_ACTIVATION_INVALID'));
    await activate(subjectNumber(2), given, 'user.two');
    const second = await register(subjectNumber(2));
    clock.advanceMs(7 * 86_400_000);
    await assert.rejects(activate(subjectNumber(2), second, 'user.two'), code('ACCOUNT_ACTIVATION_INVALID'));
    const other = await register(subjectNumber(3));
    await assert.rejects(activate(subjectNumber(2), other, 'user.two'), code('ACCOUNT_ACTIVATION_INVALID'), 'another subject\'s code');
  });

  it('refuses what no text can hold as any other input', async () => {
    await assert.rejects(signIn({ username: 'a\0b', password, address: from() }), code('REQUEST_INVALID'));
    await assert.rejects(activate('bank\0a', 'AAAA-AAAA-AAAA-AAAA', 'user.nul'), code('REQUEST_INVALID'));
  });

  it('lets racing tries use a code once', async () => {
    const given = await register(subjectNumber(4));
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, (_, n) => activate(subjectNumber(4), given, `racer.${n}`)));
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  });

  it('keeps the code usable when the user name is taken', async () => {
    await activate(subjectNumber(5), await register(subjectNumber(5)), 'taken.name');
    const given = await register(subjectNumber(6));
    await assert.rejects(activate(subjectNumber(6), given, 'Taken.Name'), code('ACCOUNT_NAME_TAKEN'));
    await activate(subjectNumber(6), given, 'free.name');
  });

  it('replaces a lost password with a new code, ends sessions and keeps the account', async () => {
    const account = await activate(subjectNumber(7), await register(subjectNumber(7)), 'lost.one');
    await startSession(database, clock, account.accountId);
    const again = await register(subjectNumber(7));
    await signIn({ username: 'lost.one', password, address: from() });
    const renewed = await activate(subjectNumber(7), again, 'found.one', { password: 'another long secret' });
    assert.equal(renewed.accountId, account.accountId);
    await assert.rejects(signIn({ username: 'lost.one', password, address: from() }), code('ACCOUNT_SIGN_IN_FAILED'));
    await signIn({ username: 'found.one', password: 'another long secret', address: from() });
    const { rows } = await database.query('select 1 from account_session where account_id = $1', [account.accountId]);
    assert.equal(rows.length, 0);
  });

  it('refuses weak passwords, odd user names, odd names and codes for what is no credit code', async () => {
    const given = await register(subjectNumber(8));
    for (const weak of ['short', 'aaaaaaaaaaaa', 'my-user.eight-pw', `x${subjectNumber(8)}y`, 'p'.repeat(100) + 'abcdefgh'.repeat(20)]) {
      await assert.rejects(activate(subjectNumber(8), given, 'user.eight', { password: weak }), code('REQUEST_INVALID'), weak);
    }
    for (const odd of ['ab', 'a b c', '<b>', '-abc', 'x'.repeat(65)]) await assert.rejects(activate(subjectNumber(8), given, odd), code('REQUEST_INVALID'), odd);
    await assert.rejects(register('91310115MA1K000010' as SubjectId), code('REQUEST_INVALID'));
    await assert.rejects(register(subjectNumber(8), 'x'.repeat(101)), code('REQUEST_INVALID'));
  });

  it('keeps neither codes nor passwords', async () => {
    const given = await register(subjectNumber(9));
    await activate(subjectNumber(10), await register(subjectNumber(10)), 'stored.user');
    const { rows } = await database.query('select row_to_json(a)::text as text from account a union all select row_to_json(b)::text from account_invitation b');
    const all = rows.map((row) => String(row['text'])).join('\n');
    assert.ok(!all.includes(password) && !all.includes(given) && !all.includes(given.replaceAll('-', '')));
    assert.match(all, /\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });

  it('slows down a name after five failures and doubles the pause, whether or not the name exists', async () => {
    await activate(subjectNumber(11), await register(subjectNumber(11)), 'slow.user');
    for (const username of ['slow.user', 'nobody.at.all']) {
      const attempt = (secret: string) => signIn({ username, password: secret, address: from() });
      for (let n = 0; n < 5; n += 1) await assert.rejects(attempt('wrong wrong wrong'), code('ACCOUNT_SIGN_IN_FAILED'));
      await assert.rejects(attempt(password), (error) => code('ACCOUNT_LOCKED')(error) && isVeilgateError(error) && error.detail?.['retryAfterS'] === 30);
      clock.advanceMs(30_000);
      await assert.rejects(attempt('wrong wrong wrong'), code('ACCOUNT_SIGN_IN_FAILED'));
      clock.advanceMs(30_000);
      await assert.rejects(attempt(password), code('ACCOUNT_LOCKED'), 'the second pause is longer');
      clock.advanceMs(30_000);
    }
    await signIn({ username: 'slow.user', password, address: from() });
    await assert.rejects(signIn({ username: 'slow.user', password: 'wrong wrong wrong', address: from() }), code('ACCOUNT_SIGN_IN_FAILED'), 'success forgets failures');
  });

  it('lets no burst of guesses through together', async () => {
    await activate(subjectNumber(12), await register(subjectNumber(12)), 'burst.user');
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => signIn({ username: 'burst.user', password: 'wrong wrong wrong', address: from() })));
    const failed = outcomes.filter((one) => one.status === 'rejected' && isVeilgateError(one.reason, 'ACCOUNT_SIGN_IN_FAILED'));
    assert.equal(failed.length, 5);
  });

  it('slows down an address that tries many names, and one that signs in to its own account between guesses', async () => {
    await activate(subjectNumber(13), await register(subjectNumber(13)), 'own.user');
    const bad = '203.0.113.9';
    let locked = 0;
    for (let n = 0; n < 24; n += 1) {
      if (n % 8 === 7) await signIn({ username: 'own.user', password, address: bad }).catch(() => undefined);
      await signIn({ username: `victim.${n}`, password: 'wrong wrong wrong', address: bad }).catch((error: unknown) => {
        if (isVeilgateError(error, 'ACCOUNT_LOCKED')) locked += 1;
      });
    }
    assert.ok(locked >= 3, `${locked}`);
    await signIn({ username: 'own.user', password, address: from() });
  });

  it('does the same work for an unknown name as for a wrong password', async () => {
    await activate(subjectNumber(14), await register(subjectNumber(14)), 'timing.user');
    /** CPU of all threads in microseconds: time would measure how busy the machine is. */
    const workOf = async (username: string) => {
      clock.advanceMs(3_600_000);
      const before = process.cpuUsage();
      await signIn({ username, password: 'wrong wrong wrong', address: from() }).catch(() => undefined);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    let [known, unknown] = [Infinity, Infinity];
    for (let n = 0; n < 7; n += 1) {
      known = Math.min(known, await workOf('timing.user'));
      unknown = Math.min(unknown, await workOf(`ghost.${n}`));
    }
    // without the dummy hash the unknown name takes a tenth
    assert.ok(unknown > known / 2 && known > unknown / 2, `${known} us against ${unknown} us`);
  });

  it('counts an IPv6 network as one address and a mapped IPv4 address as itself', () => {
    assert.equal(addressKey('2001:db8:0:1::1'), addressKey('2001:0DB8::1:ffff:0:0:2'));
    assert.notEqual(addressKey('2001:db8:0:1::1'), addressKey('2001:db8:0:2::1'));
    assert.equal(addressKey('::ffff:192.0.2.1'), addressKey('192.0.2.1'));
  });

  it('forgets failures after a day and removes what nobody can use', async () => {
    const own = database;
    await removeExpiredAuthorizationState(own, fixedClock('2027-01-01T00:00:00Z'));
    const backOff = { freeTries: 1, pauseMs: 1000, pauseMaxMs: 1000 };
    assert.equal(await countTry(own, clock, 'k', backOff), undefined);
    assert.equal(await countTry(own, clock, 'k', backOff), undefined);
    assert.equal(typeof (await countTry(own, clock, 'k', backOff)), 'number');
    await uncountTry(own, 'k', false);
    assert.equal(await countTry(own, clock, 'k', backOff), undefined);
    clock.advanceMs(3 * 86_400_000);
    assert.equal(await removeExpiredAuthorizationState(own, clock), 1);
    assert.equal(await removeExpiredAuthorizationState(own, clock), 0);
  });
});

describe('authorization/passwords', () => {
  it('verifies what it hashed, in any Unicode spelling, and nothing else', async () => {
    const hash = await hashPassword('pässwörd-pässwörd');
    assert.deepEqual(await verifyPassword('pa\u0308sswo\u0308rd-pa\u0308sswo\u0308rd', hash), { matches: true, outdated: false });
    assert.equal((await verifyPassword('passwörd-pässwörd', hash)).matches, false);
    assert.equal((await verifyPassword('', undefined)).matches, false);
    assert.notEqual(await hashPassword('pässwörd-pässwörd'), hash);
    vetPassword('twelve chars', ['name']);
  });

  it('refuses rather than queues without end when many sign in at once', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 32 }, () => verifyPassword('x', undefined)));
    const refused = outcomes.filter((one) => one.status === 'rejected' && isVeilgateError(one.reason, 'REQUEST_RATE_LIMITED'));
    assert.equal(refused.length, 6);
  });
});

describe('authorization/lock-out on the pages', () => {
  it('says how long to wait, in a status and a header that programs understand', async () => {
    const platform = await startPlatform();
    try {
      await representative(platform, subjectNumber(1), 'page.user');
      const browser = new Browser(platform.issuer);
      const page = await browser.open('/sign-in');
      const wrong = await browser.submit(page, { username: 'page.user', password: 'wrong wrong wrong' });
      const unknown = await browser.submit(page, { username: 'page.nobody', password: 'wrong wrong wrong' });
      assert.equal(wrong.status, 403);
      assert.equal(wrong.html.replaceAll('page.user', '_'), unknown.html.replaceAll('page.nobody', '_'));
      for (let n = 0; n < 4; n += 1) await browser.submit(page, { username: 'page.user', password: 'wrong wrong wrong' });
      const locked = await browser.submit(page, { username: 'page.user', password });
      assert.equal(locked.status, 429);
      assert.equal(locked.headers.get('retry-after'), '30');
    } finally {
      await platform.close();
    }
  });
});
