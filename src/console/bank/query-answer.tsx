import type { JSONWebKeySet } from 'jose';
import { answerFormat, checkReceipt, type AnswerFile } from '../../sdk/answer-file.ts';
import { openAnswer, queryClient, sha256Hex, type OpenedAnswer, type OpenedValue, type Query } from '../../sdk/bank.ts';
import type { CatalogueView } from '../../sdk/catalogue.ts';
import type { SigningCalls } from '../../sdk/connection.ts';
import { Button } from '../parts/button.tsx';
import { download } from '../parts/download.ts';
import { ErrorNote, GoodNote, WarningNote } from '../parts/notes.tsx';
import { Section } from '../parts/page.tsx';
import { Facts, Table } from '../parts/table.tsx';
import { Tag } from '../parts/tag.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useTexts, useWords } from '../shell/language.tsx';
import { useChange } from '../shell/use-gateway.ts';
import { platformKeysBy } from './platform-keys.ts';
import { queryTexts } from './query-texts.ts';
import { ReportButtons } from './report-buttons.tsx';
import { bankTexts, useCodes } from './texts.ts';
import { useSignedOnce } from './use-signed-once.ts';

export type Answered = { readonly kept: AnswerFile; readonly opened: OpenedAnswer; readonly doubt: unknown };

type Asked = { readonly request: string; readonly keys: JSONWebKeySet };

/** Signs; the platform's keys are read first, because without them an answer could be had, and spent, but not proven. */
async function sign(calls: SigningCalls, query: Query): Promise<Asked> {
  const keys = await platformKeysBy(calls);
  return { request: await queryClient(calls).signQuery(query), keys };
}

async function send(calls: SigningCalls, { request, keys }: Asked): Promise<AnswerFile> {
  return { format: answerFormat, gateway: calls.gateway, institution: calls.credentials.party, ...await queryClient(calls).exchangeSigned(request), keys };
}

/** Opens a kept answer with the institution's key and checks its receipt. */
export async function openKept(kept: AnswerFile, own: Pick<SigningCalls, 'gateway' | 'credentials'>): Promise<Answered> {
  const opened = await openAnswer(kept.answer, own, await sha256Hex(kept.request));
  const doubt = await checkReceipt(kept, kept.keys).then(() => undefined, (error: unknown) => error);
  return { kept, opened, doubt };
}

export function AskAndAnswer({ calls, query, catalogue }: { readonly calls: SigningCalls; readonly query: Query; readonly catalogue: CatalogueView }) {
  const t = useTexts(bankTexts);
  const q = useTexts(queryTexts);
  const asking = useSignedOnce((asked: Query) => sign(calls, asked), (signed) => send(calls, signed), [['explanation'], ['grants']]);
  const opening = useChange((_calls, kept: AnswerFile) => openKept(kept, calls));
  const ask = () => {
    opening.reset();
    asking.run(query, (kept) => opening.run(kept));
  };
  return (
    <>
      <div className="buttons ask"><Button look="primary" busy={asking.busy || opening.busy} onPress={ask}>{t('ask')}</Button><span className="hint">{t('askAgain')}</span></div>
      {asking.error !== null && <ErrorNote error={asking.error} />}
      {asking.unsure && <WarningNote><p>{q('unsure')}</p></WarningNote>}
      {opening.error !== null && asking.answer !== undefined && <><ErrorNote error={opening.error} /><KeepAnswer kept={asking.answer} /></>}
      {opening.answer !== undefined && <ShownAnswer answered={opening.answer} calls={calls} catalogue={catalogue} />}
    </>
  );
}

/** As it travelled, originals still sealed: also when it could not be opened here. */
function KeepAnswer({ kept }: { readonly kept: AnswerFile }) {
  const t = useTexts(bankTexts);
  return <Button onPress={() => download(`answer-${kept.answer.entry.index}.json`, 'application/json', JSON.stringify(kept))}>{t('keepAnswer')}</Button>;
}

/** An opened answer: values with how they came, comparisons, what was withheld, and whether the receipt is right. */
export function ShownAnswer({ answered: { kept, opened, doubt }, calls, catalogue }: { readonly answered: Answered; readonly calls: SigningCalls; readonly catalogue: CatalogueView }) {
  const t = useTexts(bankTexts);
  const common = useTexts(frameTexts);
  const words = useWords();
  const code = useCodes();
  const titles = new Map(catalogue.datasets.flatMap(({ fields }) => fields.map(({ field, title }) => [field, title])));
  const titleOf = (field: string) => words(titles.get(field) ?? { en: field, zh: field });
  const rows = Object.entries(opened.data).flatMap(([dataset, found]) => found.flatMap((row, at) =>
    Object.entries(row).map(([field, value]) => ({ key: `${dataset}.${field} ${at}`, field: `${dataset}.${field}`, row: found.length > 1 ? String(at + 1) : '', value }))));
  return (
    <Section title={t('asked')} actions={<KeepAnswer kept={kept} />}>
      {doubt === undefined ? <GoodNote><p>{t('receiptRight')}</p></GoodNote> : <><WarningNote><p>{t('receiptWrong')}</p></WarningNote><ErrorNote error={doubt} /></>}
      {opened.disputed !== undefined && opened.disputed.length > 0 && <WarningNote><p>{t('disputed', { fields: opened.disputed.map(titleOf).join(', ') })}</p></WarningNote>}
      {rows.length > 0 && <Table caption={t('asked')} rows={rows} keyOf={({ key }) => key} columns={[
        { id: 'field', title: common('field'), cell: ({ field }) => <>{titleOf(field)} <code>{field}</code></> },
        { id: 'row', title: t('row'), cell: ({ row }) => row, numeric: true },
        { id: 'how', title: t('how'), cell: ({ value }) => <Tag tone={value.kind === 'clear' ? 'open' : 'partly'}>{t(howOf(value))}</Tag> },
        { id: 'value', title: t('value'), cell: ({ value }) => <bdi>{textOf(value)}</bdi> },
      ]} />}
      {opened.verified.length > 0 && <Table caption={t('verified')} showCaption rows={opened.verified} keyOf={({ field }) => field} columns={[
        { id: 'field', title: common('field'), cell: ({ field }) => <>{titleOf(field)} <code>{field}</code></> },
        { id: 'outcome', title: t('outcome'), cell: ({ outcome }) => code(outcome) },
      ]} />}
      {opened.withheld.length > 0 && <Table caption={t('withheld')} showCaption rows={opened.withheld} keyOf={({ field, use }) => `${field} ${use}`} columns={[
        { id: 'field', title: common('field'), cell: ({ field }) => <>{titleOf(field)} <code>{field}</code></> },
        { id: 'use', title: t('use'), cell: ({ use }) => (use === 'read' || use === 'verify' ? t(use) : code(use)) },
        { id: 'reason', title: t('why'), cell: ({ reason }) => code(reason) },
      ]} />}
      <Facts items={[[t('grant'), <code key="grant">{opened.grant}</code>], [t('policy'), <code key="policy">{opened.policy}</code>], [t('entry'), String(opened.entry.index)]]} />
      {doubt === undefined && <ReportButtons kept={kept} calls={calls} catalogue={catalogue} />}
    </Section>
  );
}

function howOf(value: OpenedValue): 'original' | 'masked' | 'banded' | 'token' | 'absent' {
  return value.kind === 'clear' ? 'original' : value.kind;
}

function textOf(value: OpenedValue): string {
  switch (value.kind) {
    case 'banded': return `${value.from ?? '…'} – ${value.to ?? '…'}`;
    case 'absent': return '–';
    default: return value.value === null ? '–' : String(value.value);
  }
}
