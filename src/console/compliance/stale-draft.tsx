import { policiesClient } from '../../sdk/policies.ts';
import { policyPurposesClient, type PolicyPurposeView } from '../../sdk/policy-purposes.ts';
import { policyCellsClient, type JudgedEditsView, type PolicyCellView, type PolicyEdit } from '../../sdk/policy-cells.ts';
import { Button } from '../parts/button.tsx';
import { Read } from '../parts/notes.tsx';
import { Table } from '../parts/table.tsx';
import { Tag } from '../parts/tag.tsx';
import { useTexts } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { Differences } from './differences.tsx';
import { useDraft } from './draft.ts';
import { EditWords } from './edit-words.tsx';
import { proposalTexts } from './proposal-texts.ts';
import { PurposeEditWords } from './purpose-edit-words.tsx';
import { purposeTexts } from './purpose-texts.ts';

/** Versions between the draft's and the one in force whose changes are shown; more say too little each. */
const betweenMax = 10;

/** Another version came into force under a draft: both sides beside each other, and the way on. */
export function StaleDraft({ version, yours }: { readonly version: number; readonly yours: readonly Pick<JudgedEditsView['differences'][number], 'risk' | 'words'>[] }) {
  const t = useTexts(proposalTexts);
  const p = useTexts(purposeTexts);
  const { draft, change, clear } = useDraft();
  const basis = draft.basis ?? version;
  const theirs = useRead(['policies', 'between', basis, version], async (calls) => {
    const client = policiesClient(calls);
    const { versions } = await client.list();
    const between = versions.filter((each) => each.version > basis && each.in_force_at !== null).slice(0, betweenMax);
    return (await Promise.all(between.map((each) => client.review(each.version)))).flatMap(({ changes, settings }) => [...settings, ...changes]);
  });
  const touched = useRead(['policies', 'touched', basis, version, JSON.stringify(draft.edits)], (calls) => Promise.all(draft.edits.map(async (edit) => {
    const cells = policyCellsClient(calls);
    const read = (number: number) => Promise.all(edit.purposes.map((purpose) => cells.cell(number, edit.field, purpose)));
    const [before, now] = await Promise.all([read(basis), read(version)]);
    return { edit, changed: saysOf(edit, before) !== saysOf(edit, now) };
  })));
  const purposes = useRead(['policies', 'touched-purposes', basis, version, JSON.stringify(draft.purposes)], (calls) => Promise.all(draft.purposes.map(async (edit) => {
    const client = policyPurposesClient(calls);
    // one that is new to both has not changed
    const read = (number: number) => (edit.is_new === true ? Promise.resolve(undefined) : client.purpose(number, edit.purpose));
    const [before, now] = await Promise.all([read(basis), read(version)]);
    return { edit, changed: declaredIn(before) !== declaredIn(now) };
  })));
  return (
    <div className="note warning" role="alert">
      <p className="note-title">{t('staleTitle', { now: version, basis })}</p>
      <p>{t('stale')}</p>
      <div className="grid-2">
        <div><h2>{t('theirs')}</h2><Read of={theirs}>{(changes) => <Differences changes={changes} caption={t('theirs')} />}</Read></div>
        <div><h2>{t('yours')}</h2><Differences changes={yours} caption={t('yours')} /></div>
      </div>
      {draft.edits.length > 0 && <Read of={touched}>{(edits) => (
        <Table caption={t('edits')} rows={edits.map((each, at) => ({ ...each, at }))} keyOf={({ at }) => String(at)} columns={[
          { id: 'edit', title: t('edit'), cell: ({ edit }) => <EditWords edit={edit} version={basis} /> },
          { id: 'changed', title: t('theirs'), cell: ({ changed }) => <Tag tone={changed ? 'bad' : 'neutral'}>{t(changed ? 'cellChanged' : 'cellSame')}</Tag> },
        ]} />
      )}</Read>}
      {draft.purposes.length > 0 && (
        <Read of={purposes}>{(edits) => (
          <Table caption={p('list')} rows={edits} keyOf={({ edit }) => edit.purpose} columns={[
            { id: 'edit', title: t('edit'), cell: ({ edit }) => <PurposeEditWords edit={edit} version={basis} /> },
            { id: 'changed', title: t('theirs'), cell: ({ changed }) => <Tag tone={changed ? 'bad' : 'neutral'}>{p(changed ? 'purposeChanged' : 'purposeSame')}</Tag> },
          ]} />
        )}</Read>
      )}
      <p className="buttons"><Button look="primary" onPress={() => change({ basis: version })}>{t('reapply', { now: version })}</Button><Button onPress={clear}>{t('discard')}</Button></p>
    </div>
  );
}

/** What a purpose says, as one text. */
function declaredIn(view: PolicyPurposeView | undefined): string {
  const needed = view?.datasets.flatMap(({ fields }) => fields).filter((field) => field.in_minimum).map(({ field }) => field);
  return JSON.stringify([view?.title, view?.description, view?.uses, view?.caps, view?.attempts_max, needed]);
}

/** What the cells of an edit say, as one text. */
function saysOf({ use, institution_classes: classes }: PolicyEdit, cells: readonly PolicyCellView[]): string {
  const own = cells.flatMap((cell) => cell.cells).filter((each) => each.use === use && classes.includes(each.institution_class));
  return JSON.stringify(own.map(({ desensitised, original }) => [desensitised.words.en, original.words.en]));
}
