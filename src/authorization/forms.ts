import express from 'express';
import { VeilgateError } from '../errors.ts';
import type { Account } from './accounts.ts';
import { fieldsMax } from './consent-request.ts';

/** Bytes of a form, or of a request to an OAuth endpoint. */
export const bodyBytesMax = 64 * 1024;
const valueLengthMax = 1000;

/** Reads `application/x-www-form-urlencoded` bodies of our own forms: flat, limited in bytes and in number of values. */
export const formBody = express.urlencoded({ extended: false, limit: bodyBytesMax, parameterLimit: 2 * fieldsMax + 20 });

export type Form = {
  /** '' when absent. */
  readonly one: (name: string) => string;
  readonly many: (name: string) => readonly string[];
};

/**
 * A submitted form. A name that occurs more often than our pages send it is refused (parameter pollution).
 * @param longer characters of the values that may be longer than others
 * Errors: REQUEST_INVALID.
 */
export function readForm(body: unknown, repeatable: readonly string[] = [], longer: Readonly<Record<string, number>> = {}): Form {
  const values = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries((body ?? {}) as Record<string, unknown>)) {
    const all: readonly unknown[] = Array.isArray(value) ? value : [value];
    const texts = all.filter((text) => typeof text === 'string');
    if (texts.length !== all.length || (texts.length > 1 && !repeatable.includes(name))) {
      throw new VeilgateError('REQUEST_INVALID', 'The form holds a value twice: go back, reload the page and try again.');
    }
    if (texts.some((text) => text.length > (longer[name] ?? valueLengthMax))) throw new VeilgateError('REQUEST_INVALID', 'The form holds a value that is too long: shorten it.');
    values.set(name, texts);
  }
  return { one: (name) => values.get(name)?.[0] ?? '', many: (name) => values.get(name) ?? [] };
}

const consentPath = /^\/(?:consents|consent\/[A-Za-z0-9_-]{1,64})$/;
/** No segment begins with a dot, none is empty: what a browser would shorten or read as a host. */
const consolePath = /^\/console\/(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*(?:\/(?=[A-Za-z0-9_~-])|\/?(?=\?|$)))*(?:\?[A-Za-z0-9._~=&%-]*)?$/;
const onwardLengthMax = 300;

/**
 * Where to go after signing in: only to a page of ours, whatever was asked for (no open redirect).
 * @returns a path below the issuer; '' where nothing of ours was asked for
 */
export function safeOnward(to: unknown): string {
  return typeof to === 'string' && to.length <= onwardLengthMax && (consentPath.test(to) || consolePath.test(to)) ? to : '';
}

/** Where people go who asked for nothing. @param hasConsole whether one is served beside these pages */
export function landing({ kind }: Pick<Account, 'kind'>, hasConsole: boolean): string {
  return kind === 'enterprise' && !hasConsole ? '/consents' : '/console/';
}
