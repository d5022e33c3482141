import { Component, createElement, Suspense, useEffect, useMemo, type ReactNode } from 'react';
import { Navigate, Route, Routes, useLocation } from 'react-router';
import { Button } from '../parts/button.tsx';
import { Loading } from '../parts/notes.tsx';
import { PageBody } from '../parts/page.tsx';
import type { Area } from './area.ts';
import { frameTexts } from './frame-texts.ts';
import { Frame } from './frame.tsx';
import { loadAhead, NotLoaded, viewOf } from './page-views.ts';
import { useTexts } from './language.tsx';
import { useSession } from './session.tsx';

/** The page that was asked for comes first. */
const aheadAfterMs = 1000;

/** The pages this person may open; all others are as if they were not there. The gateway decides, not this list. */
export function App({ areas }: { readonly areas: readonly Area[] }) {
  const { scopes } = useSession();
  const own = useMemo(() => areas.flatMap((area) => {
    const pages = area.pages.filter((page) => page.scopes.some((scope) => scopes.includes(scope)));
    return pages.length === 0 ? [] : [{ ...area, pages }];
  }), [areas, scopes]);
  const { pathname } = useLocation();
  useEffect(() => {
    const later = setTimeout(() => void loadAhead(own.flatMap(({ pages }) => pages.map(({ load }) => load))), aheadAfterMs);
    return () => clearTimeout(later);
  }, [own]);
  const home = own[0]?.pages.find(({ inNavigation }) => inNavigation === true);
  return (
    <Frame areas={own}>
      <FaultBoundary at={pathname}>
        <Suspense fallback={<Loading />}>
          <Routes>
            {home !== undefined && <Route index element={<Navigate to={`/${home.path}`} replace />} />}
            {own.flatMap(({ pages }) => pages.map(({ path, load }) => <Route key={path} path={path} element={createElement(viewOf(load))} />))}
            <Route path="*" element={<NotFound />} />
          </Routes>
        </Suspense>
      </FaultBoundary>
    </Frame>
  );
}

function NotFound() {
  const t = useTexts(frameTexts);
  return <PageBody title={t('notFoundTitle')}><p>{t('notFound')}</p></PageBody>;
}

/** A fault in one page leaves the navigation standing, and is over on the next page. */
class FaultBoundary extends Component<{ readonly at: string; readonly children: ReactNode }, { readonly fault: unknown }> {
  override state = { fault: undefined };
  static getDerivedStateFromError(fault: unknown) {
    return { fault };
  }
  override componentDidUpdate(before: { readonly at: string }) {
    if (before.at !== this.props.at && this.state.fault !== undefined) this.setState({ fault: undefined });
  }
  override render() {
    const fault: unknown = this.state.fault;
    if (fault instanceof NotLoaded) return <Fault title="unloadedTitle" text="unloaded" />;
    return fault === undefined ? this.props.children : <Fault title="faultTitle" text="fault" />;
  }
}

function Fault({ title, text }: { readonly title: 'faultTitle' | 'unloadedTitle'; readonly text: 'fault' | 'unloaded' }) {
  const t = useTexts(frameTexts);
  return <PageBody title={t(title)}><p role="alert">{t(text)}</p><Button look="primary" onPress={() => location.reload()}>{t('reload')}</Button></PageBody>;
}
