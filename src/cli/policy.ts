import { existsSync } from 'node:fs';
import path from 'node:path';
import { Command, Option } from 'commander';
import { isVeilgateError, VeilgateError } from '../errors.ts';
import { diffPolicies, type PolicyDiff } from '../policy/diff.ts';
import { explain, type Explanation } from '../policy/explain.ts';
import { loadPolicyPack } from '../policy/load.ts';
import type { CompiledPolicy, DecisionRequest } from '../policy/policy.ts';
import { problemLine, type Problem } from '../policy/problem.ts';
import { uses } from '../policy/rule.ts';
import { readPolicyTests, runPolicyTests, type PolicyTestReport } from '../policy/vectors.ts';
import { loadSelfAccess } from '../policy/self-access.ts';
import { loadJointSettings } from '../joint/project/settings.ts';
import { loadObjectionSettings } from '../objection/settings.ts';
import { loadFeatures } from '../scoring/feature/load.ts';
import { loadScoringSettings } from '../scoring/model/settings.ts';
import { loadCatalogue } from '../source/catalogue.ts';
import type { ConsentState, FieldRef, InstitutionClass, PurposeCode, Use, Value } from '../vocabulary.ts';

/** Where results go; a test gives its own. `exit` takes the exit code and need not return. */
export type PolicyCommandStreams = {
  readonly out: (line: string) => void;
  readonly error: (line: string) => void;
  readonly exit: (code: number) => void;
};

const exitCodes = `
Exit codes:
  0  fine
  1  the policy or its tests are broken, a test failed, or --fail-on found something
  2  the command was used wrongly`;

const terminal: PolicyCommandStreams = {
  out: (line) => { process.stdout.write(`${line}\n`); },
  error: (line) => { process.stderr.write(`${line}\n`); },
  exit: (code) => { process.exitCode = code; },
};

/**
 * `veilgate policy …`: works on the files alone, without database or gateway.
 * @param usageEnd ends the process after help (0) or wrong use (2); must not return
 */
export function policyCommand(streams: PolicyCommandStreams = terminal, usageEnd: (code: number) => never = (code) => process.exit(code)): Command {
  const policy = new Command('policy')
    .description('Check, test, explain and compare field-level policies as files; pull, propose, review and approve them on the platform.')
    .exitOverride((end) => usageEnd(end.exitCode === 0 ? 0 : 2))
    .configureOutput({ writeOut: (text) => streams.out(text.trimEnd()), writeErr: (text) => streams.error(text.trimEnd()) })
    .addHelpText('after', exitCodes);

  command(policy, streams, 'check', 'Load the policy and say exactly where it is broken.')
    .option('--strict', 'let warnings count as broken')
    .action(guarded(streams, (options) => check(streams, options)));
  command(policy, streams, 'test', 'Run the test vectors of tests/*.yaml against the policy.')
    .option('--require-coverage', 'fail when a rule decides in no test')
    .action(guarded(streams, (options) => test(streams, options)));
  explainOptions(command(policy, streams, 'explain', 'Say for each field what would be disclosed how, and which consent is missing.'))
    .action(guarded(streams, (options) => explainFields(streams, options)));
  command(policy, streams, 'diff', 'Compare with another policy, in every combination of field, purpose, class, consent and use.')
    .requiredOption('--against <folder>', 'the policy before the change')
    .addOption(new Option('--fail-on <risk>', 'exit with 1 when the change does this').choices(['loosened', 'any']))
    .action(guarded(streams, (options) => diff(streams, options)));
  return policy;
}

function command(parent: Command, streams: PolicyCommandStreams, name: string, description: string): Command {
  return parent.command(name)
    .description(description)
    .option('--folder <folder>', 'folder of the policy', 'policies')
    .option('--catalogue <folder>', 'folder of the catalogue (default: catalogue/ in the policy\'s folder)')
    .option('--json', 'print one JSON object instead of text')
    .configureOutput({ writeOut: (text) => streams.out(text.trimEnd()), writeErr: (text) => streams.error(text.trimEnd()) })
    .addHelpText('after', exitCodes);
}

function explainOptions(explainCommand: Command): Command {
  const list = (value: string, before: string[] = []) => [...before, ...value.split(',').filter((part) => part !== '')];
  return explainCommand
    .requiredOption('--purpose <code>', 'purpose code')
    .requiredOption('--class <class>', 'institution class')
    .option('--field <fields>', 'fields, separated by commas; may be repeated (default: all of the purpose\'s minimum)', list)
    .addOption(new Option('--use <use>', 'what to do with them').choices(uses).default('read'))
    .addOption(new Option('--consent <state>', 'consent that is there already, for all fields').choices(['no_grant', 'none', 'desensitised', 'original']).default('no_grant'))
    .option('--fact <name=value>', 'a fact, such as institution.security_level=4; may be repeated', list)
    .addOption(new Option('--language <language>', 'language of the explanation').choices(['en', 'zh']).default('en'))
    .option('--as-caller', 'say only what the calling institution would be told');
}

type Options = Readonly<Record<string, unknown>> & { readonly folder: string; readonly catalogue?: string; readonly json?: boolean };

function guarded(streams: PolicyCommandStreams, run: (options: Options) => void): (options: Options) => void {
  return (options) => {
    try {
      run(options);
    } catch (error) {
      if (!(error instanceof VeilgateError)) throw error;
      const problems = isVeilgateError(error, 'POLICY_BROKEN') ? (error.detail?.['problems'] ?? []) as readonly (Partial<Problem> & { file: string; line: number; problem: string })[] : [];
      if (options.json === true) streams.out(JSON.stringify({ ok: false, code: error.code, message: error.message, problems }));
      else if (problems.length === 0) streams.error(error.message);
      else {
        for (const problem of problems) streams.error(problemLine({ column: 1, pointer: '', ...problem }));
        streams.error(problems.length === 1 ? 'The policy is broken in one place.' : `The policy is broken in ${String(error.detail?.['count'] ?? problems.length)} places.`);
      }
      streams.exit(isVeilgateError(error, 'POLICY_PURPOSE_UNKNOWN') || isVeilgateError(error, 'REQUEST_INVALID') ? 2 : 1);
    }
  };
}

function load(folder: string, options: Options): CompiledPolicy {
  return loadPolicyPack(folder, loadCatalogue(options.catalogue ?? path.join(folder, 'catalogue')));
}

/** How many features the pack declares; they, and the pack's settings beside policy, are checked with it. */
function featuresOf(folder: string, options: Options): number {
  if (existsSync(path.join(folder, 'scoring.yaml'))) loadScoringSettings(folder);
  if (existsSync(path.join(folder, 'joint.yaml'))) loadJointSettings(folder);
  loadObjectionSettings(folder);
  const catalogue = loadCatalogue(options.catalogue ?? path.join(folder, 'catalogue'));
  loadSelfAccess(folder, catalogue);
  return loadFeatures(folder, catalogue).size;
}

function check(streams: PolicyCommandStreams, options: Options): void {
  const policy = load(options.folder, options);
  const features = featuresOf(options.folder, options);
  const { version, warnings, rules, fields, purposes, institutionClasses } = policy;
  const ok = warnings.length === 0 || options['strict'] !== true;
  if (options.json === true) {
    streams.out(JSON.stringify({ ok, version, rules: rules.size, fields: fields.size, features, purposes: [...purposes.keys()], institutionClasses: [...institutionClasses.keys()], warnings }));
  } else {
    for (const warning of warnings) streams.out(`warning ${problemLine(warning)}`);
    streams.out(`${ok ? 'The policy is fine' : 'The policy has warnings'}: ${rules.size} rules over ${fields.size} fields, ${purposes.size} purposes, ${institutionClasses.size} institution classes.`);
    streams.out(`Version ${version}`);
    if (features > 0) streams.out(`Features for scores: ${features}.`);
  }
  if (!ok) streams.exit(1);
}

function test(streams: PolicyCommandStreams, options: Options): void {
  const report: PolicyTestReport = runPolicyTests(load(options.folder, options), readPolicyTests(options.folder));
  const uncovered = options['requireCoverage'] === true && report.uncoveredRules.length > 0;
  const ok = report.failures.length === 0 && !uncovered;
  if (options.json === true) streams.out(JSON.stringify({ ok, ...report }));
  else {
    for (const failure of report.failures) streams.out(`failed "${failure.test}"\n  ${problemLine(failure)}`);
    const failed = new Set(report.failures.map((failure) => failure.test)).size;
    streams.out(`${report.tests - failed} of ${report.tests} tests passed; ${report.coveredRules.length} of ${report.coveredRules.length + report.uncoveredRules.length} rules decide in at least one.`);
    if (report.uncoveredRules.length > 0) streams.out(`Without a test: ${report.uncoveredRules.join(', ')}`);
  }
  if (!ok) streams.exit(1);
}

function explainFields(streams: PolicyCommandStreams, options: Options): void {
  const policy = load(options.folder, options);
  const purpose = options['purpose'] as PurposeCode;
  const minimum = policy.caps(purpose).fields;
  if (!policy.institutionClasses.has(String(options['class']))) {
    throw new VeilgateError('REQUEST_INVALID', `There is no such institution class; use one of ${[...policy.institutionClasses.keys()].join(', ')}.`);
  }
  const fields = (options['field'] as string[] | undefined) ?? [...minimum];
  const state = options['consent'] as ConsentState | 'no_grant';
  const request: DecisionRequest = {
    purpose,
    institutionClass: options['class'] as InstitutionClass,
    asked: fields.map((field) => ({ field: field as FieldRef, use: options['use'] as Use })),
    consent: state === 'no_grant' ? null : new Map(fields.map((field) => [field as FieldRef, state])),
    facts: new Map(((options['fact'] as string[] | undefined) ?? []).map((text) => factOf(policy, text))),
  };
  const explanation: Explanation = explain(policy, request, { audience: options['asCaller'] === true ? 'caller' : 'compliance' });
  if (options.json === true) streams.out(JSON.stringify({ ok: true, ...explanation }));
  else {
    const language = options['language'] as 'en' | 'zh';
    for (const { field, title, words, now } of explanation.fields) {
      streams.out(`${field}${title === null ? '' : ` (${title[language]})`}\n  ${words[language]}${now.rule === null ? '' : `\n  ${now.path.join(' › ')}`}`);
    }
  }
}

function factOf(policy: CompiledPolicy, text: string): [string, Value] {
  const at = text.indexOf('=');
  const name = at < 0 ? text : text.slice(0, at);
  const fact = policy.facts.get(name);
  if (at < 0 || fact === undefined) {
    throw new VeilgateError('REQUEST_INVALID', `Write facts as name=value, with one of ${[...policy.facts.keys()].join(', ')}.`);
  }
  const value = text.slice(at + 1);
  if (fact.type === 'integer') return [name, /^-?\d{1,16}$/.test(value) ? Number(value) : value];
  return [name, fact.type === 'boolean' && ['true', 'false'].includes(value) ? value === 'true' : value];
}

function diff(streams: PolicyCommandStreams, options: Options): void {
  const against = String(options['against']);
  const before = load(against, options.catalogue === undefined ? { ...options, folder: against } : options);
  const result: PolicyDiff = diffPolicies(before, load(options.folder, options));
  const all = [...result.changes, ...result.settings];
  if (options.json === true) streams.out(JSON.stringify({ ok: true, ...result }));
  else {
    for (const { risk, words } of all) streams.out(`${risk.padEnd(9)} ${words.en}`);
    streams.out(`${result.combinationsChanged} of ${result.combinations} combinations differ. ${result.summary.en}`);
  }
  const loosened = all.some(({ risk }) => risk === 'loosened' || risk === 'mixed' || risk === 'altered');
  if ((options['failOn'] === 'any' && all.length > 0) || (options['failOn'] === 'loosened' && loosened)) streams.exit(1);
}
