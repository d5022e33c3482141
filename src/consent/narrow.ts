import { dayMs } from '../calendar.ts';
import type { ConsentCeiling, FieldCeiling, FieldRef, GrantTerms, IsoDate, TimeMs } from '../vocabulary.ts';
import { frequencyWithin } from './caps.ts';
import { checkConsentChoice } from './schemas.ts';
import { fieldMap, invalid } from './terms.ts';

/**
 * What an enterprise makes of a request: the same or less of everything. A choice that would add anything is
 * refused rather than trimmed, because it is not what the enterprise was shown.
 * @param json see consent-choice.json; `{}` accepts the request as it is
 * Errors: CONSENT_INVALID with the pointer of the choice that adds.
 */
export function narrow(requested: GrantTerms, json: unknown): GrantTerms {
  const choice = checkConsentChoice(json);
  const validUntilMs = choice.valid_days === undefined ? requested.validUntilMs : ((requested.validFromMs + choice.valid_days * dayMs) as TimeMs);
  if (validUntilMs > requested.validUntilMs) throw wider('/valid_days');
  return {
    ...requested,
    fields: narrowFields(requested.fields, choice.fields),
    ...narrowPeriod(requested, choice.data_from as IsoDate | undefined, choice.data_to as IsoDate | undefined),
    validUntilMs,
    usesMax: narrowNumber('/uses_max', requested.usesMax, choice.uses_max),
    frequency: narrowFrequency(requested, choice.frequency),
    dataLifeDays: narrowNumber('/data_life_days', requested.dataLifeDays, choice.data_life_days),
  };
}

function narrowFields(requested: GrantTerms['fields'], chosen: readonly FieldCeiling[] | undefined): ReadonlyMap<FieldRef, ConsentCeiling> {
  if (chosen === undefined) return requested;
  const kept = fieldMap(chosen);
  for (const [at, { field, ceiling }] of chosen.entries()) {
    const limit = requested.get(field as FieldRef);
    if (limit === undefined) throw wider(`/fields/${at}/field`);
    if (ceiling === 'original' && limit !== 'original') throw wider(`/fields/${at}/ceiling`);
  }
  return kept;
}

function narrowPeriod(requested: GrantTerms, from: IsoDate | undefined, to: IsoDate | undefined): Pick<GrantTerms, 'dataFrom' | 'dataTo'> {
  if (from !== undefined && requested.dataFrom !== null && from < requested.dataFrom) throw wider('/data_from');
  if (to !== undefined && requested.dataTo !== null && to > requested.dataTo) throw wider('/data_to');
  const dataFrom = from ?? requested.dataFrom;
  const dataTo = to ?? requested.dataTo;
  if (dataFrom !== null && dataTo !== null && dataTo < dataFrom) throw invalid(to === undefined ? '/data_from' : '/data_to', 'the data period ends before it starts');
  return { dataFrom, dataTo };
}

function narrowFrequency(requested: GrantTerms, chosen: GrantTerms['frequency'] | undefined): GrantTerms['frequency'] {
  if (chosen === undefined || chosen === null) return requested.frequency;
  if (requested.kind === 'one_time') throw invalid('/frequency', 'a one-time grant has no frequency');
  if (requested.frequency !== null && !frequencyWithin(chosen, requested.frequency, null)) throw wider('/frequency');
  return chosen;
}

function narrowNumber<Limit extends number | null>(pointer: string, limit: Limit, chosen: number | undefined): Limit | number {
  if (chosen === undefined) return limit;
  if (limit !== null && chosen > limit) throw wider(pointer);
  return chosen;
}

function wider(pointer: string) {
  return invalid(pointer, 'a choice can only reduce what was asked for');
}
