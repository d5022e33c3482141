import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { policyCellsClient, type PolicyMatrixView } from '../../sdk/policy-cells.ts';
import { policyPurposesClient } from '../../sdk/policy-purposes.ts';
import { TextField } from '../parts/fields.tsx';
import { EmptyNote, Read } from '../parts/notes.tsx';
import { PageBody } from '../parts/page.tsx';
import { useTexts } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { DraftBar } from './draft-bar.tsx';
import { PurposeEditor } from './purpose-editor.tsx';
import { blankPurpose } from './purpose-form.ts';
import { purposeTexts } from './purpose-texts.ts';
import { useVersionInForce } from './version-in-force.ts';
import '../style/compliance.css';

/** A purpose there is not yet. */
export default function NewPurpose() {
  const t = useTexts(purposeTexts);
  const inForce = useVersionInForce();
  const version = inForce.data?.version;
  const matrix = useRead(['policies', 'matrix', version, undefined, 'read', 'original'], (calls) => policyCellsClient(calls).matrix(version ?? 0, undefined, 'read', 'original'), { enabled: version !== undefined });
  return (
    <PageBody title={t('newTitle')} lead={t('newLead')}>
      <DraftBar />
      <Read of={inForce}>{(found) => (found === undefined ? <EmptyNote /> : <Read of={matrix}>{({ purposes }) => <Coded version={found.version} purposes={purposes} />}</Read>)}</Read>
    </PageBody>
  );
}

const form = /^[a-z][a-z0-9_]{0,40}$/;

function Coded({ version, purposes }: { readonly version: number; readonly purposes: PolicyMatrixView['purposes'] }) {
  const t = useTexts(purposeTexts);
  const [search] = useSearchParams();
  const [code, setCode] = useState(search.get('code') ?? '');
  const like = purposes[0]?.code ?? '';
  // any purpose tells which fields and bounds there are
  const view = useRead(['policies', 'purpose', version, like], (calls) => policyPurposesClient(calls).purpose(version, like));
  const error = code === '' ? undefined : !form.test(code) ? t('codeWrong') : purposes.some((each) => each.code === code) ? t('codeTaken') : undefined;
  return (
    <>
      <TextField label={t('newCode')} hint={t('newCodeHint')} required maxLength={41} value={code} onChange={setCode} error={error} />
      {code !== '' && error === undefined && <Read of={view}>{(found) => <PurposeEditor key={code} view={blankPurpose(found, code)} isNew />}</Read>}
    </>
  );
}
