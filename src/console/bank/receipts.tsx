import type { JSONWebKeySet } from 'jose';
import { useState } from 'react';
import { parseVerifierKey } from '../../audit/note.ts';
import { verifyReceiptInclusion, type Receipt } from '../../audit/receipt.ts';
import { systemClock } from '../../clock.ts';
import { isVeilgateError } from '../../errors.ts';
import { answerFileOf, checkReceipt, type AnswerFile } from '../../sdk/answer-file.ts';
import type { GatewayCalls } from '../../sdk/connection.ts';
import { checkCreditReport, creditReportLengthMax } from '../../sdk/credit-report-check.ts';
import { checkScoreReceipt, scoreFileOf, scoreFormat } from '../../sdk/score-file.ts';
import { FileField, TextField } from '../parts/fields.tsx';
import { Button } from '../parts/button.tsx';
import { ErrorNote, GoodNote, Read, WarningNote } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Facts } from '../parts/table.tsx';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useChange, useRead } from '../shell/use-gateway.ts';
import { bankArea } from './area.ts';
import { useCatalogue } from './catalogue.tsx';
import { jsonIn } from './json-file.ts';
import { WithOwnKey } from './own-keys.tsx';
import { openKept, ShownAnswer } from './query-answer.tsx';
import { platformKeysBy } from './platform-keys.ts';
import { bankTexts } from './texts.ts';
import '../style/bank.css';

/** Kept answers, proven without asking anybody but the public log. */
export default function Receipts() {
  const t = useTexts(bankTexts);
  const title = useTexts(bankArea.titles);
  const key = useRead(['log key'], async (calls) => (await (await calls.send({ method: 'GET', path: '/v1/log/key' })).text()).trim());
  return <PageBody title={title('receipts')} lead={t('receiptsLead')}><Read of={key}>{(published) => <CheckForm published={published} />}</Read></PageBody>;
}

type Checked = {
  readonly receipt: Receipt;
  /** Entries under the checkpoint that proves it; undefined while the log has not published the entry. */
  readonly size: number | undefined;
  /** The answer to a query, which can be shown again. */
  readonly kept: AnswerFile | undefined;
  /** Whose key a credit report is signed with. */
  readonly signer: string | undefined;
};

/** Signature, question, answer and record of whatever was kept. Errors: CONFIG_INVALID, AUDIT_RECEIPT_INVALID, REPORT_INVALID. */
async function checkFile(file: File, keys: JSONWebKeySet): Promise<Omit<Checked, 'size'>> {
  const isPage = file.type === 'text/html' || file.name.endsWith('.html');
  const content = isPage ? undefined : (await jsonIn(file, creditReportLengthMax)) as Readonly<Record<string, unknown>> | null | undefined;
  if (isPage || content?.['report'] !== undefined) {
    const { receipt, signer } = await checkCreditReport(file.size > creditReportLengthMax ? '' : await file.text(), { keys, clock: systemClock });
    return { receipt, signer, kept: undefined };
  }
  if (content?.['format'] === scoreFormat) return { receipt: await checkScoreReceipt(scoreFileOf(content), keys), kept: undefined, signer: undefined };
  const kept = answerFileOf(content);
  return { receipt: await checkReceipt(kept, keys), kept, signer: undefined };
}

/** The file itself; then its place in the log, once the log has published it. */
async function check(calls: GatewayCalls, { file, logKey }: { readonly file: File; readonly logKey: string }): Promise<Checked> {
  const checked = await checkFile(file, await platformKeysBy(calls));
  const { receipt } = checked;
  const trusted = await parseVerifierKey(logKey.trim());
  const proof = await calls.send({ method: 'GET', path: `/v1/log/entries/${receipt.log.index}/proof` }).then((response) => response.text(), (error: unknown) => {
    if (isVeilgateError(error, 'AUDIT_ENTRY_NOT_FOUND')) return undefined;
    throw error;
  });
  const checkpoint = proof === undefined ? undefined : await verifyReceiptInclusion(receipt, proof, { origin: trusted.name, logKeys: [trusted] });
  return { ...checked, size: checkpoint?.size };
}

function CheckForm({ published }: { readonly published: string }) {
  const t = useTexts(bankTexts);
  const { time, number } = useFormats();
  const [logKey, setLogKey] = useState(published);
  const checking = useChange(check);
  const checked = checking.answer;
  return (
    <>
      <Section title={t('answerFile')}>
        <TextField label={t('logKey')} hint={t('logKeyHint')} value={logKey} onChange={setLogKey} maxLength={300} required />
        <FileField label={t('answerFile')} accept="application/json,.json,text/html,.html" onFile={(file) => checking.run({ file, logKey })} />
        {checking.error !== null && <ErrorNote error={checking.error} />}
        {checked !== undefined && (
          <>
            <GoodNote><p>{t('checkRight')}: {t('receiptRight')}</p></GoodNote>
            {checked.size === undefined ? <WarningNote><p>{t('notInLogYet')}</p></WarningNote> : <GoodNote><p>{t('inLog', { size: number(checked.size) })}</p></GoodNote>}
            <Facts items={[
              [t('entry'), String(checked.receipt.log.index)], [t('sent'), time(checked.receipt.issuedAtS * 1000)],
              [t('grant'), <code key="grant">{checked.receipt.grant}</code>], [t('policy'), <code key="policy">{checked.receipt.policy}</code>],
              ...(checked.signer === undefined ? [] : [[t('signer'), <code key="signer">{checked.signer}</code>]] as const),
            ]} />
          </>
        )}
      </Section>
      {checked?.kept !== undefined && <Reopen kept={checked.kept} />}
    </>
  );
}

function Reopen({ kept }: { readonly kept: AnswerFile }) {
  const t = useTexts(bankTexts);
  const catalogue = useCatalogue();
  const opening = useChange((_calls, open: () => ReturnType<typeof openKept>) => open());
  return (
    <WithOwnKey>{(calls) => (
      <>
        <div className="buttons"><Button onPress={() => opening.run(() => openKept(kept, calls))} busy={opening.busy}>{t('openAnswer')}</Button></div>
        {opening.error !== null && <ErrorNote error={opening.error} />}
        {opening.answer !== undefined && <Read of={catalogue}>{(found) => <ShownAnswer answered={opening.answer as NonNullable<typeof opening.answer>} calls={calls} catalogue={found} />}</Read>}
      </>
    )}</WithOwnKey>
  );
}
