import type { PolicyVersionView } from '../../sdk/policies.ts';
import { Tag, type Tone } from '../parts/tag.tsx';
import { useTexts } from '../shell/language.tsx';
import { versionTexts } from './version-texts.ts';

const tones: Readonly<Record<PolicyVersionView['state'], Tone>> = { proposed: 'warning', approved: 'accent', in_force: 'good', superseded: 'neutral', refused: 'bad', withdrawn: 'neutral' };

export function VersionState({ state }: Pick<PolicyVersionView, 'state'>) {
  const t = useTexts(versionTexts);
  return <Tag tone={tones[state]}>{t(state)}</Tag>;
}
