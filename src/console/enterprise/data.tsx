import { PageBody, Section } from '../parts/page.tsx';
import { Facts } from '../parts/table.tsx';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useSession } from '../shell/session.tsx';
import { dataTexts } from './data-texts.ts';
import { OwnExport } from './own-export.tsx';

/** Everything of one's own to take along, and the account. */
export default function Data() {
  const t = useTexts(dataTexts);
  return (
    <PageBody title={t('title')}>
      <Section title={t('export')}><OwnExport /></Section>
      <Section title={t('account')}><Account /></Section>
    </PageBody>
  );
}

function Account() {
  const t = useTexts(dataTexts);
  const { time } = useFormats();
  const { name, username, subject, party, ends_at: ends } = useSession();
  return (
    <>
      <Facts items={[[t('signedInAs'), name ?? username], [t('username'), username], [t('subject'), subject ?? party], [t('ends'), time(ends)]]} />
      <p>{t('accountLead')}</p>
      <p className="buttons"><a className="button" href="/password">{t('password')}</a><a className="button" href="/passkeys">{t('passkeys')}</a></p>
    </>
  );
}
