import { useParams } from 'react-router';
import { grantRequestsClient, type GrantOfferView, type GrantRequestView } from '../../sdk/grant-requests.ts';
import { PageLink } from '../parts/button.tsx';
import { useCatalogueWords } from '../parts/catalogue-words.ts';
import { GoodNote, Read, WarningNote } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Facts } from '../parts/table.tsx';
import { useFormats, useLanguage, useTexts, useWords } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { enterpriseArea } from './area.ts';
import { frequencyText, periodText } from './grant.tsx';
import { grantTexts } from './grant-texts.ts';
import { RequestAnswer, RequestRefusal } from './request-answer.tsx';
import { requestTexts } from './request-texts.ts';
import { StateTag } from './state-tag.tsx';
import { requestStates } from './words.ts';
import '../style/enterprise.css';

type Shown = GrantRequestView & { readonly offer: GrantOfferView | null };

/** One request: who asks what and why, and the enterprise's answer. */
export default function Request() {
  const t = useTexts(requestTexts);
  const titles = useTexts(enterpriseArea.titles);
  const words = useWords();
  const { request: id = '' } = useParams();
  const request = useRead(['grant-requests', 'one', id], (calls) => grantRequestsClient(calls).readGrantRequest(id));
  const nameOf = ({ institution, institution_name: name }: GrantRequestView) => (name === null ? institution : words(name));
  return (
    <PageBody title={request.data === undefined ? titles('request') : t('requestTitle', { institution: nameOf(request.data) })}>
      <Read of={request}>{(found) => <>
        {found.grant !== null && <GoodNote><p>{t('agreed')} <PageLink to={`/enterprise/grants/${found.grant}`}>{t('openGrant')}</PageLink></p></GoodNote>}
        {found.state === 'refused' && <GoodNote><p>{t('refused')}</p></GoodNote>}
        <Section title={t('request')}><RequestFacts request={found} /></Section>
        {found.state === 'pending' && found.offer !== null && <RequestAnswer request={found} offer={found.offer} institution={nameOf(found)} />}
        {found.state === 'pending' && found.offer === null && <WarningNote>
          <p>{t('gone')}</p>
          <RequestRefusal id={found.id} institution={nameOf(found)} />
        </WarningNote>}
      </>}</Read>
    </PageBody>
  );
}

function RequestFacts({ request }: { readonly request: Shown }) {
  const t = useTexts(requestTexts);
  const g = useTexts(grantTexts);
  const { time, number } = useFormats();
  const { language } = useLanguage();
  const catalogue = useCatalogueWords();
  const terms = request.offer?.terms ?? request.terms;
  const described = request.offer?.description[language];
  const frequency = frequencyText(g, terms.frequency);
  return (
    <>
      <Facts items={[
        [t('state'), <StateTag key="state" of={requestStates} state={request.state} />],
        [t('purpose'), catalogue.purpose(terms.purpose)],
        ...(described === undefined ? [] : [[t('why'), described.purpose.text] as const, [t('kindOf'), described.institution.kind] as const]),
        [t('asked'), time(request.created_at)],
        ...(request.state === 'pending' ? [[t('expires'), time(request.expires_at)] as const] : []),
        [t('fields'), number(terms.fields.length)],
        [g('kind'), terms.kind === 'one_time' ? g('oneTime') : g('periodic')],
        ...(frequency === undefined ? [] : [[g('frequency'), frequency] as const]),
        [g('dataPeriod'), periodText(g, terms.data_from, terms.data_to)],
        ...(request.reason === null ? [] : [[t('reason'), request.reason] as const]),
      ]} />
      <h3>{t('message')}</h3>
      {request.message === null ? <p className="hint">{t('noMessage')}</p> : <blockquote className="message" dir="auto">{request.message}</blockquote>}
      {described !== undefined && <details><summary>{t('caps')}</summary><ul>{described.caps.map((cap) => <li key={cap}>{cap}</li>)}</ul></details>}
    </>
  );
}
