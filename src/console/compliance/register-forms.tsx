import type { JWK } from 'jose';
import { useState } from 'react';
import { officerClient } from '../../sdk/officer.ts';
import { Button } from '../parts/button.tsx';
import { Checkbox, FieldRow, FileField, TextField } from '../parts/fields.tsx';
import { ErrorNote, GoodNote } from '../parts/notes.tsx';
import { useTexts } from '../shell/language.tsx';
import { useChange } from '../shell/use-gateway.ts';
import { institutionTexts } from './institution-texts.ts';

const roles = ['registrar', 'compliance', 'auditor'] as const;
const empty = { id: '', en: '', zh: '', key: '', roles: [] as readonly string[] };

/** Registers an officer, who then waits for another officer, or a department. */
export function PartyForm({ kind }: { readonly kind: 'officer' | 'department' }) {
  const t = useTexts(institutionTexts);
  const [given, setGiven] = useState(empty);
  const [shown, setShown] = useState(false);
  const registration = useChange((calls, { id, en, zh, roles: chosen, jwk }: typeof empty & { readonly jwk: JWK }) => {
    const party = { id: id.trim(), name: { en: en.trim(), zh: zh.trim() }, key: jwk };
    return kind === 'officer' ? officerClient(calls).registerOfficer({ ...party, roles: chosen }) : officerClient(calls).registerDepartment(party);
  }, [['staff']]);
  const jwk = publicKeyOf(given.key);
  const missing = (text: string) => (shown && text.trim() === '' ? t('fill') : undefined);
  const register = () => {
    setShown(true);
    const complete = [given.id, given.en, given.zh].every((text) => text.trim() !== '') && (kind === 'department' || given.roles.length > 0);
    if (complete && jwk !== undefined) registration.run({ ...given, jwk }, () => { setGiven(empty); setShown(false); });
  };
  return (
    <form onSubmit={(event) => { event.preventDefault(); register(); }}>
      <FieldRow>
        <TextField label={t('id')} required maxLength={128} value={given.id} onChange={(id) => setGiven({ ...given, id })} error={missing(given.id)} />
        <TextField label={t('nameEn')} required maxLength={200} value={given.en} onChange={(en) => setGiven({ ...given, en })} error={missing(given.en)} />
        <TextField label={t('nameZh')} required maxLength={200} value={given.zh} onChange={(zh) => setGiven({ ...given, zh })} error={missing(given.zh)} />
      </FieldRow>
      {kind === 'officer' && (
        <fieldset>
          <legend>{t('roles')}</legend>
          <div className="tick-list">{roles.map((role) => <Checkbox key={role} value={given.roles.includes(role)}
            onChange={(on) => setGiven({ ...given, roles: on ? [...given.roles, role] : given.roles.filter((each) => each !== role) })}>{t(role)}</Checkbox>)}</div>
          {shown && given.roles.length === 0 && <p className="field-error">{t('chooseRole')}</p>}
        </fieldset>
      )}
      <FileField label={t('keyFile')} hint={t('keyHint')} accept=".json,.jwk" onFile={(file) => void file.text().then((key) => setGiven((now) => ({ ...now, key })))} />
      <TextField label={t('key')} required lines={3} maxLength={4000} value={given.key} onChange={(key) => setGiven({ ...given, key })}
        error={shown && jwk === undefined ? t('keyWrong') : undefined} />
      {registration.error !== null && <ErrorNote error={registration.error} />}
      {registration.answer !== undefined && <GoodNote><p>{t('registered2', { id: registration.answer.id })}</p></GoodNote>}
      <Button type="submit" look="primary" busy={registration.busy}>{t('register')}</Button>
    </form>
  );
}

/** A public key; what holds a secret part is none: it must not leave this machine. */
function publicKeyOf(text: string): JWK | undefined {
  try {
    const key: unknown = JSON.parse(text);
    return typeof key === 'object' && key !== null && 'kty' in key && !('d' in key) && !('k' in key) ? key as JWK : undefined;
  } catch {
    return undefined;
  }
}

/** Registers an enterprise and shows the code with which its representative makes an account, once. */
export function EnterpriseForm() {
  const t = useTexts(institutionTexts);
  const [subject, setSubject] = useState('');
  const [name, setName] = useState('');
  const [shown, setShown] = useState(false);
  const registration = useChange((calls, given: { readonly subject: string; readonly name: string }) => officerClient(calls).registerEnterprise(given.subject, given.name));
  const register = () => {
    setShown(true);
    if (subject.trim() !== '' && name.trim() !== '') registration.run({ subject: subject.trim(), name: name.trim() }, () => { setSubject(''); setName(''); setShown(false); });
  };
  return (
    <form onSubmit={(event) => { event.preventDefault(); register(); }}>
      <FieldRow>
        <TextField label={t('subject')} required maxLength={18} value={subject} onChange={setSubject} error={shown && subject.trim() === '' ? t('fill') : undefined} />
        <TextField label={t('representative')} required maxLength={100} value={name} onChange={setName} error={shown && name.trim() === '' ? t('fill') : undefined} />
      </FieldRow>
      {registration.error !== null && <ErrorNote error={registration.error} />}
      {registration.answer !== undefined && <GoodNote><p>{t('registered2', { id: registration.answer.party })} {t('codeOnce')}</p><p><code>{registration.answer.activation_code}</code></p></GoodNote>}
      <Button type="submit" look="primary" busy={registration.busy}>{t('register')}</Button>
    </form>
  );
}
