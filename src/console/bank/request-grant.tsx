import { useState } from 'react';
import { grantRequestsClient } from '../../sdk/grant-requests.ts';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { FieldRow, TextField } from '../parts/fields.tsx';
import { ErrorNote, GoodNote } from '../parts/notes.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useTexts } from '../shell/language.tsx';
import { useChange } from '../shell/use-gateway.ts';
import { bankTexts, useCodes } from './texts.ts';

type Needed = { readonly purpose: string; readonly fields: readonly { readonly field: string; readonly ceiling: 'desensitised' | 'original' }[] };

/** One press from what is missing to the enterprise's desk. */
export function RequestGrant({ subject, needed }: { readonly subject: string; readonly needed: Needed }) {
  const t = useTexts(bankTexts);
  const common = useTexts(frameTexts);
  const code = useCodes();
  const [open, setOpen] = useState(false);
  const [days, setDays] = useState('30');
  const [uses, setUses] = useState('10');
  const [lifeDays, setLifeDays] = useState('30');
  const [message, setMessage] = useState('');
  const request = useChange((calls, input: { readonly message: string }) => grantRequestsClient(calls).askForGrant(
    { subject, purpose: needed.purpose, fields: needed.fields, valid_days: Number(days), uses_max: Number(uses), data_life_days: Number(lifeDays), kind: 'periodic' },
    input.message.trim() === '' ? undefined : input.message.trim(),
  ), [['grant requests']]);
  const numbers = [[t('days'), days, setDays], [t('uses'), uses, setUses], [t('lifeDays'), lifeDays, setLifeDays]] as const;
  return (
    <>
      {request.done ? <GoodNote><p>{t('requested')}</p></GoodNote> : <Button look="primary" onPress={() => setOpen(true)}>{t('requestGrant')}</Button>}
      <Dialog title={t('requestTitle')} open={open} onClose={() => setOpen(false)} wide>
        <form onSubmit={(event) => { event.preventDefault(); request.run({ message }, () => setOpen(false)); }}>
          <p>{t('requestLead')}</p>
          <ul>{needed.fields.map(({ field, ceiling }) => <li key={field}><code>{field}</code>: {code(ceiling === 'original' ? 'clear' : 'mask')}</li>)}</ul>
          <FieldRow>{numbers.map(([label, value, set]) => <TextField key={label} label={label} type="number" value={value} onChange={set} required />)}</FieldRow>
          <TextField label={t('message')} value={message} onChange={setMessage} lines={3} maxLength={500} />
          {request.error !== null && <ErrorNote error={request.error} />}
          <div className="buttons"><Button type="submit" look="primary" busy={request.busy}>{common('send')}</Button><Button onPress={() => setOpen(false)}>{common('cancel')}</Button></div>
        </form>
      </Dialog>
    </>
  );
}
