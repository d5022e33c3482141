import type { OpenedScore } from '../../scoring/protocol.ts';
import type { SigningCalls } from '../../sdk/connection.ts';
import { checkScoreReceipt, openScoreFile, type ScoreFile } from '../../sdk/score-file.ts';
import { Button } from '../parts/button.tsx';
import { useCatalogueWords } from '../parts/catalogue-words.ts';
import { download } from '../parts/download.ts';
import { ErrorNote, GoodNote, WarningNote } from '../parts/notes.tsx';
import { Section } from '../parts/page.tsx';
import { Facts } from '../parts/table.tsx';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { scoreTexts } from './score-texts.ts';
import { bankTexts } from './texts.ts';

export type OpenedScoreFile = { readonly kept: ScoreFile; readonly opened: OpenedScore; /** What is wrong with the receipt; undefined when nothing is. */ readonly doubt: unknown };

/** Opens a kept score with the institution's key and checks its receipt. @param keys the platform's, read just now */
export async function openKeptScore(kept: ScoreFile, own: Pick<SigningCalls, 'credentials'>, keys: ScoreFile['keys']): Promise<OpenedScoreFile> {
  const opened = await openScoreFile(kept, own);
  const doubt = await checkScoreReceipt(kept, keys).then(() => undefined, (error: unknown) => error);
  return { kept, opened, doubt };
}

/** A file that holds the score as it travelled, both halves sealed. */
export function KeepScore({ kept }: { readonly kept: ScoreFile }) {
  const s = useTexts(scoreTexts);
  return <Button onPress={() => download(`score-${kept.answer.entry.index}.json`, 'application/json', JSON.stringify(kept))}>{s('keepScore')}</Button>;
}

/** Score, band and reasons in the model's own words, and whether the receipt is right. */
export function ShownScore({ of: { kept, opened, doubt } }: { readonly of: OpenedScoreFile }) {
  const t = useTexts(bankTexts);
  const s = useTexts(scoreTexts);
  const words = useWords();
  const { number } = useFormats();
  const { field } = useCatalogueWords();
  const { model } = kept.openable;
  const { answer } = kept;
  const band = model.bands.find(({ code }) => code === opened.band);
  const reasons = opened.reasons.map((code) => ({ code, text: model.reasons.find((reason) => reason.code === code)?.text }));
  return (
    <Section title={t('scoreResult')} actions={<KeepScore kept={kept} />}>
      {doubt === undefined ? <GoodNote><p>{s('receiptRight')}</p></GoodNote> : <><WarningNote><p>{s('receiptWrong')}</p></WarningNote><ErrorNote error={doubt} /></>}
      {answer.disputed !== undefined && answer.disputed.length > 0 && <WarningNote><p>{s('disputed', { fields: answer.disputed.map(field).join(', ') })}</p></WarningNote>}
      <div className="figures">
        <div className="figure"><b>{number(opened.score)}</b><span>{t('score')}</span></div>
        <div className="figure"><b>{band === undefined ? opened.band : words(band.text)}</b><span>{t('band')} <code>{opened.band}</code></span></div>
      </div>
      <h3>{s('reasonsTitle')}</h3>
      {reasons.length === 0 ? <p>{s('noReasons')}</p> : <ol className="reasons">{reasons.map(({ code, text }) => <li key={code}>{text === undefined ? '' : words(text)} <code>{code}</code></li>)}</ol>}
      <Facts items={[
        [s('enterprise'), <code key="subject">{opened.subject}</code>], [t('model'), <span key="model">{words(model.title)} <code>{model.ref}</code></span>],
        [s('grant'), <code key="grant">{answer.grant}</code>], [t('policy'), <code key="policy">{answer.policy}</code>], [s('entry'), String(answer.entry.index)],
      ]} />
    </Section>
  );
}
