import { dayMs } from '../calendar.ts';
import { VeilgateError } from '../errors.ts';
import { isUscc } from '../uscc.ts';
import type { ConsentCeiling, FieldCeiling, FieldRef, GrantTerms, InstitutionId, IsoDate, PurposeCaps, PurposeCode, TimeMs } from '../vocabulary.ts';
import { checkCaps, earliestDataDate, type CapsOf } from './caps.ts';
import { checkConsentDetail, type ConsentDetail } from './schemas.ts';

/**
 * Reads what an institution asks an enterprise to consent to, completes it (`completeTerms`) and holds it against policy.
 * Validity starts at `atMs`; `startingAt` moves it to the moment of consent.
 * @param json one entry of `authorization_details`, see consent-detail.json
 * Errors: CONSENT_INVALID, POLICY_PURPOSE_UNKNOWN, CONSENT_EXCEEDS_CAP.
 */
export function parseTerms(json: unknown, institution: InstitutionId, capsOf: CapsOf, atMs: TimeMs): GrantTerms {
  const { terms, caps } = readTerms(json, institution, capsOf, atMs);
  checkCaps(terms, caps, atMs);
  return terms;
}

/**
 * The same without holding it against the caps: for terms that will be narrowed before they are.
 * Errors: CONSENT_INVALID, POLICY_PURPOSE_UNKNOWN.
 */
export function readTerms(json: unknown, institution: InstitutionId, capsOf: CapsOf, atMs: TimeMs): { readonly terms: GrantTerms; readonly caps: PurposeCaps } {
  const detail = checkConsentDetail(json);
  if (!isUscc(detail.subject)) throw invalid('/subject', 'the unified social credit code has a wrong check digit or form');
  const oneTime = detail.kind === 'one_time';
  if (oneTime && (detail.uses_max ?? 1) !== 1) throw invalid('/uses_max', 'a one-time grant is one use');
  if (oneTime && detail.frequency !== undefined) throw invalid('/frequency', 'a one-time grant has no frequency');
  const caps = capsOf(detail.purpose as PurposeCode);
  if (caps === undefined) {
    throw new VeilgateError('POLICY_PURPOSE_UNKNOWN', 'No purpose of this code is open to this institution: use one of the purposes of the catalogue.', { pointer: '/purpose' });
  }
  const terms = completeTerms({
    subject: detail.subject,
    institution,
    purpose: detail.purpose as PurposeCode,
    fields: fieldMap(detail.fields),
    dataFrom: (detail.data_from ?? null) as IsoDate | null,
    dataTo: (detail.data_to ?? null) as IsoDate | null,
    validFromMs: atMs,
    validUntilMs: (atMs + detail.valid_days * dayMs) as TimeMs,
    kind: detail.kind,
    usesMax: detail.uses_max ?? null,
    frequency: detail.frequency ?? null,
    dataLifeDays: detail.data_life_days,
  }, caps, atMs);
  if (terms.dataTo !== null && terms.dataFrom !== null && terms.dataTo < terms.dataFrom) throw invalid('/data_to', 'the data period ends before it starts');
  return { terms, caps };
}

/**
 * Gives every term that was left open (null) the most policy allows, so that the enterprise sees each limit and none
 * is missing; a one-time grant becomes one use. Terms that are set stay as they are: `checkCaps` judges them.
 */
export function completeTerms(terms: GrantTerms, caps: PurposeCaps, atMs: TimeMs): GrantTerms {
  const oneTime = terms.kind === 'one_time';
  return {
    ...terms,
    dataFrom: terms.dataFrom ?? earliestDataDate(caps, atMs),
    usesMax: terms.usesMax ?? (oneTime ? 1 : caps.usesMax),
    frequency: terms.frequency ?? (oneTime ? null : caps.frequencyMax),
  };
}

/** The same terms, valid for as long, from `atMs`: consent counts from the moment it is given. */
export function startingAt(terms: GrantTerms, atMs: TimeMs): GrantTerms {
  return { ...terms, validFromMs: atMs, validUntilMs: (atMs + terms.validUntilMs - terms.validFromMs) as TimeMs };
}

/** Terms as JSON, for the consent page, token responses and receipts. Reads back to the same terms. */
export function consentDetail(terms: GrantTerms): ConsentDetail {
  return {
    type: 'veilgate_consent',
    subject: terms.subject,
    purpose: terms.purpose,
    fields: fieldList(terms.fields),
    ...(terms.dataFrom === null ? {} : { data_from: terms.dataFrom }),
    ...(terms.dataTo === null ? {} : { data_to: terms.dataTo }),
    valid_days: Math.ceil((terms.validUntilMs - terms.validFromMs) / dayMs),
    ...(terms.usesMax === null ? {} : { uses_max: terms.usesMax }),
    ...(terms.frequency === null ? {} : { frequency: terms.frequency }),
    data_life_days: terms.dataLifeDays,
    kind: terms.kind,
  };
}

/** Errors: CONSENT_INVALID when a field is named twice. */
export function fieldMap(list: readonly FieldCeiling[]): ReadonlyMap<FieldRef, ConsentCeiling> {
  const fields = new Map<FieldRef, ConsentCeiling>();
  for (const [at, { field, ceiling }] of list.entries()) {
    if (fields.has(field as FieldRef)) throw invalid(`/fields/${at}/field`, 'a field is named twice');
    fields.set(field as FieldRef, ceiling);
  }
  return fields;
}

/** In the order of the map. */
export function fieldList(fields: ReadonlyMap<FieldRef, ConsentCeiling>): FieldCeiling[] {
  return [...fields].map(([field, ceiling]) => ({ field, ceiling }));
}

/** @param why half a sentence about the rule that is broken, never about what was sent */
export function invalid(pointer: string, why: string): VeilgateError {
  return new VeilgateError('CONSENT_INVALID', `The consent terms do not hold together: ${why}; correct what detail.pointer names.`, { pointer });
}
