import { strict as assert } from 'node:assert';
import { Secret, TOTP } from 'otpauth';
import type { BrowserContext } from 'playwright-core';
import { Browser as FormBrowser } from '../../../scripts/demo/form-browser.ts';
import { password, type TestPlatform } from '../../support/gateway.ts';

/** Somebody with an account and a signed-in browser. */
export type Person = { readonly username: string; readonly secret: string | undefined; readonly forms: FormBrowser };

const scopeOf = { officer: 'registry compliance audit', institution: 'query' } as const;

/** Invites a person of a party that holds a key, who activates the account and enrols a one-time password. */
export async function personOf(platform: TestPlatform, party: string, kind: keyof typeof scopeOf, name: string, scope: string = scopeOf[kind]): Promise<Person> {
  const connection = await platform.connect(party, scope);
  const { activation_code: code } = await connection.call<{ readonly activation_code: string }>({ method: 'POST', path: '/v1/accounts', json: { name } });
  return activated(platform, party, code, `${party}.${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '')}`.slice(0, 60));
}

/** The representative of an enterprise. */
export async function representativeOf(platform: TestPlatform, subject: string, name: string): Promise<Person> {
  const { activation_code: code } = await platform.registrar.registerEnterprise(subject, name);
  return activated(platform, subject, code, `rep.${subject.toLowerCase()}`);
}

async function activated(platform: TestPlatform, holder: string, code: string, username: string): Promise<Person> {
  const forms = new FormBrowser(platform.gateway.issuerUrl);
  const next = await forms.submit(await forms.open('/activation'), { holder, code, username, password, password_again: password });
  if (next.url.pathname !== '/second-factor') return { username, secret: undefined, forms };
  const secret = /secret=([A-Z2-7]+)/.exec(next.html)?.[1] ?? /<code[^>]*>([A-Z2-7 ]{16,})<\/code>/.exec(next.html)?.[1]?.replaceAll(' ', '');
  assert.ok(secret, 'the page shows no secret');
  const done = await forms.submit(next, { one_time_password: oneTimePassword(secret) });
  assert.ok(done.url.pathname.startsWith('/console'), `second factor: ${done.status} ${done.url.pathname}`);
  return { username, secret, forms };
}

/** RFC 6238, as an authenticator app shows it now, or so many steps later: each is accepted once. */
export function oneTimePassword(secret: string, steps = 0): string {
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + steps * 30_000 });
}

/** Gives a browser the session that the person has. */
export async function signedIn(context: BrowserContext, platform: TestPlatform, { forms }: Person): Promise<void> {
  const value = forms.cookie('veilgate_session');
  assert.ok(value, 'nobody is signed in');
  await context.addCookies([{ name: 'veilgate_session', value, url: platform.gateway.issuerUrl, httpOnly: true, sameSite: 'Lax' }]);
}
