import { useState } from 'react';
import { noticesClient } from '../../sdk/objections.ts';
import { Button } from '../parts/button.tsx';
import { Checkbox } from '../parts/fields.tsx';
import { ErrorNote, GoodNote, Read } from '../parts/notes.tsx';
import { PageBody, Section } from '../parts/page.tsx';
import { Table } from '../parts/table.tsx';
import { Tag } from '../parts/tag.tsx';
import { frameTexts } from '../shell/frame-texts.ts';
import { useFormats, useTexts } from '../shell/language.tsx';
import { useChange, useRead } from '../shell/use-gateway.ts';
import { bankArea } from './area.ts';
import { bankTexts } from './texts.ts';

/** What was corrected after this institution had received it. */
export default function Notices() {
  const t = useTexts(bankTexts);
  const title = useTexts(bankArea.titles);
  const common = useTexts(frameTexts);
  const { time } = useFormats();
  const [onlyOpen, setOnlyOpen] = useState(true);
  const [after, setAfter] = useState<string>();
  const notices = useRead(['notices', onlyOpen, after], (calls) => noticesClient(calls).notices({ limit: 50, ...(onlyOpen ? { open: true } : {}), ...(after === undefined ? {} : { after }) }), { keepPrevious: true });
  const acknowledging = useChange((calls, id: string) => noticesClient(calls).acknowledge(id), [['notices']]);
  return (
    <PageBody title={title('notices')} lead={t('noticesLead')}>
      <Section title={title('notices')}>
        <p><Checkbox value={onlyOpen} onChange={(value) => { setOnlyOpen(value); setAfter(undefined); }}>{t('onlyOpen')}</Checkbox></p>
        {acknowledging.error !== null && <ErrorNote error={acknowledging.error} />}
        {acknowledging.done && <GoodNote><p>{t('acknowledged')}</p></GoodNote>}
        <Read of={notices}>{({ notices: rows, next }) => (
          <>
            <Table caption={title('notices')} rows={rows} keyOf={({ id }) => id} columns={[
              { id: 'field', title: common('field'), cell: ({ field }) => <code>{field}</code> },
              { id: 'subject', title: common('enterprise'), cell: ({ subject }) => <code>{subject}</code> },
              { id: 'corrected', title: t('corrected'), cell: ({ corrected_at: at }) => time(at) },
              { id: 'received', title: t('received'), cell: ({ received, entries }) => t('times', { count: received, entries: entries.join(', ') }) },
              { id: 'action', title: common('state'), cell: ({ id, field, acknowledged_at: at }) => at === null
                ? <Button busy={acknowledging.busy} onPress={() => acknowledging.run(id)}>{t('acknowledge')}<span className="unseen"> {field}</span></Button>
                : <Tag tone="good">{t('acknowledged')} {time(at)}</Tag> },
            ]} />
            {next !== null && <Button onPress={() => setAfter(next)}>{t('olderNotices')}</Button>}
          </>
        )}</Read>
      </Section>
    </PageBody>
  );
}
