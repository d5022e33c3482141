import { EmptyNote } from '../parts/notes.tsx';
import { PageBody } from '../parts/page.tsx';
import { useTexts } from '../shell/language.tsx';
import { enterpriseArea } from './area.ts';

export default function Home() {
  const t = useTexts(enterpriseArea.titles);
  return <PageBody title={t('home')}><EmptyNote /></PageBody>;
}
