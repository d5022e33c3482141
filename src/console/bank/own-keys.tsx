import { useState, type ReactNode } from 'react';
import { isVeilgateError } from '../../errors.ts';
import type { SigningCalls } from '../../sdk/connection.ts';
import { readCredentials, type Credentials, type CredentialsFile } from '../../sdk/keys.ts';
import { Button } from '../parts/button.tsx';
import { FileField } from '../parts/fields.tsx';
import { Loading } from '../parts/notes.tsx';
import { Section } from '../parts/page.tsx';
import { useTexts } from '../shell/language.tsx';
import { useSession } from '../shell/session.tsx';
import { useKept } from '../shell/use-gateway.ts';
import { forgetCredentials, keepCredentials, keptCredentials } from './key-store.ts';
import { bankTexts } from './texts.ts';

const lengthMax = 16_384;

/** A part of the page that signs and opens with the institution's key; asks for the key file where there is none yet. */
export function WithOwnKey({ children }: { readonly children: (calls: SigningCalls) => ReactNode }) {
  const { party, calls } = useSession();
  const { kept: credentials, isPending, renew } = useKept(['own key', party], async () => (await keptCredentials(party)) ?? null);
  if (isPending) return <Loading />;
  if (credentials === undefined) return <ChooseKey party={party} onChosen={renew} />;
  return <><KeyHere party={party} onForgotten={renew} />{children({ ...calls, credentials })}</>;
}

function ChooseKey({ party, onChosen }: { readonly party: string; readonly onChosen: () => unknown }) {
  const t = useTexts(bankTexts);
  const [problem, setProblem] = useState<string>();
  const choose = async (file: File) => {
    const credentials = file.size > lengthMax ? undefined : await credentialsIn(await file.text());
    if (credentials === undefined) return setProblem(t('keyBroken'));
    if (credentials.party !== party) return setProblem(t('keyOther', { other: credentials.party, party }));
    await keepCredentials(credentials);
    setProblem(undefined);
    return onChosen();
  };
  return (
    <Section title={t('keyTitle')}>
      <p>{t('keyNeeded')}</p>
      <FileField label={t('keyFile')} hint={t('keyHint')} accept="application/json,.json" onFile={(file) => void choose(file)} />
      {problem !== undefined && <div className="note bad" role="alert"><p>{problem}</p></div>}
    </Section>
  );
}

function KeyHere({ party, onForgotten }: { readonly party: string; readonly onForgotten: () => unknown }) {
  const t = useTexts(bankTexts);
  const forget = async () => {
    await forgetCredentials(party);
    onForgotten();
  };
  return <p className="key-here">{t('keyHere', { party })} <Button look="quiet" onPress={() => void forget()}>{t('forgetKey')}</Button></p>;
}

/** The keys of a file as the browser's own, which nothing reads out again; undefined when it is no key file. */
async function credentialsIn(text: string): Promise<Credentials | undefined> {
  try {
    const { party, signing, encryption } = JSON.parse(text) as Partial<CredentialsFile>;
    if (typeof party !== 'string' || signing?.d === undefined) return undefined;
    return await readCredentials({ party, signing, ...(encryption === undefined ? {} : { encryption }) });
  } catch (error) {
    if (isVeilgateError(error)) throw error;
    return undefined;
  }
}
