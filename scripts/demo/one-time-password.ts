import { Secret, TOTP } from 'otpauth';
import type { Page } from './form-browser.ts';

/** The secret that a page of enrolment offers, base32. */
export function offeredSecret(page: Page): string {
  const [, text] = /<code>([A-Z2-7 ]{16,64})<\/code>/.exec(page.html) ?? [];
  if (text === undefined) throw new Error(`no secret on ${page.url.pathname}: ${page.html.slice(0, 1000)}`);
  return text.replaceAll(' ', '');
}

/** What an authenticator app shows at a time. @param steps of 30 s before or after it */
export function oneTimePassword(secret: string, nowMs: number, steps = 0): string {
  return new TOTP({ secret: Secret.fromBase32(secret), algorithm: 'SHA1', digits: 6, period: 30 }).generate({ timestamp: nowMs + steps * 30_000 });
}
