import { fromBase64url } from '../../audit/bytes.ts';
import { verifySignedRequest, type ProvenRequest } from '../../audit/request-check.ts';
import { VeilgateError } from '../../errors.ts';
import { auditorClient, type EntryView } from '../../sdk/auditor.ts';
import type { GatewayCalls } from '../../sdk/connection.ts';
import { Button } from '../parts/button.tsx';
import { ErrorNote, GoodNote } from '../parts/notes.tsx';
import { Section } from '../parts/page.tsx';
import { Digest, Facts } from '../parts/table.tsx';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useChange } from '../shell/use-gateway.ts';
import { entryTexts } from './entry-texts.ts';

/** Fetches and checks; that it was read is an entry of the log. Errors: AUDIT_REQUEST_NOT_FOUND, AUDIT_REQUEST_UNREADABLE, AUDIT_REQUEST_INVALID. */
async function readRequest(calls: GatewayCalls, { index, commitment, salt, record }: EntryView): Promise<ProvenRequest> {
  const [committed, salted] = [fromBase64url(commitment), fromBase64url(salt ?? '')];
  if (committed === undefined || salted === undefined || record === null) throw new VeilgateError('AUDIT_REQUEST_NOT_FOUND', 'The record of this entry was erased, and the signed request with it.');
  const { request, key } = await auditorClient(calls).request(index);
  if (key === null) throw new VeilgateError('AUDIT_REQUEST_INVALID', 'The registry has no key by the name the request gives: the request proves nothing, report it.', { fault: 'key' });
  return verifySignedRequest({ commitment: committed, salt: salted, record, request, key: { jwk: key.jwk, thumbprint: key.thumbprint, addedAt: key.added_at, retiredAt: key.retired_at } });
}

/** The institution's own signature behind an entry, read on demand only. */
export function SignedRequest({ entry }: { readonly entry: EntryView }) {
  const t = useTexts(entryTexts);
  const { time } = useFormats();
  const reading = useChange((calls, asked: EntryView) => readRequest(calls, asked), [['log entries']]);
  const proven = reading.answer;
  return (
    <Section title={t('request')}>
      <p>{t('requestLead')}</p>
      <div className="buttons spaced"><Button busy={reading.busy} onPress={() => reading.run(entry)}>{t('showRequest')}</Button></div>
      {reading.error !== null && <ErrorNote error={reading.error} />}
      {proven !== undefined && (
        <>
          <GoodNote><p>{t('requestRight', { signer: proven.signer, time: time(proven.signedAtS * 1000) })}</p></GoodNote>
          <Facts items={[[t('requestKey'), <Digest key="key" value={proven.keyThumbprint} />]]} />
          <h3>{t('claims')}</h3>
          <pre tabIndex={0} role="region" aria-label={t('claims')}>{JSON.stringify(proven.claims, null, 2)}</pre>
        </>
      )}
    </Section>
  );
}
