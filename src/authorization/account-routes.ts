import { Router, type Response } from 'express';
import { isVeilgateError, type VeilgateError } from '../errors.ts';
import { needsSecondFactor, type Account } from './accounts.ts';
import { formBody, landing, readForm, safeOnward } from './forms.ts';
import { activateAccount } from './invitations.ts';
import { oneTimePasswordKeys } from './one-time-passwords.ts';
import { activationPage, passwordPage, signInPage } from './pages/account-forms.ts';
import { texts } from './pages/language.ts';
import { problemSentence, problemStatus } from './pages/problems.ts';
import { relyingParty } from './passkeys.ts';
import type { PageDependencies } from './server.ts';
import { changePassword, signIn } from './sign-in.ts';

/** Activation, sign-in, sign-out and another password. */
export function accountRoutes({ issuer, database, clock, cookieKeys, visits, log, onActivated, hasConsole }: PageDependencies): Router {
  const router = Router();
  const passkeys = relyingParty(issuer) !== undefined;
  const desk = { database, clock, oneTimePasswords: oneTimePasswordKeys(cookieKeys) };
  const onward = (to: string, account: Account) => visits.base + (to === '' ? landing(account, hasConsole) : to);

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
      const account = await signIn(desk, { username, password: form.one('password'), oneTimePassword: form.one('one_time_password'), address: request.ip ?? '' });
      await visits.signedIn(request, response, account);
      log('account.signed_in', { account: account.accountId });
      response.redirect(303, onward(to, account));
    } catch (error) {
      if (!isShownInForm(error)) throw error;
      log('account.sign_in_failed', { code: error.code });
      refuse(response, error);
      response.send(String(signInPage(frame, { to, username, passkeys, problem: problemSentence(error, frame.language) })));
    }
  });

  router.get('/activation', async (request, response) => {
    const { frame } = await visits.visit(request, response);
    const holder = typeof request.query['for'] === 'string' ? request.query['for'].slice(0, 64) : '';
    response.send(String(activationPage(frame, { to: safeOnward(request.query['to']), holder, username: '' })));
  });

  router.post('/activation', formBody, async (request, response) => {
    const form = readForm(request.body);
    const { frame } = await visits.submission(request, response, form.one('csrf'));
    const to = safeOnward(form.one('to'));
    const typed = { holder: form.one('holder'), username: form.one('username') };
    const again = (problem: string) => response.send(String(activationPage(frame, { to, ...typed, problem })));
    if (form.one('password') !== form.one('password_again')) {
      response.status(400);
      again(texts[frame.language].passwordsDiffer);
      return;
    }
    try {
      const account = await activateAccount(database, clock, { ...typed, code: form.one('code'), password: form.one('password'), address: request.ip ?? '' }, onActivated);
      const enrolling = needsSecondFactor(account);
      await visits.signedIn(request, response, account, enrolling);
      log(enrolling ? 'account.activation_begun' : 'account.activated', { account: account.accountId });
      response.redirect(303, enrolling ? `${visits.base}/second-factor?to=${encodeURIComponent(to)}` : onward(to, account));
    } catch (error) {
      if (!isShownInForm(error)) throw error;
      log('account.activation_failed', { code: error.code });
      refuse(response, error);
      again(problemSentence(error, frame.language));
    }
  });

  router.get('/password', async (request, response) => {
    const { account, frame } = await visits.visit(request, response);
    if (account === undefined) return response.redirect(303, `${visits.base}/sign-in`);
    return response.send(String(passwordPage(frame, { passkeys, done: request.query['done'] === 'yes' })));
  });

  router.post('/password', formBody, async (request, response) => {
    const form = readForm(request.body);
    const { account, frame } = await visits.submission(request, response, form.one('csrf'));
    if (account === undefined) return response.redirect(303, `${visits.base}/sign-in`);
    if (form.one('new_password') !== form.one('password_again')) {
      return response.status(400).send(String(passwordPage(frame, { passkeys, problem: texts[frame.language].passwordsDiffer })));
    }
    try {
      await changePassword(database, clock, account, { password: form.one('password'), newPassword: form.one('new_password'), address: request.ip ?? '' });
    } catch (error) {
      if (!isShownInForm(error)) throw error;
      refuse(response, error);
      return response.send(String(passwordPage(frame, { passkeys, problem: problemSentence(error, frame.language) })));
    }
    await visits.signedIn(request, response, account);
    log('account.password_changed', { account: account.accountId });
    return response.redirect(303, `${visits.base}/password?done=yes`);
  });

  router.post('/sign-out', formBody, async (request, response) => {
    await visits.submission(request, response, readForm(request.body).one('csrf'));
    await visits.signedOut(request, response);
    response.redirect(303, `${visits.base}/sign-in`);
  });

  return router;
}

function isShownInForm(error: unknown): error is VeilgateError {
  return isVeilgateError(error) && (error.code.startsWith('ACCOUNT_') || error.code === 'REQUEST_INVALID' || error.code === 'REQUEST_RATE_LIMITED');
}

function refuse(response: Response, error: VeilgateError): void {
  response.status(problemStatus(error));
  const seconds = error.detail?.['retryAfterS'];
  if (typeof seconds === 'number') response.setHeader('Retry-After', String(seconds));
}
