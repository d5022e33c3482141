import { Fragment, useState } from 'react';
import type { PolicyPurposeEdit, PolicyPurposeView } from '../../sdk/policy-purposes.ts';
import { Button } from '../parts/button.tsx';
import { Checkbox, FieldRow, Select, TextField } from '../parts/fields.tsx';
import { GoodNote, WarningNote } from '../parts/notes.tsx';
import { Section } from '../parts/page.tsx';
import { useTexts } from '../shell/language.tsx';
import { useDraft } from './draft.ts';
import { gridTexts } from './grid-texts.ts';
import { PurposeEffect } from './purpose-effect.tsx';
import { editOf, faultsOf, formOf, limitNames, type PurposeFault, type PurposeForm } from './purpose-form.ts';
import { PurposeMinimum } from './purpose-minimum.tsx';
import { purposeTexts } from './purpose-texts.ts';

type Props = { readonly view: PolicyPurposeView; readonly isNew?: boolean };

/** Changes a purpose in the draft; what it does is shown while one fills it in. */
export function PurposeEditor({ view, isNew = false }: Props) {
  const t = useTexts(purposeTexts);
  const { draft, setPurpose, removePurpose } = useDraft();
  const mine = draft.purposes.find(({ purpose }) => purpose === view.purpose);
  const [form, setForm] = useState<PurposeForm>(() => formOf(view, mine));
  const [said, setSaid] = useState<'kept' | 'nothingChanges'>();
  const [shown, setShown] = useState(!isNew);
  const faults = faultsOf(form, view);
  const edit = faults.length === 0 ? editOf(form, view, isNew) : undefined;
  const change = (part: Partial<PurposeForm>) => { setForm({ ...form, ...part }); setSaid(undefined); };
  const keep = (wanted: PolicyPurposeEdit | undefined) => {
    setShown(true);
    if (faults.length > 0) return;
    if (wanted === undefined) {
      if (mine !== undefined) removePurpose(view.purpose);
      setSaid('nothingChanges');
    } else {
      setPurpose(wanted, view.version);
      setSaid('kept');
    }
  };
  const undo = () => { removePurpose(view.purpose); setForm(formOf(view)); setSaid(undefined); };
  return (
    <form onSubmit={(event) => { event.preventDefault(); keep(edit); }}>
      {mine !== undefined && <WarningNote><p>{t('inDraft')} <Button look="quiet" onPress={undo}>{t('removeFromDraft')}</Button></p></WarningNote>}
      <Naming form={form} faults={shown ? faults : []} onChange={change} />
      <Limits form={form} faults={faults} view={view} onChange={change} />
      <PurposeMinimum view={view} chosen={form.minimum} isMissing={shown && faults.includes('minimum')} onChange={(minimum) => change({ minimum })} />
      <PurposeEffect version={view.version} edit={edit} hasFaults={faults.length > 0} />
      {said === 'kept' && <GoodNote><p>{t('kept')}</p></GoodNote>}
      {said === 'nothingChanges' && <p className="field-error" role="alert">{t('nothingChanges')}</p>}
      {shown && faults.length > 0 && <p className="field-error" role="alert">{t('effectFaults')}</p>}
      <p className="buttons"><Button type="submit" look="primary">{t('toDraft')}</Button></p>
    </form>
  );
}

type PartProps = { readonly form: PurposeForm; readonly faults: readonly PurposeFault[]; readonly onChange: (part: Partial<PurposeForm>) => void };

function Naming({ form: { title, description }, faults, onChange }: PartProps) {
  const t = useTexts(purposeTexts);
  const error = (name: 'title' | 'description', text: string) => (faults.includes(name) && text.trim() === '' ? t('needText') : undefined);
  return (
    <Section title={t('naming')}>
      <FieldRow>
        <TextField label={t('titleZh')} required maxLength={500} value={title.zh} onChange={(zh) => onChange({ title: { ...title, zh } })} error={error('title', title.zh)} />
        <TextField label={t('titleEn')} required maxLength={500} value={title.en} onChange={(en) => onChange({ title: { ...title, en } })} error={error('title', title.en)} />
      </FieldRow>
      <FieldRow>
        <TextField label={t('descriptionZh')} required lines={3} maxLength={500} value={description.zh} onChange={(zh) => onChange({ description: { ...description, zh } })}
          error={error('description', description.zh)} />
        <TextField label={t('descriptionEn')} required lines={3} maxLength={500} value={description.en} onChange={(en) => onChange({ description: { ...description, en } })}
          error={error('description', description.en)} />
      </FieldRow>
    </Section>
  );
}

const units = { validity_days_max: 'days', uses_max: 'times', frequency_max: 'times', data_life_days_max: 'days', data_period_years_max: 'years', attempts_max: 'times' } as const;
const periods = ['day', 'week', 'month'] as const;
const kinds = ['one_time', 'periodic'] as const;
const uses = ['read', 'verify', 'score', 'aggregate'] as const;

function Limits({ form, faults, view, onChange }: PartProps & { readonly view: PolicyPurposeView }) {
  const t = useTexts(purposeTexts);
  const g = useTexts(gridTexts);
  const ticked = <Name extends string>(all: readonly Name[], now: readonly Name[], one: Name, on: boolean) => all.filter((each) => (each === one ? on : now.includes(each)));
  return (
    <Section title={t('caps')}>
      <div className="limit-fields">
        {limitNames.map((name) => (
          <Fragment key={name}>
            <TextField type="number" label={t(name)} hint={t(units[name], view.bounds[name])} value={form.limits[name]} error={faults.includes(name) ? t('range', view.bounds[name]) : undefined}
              onChange={(value) => onChange({ limits: { ...form.limits, [name]: value } })} />
            {name === 'frequency_max' && <Select label={`${t('frequency_max')}: ${t('per')}`} value={form.per} options={periods.map((value) => ({ value, label: t(value) }))}
              onChange={(per) => onChange({ per })} />}
          </Fragment>
        ))}
      </div>
      <fieldset>
        <legend>{t('kinds')}</legend>
        <div className="tick-list">{kinds.map((kind) => <Checkbox key={kind} value={form.kinds.includes(kind)}
          onChange={(on) => onChange({ kinds: ticked(kinds, form.kinds, kind, on) })}>{t(kind)}</Checkbox>)}</div>
        {faults.includes('kinds') && <p className="field-error">{t('needOne')}</p>}
      </fieldset>
      <fieldset>
        <legend>{t('usesAllowed')}</legend>
        <p className="hint">{t('usesHint')}</p>
        <div className="tick-list">{uses.map((use) => <Checkbox key={use} value={form.uses.includes(use)} onChange={(on) => onChange({ uses: ticked(uses, form.uses, use, on) })}>{g(use)}</Checkbox>)}</div>
        {faults.includes('uses') && <p className="field-error">{t('needOne')}</p>}
      </fieldset>
    </Section>
  );
}
