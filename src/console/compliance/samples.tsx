import { policyCellsClient, type PolicyOpening, type ShownSample } from '../../sdk/policy-cells.ts';
import type { Value } from '../../vocabulary.ts';
import { EmptyNote, ErrorNote, Loading } from '../parts/notes.tsx';
import { Table } from '../parts/table.tsx';
import { useFormats, useTexts, type Translate } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { cellTexts } from './cell-texts.ts';

/** Undefined: not shown; null: withheld. */
type Shown = PolicyOpening | null | undefined;
type Props = { readonly field: string; readonly before: Shown; readonly desensitised: Shown; readonly original: Shown };

/** Made-up values as an institution would see them, before and after. */
export function Samples({ field, before, desensitised, original }: Props) {
  const t = useTexts(cellTexts);
  const { number } = useFormats();
  const columns = [{ id: 'before', title: t('before'), opening: before }, { id: 'desensitised', title: t('afterDesensitised'), opening: desensitised },
    { id: 'original', title: t('afterOriginal'), opening: original }]
    .flatMap(({ id, title, opening }) => (opening === undefined ? [] : [{ id, title, opening }]));
  const openings = columns.map(({ opening }) => opening);
  const samples = useRead(['policies', 'samples', field, JSON.stringify(openings)], (calls) => policyCellsClient(calls).samples(field, openings), { keepPrevious: true });
  if (samples.error !== null) return <ErrorNote error={samples.error} />;
  if (samples.data === undefined) return <Loading />;
  if (samples.data.values.length === 0) return <EmptyNote />;
  const { values, shown } = samples.data;
  return (
    <>
      <Table caption={t('sample')} showCaption rows={values.map((value, at) => ({ value, at }))} keyOf={({ at }) => String(at)} columns={[
        { id: 'value', title: t('value'), cell: ({ value }) => valueText(value, t) },
        ...columns.map(({ id, title }, column) => ({ id, title, cell: ({ value, at }: { readonly value: Value; readonly at: number }) => sampleText(shown[column]?.[at], value, t, number) })),
      ]} />
      <p className="hint">{t('sampleNote')}</p>
    </>
  );
}

function valueText(value: Value, t: Translate<keyof (typeof cellTexts)['en']>): string {
  return value === null ? t('emptyValue') : String(value);
}

function sampleText(shown: ShownSample | undefined, value: Value, t: Translate<keyof (typeof cellTexts)['en']>, number: (value: number) => string): string {
  switch (shown?.kind) {
    case undefined: return '';
    case 'clear': return t('sealedValue', { value: valueText(value, t) });
    case 'computed': return t('computed');
    case 'withheld': return t('withheldValue');
    case 'verification': return t('claimed', { value: valueText(shown.claimed, t), outcome: t(shown.outcome) });
    case 'disclosure': break;
    default: return shown satisfies never;
  }
  const { disclosure } = shown;
  switch (disclosure.kind) {
    case 'sealed': return t('sealedValue', { value: valueText(value, t) });
    case 'absent': return t('emptyValue');
    case 'token': return disclosure.value;
    case 'masked': return disclosure.value === null ? t('noValue') : String(disclosure.value);
    case 'banded':
      if (disclosure.from === null) return t('under', { to: number(disclosure.to ?? 0) });
      return disclosure.to === null ? t('from', { from: number(disclosure.from) }) : t('range', { from: number(disclosure.from), to: number(disclosure.to) });
    default: return disclosure satisfies never;
  }
}
