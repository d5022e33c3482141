import { useParams } from 'react-router';
import { policyPurposesClient } from '../../sdk/policy-purposes.ts';
import { EmptyNote, Read } from '../parts/notes.tsx';
import { PageBody } from '../parts/page.tsx';
import { useTexts, useWords } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { complianceArea } from './area.ts';
import { DraftBar } from './draft-bar.tsx';
import { PurposeEditor } from './purpose-editor.tsx';
import { PurposeFacts } from './purpose-facts.tsx';
import { purposeTexts } from './purpose-texts.ts';
import { useVersionInForce } from './version-in-force.ts';
import '../style/compliance.css';

/** One purpose: what the policy says about it, and the editor of it. */
export default function PurposePage() {
  const titles = useTexts(complianceArea.titles);
  const t = useTexts(purposeTexts);
  const words = useWords();
  const code = useParams()['purpose'] ?? '';
  const inForce = useVersionInForce();
  const version = inForce.data?.version;
  const purpose = useRead(['policies', 'purpose', version, code], (calls) => policyPurposesClient(calls).purpose(version ?? 0, code), { enabled: version !== undefined });
  return (
    <PageBody title={purpose.data === undefined ? titles('purpose') : words(purpose.data.title)} lead={t('pageLead')}>
      <DraftBar />
      <Read of={inForce}>{(found) => (found === undefined ? <EmptyNote /> : (
        <Read of={purpose}>{(view) => (
          <>
            <p className="hint"><code>{view.purpose}</code> · {t('version', { version: view.version })}</p>
            <PurposeEditor key={`${view.version} ${view.purpose}`} view={view} />
            <PurposeFacts view={view} />
          </>
        )}</Read>
      ))}</Read>
    </PageBody>
  );
}
