import { strict as assert } from 'node:assert';
import type { JWK } from 'jose';
import type { BrowserContext } from 'playwright-core';
import { Browser as FormBrowser } from '../../../scripts/demo/form-browser.ts';
import { password, type TestPlatform } from '../../support/gateway.ts';
import { signedInPerson } from '../../support/person.ts';

/** Somebody with an account and a signed-in browser. */
export type Person = { readonly username: string; readonly secret: string | undefined; readonly forms: FormBrowser };

const scopeOf = { officer: 'registry compliance audit', institution: 'query' } as const;

/** Invites a person of a party that holds a key, who activates the account and enrols a one-time password. */
export async function personOf(platform: TestPlatform, party: string, kind: keyof typeof scopeOf, name: string, scope: string = scopeOf[kind]): Promise<Person> {
  const { username, secret, browser } = await signedInPerson(platform, party, scope, `${party}.${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '')}`.slice(0, 60), name);
  return { username, secret, forms: browser };
}

/** The representative of an enterprise. @param key of the enterprise's own, where it has one */
export async function representativeOf(platform: TestPlatform, subject: string, name: string, key?: JWK): Promise<Person> {
  const { activation_code: code } = await platform.registrar.registerEnterprise(subject, name, key);
  const forms = new FormBrowser(platform.gateway.issuerUrl);
  const username = `rep.${subject.toLowerCase()}`;
  await forms.submit(await forms.open('/activation'), { holder: subject, code, username, password, password_again: password });
  return { username, secret: undefined, forms };
}

/** Gives a browser the session that the person has. */
export async function signedIn(context: BrowserContext, platform: TestPlatform, { forms }: Person): Promise<void> {
  const value = forms.cookie('veilgate_session');
  assert.ok(value, 'nobody is signed in');
  await context.addCookies([{ name: 'veilgate_session', value, url: platform.gateway.issuerUrl, httpOnly: true, sameSite: 'Lax' }]);
}
