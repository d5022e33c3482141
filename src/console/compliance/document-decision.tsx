import { useState } from 'react';
import type { GatewayCalls } from '../../sdk/connection.ts';
import { Button } from '../parts/button.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { GoodNote } from '../parts/notes.tsx';
import { Section } from '../parts/page.tsx';
import { useReasonProblem } from '../parts/reason-code.ts';
import { useTexts } from '../shell/language.tsx';
import { useSession } from '../shell/session.tsx';
import { useChange } from '../shell/use-gateway.ts';
import { modelTexts } from './model-texts.ts';

export type DocumentAction = 'approve' | 'refuse' | 'retire' | 'stop';
type Props = {
  readonly about: 'model' | 'project'; readonly actions: readonly DocumentAction[];
  /** Who proposed it: they do not decide. */
  readonly own: string;
  /** Who has approved it so far, where it takes more than one. */
  readonly approvedBy?: readonly string[];
  readonly digest: string; readonly affects: readonly (readonly unknown[])[];
  readonly decide: (calls: GatewayCalls, action: DocumentAction, reason: string) => Promise<unknown>;
};

const questionsOf = {
  model: { approve: 'approveModel', refuse: 'refuseModel', retire: 'retireModel', stop: 'retireModel' },
  project: { approve: 'approveProject', refuse: 'refuseProject', retire: 'stopProject', stop: 'stopProject' },
} as const;

/** Decides on the very document that is shown; a refusal or an end carries a code for the log. */
export function DocumentDecision({ about, actions, own, approvedBy = [], digest, affects, decide }: Props) {
  const t = useTexts(modelTexts);
  const { party } = useSession();
  const reasonProblem = useReasonProblem();
  const [open, setOpen] = useState<DocumentAction>();
  const decision = useChange((calls, { action, reason }: { readonly action: DocumentAction; readonly reason: string }) => decide(calls, action, reason), affects);
  const hasApproved = approvedBy.includes(party);
  const possible = own === party || hasApproved ? actions.filter((action) => action !== 'approve') : actions;
  const close = () => { setOpen(undefined); };
  if (actions.length === 0) return null;
  return (
    <Section title={t('decide')}>
      {own === party && actions.includes('approve') && <p>{t('own')}</p>}
      {hasApproved && actions.includes('approve') && <p>{t('approvedByYou')}</p>}
      {decision.done && <GoodNote><p>{t('done')}</p></GoodNote>}
      <div className="buttons">{possible.map((action) => <Button key={action} look={action === 'approve' ? 'primary' : 'danger'}
        onPress={() => { decision.reset(); setOpen(action); }}>{t(action)}</Button>)}</div>
      {open !== undefined && (
        <Confirm title={t(open)} open onClose={close} action={t(open)} danger={open !== 'approve'} busy={decision.busy} error={decision.error}
          {...(open === 'approve' ? {} : { text: { label: t('reasonHint'), maxLength: 64, required: true, problem: reasonProblem } })} onConfirm={(reason) => decision.run({ action: open, reason }, close)}>
          <p>{t(questionsOf[about][open])}</p>
          <p className="hint">{t('digest')}: <code>{digest}</code></p>
        </Confirm>
      )}
    </Section>
  );
}
