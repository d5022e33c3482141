import { Component, lazy, Suspense, useMemo, type ComponentType, type ReactNode } from 'react';
import { Navigate, Route, Routes } from 'react-router';
import { Button } from '../parts/button.tsx';
import { Loading } from '../parts/notes.tsx';
import { PageBody } from '../parts/page.tsx';
import type { Area, Page } from './area.ts';
import { frameTexts } from './frame-texts.ts';
import { Frame } from './frame.tsx';
import { useTexts } from './language.tsx';
import { useSession } from './session.tsx';

/** The pages this person may open; all others are as if they were not there. The gateway decides, not this list. */
export function App({ areas }: { readonly areas: readonly Area[] }) {
  const { scopes } = useSession();
  const own = useMemo(() => areas.flatMap((area) => {
    const pages = area.pages.filter((page) => page.scopes.some((scope) => scopes.includes(scope)));
    return pages.length === 0 ? [] : [{ ...area, pages }];
  }), [areas, scopes]);
  const pages = useMemo(() => own.flatMap((area) => area.pages.map((page) => ({ path: page.path, View: viewOf(page) }))), [own]);
  const home = own[0]?.pages.find(({ inNavigation }) => inNavigation === true);
  return (
    <Frame areas={own}>
      <FaultBoundary>
        <Suspense fallback={<Loading />}>
          <Routes>
            {home !== undefined && <Route index element={<Navigate to={`/${home.path}`} replace />} />}
            {pages.map(({ path, View }) => <Route key={path} path={path} element={<View />} />)}
            <Route path="*" element={<NotFound />} />
          </Routes>
        </Suspense>
      </FaultBoundary>
    </Frame>
  );
}

const views = new Map<Page['load'], ComponentType>();

/** Loaded when first opened, and kept. */
function viewOf({ load }: Page): ComponentType {
  const known = views.get(load) ?? lazy(load);
  views.set(load, known);
  return known;
}

function NotFound() {
  const t = useTexts(frameTexts);
  return <PageBody title={t('notFoundTitle')}><p>{t('notFound')}</p></PageBody>;
}

/** A fault in one page leaves the navigation standing. */
class FaultBoundary extends Component<{ readonly children: ReactNode }, { readonly failed: boolean }> {
  override state = { failed: false };
  static getDerivedStateFromError() {
    return { failed: true };
  }
  override render() {
    return this.state.failed ? <Fault /> : this.props.children;
  }
}

function Fault() {
  const t = useTexts(frameTexts);
  return <PageBody title={t('faultTitle')}><p>{t('fault')}</p><Button look="primary" onPress={() => location.reload()}>{t('reload')}</Button></PageBody>;
}
