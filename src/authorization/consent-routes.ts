import { createHash } from 'node:crypto';
import { Router, type Request, type Response } from 'express';
import { errors } from 'oidc-provider';
import { canonicalJson } from '../canonical.ts';
import { isVeilgateError } from '../errors.ts';
import type { Account } from './accounts.ts';
import { consentType } from './clients.ts';
import type { ConsentDescription } from './consent-desk.ts';
import { beyond, completed, narrowed, parseConsentRequest, termsOf, type ConsentRequest, type Narrowing } from './consent-request.ts';
import { formBody, readForm, type Form } from './forms.ts';
import { allowFormsToReach } from './page-headers.ts';
import { consentPage, noticeText, otherSubjectPage } from './pages/consent-page.ts';
import { texts } from './pages/language.ts';
import type { Html } from './pages/html.ts';
import { problemSentence, problemStatus } from './pages/problems.ts';
import type { GrantedDetail } from './provider.ts';
import type { PageDependencies } from './server.ts';
import { claimInteraction, releaseInteraction } from './state.ts';
import type { Visit } from './visits.ts';

type Asked = { readonly uid: string; readonly clientId: string; readonly redirectUri: unknown; readonly request: ConsentRequest };

/** Where an authorization request stops for the enterprise's decision. */
export function consentRoutes(dependencies: PageDependencies): Router {
  const { visits, clock, consent } = dependencies;
  const router = Router();
  const describe = (asked: Asked, visit: Visit) => consent.describe(termsOf(asked.request, asked.clientId, clock.nowMs()), visit.language);

  router.get('/consent/:uid', async (request, response) => {
    const asked = await whatIsAsked(dependencies, request, response);
    const visit = await visits.visit(request, response);
    if (visit.account === undefined) {
      response.redirect(303, `${visits.base}/sign-in?to=${encodeURIComponent(`/consent/${asked.uid}`)}`);
      return;
    }
    allowFormsToReach(response, asked.redirectUri);
    if (visit.account.subject !== asked.request.subject) {
      response.send(String(otherSubjectPage(visit.frame, asked.uid)));
      return;
    }
    response.send(String(showing(visit, asked, await describe(asked, visit))));
  });

  router.post('/consent/:uid', formBody, async (request, response) => {
    const form = readForm(request.body, ['field']);
    const visit = await visits.submission(request, response, form.one('csrf'));
    const asked = await whatIsAsked(dependencies, request, response);
    const { account } = visit;
    if (account === undefined) {
      response.redirect(303, `${visits.base}/sign-in?to=${encodeURIComponent(`/consent/${asked.uid}`)}`);
      return;
    }
    // another enterprise's request ends as any refusal does: the institution learns nothing from it
    if (form.one('decision') !== 'grant' || account.subject !== asked.request.subject) {
      await decline(dependencies, asked, request, response);
      return;
    }
    const description = await describe(asked, visit);
    if (form.one('read') !== readDigest(visit, asked, description)) {
      // a policy may come into force while the page lies open: nobody agrees to what was not shown
      allowFormsToReach(response, asked.redirectUri);
      response.status(409).send(String(showing(visit, asked, description, texts[visit.language].consentChanged)));
      return;
    }
    try {
      if (form.one('agree') !== 'yes') throw beyond('agree', texts.en.agreeFirst);
      const wish = narrowed(asked.request, wishOf(form, asked.request));
      await grant(dependencies, { asked, account, wish, notice: noticeText(visit.frame, wish, withFields(description, wish)) }, request, response);
    } catch (error) {
      if (!isVeilgateError(error) || !error.code.startsWith('CONSENT_')) throw error;
      allowFormsToReach(response, asked.redirectUri);
      response.status(problemStatus(error));
      response.send(String(showing(visit, asked, description, problemSentence(error, visit.language))));
    }
  });

  return router;
}

function showing(visit: Visit, asked: Asked, description: ConsentDescription, problem?: string): Html {
  return consentPage(visit.frame, { ...asked, description, read: readDigest(visit, asked, description), ...(problem === undefined ? {} : { problem }) });
}

/** What stands for everything the page says: SHA-256, hex. */
function readDigest({ language }: Visit, { request }: Asked, description: ConsentDescription): string {
  return createHash('sha256').update(canonicalJson({ language, request, description })).digest('hex');
}

/** The request this browser brought, by the cookie it was given then. */
async function whatIsAsked({ provider, consent, clock }: PageDependencies, request: Request, response: Response): Promise<Asked> {
  const interaction = await provider.interactionDetails(request, response);
  if (interaction.uid !== request.params['uid']) throw new errors.SessionNotFound('another request');
  const { client_id: clientId, redirect_uri: redirectUri, authorization_details: details } = interaction.params;
  if (typeof clientId !== 'string' || typeof details !== 'string') throw new errors.SessionNotFound('no consent request');
  return { uid: interaction.uid, clientId, redirectUri, request: completed(parseConsentRequest((JSON.parse(details) as unknown[])[0]), clientId, clock.nowMs(), consent.complete) };
}

type Decision = { readonly asked: Asked; readonly account: Account; readonly wish: ConsentRequest; readonly notice: string };

/** Records the consent, then lets the bank have its code; once for each request however often the form is sent. */
async function grant(dependencies: PageDependencies, { asked, account, wish, notice }: Decision, request: Request, response: Response): Promise<void> {
  const { provider, database, clock, consent, gatewayAudience, log } = dependencies;
  if (!(await claimInteraction(database, clock, asked.uid))) throw new errors.SessionNotFound('answered already');
  const terms = termsOf(wish, asked.clientId, clock.nowMs());
  let id: string;
  try {
    id = await consent.grant({ terms, representative: { accountId: account.accountId, name: account.personName }, noticeText: notice });
  } catch (error) {
    await releaseInteraction(database, asked.uid);
    throw error;
  }
  const detail: GrantedDetail = { type: consentType, grant: id, valid_until_s: Math.floor(terms.validUntilMs / 1000) };
  const oauthGrant = new provider.Grant({ accountId: account.accountId, clientId: asked.clientId, rar: [detail] });
  oauthGrant.addResourceScope(gatewayAudience, 'query');
  const grantId = await oauthGrant.save();
  log('consent.granted', { client: asked.clientId, grant: id });
  await provider.interactionFinished(request, response, { login: { accountId: account.accountId, remember: false }, consent: { grantId } }, { mergeWithLastSubmission: false });
}

async function decline({ provider, database, clock, log }: PageDependencies, asked: Asked, request: Request, response: Response): Promise<void> {
  if (!(await claimInteraction(database, clock, asked.uid))) throw new errors.SessionNotFound('answered already');
  log('consent.declined', { client: asked.clientId });
  await provider.interactionFinished(request, response, { error: 'access_denied', error_description: 'the request was not granted' }, { mergeWithLastSubmission: false });
}

function wishOf(form: Form, request: ConsentRequest): Narrowing {
  const asked = new Map(request.fields.map(({ field, ceiling }) => [field, ceiling]));
  const fields = new Map(form.many('field').map((field) => {
    const chosen = form.one(`ceiling.${field}`);
    return [field, chosen === 'original' || chosen === 'desensitised' ? chosen : (asked.get(field) ?? 'desensitised')] as const;
  }));
  const number = (text: string) => (/^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN);
  const uses = form.one('uses_max');
  return { fields, validDays: number(form.one('valid_days')), usesMax: uses === '' ? null : number(uses) };
}

function withFields(description: ConsentDescription, wish: ConsentRequest): ConsentDescription {
  const kept = new Set(wish.fields.map(({ field }) => field));
  return { ...description, fields: description.fields.filter(({ ref }) => kept.has(ref)) };
}
