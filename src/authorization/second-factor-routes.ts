import { Router, type Request, type Response } from 'express';
import { VeilgateError, isVeilgateError } from '../errors.ts';
import type { Account } from './accounts.ts';
import { formBody, landing, readForm, safeOnward } from './forms.ts';
import { completeActivation } from './invitations.ts';
import { enrolment, enrolOneTimePassword, oneTimePasswordKeys } from './one-time-passwords.ts';
import { allowOwnScript } from './page-headers.ts';
import { texts } from './pages/language.ts';
import { problemStatus } from './pages/problems.ts';
import { secondFactorPage } from './pages/second-factor-page.ts';
import { passkeyChallenges } from './passkey-challenges.ts';
import { addPasskey, creationOptions, credentialLengthMax, relyingParty } from './passkeys.ts';
import type { PageDependencies } from './server.ts';
import type { Visit } from './visits.ts';

/** The second step of activation, for accounts that need a second factor: nothing else works before. */
export function secondFactorRoutes({ issuer, database, clock, cookieKeys, visits, log, onActivated, hasConsole }: PageDependencies): Router {
  const router = Router();
  const party = relyingParty(issuer);
  const passkeys = party === undefined ? undefined : { database, clock, party, challenges: passkeyChallenges(clock, cookieKeys) };
  const keys = oneTimePasswordKeys(cookieKeys);

  const show = async (response: Response, visit: Visit, account: Account, page: { readonly to: string; readonly problem?: string }) => {
    const product = texts[visit.language].product;
    const app = await enrolment(database, keys, account, product);
    if (passkeys === undefined) return response.send(String(secondFactorPage(visit.frame, { app, ...page })));
    allowOwnScript(response);
    return response.send(String(secondFactorPage(visit.frame, { app, passkeyOptions: creationOptions(passkeys, account, visit.browserId, [], product), ...page })));
  };
  const begin = (response: Response) => response.redirect(303, `${visits.base}/activation`);

  /** Runs one way of enrolling for whoever is about to, and signs in when it worked. */
  const enrolling = (enrol: (account: Account, visit: Visit, given: string) => Promise<void>, value: 'one_time_password' | 'credential') =>
    async (request: Request, response: Response) => {
      const form = readForm(request.body, [], { credential: credentialLengthMax });
      const visit = await visits.submission(request, response, form.one('csrf'));
      const account = visit.enrolling;
      if (account === undefined) return begin(response);
      const to = safeOnward(form.one('to'));
      try {
        await enrol(account, visit, form.one(value));
      } catch (error) {
        if (!isVeilgateError(error, 'REQUEST_INVALID') && !isVeilgateError(error, 'ACCOUNT_SIGN_IN_FAILED')) throw error;
        response.status(problemStatus(error));
        const t = texts[visit.language];
        return show(response, visit, account, { to, problem: error.code === 'ACCOUNT_SIGN_IN_FAILED' ? t.factorWrong : t.passkeyFailed });
      }
      await visits.signedIn(request, response, account);
      log('account.activated', { account: account.accountId });
      return response.redirect(303, visits.base + (to === '' ? landing(account, hasConsole) : to));
    };

  router.get('/second-factor', async (request, response) => {
    const visit = await visits.visit(request, response);
    return visit.enrolling === undefined ? begin(response) : show(response, visit, visit.enrolling, { to: safeOnward(request.query['to']) });
  });

  router.post('/second-factor', formBody, enrolling(async (account, _visit, typed) => {
    await database.transaction('enrol a one-time password', async (tx) => {
      if (!await enrolOneTimePassword(tx, clock, keys, account.accountId, typed)) throw new VeilgateError('ACCOUNT_SIGN_IN_FAILED', texts.en.factorWrong);
      await completeActivation(tx, account, onActivated);
    });
  }, 'one_time_password'));

  if (passkeys !== undefined) {
    router.post('/second-factor/passkey', formBody, enrolling(async (account, { browserId }, credential) => {
      await addPasskey(passkeys, account, { credential, browserId }, (tx) => completeActivation(tx, account, onActivated));
    }, 'credential'));
  }
  return router;
}
