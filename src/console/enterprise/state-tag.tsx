import { Tag } from '../parts/tag.tsx';
import { useWords } from '../shell/language.tsx';
import { tones, wordsFor, type WordTable } from './words.ts';

/** A state in words, with its colour. */
export function StateTag({ of, state }: { readonly of: WordTable; readonly state: string }) {
  const words = useWords();
  return <Tag tone={tones[state] ?? 'neutral'}>{words(wordsFor(of, state))}</Tag>;
}
