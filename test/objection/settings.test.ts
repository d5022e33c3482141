import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isVeilgateError } from '../../src/errors.ts';
import { loadObjectionSettings } from '../../src/objection/settings.ts';

const good = 'deadlines: { accept: 1, decide: 2, close: 3 }\nholidays: [{ name: 元旦, from: 2026-12-31, to: 2027-01-02 }]\nmade_up: [2027-01-09]\n';

describe('policies/calendar.yaml', () => {
  let folder: string;
  beforeEach(() => { folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-calendar-')); });
  afterEach(() => rmSync(folder, { recursive: true }));
  const load = (text: string) => {
    writeFileSync(path.join(folder, 'calendar.yaml'), text);
    return loadObjectionSettings(folder);
  };
  const pointers = (text: string) => {
    try {
      load(text);
    } catch (error) {
      assert.ok(isVeilgateError(error, 'POLICY_BROKEN'), String(error));
      return ((error.detail?.['problems'] ?? []) as readonly { readonly pointer: string }[]).map(({ pointer }) => pointer);
    }
    return [];
  };

  it('says deadlines, holidays and made-up days; without it, Monday to Friday are worked', () => {
    const { deadlines, calendar } = load(good);
    assert.deepEqual(deadlines, { accept: 1, decide: 2, close: 3 });
    assert.deepEqual([...calendar.holidays], ['2026-12-31', '2027-01-01', '2027-01-02']);
    assert.deepEqual([...calendar.madeUp], ['2027-01-09']);
    rmSync(path.join(folder, 'calendar.yaml'));
    assert.equal(loadObjectionSettings(folder).calendar.holidays.size, 0);
  });

  it('is refused with the place of what is wrong', () => {
    assert.deepEqual(pointers(good), []);
    assert.deepEqual(pointers(good.replace('accept: 1', 'accept: 0')), ['/deadlines/accept']);
    assert.deepEqual(pointers(good.replace('to: 2027-01-02', 'to: 2026-12-30')), ['/holidays/0']);
    assert.deepEqual(pointers(good.replace('to: 2027-01-02', 'to: 2027-02-02')), ['/holidays/0']);
    assert.deepEqual(pointers(good.replace('from: 2026-12-31', 'from: 2026-02-31')), ['/holidays/0/from']);
    assert.deepEqual(pointers(good.replace('2027-01-09', '2027-13-09')), ['/made_up/0']);
    assert.deepEqual(pointers(good.replace('2027-01-09', '2027-01-01')), ['/made_up/0'], 'a holiday too');
    assert.deepEqual(pointers(good.replace('made_up', 'makeup')).toSorted(), ['', '/makeup']);
    assert.deepEqual(pointers('deadlines: ['), ['']);
  });
});
