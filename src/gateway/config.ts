import { existsSync, readFileSync, statSync } from 'node:fs';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { parse as parseYaml } from 'yaml';
import { VeilgateError } from '../errors.ts';
import { configChecks } from './config-checks.ts';
import { fileKey, settingEntries, settings, type Config, type Setting, type SettingName } from './config-settings.ts';

export type { Config, Witness } from './config-settings.ts';
export { isLoopback } from './config-checks.ts';

/** Variables with this prefix are for the command line client and none of the gateway's business. */
const foreignPrefix = 'VEILGATE_CLI_';
/** Names the configuration file; `file` of readConfig wins. */
const fileVariable = 'VEILGATE_CONFIG_FILE';
const fileBytesMax = 262_144;

/**
 * The settings of a gateway: environment over file over defaults, checked one by one and against each other.
 * @param env such as process.env
 * @param file JSON or YAML (JSON is YAML); keys are the variables' names in lower case without `VEILGATE_`
 * Errors: CONFIG_INVALID, CONFIG_INSECURE; `detail.settings` names the variables concerned, no value is shown.
 */
export function readConfig(env: NodeJS.ProcessEnv, file?: string): Config {
  refuseUnknownVariables(env);
  const fromFile = readFile(file ?? env[fileVariable]);
  const given = new Set<SettingName>();
  const values: Record<string, unknown> = {};
  for (const [name, setting] of settingEntries) {
    const text = variable(env, setting);
    const value = text === undefined ? fromFile[fileKey(setting)] : setting.fromText(text);
    if (value !== undefined) given.add(name);
    values[name] = value ?? setting.default;
  }
  refuseMalformed(values);
  for (const name of ['publicUrl', 'issuerPublicUrl'] as const) values[name] = (values[name] as string | undefined)?.replace(/\/$/, '');
  const config = values as Config;
  refuseViolated(config, given);
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

function refuseUnknownVariables(env: NodeJS.ProcessEnv): void {
  const known = new Set([fileVariable, ...settingEntries.flatMap(([, setting]) => [setting.env, secretFileVariable(setting) ?? setting.env])]);
  const unknown = Object.keys(env).find((name) => name.startsWith('VEILGATE_') && !name.startsWith(foreignPrefix) && !known.has(name));
  if (unknown !== undefined) throw invalid(`There is no setting ${unknown}${didYouMean(unknown, [...known])}.`, [unknown]);
}

function readFile(file: string | undefined): Readonly<Record<string, unknown>> {
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
  const known = settingEntries.map(([, setting]) => fileKey(setting));
  const unknown = Object.keys(content).find((key) => !known.includes(key));
  if (unknown !== undefined) throw invalid(`The configuration file ${file} has an unknown setting ${JSON.stringify(unknown.slice(0, 60))}${didYouMean(unknown, known)}.`, [fileVariable]);
  const empty = Object.entries(content).find(([, value]) => value === null);
  if (empty !== undefined) throw invalid(`The setting ${empty[0]} in the configuration file ${file} has no value: give it one or take it out.`, [fileVariable]);
  const secret = settingEntries.find(([, setting]) => setting.secret && fileKey(setting) in content);
  if (secret !== undefined && process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) {
    throw new VeilgateError('CONFIG_INSECURE', `The configuration file ${file} holds the secret ${fileKey(secret[1])} and can be read by others: chmod 600.`, { settings: [secret[1].env] });
  }
  return content as Record<string, unknown>;
}

const validate = new Ajv2020({ strict: true, allErrors: true }).compile({
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(settingEntries.map(([name, setting]) => [name, setting.schema])),
});

function refuseMalformed(values: Readonly<Record<string, unknown>>): void {
  const present = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
  if (validate(present)) return;
  const faults = new Map((validate.errors ?? []).map((fault) => [settingOf(fault), fault]));
  const sentences = [...faults].map(([setting, fault]) => `${setting.env} must be ${setting.form}: ${fault.keyword === 'pattern' ? 'it has another form' : `it ${fault.message}`}.`);
  throw invalid(sentences.join(' '), [...faults.keys()].map((setting) => setting.env));
}

function settingOf(fault: ErrorObject): Setting<unknown> {
  return settings[fault.instancePath.split('/')[1] as SettingName] as Setting<unknown>;
}

function refuseViolated(config: Config, given: ReadonlySet<SettingName>): void {
  const nowMs = Date.now();
  const violated = configChecks.filter((check) => check.violated(config, given, nowMs));
  const first = violated.find(({ code }) => code === 'CONFIG_INSECURE') ?? violated[0];
  if (first === undefined) return;
  const sentences = violated.map((check) => `${namesOf(check.settings).join(' and ')} ${check.refuses}.`);
  throw new VeilgateError(first.code, sentences.join(' '), { settings: [...new Set(violated.flatMap((check) => namesOf(check.settings)))] });
}

function namesOf(names: readonly SettingName[]): readonly string[] {
  return names.map((name) => settings[name].env);
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
