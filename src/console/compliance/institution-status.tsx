import type { InstitutionStatus } from '../../sdk/officer.ts';
import { Tag, type Tone } from '../parts/tag.tsx';
import { useTexts } from '../shell/language.tsx';
import { institutionTexts } from './institution-texts.ts';

const tones: Readonly<Record<InstitutionStatus, Tone>> = { applied: 'warning', assessed: 'accent', approved: 'good', suspended: 'bad', revoked: 'neutral' };

export function StatusTag({ status }: { readonly status: InstitutionStatus }) {
  const t = useTexts(institutionTexts);
  return <Tag tone={tones[status]}>{t(status)}</Tag>;
}
