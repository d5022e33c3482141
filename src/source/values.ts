import type { Dataset, Field, Value } from '../vocabulary.ts';
import { isUscc } from '../uscc.ts';
import { wholePattern } from './catalogue.ts';

/** Why a value or a row was not taken. Stable words; docs/formats/records.md explains them. */
export type RejectReason =
  | 'missing' // required, but empty
  | 'type' // not of the field's type
  | 'length' // longer than maxLength
  | 'pattern' // does not match the field's pattern
  | 'range' // below min or above max
  | 'scale' // more digits after the point than the field holds, or too many for a JSON number
  | 'code' // not in the code list
  | 'check_digit' // the number contradicts its own check digit
  | 'text' // holds a character no text may hold: NUL or half a surrogate pair
  | 'unknown_field' // the row has a field the dataset has not
  | 'columns' // the row has more or fewer columns than the header
  | 'json' // the line is not one flat JSON object
  | 'duplicate'; // an earlier row of the file has the same key

/** A fault in a value; a class of its own because a value may be a string too. */
export class Fault {
  readonly reason: RejectReason;
  constructor(reason: RejectReason) {
    this.reason = reason;
  }
}

const faults = {
  missing: new Fault('missing'), type: new Fault('type'), length: new Fault('length'), pattern: new Fault('pattern'),
  range: new Fault('range'), scale: new Fault('scale'), code: new Fault('code'), check_digit: new Fault('check_digit'), text: new Fault('text'),
} as const;

/** Turns what a file holds into the vocabulary's Value, or says why not. Neither empty text nor null is a value. */
export type ValueReader = (raw: unknown) => Value | Fault;

/**
 * The reader of one field. CSV gives text for every type; NDJSON gives JSON types, and text for decimals too,
 * because a JSON number cannot hold more than 15 digits.
 */
export function valueReader(field: Field, source: 'csv' | 'ndjson'): ValueReader {
  const read = typeReader(field, source);
  return (raw) => {
    if (raw === null || raw === undefined || raw === '') return field.required ? faults.missing : null;
    return read(raw);
  };
}

/** The reader of `subject`. */
export function readSubject(raw: unknown): string | Fault {
  if (raw === null || raw === undefined || raw === '') return faults.missing;
  if (typeof raw !== 'string') return faults.type;
  return isUscc(raw) ? raw : faults.check_digit;
}

/** One reader for each field of the dataset, in catalogue order. */
export function datasetReaders(dataset: Dataset, source: 'csv' | 'ndjson'): readonly ValueReader[] {
  return dataset.fields.map((field) => valueReader(field, source));
}

function typeReader(field: Field, source: 'csv' | 'ndjson'): ValueReader {
  switch (field.type) {
    case 'text':
      return textReader(field);
    case 'code': {
      const codes = new Set(Object.keys(field.codes ?? {}));
      return (raw) => (typeof raw !== 'string' ? faults.type : codes.has(raw) ? raw : faults.code);
    }
    case 'integer':
      return integerReader(field, source);
    case 'decimal':
      return decimalReader(field, source);
    case 'date':
      return (raw) => (typeof raw === 'string' && isDate(raw) ? raw : faults.type);
    case 'boolean':
      if (source === 'ndjson') return (raw) => (typeof raw === 'boolean' ? raw : faults.type);
      return (raw) => (raw === 'true' ? true : raw === 'false' ? false : faults.type);
    default:
      return field.type satisfies never;
  }
}

function textReader(field: Field): ValueReader {
  const lengthMax = field.maxLength ?? 0;
  const pattern = field.pattern === undefined ? undefined : wholePattern(field.pattern);
  const check = field.check === undefined ? undefined : field.check === 'uscc' ? isUscc : isIdentityNumber;
  return (raw) => {
    if (typeof raw !== 'string') return faults.type;
    // length first: a pattern never sees more than maxLength characters
    if (raw.length > lengthMax && (raw.length > lengthMax * 2 || characters(raw) > lengthMax)) return faults.length;
    if (!isStorableText(raw)) return faults.text;
    if (pattern !== undefined && !pattern.test(raw)) return faults.pattern;
    if (check !== undefined && !check(raw)) return faults.check_digit;
    return raw;
  };
}

/** PostgreSQL text cannot hold NUL, and UTF-8 cannot hold half a surrogate pair: it would come back as another text. */
export function isStorableText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

const integerText = /^(?:0|-?[1-9]\d{0,15})$/;

function integerReader(field: Field, source: 'csv' | 'ndjson'): ValueReader {
  const min = field.min ?? Number.MIN_SAFE_INTEGER;
  const max = field.max ?? Number.MAX_SAFE_INTEGER;
  return (raw) => {
    let value: number;
    if (source === 'csv') {
      if (typeof raw !== 'string' || !integerText.test(raw)) return faults.type;
      value = Number(raw);
    } else {
      if (typeof raw !== 'number') return faults.type;
      value = raw === 0 ? 0 : raw; // -0 is 0
    }
    if (!Number.isSafeInteger(value)) return faults.type;
    return value < min || value > max ? faults.range : value;
  };
}

const decimalText = /^(-?)(0|[1-9]\d{0,15})(?:\.(\d+))?$/;
/** Digits a JSON number carries without loss. */
const numberDigits = 15;

function decimalReader(field: Field, source: 'csv' | 'ndjson'): ValueReader {
  const scale = field.scale ?? 0;
  const min = scaled((field.min ?? -1e15).toFixed(scale));
  const max = scaled((field.max ?? 1e15).toFixed(scale));
  return (raw) => {
    if (typeof raw !== 'string' && (source === 'csv' || typeof raw !== 'number')) return faults.type;
    const parts = decimalText.exec(String(raw));
    if (parts === null) return faults.type;
    const [, sign = '', whole = '', fraction = ''] = parts;
    if (fraction.length > scale) return faults.scale;
    if (typeof raw === 'number' && `${whole}${fraction}`.replace(/^0+/, '').length > numberDigits) return faults.scale;
    const digits = `${whole}.${fraction.padEnd(scale, '0')}`;
    const text = /[1-9]/.test(digits) ? `${sign}${digits}` : digits;
    const value = scaled(text);
    return value < min || value > max ? faults.range : text;
  };
}

/** A decimal text with a fixed number of digits after the point as a whole number of its last digit. */
function scaled(text: string): bigint {
  return BigInt(text.replace('.', ''));
}

const dateText = /^(1[89]\d{2}|2[01]\d{2})-(\d{2})-(\d{2})$/;
const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** A day of the Gregorian calendar from 1800 to 2199, `YYYY-MM-DD`. */
export function isDate(text: string): boolean {
  const parts = dateText.exec(text);
  if (parts === null) return false;
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day >= 1 && day <= (monthDays[month - 1] ?? 0) + (leap ? 1 : 0);
}

const identityWeights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2] as const;

/** Resident identity number, GB 11643-1999: 17 digits with a birth date inside, and an ISO 7064 MOD 11-2 check digit. */
export function isIdentityNumber(text: string): boolean {
  if (!/^\d{17}[\dX]$/.test(text)) return false;
  if (!isDate(`${text.slice(6, 10)}-${text.slice(10, 12)}-${text.slice(12, 14)}`)) return false;
  return identityCheckDigit(text.slice(0, 17)) === text.charAt(17);
}

/** @param first17 17 digits */
export function identityCheckDigit(first17: string): string {
  let sum = 0;
  for (let at = 0; at < identityWeights.length; at += 1) sum += Number(first17.charAt(at)) * (identityWeights[at] as number);
  return '10X98765432'.charAt(sum % 11);
}
