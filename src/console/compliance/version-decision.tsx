import { useState } from 'react';
import { useNavigate } from 'react-router';
import { policiesClient, type PolicyReviewView } from '../../sdk/policies.ts';
import { Button } from '../parts/button.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { Section } from '../parts/page.tsx';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useSession } from '../shell/session.tsx';
import { useChange } from '../shell/use-gateway.ts';
import { versionTexts } from './version-texts.ts';

type Action = 'approve' | 'refuse' | 'withdraw' | 'rollBack';
const commentMax = 2000;

/** What can be done with a version: approval by somebody else than its author, bound to the very files that were shown. */
export function VersionDecision({ review: { version, basis_in_force: current } }: { readonly review: PolicyReviewView }) {
  const t = useTexts(versionTexts);
  const { time } = useFormats();
  const { party } = useSession();
  const navigate = useNavigate();
  const [open, setOpen] = useState<Action>();
  const [rollBackKey] = useState(() => crypto.randomUUID());
  const decision = useChange((calls, { action, text }: { readonly action: Action; readonly text: string }) => {
    const client = policiesClient(calls);
    switch (action) {
      case 'approve': return client.approve(version.version, version.digest, text);
      case 'refuse': return client.refuse(version.version, version.digest, text);
      case 'withdraw': return client.withdraw(version.version, text);
      case 'rollBack': return client.rollBack(version.version, text, rollBackKey);
      default: return action satisfies never;
    }
  }, [['policies']]);
  const own = version.proposed_by === party;
  const actions: readonly Action[] = version.state === 'proposed' ? (own ? ['withdraw'] : [...(current ? ['approve' as const] : []), 'refuse']) : version.state === 'approved' ? ['withdraw'] : version.state === 'superseded' ? ['rollBack'] : [];
  if (actions.length === 0) return null;
  const close = () => { setOpen(undefined); decision.reset(); };
  const when = version.effective_at === null ? t('whenApproved') : t('whenDue', { time: time(version.effective_at) });
  const questions = { approve: t('approveQuestion', { when }), refuse: t('refuseQuestion'), withdraw: t(version.state === 'approved' ? 'withdrawApprovedQuestion' : 'withdrawQuestion'), rollBack: t('rollBackQuestion') } as const;
  return (
    <Section title={t('decide')}>
      {version.state === 'proposed' && <p>{own ? t('own') : t('notYours')}</p>}
      <div className="buttons">
        {actions.map((action) => <Button key={action} look={action === 'approve' ? 'primary' : action === 'refuse' ? 'danger' : 'plain'}
          onPress={() => { decision.reset(); setOpen(action); }}>{t(action)}</Button>)}
      </div>
      {open !== undefined && (
        <Confirm title={t(open)} open onClose={close} action={t(open)} danger={open === 'refuse'} busy={decision.busy} error={decision.error}
          text={{ label: t('reason'), maxLength: commentMax, required: true }}
          onConfirm={(text) => decision.run({ action: open, text }, (answer) => { close(); if (open === 'rollBack') void navigate(`/compliance/versions/${answer.version.version}`); })}>
          <p>{questions[open]}</p>
          <p className="hint">{t('digest')}: <code>{version.digest}</code></p>
        </Confirm>
      )}
    </Section>
  );
}
