import { InvalidArgumentError, Option, type Command } from 'commander';
import { VeilgateError } from '../errors.ts';
import type { ConsentRequest } from '../sdk/consent-flow.ts';
import { date, list, wholeNumber } from './command.ts';
import { readJson } from './secret-file.ts';

export type TermsFlags = {
  readonly terms?: string;
  readonly purpose?: string;
  readonly original?: readonly string[];
  readonly desensitised?: readonly string[];
  readonly dataFrom?: string;
  readonly dataTo?: string;
  readonly validDays?: number;
  readonly usesMax?: number;
  readonly frequency?: ConsentRequest['frequency'];
  readonly dataLifeDays?: number;
  readonly kind?: 'one_time' | 'periodic';
};

const daysMax = 3650;
const termsLengthMax = 65_536;

/** What a consent can be about: the same for the bank that asks and the enterprise that signs. */
export function termsOptions(command: Command): Command {
  return command
    .option('--terms <file>', 'JSON file with the terms (docs/formats/grant.md); options given besides win')
    .option('--purpose <code>', 'purpose code')
    .option('--original <fields>', 'fields whose original value may be disclosed, sealed; separated by commas', list)
    .option('--desensitised <fields>', 'fields that may be disclosed desensitised only', list)
    .option('--data-from <date>', 'first day the data may be about', date)
    .option('--data-to <date>', 'last day the data may be about', date)
    .option('--valid-days <n>', 'days the consent holds', wholeNumber(1, daysMax))
    .option('--uses-max <n>', 'answers it allows altogether', wholeNumber(1, 1_000_000))
    .option('--frequency <n/per>', 'answers it allows per day, week or month, such as 10/day', frequency)
    .option('--data-life-days <n>', 'days after which the bank must delete what it got', wholeNumber(1, daysMax))
    .addOption(new Option('--kind <kind>', 'one answer, or answers again and again').choices(['one_time', 'periodic']));
}

/** The terms that file and options give together. Errors: CONFIG_INVALID. */
export function termsOf(subject: string, flags: TermsFlags): ConsentRequest {
  const file = flags.terms === undefined ? {} : (readJson(flags.terms, termsLengthMax) as Partial<ConsentRequest>);
  if (file.subject !== undefined && file.subject !== subject) throw new VeilgateError('CONFIG_INVALID', 'The terms file is about another enterprise: name the same one.', { file: flags.terms ?? '' });
  const fields = [
    ...(flags.original ?? []).map((field) => ({ field, ceiling: 'original' as const })),
    ...(flags.desensitised ?? []).map((field) => ({ field, ceiling: 'desensitised' as const })),
  ];
  const terms = {
    ...file,
    ...(fields.length === 0 ? {} : { fields }),
    ...given('purpose', flags.purpose), ...given('data_from', flags.dataFrom), ...given('data_to', flags.dataTo), ...given('valid_days', flags.validDays),
    ...given('uses_max', flags.usesMax), ...given('frequency', flags.frequency), ...given('data_life_days', flags.dataLifeDays), ...given('kind', flags.kind),
  };
  const { type: _type, purpose, fields: asked, valid_days: validDays, data_life_days: dataLifeDays, kind = 'periodic', ...rest } = terms as Partial<ConsentRequest> & { readonly type?: string };
  if (purpose === undefined || asked === undefined || validDays === undefined || dataLifeDays === undefined) {
    throw new VeilgateError('CONFIG_INVALID', 'Terms need --purpose, --original or --desensitised, --valid-days and --data-life-days, or a file that has them: --terms FILE.');
  }
  return { ...rest, subject, purpose, fields: asked, valid_days: validDays, data_life_days: dataLifeDays, kind };
}

function given(name: string, value: unknown): Readonly<Record<string, unknown>> {
  return value === undefined ? {} : { [name]: value };
}

/** Option parser: `10/day`. */
export function frequency(text: string): NonNullable<ConsentRequest['frequency']> {
  const [, max, per] = /^(\d{1,6})\/(day|week|month)$/.exec(text) ?? [];
  if (max === undefined || Number(max) === 0) throw new InvalidArgumentError('a number per day, week or month, such as 10/day');
  return { max: Number(max), per: per as 'day' | 'week' | 'month' };
}
