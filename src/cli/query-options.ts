import { InvalidArgumentError, type Command } from 'commander';
import { VeilgateError } from '../errors.ts';
import type { Query, RowSelection } from '../sdk/bank.ts';
import type { Value } from '../vocabulary.ts';
import type { CatalogueView } from '../sdk/catalogue.ts';
import { list, pair, repeated, wholeNumber } from './command.ts';

export type QueryFlags = {
  readonly purpose: string;
  readonly grant?: string;
  readonly read?: readonly string[];
  readonly verify?: readonly string[];
  readonly filter?: readonly string[];
  readonly sort?: readonly string[];
  readonly limit?: readonly string[];
  readonly fact?: readonly string[];
};

/** What `query ask` and `query explain` can ask for. */
export function queryOptions(command: Command): Command {
  return command
    .requiredOption('--purpose <code>', 'purpose code, such as pre_loan_review')
    .option('--read <fields>', 'fields to read, separated by commas; may be repeated', list)
    .option('--verify <field=value>', 'a value you were told, to compare with the record; may be repeated', checked(pair))
    .option('--grant <id>', 'grant to answer under; the widest valid one when left out')
    .option('--fact <name=value>', 'a fact that policy asks for, such as loan_amount_cents=50000000; may be repeated', checked(pair))
    .option('--filter <field=value>', 'only rows for which this holds: =, >= or <=; may be repeated', checked(splitFilter))
    .option('--sort <field>', 'order rows by this field; field:desc for the largest first; one per dataset', repeated)
    .option('--limit <dataset=n>', 'at most so many rows of a dataset; may be repeated', checked(splitLimit));
}

/** True when the query's values need the types of the catalogue to be read. */
export function needsTypes({ verify = [], filter = [] }: QueryFlags): boolean {
  return verify.length + filter.length > 0;
}

/** Errors: CONFIG_INVALID. */
export function requireSomething({ read = [], verify = [] }: QueryFlags): void {
  if (read.length + verify.length === 0) throw new VeilgateError('CONFIG_INVALID', 'Say what to ask for: --read FIELDS or --verify FIELD=VALUE.');
}

/** The query as the gateway takes it. */
export function queryOf(subject: string, flags: QueryFlags, catalogue: CatalogueView | undefined): Query {
  const types = new Map(catalogue?.datasets.flatMap(({ fields }) => fields.map(({ field, type }) => [field, type])));
  const rows = selections(flags, types);
  return {
    subject,
    purpose: flags.purpose,
    ...(flags.grant === undefined ? {} : { grant: flags.grant }),
    ...(flags.read === undefined ? {} : { read: flags.read }),
    ...(flags.verify === undefined ? {} : { verify: flags.verify.map(pair).map(([field, text]) => ({ field, claimed: valueOf(text, types.get(field)) })) }),
    ...(Object.keys(rows).length === 0 ? {} : { rows }),
    ...(flags.fact === undefined ? {} : { facts: Object.fromEntries(flags.fact.map(pair).map(([name, text]) => [name, factOf(text)])) }),
  };
}

type Filter = NonNullable<RowSelection['filter']>[number];

function selections({ filter = [], sort = [], limit = [] }: QueryFlags, types: ReadonlyMap<string, string>): Readonly<Record<string, RowSelection>> {
  const found = new Map<string, { filter?: Filter[]; sort?: NonNullable<RowSelection['sort']>; limit?: number }>();
  const of = (dataset: string) => {
    const selection = found.get(dataset) ?? {};
    found.set(dataset, selection);
    return selection;
  };
  for (const [field, op, text] of filter.map(splitFilter)) (of(datasetOf(field)).filter ??= []).push({ field, op, value: valueOf(text, types.get(field)) });
  for (const text of sort) {
    const [, field = '', direction] = /^(.+?)(?::(asc|desc))?$/.exec(text) ?? [];
    of(datasetOf(field)).sort = { field, direction: direction === 'desc' ? 'desc' : 'asc' };
  }
  for (const [dataset, rows] of limit.map(splitLimit)) of(dataset).limit = rows;
  return Object.fromEntries(found);
}

function splitFilter(text: string): [string, Filter['op'], string] {
  const [, field, sign, value] = /^([^=<>]+)(>=|<=|=)(.*)$/s.exec(text) ?? [];
  if (field === undefined || value === undefined) throw new InvalidArgumentError('field=value, field>=value or field<=value');
  return [field, sign === '>=' ? 'gte' : sign === '<=' ? 'lte' : 'eq', value];
}

function splitLimit(text: string): [string, number] {
  const [dataset, rows] = pair(text);
  return [dataset, wholeNumber(1, 1000)(rows)];
}

/** Checks each value as it is parsed, so that a mistake is a wrong use, and keeps the text. */
function checked(check: (text: string) => unknown): (text: string, before?: readonly string[]) => readonly string[] {
  return (text, before = []) => {
    check(text);
    return [...before, text];
  };
}

function datasetOf(field: string): string {
  return field.split('.', 1)[0] ?? field;
}

/** As the catalogue types the field; what it cannot be is sent as text, for the gateway to refuse. */
function valueOf(text: string, type: string | undefined): Value {
  if (type === 'integer' && /^-?\d{1,16}$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

/** The catalogue does not tell the types of facts: they look like what they are. */
function factOf(text: string): Value {
  if (/^-?\d{1,16}$/.test(text)) return Number(text);
  return text === 'true' || text === 'false' ? text === 'true' : text;
}
