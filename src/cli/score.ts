import type { Command } from 'commander';
import type { OpenableModel } from '../scoring/model/open.ts';
import type { OpenedScore } from '../scoring/protocol.ts';
import { platformKeys } from '../sdk/bank.ts';
import { checkScoreReceipt, openScoreFile, scoreFormat, type ScoreFile } from '../sdk/score-file.ts';
import { scoresClient, type ScoreAsk, type ScoreExchange, type ScoreExplanation } from '../sdk/scores.ts';
import { connectAs, credentialsOf } from './access.ts';
import { reasonWords } from './answer-text.ts';
import { noun, show, verb } from './command.ts';
import { grantNeeded } from './complaint.ts';
import { jobVerbs } from './score-job.ts';
import { readScoreFile } from './score-file.ts';
import { reserveFile } from './secret-file.ts';
import { pairs, table } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };
type ScoreFlags = Json & { readonly model: string; readonly purpose: string; readonly grant?: string };

/** `veilgate score`: approved models on encrypted features, opened on this machine. */
export function scoreCommand(cli: Cli): Command {
  const score = noun('score', 'Score enterprises that consented under approved models; only you see the score (banks)');

  scoreOptions(verb(score, 'one <subject>', {
    summary: 'Score one enterprise: score, band, what cost most, and a receipt',
    detail: 'The platform computes on encrypted features and never sees the score. Its two halves are opened and joined on this machine, with your key.',
    examples: ['score one 91370202MA00QJTFYT --model sme_growth@1 --purpose pre_loan_review --out score.json'],
  }))
    .option('--out <file>', 'keep score and receipt in this new file, still sealed')
    .action(async (subject: string, options: ScoreFlags & { readonly out?: string }, command: Command) => scoreOne(cli, subject, options, command));

  scoreOptions(verb(score, 'explain <subject>', {
    summary: 'Say what is missing for a score; spends nothing',
    examples: ['score explain 91370202MA00QJTFYT --model sme_growth@1 --purpose pre_loan_review'],
  })).action(async (subject: string, options: ScoreFlags, command: Command) => {
    const connection = await connectAs(cli, command, ['query']);
    const explanation = await scoresClient(connection).explain(askOf(subject, options));
    show(cli, options, explanation, () => explanationText(explanation));
  });

  verb(score, 'open <file>', {
    summary: 'Show a score that was saved with --out, opening it with your key, and check its receipt; needs no network',
    examples: ['score open score.json'],
  }).action(async (file: string, options: Json, command: Command) => {
    const saved = readScoreFile(file);
    const opened = await openScoreFile(saved, { credentials: await credentialsOf(cli, command) });
    await checkScoreReceipt(saved, saved.keys);
    show(cli, options, { ...opened, model: saved.answer.model, entry: saved.answer.entry.index }, () => `${scoreText(opened, saved.openable, saved.answer)}receipt    checked with the keys kept beside it\n`);
  });
  jobVerbs(score, cli);
  return score;
}

function scoreOptions(command: Command): Command {
  return command
    .requiredOption('--model <name@version>', 'an approved model you may use')
    .requiredOption('--purpose <code>', 'purpose code, such as pre_loan_review')
    .option('--grant <id>', 'grant to score under; the widest valid one when left out');
}

function askOf(subject: string, { model, purpose, grant }: ScoreFlags): ScoreAsk {
  return { subject, model, purpose, ...(grant === undefined ? {} : { grant }) };
}

async function scoreOne(cli: Cli, subject: string, options: ScoreFlags & { readonly out?: string }, command: Command): Promise<void> {
  const connection = await connectAs(cli, command, ['query']);
  const client = scoresClient(connection);
  // without the model a score could be fetched, and spent, but not read
  const [keys, openable] = await Promise.all([platformKeys(connection.gateway), client.openable(options.model)]);
  const file = options.out === undefined ? undefined : reserveFile(options.out);
  let exchange: ScoreExchange;
  try {
    exchange = await client.exchange(askOf(subject, options));
  } catch (error) {
    file?.discard();
    throw error;
  }
  const kept: ScoreFile = { format: scoreFormat, gateway: connection.gateway, institution: connection.credentials.party, ...exchange, openable, keys: keys as ScoreFile['keys'] };
  file?.write(`${JSON.stringify(kept)}\n`);
  const opened = await openScoreFile(kept, connection);
  const doubt = await checkScoreReceipt(kept, kept.keys).then(() => undefined, (error: unknown) => error);
  show(cli, options, { ...opened, model: options.model, grant: exchange.answer.grant, entry: exchange.answer.entry.index, ...(options.out === undefined ? {} : { saved: options.out }) }, () =>
    `${scoreText(opened, openable, exchange.answer)}receipt    ${doubt === undefined ? 'checked' : 'WRONG'}${options.out === undefined ? ', not kept: --out FILE keeps it' : `, kept in ${options.out}`}\n`);
  if (doubt !== undefined) throw doubt;
}

/** A score for people: the number, its band, and the reasons in the model's own words. */
function scoreText({ subject, score, band, reasons, disputed }: OpenedScore, { model }: OpenableModel, { grant, entry }: { readonly grant: string; readonly entry: { readonly index: number } }): string {
  const bandText = model.bands.find(({ code }) => code === band)?.text.en;
  const reasonText = reasons.map((code, at) => [at + 1, code, model.reasons.find((reason) => reason.code === code)?.text.en ?? '']);
  return `${pairs({ enterprise: subject, model: `${model.ref} (${model.title.en})`, score, band: bandText === undefined ? band : `${band}: ${bandText}` })}${
    reasonText.length === 0 ? '' : `\n${table(['', 'what cost most', 'in words'], reasonText)}`}\n${pairs({ disputed, grant, 'log entry': entry.index })}`;
}

const missingWords: Readonly<Record<string, string>> = {
  SCORE_MODEL_NOT_USABLE: 'there is no such approved model for you and this purpose',
  CONSENT_REQUIRED: 'the enterprise has not granted it to you',
  SCORE_NOT_PERMITTED: 'the grant or the policy does not cover every field the model needs',
  SCORE_DATA_MISSING: 'the platform does not have every value the model needs',
  SCORE_LIMIT_REACHED: 'with the scores you have had of it, this one would tell too much',
  SCORE_UNAVAILABLE: 'the platform gives no scores at the moment',
  DISCLOSURE_KEY_MISSING: 'your encryption key is not registered',
};

function explanationText({ model, ready, missing, grant, fields, data, functionals, policy, grant_needed: needed = [] }: ScoreExplanation): string {
  const head = ready ? 'Ready: a request would be answered with a score.\n' : `Not ready: ${missing.map((code) => missingWords[code] ?? code).join('; ')}.\n`;
  const list = fields.length === 0 ? '' : `\n${table(['field', 'now', 'reason', 'consent needed'], fields.map(({ field, disposition, reason, consent_needed: consent }) => [field, disposition, reasonWords(reason), consent ?? '']))}`;
  const facts = pairs({
    model, grant: grant ?? 'none usable', data: data ?? undefined, policy,
    'had of it': functionals === null ? undefined : `${functionals.obtained} functions of its data; this model adds ${functionals.added}`,
  });
  return `${head}${list}\n${facts}${needed.map(grantNeeded).join('')}`;
}
