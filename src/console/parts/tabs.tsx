import type { ReactNode } from 'react';
import { Tab, TabList, TabPanel, Tabs as AriaTabs } from 'react-aria-components';

export type TabPart = { readonly id: string; readonly title: string; readonly content: ReactNode };

/** Parts of which one is shown. */
export function Tabs({ label, parts }: { readonly label: string; readonly parts: readonly TabPart[] }) {
  return (
    <AriaTabs className="tabs">
      <TabList aria-label={label} className="tab-list">{parts.map(({ id, title }) => <Tab key={id} id={id} className="tab">{title}</Tab>)}</TabList>
      {parts.map(({ id, content }) => <TabPanel key={id} id={id} className="tab-panel">{content}</TabPanel>)}
    </AriaTabs>
  );
}
