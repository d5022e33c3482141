import { strict as assert } from 'node:assert';
import { appendRecords } from '../../src/audit/append.ts';
import { recordHead, type AuditRecord } from '../../src/audit/entry.ts';
import { systemClock } from '../../src/clock.ts';
import { isVeilgateError } from '../../src/errors.ts';
import { closeOverdueObjections } from '../../src/gateway/use-cases/objections.ts';
import { objectionsPerDayMax } from '../../src/objection/registry.ts';
import { loadObjectionSettings } from '../../src/objection/settings.ts';
import { departmentClient } from '../../src/sdk/department.ts';
import { noticesClient, objectionsClient, type ObjectionGiven } from '../../src/sdk/objections.ts';
import type { FieldRef, GrantId, InstitutionId, PartyId, PolicyVersion, PurposeCode, SubjectId } from '../../src/vocabulary.ts';
import { secondSubject, silentSubject, startWorld, subject, type World } from '../flow/support/world.ts';
import { codeOf } from '../support/joint.ts';

type Objections = ReturnType<typeof objectionsClient>;

const field = 'tax.declared_revenue_cents';
const scripted = '<script>alert(1)</script> "\' && ${7*7} 您好\n\t𠮷';
const canary = 'canary-words-of-the-enterprise';

describe('objections at the gateway', () => {
  let world: World;
  let enterprise: Objections;
  let otherEnterprise: Objections;
  let officer: Objections;
  let department: Objections;
  let otherDepartment: Objections;
  let period: string;
  const as = async (party: string, scope: string) => objectionsClient(await world.platform.connect(party, scope));
  const toRecord = (more: Partial<Extract<ObjectionGiven, { readonly about: 'record' }>> = {}): ObjectionGiven => ({ about: 'record', field, fault: 'wrong', text: canary, ...more });
  const query = (of = subject) => world.bank.query({ subject: of, purpose: 'pre_loan_review', read: ['registry.address', field] });
  const subjectRow = async () => {
    const { rows: [row] } = await world.platform.database.query<{ record: Record<string, unknown> }>(
      "select to_jsonb(t) - '_supplied_at' as record from domain.tax t where subject = $1 and period = $2::date", [subject, period]);
    return row?.record ?? {};
  };

  before(async function () {
    this.timeout(60_000);
    world = await startWorld();
    const { database } = world.platform;
    enterprise = await as(await enterpriseParty(), 'grants');
    otherEnterprise = await as(await enterpriseParty(secondSubject), 'grants');
    officer = await as('officer-compliance', 'compliance');
    department = await as('tax_administration', 'records');
    otherDepartment = await as('market_regulation', 'records');
    period = (await database.query<{ period: string }>('select max(period)::text as period from domain.tax where subject = $1', [subject])).rows[0]?.period ?? '';
  });
  after(() => world.platform.close());

  /** Ends whatever is open, so that each test can object to the same field. */
  afterEach(async () => {
    for (const who of [enterprise, otherEnterprise]) for (const { id, state } of (await who.list()).objections) if (state !== 'closed') await who.take(id, 'close');
  });

  it('goes from submission over department and correction to its end; who received the value is told, without it', async () => {
    assert.equal((await query()).status, 200);
    const { id, state, department: of, working_days_left: left, overdue } = await enterprise.submit(toRecord({ row: period, text: scripted }));
    assert.deepEqual([state, of, left, overdue], ['submitted', 'tax_administration', 3, false]);
    assert.equal(await codeOf(department.read(id)), 'OBJECTION_NOT_FOUND', 'a department sees what was accepted');
    assert.equal((await officer.take(id, 'accept')).state, 'accepted');
    assert.deepEqual((await department.read(id)).actions, ['correct', 'reject']);
    assert.equal((await department.read(id)).steps[0]?.text, scripted, 'plain text, to the letter');

    assert.equal(await codeOf(department.take(id, 'correct', 'Done.')), 'OBJECTION_NOT_CORRECTED', 'nothing was loaded since');
    const records = departmentClient(await world.platform.connect('tax_administration', 'records'));
    const corrected = await records.correct('tax', { ...(await subjectRow()), declared_revenue_cents: 4_242 });
    assert.deepEqual(corrected, { dataset: 'tax', subject, outcome: 'changed' });
    assert.equal((await subjectRow())['declared_revenue_cents'], 4_242);
    assert.equal((await department.take(id, 'correct', 'The filing of July counts.')).state, 'corrected');

    const notices = noticesClient(await world.platform.connect('bank-a', 'query'));
    const { notices: [notice] } = await notices.notices({ open: true });
    assert.deepEqual([notice?.subject, notice?.grant, notice?.field, notice?.received, notice?.entries.length, notice?.acknowledged_at], [subject, world.grant, field, 1, 1, null]);
    assert.deepEqual(notice?.dispositions, ['band']);
    assert.equal((await world.bank.get(`/v1/log/entries/${notice?.entries[0]}`)).json['kind'], 'query.released');
    assert.doesNotMatch(JSON.stringify(notice), /4242|script/);
    const acknowledged = await notices.acknowledge(notice?.id ?? '');
    assert.ok(acknowledged.acknowledged_at);
    assert.deepEqual(await notices.acknowledge(notice?.id ?? ''), acknowledged, 'a second time changes nothing');
    assert.deepEqual((await notices.notices({ open: true })).notices, []);

    const view = await enterprise.read(id);
    assert.deepEqual(view.notified, [{ institution: 'bank-a', grant: world.grant, received: 1, dispositions: ['band'], acknowledged_at: acknowledged.acknowledged_at }]);
    assert.equal((await department.read(id)).notified, undefined, 'departments do not learn who the banks\' customers are');
    assert.equal((await enterprise.take(id, 'close')).state, 'closed');
    const steps = (await enterprise.read(id)).steps;
    assert.deepEqual(steps.map(({ action, role, by }) => [action, role, by === 'tax_administration' || by === 'officer-compliance' ? by : 'enterprise']), [
      ['submit', 'enterprise', 'enterprise'], ['accept', 'officer', 'officer-compliance'], ['correct', 'department', 'tax_administration'], ['close', 'enterprise', 'enterprise'],
    ]);
    const logged = (await world.entries()).filter(({ kind }) => /^(objection|notice|record)\./.test(kind));
    assert.deepEqual(logged.map(({ kind }) => kind), [
      'objection.submitted', 'objection.accepted', 'record.corrected', 'objection.corrected', 'notice.issued', 'notice.acknowledged', 'objection.closed',
    ]);
    assert.deepEqual(logged.filter(({ kind }) => kind.startsWith('objection.')).map(({ index }) => index), steps.map(({ entry }) => entry));
  });

  it('tells everybody who ever received the field, however many they are, each once', async function () {
    this.timeout(60_000);
    const { database } = world.platform;
    const record = (n: number): AuditRecord => ({
      ...recordHead('query.released', systemClock.nowMs(), 'bank-b' as PartyId), institution: 'bank-b' as InstitutionId, subject: subject as SubjectId, purpose: 'pre_loan_review' as PurposeCode,
      grant: String(n % 1200).padStart(22, 'g') as GrantId, policy: 'a'.repeat(64) as PolicyVersion, decision: 'b'.repeat(64), rows: [], request: 'c'.repeat(64), answer: 'd'.repeat(64),
      outcomes: [
        { use: 'verify', disposition: 'verify', reason: 'permitted', fields: [n % 1200 < 1100 ? 'tax.invoiced_cents' : 'tax.invoice_count'] as FieldRef[] },
        { use: 'read', disposition: 'withhold', reason: 'no_rule', fields: ['tax.invoiced_cents'] as FieldRef[] },
      ],
    });
    for (const part of [0, 1, 2]) await database.transaction('made-up answers', async (tx) => { await appendRecords(tx, Array.from({ length: 800 }, (_, n) => record(part * 800 + n))); });
    const { id } = await enterprise.submit(toRecord({ field: 'tax.invoiced_cents' }));
    await officer.take(id, 'accept');
    await departmentClient(await world.platform.connect('tax_administration', 'records')).correct('tax', await subjectRow());
    const before = (await world.entries()).length;
    await department.take(id, 'correct', 'Done.');
    const notified = (await enterprise.read(id)).notified ?? [];
    assert.equal(notified.length, 1000, 'as many as are shown');
    assert.deepEqual([...new Set(notified.map(({ received, dispositions }) => `${received} ${dispositions.join()}`))], ['2 verify']);
    assert.equal((await world.entries()).slice(before).filter(({ kind }) => kind === 'notice.issued').length, 1100, 'whoever only had it withheld received nothing');
    const others = noticesClient(await world.platform.connect('bank-b', 'query'));
    const seen = new Set<string>();
    for (let after: string | null | undefined; after !== null;) {
      const page: Awaited<ReturnType<typeof others.notices>> = await others.notices(after === undefined ? {} : { after });
      for (const { grant, entries } of page.notices) { seen.add(grant); assert.equal(entries.length, 2); }
      after = page.next;
    }
    assert.equal(seen.size, 1100, 'page by page, none twice and none left out');
  });

  it('marks the field in answers and in the log while its department has the objection, and no longer', async () => {
    const { id } = await enterprise.submit(toRecord());
    const disputedNow = async (of?: string) => {
      const { json, status } = await query(of);
      assert.equal(status, 200);
      const { record } = json['entry'] as { readonly record: Record<string, unknown> };
      assert.deepEqual(record['disputed'], json['disputed'], 'the log says the same');
      return json['disputed'];
    };
    assert.equal(await disputedNow(), undefined, 'not before it is accepted');
    await officer.take(id, 'accept');
    assert.deepEqual(await disputedNow(), [field]);
    assert.equal(await disputedNow(secondSubject), undefined, 'of this enterprise alone');
    const other = await world.bank.query({ subject, purpose: 'pre_loan_review', read: ['registry.address'] });
    assert.equal(other.json['disputed'], undefined, 'only of fields that are answered about');
    const verified = await world.bank.query({ subject, purpose: 'pre_loan_review', verify: [{ field, claimed: 1 }] });
    assert.deepEqual(verified.json['disputed'] ?? verified.code, [field]);
    await department.take(id, 'reject', 'The filing says so.');
    assert.equal(await disputedNow(), undefined);
  });

  it('answers an objection to an access by an officer', async () => {
    const { json } = await query();
    const { index } = json['entry'] as { readonly index: number };
    const { id } = await enterprise.submit({ about: 'access', entry: index, text: canary });
    await officer.take(id, 'accept');
    assert.equal(await codeOf(department.read(id)), 'OBJECTION_NOT_FOUND', 'it is no department\'s');
    assert.equal(await codeOf(officer.take(id, 'correct', 'x')), 'TOKEN_SCOPE_INSUFFICIENT');
    assert.equal((await query()).json['disputed'], undefined, 'an access disputes no value');
    assert.equal((await officer.take(id, 'remedy', 'The bank was told to delete it.')).state, 'remedied');
    assert.equal(await codeOf(officer.take(id, 'reject', 'x')), 'OBJECTION_STATE_CONFLICT');
    assert.equal(await codeOf(otherEnterprise.submit({ about: 'access', entry: index, text: canary })), 'AUDIT_ENTRY_NOT_FOUND');
    assert.equal(await codeOf(enterprise.submit({ about: 'access', entry: 9_999_999, text: canary })), 'AUDIT_ENTRY_NOT_FOUND', 'equal for none');
    const created = (await world.entries()).find(({ kind, subject: of }) => kind === 'grant.created' && of === subject)?.index ?? -1;
    assert.equal(await codeOf(enterprise.submit({ about: 'access', entry: created, text: canary })), 'AUDIT_ENTRY_NOT_FOUND', 'what one did oneself is no access');
  });

  it('shows nobody anything of others: equal answers for theirs and none', async () => {
    const { id } = await enterprise.submit(toRecord());
    await officer.take(id, 'accept');
    const nobody = 'A'.repeat(22);
    const answers = async (who: Objections, action: Parameters<Objections['take']>[1]) => Promise.all([id, nobody].flatMap((of) => [
      said(who.read(of)), said(who.take(of, action, 'x')),
    ]));
    for (const [who, action] of [[otherEnterprise, 'close'], [otherDepartment, 'correct'], [otherDepartment, 'reject']] as const) {
      const [read, step, readNone, stepNone] = await answers(who, action);
      assert.deepEqual([read, step], [readNone, stepNone]);
      assert.match(read ?? '', /^OBJECTION_NOT_FOUND /);
      assert.match(step ?? '', /^OBJECTION_NOT_FOUND /);
      assert.deepEqual((await who.list()).objections.filter((each) => each.id === id), []);
    }
    const bank = await as('bank-a', 'query');
    assert.equal(await codeOf(bank.read(id)), 'TOKEN_SCOPE_INSUFFICIENT');
    assert.equal(await codeOf(bank.list()), 'TOKEN_SCOPE_INSUFFICIENT');
    assert.equal(await codeOf(officer.take(id, 'reject', 'x')), 'PARTY_NOT_PERMITTED', 'about a record the department decides');
    assert.equal(await codeOf((await as('officer-auditor', 'audit')).read(id)), 'TOKEN_SCOPE_INSUFFICIENT');

    await departmentClient(await world.platform.connect('tax_administration', 'records')).correct('tax', await subjectRow());
    await query();
    await department.take(id, 'correct', 'Done.');
    const own = noticesClient(await world.platform.connect('bank-a', 'query'));
    const others = noticesClient(await world.platform.connect('bank-b', 'query'));
    const notice = (await own.notices()).notices[0]?.id ?? '';
    assert.deepEqual(await Promise.all([said(others.acknowledge(notice)), said(others.acknowledge(nobody))]), Array(2).fill(await said(others.acknowledge('B'.repeat(22)))));
    assert.match(await said(others.acknowledge(notice)), /^NOTICE_NOT_FOUND /);
    assert.deepEqual((await others.notices()).notices.filter((each) => each.id === notice || each.field === field), []);
    assert.deepEqual((await others.notices({ after: notice })).notices, [], 'another bank\'s notice is no place to go on from');
  });

  it('takes what is sent twice once, and one step of two at once', async () => {
    const key = crypto.randomUUID();
    const [first, second] = await Promise.allSettled([enterprise.submit(toRecord(), key), enterprise.submit(toRecord(), key)]);
    const ids = [first, second].flatMap((each) => (each.status === 'fulfilled' ? [each.value.id] : []));
    assert.ok(ids.length >= 1 && new Set(ids).size === 1);
    const [id = ''] = ids;
    assert.equal((await enterprise.submit(toRecord(), key)).id, id);
    assert.equal(await codeOf(enterprise.submit(toRecord())), 'OBJECTION_EXISTS', 'nor under another key');
    const both = await Promise.all([codeOf(officer.take(id, 'accept')), codeOf(officer.take(id, 'return', 'Not clear.'))]);
    assert.deepEqual(both.toSorted(), ['OBJECTION_STATE_CONFLICT', 'done']);
    assert.equal((await enterprise.read(id)).steps.length, 2);
    const closed = await Promise.all([codeOf(enterprise.take(id, 'close')), codeOf(enterprise.take(id, 'close'))]);
    assert.deepEqual(closed.toSorted(), ['OBJECTION_STATE_CONFLICT', 'done']);
    const thrown = await enterprise.take(id, 'close').catch((error: unknown) => error);
    assert.ok(isVeilgateError(thrown, 'OBJECTION_STATE_CONFLICT'));
    assert.deepEqual([thrown.detail?.['state'], thrown.detail?.['actions']], ['closed', []]);
  });

  it('takes over HTTP the steps of the table and no other: every state, caller and step', async function () {
    this.timeout(60_000);
    const { database } = world.platform;
    const callers = { enterprise, officer, department } as const;
    const routeOf = { accept: ['officer'], return: ['officer'], remedy: ['officer'], correct: ['department'], reject: ['department', 'officer'], close: ['enterprise'] } as const;
    const decided = ['returned', 'rejected'] as const;
    const leads = (about: string, state: string, who: string, action: string): string | undefined => {
      if (who === 'enterprise') return action === 'close' && state !== 'closed' ? 'closed' : undefined;
      if (state === 'submitted' && who === 'officer') return { accept: 'accepted', return: 'returned' }[action];
      if (state !== 'accepted' || who !== (about === 'record' ? 'department' : 'officer')) return undefined;
      return { [about === 'record' ? 'correct' : 'remedy']: about === 'record' ? 'corrected' : 'remedied', reject: 'rejected' }[action];
    };
    const party = await enterpriseParty();
    let n = 0;
    for (const about of ['record', 'access'] as const) {
      for (const state of ['submitted', 'accepted', ...decided, about === 'record' ? 'corrected' : 'remedied', 'closed']) {
        for (const [who, client] of Object.entries(callers)) {
          for (const [action, roles] of Object.entries(routeOf) as [keyof typeof routeOf, readonly string[]][]) {
            const id = `made-up-step${String(n += 1).padStart(10, '0')}`;
            const record = about === 'record';
            const acceptedMs = state === 'submitted' || state === 'returned' ? null : 1;
            await database.query(
              `insert into objection (id, subject, submitted_by, submitted_ms, about, field, fault, department, row_key, entry, state, due_on, accepted_ms)
               values ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9, $10, case when $10 = 'closed' then null else date '2026-12-01' end, $11)`,
              [id, subject, party, about, ...(record ? [field, 'wrong', 'tax_administration', id, null] : [null, null, null, null, n]), state, acceptedMs]);
            const outcome = await client.take(id, action, 'Said so.').then(({ state: now }) => now, (error: unknown) => (isVeilgateError(error) ? error.code : String(error)));
            const hidden = who === 'department' && (!record || acceptedMs === null);
            const notTheirs = who === 'officer' && record && (action === 'remedy' || action === 'reject');
            const refused = !roles.includes(who) ? 'TOKEN_SCOPE_INSUFFICIENT' : hidden ? 'OBJECTION_NOT_FOUND' : notTheirs ? 'PARTY_NOT_PERMITTED' : undefined;
            const expected = refused ?? leads(about, state, who, action) ?? 'OBJECTION_STATE_CONFLICT';
            assert.equal(outcome, expected, `${about} ${state} ${who} ${action}`);
            const { rows: [row] } = await database.query<{ state: string; steps: number }>(
              'select state, (select count(*)::integer from objection_step where objection = id) as steps from objection where id = $1', [id]);
            const taken = outcome === outcome.toLowerCase();
            assert.deepEqual([row?.state, row?.steps], [taken ? outcome : state, taken ? 1 : 0], 'and nothing else changed');
          }
        }
      }
    }
    assert.equal(n, 2 * 6 * 3 * 6);
    await database.query("update objection set state = 'closed', due_on = null where id like 'made-up-step%' and state <> 'closed'");
  });

  it('closes by itself what has an outcome and that nobody closed in time, and nothing that waits for an answer', async () => {
    const { database } = world.platform;
    const desk = { database, clock: systemClock, settings: () => loadObjectionSettings('policies') };
    const { id } = await enterprise.submit(toRecord());
    await database.query("update objection set due_on = '2026-01-05' where id = $1", [id]);
    await closeOverdueObjections(desk);
    assert.equal((await enterprise.read(id)).state, 'submitted', 'an answer that is late is still owed');
    await officer.take(id, 'return', 'Which period?');
    await closeOverdueObjections(desk);
    assert.equal((await enterprise.read(id)).state, 'returned', 'not before its day is over');
    await database.query("update objection set due_on = '2026-01-05' where id = $1", [id]);
    await Promise.all([closeOverdueObjections(desk), closeOverdueObjections(desk)]);
    const { state, steps, due_on: due } = await enterprise.read(id);
    assert.deepEqual([state, due, steps.length], ['closed', null, 3]);
    assert.deepEqual([steps.at(-1)?.role, steps.at(-1)?.by], ['platform', null]);
  });

  it('refuses what it cannot mean, with the place', async () => {
    const invalid = async (given: unknown) => {
      const answer = await world.wire((await enterpriseParty()), 'grants').then((wire) => wire.json('POST', '/v1/objections', given));
      return [answer.status, answer.code];
    };
    for (const given of [
      toRecord({ field: 'tax.nothing' }), toRecord({ field: 'nothing.at_all' }), toRecord({ field: 'registry.name', row: period }), toRecord({ row: 'last month' }),
      toRecord({ text: '' }), toRecord({ text: 'x'.repeat(2001) }),
      toRecord({ text: 'bell \u0007' }), toRecord({ text: 'turned \u202e' }), toRecord({ text: 'half \ud800' }), { ...toRecord(), fault: 'ugly' },
      { ...toRecord(), entry: 1 }, { about: 'access', entry: -1, text: 'x' }, { about: 'people', text: 'x' },
    ]) assert.deepEqual((await invalid(given)), 'text' in given && given.text.includes('\ud800') ? [400, 'JSON_MALFORMED'] : [422, 'OBJECTION_INVALID'], JSON.stringify(given));
    const { id } = await enterprise.submit(toRecord());
    assert.equal(await codeOf(officer.take(id, 'return')), 'REQUEST_INVALID', 'no refusal without a reason');
    assert.equal((await officer.take(id, 'return', 'Which period?')).state, 'returned');
    assert.equal((await enterprise.submit(toRecord({ row: period }))).state, 'submitted', 'what was returned may be said better');
  });

  it('lets nobody correct records of another department, and no value that the catalogue refuses', async () => {
    const records = departmentClient(await world.platform.connect('market_regulation', 'records'));
    const row = await subjectRow();
    assert.equal(await codeOf(records.correct('tax', row)), 'SOURCE_DATASET_UNKNOWN', 'equal for somebody else\'s and none');
    assert.equal(await codeOf(records.correct('nothing', row)), 'SOURCE_DATASET_UNKNOWN');
    const own = departmentClient(await world.platform.connect('tax_administration', 'records'));
    const thrown = await own.correct('tax', { ...row, declared_revenue_cents: 'much', surprise: 1 }).catch((error: unknown) => error);
    assert.ok(isVeilgateError(thrown, 'SOURCE_ROWS_REJECTED'), String(thrown));
    assert.deepEqual(thrown.detail?.['rejects'], [{ row: 1, field: null, reason: 'unknown_field' }, { row: 1, field: 'declared_revenue_cents', reason: 'type' }]);
    assert.deepEqual(await subjectRow(), row, 'nothing was changed');
  });

  it('bounds what one enterprise may object to in a day, also when it closes at once what it objected to', async () => {
    const { database } = world.platform;
    const { id } = await otherEnterprise.submit(toRecord());
    await otherEnterprise.take(id, 'close');
    await database.query(
      `insert into objection (id, subject, submitted_by, submitted_ms, about, field, fault, department, state)
       select lpad(n::text, 22, 'd'), subject, submitted_by, submitted_ms, about, field, fault, department, 'closed'
       from objection, generate_series(1, $2::int - (select count(*)::int from objection where subject = $3)) n where id = $1`, [id, objectionsPerDayMax, secondSubject]);
    const refused = await otherEnterprise.submit(toRecord()).then(() => assert.fail('submitted'), (error: unknown) => error);
    assert.ok(isVeilgateError(refused, 'REQUEST_QUOTA_EXCEEDED') && Number(refused.detail?.['retryAfterSeconds']) > 0, String(refused));
  });

  it('bounds what one enterprise may have open', async () => {
    const { database } = world.platform;
    await enterprise.submit(toRecord());
    await database.query(
      `insert into objection (id, subject, submitted_by, submitted_ms, about, field, fault, department, row_key, due_on)
       select lpad(n::text, 22, 'q'), subject, submitted_by, 1, about, field, fault, department, 'row ' || n, due_on
       from objection, generate_series(1, 49) n where subject = $1 and state = 'submitted'`, [subject]);
    assert.equal(await codeOf(enterprise.submit(toRecord({ field: 'registry.name' }))), 'REQUEST_QUOTA_EXCEEDED');
    const page = await enterprise.list({ state: 'submitted', limit: 20 });
    assert.equal(page.objections.length, 20);
    const rest = await enterprise.list({ state: 'submitted', limit: 100, after: page.next ?? '' });
    assert.equal(rest.objections.length, 30);
    assert.equal(rest.next, null);
    await database.query("update objection set state = 'closed', due_on = null where subject = $1 and state = 'submitted' and submitted_ms = 1", [subject]);
  });

  it('lists what is overdue, and has no word of anybody in the operational log', async () => {
    const { id } = await enterprise.submit(toRecord());
    assert.deepEqual((await officer.list({ overdue: true })).objections, []);
    await world.platform.database.query("update objection set due_on = '2026-01-05' where id = $1", [id]);
    const [late] = (await officer.list({ overdue: true })).objections;
    assert.deepEqual([late?.id, late?.overdue, (late?.working_days_left ?? 0) < 0], [id, true, true]);
    assert.deepEqual((await otherEnterprise.list({ overdue: true })).objections, []);
    assert.deepEqual((await department.list({ overdue: true })).objections, []);
    const { rows } = await world.platform.database.query<{ record: string }>("select record from audit_entry where kind ~ '^(objection|notice|record)\\.'");
    assert.ok(rows.length > 10);
    for (const { record } of rows) assert.doesNotMatch(record, /canary|script|filing|4242/);
    assert.doesNotMatch(world.platform.logged(), /canary-words|alert\(1\)|filing of July/);
  });

  it('is nobody\'s without a record of its own: an enterprise that has none may still object to what is missing', async () => {
    await world.platform.enterprise(silentSubject);
    const own = await as(await enterpriseParty(silentSubject), 'grants');
    const { id, state } = await own.submit(toRecord({ fault: 'incomplete' }));
    assert.equal(state, 'submitted');
    await own.take(id, 'close');
  });

  async function enterpriseParty(of: string = subject): Promise<string> {
    return (await world.platform.database.query<{ id: string }>('select id from enterprise where subject = $1', [of])).rows[0]?.id ?? '';
  }
});

/** Code and sentence of a refusal, without what names the request. */
async function said(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(() => 'done', (error: unknown) => (isVeilgateError(error) ? `${error.code} ${error.message} ${JSON.stringify(error.detail)}` : String(error)));
}
