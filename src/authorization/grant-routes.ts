import { Router, type Request, type Response } from 'express';
import { isVeilgateError } from '../errors.ts';
import type { GrantId, SubjectId } from '../vocabulary.ts';
import { formBody, landing, readForm } from './forms.ts';
import { grantsPage, type GrantAction } from './pages/grants-page.ts';
import { relyingParty } from './passkeys.ts';
import { problemSentence, problemStatus } from './pages/problems.ts';
import type { PageDependencies } from './server.ts';
import type { Visit } from './visits.ts';

const grantShape = /^[A-Za-z0-9_-]{22}$/;
const actions: readonly GrantAction[] = ['pause', 'resume', 'revoke'];

/** What the enterprise consented to, and taking it back. */
export function grantRoutes({ issuer, visits, consent, log, hasConsole }: PageDependencies): Router {
  const router = Router();
  const passkeys = relyingParty(issuer) !== undefined;

  const show = async (response: Response, visit: Visit, subject: SubjectId, said: { done?: GrantAction; problem?: string }) => {
    const grants = await consent.list(subject, visit.language);
    response.send(String(grantsPage(visit.frame, { grants, passkeys, ...said })));
  };
  /** These pages are an enterprise's; others who are signed in have theirs elsewhere. */
  const elsewhere = (response: Response, { account }: Visit) => response.redirect(303, visits.base + (account === undefined ? '/sign-in' : landing(account, hasConsole)));

  router.get('/', async (request, response) => elsewhere(response, await visits.visit(request, response)));

  router.get('/consents', async (request, response) => {
    const visit = await visits.visit(request, response);
    const subject = visit.account?.subject;
    if (subject === undefined) return elsewhere(response, visit);
    const done = actions.find((action) => action === request.query['done']);
    return show(response, visit, subject, done === undefined ? {} : { done });
  });

  router.get('/consents/:grant/receipt', async (request, response, next) => {
    const visit = await visits.visit(request, response);
    const subject = visit.account?.subject;
    if (subject === undefined) return elsewhere(response, visit);
    const grant = grantOf(request);
    if (grant === undefined) return next();
    const receipt = await consent.receipt(subject, grant);
    response.attachment(receipt.fileName.replace(/[^A-Za-z0-9._-]/g, '_'));
    response.setHeader('Content-Type', receipt.mediaType);
    return response.end(receipt.text);
  });

  for (const action of actions) {
    router.post(`/consents/:grant/${action}`, formBody, async (request, response, next) => {
      const visit = await visits.submission(request, response, readForm(request.body).one('csrf'));
      const { account } = visit;
      if (account?.subject === undefined) return elsewhere(response, visit);
      const grant = grantOf(request);
      if (grant === undefined) return next();
      try {
        await consent[action](account.subject, grant, { accountId: account.accountId, name: account.personName });
      } catch (error) {
        if (!isVeilgateError(error) || !error.code.startsWith('CONSENT_')) throw error;
        response.status(problemStatus(error));
        return show(response, visit, account.subject, { problem: problemSentence(error, visit.language) });
      }
      log(`consent.${action}d`, { account: account.accountId, grant });
      return response.redirect(303, `${visits.base}/consents?done=${action}`);
    });
  }

  return router;
}

function grantOf(request: Request): GrantId | undefined {
  const grant = request.params['grant'];
  return typeof grant === 'string' && grantShape.test(grant) ? (grant as GrantId) : undefined;
}
