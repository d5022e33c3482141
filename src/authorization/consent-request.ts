import { Ajv } from 'ajv';
import { dayMs } from '../calendar.ts';
import { VeilgateError } from '../errors.ts';
import { isUscc } from '../uscc.ts';
import type { AskedTerms, ConsentCeiling, FieldRef, GrantTerms, InstitutionId, IsoDate, PurposeCode, TimeMs } from '../vocabulary.ts';
import { consentType } from './clients.ts';

/** The `authorization_details` object of a consent request, as the bank sends it. */
export type ConsentRequest = AskedTerms & { readonly type: typeof consentType };

/** Most fields one request may name. */
export const fieldsMax = 200;
/** Longest validity and data life that can be written; policy caps them lower. */
export const daysMax = 3660;
export const usesMax = 1_000_000;

const date = { type: 'string', pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' };
const days = { type: 'integer', minimum: 1, maximum: daysMax };

/** JSON Schema of one consent request; also what docs/formats/authorization.md shows. */
export const consentRequestSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['type', 'subject', 'purpose', 'fields', 'valid_days', 'data_life_days', 'kind'],
  properties: {
    type: { const: consentType },
    subject: { type: 'string', minLength: 18, maxLength: 18 },
    purpose: { type: 'string', pattern: '^[a-z][a-z0-9_]{0,63}$' },
    fields: {
      type: 'array',
      minItems: 1,
      maxItems: fieldsMax,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['field', 'ceiling'],
        properties: {
          field: { type: 'string', maxLength: 129, pattern: '^[a-z][a-z0-9_]{0,63}\\.[a-z][a-z0-9_]{0,63}$' },
          ceiling: { enum: ['original', 'desensitised'] },
        },
      },
    },
    data_from: date,
    data_to: date,
    valid_days: days,
    uses_max: { type: 'integer', minimum: 1, maximum: usesMax },
    frequency: {
      type: 'object',
      additionalProperties: false,
      required: ['max', 'per'],
      properties: { max: { type: 'integer', minimum: 1, maximum: usesMax }, per: { enum: ['day', 'week', 'month'] } },
    },
    data_life_days: days,
    kind: { enum: ['one_time', 'periodic'] },
  },
} as const;

const check = new Ajv({ allErrors: false, strict: true }).compile<ConsentRequest>(consentRequestSchema);

/** Checks the shape. Errors: CONSENT_INVALID with the JSON pointer of the first fault. */
export function parseConsentRequest(detail: unknown): ConsentRequest {
  if (!check(detail)) {
    const fault = check.errors?.[0];
    throw invalid(`The consent request is not well formed at ${fault?.instancePath || '/'}: it ${fault?.message ?? 'does not fit the schema'}.`, fault?.instancePath);
  }
  if (!isUscc(detail.subject)) throw invalid('The consent request names no unified social credit code with a right check digit.', '/subject');
  const refs = new Set(detail.fields.map(({ field }) => field));
  if (refs.size !== detail.fields.length) throw invalid('The consent request names a field twice.', '/fields');
  for (const [name, value] of [['data_from', detail.data_from], ['data_to', detail.data_to]] as const) {
    if (value !== undefined && !isCalendarDay(value)) throw invalid('The consent request holds a day that no calendar has.', `/${name}`);
  }
  if (detail.data_from !== undefined && detail.data_to !== undefined && detail.data_from > detail.data_to) {
    throw invalid('The data period of the consent request ends before it begins.', '/data_to');
  }
  return detail;
}

/** The request as terms of a grant that would start at `startMs`. */
export function termsOf(request: ConsentRequest, institution: string, startMs: TimeMs): GrantTerms {
  const subject = request.subject;
  if (!isUscc(subject)) throw invalid('The consent request names no unified social credit code with a right check digit.', '/subject');
  return {
    subject,
    institution: institution as InstitutionId,
    purpose: request.purpose as PurposeCode,
    fields: new Map(request.fields.map(({ field, ceiling }) => [field as FieldRef, ceiling])),
    dataFrom: (request.data_from ?? null) as IsoDate | null,
    dataTo: (request.data_to ?? null) as IsoDate | null,
    validFromMs: startMs,
    validUntilMs: (startMs + request.valid_days * dayMs) as TimeMs,
    kind: request.kind,
    usesMax: request.uses_max ?? null,
    frequency: request.frequency ?? null,
    dataLifeDays: request.data_life_days,
  };
}

/** The request with what `complete` adds to its terms: what the representative sees and agrees to. */
export function completed(request: ConsentRequest, institution: string, startMs: TimeMs, complete: (terms: GrantTerms) => GrantTerms): ConsentRequest {
  const { dataFrom, usesMax: uses, frequency } = complete(termsOf(request, institution, startMs));
  return {
    ...request,
    ...(dataFrom === null ? {} : { data_from: dataFrom }),
    ...(uses === null ? {} : { uses_max: uses }),
    ...(frequency === null ? {} : { frequency }),
  };
}

/** What the representative left of a request: a subset, lower ceilings, fewer days, fewer uses. */
export type Narrowing = {
  readonly fields: ReadonlyMap<string, ConsentCeiling>;
  readonly validDays: number;
  /** null keeps the request's number. */
  readonly usesMax: number | null;
};

/**
 * The request cut down as the representative wished. A form can only take away:
 * anything that adds to the request is refused. Errors: CONSENT_INVALID.
 */
export function narrowed(request: ConsentRequest, wish: Narrowing): ConsentRequest {
  const fields = request.fields.flatMap(({ field, ceiling }) => {
    const wished = wish.fields.get(field);
    if (wished === undefined) return [];
    if (wished === 'original' && ceiling !== 'original') throw beyond('tampered', 'Nobody asked for the original value of a field that was chosen so: start again from the institution\'s page.');
    return [{ field, ceiling: wished }];
  });
  if (fields.length === 0) throw beyond('fields', 'Tick at least one field, or decline.');
  if (fields.length !== wish.fields.size) throw beyond('tampered', 'A field was ticked that nobody asked for: start again from the institution\'s page.');
  if (!Number.isSafeInteger(wish.validDays) || wish.validDays < 1 || wish.validDays > request.valid_days) {
    throw beyond('days', `The number of days must be between 1 and ${request.valid_days}.`, request.valid_days);
  }
  const most = request.uses_max ?? usesMax;
  if (wish.usesMax !== null && (!Number.isSafeInteger(wish.usesMax) || wish.usesMax < 1 || wish.usesMax > most)) {
    throw beyond('uses', `The number of answers must be between 1 and ${most}.`, most);
  }
  const uses = wish.usesMax ?? request.uses_max;
  return { ...request, fields, valid_days: wish.validDays, ...(uses === undefined ? {} : { uses_max: uses }) };
}

function isCalendarDay(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/** Why a narrowing was refused; the pages have a sentence for each in each language. */
export type NarrowingFault = 'agree' | 'fields' | 'tampered' | 'days' | 'uses';

export function beyond(reason: NarrowingFault, message: string, most?: number): VeilgateError {
  return new VeilgateError('CONSENT_INVALID', message, { reason, ...(most === undefined ? {} : { most }) });
}

function invalid(message: string, pointer?: string): VeilgateError {
  return new VeilgateError('CONSENT_INVALID', message, pointer === undefined ? undefined : { pointer });
}
