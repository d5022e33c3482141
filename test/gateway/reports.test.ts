import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { sampleSubject } from '../../scripts/sample/subjects.ts';
import { shanghaiDate } from '../../src/calendar.ts';
import { canonicalJson } from '../../src/canonical.ts';
import { fixedClock, systemClock } from '../../src/clock.ts';
import { isVeilgateError, type ErrorCode } from '../../src/errors.ts';
import { monthlyReport, type ReportDesk } from '../../src/gateway/use-cases/work-report.ts';
import { auditorClient } from '../../src/sdk/auditor.ts';
import { platformKeys, type BankClient } from '../../src/sdk/bank.ts';
import { reportsClient, type ReportsClient } from '../../src/sdk/reports.ts';
import type { PartyId } from '../../src/vocabulary.ts';
import { jwsSigner } from '../audit/support/keys.ts';
import { startTestPlatform, type TestPlatform } from '../support/gateway.ts';
import { loadSampleRecords } from '../support/sample-records.ts';

const sample = { enterprises: 3, seed: 3 };
const subject = sampleSubject(0, sample.seed);
const terms = {
  purpose: 'pre_loan_review', valid_days: 30, uses_max: 10, data_life_days: 30, kind: 'periodic',
  fields: [{ field: 'registry.name', ceiling: 'original' }, { field: 'tax.declared_revenue_cents', ceiling: 'desensitised' }],
} as const;
const today = shanghaiDate(systemClock.nowMs());
const month = today.slice(0, 7);
const refusesWith = (code: ErrorCode) => (error: unknown) => isVeilgateError(error, code);

describe('reports over HTTP', () => {
  let platform: TestPlatform;
  let bank: BankClient;
  let auditor: ReportsClient;
  let officer: ReportsClient;

  before(async function () {
    this.timeout(60_000);
    platform = await startTestPlatform();
    await loadSampleRecords(platform, ['registry', 'tax'], sample);
    bank = await platform.bank('bank-a');
    await platform.bank('bank-b');
    await (await platform.enterprise(subject)).grant('bank-a', { subject, ...terms });
    auditor = reportsClient(await platform.connect('officer-auditor', 'audit'));
    officer = reportsClient(await platform.connect('officer-compliance', 'compliance'));
    await bank.query({ subject, purpose: terms.purpose, read: ['registry.name', 'tax.declared_revenue_cents', 'owner.name'], rows: { tax: { limit: 2 } } });
    for (let time = 0; time < 25; time += 1) {
      await assert.rejects(bank.query({ subject: sampleSubject(1, sample.seed), purpose: terms.purpose, read: ['registry.name'] }), refusesWith('CONSENT_REQUIRED'));
    }
  });
  after(() => platform.close());

  it('finds entries by what they are about, and names no enterprise', async () => {
    const released = await auditor.entries({ outcome: 'released', institution: 'bank-a' });
    assert.deepEqual(released.entries.map(({ kind, purpose, code, datasets, erased }) => ({ kind, purpose, code, datasets, erased })), [{ kind: 'query.released', purpose: terms.purpose, code: null, datasets: ['registry', 'tax', 'owner'], erased: false }]);
    assert.equal(released.behind, 0);
    assert.equal((await auditor.entries({ code: 'CONSENT_REQUIRED' })).entries.length, 25);
    assert.equal((await auditor.entries({ kinds: ['query.refused', 'query.released'], dataset: 'tax' })).entries.length, 1);
    assert.deepEqual((await auditor.entries({ institution: 'bank-b', outcome: 'refused' })).entries, []);
    const all = await auditor.entries({}, { limit: 200 });
    assert.doesNotMatch(JSON.stringify(all), new RegExp(`${subject}|${sampleSubject(1, sample.seed)}`));
    assert.match(all.entries.find(({ kind }) => kind === 'query.released')?.subject ?? '', /^[0-9a-f]{64}$/);
    const entry = await auditorClient(await platform.connect('officer-auditor', 'audit')).entry(released.entries[0]?.index ?? -1);
    assert.equal(entry.record?.['subject'], subject);
  });

  it('pages to the end, without gaps or doubles', async () => {
    const indices: number[] = [];
    for (let before: number | null | undefined; before !== null;) {
      const page = await auditor.entries({}, { limit: 7, ...(before === undefined ? {} : { before }) });
      indices.push(...page.entries.map(({ index }) => index));
      before = page.next;
    }
    const size = Math.max(...indices) + 1;
    assert.deepEqual(indices, Array.from({ length: size }, (_, at) => size - 1 - at));
    let walked = 0;
    for await (const _ of auditor.allEntries({ code: 'CONSENT_REQUIRED' })) walked += 1;
    assert.equal(walked, 25);
  });

  it('counts a month as far as it has come', async () => {
    const { report, digest, signature, entry } = await officer.workReport(month);
    assert.deepEqual([report.state, report.month, digest, signature, entry], ['so_far', month, null, null, null]);
    assert.deepEqual(report.answers, [{ institution: 'bank-a', purpose: terms.purpose, kind: 'query', released: 1, refused: 25, verifications: 0, enterprises: 0, results: 0 }]);
    assert.deepEqual(report.refusals, [{ institution: 'bank-a', purpose: terms.purpose, kind: 'query', code: 'CONSENT_REQUIRED', count: 25 }]);
    assert.deepEqual(report.datasets, [
      { dataset: 'registry', institution: 'bank-a', purpose: terms.purpose, answers: 1, rows: 1 }, { dataset: 'tax', institution: 'bank-a', purpose: terms.purpose, answers: 1, rows: 2 },
    ]);
    const disclosed = report.disclosures.map(({ dataset, use, disposition, fields }) => `${dataset} ${use} ${disposition} ${fields}`);
    assert.ok(disclosed.includes('registry read clear 1') && disclosed.includes('tax read band 1') && disclosed.includes('owner read withhold 1'), disclosed.join('; '));
    assert.deepEqual(report.purposes, [{ purpose: terms.purpose, grants_created: 1, answers: 1, scores: 0, enterprises_served: 1, enterprises_in_jobs: 0 }]);
    assert.deepEqual(report.participants, { enterprises_registered: 1, enterprises_ever: 1, institutions_approved: 2, institutions_ever: 2, institutions_with_answers: 1 });
    assert.doesNotMatch(JSON.stringify(report), new RegExp(subject));
    assert.deepEqual((await officer.workReport(month)).report.answers, report.answers);
  });

  it('gives the same as CSV', async () => {
    const connection = await platform.connect('officer-auditor', 'audit');
    const response = await connection.send({ method: 'GET', path: `/v1/reports/work?month=${month}&format=csv` });
    assert.equal(response.headers.get('content-type'), 'text/csv; charset=utf-8');
    const lines = (await response.text()).split('\r\n');
    assert.equal(lines[0], 'section,institution,purpose,dataset,kind,detail,measure,count');
    assert.ok(lines.includes('answers,bank-a,pre_loan_review,,query,,refused,25') && lines.includes('refusals,bank-a,pre_loan_review,,query,CONSENT_REQUIRED,refused,25'), lines.join('\n'));
  });

  it('closes a month once, signed and logged, whoever asks first', async () => {
    const { signer, keys } = await jwsSigner('platform-1');
    const past = '2026-01';
    const clock = fixedClock('2026-02-01T00:30:00+08:00');
    const desk: ReportDesk = { database: platform.database, clock, signer, gatewayUrl: platform.gateway.gatewayUrl };
    const me = 'officer-auditor' as PartyId;
    assert.equal((await monthlyReport(desk, past, me)).report.state, 'so_far', 'something of the month may still be under way');
    clock.advanceMs(3_600_000);
    const asked = await Promise.all([monthlyReport(desk, past, me), monthlyReport(desk, past, me), monthlyReport(desk, past, 'officer-compliance' as PartyId)]);
    const [first] = asked;
    assert.ok(first !== undefined && first.signature !== null && first.entry !== null);
    assert.deepEqual([asked[1], asked[2]], [first, first]);
    const { payload } = await jwtVerify(first.signature, createLocalJWKSet(keys), { typ: 'work-report+jwt' });
    assert.deepEqual([payload['month'], payload['report']], [past, createHash('sha256').update(canonicalJson(first.report)).digest('hex')]);
    const listed = await auditor.entries({ kinds: ['report.published'] });
    assert.deepEqual(listed.entries.map(({ index, actor }) => [index, actor]), [[first.entry, me]]);
    clock.advanceMs(86_400_000);
    assert.deepEqual(await monthlyReport(desk, past, me), first);
    await assert.rejects(platform.database.query("update audit_report set report = '{}'"), /append-only/);
    const served = await officer.workReport(past);
    assert.deepEqual(served.report, first.report);
  });

  it('signs with the key receipts are checked with', async () => {
    const past = '2026-03';
    const { report, signature, digest } = await officer.workReport(past);
    assert.equal(report.state, 'closed');
    await jwtVerify(signature ?? '', createLocalJWKSet((await platformKeys(platform.gateway.gatewayUrl)) as JSONWebKeySet), { typ: 'work-report+jwt', issuer: platform.gateway.gatewayUrl });
    assert.equal(digest, createHash('sha256').update(canonicalJson(report)).digest('hex'));
  });

  it('shows what an institution is, did, and what of it is unusual', async () => {
    const report = await officer.institutionReport('bank-a', { to: today });
    assert.deepEqual([report.institution.id, report.institution.status], ['bank-a', 'approved']);
    assert.deepEqual(report.activity.days, [{ day: today, released: 1, refused: 25, enterprises: 2 }]);
    assert.deepEqual(report.enterprises, { total: 2, complete: true });
    assert.deepEqual(report.activity.unusual.map(({ sign }) => sign), ['refused_often', 'asked_without_grant']);
    assert.deepEqual(report.activity.grants, [{ event: 'grant.created', purpose: terms.purpose, count: 1 }]);
    assert.ok(report.activity.fields.some(({ field, use, disposition, count }) => field === 'tax.declared_revenue_cents' && use === 'read' && disposition === 'band' && count === 1));
    assert.ok(['institution.approved', 'institution.assessed', 'institution.applied'].every((kind) => report.decisions.some((decision) => decision.kind === kind)));
    const quiet = await officer.institutionReport('bank-b');
    assert.deepEqual([quiet.activity.days.map(({ released, refused }) => released + refused), quiet.activity.unusual], [[0], []]);
  });

  it('refuses periods that are none, and institutions that are not there', async () => {
    await assert.rejects(officer.workReport('2099-01'), refusesWith('REPORT_PERIOD_INVALID'));
    await assert.rejects(officer.workReport('2026-13'), refusesWith('REQUEST_INVALID'));
    await assert.rejects(officer.institutionReport('bank-a', { from: '2026-02-01', to: '2026-01-01' }), refusesWith('REPORT_PERIOD_INVALID'));
    await assert.rejects(officer.institutionReport('bank-a', { from: '2024-01-01', to: '2026-01-01' }), refusesWith('REPORT_PERIOD_INVALID'));
    await assert.rejects(officer.institutionReport('bank-z'), refusesWith('INSTITUTION_NOT_FOUND'));
    await assert.rejects(auditor.entries({}, { limit: 201 }), refusesWith('REQUEST_INVALID'));
  });

  it('is for auditors, reports for compliance officers too, and for nobody else', async () => {
    await assert.rejects(officer.entries({}), refusesWith('TOKEN_SCOPE_INSUFFICIENT'));
    const other = reportsClient(await platform.connect('bank-a', 'query'));
    for (const ask of [() => other.entries({}), () => other.workReport(month), () => other.institutionReport('bank-a')]) await assert.rejects(ask(), refusesWith('TOKEN_SCOPE_INSUFFICIENT'));
  });
});
