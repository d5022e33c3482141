import { Router, type Response } from 'express';
import { isVeilgateError, type VeilgateError } from '../errors.ts';
import { activateAccount, signIn } from './accounts.ts';
import { formBody, readForm, safeOnward } from './forms.ts';
import { activationPage, signInPage } from './pages/account-forms.ts';
import { texts } from './pages/language.ts';
import { relyingParty } from './passkeys.ts';
import { problemSentence, problemStatus } from './pages/problems.ts';
import type { PageDependencies } from './server.ts';

/** Activation, sign-in and sign-out. */
export function accountRoutes({ issuer, database, clock, visits, log, onActivated }: PageDependencies): Router {
  const router = Router();
  const passkeys = relyingParty(issuer) !== undefined;

  router.get('/sign-in', async (request, response) => {
    const { frame } = await visits.visit(request, response);
    response.send(String(signInPage(frame, { to: safeOnward(request.query['to']), username: '', passkeys })));
  });

  router.post('/sign-in', formBody, async (request, response) => {
    const form = readForm(request.body);
    const { frame } = await visits.submission(request, response, form.one('csrf'));
    const to = safeOnward(form.one('to'));
    const username = form.one('username');
    try {
      const account = await signIn(database, clock, { username, password: form.one('password'), address: request.ip ?? '' });
      await visits.signedIn(request, response, account);
      log('enterprise.signed_in', { account: account.accountId });
      response.redirect(303, visits.base + to);
    } catch (error) {
      if (!isShownInForm(error)) throw error;
      log('enterprise.sign_in_failed', { code: error.code });
      response.status(problemStatus(error));
      retryAfter(response, error);
      response.send(String(signInPage(frame, { to, username, passkeys, problem: problemSentence(error, frame.language) })));
    }
  });

  router.get('/activation', async (request, response) => {
    const { frame } = await visits.visit(request, response);
    response.send(String(activationPage(frame, { to: safeOnward(request.query['to']), subject: '', username: '' })));
  });

  router.post('/activation', formBody, async (request, response) => {
    const form = readForm(request.body);
    const { frame } = await visits.submission(request, response, form.one('csrf'));
    const to = safeOnward(form.one('to'));
    const typed = { subject: form.one('subject'), username: form.one('username') };
    const again = (problem: string) => response.send(String(activationPage(frame, { to, ...typed, problem })));
    if (form.one('password') !== form.one('password_again')) {
      response.status(400);
      again(texts[frame.language].passwordsDiffer);
      return;
    }
    try {
      const account = await activateAccount(database, clock, { ...typed, code: form.one('code'), password: form.one('password'), address: request.ip ?? '' }, onActivated);
      await visits.signedIn(request, response, account);
      log('enterprise.activated', { account: account.accountId });
      response.redirect(303, visits.base + to);
    } catch (error) {
      if (!isShownInForm(error)) throw error;
      log('enterprise.activation_failed', { code: error.code });
      response.status(problemStatus(error));
      retryAfter(response, error);
      again(problemSentence(error, frame.language));
    }
  });

  router.post('/sign-out', formBody, async (request, response) => {
    await visits.submission(request, response, readForm(request.body).one('csrf'));
    await visits.signedOut(request, response);
    response.redirect(303, `${visits.base}/sign-in`);
  });

  return router;
}

function isShownInForm(error: unknown): error is VeilgateError {
  return isVeilgateError(error) && (error.code.startsWith('ENTERPRISE_') || error.code === 'REQUEST_INVALID' || error.code === 'REQUEST_RATE_LIMITED');
}

function retryAfter(response: Response, error: VeilgateError): void {
  const seconds = error.detail?.['retryAfterS'];
  if (typeof seconds === 'number') response.setHeader('Retry-After', String(seconds));
}
