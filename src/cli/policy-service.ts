import { type Command, InvalidArgumentError } from 'commander';
import { isVeilgateError } from '../errors.ts';
import { policiesClient, type PolicyReplayView, type PolicyReviewView, type PolicyVersionView } from '../sdk/policies.ts';
import type { Scope } from '../vocabulary.ts';
import { connectAs } from './access.ts';
import { show, verb, wholeNumber } from './command.ts';
import { reasonCode } from './institution.ts';
import { filesIn, pulledFrom, pullInto } from './policy-folder.ts';
import { clean, pairs, table } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };
type Client = ReturnType<typeof policiesClient>;
type Connect = (command: Command, scopes?: readonly Scope[]) => Promise<Client>;

const versionsMax = 2_000_000_000;
const readers: readonly Scope[] = ['compliance', 'audit'];
const digestOption = ['--digest <sha256>', 'of the files you reviewed, as `policy review` prints it'] as const;
const commentOption = ['--comment <text>', 'why, in your own words'] as const;

/** Adds what works on the platform's own policy, over HTTP, to `veilgate policy`. */
export function policyOnPlatform(cli: Cli, policy: Command): Command {
  const connect: Connect = async (command, scopes = ['compliance']) => policiesClient(await connectAs(cli, command, scopes));
  pullAndPropose(cli, policy, connect);
  reading(cli, policy, connect);
  decisions(cli, policy, connect);
  withholds(cli, policy, connect);
  return policy;
}

function pullAndPropose(cli: Cli, policy: Command, connect: Connect): void {
  verb(policy, 'pull', {
    summary: 'Bring the policy in force into a folder',
    detail: 'What you changed stays. When a file was changed on both sides nothing is written. The folder remembers its version in .veilgate-policy.json: keep it in git with the rest.',
    examples: ['policy pull', 'policy pull --folder before --number 4'],
  })
    .option('--folder <folder>', 'folder of the policy', 'policies')
    .option('--number <n>', 'another version than the one in force', wholeNumber(1, versionsMax))
    .action(async (options: Json & { readonly folder: string; readonly number?: number }, command: Command) => {
      const client = await connect(command, readers);
      const { version, files } = options.number === undefined ? await client.inForce() : await client.read(options.number);
      const pulled = pullInto(options.folder, { version: version.version, digest: version.digest, files });
      show(cli, options, { version: version.version, digest: version.digest, ...pulled }, () =>
        pairs({ version: version.version, written: pulled.written.length, removed: pulled.removed.length, 'changed here, kept': pulled.kept }));
    });
  verb(policy, 'propose', {
    summary: 'Propose the folder\'s files as the next version; also called push',
    detail: 'It loads and keeps its own tests, or it is refused with every place. When another version came into force since you pulled, nothing happens: pull again first.',
    examples: ['policy propose --comment "Revenue in bands for bureaus"', 'policy propose --comment "From July" --effective-at 2027-07-01T00:00:00+08:00'],
  })
    .alias('push')
    .option('--folder <folder>', 'folder of the policy', 'policies')
    .requiredOption(...commentOption)
    .option('--effective-at <time>', 'from when on it is to be in force, RFC 3339', timeText)
    .action(async (options: Json & { readonly folder: string; readonly comment: string; readonly effectiveAt?: string }, command: Command) => {
      const { version: basis } = pulledFrom(options.folder);
      const change = { basis, files: filesIn(options.folder), comment: options.comment, ...(options.effectiveAt === undefined ? {} : { effective_at: options.effectiveAt }) };
      const { version } = await (await connect(command)).propose(change).catch((error: unknown) => sayWhere(cli, options, error));
      show(cli, options, version, () => proposed(version));
    });
  verb(policy, 'rollback <version>', { summary: 'Propose the files of an earlier version', examples: ['policy rollback 4 --comment "Bureaus complain"'] })
    .requiredOption(...commentOption)
    .action(async (number: string, options: Json & { readonly comment: string }, command: Command) => {
      const { version } = await (await connect(command)).rollBack(versionOf(number), options.comment).catch((error: unknown) => sayWhere(cli, options, error));
      show(cli, options, version, () => proposed(version));
    });
}

function reading(cli: Cli, policy: Command, connect: Connect): void {
  verb(policy, 'history', { summary: 'Versions, newest first: who, when, why', examples: ['policy history', 'policy history --state proposed'] })
    .option('--state <state>', 'proposed, approved, in_force, superseded, refused or withdrawn')
    .action(async (options: Json & { readonly state?: string }, command: Command) => {
      const { versions } = await (await connect(command, readers)).list(options.state === undefined ? {} : { state: options.state });
      show(cli, options, { versions }, () => table(['version', 'state', 'proposed by', 'at', 'decided by', 'in force', 'comment'], versions.map((each) =>
        [each.version, each.state, each.proposed_by, each.proposed_at, each.decided_by, each.in_force_at, each.comment])));
    });
  verb(policy, 'review <version>', {
    summary: 'Say what a version changes, in full and in words, and how past decisions would have come out',
    examples: ['policy review 5', 'policy review 5 --replay 10000'],
  })
    .option('--replay <n>', 'how many past decisions to work out again', wholeNumber(1, 10_000))
    .action(async (number: string, options: Json & { readonly replay?: number }, command: Command) => {
      const client = await connect(command, readers);
      const review = await client.review(versionOf(number));
      const replay = options.replay === undefined ? undefined : await client.replay(versionOf(number), options.replay);
      show(cli, options, { review, ...(replay === undefined ? {} : { replay }) }, () => reviewText(review) + (replay === undefined ? '' : replayText(replay)));
    });
}

function decisions(cli: Cli, policy: Command, connect: Connect): void {
  const done = (options: Json, { version }: { readonly version: PolicyVersionView }) =>
    show(cli, options, version, () => `Version ${version.version} is ${version.state.replace('_', ' ')} now${version.state === 'approved' && version.effective_at !== null ? `; in force from ${version.effective_at}` : ''}.\n`);
  type Deciding = Json & { readonly digest: string; readonly comment: string };
  verb(policy, 'approve <version>', { summary: 'Approve the version somebody else proposed', examples: [`policy approve 5 --digest ${'a'.repeat(64)} --comment "Reviewed"`] })
    .requiredOption(...digestOption).requiredOption(...commentOption)
    .action(async (number: string, options: Deciding, command: Command) => done(options, await (await connect(command)).approve(versionOf(number), options.digest, options.comment)));
  verb(policy, 'refuse <version>', { summary: 'Refuse a proposed version', examples: [`policy refuse 5 --digest ${'a'.repeat(64)} --comment "Too wide"`] })
    .requiredOption(...digestOption).requiredOption(...commentOption)
    .action(async (number: string, options: Deciding, command: Command) => done(options, await (await connect(command)).refuse(versionOf(number), options.digest, options.comment)));
  verb(policy, 'withdraw <version>', { summary: 'Take your own proposal back, or one that is approved and waits for its time', examples: ['policy withdraw 5 --comment "Found a better way"'] })
    .requiredOption(...commentOption)
    .action(async (number: string, options: Deciding, command: Command) => done(options, await (await connect(command)).withdraw(versionOf(number), options.comment)));
}

function withholds(cli: Cli, policy: Command, connect: Connect): void {
  verb(policy, 'withhold <field>', {
    summary: 'Close a field for a purpose at once, on every node',
    detail: 'For every institution and every use. After --hours it becomes a proposal, and holds until another officer has decided on that.',
    examples: ['policy withhold owner.phone --purpose pre_loan_review --reason wrong_values'],
  })
    .requiredOption('--purpose <code>', 'purpose code')
    .requiredOption('--reason <code>', 'a code that goes to the log, such as wrong_values', reasonCode)
    .option('--hours <n>', 'until it becomes a proposal', wholeNumber(1, 720), 72)
    .action(async (field: string, options: Json & { readonly purpose: string; readonly reason: string; readonly hours: number }, command: Command) => {
      const { withhold } = await (await connect(command)).withhold({ field, purpose: options.purpose, reason: options.reason, hours: options.hours });
      show(cli, options, withhold, () => `${withhold.field} is withheld for ${withhold.purpose} now (${withhold.withhold}); it becomes a proposal at ${withhold.expires_at}.\n`);
    });
  verb(policy, 'withholds', { summary: 'List emergency withholds', examples: ['policy withholds'] })
    .action(async (options: Json, command: Command) => {
      const answer = await (await connect(command, readers)).withholds();
      show(cli, options, answer, () => table(['withhold', 'field', 'purpose', 'reason', 'set by', 'until', 'proposal', 'ended'], answer.withholds.map((each) =>
        [each.withhold, each.field, each.purpose, each.reason, each.set_by, each.expires_at, each.proposal, each.ending])));
    });
  verb(policy, 'lift <withhold>', { summary: 'Open again what another officer closed', examples: ['policy lift 0123456789abcdef'] })
    .action(async (id: string, options: Json, command: Command) => {
      const { withhold } = await (await connect(command)).lift(id);
      show(cli, options, withhold, () => `${withhold.field} is no longer withheld for ${withhold.purpose}.\n`);
    });
}

/** Prints where a refused policy is broken or which tests fail, then goes on as before. */
function sayWhere(cli: Cli, options: Json, error: unknown): never {
  if (options.json !== true && (isVeilgateError(error, 'POLICY_BROKEN') || isVeilgateError(error, 'POLICY_TESTS_FAILED'))) {
    for (const each of (error.detail?.['problems'] ?? error.detail?.['failures'] ?? []) as readonly { file: string; line: number; column: number; problem: string }[]) {
      cli.terminal.stderr.write(`${clean(`${each.file}:${each.line}:${each.column}: ${each.problem}`)}\n`);
    }
  }
  throw error;
}

function versionOf(text: string): number {
  return wholeNumber(1, versionsMax)(text);
}

function timeText(text: string): string {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text) || Number.isNaN(Date.parse(text))) throw new InvalidArgumentError('a time, such as 2027-07-01T00:00:00+08:00');
  return text;
}

function proposed({ version, digest }: PolicyVersionView): string {
  return `Version ${version} is proposed. Next: another officer reviews it (veilgate policy review ${version}) and approves it (--digest ${digest}).\n`;
}

function reviewText({ version, against, basis_in_force: current, files, summary, changes, settings, tests, marks, exemptions, combinations, combinations_changed: changed }: PolicyReviewView): string {
  const lines = [...changes, ...settings].map(({ risk, words }) => `${risk.padEnd(9)} ${clean(words.en)}\n`);
  const failed = tests.failures.map(({ file, line, column, problem }) => `${clean(`${file}:${line}:${column}: ${problem}`)}\n`);
  return [
    pairs({
      version: version.version, state: version.state, digest: version.digest, 'proposed by': `${version.proposed_by ?? '-'} ${version.proposed_at}`, why: version.comment, 'in force from': version.effective_at,
      changes: `version ${against}${current ? '' : ', which is no longer in force: it cannot be approved'}`, files: files.map(({ file, change }) => `${file} ${change}`),
      tests: `${tests.run} run, ${tests.failures.length} expectations fail`, 'look at': marks, exemptions: exemptions.map(({ rule, ends, over }) => `${rule} until ${ends}${over ? ' (over)' : ''}`),
    }),
    ...lines, ...failed, `${changed} of ${combinations} combinations differ. ${summary.en}\n`,
  ].join('');
}

function replayText({ queries, more, less, otherwise, unknown, skipped, unlike_record: unlike, fields, institutions }: PolicyReplayView): string {
  return [
    `Of ${queries} past queries ${more} would have got more, ${less} less, ${otherwise} otherwise; ${unknown} hang on facts their callers stated; ${skipped} could not be worked out again, ${unlike} come out unlike their record.\n`,
    ...(fields.length === 0 ? [] : [table(['field', 'use', 'more', 'less', 'otherwise', 'unknown'], fields.map((each) => [each.field, each.use, each.more, each.less, each.otherwise, each.unknown]))]),
    ...(institutions.length === 0 ? [] : [table(['institution', 'more', 'less', 'otherwise', 'unknown'], institutions.map((each) => [each.institution, each.more, each.less, each.otherwise, each.unknown]))]),
  ].join('\n');
}
