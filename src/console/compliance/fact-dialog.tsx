import { useState } from 'react';
import type { PolicyFact, PolicyFactEdit } from '../../sdk/policy-purposes.ts';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { FieldRow, Select, TextField } from '../parts/fields.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useTexts } from '../shell/language.tsx';
import { purposeTexts } from './purpose-texts.ts';

type Props = {
  /** Undefined: a new one, which institutions state. */
  readonly fact: string | undefined; readonly declared: PolicyFact | undefined; readonly taken: readonly string[]; readonly onClose: () => void; readonly onDone: (edit: PolicyFactEdit) => void;
};
const types = ['integer', 'text', 'code', 'boolean', 'date'] as const;
const stated = 'request.';

/** How a fact is declared. The type of one that is declared already stays: conditions rely on it. */
export function FactDialog({ fact, declared, taken, onClose, onDone }: Props) {
  const t = useTexts(purposeTexts);
  const frame = useTexts(frameTexts);
  const [name, setName] = useState('');
  const [type, setType] = useState<PolicyFact['type']>(declared?.type ?? 'integer');
  const [en, setEn] = useState(declared?.title.en ?? '');
  const [zh, setZh] = useState(declared?.title.zh ?? '');
  const [unit, setUnit] = useState(declared?.unit ?? '');
  const [min, setMin] = useState(declared?.min === undefined ? '' : String(declared.min));
  const [max, setMax] = useState(declared?.max === undefined ? '' : String(declared.max));
  const [codes, setCodes] = useState(declared?.codes?.join(', ') ?? '');
  const [isWrong, setWrong] = useState(false);
  const done = () => {
    const wanted = fact ?? `${stated}${name.trim()}`;
    const list = [...new Set(codes.split(/[,，、\n]+/).map((each) => each.trim()).filter((each) => each !== ''))];
    const isWhole = (text: string) => text.trim() === '' || Number.isSafeInteger(Number(text));
    const isNamed = fact !== undefined || (/^request\.[a-z][a-z0-9_]{0,40}$/.test(wanted) && !taken.includes(wanted));
    const isFine = isNamed && en.trim() !== '' && zh.trim() !== '' && isWhole(min) && isWhole(max);
    setWrong(!isFine);
    if (!isFine) return;
    const limits = type === 'integer' ? { ...(min.trim() === '' ? {} : { min: Number(min) }), ...(max.trim() === '' ? {} : { max: Number(max) }) } : {};
    onDone({ fact: wanted, declared: { type, title: { en: en.trim(), zh: zh.trim() }, ...(unit.trim() === '' ? {} : { unit: unit.trim() }), ...limits,
      ...(type === 'code' && list.length > 0 ? { codes: list } : {}) } });
  };
  return (
    <Dialog title={fact ?? t('declare')} open onClose={onClose}>
      <form onSubmit={(event) => { event.preventDefault(); done(); }}>
        {fact === undefined && <TextField label={t('factName')} hint={t('factNameHint')} required maxLength={41} value={name} onChange={setName} />}
        <Select label={t('type')} value={type} disabled={fact !== undefined} options={types.map((value) => ({ value, label: t(value === 'code' ? 'code_' : value) }))} onChange={setType} />
        <FieldRow><TextField label={t('titleZh')} required maxLength={500} value={zh} onChange={setZh} /><TextField label={t('titleEn')} required maxLength={500} value={en} onChange={setEn} /></FieldRow>
        <TextField label={t('unit')} maxLength={40} value={unit} onChange={setUnit} />
        {type === 'integer' && <FieldRow><TextField label={t('least')} type="number" value={min} onChange={setMin} /><TextField label={t('most')} type="number" value={max} onChange={setMax} /></FieldRow>}
        {type === 'code' && <TextField label={t('codes')} value={codes} onChange={setCodes} />}
        {isWrong && <p className="field-error" role="alert">{t('factWrong')}</p>}
        <div className="buttons"><Button type="submit" look="primary">{t('toDraft')}</Button><Button onPress={onClose}>{frame('cancel')}</Button></div>
      </form>
    </Dialog>
  );
}
