import type { FieldView } from '../../sdk/catalogue.ts';
import { reportTexts } from '../../sdk/credit-report-texts.ts';
import { plainText } from '../../sdk/credit-report-values.ts';
import type { Value } from '../../vocabulary.ts';
import { Select, TextField } from '../parts/fields.tsx';
import { useLanguage, useTexts } from '../shell/language.tsx';
import { queryTexts } from './query-texts.ts';

const textLengthMax = 500;

/** What was typed as the value of a field of this type. @returns undefined when it is none: nothing typed, or not of the type */
export function typedValue(text: string, { type }: Pick<FieldView, 'type'>): Exclude<Value, null> | undefined {
  const typed = text.trim();
  switch (type) {
    case 'integer': return /^-?\d{1,15}$/.test(typed) ? Number(typed) : undefined;
    case 'decimal': return /^-?\d{1,15}(\.\d{1,10})?$/.test(typed) ? typed : undefined;
    case 'date': return /^\d{4}-\d{2}-\d{2}$/.test(typed) ? typed : undefined;
    case 'boolean': return typed === 'true' ? true : typed === 'false' ? false : undefined;
    default: return typed === '' ? undefined : typed;
  }
}

const complaints = { integer: 'numberWrong', decimal: 'decimalWrong', date: 'dateWrong' } as const;

type TypedFieldProps = { readonly label: string; readonly field: FieldView; readonly value: string; readonly onChange: (value: string) => void };

/** Asks for a value as the field has them: a code from its list, a date, a number with its unit. */
export function TypedField({ label, field, value, onChange }: TypedFieldProps) {
  const t = useTexts(queryTexts);
  const none = { value: '', label: t('notChosen') };
  if (field.codes !== undefined) {
    return <Select label={label} value={value} onChange={onChange} options={[none, ...Object.entries(field.codes).map(([code, meaning]) => ({ value: code, label: meaning === code ? code : `${code} ${meaning}` }))]} />;
  }
  if (field.type === 'boolean') return <Select label={label} value={value} onChange={onChange} options={[none, { value: 'true', label: t('yes') }, { value: 'false', label: t('no') }]} />;
  return <TypedLine label={label} field={field} value={value} onChange={onChange} />;
}

function TypedLine({ label, field, value, onChange }: TypedFieldProps) {
  const t = useTexts(queryTexts);
  const { language } = useLanguage();
  const read = typedValue(value, field);
  const complaint = Object.entries(complaints).find(([type]) => type === field.type)?.[1];
  const error = value.trim() === '' || read !== undefined || complaint === undefined ? undefined : t(complaint);
  const amount = typeof read === 'number' && field.unit !== undefined ? plainText(read, field, reportTexts[language]) : undefined;
  const hint = field.unit === undefined ? undefined : amount === undefined ? t('unit', { unit: field.unit }) : `${t('unit', { unit: field.unit })} · ${t('means', { amount })}`;
  return <TextField label={label} value={value} onChange={onChange} maxLength={textLengthMax} type={field.type === 'date' ? 'date' : 'text'} error={error} {...(hint === undefined ? {} : { hint })} />;
}
