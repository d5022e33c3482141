import { policyCellsClient } from '../../sdk/policy-cells.ts';
import type { PolicyPurposeEdit } from '../../sdk/policy-purposes.ts';
import { EmptyNote, Read } from '../parts/notes.tsx';
import { Section } from '../parts/page.tsx';
import { useTexts, useWords } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { useSettled } from '../shell/use-settled.ts';
import { Differences } from './differences.tsx';
import { purposeTexts } from './purpose-texts.ts';

type Props = { readonly version: number; readonly edit: PolicyPurposeEdit | undefined; readonly hasFaults: boolean };

/** What a change of a purpose does, in full and in words, before it is even in the draft. */
export function PurposeEffect({ version, edit, hasFaults }: Props) {
  const t = useTexts(purposeTexts);
  return (
    <Section title={t('effect')}>
      {hasFaults ? <EmptyNote>{t('effectFaults')}</EmptyNote> : edit === undefined ? <EmptyNote>{t('effectNone')}</EmptyNote> : <Judged version={version} text={JSON.stringify(edit)} />}
    </Section>
  );
}

function Judged({ version, text }: { readonly version: number; readonly text: string }) {
  const t = useTexts(purposeTexts);
  const words = useWords();
  const settled = useSettled(text);
  const judged = useRead(['policies', 'judged-purpose', version, settled], (calls) => policyCellsClient(calls).judge(version, [], false, { purposes: [JSON.parse(settled) as PolicyPurposeEdit] }));
  return (
    <Read of={judged}>{({ summary, settings, differences, tests }) => (
      <>
        <p role="status">{words(summary)} {tests.failing === 0 ? t('testsPass', { run: tests.run }) : t('tests', { failing: tests.failing })}</p>
        <Differences changes={[...settings, ...differences]} caption={t('effect')} />
      </>
    )}</Read>
  );
}
