import type { PolicyReviewView, PolicyRisk } from '../../sdk/policies.ts';
import { EmptyNote } from '../parts/notes.tsx';
import { Table } from '../parts/table.tsx';
import { Tag, type Tone } from '../parts/tag.tsx';
import { useTexts, useWords } from '../shell/language.tsx';
import { versionTexts } from './version-texts.ts';

const tones: Readonly<Record<PolicyRisk, Tone>> = { loosened: 'open', mixed: 'warning', altered: 'partly', tightened: 'closed' };

/** Every group of cells that change in the same way, riskiest first, in words. */
export function Differences({ changes, caption }: { readonly changes: readonly Pick<PolicyReviewView['changes'][number], 'risk' | 'words'>[]; readonly caption: string }) {
  const t = useTexts(versionTexts);
  const words = useWords();
  if (changes.length === 0) return <EmptyNote>{t('noDifference')}</EmptyNote>;
  return (
    <Table caption={caption} heading="words" rows={changes.map((change, at) => ({ ...change, at }))} keyOf={({ at }) => String(at)} columns={[
      { id: 'risk', title: t('risk'), cell: ({ risk }) => <Tag tone={tones[risk]}>{t(risk)}</Tag> },
      { id: 'words', title: t('words'), cell: (change) => words(change.words) },
    ]} />
  );
}
