import assert from 'node:assert/strict';
import { fixedClock } from '../../src/clock.ts';
import { readReports } from '../../src/source/quality.ts';
import type { Database } from '../../src/store/database.ts';
import type { DatasetId } from '../../src/vocabulary.ts';
import { freshDatabase } from '../support/database.ts';
import { bytes, catalogueOf, loadThings, prepared, subject, thingYaml } from './support/fixtures.ts';

const monthlyYaml = thingYaml.replace('dataset: thing', 'dataset: monthly').replace(/cardinality: .*/, 'cardinality: { kind: per_period, periodField: made_on }');
const catalogue = catalogueOf({ 'thing.yaml': thingYaml, 'monthly.yaml': monthlyYaml });

describe('quality reports', () => {
  let database: Database;
  beforeEach(async () => { database = await prepared(await freshDatabase(), catalogue); });
  const loadMonths = (periods: Readonly<Record<number, readonly string[]>>, now = '2026-11-15T00:00:00Z') => {
    const rows = Object.entries(periods).flatMap(([n, days]) => days.map((day) => `${subject(Number(n))},1,${day}`));
    return loadThings(database, catalogue, bytes(['subject,thing_no,made_on', ...rows].join('\n')), { dataset: 'monthly', clock: fixedClock(now) });
  };

  it('calls an enterprise timely when its newest period is within the dataset\'s days', async () => {
    const { timeliness } = await loadMonths({ 1: ['2026-10-16', '2026-01-01'], 2: ['2026-10-15'], 3: ['2020-01-01'] });
    assert.deepEqual(timeliness, { counted: 3, timely: 1, share: 1 / 3 });
  });

  it('counts the months missing between an enterprise\'s first and last, whatever file they came in', async () => {
    await loadMonths({ 1: ['2026-01-01', '2026-02-01'], 9: ['2020-01-01', '2026-01-01'] });
    const { continuity } = await loadMonths({ 1: ['2026-05-01'], 2: ['2026-03-01', '2026-04-01'] });
    assert.deepEqual(continuity, { subjects: 2, subjectsWithGaps: 1, stepMonths: 1, expected: 7, missing: 2, share: 5 / 7 });
  });

  it('sees quarterly data for what it is', async () => {
    const { continuity } = await loadMonths({ 1: ['2025-03-31', '2025-06-30', '2025-12-31'], 2: ['2025-03-31', '2025-06-30', '2025-09-30', '2025-12-31'] });
    assert.deepEqual(continuity, { subjects: 2, subjectsWithGaps: 1, stepMonths: 3, expected: 8, missing: 1, share: 7 / 8 });
  });

  it('calls a standing record timely when it was supplied within the dataset\'s days, changed or not', async () => {
    const file = (n: number) => bytes(`subject,thing_no,made_on\n${subject(n)},1,1999-01-01`);
    await loadThings(database, catalogue, file(1), { clock: fixedClock('2026-01-01T00:00:00Z') });
    const late = await loadThings(database, catalogue, file(2), { clock: fixedClock('2026-06-01T00:00:00Z') });
    assert.deepEqual([late.timeliness, late.continuity], [{ counted: 2, timely: 1, share: 0.5 }, null]);
    const again = await loadThings(database, catalogue, file(1), { clock: fixedClock('2026-06-02T00:00:00Z') });
    assert.deepEqual([again.rows.unchanged, again.timeliness?.share], [1, 1]);
  });

  it('keeps every report, newest first, each dataset\'s own', async () => {
    const first = await loadMonths({ 1: ['2026-10-01'] }, '2026-11-01T00:00:00Z');
    const second = await loadMonths({ 1: ['2026-10-01'] }, '2026-11-02T00:00:00Z');
    assert.deepEqual(await readReports(database, 'monthly' as DatasetId, 10), [second, first]);
    assert.deepEqual(await readReports(database, 'monthly' as DatasetId, 1), [second]);
    assert.deepEqual(await readReports(database, 'thing' as DatasetId, 10), []);
  });

  it('gives no shares of nothing', async () => {
    const report = await loadThings(database, catalogue, bytes('subject,thing_no,made_on\n'));
    assert.equal(report.fields[0]?.completeness, null);
    assert.equal(report.fields[0]?.validity, null);
    assert.deepEqual(report.timeliness, { counted: 0, timely: 0, share: null });
  });
});
