import { useState } from 'react';
import type { PolicyCellView, PolicyMethod, PolicyOffer, PolicyOpening, PolicyTier } from '../../sdk/policy-cells.ts';
import { FieldRow, Select, TextField } from '../parts/fields.tsx';
import { useTexts } from '../shell/language.tsx';
import { cellTexts } from './cell-texts.ts';
import { methodOf, offersAt, openingKey, openingText, withMethod, type Choice } from './openings.ts';

type Props = {
  readonly tier: PolicyTier; readonly label: string; readonly offers: readonly PolicyOffer[]; readonly field: PolicyCellView['field'];
  readonly choice: Choice; readonly opening: PolicyOpening | undefined; readonly onChange: (choice: Choice, opening: PolicyOpening | undefined) => void;
};

/** What one reach of consent is to open: only what the policy may say of this field, with its parameters. */
export function OpeningFields({ tier, label, offers, field, choice, opening, onChange }: Props) {
  const t = useTexts(cellTexts);
  const offered = offersAt(offers, tier);
  const options = [
    { value: 'keep', label: t('keep') }, { value: 'nothing', label: t(tier === 'original' ? 'sameAsDesensitised' : 'nothing') },
    ...offered.map(({ opening: each }) => ({ value: openingKey(each), label: t(openingText(each)) })),
  ];
  const choose = (value: string) => onChange(value, offered.find(({ opening: each }) => openingKey(each) === value)?.opening);
  return (
    <>
      <Select label={label} value={choice} options={options} onChange={choose} />
      {opening !== undefined && <Parameters opening={opening} field={field} onChange={(method) => onChange(choice, withMethod(opening, method))} />}
    </>
  );
}

const alphabets = ['digits', 'alphanumeric'] as const;

type ParameterProps = { readonly opening: PolicyOpening; readonly field: PolicyCellView['field']; readonly onChange: (method: PolicyMethod) => void };

function Parameters({ opening, field, onChange }: ParameterProps) {
  const t = useTexts(cellTexts);
  const method = methodOf(opening);
  if (method === undefined) return null;
  const unit = field.unit === 'CNY cent' ? t('cents') : field.unit;
  const hint = unit === undefined ? {} : { hint: unit };
  const number = (name: string, label: string) =>
    <NumberField key={`${method.method} ${name}`} label={label} value={Number(method[name])} onChange={(value) => onChange({ ...method, [name]: value })} {...hint} />;
  switch (method.method) {
    case 'band':
    case 'same_band': return <EdgesField key={method.method} value={method['edges'] as readonly number[]} onChange={(edges) => onChange({ ...method, edges })} unit={unit} />;
    case 'keep_ends': return <FieldRow>{number('first', t('first'))}{number('last', t('last'))}</FieldRow>;
    case 'mask_range': return <FieldRow>{number('from', t('fromPosition'))}{number('to', t('toPosition'))}</FieldRow>;
    case 'fixed': return <TextField label={t('fixedText')} value={String(method['text'])} maxLength={64} onChange={(text) => onChange({ ...method, text })} />;
    case 'address': return <Select label={t('level')} value={String(method['level'])} options={(['province', 'city', 'district'] as const).map((value) => ({ value, label: t(value) }))}
      onChange={(level) => onChange({ ...method, level })} />;
    case 'round': return number('to', t('roundTo'));
    case 'clamp': return <FieldRow>{number('bottom', t('bottom'))}{number('top', t('top'))}</FieldRow>;
    case 'within_percent': return number('percent', t('percent'));
    case 'within_absolute': return number('amount', t('amount'));
    case 'format_preserving_token': return <Select label={t('alphabet')} value={String(method['alphabet'])} options={alphabets.map((value) => ({ value, label: t(value) }))}
      onChange={(alphabet) => onChange({ ...method, alphabet })} />;
    case 'generalise': return <Groups method={method} field={field} onChange={onChange} />;
    default: return null;
  }
}

/** What is typed stays as typed until it is a number. */
function NumberField({ label, hint, value, onChange }: { readonly label: string; readonly hint?: string; readonly value: number; readonly onChange: (value: number) => void }) {
  const [typed, setTyped] = useState(String(value));
  const change = (text: string) => {
    setTyped(text);
    if (text.trim() !== '' && Number.isFinite(Number(text))) onChange(Number(text));
  };
  return <TextField label={label} type="number" value={typed} {...(hint === undefined ? {} : { hint })} onChange={change} />;
}

function EdgesField({ value, unit, onChange }: { readonly value: readonly number[]; readonly unit: string | undefined; readonly onChange: (edges: readonly number[]) => void }) {
  const t = useTexts(cellTexts);
  const [typed, setTyped] = useState(value.join(', '));
  const change = (text: string) => {
    setTyped(text);
    const edges = text.split(/[,，、\s]+/).filter((part) => part !== '').map(Number);
    if (edges.length > 0 && edges.every(Number.isFinite)) onChange(edges);
  };
  return <TextField label={t('edges')} hint={unit === undefined ? t('edgesHint') : `${t('edgesHint')} ${unit}`} value={typed} onChange={change} />;
}

/** Every code of the field with the group that is shown for it. */
function Groups({ method, field, onChange }: { readonly method: PolicyMethod; readonly field: PolicyCellView['field']; readonly onChange: (method: PolicyMethod) => void }) {
  const t = useTexts(cellTexts);
  const groups = method['groups'] as Readonly<Record<string, string>>;
  const otherwise = String(method['otherwise']);
  const set = (code: string, group: string) => {
    const { [code]: _old, ...rest } = groups;
    onChange({ ...method, groups: group === '' ? rest : { ...rest, [code]: group } });
  };
  return (
    <FieldRow>
      {Object.entries(field.codes ?? {}).map(([code, title]) => <TextField key={code} label={t('group', { code: title })} value={groups[code] ?? ''} placeholder={otherwise} maxLength={64}
        onChange={(group) => set(code, group)} />)}
      <TextField label={t('otherwise')} value={otherwise} maxLength={64} onChange={(next) => onChange({ ...method, otherwise: next })} />
    </FieldRow>
  );
}
