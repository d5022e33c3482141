import { inviteStaff, type Invitation } from '../../../src/authorization/invitations.ts';
import type { PartyId } from '../../../src/vocabulary.ts';
import { Browser, type Page } from '../../../scripts/demo/form-browser.ts';
import { offeredSecret, oneTimePassword } from '../../../scripts/demo/one-time-password.ts';
import { password, type AuthorizationApp } from './platform.ts';

type Of = { readonly party?: string; readonly kind?: 'officer' | 'institution' };

export function invitation(platform: AuthorizationApp, { party = 'officer-li', kind = 'officer' }: Of = {}): Promise<Invitation> {
  return platform.database.transaction('invite', (tx) => inviteStaff(tx, platform.clock, { party: party as PartyId, kind, personName: 'Li Na' }));
}

type Begun = { readonly browser: Browser; readonly choice: Page; readonly accountId: string; readonly code: string };

/** The first step of activation: name, code and password. */
export async function begin(platform: AuthorizationApp, of: Of & { readonly username: string; readonly code?: string; readonly browser?: Browser; readonly to?: string }): Promise<Begun> {
  const { browser = new Browser(platform.issuer), username, to = '' } = of;
  const invited = of.code === undefined ? await invitation(platform, of) : { code: of.code, accountId: '' };
  const form = await browser.open(`/activation?to=${encodeURIComponent(to)}&for=${of.party ?? 'officer-li'}`);
  const choice = await browser.submit(form, { code: invited.code, username, password, password_again: password });
  return { browser, choice, accountId: invited.accountId, code: invited.code };
}

/** Both steps, with an authenticator app. */
export async function staff(platform: AuthorizationApp, of: Of & { readonly username: string; readonly to?: string }) {
  const begun = await begin(platform, of);
  const secret = offeredSecret(begun.choice);
  const landed = await begun.browser.submit(begun.choice, { one_time_password: oneTimePassword(secret, platform.clock.nowMs()) });
  platform.clock.advanceMs(30_000); // what was used is used up
  return { ...begun, secret, landed, username: of.username, party: of.party ?? 'officer-li' };
}

/** Signs in with password and one-time password; `steps` as in oneTimePassword. */
export async function signInWithApp(
  platform: AuthorizationApp,
  { username, secret }: { readonly username: string; readonly secret: string },
  { browser = new Browser(platform.issuer), typed, steps = 0 }: { readonly browser?: Browser; readonly typed?: string; readonly steps?: number } = {},
): Promise<Page> {
  return browser.submit(await browser.open('/sign-in'), { username, password, one_time_password: typed ?? oneTimePassword(secret, platform.clock.nowMs(), steps) });
}
