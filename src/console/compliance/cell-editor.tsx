import { useState } from 'react';
import { shanghaiDate } from '../../calendar.ts';
import {
  policyCellsClient, type JudgedEditsView, type PolicyCellView, type PolicyEdit, type PolicyMatrixView, type PolicyOpening, type PolicyTierView, type PolicyUse,
} from '../../sdk/policy-cells.ts';
import { policyPurposesClient, type PolicyFact } from '../../sdk/policy-purposes.ts';
import { Button } from '../parts/button.tsx';
import { Checkbox } from '../parts/fields.tsx';
import { ErrorNote, WarningNote } from '../parts/notes.tsx';
import { useTexts, useWords } from '../shell/language.tsx';
import { useSession } from '../shell/session.tsx';
import { useChange, useRead } from '../shell/use-gateway.ts';
import { frameTexts } from '../shell/frame-texts.ts';
import { cellTexts } from './cell-texts.ts';
import { ConditionFields } from './condition-fields.tsx';
import { conditionOf, conditionsProblem, noConditions, type Conditions, type FactChoice } from './conditions.ts';
import { editOf, useDraft } from './draft.ts';
import { OpeningFields } from './opening-fields.tsx';
import { openingKey, settingOf, type Choice } from './openings.ts';
import { Samples } from './samples.tsx';

type Props = { readonly cell: PolicyCellView; readonly use: PolicyUse; readonly matrix: PolicyMatrixView; readonly onDone: () => void };
type Chosen = { readonly choice: Choice; readonly opening: PolicyOpening | undefined };
const kept: Chosen = { choice: 'keep', opening: undefined };

/** Changes a cell in the draft: what is offered is what the policy may say, and it is tried out before it is taken. */
export function CellEditor({ cell, use, matrix, onDone }: Props) {
  const t = useTexts(cellTexts);
  const frame = useTexts(frameTexts);
  const words = useWords();
  const { clock } = useSession();
  const { draft, add, remove } = useDraft();
  const facts = useFacts(cell.version, cell.purpose);
  const mine = editOf(draft, cell.field.field, use, cell.purpose, matrix.institution_class);
  const [classes, setClasses] = useState<readonly string[]>(mine?.institution_classes ?? [matrix.institution_class]);
  const [desensitised, setDesensitised] = useState<Chosen>(() => chosenOf(mine?.desensitised));
  const [original, setOriginal] = useState<Chosen>(() => chosenOf(mine?.original));
  const [missing, setMissing] = useState<'chooseClass' | 'unset' | 'nothingChanges' | 'chooseCondition' | 'conditionIncomplete' | 'dayOver'>();
  const judged = useChange((calls, edit: PolicyEdit) => policyCellsClient(calls).judge(cell.version, [edit], false, { purposes: draft.purposes, facts: draft.facts }));

  const standing = cell.cells.filter((each) => each.use === use && classes.includes(each.institution_class));
  const first = standing[0];
  const when = mine?.original?.when ?? mine?.desensitised?.when ?? first?.original.when ?? first?.desensitised.when ?? null;
  // a condition that is there stays unless somebody takes it away
  const [conditions, setConditions] = useState<Conditions>(when === null ? noConditions : { ...noConditions, kind: 'keep' });
  const conditionWords = cell.rules.find(({ id, condition }) => condition !== null && first?.rules.includes(id) === true)?.condition ?? null;
  const prohibitions = cell.rules.filter(({ id, denies }) => denies && standing.some((each) => each.rules.includes(id)));
  const isSimple = standing.every((each) => each.desensitised.simple && each.original.simple);

  const take = () => {
    const condition = conditionOf(conditions, when, facts);
    const settings = { desensitised: settingOf(desensitised.choice, desensitised.opening, condition), original: settingOf(original.choice, original.opening, condition) };
    const problem = classes.length === 0 ? 'chooseClass' : settings.desensitised === undefined && settings.original === undefined ? 'unset' : conditionsProblem(conditions, facts, shanghaiDate(clock.nowMs()));
    setMissing(problem);
    if (problem !== undefined) return;
    const edit: PolicyEdit = {
      field: cell.field.field, use, purposes: [cell.purpose], institution_classes: matrix.classes.map(({ code }) => code).filter((code) => classes.includes(code)),
      ...(settings.desensitised === undefined ? {} : { desensitised: settings.desensitised }), ...(settings.original === undefined ? {} : { original: settings.original }),
    };
    judged.run(edit, (answer: JudgedEditsView) => {
      if (answer.combinations_changed === 0) return setMissing('nothingChanges');
      add(edit, cell.version);
      return onDone();
    });
  };

  return (
    <form onSubmit={(event) => { event.preventDefault(); take(); }}>
      <h3>{t('change')}</h3>
      {mine !== undefined && <WarningNote><p>{t('inDraft')} <Button look="quiet" onPress={() => { remove(mine); onDone(); }}>{t('removeFromDraft')}</Button></p></WarningNote>}
      <fieldset>
        <legend>{t('classes')}</legend>
        <div className="tick-list">
          {matrix.classes.map(({ code, title }) => (
            <Checkbox key={code} value={classes.includes(code)} onChange={(on) => setClasses(on ? [...classes, code] : classes.filter((each) => each !== code))}>{words(title)}</Checkbox>
          ))}
        </div>
        <div className="buttons"><Button look="quiet" onPress={() => setClasses(matrix.classes.map(({ code }) => code))}>{t('allClasses')}</Button>
          <Button look="quiet" onPress={() => setClasses([])}>{t('noneClasses')}</Button></div>
      </fieldset>
      {!isSimple && <WarningNote><p>{t('several')}</p></WarningNote>}
      {prohibitions.length > 0 && <WarningNote><p>{t('prohibited', { rules: prohibitions.map(({ id }) => id).join(', ') })}</p></WarningNote>}
      <div className="grid-2">
        <div><OpeningFields tier="desensitised" label={t('atDesensitised')} offers={cell.offers[use]} field={cell.field} {...desensitised}
          onChange={(choice, opening) => setDesensitised({ choice, opening })} /></div>
        <div><OpeningFields tier="original" label={t('atOriginal')} offers={cell.offers[use]} field={cell.field} {...original} onChange={(choice, opening) => setOriginal({ choice, opening })} /></div>
      </div>
      <ConditionFields facts={facts} conditions={conditions} onChange={setConditions} now={when === null ? null : words(conditionWords ?? { en: JSON.stringify(when), zh: JSON.stringify(when) })} />
      <Samples field={cell.field.field} before={before(first?.original)} desensitised={after(desensitised)} original={after(original)} />
      {missing !== undefined && <p className="field-error" role="alert">{t(missing)}</p>}
      {judged.error !== null && <ErrorNote error={judged.error} />}
      <div className="buttons"><Button type="submit" look="primary" busy={judged.busy}>{t('add')}</Button><Button onPress={onDone}>{frame('cancel')}</Button></div>
    </form>
  );
}

/** What conditions may ask about, with what the draft makes of it; nothing until that is read. */
function useFacts(version: number, purpose: string): readonly FactChoice[] {
  const { draft } = useDraft();
  const { data } = useRead(['policies', 'purpose', version, purpose], (calls) => policyPurposesClient(calls).purpose(version, purpose));
  const declared = new Map((data?.facts ?? []).map((each): [string, PolicyFact] => [each.fact, each.declared]));
  for (const edit of draft.facts) {
    if (edit.declared === null) declared.delete(edit.fact);
    else declared.set(edit.fact, edit.declared);
  }
  return [...declared].map(([name, fact]) => ({ name, fact }));
}

function chosenOf(setting: PolicyEdit['original']): Chosen {
  if (setting === undefined) return kept;
  return setting === null ? { choice: 'nothing', opening: undefined } : { choice: openingKey(setting.opening), opening: setting.opening };
}

function before(tier: PolicyTierView | undefined): PolicyOpening | null | undefined {
  if (tier === undefined || !tier.simple) return undefined;
  return tier.opening;
}

function after({ choice, opening }: Chosen): PolicyOpening | null | undefined {
  return choice === 'keep' ? undefined : opening ?? null;
}
