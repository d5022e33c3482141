import { useState } from 'react';
import { isVeilgateError } from '../../errors.ts';
import { grantRequestsClient, type GrantOfferView, type GrantRequestView } from '../../sdk/grant-requests.ts';
import { Button } from '../parts/button.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { ErrorNote, WarningNote } from '../parts/notes.tsx';
import { Section } from '../parts/page.tsx';
import { useOnceKey } from '../parts/use-once-key.ts';
import { useTexts } from '../shell/language.tsx';
import { useChange } from '../shell/use-gateway.ts';
import { RequestChanged } from './request-changed.tsx';
import { RequestChoices } from './request-choices.tsx';
import { carriedOver, choiceOf, draftOf, faultsOf, isFaulty } from './request-draft.ts';
import { RequestSummary } from './request-summary.tsx';
import { requestTexts } from './request-texts.ts';

type AnswerProps = { readonly request: GrantRequestView; readonly offer: GrantOfferView; readonly institution: string };

const affected = [['grant-requests'], ['grants'], ['readers'], ['accesses']];

/** The enterprise's decision. It is about the offer that was read: when another holds by now, both are shown and nothing is agreed. */
export function RequestAnswer({ request, offer: newest, institution }: AnswerProps) {
  const t = useTexts(requestTexts);
  const [offer, setOffer] = useState(newest);
  const [draft, setDraft] = useState(() => draftOf(newest.terms));
  const [open, setOpen] = useState(false);
  const [tried, setTried] = useState(false);
  const choice = choiceOf(draft, offer.terms);
  const key = useOnceKey({ notice: offer.notice_digest, choice });
  const accept = useChange((calls, _: undefined) => grantRequestsClient(calls).acceptGrantRequest(request.id, offer.notice_digest, choice, key), affected);
  const faults = faultsOf(draft, offer.terms);
  const changed = newest.notice_digest !== offer.notice_digest;
  const ask = () => { accept.reset(); setTried(true); if (!isFaulty(faults)) setOpen(true); };
  const takeNewest = () => { setDraft(carriedOver(draft, offer.terms, newest.terms)); setOffer(newest); accept.reset(); };
  return (
    <>
      {offer.obstacle !== null && <WarningNote><p className="note-title">{t('obstacle')}</p><p>{offer.obstacle.detail}</p><p>{t('obstacleHint')}</p></WarningNote>}
      <Section title={t('choose')}>
        <p>{t('chooseLead')}</p>
        <RequestChoices offer={offer} draft={draft} onChange={setDraft} faults={tried ? faults : undefined} />
      </Section>
      <Section title={t('summary')}>
        <RequestSummary offer={offer} draft={draft} institution={institution} />
        {changed && <RequestChanged before={offer} now={newest} onTake={takeNewest} />}
        {tried && isFaulty(faults) && <p className="field-error" role="alert">{faults.fields ? t('noField') : t('mend')}</p>}
        {!open && !changed && accept.error !== null && <ErrorNote error={accept.error} />}
        <div className="buttons">
          <Button look="primary" disabled={changed} onPress={ask}>{t('accept')}</Button>
          <RequestRefusal id={request.id} institution={institution} />
        </div>
      </Section>
      <Confirm
        title={t('acceptTitle')} open={open} onClose={() => setOpen(false)} action={t('accept')} busy={accept.busy}
        error={isVeilgateError(accept.error, 'CONSENT_REQUEST_CHANGED') ? null : accept.error}
        onConfirm={() => accept.run(undefined)}
      >
        <RequestSummary offer={offer} draft={draft} institution={institution} />
        {changed && <WarningNote answers><p className="note-title">{t('changedTitle')}</p><p>{t('changedText')}</p></WarningNote>}
      </Confirm>
    </>
  );
}

/** Says no, with a reason or without. */
export function RequestRefusal({ id, institution }: { readonly id: string; readonly institution: string }) {
  const t = useTexts(requestTexts);
  const [open, setOpen] = useState(false);
  // a reason is one line: line ends count as blanks
  const refuse = useChange((calls, reason: string) => grantRequestsClient(calls).refuseGrantRequest(id, reason === '' ? undefined : reason.replaceAll(/\s+/g, ' ')), affected);
  return (
    <>
      <Button onPress={() => { refuse.reset(); setOpen(true); }}>{t('refuse')}</Button>
      <Confirm
        title={t('refuseTitle')} open={open} onClose={() => setOpen(false)} action={t('refuse')} danger busy={refuse.busy} error={refuse.error}
        text={{ label: t('refuseReason'), maxLength: 300, required: false }} onConfirm={(reason) => refuse.run(reason, () => setOpen(false))}
      >
        <p>{t('refuseText', { institution })}</p>
      </Confirm>
    </>
  );
}
