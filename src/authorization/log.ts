import { isVeilgateError } from '../errors.ts';

/** Value-free facts about what happened; never a token, code, password, user name or credit code. */
export type Log = (event: string, facts: Readonly<Record<string, string | number | boolean>>) => void;

/** Where something broke, without its message: that could quote what it broke on. */
export function faultFacts(error: unknown): Readonly<Record<string, string>> {
  if (!(error instanceof Error)) return { fault: typeof error };
  const at = error.stack?.split('\n').find((line) => line.trimStart().startsWith('at '))?.trim() ?? '';
  return { fault: error.name, ...(isVeilgateError(error) ? { code: error.code } : {}), at: at.replace(/\(?(?:file:\/\/)?\/.*\//, '(') };
}
