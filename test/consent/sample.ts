import { createHash } from 'node:crypto';
import { fixedClock, type Clock } from '../../src/clock.ts';
import { createGrant } from '../../src/consent/grants.ts';
import type { StoredGrant } from '../../src/consent/grant-row.ts';
import type { ConsentDetail } from '../../src/consent/schemas.ts';
import { startingAt } from '../../src/consent/terms.ts';
import type { Database } from '../../src/store/database.ts';
import { usccCheckDigit } from '../../src/uscc.ts';
import type { ConsentCeiling, FieldRef, GrantTerms, InstitutionId, PurposeCaps, PurposeCode, SubjectId, TimeMs } from '../../src/vocabulary.ts';

export const start = '2026-03-10T09:00:00+08:00';
export const startMs = Date.parse(start) as TimeMs;
export const dayMs = 86_400_000;

export const bank = 'bank-a' as InstitutionId;
export const otherBank = 'bank-b' as InstitutionId;
export const purpose = 'pre_loan_review' as PurposeCode;

/** The n-th of many valid credit codes. */
export function subjectOf(n: number): SubjectId {
  const first17 = `91310000${String(n).padStart(9, '0')}`;
  return `${first17}${usccCheckDigit(first17)}` as SubjectId;
}
export const subject = subjectOf(1);

export const ref = (name: string) => name as FieldRef;
export const fieldNames = Array.from({ length: 20 }, (_, at) => ref(`tax.field_${at}`));

export const caps: PurposeCaps = {
  validityDaysMax: 180,
  usesMax: 100,
  frequencyMax: { max: 10, per: 'day' },
  dataLifeDaysMax: 365,
  dataPeriodYearsMax: 3,
  kinds: ['one_time', 'periodic'],
  fields: new Set(fieldNames),
};
export const capsOf = (code: PurposeCode) => (code === purpose ? caps : undefined);

export function detail(changes: Partial<ConsentDetail> = {}): ConsentDetail {
  return {
    type: 'veilgate_consent',
    subject,
    purpose,
    fields: [{ field: 'tax.field_0', ceiling: 'original' }, { field: 'tax.field_1', ceiling: 'desensitised' }],
    valid_days: 90,
    data_life_days: 30,
    kind: 'periodic',
    ...changes,
  };
}

export function terms(changes: Partial<GrantTerms> = {}): GrantTerms {
  return {
    subject,
    institution: bank,
    purpose,
    fields: new Map<FieldRef, ConsentCeiling>([[ref('tax.field_0'), 'original'], [ref('tax.field_1'), 'desensitised']]),
    dataFrom: null,
    dataTo: null,
    validFromMs: startMs,
    validUntilMs: (startMs + 90 * dayMs) as TimeMs,
    kind: 'periodic',
    usesMax: 10,
    frequency: null,
    dataLifeDays: 30,
    ...changes,
  };
}

export const digestOf = (text: string) => createHash('sha256').update(text).digest('hex');

/** Stores a grant of `terms(changes)`, valid from the clock's now unless the changes say otherwise. */
export async function stored(database: Database, changes: Partial<GrantTerms> = {}, clock: Clock = fixedClock(start)): Promise<StoredGrant> {
  const wanted = terms(changes);
  const from = changes.validFromMs === undefined && changes.validUntilMs === undefined ? startingAt(wanted, clock.nowMs()) : wanted;
  const { grant } = await database.transaction('test grant', (tx) => createGrant(tx, from, 'browser', digestOf('notice'), digestOf('session'), clock));
  return grant;
}

/** The code of an error among results, or 'ok'. */
export function codeOf(result: unknown): string {
  return result instanceof Error ? ((result as { code?: string }).code ?? result.message) : 'ok';
}
