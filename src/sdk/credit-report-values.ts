import type { Value } from '../vocabulary.ts';
import type { OpenedValue } from './bank.ts';
import type { FieldView } from './catalogue.ts';
import type { ReportTexts } from './credit-report-texts.ts';

/** A disclosed value as people read it: codes in words, cents as yuan, bands by their edges. */
export function valueText(value: OpenedValue, field: FieldView | undefined, t: ReportTexts): string {
  switch (value.kind) {
    case 'absent': return t.noValue;
    case 'banded': return bandText(value.from, value.to, field, t);
    default: return plainText(value.value, field, t);
  }
}

/** A value as it is claimed or stored. */
export function plainText(value: Value, field: FieldView | undefined, t: ReportTexts): string {
  if (value === null) return t.noValue;
  if (typeof value === 'boolean') return value ? t.yes : t.no;
  if (typeof value === 'number') return amountText(value, field);
  const meaning = field?.codes !== undefined && Object.hasOwn(field.codes, value) ? field.codes[value] : undefined;
  return meaning === undefined || meaning === value ? value : `${value} ${meaning}`;
}

function bandText(from: number | null, to: number | null, field: FieldView | undefined, t: ReportTexts): string {
  if (from === null) return to === null ? t.openEnd : t.below(amountText(to, field));
  return to === null ? t.from(amountText(from, field)) : t.band(amountText(from, field), amountText(to, field));
}

const cents = 'CNY cent';

function amountText(amount: number, field: FieldView | undefined): string {
  const { unit } = field ?? {};
  if (unit === cents && Number.isSafeInteger(amount)) return `${amount < 0 ? '-' : ''}¥${grouped(String(Math.trunc(Math.abs(amount) / 100)))}.${String(Math.abs(amount) % 100).padStart(2, '0')}`;
  const [whole = '', fraction] = String(amount).split('.');
  return `${grouped(whole)}${fraction === undefined ? '' : `.${fraction}`}${unit === undefined ? '' : ` ${unit}`}`;
}

/** Thousands apart; written out because locales differ from machine to machine, and a page must be the same everywhere. */
function grouped(digits: string): string {
  return digits.replaceAll(/(?<=\d)(?=(?:\d{3})+$)/g, ',');
}
