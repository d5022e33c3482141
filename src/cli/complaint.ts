import { VeilgateError } from '../errors.ts';
import { clean, pairs, table } from './table.ts';

/** What is told of an error: never a stack, never a value. */
export function complaint(error: VeilgateError): string {
  return `${error.code}: ${clean(error.message)}\n${details(error.detail ?? {})}`;
}

/** The same for machines. */
export function complaintJson({ code, message, detail }: VeilgateError): string {
  return `${JSON.stringify({ error: { code, message, ...(detail === undefined ? {} : { detail }) } })}\n`;
}

/** Whatever was thrown, as an error that can be shown. */
export function shown(error: unknown): VeilgateError {
  if (error instanceof VeilgateError) return error;
  const name = error instanceof Error ? error.name : typeof error;
  return new VeilgateError('INTERNAL', 'The command failed in a way nobody foresaw: report what you did.', { error: name });
}

type GrantNeeded = { readonly purpose: string; readonly fields: readonly { readonly field: string; readonly ceiling: string }[] };

function details(detail: Readonly<Record<string, unknown>>): string {
  const { status: _status, withheld, grant_needed: needed, exceeds, rejects, findings, problems, ...others } = detail;
  return [
    rows(withheld, 'withheld', ['field', 'use', 'reason']),
    Array.isArray(needed) ? needed.map(grantNeeded).join('') : '',
    rows(exceeds, 'more than policy allows', ['term', 'asked', 'cap']),
    rows(findings, 'limits broken', ['rule', 'problem']),
    rows(problems, 'wrong', ['pointer', 'problem']),
    rows(rejects, 'rejected', ['row', 'field', 'reason']),
    indented(pairs(others)),
  ].join('');
}

/** What to ask the enterprise for, as options of `consent request`. */
export function grantNeeded({ purpose, fields }: GrantNeeded): string {
  const wanted = (ceiling: string) => fields.filter((one) => one.ceiling === ceiling).map(({ field }) => field);
  const options = (['original', 'desensitised'] as const).filter((ceiling) => wanted(ceiling).length > 0).map((ceiling) => `--${ceiling} ${wanted(ceiling).join(',')}`);
  return `  grant needed: --purpose ${clean(purpose)} ${clean(options.join(' '))}\n`;
}

function rows(value: unknown, title: string, columns: readonly string[]): string {
  if (!Array.isArray(value) || value.length === 0) return '';
  const lines = value.map((row: Readonly<Record<string, unknown>>) => columns.map((column) => row[column]));
  return `  ${title}:\n${indented(indented(table(columns, lines)))}`;
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}
