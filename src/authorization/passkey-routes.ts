import { Router, type Response } from 'express';
import { isVeilgateError, type VeilgateError } from '../errors.ts';
import type { Account } from './accounts.ts';
import { formBody, landing, readForm, safeOnward } from './forms.ts';
import { allowOwnScript } from './page-headers.ts';
import { passkeyChallenges } from './passkey-challenges.ts';
import { addPasskey, creationOptions, credentialLengthMax, listPasskeys, passkeysMax, relyingParty, removePasskey, requestOptions, signInWithPasskey } from './passkeys.ts';
import { passkeysPage, passkeySignInPage } from './pages/passkeys-page.ts';
import { texts } from './pages/language.ts';
import { problemSentence, problemStatus } from './pages/problems.ts';
import type { PageDependencies } from './server.ts';
import { confirmPassword, countAddressTry } from './sign-in.ts';
import type { Visit } from './visits.ts';

const longer = { credential: credentialLengthMax };

/** Passkeys: signing in with one, adding and removing them. No routes where the issuer has an address for a name. */
export function passkeyRoutes({ issuer, database, clock, cookieKeys, visits, log, hasConsole }: PageDependencies): Router {
  const router = Router();
  const party = relyingParty(issuer);
  if (party === undefined) return router;
  const desk = { database, clock, party, challenges: passkeyChallenges(clock, cookieKeys) };
  const toSignIn = (response: Response) => response.redirect(303, `${visits.base}/sign-in`);

  const showList = async (response: Response, visit: Visit, account: Account, said: { done?: boolean; problem?: string } = {}) => {
    const passkeys = await listPasskeys(database, account.accountId);
    allowOwnScript(response);
    const options = passkeys.length < passkeysMax ? { options: creationOptions(desk, account, visit.browserId, passkeys, texts[visit.language].product) } : {};
    response.send(String(passkeysPage(visit.frame, { passkeys, ...options, ...said })));
  };
  const showSignIn = (response: Response, visit: Visit, to: string, problem?: string) => {
    allowOwnScript(response);
    response.send(String(passkeySignInPage(visit.frame, { to, options: requestOptions(desk, visit.browserId), ...(problem === undefined ? {} : { problem }) })));
  };
  const sentenceOf = (error: VeilgateError, visit: Visit) => (error.detail?.['field'] === 'credential' || error.code === 'ACCOUNT_SIGN_IN_FAILED' ? texts[visit.language].passkeyFailed : problemSentence(error, visit.language));

  router.get('/sign-in/passkey', async (request, response) => showSignIn(response, await visits.visit(request, response), safeOnward(request.query['to'])));

  router.post('/sign-in/passkey', formBody, async (request, response) => {
    const form = readForm(request.body, [], longer);
    const visit = await visits.submission(request, response, form.one('csrf'));
    const to = safeOnward(form.one('to'));
    try {
      const rightAfterAll = await countAddressTry(database, clock, request.ip ?? '');
      const account = await signInWithPasskey(desk, { credential: form.one('credential'), browserId: visit.browserId });
      await rightAfterAll();
      await visits.signedIn(request, response, account);
      log('account.signed_in', { account: account.accountId });
      response.redirect(303, visits.base + (to === '' ? landing(account, hasConsole) : to));
    } catch (error) {
      if (!isVeilgateError(error) || !error.code.startsWith('ACCOUNT_')) throw error;
      log('account.sign_in_failed', { code: error.code });
      response.status(problemStatus(error));
      showSignIn(response, visit, to, sentenceOf(error, visit));
    }
  });

  router.get('/passkeys', async (request, response) => {
    const visit = await visits.visit(request, response);
    if (visit.account === undefined) return toSignIn(response);
    return showList(response, visit, visit.account, { done: request.query['done'] === 'yes' });
  });

  router.post('/passkeys', formBody, async (request, response) => {
    const form = readForm(request.body, [], longer);
    const visit = await visits.submission(request, response, form.one('csrf'));
    const { account } = visit;
    if (account === undefined) return toSignIn(response);
    try {
      // whoever finds a browser signed in must not be able to come back with a key of their own
      await confirmPassword(database, clock, account, { password: form.one('password'), address: request.ip ?? '' });
      await addPasskey(desk, account, { credential: form.one('credential'), browserId: visit.browserId });
    } catch (error) {
      if (!isVeilgateError(error) || !(error.code.startsWith('ACCOUNT_') || error.code === 'REQUEST_INVALID')) throw error;
      response.status(problemStatus(error));
      return showList(response, visit, account, { problem: sentenceOf(error, visit) });
    }
    log('account.passkey_added', { account: account.accountId });
    return response.redirect(303, `${visits.base}/passkeys?done=yes`);
  });

  router.post('/passkeys/removal', formBody, async (request, response) => {
    const form = readForm(request.body, [], { passkey: 1400 });
    const visit = await visits.submission(request, response, form.one('csrf'));
    const { account } = visit;
    if (account === undefined) return toSignIn(response);
    try {
      // nor to push a person back to weaker factors
      await confirmPassword(database, clock, account, { password: form.one('password'), address: request.ip ?? '' });
      if (await removePasskey(database, account, form.one('passkey'))) log('account.passkey_removed', { account: account.accountId });
    } catch (error) {
      if (!isVeilgateError(error) || !error.code.startsWith('ACCOUNT_')) throw error;
      response.status(problemStatus(error));
      return showList(response, visit, account, { problem: problemSentence(error, visit.language) });
    }
    return response.redirect(303, `${visits.base}/passkeys?done=yes`);
  });

  return router;
}
