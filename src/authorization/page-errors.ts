import type { ErrorRequestHandler } from 'express';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { VeilgateError, isVeilgateError } from '../errors.ts';
import { faultFacts, type Log } from './log.ts';
import { errorPage } from './pages/account-forms.ts';
import { chooseLanguage, texts, type Language } from './pages/language.ts';
import { problemSentence, problemStatus } from './pages/problems.ts';

function bareFrame(base: string, language: Language) {
  return { language, base, here: `${base}/consents`, csrf: '' };
}

/** For errors that oidc-provider shows to a person. */
export function showOAuthError(issuer: string) {
  const base = new URL(issuer).pathname.replace(/\/$/, '');
  return (ctx: KoaContextWithOIDC, code: string, sentence: string): string => {
    const language = chooseLanguage([], ctx.get('accept-language'));
    const t = texts[language];
    const shown = code === 'server_error' ? t.unavailable : language === 'zh' || sentence === '' ? t.requestFailed : `${t.requestFailed} (${sentence})`;
    return String(errorPage(bareFrame(base, language), { sentence: shown, code }));
  };
}

/** The last handler: every error of the pages ends here. */
export function showError(base: string, log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const language = chooseLanguage([], request.headers['accept-language']);
    const t = texts[language];
    const shown = pageError(error);
    if (shown.code === 'INTERNAL' || shown.code === 'STORE_UNAVAILABLE') log('server_error', faultFacts(error));
    const sentence =
      shown.code === 'INTERNAL' ? t.unavailable
      : shown.code === 'REQUEST_NOT_FOUND' ? t.notFound
      : shown.detail?.['reason'] === 'interaction' ? t.expired
      : shown.detail?.['reason'] === 'form token' ? t.forged
      : problemSentence(shown, language);
    response.status(shown.detail?.['reason'] === 'form token' ? 403 : problemStatus(shown));
    const seconds = shown.detail?.['retryAfterSeconds'];
    if (typeof seconds === 'number') response.setHeader('Retry-After', String(seconds));
    response.send(String(errorPage(bareFrame(base, language), { sentence, code: shown.code })));
  };
}

/** Faults of express and oidc-provider in our terms; what nobody foresaw says nothing. */
function pageError(error: unknown): VeilgateError {
  if (isVeilgateError(error)) return error;
  if (error instanceof errors.SessionNotFound) return new VeilgateError('REQUEST_INVALID', texts.en.expired, { reason: 'interaction' });
  const status = (error as { readonly status?: unknown } | undefined)?.status;
  if (status === 413) return new VeilgateError('REQUEST_TOO_LARGE', texts.en.tooLarge);
  if (status === 400 || status === 415) return new VeilgateError('REQUEST_MALFORMED', 'The request could not be read: go back and try again.');
  return new VeilgateError('INTERNAL', texts.en.unavailable);
}
