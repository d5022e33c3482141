import type { GrantOfferView, TermsInWords } from '../../sdk/grant-requests.ts';
import type { ConsentCeiling } from '../../vocabulary.ts';
import { Button } from '../parts/button.tsx';
import { Checkbox, FieldRow, TextField } from '../parts/fields.tsx';
import { useFormats, useLanguage, useTexts } from '../shell/language.tsx';
import { limitsOf, type Draft, type DraftFaults } from './request-draft.ts';
import { requestTexts } from './request-texts.ts';
import '../style/enterprise.css';

type Chosen = ConsentCeiling | 'out';
type ChoicesProps = {
  readonly offer: GrantOfferView; readonly draft: Draft; readonly onChange: (draft: Draft) => void;
  /** Undefined until somebody tried to send. */
  readonly faults: DraftFaults | undefined;
};

/** Narrows a request: field by field, and in time. */
export function RequestChoices({ offer, draft, onChange, faults }: ChoicesProps) {
  const t = useTexts(requestTexts);
  const { language } = useLanguage();
  const asked = new Map(offer.terms.fields.map(({ field, ceiling }) => [field, ceiling]));
  const set = (field: string, chosen: Chosen) => onChange({ ...draft, fields: { ...draft.fields, [field]: chosen } });
  const setAll = (chosenOf: (asked: ConsentCeiling) => Chosen) => onChange({ ...draft, fields: Object.fromEntries([...asked].map(([field, ceiling]) => [field, chosenOf(ceiling)])) });
  return (
    <>
      <div className="buttons">
        <Button onPress={() => setAll((ceiling) => ceiling)}>{t('allIn')}</Button>
        <Button onPress={() => setAll(() => 'desensitised')}>{t('allDesensitised')}</Button>
        <Button onPress={() => setAll(() => 'out')}>{t('allOut')}</Button>
      </div>
      {[...Map.groupBy(offer.description[language].fields, ({ dataset }) => dataset)].map(([dataset, fields]) => (
        <fieldset key={dataset} className="choice-group">
          <legend>{dataset}</legend>
          {fields.map((field) => (
            <FieldChoice key={field.ref} field={field} asked={asked.get(field.ref) ?? 'desensitised'} chosen={draft.fields[field.ref] ?? 'out'} onChange={(chosen) => set(field.ref, chosen)} />
          ))}
        </fieldset>
      ))}
      <h3>{t('limits')}</h3>
      <Limits offer={offer} draft={draft} onChange={onChange} faults={faults} />
    </>
  );
}

type FieldChoiceProps = { readonly field: TermsInWords['fields'][number]; readonly asked: ConsentCeiling; readonly chosen: Chosen; readonly onChange: (chosen: Chosen) => void };

function FieldChoice({ field, asked, chosen, onChange }: FieldChoiceProps) {
  const t = useTexts(requestTexts);
  return (
    <div className="field-choice">
      <div className="buttons">
        <Checkbox value={chosen !== 'out'} onChange={(taken) => onChange(taken ? asked : 'out')}>{field.title}</Checkbox>
        {asked === 'original' && chosen !== 'out' && (
          <Checkbox value={chosen === 'desensitised'} onChange={(only) => onChange(only ? 'desensitised' : 'original')}>{t('only')} <span className="unseen">{field.title}</span></Checkbox>
        )}
      </div>
      <p className="hint">
        {chosen === 'out' ? t('left') : t('gets', { gets: field.gets[chosen] })} <span className="classification">{t('classification', { classification: field.classification })}</span>
      </p>
    </div>
  );
}

function Limits({ offer, draft, onChange, faults }: ChoicesProps) {
  const t = useTexts(requestTexts);
  const { number, day } = useFormats();
  const limits = limitsOf(offer.terms);
  const { frequency, data_from: earliest, uses_max: usesMax } = offer.terms;
  const within = (max: number) => t('within', { min: 1, max: number(max) });
  const frequencyLabel = { day: 'frequencyDay', week: 'frequencyWeek', month: 'frequencyMonth' } as const;
  const limit = (name: keyof typeof limits, label: string, hint = within(limits[name])) => (
    <TextField
      label={label} type="number" value={draft[name]} onChange={(value) => onChange({ ...draft, [name]: value })} hint={hint}
      error={faults?.[name] === true ? within(limits[name]) : undefined}
    />
  );
  return (
    <FieldRow>
      {limit('validDays', t('validDays'))}
      {limit('usesMax', t('usesMax'), usesMax === undefined ? t('usesOpen') : undefined)}
      {frequency !== undefined && limit('frequencyMax', t(frequencyLabel[frequency.per]))}
      {limit('lifeDays', t('lifeDays'))}
      {earliest !== undefined && <TextField
        label={t('dataFrom')} type="date" value={draft.dataFrom} onChange={(dataFrom) => onChange({ ...draft, dataFrom })}
        hint={t('notBefore', { day: day(earliest) })} error={faults?.dataFrom === true ? t('notBefore', { day: day(earliest) }) : undefined}
      />}
    </FieldRow>
  );
}
