import { Command, InvalidArgumentError } from 'commander';
import type { Cli } from './terminal.ts';

export type CommandText = {
  readonly summary: string;
  /** More than one sentence of explanation, shown in the command's own help. */
  readonly detail?: string;
  /** Complete command lines without `veilgate`. */
  readonly examples: readonly string[];
};

const exitCodes = `
Exit codes: 0 done, 1 refused or failed, 2 used wrongly`;

/** A noun: a command that only holds verbs. */
export function noun(name: string, summary: string): Command {
  return new Command(name).description(summary);
}

/** A verb, with what all of them have: --json, examples, exit codes. */
export function verb(parent: Command, usage: string, { summary, detail, examples }: CommandText): Command {
  return finish(parent.command(usage), { summary, ...(detail === undefined ? {} : { detail }), examples });
}

/** The same for a command that stands by itself or is its noun's default. */
export function finish(command: Command, { summary, detail, examples }: CommandText): Command {
  return command
    .description(detail === undefined ? summary : `${summary}\n\n${detail}`)
    .summary(summary)
    .option('--json', 'print one JSON object instead of text')
    .addHelpText('after', `\nExamples:\n${examples.map((line) => `  $ veilgate ${line}`).join('\n')}\n${exitCodes}`);
}

/** Prints a result: one JSON object for machines, text for people. */
export function show(cli: Cli, options: { readonly json?: true }, value: unknown, text: () => string): void {
  cli.terminal.stdout.write(options.json ? `${JSON.stringify(value)}\n` : text());
}

/** Option parser: names separated by commas; the option may be repeated. */
export function list(text: string, before: readonly string[] = []): readonly string[] {
  const names = text.split(',').map((name) => name.trim()).filter((name) => name !== '');
  if (names.length === 0) throw new InvalidArgumentError('one name or more, separated by commas');
  return [...before, ...names];
}

/** Option parser: values that may hold commas; the option may be repeated. */
export function repeated(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** Option parser for whole numbers. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw new InvalidArgumentError(`a whole number from ${min} to ${max}`);
    return value;
  };
}

/** Option parser for `YYYY-MM-DD`. */
export function date(text: string): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || Number.isNaN(Date.parse(text))) throw new InvalidArgumentError('a date, YYYY-MM-DD');
  return text;
}

/** Option parser for a point in time with its zone (RFC 3339). */
export function moment(text: string): string {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.test(text) || Number.isNaN(Date.parse(text))) throw new InvalidArgumentError('a time with its zone, such as 2026-09-01T00:00:00+08:00');
  return new Date(text).toISOString();
}

/** Option parser: `left=right`, split at the first sign. */
export function pair(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('name=value');
  return [text.slice(0, at), text.slice(at + 1)];
}
