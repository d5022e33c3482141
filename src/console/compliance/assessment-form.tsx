import { useState } from 'react';
import { toHex } from '../../audit/bytes.ts';
import { officerClient, type Assessment } from '../../sdk/officer.ts';
import { Button } from '../parts/button.tsx';
import { FieldRow, FileField, Select, TextField } from '../parts/fields.tsx';
import { ErrorNote, GoodNote } from '../parts/notes.tsx';
import { useTexts } from '../shell/language.tsx';
import { useChange } from '../shell/use-gateway.ts';
import { institutionTexts } from './institution-texts.ts';

const levels = ['1', '2', '3', '4', '5'] as const;

/** Records what an assessment found; of the report only its digest leaves this machine. */
export function AssessmentForm({ institution }: { readonly institution: string }) {
  const t = useTexts(institutionTexts);
  const [level, setLevel] = useState<(typeof levels)[number]>('3');
  const [passed, setPassed] = useState<'passed' | 'failed'>('passed');
  const [until, setUntil] = useState('');
  const [digest, setDigest] = useState('');
  const [wrong, setWrong] = useState({ until: false, digest: false });
  const recording = useChange((calls, assessment: Assessment) => officerClient(calls).assess(institution, assessment), [['institutions']]);
  const record = () => {
    const found = { until: until === '', digest: !/^[0-9a-f]{64}$/.test(digest) };
    setWrong(found);
    if (!found.until && !found.digest) recording.run({ level: Number(level), passed: passed === 'passed', valid_until: until, findings_digest: digest }, () => setDigest(''));
  };
  return (
    <form onSubmit={(event) => { event.preventDefault(); record(); }}>
      <h3>{t('record')}</h3>
      <FieldRow>
        <Select label={t('level')} value={level} options={levels.map((value) => ({ value, label: value }))} onChange={setLevel} />
        <Select label={t('outcome')} value={passed} options={(['passed', 'failed'] as const).map((value) => ({ value, label: t(value) }))} onChange={setPassed} />
        <TextField label={t('validUntil')} type="date" required value={until} onChange={setUntil} error={wrong.until ? t('dateWrong') : undefined} />
      </FieldRow>
      <FieldRow>
        <FileField label={t('findingsFile')} hint={t('findingsHint')} accept="*/*" onFile={(file) => void digestOf(file).then(setDigest)} />
        <TextField label={t('findings')} required maxLength={64} value={digest} onChange={(text) => setDigest(text.trim().toLowerCase())} error={wrong.digest ? t('digestWrong') : undefined} />
      </FieldRow>
      {recording.error !== null && <ErrorNote error={recording.error} />}
      {recording.done && <GoodNote><p>{t('saved')}</p></GoodNote>}
      <Button type="submit" look="primary" busy={recording.busy}>{t('record')}</Button>
    </form>
  );
}

async function digestOf(file: File): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer())));
}
