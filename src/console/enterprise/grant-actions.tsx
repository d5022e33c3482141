import { useState } from 'react';
import { grantsClient, type GrantView } from '../../sdk/grants.ts';
import { Button } from '../parts/button.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useChange } from '../shell/use-gateway.ts';
import { grantTexts } from './grant-texts.ts';

export type GrantAction = 'pause' | 'resume' | 'revoke';

const offered: Readonly<Record<string, readonly GrantAction[]>> = { active: ['pause', 'revoke'], paused: ['resume', 'revoke'] };
const titleWords = { pause: 'pauseTitle', resume: 'resumeTitle', revoke: 'revokeTitle' } as const;
const textWords = { pause: 'pauseText', resume: 'resumeText', revoke: 'revokeText' } as const;

/** Pause, resume, revoke: each says what follows from it before it is done. */
export function GrantActions({ grant, institution, onDone }: { readonly grant: GrantView; readonly institution: string; readonly onDone: (action: GrantAction) => void }) {
  const t = useTexts(grantTexts);
  const { day } = useFormats();
  const [asked, setAsked] = useState<GrantAction>('pause');
  const [open, setOpen] = useState(false);
  const change = useChange((calls, action: GrantAction) => grantsClient(calls)[action](grant.id), [['grants'], ['accesses'], ['readers']]);
  const ask = (action: GrantAction) => { change.reset(); setAsked(action); setOpen(true); };
  return (
    <>
      {(offered[grant.state] ?? []).map((action) => <Button key={action} look={action === 'revoke' ? 'danger' : 'plain'} onPress={() => ask(action)}>{t(action)}</Button>)}
      <Confirm
        title={t(titleWords[asked])} open={open} onClose={() => setOpen(false)} action={t(asked)} danger={asked === 'revoke'} busy={change.busy} error={change.error}
        onConfirm={() => change.run(asked, () => { setOpen(false); onDone(asked); })}
      >
        <p>{t(textWords[asked], { institution, until: day(grant.valid_until) })}</p>
        {asked === 'revoke' && <p>{t('revokeLife', { days: grant.data_life_days })}</p>}
      </Confirm>
    </>
  );
}
