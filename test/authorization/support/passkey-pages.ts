import { strict as assert } from 'node:assert';
import type { Page } from '../../../scripts/demo/form-browser.ts';

type Options = {
  readonly challenge: string; readonly user: { readonly id: string };
  readonly excludeCredentials: readonly { readonly id: string }[]; readonly authenticatorSelection: { readonly userVerification: string };
};

/** What the page's script hands to the browser. */
export function optionsOf(page: Page): Options {
  const [, text = assert.fail(page.html.slice(0, 500))] = /data-options="([^"]*)"/.exec(page.html) ?? [];
  return JSON.parse(text.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))) as Options;
}

export const formAt = (page: Page, path: string) => ({ form: page.forms.findIndex(({ action }) => action.pathname === path) });
