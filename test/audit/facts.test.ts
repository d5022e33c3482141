import { strict as assert } from 'node:assert';
import { countsOfDays, enterprisesServed } from '../../src/audit/counts.ts';
import { recordHead, type AuditRecord } from '../../src/audit/entry.ts';
import { eraseEntries } from '../../src/audit/erase.ts';
import { countsOf, factsOf } from '../../src/audit/facts.ts';
import { takeFacts, takenAtOnce } from '../../src/audit/take-facts.ts';
import { workReport, workReportCsv } from '../../src/audit/work-report.ts';
import type { FieldRef, InstitutionId, IsoDate, PurposeCode, SubjectId, TimeMs } from '../../src/vocabulary.ts';
import { bank, officer, refused, released, releases, startMs, subject, testLog } from './support/log.ts';

const fields = (...names: string[]) => names as FieldRef[];
const days = { from: '2026-01-01' as IsoDate, to: '2026-01-31' as IsoDate };
const month = '2026-01-01' as IsoDate;

describe('facts', () => {
  it('say of a record what it is about, and never which enterprise', () => {
    const record = released({ outcomes: [
      { use: 'read', disposition: 'mask', reason: 'permitted', fields: fields('registry.name', 'registry.address') }, { use: 'verify', disposition: 'verify', reason: 'permitted', fields: fields('tax.revenue') },
      { use: 'read', disposition: 'withhold', reason: 'not_consented', fields: fields('owner.name') },
    ] });
    const facts = factsOf(record);
    assert.deepEqual([facts.purpose, facts.outcome, facts.code, facts.datasets], ['pre_loan_review', 'released', null, ['registry', 'tax', 'owner']]);
    assert.deepEqual(countsOf(record.kind, record).map(({ what, item, detail, n }) => `${what} ${item} ${detail} ${n}`), [
      'entries query.released  1', 'datasets registry query.released 1', 'datasets tax query.released 1', 'fields registry.name read mask 1', 'fields registry.address read mask 1',
      'fields tax.revenue verify verify 1', 'fields owner.name read withhold 1', 'rows registry query.released 1',
    ]);
    assert.ok(!JSON.stringify([facts, countsOf(record.kind, record)]).includes(subject));
  });

  it('count a refused answer\'s fields as withheld, whatever was decided before it was refused', () => {
    const record = refused({ outcomes: [{ use: 'read', disposition: 'clear', reason: 'permitted', fields: fields('registry.name') }] });
    assert.deepEqual(countsOf(record.kind, record).map(({ what, detail }) => `${what} ${detail}`), ['entries CONSENT_REQUIRED', 'fields read withhold']);
  });

  it('count refusals at the door one by one, and enterprises scored in a job', () => {
    const door: AuditRecord = { ...recordHead('queries.refused', startMs, bank), institution: bank, from: '', until: '', refused: [{ code: 'REQUEST_QUOTA_EXCEEDED', count: 7 }, { code: 'TOKEN_REPLAYED', count: 2 }] };
    assert.deepEqual(countsOf(door.kind, door).map(({ detail, n }) => [detail, n]), [['REQUEST_QUOTA_EXCEEDED', 7], ['TOKEN_REPLAYED', 2]]);
    const part = { ...recordHead('scores.released', startMs, bank), institution: bank, purpose: 'post_loan_monitoring', count: 4000 } as unknown as AuditRecord;
    assert.deepEqual(countsOf(part.kind, part).map(({ what, n }) => [what, n]), [['entries', 1], ['enterprises', 4000]]);
    assert.deepEqual(countsOf('query.released', null), [{ what: 'entries', item: 'query.released', detail: '', n: 1 }]);
  });
});

describe('take facts', () => {
  it('counts each entry once, however many take them at the same time', async () => {
    const log = await testLog({ maxConnections: 6 });
    const count = 2 * takenAtOnce + 10;
    for (let at = 0; at < count; at += 1000) await log.append(releases(Math.min(1000, count - at)));
    const left = await takeFacts(log.database, 1);
    assert.equal(left, takenAtOnce + 10);
    await Promise.all([1, 2, 3, 4].map(() => takeFacts(log.database, 10)));
    assert.equal(await takeFacts(log.database, 1), 0);
    const counts = await countsOfDays(log.database, days);
    assert.equal(counts.find(({ what }) => what === 'entries')?.n, count);
    assert.equal((await log.database.query<{ n: number }>('select count(*) as n from audit_fact')).rows[0]?.n, count);
    assert.deepEqual([...await enterprisesServed(log.database, month)], [['pre_loan_review', 1]]);
  });

  it('counts a day from midnight to midnight in Shanghai', async () => {
    const log = await testLog();
    for (const at of ['2025-12-31T15:59:59.999Z', '2025-12-31T16:00:00.000Z', '2026-01-31T15:59:59.999Z', '2026-01-31T16:00:00.000Z']) {
      await log.append([{ ...released(), ...recordHead('query.released', Date.parse(at) as TimeMs, bank) }]);
    }
    await takeFacts(log.database, 1);
    assert.equal((await countsOfDays(log.database, days)).find(({ what }) => what === 'entries')?.n, 2);
  });

  it('leaves nothing half counted when it is interrupted', async () => {
    const log = await testLog();
    await log.append(releases(3));
    await log.database.query("alter table audit_served add constraint broken check (subject = '')");
    await assert.rejects(takeFacts(log.database, 1), /broken/);
    assert.deepEqual(await countsOfDays(log.database, days), []);
    await log.database.query('alter table audit_served drop constraint broken');
    await takeFacts(log.database, 1);
    assert.equal((await countsOfDays(log.database, days)).find(({ what }) => what === 'entries')?.n, 3);
  });

  it('keeps no enterprise whose records were erased, and its reports the same but for that', async () => {
    const other = '91350211M000100Y4X' as SubjectId;
    const log = await testLog();
    await log.append([released(), released({ subject: other })]);
    await takeFacts(log.database, 1);
    const before = await countsOfDays(log.database, days);
    assert.deepEqual([...await enterprisesServed(log.database, month)], [['pre_loan_review', 2]]);
    await log.database.transaction('erase', (tx) => eraseEntries(tx, { of: { entries: [0] }, basis: 'authority_order', actor: officer, atMs: startMs }));
    assert.deepEqual((await log.database.query<{ subject: string }>('select subject from audit_served')).rows, [{ subject: other }]);
    await log.database.transaction('erase', (tx) => eraseEntries(tx, { of: { subject: other }, basis: 'subject_request', actor: officer, atMs: startMs }));
    assert.deepEqual((await log.database.query('select subject from audit_served')).rows, []);
    assert.deepEqual(await countsOfDays(log.database, days), before);
  });
});

describe('work report', () => {
  it('gives a spreadsheet no formula', () => {
    const counts = [{ institution: '=cmd|1!A1' as InstitutionId, purpose: 'a,"b' as PurposeCode, what: 'entries', item: 'query.released', detail: '', n: 1 }] as const;
    const csv = workReportCsv(workReport({ platform: 'https://gateway.example', month: '2026-01', state: 'so_far', madeAt: '2026-01-02T00:00:00.000Z', counts, served: new Map(), ever: new Map() }));
    assert.match(csv, /^answers,'=cmd\|1!A1,"a,""b",,query,,released,1\r$/m);
  });
});
