import type { DatasetView, FieldView } from '../../sdk/catalogue.ts';
import { Button } from '../parts/button.tsx';
import { FieldRow, Select, TextField } from '../parts/fields.tsx';
import { useTexts, useWords } from '../shell/language.tsx';
import { datasetOf, isRowLimit, noRowChoice, rowConditionsMax, type Draft, type Picked, type RowChoice, type RowCondition } from './query-draft.ts';
import { queryTexts } from './query-texts.ts';
import { TypedField } from './typed-value.tsx';

const ordered = new Set(['integer', 'decimal', 'date']);

/** Which records, for each dataset that has more than one of an enterprise and of which fields are read. */
export function RowPicker({ datasets, picked, rows, onChange }: { readonly datasets: readonly DatasetView[]; readonly picked: Picked; readonly rows: Draft['rows']; readonly onChange: (rows: Draft['rows']) => void }) {
  const t = useTexts(queryTexts);
  const words = useWords();
  const read = picked.filter(({ use }) => use === 'read').map(({ field }) => field);
  const verified = new Set(picked.filter(({ use }) => use === 'verify').map(({ field }) => datasetOf(field)));
  return datasets.filter(({ rows: kind, fields }) => kind !== 'one' && fields.some(({ field }) => read.includes(field))).map((dataset) => (
    <details key={dataset.id} className="pick-rows">
      <summary>{t('rows', { dataset: words(dataset.title) })}</summary>
      {verified.has(dataset.id)
        ? <p className="hint">{t('rowsOfVerified', { dataset: words(dataset.title) })}</p>
        : <DatasetRows fields={dataset.fields.filter(({ field }) => read.includes(field))} choice={rows[dataset.id] ?? noRowChoice} onChange={(choice) => onChange({ ...rows, [dataset.id]: choice })} />}
    </details>
  ));
}

function DatasetRows({ fields, choice, onChange }: { readonly fields: readonly FieldView[]; readonly choice: RowChoice; readonly onChange: (choice: RowChoice) => void }) {
  const t = useTexts(queryTexts);
  const words = useWords();
  const conditions = choice.conditions.filter((condition) => fields.some(({ field }) => field === condition.field));
  const replace = (at: number, changed: RowCondition) => onChange({ ...choice, conditions: conditions.map((each, index) => (index === at ? changed : each)) });
  const [first] = fields;
  return (
    <>
      <p className="hint">{t('rowsLead')}</p>
      {conditions.map((condition, at) => (
        <Condition key={at} number={at + 1} fields={fields} condition={condition} onChange={(changed) => replace(at, changed)} onRemove={() => onChange({ ...choice, conditions: conditions.filter((_, index) => index !== at) })} />
      ))}
      {first !== undefined && conditions.length < rowConditionsMax && <p><Button onPress={() => onChange({ ...choice, conditions: [...conditions, { field: first.field, op: 'eq', value: '' }] })}>{t('addCondition')}</Button></p>}
      <FieldRow>
        <Select label={t('sortBy')} value={choice.sortBy} onChange={(sortBy) => onChange({ ...choice, sortBy })} options={[{ value: '', label: t('latestFirst') }, ...fields.map(({ field, title }) => ({ value: field, label: words(title) }))]} />
        {choice.sortBy !== '' && <Select label={t('direction')} value={choice.direction} onChange={(direction) => onChange({ ...choice, direction })} options={[{ value: 'asc', label: t('asc') }, { value: 'desc', label: t('desc') }]} />}
        <TextField label={t('limit')} value={choice.limit} onChange={(limit) => onChange({ ...choice, limit })} maxLength={3} error={isRowLimit(choice.limit) ? undefined : t('limitWrong')} />
      </FieldRow>
    </>
  );
}

type ConditionProps = { readonly number: number; readonly fields: readonly FieldView[]; readonly condition: RowCondition; readonly onChange: (condition: RowCondition) => void; readonly onRemove: () => void };

function Condition({ number, fields, condition, onChange, onRemove }: ConditionProps) {
  const t = useTexts(queryTexts);
  const words = useWords();
  const field = fields.find((each) => each.field === condition.field);
  if (field === undefined) return null;
  const operators = ordered.has(field.type) ? (['eq', 'gte', 'lte'] as const) : (['eq'] as const);
  return (
    <fieldset className="condition">
      <legend className="unseen">{t('condition', { number })}</legend>
      <FieldRow>
        <Select label={t('condition', { number })} value={condition.field} onChange={(chosen) => onChange({ field: chosen, op: 'eq', value: '' })} options={fields.map((each) => ({ value: each.field, label: words(each.title) }))} />
        <Select label={t('compares')} value={condition.op} onChange={(op) => onChange({ ...condition, op })} options={operators.map((op) => ({ value: op, label: t(op) }))} />
        <TypedField label={t('value')} field={field} value={condition.value} onChange={(value) => onChange({ ...condition, value })} />
      </FieldRow>
      <Button look="quiet" onPress={onRemove}>{t('removeCondition', { field: words(field.title) })}</Button>
    </fieldset>
  );
}
