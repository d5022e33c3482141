import { Choices, FieldRow, Select, TextField, type Option } from '../parts/fields.tsx';
import { useTexts, useWords } from '../shell/language.tsx';
import { cellTexts } from './cell-texts.ts';
import { comparisonsOf, type Comparison, type Conditions, type FactChoice } from './conditions.ts';

type Props = { readonly facts: readonly FactChoice[]; readonly conditions: Conditions; readonly onChange: (conditions: Conditions) => void; readonly now: string | null };

/** Under which conditions a cell opens something. */
export function ConditionFields({ facts, conditions, onChange, now }: Props) {
  const t = useTexts(cellTexts);
  const kinds: readonly Option<Conditions['kind']>[] = [
    { value: 'none', label: t('noCondition') }, ...(now === null ? [] : [{ value: 'keep' as const, label: t('keepCondition', { condition: now }) }]), { value: 'new', label: t('newCondition') },
  ];
  return (
    <>
      <Choices label={t('onlyIf')} value={conditions.kind} options={kinds} onChange={(kind) => onChange({ ...conditions, kind })} />
      {conditions.kind === 'new' && (
        <>
          <FieldRow>
            <Select label={t('minimumLevel')} value={conditions.level} options={['', '2', '3', '4', '5'].map((value) => ({ value, label: value === '' ? t('anyLevel') : value }))}
              onChange={(level) => onChange({ ...conditions, level })} />
            <TextField label={t('until')} type="date" value={conditions.until} onChange={(until) => onChange({ ...conditions, until })} />
          </FieldRow>
          <FactFields facts={facts} conditions={conditions} onChange={onChange} />
        </>
      )}
    </>
  );
}

const labels = { equals: 'equals', in: 'in', at_least: 'at_least', at_most: 'at_most', before: 'before_', after: 'after_' } as const satisfies Readonly<Record<Comparison, string>>;

/** One more fact, of those that have no field of their own above. */
function FactFields({ facts, conditions, onChange }: Omit<Props, 'now'>) {
  const t = useTexts(cellTexts);
  const words = useWords();
  const offered = facts.filter(({ name }) => name !== 'institution.security_level' && name !== 'now.date');
  const chosen = offered.find(({ name }) => name === conditions.fact);
  const choose = (fact: string) => {
    const next = offered.find(({ name }) => name === fact);
    onChange({ ...conditions, fact, op: next === undefined ? 'equals' : comparisonsOf(next.fact)[0] ?? 'equals', value: '' });
  };
  return (
    <FieldRow>
      <Select label={t('factAsked')} value={conditions.fact} options={[{ value: '', label: t('noFact') }, ...offered.map(({ name, fact }) => ({ value: name, label: words(fact.title) }))]} onChange={choose} />
      {chosen !== undefined && <Select label={t('comparison')} value={conditions.op} options={comparisonsOf(chosen.fact).map((op) => ({ value: op, label: t(labels[op]) }))}
        onChange={(op) => onChange({ ...conditions, op, value: '' })} />}
      {chosen !== undefined && <Value choice={chosen} conditions={conditions} onChange={onChange} />}
    </FieldRow>
  );
}

function Value({ choice: { fact: { type, codes, unit } }, conditions, onChange }: { readonly choice: FactChoice } & Pick<Props, 'conditions' | 'onChange'>) {
  const t = useTexts(cellTexts);
  const set = (value: string) => onChange({ ...conditions, value });
  const label = t('value');
  if (type === 'boolean') return <Select label={label} value={conditions.value} options={[{ value: 'true', label: t('yes') }, { value: 'false', label: t('no') }]} onChange={set} />;
  if (type === 'code' && codes !== undefined && conditions.op === 'equals') return <Select label={label} value={conditions.value} options={codes.map((value) => ({ value, label: value }))} onChange={set} />;
  const hint = conditions.op === 'in' ? t('listHint') : unit;
  return <TextField label={label} type={type === 'integer' ? 'number' : type === 'date' ? 'date' : 'text'} value={conditions.value} onChange={set} {...(hint === undefined ? {} : { hint })} />;
}
