import { useEffect, useRef, useState, type ReactNode } from 'react';
import { NavLink, useLocation } from 'react-router';
import { Button } from '../parts/button.tsx';
import type { Area } from './area.ts';
import { ClockNote } from './clock-note.tsx';
import { frameTexts } from './frame-texts.ts';
import { useLanguage, useTexts } from './language.tsx';
import { SessionOver } from './session-over.tsx';
import { useSession } from './session.tsx';

/** What stands around every page: product, navigation of this person, language, sign-out. */
export function Frame({ areas, children }: { readonly areas: readonly Area[]; readonly children: ReactNode }) {
  const t = useTexts(frameTexts);
  const { language, choose } = useLanguage();
  const { name, username, party, signOut } = useSession();
  const [open, setOpen] = useState(false);
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const before = useRef(pathname);
  useEffect(() => {
    setOpen(false);
    // whoever cannot see the page change must hear it; that the console's own address leads to the first page is no change
    if (before.current !== pathname && before.current !== '/') main.current?.querySelector('h1')?.focus();
    before.current = pathname;
  }, [pathname]);

  return (
    <>
      <a className="skip" href="#content">{t('skip')}</a>
      <header className="top">
        <p className="brand">{t('product')}</p>
        <div className="menu-button"><Button look="quiet" onPress={() => setOpen(!open)} expanded={open} controls="navigation">{t('menu')}</Button></div>
        <div className="who">
          <span>{t('signedInAs', { name: name ?? username })} <span className="party">{party}</span></span>
          <Button look="quiet" label={t('languageLabel')} onPress={() => choose(language === 'zh' ? 'en' : 'zh')}>{t('language')}</Button>
          <Button look="quiet" onPress={() => void signOut()}>{t('signOut')}</Button>
        </div>
      </header>
      <div className="columns">
        <nav id="navigation" aria-label={t('navigation')} className={open ? 'navigation open' : 'navigation'}>
          {areas.map((area) => <AreaLinks key={area.name} area={area} />)}
        </nav>
        <main id="content" ref={main} tabIndex={-1}>
          <SessionOver />
          <ClockNote />
          {children}
        </main>
      </div>
    </>
  );
}

function AreaLinks({ area }: { readonly area: Area }) {
  const t = useTexts(area.titles);
  const shown = area.pages.filter(({ inNavigation }) => inNavigation === true);
  if (shown.length === 0) return null;
  return (
    <>
      <h2>{t(area.name)}</h2>
      <ul>{shown.map(({ path, title }) => <li key={path}><NavLink to={`/${path}`} end={!path.includes('/')}>{t(title)}</NavLink></li>)}</ul>
    </>
  );
}
