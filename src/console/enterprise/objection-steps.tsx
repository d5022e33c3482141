import type { ObjectionState, ObjectionView } from '../../sdk/objections.ts';
import { PageLink } from '../parts/button.tsx';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { objectionTexts } from './objection-texts.ts';
import { Deadline } from './objection-words.tsx';
import { stepActions, stepRoles, wordsFor } from './words.ts';
import '../style/enterprise.css';

/** What is expected next, by state. */
function expected(state: ObjectionState, about: ObjectionView['about']): 'expectAccept' | 'expectDecideRecord' | 'expectDecideAccess' | 'expectClose' | undefined {
  switch (state) {
    case 'submitted': return 'expectAccept';
    case 'accepted': return about === 'record' ? 'expectDecideRecord' : 'expectDecideAccess';
    case 'closed': return undefined;
    default: return 'expectClose';
  }
}

/** The life of an objection so far, and the step that is due. */
export function ObjectionSteps({ objection }: { readonly objection: ObjectionView }) {
  const t = useTexts(objectionTexts);
  const words = useWords();
  const { time, number } = useFormats();
  const next = expected(objection.state, objection.about);
  return (
    <ol className="steps">
      {objection.steps.map(({ action, role, at, text, entry }) => (
        <li key={entry}>
          <strong>{words(wordsFor(stepActions, action))}</strong>
          <div className="when">
            {words(wordsFor(stepRoles, role))} · <time dateTime={at}>{time(at)}</time> · <PageLink to={`/enterprise/history/${entry}`}>{t('logged', { index: number(entry) })}</PageLink>
          </div>
          {text !== null && <p className="said">{text}</p>}
        </li>
      ))}
      {next !== undefined && <li className="ahead"><strong>{t(next)}</strong><div className="when"><Deadline objection={objection} /></div></li>}
    </ol>
  );
}
