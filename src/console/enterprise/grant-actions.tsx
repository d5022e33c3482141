import { useState } from 'react';
import { grantsClient, type GrantView } from '../../sdk/grants.ts';
import { Button } from '../parts/button.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { GoodNote } from '../parts/notes.tsx';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useChange } from '../shell/use-gateway.ts';
import { grantTexts } from './grant-texts.ts';

type Action = 'pause' | 'resume' | 'revoke';

const offered: Readonly<Record<string, readonly Action[]>> = { active: ['pause', 'revoke'], paused: ['resume', 'revoke'] };
const doneWords = { pause: 'paused', resume: 'resumed', revoke: 'revoked' } as const;
const titleWords = { pause: 'pauseTitle', resume: 'resumeTitle', revoke: 'revokeTitle' } as const;
const textWords = { pause: 'pauseText', resume: 'resumeText', revoke: 'revokeText' } as const;

/** Pause, resume, revoke: each says what follows from it before it is done. */
export function GrantActions({ grant, institution }: { readonly grant: GrantView; readonly institution: string }) {
  const t = useTexts(grantTexts);
  const { day } = useFormats();
  const [asked, setAsked] = useState<Action>('pause');
  const [open, setOpen] = useState(false);
  const [done, setDone] = useState<Action>();
  const change = useChange((calls, action: Action) => grantsClient(calls)[action](grant.id), [['grants'], ['accesses'], ['readers']]);
  const ask = (action: Action) => { change.reset(); setAsked(action); setOpen(true); };
  return (
    <>
      {done !== undefined && <GoodNote><p>{t(doneWords[done])}</p></GoodNote>}
      {(offered[grant.state] ?? []).map((action) => <Button key={action} look={action === 'revoke' ? 'danger' : 'plain'} onPress={() => ask(action)}>{t(action)}</Button>)}
      <Confirm
        title={t(titleWords[asked])} open={open} onClose={() => setOpen(false)} action={t(asked)} danger={asked === 'revoke'} busy={change.busy} error={change.error}
        onConfirm={() => change.run(asked, () => { setOpen(false); setDone(asked); })}
      >
        <p>{t(textWords[asked], { institution, until: day(grant.valid_until) })}</p>
        {asked === 'revoke' && <p>{t('revokeLife', { days: grant.data_life_days })}</p>}
      </Confirm>
    </>
  );
}
