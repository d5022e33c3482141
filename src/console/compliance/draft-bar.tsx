import { PageLink } from '../parts/button.tsx';
import { useTexts } from '../shell/language.tsx';
import { changesIn, useDraft } from './draft.ts';
import { gridTexts } from './grid-texts.ts';

/** Says that there is a draft, and leads to it. */
export function DraftBar() {
  const g = useTexts(gridTexts);
  const { draft } = useDraft();
  const count = changesIn(draft);
  if (count === 0) return null;
  return <div className="draft-bar" role="status"><p>{g('draft', { count })}</p><PageLink className="button primary" to="/compliance/draft">{g('openDraft')}</PageLink></div>;
}
