import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { areas } from './areas.ts';
import { ErrorNote, Loading } from './parts/notes.tsx';
import { App } from './shell/app.tsx';
import { LanguageProvider } from './shell/language.tsx';
import { makeQueryClient, SessionProvider } from './shell/session.tsx';
import './style/console.css';

const root = document.getElementById('console');
if (root === null) throw new TypeError('index.html has no #console');

createRoot(root).render(
  <StrictMode>
    <LanguageProvider>
      <QueryClientProvider client={makeQueryClient()}>
        <SessionProvider waiting={<Loading />} failed={(error, again) => <main className="alone"><ErrorNote error={error} again={again} /></main>}>
          <BrowserRouter basename="/console"><App areas={areas} /></BrowserRouter>
        </SessionProvider>
      </QueryClientProvider>
    </LanguageProvider>
  </StrictMode>,
);
