/** What a setting of a process is: the kinds that tables of settings are made of. Imports nothing. */

export type Setting<T> = {
  readonly env: string;
  /** Heading it stands under in help and documentation. */
  readonly group: string;
  /** What it does, in one or two plain sentences. */
  readonly meaning: string;
  readonly default: T;
  /** JSON Schema of the value, as a file would hold it. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** How the text of an environment variable becomes a value; a text that cannot be one stays as it is for the schema to refuse. */
  readonly fromText: (text: string) => unknown;
  /** How a variable's text looks, for the documentation. */
  readonly form: string;
  /** Never shown; may also be given as a file named by `<env>_FILE`. */
  readonly secret: boolean;
};

type Common = { readonly env: string; readonly group: string; readonly meaning: string };

export function text(about: Common & { readonly default: string; readonly pattern?: string; readonly form?: string }): Setting<string> {
  return { ...about, schema: stringSchema(about.pattern), fromText: (given) => given, form: about.form ?? 'text', secret: false };
}

export function optionalText(about: Common & { readonly pattern?: string; readonly form?: string; readonly secret?: boolean; readonly minLength?: number }): Setting<string | undefined> {
  const schema = { ...stringSchema(about.pattern), ...(about.minLength === undefined ? {} : { minLength: about.minLength }) };
  return { ...about, default: undefined, schema, fromText: (given) => given, form: about.form ?? 'text', secret: about.secret ?? false };
}

export function stringSchema(pattern: string | undefined): Record<string, unknown> {
  return { type: 'string', minLength: 1, maxLength: 2048, ...(pattern === undefined ? {} : { pattern }) };
}

export function integer(about: Common & { readonly default: number; readonly min: number; readonly max: number }): Setting<number> {
  return {
    ...about,
    schema: { type: 'integer', minimum: about.min, maximum: about.max },
    fromText: (given) => (/^[0-9]{1,15}$/.test(given) ? Number(given) : given),
    form: `${about.min}…${about.max}`,
    secret: false,
  };
}

export function flag(about: Common): Setting<boolean> {
  const values: Readonly<Record<string, boolean>> = { true: true, false: false };
  return { ...about, default: false, schema: { type: 'boolean' }, fromText: (given) => values[given] ?? given, form: 'true or false', secret: false };
}

export function choice<const Options extends readonly string[]>(about: Common & { readonly options: Options; readonly default: Options[number] }): Setting<Options[number]> {
  return { ...about, schema: { enum: about.options }, fromText: (given) => given, form: about.options.join(', '), secret: false };
}

export function texts(about: Common & { readonly pattern: string; readonly max: number; readonly form: string }): Setting<readonly string[]> {
  return {
    ...about,
    default: [],
    schema: { type: 'array', maxItems: about.max, items: stringSchema(about.pattern) },
    fromText: (given) => given.split(/[\s,]+/).filter((part) => part !== ''),
    secret: false,
  };
}

export function optionalInteger(about: Common & { readonly min: number; readonly max: number }): Setting<number | undefined> {
  return { ...integer({ ...about, default: 0 }), default: undefined };
}

export const webUrl = '^https?://[^\\s/?#@]+(/[^\\s?#]*)?$';
export const webOrigin = '^https?://[^\\s/?#@]+/?$';
/** An address or a network in CIDR form; what the text says is checked by node:net when it is used. */
export const network = '^[0-9A-Fa-f:.]{2,45}(/[0-9]{1,3})?$';

export type SettingsTable = Readonly<Record<string, Setting<unknown>>>;

/** A process's settings after all checks. Relative files and folders start at the working directory. */
export type ConfigOf<Table extends SettingsTable> = { readonly [Name in keyof Table]: Table[Name] extends Setting<infer T> ? T : never };

/** What a setting is called in a configuration file: like its variable, in lower case and without the prefix. */
export function fileKeyOf(prefix: string, { env }: Setting<unknown>): string {
  return (env.startsWith(prefix) ? env.slice(prefix.length) : env).toLowerCase();
}
