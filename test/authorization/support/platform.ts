import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import type { ClientMetadata } from '../../../src/authorization/clients.ts';
import type { ConsentDesk, GrantOverview } from '../../../src/authorization/consent-desk.ts';
import { inviteRepresentative } from '../../../src/authorization/invitations.ts';
import { createAuthorizationServer, type AuthorizationServerOptions } from '../../../src/authorization/server.ts';
import type { Clock } from '../../../src/clock.ts';
import { VeilgateError } from '../../../src/errors.ts';
import { freePort } from '../../../src/store/cluster.ts';
import type { Database } from '../../../src/store/database.ts';
import { usccCheckDigit } from '../../../src/uscc.ts';
import type { GrantId, GrantState, GrantTerms, PartyId, SubjectId, TimeMs } from '../../../src/vocabulary.ts';
import { freshDatabase } from '../../support/database.ts';
import { Bank } from './bank.ts';
import { Browser, type Page } from '../../../scripts/demo/form-browser.ts';

/** What a representative ticks and presses to consent. */
export const agreed = { decision: 'grant', agree: 'yes' } as const;

export const password = 'correct horse battery';

/** A valid credit code for each number. */
export function subjectNumber(n: number): SubjectId {
  const first17 = `91${'310115'}${`MA1K${String(n).padStart(5, '0')}`}`;
  return `${first17}${usccCheckDigit(first17)}` as SubjectId;
}

/** The party that speaks for a subject. */
export const partyOf = (subject: SubjectId): PartyId => `ent-${subject.toLowerCase()}` as PartyId;

export type GrantOrder = { readonly id: GrantId; readonly terms: GrantTerms; readonly noticeText: string; readonly representative: string | null };

/** A consent desk in memory that remembers what it was told. Names can be set to anything, to try markup. */
export function memoryDesk(names: { institution?: string; purpose?: string; field?: string; gets?: string | undefined } = {}) {
  const orders: GrantOrder[] = [];
  const states = new Map<GrantId, GrantState>();
  const refuseGrants: { with: VeilgateError | undefined } = { with: undefined };
  const own = (subject: SubjectId, id: GrantId) => {
    const order = orders.find((one) => one.id === id && one.terms.subject === subject);
    if (order === undefined) throw new VeilgateError('CONSENT_NOT_FOUND', 'There is no such consent.');
    return order;
  };
  const move = (from: readonly GrantState[], to: GrantState) => async (subject: SubjectId, id: GrantId) => {
    own(subject, id);
    if (!from.includes(states.get(id) ?? 'active')) throw new VeilgateError('CONSENT_STATE_CONFLICT', 'The consent is in another state.');
    states.set(id, to);
  };
  const desk: ConsentDesk = {
    complete: (terms) => terms,
    validate: async (terms) => {
      if (terms.purpose !== 'pre_loan_review') throw new VeilgateError('POLICY_PURPOSE_UNKNOWN', 'There is no such purpose.');
      if (terms.dataLifeDays > 365) throw new VeilgateError('CONSENT_EXCEEDS_CAP', 'Data may be kept for 365 days at most.');
    },
    describe: async (terms) => ({
      institution: { name: names.institution ?? 'Example Bank', kind: 'commercial bank' },
      purpose: { title: names.purpose ?? 'Review before a loan', text: 'To decide whether to lend.' },
      fields: [...terms.fields.keys()].map((ref) => ({
        ref, title: names.field ?? `Title of ${ref}`, dataset: 'Taxes', classification: 'commercial secret, level 4',
        gets: { original: 'the exact value', desensitised: names.gets ?? 'a band' },
      })),
      caps: ['90 days at most'],
    }),
    grant: async ({ terms, representative, noticeText }) => {
      await delay(20); // as a real one does: time for a second click
      if (refuseGrants.with !== undefined) throw refuseGrants.with;
      const id = randomBytes(16).toString('base64url') as GrantId;
      orders.push({ id, terms, noticeText, representative: representative.name });
      return id;
    },
    list: async (subject) => orders.filter(({ terms }) => terms.subject === subject).map(({ id, terms }): GrantOverview => ({
      id, state: states.get(id) ?? 'active', institution: names.institution ?? 'Example Bank', purpose: names.purpose ?? 'Review before a loan',
      fields: [...terms.fields.keys()].map((ref) => ({ title: names.field ?? ref, gets: 'a band' })),
      createdAtMs: terms.validFromMs, validUntilMs: terms.validUntilMs, usesLeft: terms.usesMax,
    })),
    pause: move(['active'], 'paused'),
    resume: move(['paused'], 'active'),
    revoke: move(['active', 'paused'], 'revoked'),
    receipt: async (subject, id) => ({ fileName: `${own(subject, id).id}.jws`, mediaType: 'application/jose', text: 'receipt.of.grant' }),
  };
  return { desk, orders, states, refuseGrants };
}

/** One database for all platforms of a run: making one takes longer than most tests. */
let shared: Promise<Database> | undefined;

type PlatformOptions = Partial<AuthorizationServerOptions> & { readonly names?: Parameters<typeof memoryDesk>[0] };

/** The authorization server over an empty database, with one bank, not listening yet. */
export async function authorizationApp(options: PlatformOptions = {}) {
  const database = options.database ?? (await (shared ??= freshDatabase()));
  const issuer = options.issuer ?? `http://127.0.0.1:${await freePort()}`;
  const clock = movableClock();
  const memory = memoryDesk(options.names);
  const clients = new Map<string, ClientMetadata>();
  const revoked: string[] = [];
  const suspended = new Set<PartyId>();
  const log: { event: string; facts: Readonly<Record<string, unknown>> }[] = [];
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const signingKey: JWK = { ...(await exportJWK(privateKey)), kid: 'platform-1' };
  const app = createAuthorizationServer({
    issuer,
    gatewayAudience: 'https://gateway.example',
    database,
    clock,
    signingKeys: [signingKey],
    cookieKeys: [randomBytes(32).toString('base64url')],
    dpopNonceSecret: randomBytes(32),
    findClient: async (id) => clients.get(id),
    consent: memory.desk,
    onTokenRevoked: async (jti) => { revoked.push(jti); },
    log: (event, facts) => log.push({ event, facts }),
    secureCookies: false,
    isAdmitted: async (party) => !suspended.has(party),
    ...options,
  });
  const bank = await Bank.create(issuer, 'bank-1');
  clients.set(bank.clientId, bank.metadata());
  return { app, issuer, database, clock, clients, revoked, suspended, log, bank, signingKey, ...memory, subject: subjectNumber(1) };
}

export type AuthorizationApp = Awaited<ReturnType<typeof authorizationApp>>;
export type Platform = Awaited<ReturnType<typeof startPlatform>>;

/** The same, listening on a free port. */
export async function startPlatform(options: PlatformOptions = {}) {
  const platform = await authorizationApp(options);
  const server = createServer(platform.app);
  await new Promise<void>((resolve) => server.listen(Number(new URL(platform.issuer).port), '127.0.0.1', resolve));
  return {
    ...platform,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Real time plus what a test adds: oidc-provider reads the machine's clock itself. */
function movableClock(): Clock & { advanceMs: (ms: number) => void } {
  let aheadMs = 0;
  return { nowMs: () => (Date.now() + aheadMs) as TimeMs, advanceMs: (ms) => { aheadMs += ms; } };
}

export function consentDetail(subject: string, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    type: 'veilgate_consent',
    subject,
    purpose: 'pre_loan_review',
    fields: [{ field: 'tax.revenue', ceiling: 'original' }, { field: 'tax.paid', ceiling: 'desensitised' }, { field: 'utility.kwh', ceiling: 'original' }],
    valid_days: 90,
    uses_max: 10,
    data_life_days: 180,
    kind: 'periodic',
    ...changes,
  };
}

export async function activationCode(platform: { readonly database: Database; readonly clock: Clock }, subject: SubjectId, representativeName = 'Wang Fang'): Promise<string> {
  const invitation = await platform.database.transaction('register', (tx) => inviteRepresentative(tx, platform.clock, { party: partyOf(subject), subject, personName: representativeName }));
  return invitation.code;
}

/** A browser whose user has just activated the account of the subject. */
export async function representative(platform: AuthorizationApp, subject: SubjectId, username = `user.${subject.slice(8, 17).toLowerCase()}`): Promise<Browser> {
  const browser = new Browser(platform.issuer);
  const page = await browser.open(`${platform.issuer}/activation`);
  await browser.submit(page, { holder: subject, code: await activationCode(platform, subject), username, password, password_again: password });
  return browser;
}

/** Goes from the bank's request to the page where the representative decides. */
export async function openRequest(platform: AuthorizationApp, browser: Browser, detail: object): Promise<Page> {
  const pushed = await platform.bank.push(detail);
  if (pushed.status !== 201) throw new Error(`push failed: ${JSON.stringify(pushed.body)}`);
  return browser.open(platform.bank.authorizationUrl(pushed));
}

/** The whole flow: request, consent, code, tokens. */
export async function consentedTokens(platform: AuthorizationApp, browser: Browser, subject: SubjectId) {
  const page = await openRequest(platform, browser, consentDetail(subject));
  const back = await browser.submit(page, agreed);
  const code = back.url.searchParams.get('code') ?? '';
  const tokens = await platform.bank.exchange(code);
  return { code, tokens, accessToken: String(tokens.body['access_token']), refreshToken: String(tokens.body['refresh_token']) };
}
