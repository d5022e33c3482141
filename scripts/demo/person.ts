import type { InvitationView } from '../../src/sdk/accounts.ts';
import { Browser, type Page } from './form-browser.ts';
import { offeredSecret, oneTimePassword } from './one-time-password.ts';

/** Somebody who has activated an account with an authenticator app and is signed in. */
export type Activated = { readonly browser: Browser; readonly username: string; /** Base32, for `oneTimePassword`. */ readonly secret: string; readonly landed: Page };

/** Takes an invitation up as a person does, in a browser of their own. */
export async function takeUp({ activation_code: code, page }: Pick<InvitationView, 'activation_code' | 'page'>, { username, password }: { readonly username: string; readonly password: string }): Promise<Activated> {
  const browser = new Browser(page);
  const choice = await browser.submit(await browser.open(page), { code, username, password, password_again: password });
  const secret = offeredSecret(choice);
  // the step before: the present one is left for a first sign-in
  const enrol = () => browser.submit(choice, { one_time_password: oneTimePassword(secret, Date.now(), -1) });
  const landed = await enrol();
  // its time may end on the way; the next one's has just begun
  return { browser, username, secret, landed: landed.status === 200 ? landed : await enrol() };
}
