import { systemClock } from '../../clock.ts';
import { isVeilgateError } from '../../errors.ts';
import type { AnswerFile } from '../../sdk/answer-file.ts';
import type { CatalogueView } from '../../sdk/catalogue.ts';
import type { SigningCalls } from '../../sdk/connection.ts';
import { creditReportPage } from '../../sdk/credit-report-page.ts';
import type { ReportLanguage } from '../../sdk/credit-report-texts.ts';
import { creditReportText, makeCreditReport } from '../../sdk/credit-report.ts';
import { grantsClient } from '../../sdk/grants.ts';
import { Button } from '../parts/button.tsx';
import { download } from '../parts/download.ts';
import { ErrorNote, GoodNote } from '../parts/notes.tsx';
import { useLanguage, useTexts } from '../shell/language.tsx';
import { useChange } from '../shell/use-gateway.ts';
import { reportButtonTexts } from './report-texts.ts';

type ReportProps = { readonly kept: AnswerFile; readonly calls: SigningCalls; readonly catalogue: CatalogueView };

/** Makes a signed credit report of an answer and hands it over as a file. A page of ours could not show it: its style is inside it. */
export function ReportButtons({ kept, calls, catalogue }: ReportProps) {
  const t = useTexts(reportButtonTexts);
  const { language } = useLanguage();
  const making = useChange((_calls, form: 'page' | 'file') => hand(form, language, { kept, calls, catalogue }));
  return (
    <div className="report">
      <h3>{t('title')}</h3>
      <p>{t('lead')}</p>
      <div className="buttons">
        <Button busy={making.busy} onPress={() => making.run('page')}>{t('page')}</Button>
        <Button busy={making.busy} onPress={() => making.run('file')}>{t('file')}</Button>
        <span className="hint">{t('pageHint')}</span>
      </div>
      {making.error !== null && <ErrorNote error={making.error} />}
      {making.done && <GoodNote><p>{t('made')}</p></GoodNote>}
    </div>
  );
}

async function hand(form: 'page' | 'file', language: ReportLanguage, { kept, calls, catalogue }: ReportProps): Promise<void> {
  const file = await makeCreditReport({ saved: kept, credentials: calls.credentials, catalogue, grant: await grantOf(kept, calls), clock: systemClock });
  const name = `credit-report-${kept.answer.entry.index}`;
  if (form === 'file') download(`${name}.json`, 'application/json', creditReportText(file));
  else download(`${name}.html`, 'text/html', await creditReportPage(file, language));
}

/** Null once it can no longer be read; the report then says only which it was. */
function grantOf({ answer }: AnswerFile, calls: SigningCalls) {
  return grantsClient(calls).readGrant(answer.grant).catch((error: unknown) => {
    if (isVeilgateError(error) && error.detail?.['status'] === 404) return null;
    throw error;
  });
}
