import type { Command } from 'commander';
import { VeilgateError } from '../errors.ts';
import { bankClient, openAnswer, platformKeys, sha256Hex, type Exchange, type OpenedAnswer } from '../sdk/bank.ts';
import { catalogueClient } from '../sdk/catalogue.ts';
import { connectAs, credentialsOf } from './access.ts';
import { answerFormat, checkReceipt, type AnswerFile } from '../sdk/answer-file.ts';
import { readAnswerFile } from './answer-file.ts';
import { answerText, explanationText } from './answer-text.ts';
import { discardPlaces, reportOptions, reportPlaces, wantsReport, writeReports, type ReportFlags } from './credit-report.ts';
import { finish, noun, show, verb } from './command.ts';
import { grantNeeded } from './complaint.ts';
import { needsTypes, queryOf, queryOptions, requireSomething, type QueryFlags } from './query-options.ts';
import { reserveFile, type ReservedFile } from './secret-file.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };
type AskFlags = Json & QueryFlags & ReportFlags & { readonly out?: string };

/** `veilgate query`: what a bank asks about an enterprise that consented. */
export function queryCommand(cli: Cli): Command {
  const query = noun('query', 'Ask about an enterprise that consented (banks)');

  const ask = query.command('ask <subject>', { isDefault: true });
  reportOptions(queryOptions(describeAsk(ask)))
    .option('--out <file>', 'keep answer and receipt in this new file; originals stay sealed in it')
    .action(async (subject: string, options: AskFlags, command: Command) => askQuery(cli, subject, options, command));

  queryOptions(verb(query, 'explain <subject>', {
    summary: 'Say what a query would disclose how, and which grant is missing; spends nothing',
    examples: ['query explain 91370202MA00QJTFYT --purpose pre_loan_review --read tax.declared_revenue_cents'],
  })).action(async (subject: string, options: Json & QueryFlags, command: Command) => {
    requireSomething(options);
    const connection = await connectAs(cli, command, ['query']);
    const asked = queryOf(subject, options, needsTypes(options) ? await catalogueClient(connection).catalogue() : undefined);
    const explanation = await bankClient(connection).explain(asked);
    show(cli, options, explanation, () => `${explanationText(explanation)}${(explanation.grant_needed ?? []).map(grantNeeded).join('')}`);
  });

  reportOptions(verb(query, 'open <file>', {
    summary: 'Show an answer that was saved with --out, opening what is sealed in it with your key',
    detail: 'With --report or --report-json a signed credit report is made of it; names and the grant are then read from the platform.',
    examples: ['query open answer.json', 'query open answer.json --report report.html --report-json report.json --report-language zh'],
  })).action(async (file: string, options: Json & ReportFlags, command: Command) => {
    const saved = readAnswerFile(file);
    const opened = await opener(saved, { gateway: saved.gateway, credentials: await credentialsOf(cli, command) });
    if (wantsReport(options)) await writeReports(saved, await connectAs(cli, command, ['query']), reportPlaces(options));
    show(cli, options, withoutSealed(opened), () => answerText(opened));
  });
  return query;
}

function describeAsk(command: Command): Command {
  const text = {
    summary: 'Ask: masked values, bands, comparisons, and originals that only your key opens',
    detail: 'The query is signed with your key, the answer\'s receipt is checked, and sealed values are opened on this machine. `ask` may be left out.',
    examples: [
      'query ask 91370202MA00QJTFYT --purpose pre_loan_review --read registry.name,tax.declared_revenue_cents --limit tax=4 --out answer.json',
      'query ask 91370202MA00QJTFYT --purpose pre_loan_review --read registry.name --report report.html --report-json report.json',
      'query 91370202MA00QJTFYT --purpose pre_loan_review --verify tax.declared_revenue_cents=125000000',
      'query 91370202MA00QJTFYT --purpose post_loan_monitoring --read tax.period --filter "tax.period>=2025-01-01" --sort tax.period:desc --fact loan_amount_cents=50000000',
    ],
  };
  return finish(command, text);
}

async function askQuery(cli: Cli, subject: string, options: AskFlags, command: Command): Promise<void> {
  requireSomething(options);
  const connection = await connectAs(cli, command, ['query']);
  const query = queryOf(subject, options, needsTypes(options) ? await catalogueClient(connection).catalogue() : undefined);
  const keys = await platformKeys(connection.gateway);
  // what is asked for once is spent: there must be a place for it beforehand
  const places = reportPlaces(options);
  let file: ReservedFile | undefined;
  let exchange: Exchange;
  try {
    file = options.out === undefined ? undefined : reserveFile(options.out);
    exchange = await bankClient(connection).exchange(query);
  } catch (error) {
    file?.discard();
    discardPlaces(places);
    throw error;
  }
  const kept: AnswerFile = { format: answerFormat, gateway: connection.gateway, institution: connection.credentials.party, ...exchange, keys: keys as AnswerFile['keys'] };
  file?.write(`${JSON.stringify(kept)}\n`);
  const opened = await opener(kept, connection);
  const doubt = await checkReceipt(kept, kept.keys).then(() => undefined, (error: unknown) => error);
  show(cli, options, { ...withoutSealed(opened), ...(options.out === undefined ? {} : { saved: options.out }) }, () =>
    `${answerText(opened)}receipt    ${doubt === undefined ? 'checked' : 'WRONG'}${options.out === undefined ? ', not kept: --out FILE keeps it' : `, kept in ${options.out}`}\n`);
  if (doubt !== undefined) {
    discardPlaces(places);
    throw doubt;
  }
  await writeReports(kept, connection, places);
}

async function opener({ request, answer, institution }: AnswerFile, own: Parameters<typeof openAnswer>[1]): Promise<OpenedAnswer> {
  if (institution !== own.credentials.party) throw new VeilgateError('DISCLOSURE_UNREADABLE', 'The answer was given to another party: use the credentials it was asked with.');
  return openAnswer(answer, own, await sha256Hex(request));
}

/** Once opened, the sealed form is only long. */
function withoutSealed({ sealed: _sealed, ...opened }: OpenedAnswer): Omit<OpenedAnswer, 'sealed'> {
  return opened;
}
