import { modelsClient, type ModelView } from '../../sdk/models.ts';
import { Button } from '../parts/button.tsx';
import { ErrorNote, Read } from '../parts/notes.tsx';
import { Table } from '../parts/table.tsx';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useChange, useRead } from '../shell/use-gateway.ts';
import { modelTexts } from './model-texts.ts';

/** What the guards say of a model at this moment. */
export function ModelFindings({ view }: { readonly view: ModelView }) {
  const t = useTexts(modelTexts);
  const { number } = useFormats();
  const check = useRead(['models', 'check', view.digest], (calls) => modelsClient(calls).check(view.model));
  return (
    <Read of={check}>{({ findings, conflicts }) => (
      <>
        {findings.length === 0 ? <p>{t('noFindings')}</p> : (
          <Table caption={t('findings')} rows={findings.map((finding, at) => ({ ...finding, at }))} keyOf={({ at }) => String(at)} columns={[
            { id: 'rule', title: t('rule'), cell: ({ rule, part }) => <>{rule}<span className="more">{part}</span></> },
            { id: 'found', title: t('found'), numeric: true, cell: ({ found }) => number(found) },
            { id: 'allowed', title: t('allowed'), numeric: true, cell: ({ allowed }) => number(allowed) }, { id: 'problem', title: t('problem'), cell: ({ problem }) => problem },
          ]} />
        )}
        {conflicts.length > 0 && <Table caption={t('conflicts')} showCaption rows={conflicts} keyOf={({ model }) => model}
          columns={[{ id: 'model', title: t('model'), cell: ({ model }) => <code>{model}</code> }, { id: 'problem', title: t('problem'), cell: ({ problem }) => problem }]} />}
      </>
    )}</Read>
  );
}

const trialEnterprises = 1000;

/** How it scores enterprises that do not exist. */
export function ModelTrial({ reference }: { readonly reference: string }) {
  const t = useTexts(modelTexts);
  const { number, percent } = useFormats();
  const trial = useChange((calls, seed: number) => modelsClient(calls).try(reference, { count: trialEnterprises, seed }));
  return (
    <>
      <Button onPress={() => trial.run(1)} busy={trial.busy}>{t('runTrial')}</Button>
      {trial.error !== null && <ErrorNote error={trial.error} />}
      {trial.answer !== undefined && (
        <div role="status">
          <p>{t('trialAnswer', { count: number(trial.answer.count), min: number(trial.answer.scores.min), max: number(trial.answer.scores.max), mean: number(trial.answer.scores.mean) })}</p>
          <Table caption={t('trial')} rows={trial.answer.bands} keyOf={({ code }) => code} columns={[{ id: 'code', title: t('code'), cell: ({ code }) => code },
            { id: 'share', title: t('share'), numeric: true, cell: ({ count }) => percent(count / trialEnterprises) }]} />
        </div>
      )}
    </>
  );
}
