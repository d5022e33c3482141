import { strict as assert } from 'node:assert';
import { appendRecords } from '../../../src/audit/append.ts';
import { recordHead, type AuditRecord } from '../../../src/audit/entry.ts';
import { auditReader, type EntryFilter } from '../../../src/audit/read.ts';
import { isVeilgateError } from '../../../src/errors.ts';
import { accessHistory } from '../../../src/gateway/use-cases/access-history.ts';
import type { ModelRef } from '../../../src/scoring/protocol.ts';
import { recordScoreRelease, scoreReleaseIn } from '../../../src/scoring/run/release.ts';
import type { GrantId, InstitutionId, PartyId, SubjectId, TimeMs } from '../../../src/vocabulary.ts';
import { freshDatabase } from '../../support/database.ts';
import { subjectOf } from '../../support/scoring.ts';

describe('the access history of an enterprise', () => {
  it('holds what names it and the parts its scores were released in, newest first, in pages, for it alone', async () => {
    const database = await freshDatabase();
    const log = auditReader(database);
    const [mine, theirs] = [subjectOf(1), subjectOf(2)];
    const append = async (record: AuditRecord) => (await database.transaction('test', (tx) => appendRecords(tx, [record])))[0]?.index ?? -1;
    const named = (subject: SubjectId) => append({ ...recordHead('enterprise.activated', 0 as TimeMs, 'platform' as PartyId), subject });
    const part = async (institution: string, subjects: readonly SubjectId[], atMs = 0) => {
      const entry = await append({ ...recordHead('policy.loaded', atMs as TimeMs, 'platform' as PartyId), policy: 'p', previous: null } as unknown as AuditRecord); // any entry that names nobody
      await database.transaction('test', (tx) => recordScoreRelease(tx, { entry, institution: institution as InstitutionId, model: 'm@1' as ModelRef, released: subjects.map((subject) => ({ subject, grant: 'g' as GrantId })) }));
      return entry;
    };
    const entries = [await named(mine), await part('bank-a', [mine, theirs]), await named(theirs), await part('bank-b', [theirs]), await named(mine), await part('bank-b', [mine])];
    const of = async (subject: SubjectId, more: { beforeIndex?: number; institution?: string; limit?: number } = {}) => (await accessHistory(log, database, { subject, limit: 10, ...more })).map(({ index }) => index);
    const at = (...places: number[]) => places.map((place) => entries[place]);
    assert.deepEqual(await of(mine), at(5, 4, 1, 0));
    assert.deepEqual(await of(theirs), at(3, 2, 1));
    assert.deepEqual(await of(mine, { limit: 2 }), at(5, 4));
    assert.deepEqual(await of(mine, { limit: 2, beforeIndex: entries[4] ?? 0 }), at(1, 0));
    assert.deepEqual(await of(mine, { institution: 'bank-a' }), at(1));
    assert.deepEqual(await of(subjectOf(3)), []);
    const late = await part('bank-a', [mine], 5000);
    const timed = async (filter: Partial<EntryFilter>) => (await accessHistory(log, database, { subject: mine, limit: 10, ...filter })).map(({ index }) => index);
    assert.deepEqual(await timed({ fromMs: 5000 as TimeMs }), [late]);
    assert.deepEqual(await timed({ untilMs: 5000 as TimeMs, limit: 2 }), at(5, 4), 'a newer part takes no place of the page');
    assert.deepEqual(await timed({ untilMs: 5000 as TimeMs, kinds: ['scores.released'] }), at(5, 1), 'other kinds are left out');
    assert.deepEqual(await timed({ kinds: ['query.released'] }), []);
    assert.deepEqual(await scoreReleaseIn(database, mine, entries[1] ?? -1), { entry: entries[1], disputed: [] });
    assert.equal(await scoreReleaseIn(database, mine, entries[3] ?? -1), undefined);
    await assert.rejects(log.at(Array.from({ length: 501 }, (_, index) => index)), (error) => isVeilgateError(error, 'AUDIT_RANGE_INVALID'));
    assert.deepEqual(await log.at([]), []);
  });
});
