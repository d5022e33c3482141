import { Browser, type Page } from '../../scripts/demo/form-browser.ts';
import { accountsClient } from '../../src/sdk/accounts.ts';
import { password, type TestPlatform } from './gateway.ts';
import { offeredSecret, oneTimePassword } from './one-time-password.ts';

/** Somebody of a party who has activated an account with an authenticator app and is signed in. */
export type Person = { readonly browser: Browser; readonly account: string; readonly username: string; /** Base32, for `oneTimePassword`. */ readonly secret: string; readonly landed: Page };

/** Invites a person of a party with its key, who then takes the invitation up in a browser of their own. @param scope one the party has */
export async function signedInPerson(platform: TestPlatform, party: string, scope: string, username: string): Promise<Person> {
  const { account, activation_code: code, page } = await accountsClient(await platform.connect(party, scope)).invite('王芳');
  const browser = new Browser(platform.gateway.issuerUrl);
  const choice = await browser.submit(await browser.open(page), { code, username, password, password_again: password });
  const secret = offeredSecret(choice);
  // the step before: the present one is left for a first sign-in
  const landed = await browser.submit(choice, { one_time_password: oneTimePassword(secret, Date.now(), -1) });
  return { browser, account, username, secret, landed };
}
