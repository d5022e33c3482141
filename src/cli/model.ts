import { readFileSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { VeilgateError } from '../errors.ts';
import type { ModelJson } from '../scoring/model/document.ts';
import type { Trial } from '../scoring/model/trial-report.ts';
import { featuresClient } from '../sdk/features.ts';
import { modelsClient, type ModelCheck, type ModelSummary, type ModelView } from '../sdk/models.ts';
import type { Scope } from '../vocabulary.ts';
import { connectAs } from './access.ts';
import { list, noun, show, verb, wholeNumber } from './command.ts';
import { reasonCode } from './institution.ts';
import { readJson, reserveFile } from './secret-file.ts';
import { pairs, table } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };
type Decision = Json & { readonly digest: string };

const fileLengthMax = 2_097_152;
const owners: readonly Scope[] = ['compliance', 'query'];
const readers: readonly Scope[] = ['query', 'compliance', 'audit'];

/** `veilgate model`: how a scorecard becomes one that scores may be computed with. */
export function modelCommand(cli: Cli): Command {
  const model = noun('model', 'Propose scoring models, try them, and as an officer decide on them');
  const client = async (command: Command, scopes: readonly Scope[]) => modelsClient(await connectAs(cli, command, scopes));
  const done = (options: Json, answer: { readonly ref: string; readonly state: string }) => show(cli, options, answer, () => `${answer.ref} is ${answer.state} now.\n`);

  verb(model, 'check <file>', {
    summary: 'Say whether a model would tell single values; keeps nothing',
    examples: ['model check scorecard.json'],
  }).action(async (file: string, options: Json, command: Command) => {
    const check = await (await client(command, owners)).check(documentIn(file));
    show(cli, options, check, () => checkText(check));
    if (!check.ok) cli.fail();
  });
  importCommand(cli, model);
  verb(model, 'propose <file>', {
    summary: 'Propose a model for somebody else to decide on',
    detail: 'Institutions propose for themselves alone, under names that begin with their id. A name@version is given once; the document never changes.',
    examples: ['model propose scorecard.json'],
  }).action(async (file: string, options: Json, command: Command) => {
    const answer = await (await client(command, owners)).propose(documentIn(file));
    show(cli, options, answer, () => `${answer.ref} is proposed. Next: another officer reviews it (veilgate model approve ${answer.ref} --digest ${answer.digest}).\n`);
  });
  verb(model, 'list', { summary: 'List models you may see', examples: ['model list', 'model list --state proposed'] })
    .option('--state <state>', 'proposed, approved, refused or retired')
    .action(async (options: Json & { readonly state?: string }, command: Command) => {
      const models = await everyModel(await client(command, readers), options.state);
      show(cli, options, { models }, () => table(['model', 'title', 'state', 'purposes', 'proposed by', 'decided by'], models.map((each) => [each.ref, each.title.en, each.state, each.purposes, each.proposed_by, each.decided_by])));
    });
  verb(model, 'show <ref>', { summary: 'Show one model, its weights and its state', examples: ['model show solvency_linear@1'] })
    .action(async (ref: string, options: Json, command: Command) => {
      const view = await (await client(command, readers)).read(ref);
      show(cli, options, view, () => modelText(view));
    });
  verb(model, 'try <ref>', {
    summary: 'Score made-up enterprises in clear',
    detail: 'Values are drawn evenly from what the features declare. No real value is touched; the same seed gives the same answer.',
    examples: ['model try solvency_linear@1', 'model try solvency_linear@1 --count 100000 --seed 7'],
  })
    .option('--count <n>', 'how many', wholeNumber(1, 100_000), 10_000)
    .option('--seed <n>', 'seed of the random numbers', wholeNumber(0, 4_294_967_295), 1)
    .action(async (ref: string, options: Json & { readonly count: number; readonly seed: number }, command: Command) => {
      const trial = await (await client(command, owners)).try(ref, { count: options.count, seed: options.seed });
      show(cli, options, trial, () => trialText(trial));
    });
  decisions(model, client, done);
  return model;
}

function decisions(model: Command, client: (command: Command, scopes: readonly Scope[]) => Promise<ReturnType<typeof modelsClient>>, done: (options: Json, answer: { readonly ref: string; readonly state: string }) => void): void {
  const digest = ['--digest <sha256>', 'of the document you reviewed, as `model show` prints it'] as const;
  const why = ['--reason <code>', 'a code that goes to the log, such as purpose_too_wide', reasonCode] as const;
  verb(model, 'approve <ref>', { summary: 'Approve the model somebody else proposed', examples: [`model approve solvency_linear@1 --digest ${'a'.repeat(64)}`] })
    .requiredOption(...digest)
    .action(async (ref: string, options: Decision, command: Command) => done(options, await (await client(command, ['compliance'])).approve(ref, options.digest)));
  verb(model, 'refuse <ref>', { summary: 'Refuse a proposed model', examples: [`model refuse solvency_linear@1 --digest ${'a'.repeat(64)} --reason purpose_too_wide`] })
    .requiredOption(...digest)
    .requiredOption(...why)
    .action(async (ref: string, options: Decision & { readonly reason: string }, command: Command) => done(options, await (await client(command, ['compliance'])).refuse(ref, options.digest, options.reason)));
  verb(model, 'retire <ref>', { summary: 'Take an approved model out of use, at once and on every node', examples: ['model retire solvency_linear@1 --reason superseded'] })
    .requiredOption(...why)
    .action(async (ref: string, options: Json & { readonly reason: string }, command: Command) => done(options, await (await client(command, ['compliance'])).retire(ref, options.reason)));
}

type ImportFlags = Json & { readonly ref: string; readonly titleEn: string; readonly titleZh: string; readonly purpose: readonly string[]; readonly class: readonly string[]; readonly institution?: readonly string[]; readonly out: string };

function importCommand(cli: Cli, model: Command): void {
  verb(model, 'import <file>', {
    summary: 'Turn a PMML scorecard or regression into a model document over this platform\'s features',
    detail: 'What cannot be taken over is refused with its place in the file. Points are made whole; how far a score can be off is printed. The document is written to --out, with one band and reasons named by their codes: complete them, then propose it.',
    examples: ['model import card.pmml --ref sme_growth@1 --title-en "SME growth" --title-zh 中小企业成长 --purpose pre_loan_review --class commercial_bank --out sme_growth.json'],
  })
    .requiredOption('--ref <name@version>', 'what it will be called')
    .requiredOption('--title-en <title>', 'title in English')
    .requiredOption('--title-zh <title>', 'title in Chinese')
    .requiredOption('--purpose <codes>', 'what it may be used for; several with commas', list)
    .requiredOption('--class <classes>', 'institution classes that may use it; several with commas', list)
    .option('--institution <ids>', 'only these institutions; several with commas', list)
    .requiredOption('--out <file>', 'write the document to this new file')
    .action(async (file: string, options: ImportFlags, command: Command) => {
      const text = textIn(file);
      const features = await featuresClient(await connectAs(cli, command, readers)).features();
      const { importPmml } = await import('../scoring/model/pmml/import.ts');
      const imported = importPmml(text, features, {
        ref: options.ref, title: { en: options.titleEn, zh: options.titleZh }, purposes: options.purpose, institution_classes: options.class,
        ...(options.institution === undefined ? {} : { institutions: options.institution }),
      });
      reserveFile(options.out).write(`${JSON.stringify(imported.model, null, 2)}\n`);
      const { terms, scale, reasons } = imported.model;
      const report = { file: options.out, terms: terms.length, reasons: reasons.length, scale, rounding_error_max: imported.roundingErrorMax };
      show(cli, options, report, () => pairs({ written: options.out, features: terms.length, reasons: reasons.length, 'raw per point': scale, 'rounding error': `${imported.roundingErrorMax} points at most` }));
    });
}

/** The document in a file. Errors: CONFIG_INVALID. */
function documentIn(file: string): Readonly<Record<string, unknown>> {
  return readJson(file, fileLengthMax);
}

/** Errors: CONFIG_INVALID. */
function textIn(file: string): string {
  try {
    if (statSync(file).size <= fileLengthMax) return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch {
    // said below
  }
  throw new VeilgateError('CONFIG_INVALID', 'This file is not there, is too long, or is not UTF-8: check its name.', { file });
}

async function everyModel(client: ReturnType<typeof modelsClient>, state: string | undefined): Promise<ModelSummary[]> {
  const models: ModelSummary[] = [];
  for (let after: string | null | undefined; after !== null;) {
    const page: { readonly models: readonly ModelSummary[]; readonly next: string | null } = await client.list({ ...(after === undefined ? {} : { after }), ...(state === undefined ? {} : { state }) });
    models.push(...page.models);
    after = page.next;
  }
  return models;
}

function checkText({ ok, findings, conflicts }: ModelCheck): string {
  const refused = findings.map(({ rule, problem }) => `${rule.padEnd(20)} ${problem}\n`).join('');
  const beside = conflicts.map(({ model, problem }) => `not beside ${model}: ${problem}\n`).join('');
  return `${ok ? 'The model keeps all limits.\n' : `The model is refused.\n${refused}`}${beside}`;
}

function modelText(view: ModelView): string {
  const { model, raw_range: raw } = view;
  const reasonOf = (feature: string) => model.reasons.find(({ features }) => features.includes(feature))?.code;
  return [
    pairs({
      model: view.ref, title: `${view.title.en} ${view.title.zh}`, state: view.state, reason: view.reason, digest: view.digest, purposes: view.purposes, classes: model.institution_classes, institutions: model.institutions,
      'proposed by': `${view.proposed_by} ${view.proposed_at}`, 'decided by': view.decided_by === null ? null : `${view.decided_by} ${view.decided_at ?? ''}`,
      score: `(${model.offset} + sum of weight × feature) / ${model.scale}, from ${round(raw.low / model.scale)} to ${round(raw.high / model.scale)}`,
    }),
    table(['feature', 'weight', 'reason'], model.terms.map(({ feature, weight }) => [feature, weight, reasonOf(feature)])),
    table(['band', 'from', 'text'], bandsOf(model).map(({ code, from, text }) => [code, from, text.en])),
  ].join('\n');
}

const bandsOf = ({ bands }: ModelJson) => bands.toReversed();

function trialText({ count, seed, scores, bands, reasons }: Trial): string {
  const share = (part: number) => `${((100 * part) / count).toFixed(1)} %`;
  return [
    pairs({ enterprises: `${count}, made up with seed ${seed}`, lowest: round(scores.min), mean: round(scores.mean), highest: round(scores.max) }),
    table(['below this score', 'are'], scores.quantiles.map(({ at, score }) => [round(score), `${at * 100} %`])),
    table(['band', 'enterprises'], bands.map((band) => [band.code, share(band.count)])),
    ...(reasons.length === 0 ? [] : [table(['costliest reason', 'enterprises'], reasons.map(({ code, first }) => [code, share(first)]))]),
  ].join('\n');
}

const round = (score: number) => Math.round(score * 100) / 100;
