import { useEffect, type ReactNode } from 'react';
import { frameTexts } from '../shell/frame-texts.ts';
import { useTexts } from '../shell/language.tsx';

/** A page: one heading of the first level, which is also the tab's title. */
export function PageBody({ title, lead, actions, children }: { readonly title: string; readonly lead?: ReactNode; readonly actions?: ReactNode; readonly children: ReactNode }) {
  const t = useTexts(frameTexts);
  useEffect(() => { document.title = `${title} – ${t('product')}`; }, [title, t]);
  return (
    <>
      <div className="page-head"><h1 tabIndex={-1}>{title}</h1>{actions !== undefined && <div className="buttons">{actions}</div>}</div>
      {lead !== undefined && <p className="lead">{lead}</p>}
      {children}
    </>
  );
}

/** A part of a page under its own heading. */
export function Section({ title, children, actions }: { readonly title: string; readonly children: ReactNode; readonly actions?: ReactNode }) {
  return <section className="section"><div className="section-head"><h2>{title}</h2>{actions !== undefined && <div className="buttons">{actions}</div>}</div>{children}</section>;
}
