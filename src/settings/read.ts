import { existsSync, readFileSync, statSync } from 'node:fs';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { parse as parseYaml } from 'yaml';
import { VeilgateError, type ErrorCode } from '../errors.ts';
import { fileKeyOf, type ConfigOf, type Setting, type SettingsTable } from './setting.ts';

/** One thing a process refuses to start with. The documentation lists `refuses`; errors say it with the settings' names. */
export type SettingsCheck<Table extends SettingsTable> = {
  readonly code: Extract<ErrorCode, 'CONFIG_INVALID' | 'CONFIG_INSECURE'>;
  readonly settings: readonly [keyof Table, ...(keyof Table)[]];
  /** What is wrong and what to do, after the names of the settings. */
  readonly refuses: string;
  readonly violated: (config: ConfigOf<Table>, given: ReadonlySet<keyof Table>, nowMs: number) => boolean;
};

/** All settings of one kind of process. */
export type SettingsForm<Table extends SettingsTable> = {
  readonly table: Table;
  /** Of its variables; what begins so and is no setting is refused. */
  readonly prefix: string;
  /** Beginnings of variables that are somebody else's. */
  readonly foreignPrefixes: readonly string[];
  /** Variable that names the configuration file. */
  readonly fileVariable: string;
  /** Addresses, of which a slash at the end is dropped. */
  readonly origins: readonly (keyof Table & string)[];
  readonly checks: readonly SettingsCheck<Table>[];
};

/** The part that does not depend on which settings there are. */
type Naming = Pick<SettingsForm<SettingsTable>, 'table' | 'prefix' | 'foreignPrefixes' | 'fileVariable'>;

const fileBytesMax = 262_144;

/**
 * The settings of a process: environment over file over defaults, checked one by one and against each other.
 * @param env such as process.env
 * @param nowMs what certificates are held against
 * @param file JSON or YAML (JSON is YAML); keys are the variables' names in lower case without the prefix
 * Errors: CONFIG_INVALID, CONFIG_INSECURE; `detail.settings` names the variables concerned, no value is shown.
 */
export function readSettings<Table extends SettingsTable>(form: SettingsForm<Table>, env: NodeJS.ProcessEnv, nowMs: number, file?: string): ConfigOf<Table> {
  refuseUnknownVariables(form, env);
  const fromFile = readFile(form, file ?? env[form.fileVariable]);
  const given = new Set<keyof Table>();
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(form.table)) {
    const text = variable(env, setting);
    const value = text === undefined ? fromFile[fileKeyOf(form.prefix, setting)] : setting.fromText(text);
    if (value !== undefined) given.add(name);
    values[name] = value ?? setting.default;
  }
  refuseMalformed(form.table, values);
  for (const name of form.origins) values[name] = (values[name] as string | undefined)?.replace(/\/$/, '');
  const config = values as ConfigOf<Table>;
  refuseViolated(form, config, given, nowMs);
  return Object.freeze(config);
}

function invalid(message: string, variables: readonly string[]): VeilgateError {
  return new VeilgateError('CONFIG_INVALID', message, { settings: variables });
}

function secretFileVariable(setting: Setting<unknown>): string | undefined {
  return setting.secret ? `${setting.env}_FILE` : undefined;
}

function variable(env: NodeJS.ProcessEnv, setting: Setting<unknown>): string | undefined {
  const text = env[setting.env] === '' ? undefined : env[setting.env];
  const fileName = secretFileVariable(setting);
  const file = fileName === undefined ? undefined : env[fileName];
  if (fileName === undefined || file === undefined || file === '') return text;
  if (text !== undefined) throw invalid(`${setting.env} and ${fileName} contradict each other: set one of them.`, [setting.env, fileName]);
  if (!existsSync(file)) throw invalid(`${fileName} names a file that is not there.`, [fileName]);
  if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) {
    throw new VeilgateError('CONFIG_INSECURE', `${fileName} names a file that others can read: chmod 600.`, { settings: [fileName] });
  }
  return readFileSync(file, 'utf8').trim();
}

function refuseUnknownVariables({ table, prefix, foreignPrefixes, fileVariable }: Naming, env: NodeJS.ProcessEnv): void {
  const known = new Set([fileVariable, ...Object.values(table).flatMap((setting) => [setting.env, secretFileVariable(setting) ?? setting.env])]);
  const unknown = Object.keys(env).find((name) => name.startsWith(prefix) && !foreignPrefixes.some((foreign) => name.startsWith(foreign)) && !known.has(name));
  if (unknown !== undefined) throw invalid(`There is no setting ${unknown}${didYouMean(unknown, [...known])}.`, [unknown]);
}

function readFile({ table, prefix, fileVariable }: Naming, file: string | undefined): Readonly<Record<string, unknown>> {
  if (file === undefined || file === '') return {};
  if (!existsSync(file) || !statSync(file).isFile()) throw invalid(`${fileVariable}: the configuration file ${file} is not there.`, [fileVariable]);
  if (statSync(file).size > fileBytesMax) throw invalid(`The configuration file ${file} is larger than ${fileBytesMax} bytes.`, [fileVariable]);
  let content: unknown;
  try {
    // aliases could make a small file huge, and duplicate keys are errors
    content = parseYaml(readFileSync(file, 'utf8'), { maxAliasCount: 0, uniqueKeys: true, strict: true, version: '1.2', schema: 'core' }) ?? {};
  } catch (error) {
    const position = (error as { linePos?: readonly { line: number; col: number }[] }).linePos?.[0];
    throw invalid(`The configuration file ${file} is neither YAML nor JSON${position === undefined ? '' : ` at line ${position.line}, column ${position.col}`}.`, [fileVariable]);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) throw invalid(`The configuration file ${file} must hold settings by name.`, [fileVariable]);
  const known = Object.values(table).map((setting) => fileKeyOf(prefix, setting));
  const unknown = Object.keys(content).find((key) => !known.includes(key));
  if (unknown !== undefined) throw invalid(`The configuration file ${file} has an unknown setting ${JSON.stringify(unknown.slice(0, 60))}${didYouMean(unknown, known)}.`, [fileVariable]);
  const empty = Object.entries(content).find(([, value]) => value === null);
  if (empty !== undefined) throw invalid(`The setting ${empty[0]} in the configuration file ${file} has no value: give it one or take it out.`, [fileVariable]);
  const secret = Object.values(table).find((setting) => setting.secret && fileKeyOf(prefix, setting) in content);
  if (secret !== undefined && process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) {
    throw new VeilgateError('CONFIG_INSECURE', `The configuration file ${file} holds the secret ${fileKeyOf(prefix, secret)} and can be read by others: chmod 600.`, { settings: [secret.env] });
  }
  return content as Record<string, unknown>;
}

/** Compiled once for each table: a process may read its settings for several parts of itself. */
const validators = new WeakMap<SettingsTable, ValidateFunction>();

function validatorOf(table: SettingsTable): ValidateFunction {
  const validate = validators.get(table) ?? new Ajv2020({ strict: true, allErrors: true }).compile({
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(Object.entries(table).map(([name, setting]) => [name, setting.schema])),
  });
  validators.set(table, validate);
  return validate;
}

function refuseMalformed(table: SettingsTable, values: Readonly<Record<string, unknown>>): void {
  const validate = validatorOf(table);
  const present = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
  if (validate(present)) return;
  const faults = new Map((validate.errors ?? []).flatMap((fault) => {
    const setting = table[settingOf(fault)];
    return setting === undefined ? [] : [[setting, fault]];
  }));
  const sentences = [...faults].map(([setting, fault]) => `${setting.env} must be ${setting.form}: ${fault.keyword === 'pattern' ? 'it has another form' : `it ${fault.message}`}.`);
  throw invalid(sentences.join(' '), [...faults.keys()].map((setting) => setting.env));
}

function settingOf(fault: ErrorObject): string {
  return fault.instancePath.split('/')[1] ?? '';
}

function refuseViolated<Table extends SettingsTable>({ table, checks }: SettingsForm<Table>, config: ConfigOf<Table>, given: ReadonlySet<keyof Table>, nowMs: number): void {
  const violated = checks.filter((check) => check.violated(config, given, nowMs));
  const first = violated.find(({ code }) => code === 'CONFIG_INSECURE') ?? violated[0];
  if (first === undefined) return;
  const namesOf = (check: SettingsCheck<Table>) => check.settings.map((name) => table[name]?.env ?? '');
  const sentences = violated.map((check) => `${namesOf(check).join(' and ')} ${check.refuses}.`);
  throw new VeilgateError(first.code, sentences.join(' '), { settings: [...new Set(violated.flatMap(namesOf))] });
}

function didYouMean(name: string, known: readonly string[]): string {
  const [nearest] = known.map((candidate) => ({ candidate, distance: editDistance(name.toUpperCase(), candidate.toUpperCase()) })).sort((one, other) => one.distance - other.distance);
  return nearest !== undefined && nearest.distance <= Math.max(2, Math.floor(nearest.candidate.length / 4)) ? `; did you mean ${nearest.candidate}?` : '';
}

/** Levenshtein distance. */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const replaced = (row[j - 1] as number) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[other.length] as number;
}
