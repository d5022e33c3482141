import { useState } from 'react';
import { officerClient, type InstitutionLimits, type InstitutionStatus, type InstitutionView } from '../../sdk/officer.ts';
import { Button } from '../parts/button.tsx';
import { Confirm, Dialog } from '../parts/dialog.tsx';
import { FieldRow, TextField } from '../parts/fields.tsx';
import { ErrorNote } from '../parts/notes.tsx';
import { Section } from '../parts/page.tsx';
import { useReasonProblem } from '../parts/reason-code.ts';
import { frameTexts } from '../shell/frame-texts.ts';
import { useTexts } from '../shell/language.tsx';
import { useSession } from '../shell/session.tsx';
import { useChange } from '../shell/use-gateway.ts';
import { institutionTexts } from './institution-texts.ts';

type Action = 'approve' | 'suspend' | 'reinstate' | 'revoke';
const possible: Readonly<Record<InstitutionStatus, readonly Action[]>> = { applied: ['revoke'], assessed: ['approve', 'revoke'], approved: ['suspend', 'revoke'], suspended: ['reinstate', 'revoke'],
  revoked: [] };
const scopesOf: Readonly<Record<Action, readonly string[]>> = { approve: ['registry', 'compliance'], suspend: ['compliance'], reinstate: ['compliance'], revoke: ['compliance'] };

/** What can be decided about an institution now, by this person. The gateway decides who may. */
export function InstitutionActions({ institution: { id, status, limits } }: { readonly institution: InstitutionView }) {
  const t = useTexts(institutionTexts);
  const { scopes } = useSession();
  const reasonProblem = useReasonProblem();
  const [open, setOpen] = useState<Action | 'limits'>();
  const decision = useChange((calls, { action, reason }: { readonly action: Action; readonly reason: string }) => {
    const client = officerClient(calls);
    switch (action) {
      case 'approve': return client.approve(id, limits);
      case 'suspend': return client.suspend(id, reason);
      case 'reinstate': return client.reinstate(id);
      case 'revoke': return client.revoke(id, reason);
      default: return action satisfies never;
    }
  }, [['institutions']]);
  const actions = possible[status].filter((action) => scopesOf[action].some((scope) => scopes.includes(scope)));
  const mayLimit = scopes.includes('registry') && status !== 'revoked';
  if (actions.length === 0 && !mayLimit) return null;
  const close = () => { setOpen(undefined); decision.reset(); };
  const questions = { approve: t('approveQuestion'), suspend: t('suspendQuestion'), reinstate: t('reinstateQuestion'), revoke: t('revokeQuestion') } as const;
  const asksReason = open === 'suspend' || open === 'revoke';
  return (
    <Section title={t('actions')}>
      <div className="buttons">
        {actions.map((action) => <Button key={action} look={action === 'approve' || action === 'reinstate' ? 'primary' : 'danger'}
          onPress={() => { decision.reset(); setOpen(action); }}>{t(action)}</Button>)}
        {mayLimit && <Button onPress={() => setOpen('limits')}>{t('changeLimits')}</Button>}
      </div>
      {open !== undefined && open !== 'limits' && (
        <Confirm title={t(open)} open onClose={close} action={t(open)} danger={asksReason} busy={decision.busy} error={decision.error}
          {...(asksReason ? { text: { label: t('reasonCode'), maxLength: 64, required: true, problem: reasonProblem } } : {})} onConfirm={(reason) => decision.run({ action: open, reason }, close)}>
          <p>{questions[open]}</p>
        </Confirm>
      )}
      {open === 'limits' && <Limits institution={id} limits={limits} onClose={close} />}
    </Section>
  );
}

function Limits({ institution, limits, onClose }: { readonly institution: string; readonly limits: InstitutionLimits; readonly onClose: () => void }) {
  const t = useTexts(institutionTexts);
  const frame = useTexts(frameTexts);
  const [second, setSecond] = useState(String(limits.requests_per_second ?? ''));
  const [day, setDay] = useState(String(limits.queries_per_day ?? ''));
  const [wrong, setWrong] = useState(false);
  const change = useChange((calls, given: InstitutionLimits) => officerClient(calls).changeLimits(institution, given), [['institutions']]);
  const save = () => {
    const isWrong = [second, day].some((text) => !/^\d{0,10}$/.test(text.trim()));
    setWrong(isWrong);
    if (!isWrong) change.run({ ...(second.trim() === '' ? {} : { requests_per_second: Number(second) }), ...(day.trim() === '' ? {} : { queries_per_day: Number(day) }) }, onClose);
  };
  return (
    <Dialog title={t('changeLimits')} open onClose={onClose}>
      <form onSubmit={(event) => { event.preventDefault(); save(); }}>
        <FieldRow>
          <TextField label={t('perSecond')} hint={t('limitsHint')} value={second} onChange={setSecond} error={wrong ? t('limitsNumber') : undefined} />
          <TextField label={t('perDay')} hint={t('limitsHint')} value={day} onChange={setDay} error={wrong ? t('limitsNumber') : undefined} />
        </FieldRow>
        {change.error !== null && <ErrorNote error={change.error} />}
        <div className="buttons"><Button type="submit" look="primary" busy={change.busy}>{frame('save')}</Button><Button onPress={onClose}>{frame('cancel')}</Button></div>
      </form>
    </Dialog>
  );
}
