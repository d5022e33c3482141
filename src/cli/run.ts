import { Command, CommanderError } from 'commander';
import { isVeilgateError } from '../errors.ts';
import { connectAs } from './access.ts';
import { accountCommand } from './account.ts';
import { auditCommand } from './audit.ts';
import { catalogueCommand } from './catalogue.ts';
import { noun } from './command.ts';
import { complaint, complaintJson, shown } from './complaint.ts';
import { consentCommand } from './consent.ts';
import { grantCommand } from './grant.ts';
import { institutionCommand } from './institution.ts';
import { keyCommand } from './key.ts';
import { platformKeyCommand } from './platform-key.ts';
import { modelCommand } from './model.ts';
import { noticeCommand } from './notice.ts';
import { objectionCommand } from './objection.ts';
import { departmentCommand, enterpriseCommand, officerCommand } from './party.ts';
import { queryCommand } from './query.ts';
import { reportCommand } from './report.ts';
import { scoreCommand } from './score.ts';
import { accessCommand } from './own-access.ts';
import type { Cli, Terminal } from './terminal.ts';

const exitCode = { ok: 0, failed: 1, misused: 2 } as const;

/**
 * Runs one command line.
 * @param argv words after `veilgate`
 * @returns exit code: 0 done, 1 refused or failed, 2 used wrongly
 */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  let code: number = exitCode.ok;
  const program = await veilgate({ terminal, fail: () => { code = exitCode.failed; } }, argv);
  try {
    await program.parseAsync(withIdsLast(argv, program), { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.misused;
    const problem = shown(error);
    if (argv.includes('--json')) terminal.stdout.write(complaintJson(problem));
    else terminal.stderr.write(complaint(problem));
    return isVeilgateError(problem, 'CONFIG_INVALID') ? exitCode.misused : exitCode.failed;
  }
}

/**
 * The command line, ready to be parsed or looked through.
 * @param argv what will be parsed: nouns that bring PostgreSQL or the policy compiler along are loaded only when named
 */
export async function veilgate(cli: Cli, argv: readonly string[]): Promise<Command> {
  const { terminal } = cli;
  const program = new Command('veilgate')
    .description('Credit information about enterprises that consented: asked for, granted, supplied, watched over and verified.')
    .option('--gateway <url>', 'the platform\'s gateway; VEILGATE_CLI_GATEWAY when left out')
    .option('--credentials <file>', 'your keys, a file that only you can read; VEILGATE_CLI_CREDENTIALS when left out')
    .addHelpText('after', `
Examples:
  $ veilgate key generate --party bank-a --encryption --out bank-a.json
  $ veilgate --gateway https://gateway.example --credentials bank-a.json catalogue
  $ veilgate query 91370202MA00QJTFYT --purpose pre_loan_review --read registry.name

Exit codes: 0 done, 1 refused or failed, 2 used wrongly. Every command has --help and --json; docs/cli.md shows them at work.`);
  for (const command of [
    queryCommand(cli), scoreCommand(cli), modelCommand(cli), argv.includes('joint') ? await joint(cli) : noun('joint', ''), catalogueCommand(cli), consentCommand(cli), grantCommand(cli), objectionCommand(cli), noticeCommand(cli), keyCommand(cli), platformKeyCommand(cli), accountCommand(cli), institutionCommand(cli), enterpriseCommand(cli),
    departmentCommand(cli), officerCommand(cli),
    accessCommand(cli),
    argv.includes('records') ? await records(cli) : noun('records', ''), argv.includes('domain') ? await domain(cli) : noun('domain', ''), argv.includes('policy') ? await policy(cli) : noun('policy', ''), auditCommand(cli), reportCommand(cli),
    argv.includes('custodian') ? await custodian(cli) : noun('custodian', ''),
  ]) program.addCommand(command.description(heavy[command.name()] ?? command.description()));
  for (const command of allOf(program)) {
    command
      .exitOverride()
      .configureOutput({ writeOut: (text) => terminal.stdout.write(text), writeErr: (text) => terminal.stderr.write(text), getOutHelpWidth: () => terminal.stdout.columns || 100, getErrHelpWidth: () => terminal.stderr.columns || 100 })
      .configureHelp({ showGlobalOptions: true })
      .showHelpAfterError('Add --help to see how it is used.');
  }
  return program;
}

/** Nouns loaded only when named. */
const heavy: Readonly<Record<string, string>> = {
  records: 'Load records of a dataset and see how good they are (departments)',
  domain: 'Encrypt features for sealed scoring, and keep them up to date (departments)',
  joint: 'Model together with the platform on encrypted data: projects, cohorts, runs and scorecards',
  custodian: 'Run a key custodian: keys, banks, alarms; on its own machine (custodian\'s operator)',
  policy: 'Check, test and compare field-level policies as files; pull, propose, review and approve them on the platform (compliance)',
};

/** A grant's id or a key's thumbprint that begins with a dash: base64url, one in 64 does. */
const dashedId = /^-(?:[A-Za-z0-9_-]{21}|[A-Za-z0-9_-]{42})$/;

/** Ids that look like options go behind `--`, where they are taken for what they are, and so do the names that follow them, in their order. */
function withIdsLast(argv: readonly string[], program: Command): string[] {
  const options = new Map(allOf(program).flatMap((command) => command.options.map(({ long, required }) => [long, required] as const)));
  const isId = (word: string, at: number) => dashedId.test(word) && !options.has(word) && options.get(argv[at - 1]) !== true;
  const first = argv.includes('--') ? -1 : argv.findIndex(isId);
  if (first < 0) return [...argv];
  const isName = (word: string, at: number) => at >= first && (isId(word, at) || (!word.startsWith('-') && options.get(argv[at - 1] ?? '') !== true));
  return [...argv.filter((word, at) => !isName(word, at)), '--', ...argv.filter(isName)];
}

/** The command and everything below it. */
export function allOf(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}

async function records(cli: Cli): Promise<Command> {
  const [{ recordsCommand }, { remoteRecords }] = await Promise.all([import('./records.ts'), import('./records-service.ts')]);
  const { stdout, stderr, stdin } = cli.terminal;
  return withExamples(recordsCommand({
    connect: async (command) => remoteRecords(await connectAs(cli, command, ['records'])),
    out: (text) => { stdout.write(text); },
    err: { write: (text) => { stderr.write(text); }, columns: stderr.columns ?? 0 },
    refused: cli.fail,
    ...(stdin === undefined ? {} : { stdin }),
  }), {
    load: ['records load tax tax-2026-09.csv', 'records load tax - --format ndjson --error-limit 100 < tax.ndjson'],
    correct: ['records correct tax record.json'],
    quality: ['records quality tax'],
    template: ['records template tax'],
  });
}

async function domain(cli: Cli): Promise<Command> {
  return (await import('./domain.ts')).domainCommand(cli);
}

async function joint(cli: Cli): Promise<Command> {
  return (await import('./joint.ts')).jointCommand(cli);
}

async function custodian(cli: Cli): Promise<Command> {
  return (await import('./custodian.ts')).custodianCommand(cli);
}

async function policy(cli: Cli): Promise<Command> {
  const [{ policyCommand }, { policyOnPlatform }] = await Promise.all([import('./policy.ts'), import('./policy-service.ts')]);
  const { stdout, stderr } = cli.terminal;
  const policy = withExamples(policyCommand({
    out: (line) => { stdout.write(`${line}\n`); },
    error: (line) => { stderr.write(`${line}\n`); },
    exit: (code) => { if (code === exitCode.misused) throw new CommanderError(code, 'veilgate.misused', ''); if (code !== exitCode.ok) cli.fail(); },
  }, (code) => { throw new CommanderError(code, 'veilgate.ended', ''); }), {
    check: ['policy check', 'policy check --folder policies --strict'],
    test: ['policy test --require-coverage'],
    explain: ['policy explain --purpose pre_loan_review --class commercial_bank --field tax.declared_revenue_cents'],
    diff: ['policy diff --against ../policies-before --fail-on loosened'],
  });
  return policyOnPlatform(cli, policy);
}

/** For verbs that are made elsewhere. */
function withExamples(parent: Command, examples: Readonly<Record<string, readonly string[]>>): Command {
  for (const command of parent.commands) {
    const lines = examples[command.name()];
    if (lines !== undefined) command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  $ veilgate ${line}`).join('\n')}`);
  }
  return parent;
}
