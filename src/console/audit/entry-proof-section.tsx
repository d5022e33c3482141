import { isVeilgateError } from '../../errors.ts';
import type { EntryView } from '../../sdk/auditor.ts';
import { checkEntryProof, proveEntry, type EntryProof } from '../../sdk/entry-proof.ts';
import { Button } from '../parts/button.tsx';
import { download } from '../parts/download.ts';
import { ErrorNote, GoodNote, Loading, Read, WarningNote } from '../parts/notes.tsx';
import { Section } from '../parts/page.tsx';
import { Digest, Facts } from '../parts/table.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { entryTexts } from './entry-texts.ts';
import { trustOf, useLogMemory, type LogMemory } from './log-memory.ts';

/** The entry's place in the signed log, worked out here as soon as it is shown. */
export function EntryProofSection({ entry }: { readonly entry: EntryView }) {
  const t = useTexts(entryTexts);
  const { memory, isPending } = useLogMemory();
  return (
    <Section title={t('proof')}>
      <p>{t('proofLead')}</p>
      <Facts items={[[t('commitment'), <Digest key="commitment" value={entry.commitment} />], [t('salt'), entry.salt === null ? '–' : <Digest key="salt" value={entry.salt} />]]} />
      {isPending ? <Loading /> : <Proof entry={entry} memory={memory === 'unreadable' ? undefined : memory} />}
    </Section>
  );
}

type Checked = { readonly kind: 'proven'; readonly proof: EntryProof; readonly size: number } | { readonly kind: 'not_yet' } | { readonly kind: 'wrong'; readonly error: unknown };

function Proof({ entry, memory }: { readonly entry: EntryView; readonly memory: LogMemory | undefined }) {
  const t = useTexts(entryTexts);
  const common = useTexts(frameTexts);
  const { number } = useFormats();
  const checked = useRead(['entry proof', entry, memory?.keys], async (calls): Promise<Checked> => {
    try {
      const { proof, size } = await proveEntry(calls, entry);
      return { kind: 'proven', proof, size: memory === undefined ? size : await checkEntryProof(proof, await trustOf(memory)) };
    } catch (error) {
      if (isVeilgateError(error, 'AUDIT_ENTRY_NOT_FOUND')) return { kind: 'not_yet' };
      if (isVeilgateError(error, 'AUDIT_PROOF_INVALID') || isVeilgateError(error, 'AUDIT_CHECKPOINT_INVALID')) return { kind: 'wrong', error };
      throw error;
    }
  });
  return (
    <Read of={checked}>{(found) => {
      if (found.kind === 'not_yet') return <WarningNote><p>{t('notYet')}</p><Button onPress={() => void checked.refetch()}>{common('again')}</Button></WarningNote>;
      if (found.kind === 'wrong') return <div className="verdict"><div className="note bad" role="alert"><p className="note-title">{t('wrong')}</p></div><ErrorNote error={found.error} /></div>;
      return (
        <>
          <GoodNote><p>{t(entry.record === null ? 'provenErased' : 'proven', { size: number(found.size) })}</p><p>{t(memory === undefined ? 'keyPublished' : 'keyRemembered')}</p></GoodNote>
          <Button onPress={() => download(`entry-${entry.index}.json`, 'application/json', JSON.stringify(found.proof, null, 2))}>{t('download')}</Button>
        </>
      );
    }}</Read>
  );
}
