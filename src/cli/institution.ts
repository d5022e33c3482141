import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { InvalidArgumentError, type Command } from 'commander';
import { VeilgateError } from '../errors.ts';
import { applicationToHandIn, applyForAdmission } from '../sdk/application.ts';
import { officerClient, type InstitutionLimits } from '../sdk/officer.ts';
import type { Scope } from '../vocabulary.ts';
import { connectAs, credentialsOf, gatewayOf } from './access.ts';
import { date, noun, repeated, show, verb, wholeNumber } from './command.ts';
import { reserveFile } from './secret-file.ts';
import { pairs, table } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };
type Names = { readonly nameEn: string; readonly nameZh: string };
type View = Readonly<Record<string, unknown>> & {
  readonly name?: { readonly en: string; readonly zh: string };
  readonly assessment?: { readonly level: number; readonly passed: boolean; readonly valid_until: string; readonly assessor: string } | null;
  readonly keys?: readonly { readonly thumbprint: string; readonly use: string; readonly retired: boolean }[];
};

const readers: readonly Scope[] = ['registry', 'compliance', 'audit'];

/** `veilgate institution`: how a bank or partner comes in, is watched over, and loses access. */
export function institutionCommand(cli: Cli): Command {
  const institution = noun('institution', 'Apply as an institution; as an officer assess, approve, limit, suspend');
  const officer = async (command: Command, scopes: readonly Scope[]) => officerClient(await connectAs(cli, command, scopes));
  const done = (options: Json, id: string, answer: { readonly status: string }) => show(cli, options, answer, () => `${id} is ${answer.status} now.\n`);

  applyCommand(cli, institution);
  handInCommand(cli, institution);
  verb(institution, 'list', { summary: 'List institutions', examples: ['institution list'] })
    .action(async (options: Json, command: Command) => {
      const client = await officer(command, readers);
      const found: View[] = [];
      for (let after: string | undefined | null; after !== null;) {
        const page: { readonly institutions: readonly View[]; readonly next: string | null } = await client.institutions(after);
        found.push(...page.institutions);
        after = page.next;
      }
      show(cli, options, { institutions: found }, () => table(['id', 'name', 'class', 'status', 'level', 'assessed until'],
        found.map(({ id, name, class: kind, status, assessment }) => [id, name?.en, kind, status, assessment?.level, assessment?.valid_until])));
    });
  verb(institution, 'show <id>', { summary: 'Show one institution with its keys, limits and assessment', examples: ['institution show bank-a'] })
    .action(async (id: string, options: Json, command: Command) => {
      const view: View = await (await officer(command, readers)).institution(id);
      show(cli, options, view, () => shown(view));
    });
  assessCommand(institution, officer, done);
  limitOptions(verb(institution, 'approve <id>', {
    summary: 'Admit an assessed institution; needs another person than the assessor',
    examples: ['institution approve bank-a', 'institution approve bank-a --requests-per-second 50 --queries-per-day 100000'],
  })).action(async (id: string, options: Json & LimitFlags, command: Command) => done(options, id, await (await officer(command, ['registry', 'compliance'])).approve(id, limits(options))));
  limitOptions(verb(institution, 'limits <id>', {
    summary: 'Change an institution\'s limits',
    detail: 'What is left out is no longer limited.',
    examples: ['institution limits bank-a --queries-per-day 20000'],
  })).action(async (id: string, options: Json & LimitFlags, command: Command) => done(options, id, await (await officer(command, ['registry'])).changeLimits(id, limits(options))));

  for (const [name, summary] of [['suspend', 'Take access away until reinstated, at once and on every node'], ['revoke', 'End access for good, or refuse an application']] as const) {
    verb(institution, `${name} <id>`, { summary, examples: [`institution ${name} bank-a --reason terms_violated`] })
      .requiredOption('--reason <code>', 'a code that goes to the log, such as terms_violated', reasonCode)
      .action(async (id: string, options: Json & { readonly reason: string }, command: Command) => done(options, id, await (await officer(command, ['compliance']))[name](id, options.reason)));
  }
  verb(institution, 'reinstate <id>', { summary: 'Give a suspended institution its access back', examples: ['institution reinstate bank-a'] })
    .action(async (id: string, options: Json, command: Command) => done(options, id, await (await officer(command, ['compliance'])).reinstate(id)));
  return institution;
}

function applyCommand(cli: Cli, institution: Command): void {
  verb(institution, 'apply', {
    summary: 'Apply for admission with your own keys',
    detail: 'Access comes after a passed security assessment and another person\'s approval. A redirect URI is where an enterprise\'s browser returns to after consent; http://127.0.0.1:PORT/callback suits `consent request --listen PORT`.',
    examples: ['institution apply --name-en "Bank A" --name-zh 甲银行 --class commercial_bank --redirect-uri https://bank-a.example/callback'],
  })
    .requiredOption('--name-en <name>', 'name in English')
    .requiredOption('--name-zh <name>', 'name in Chinese')
    .requiredOption('--class <class>', 'institution class of the platform\'s policy, such as commercial_bank')
    .option('--redirect-uri <uri>', 'may be repeated', repeated, [])
    .option('--country <code>', 'ISO 3166-1 alpha-2 code of the country you are established in', 'CN')
    .option('--out <file>', 'write the application to this new file instead of sending it, for the platform\'s registrar to hand in within seven days')
    .action(async (options: Json & Names & { readonly class: string; readonly redirectUri: readonly string[]; readonly country: string; readonly out?: string }, command: Command) => {
      const [gateway, credentials] = [gatewayOf(cli, command), await credentialsOf(cli, command)];
      const application = { name: { en: options.nameEn, zh: options.nameZh }, institution_class: options.class, redirect_uris: options.redirectUri, country: options.country };
      if (options.out !== undefined) {
        reserveFile(options.out).write(`${await applicationToHandIn(gateway, credentials, application)}\n`);
        show(cli, options, { saved: options.out }, () => `Kept in ${options.out}: it holds no secret. Give it to the platform's registrar.\n`);
        return;
      }
      const answer = await applyForAdmission(gateway, credentials, application);
      show(cli, options, answer, () => appliedText(answer));
    });
}

const appliedText = ({ id, status }: { readonly id: string; readonly status: string }) => `${id} has ${status}. Next: a security assessment, then approval.\n`;
const applicationBytesMax = 16_384;

function handInCommand(cli: Cli, institution: Command): void {
  verb(institution, 'hand-in <file>', {
    summary: 'Hand in an application that an institution wrote with `institution apply --out` (registrars)',
    detail: 'There is room for it however many applications wait that came by themselves. You vouch for who gave it to you.',
    examples: ['institution hand-in bank-a.application.jwt'],
  }).action(async (file: string, options: Json, command: Command) => {
    const stats = statSync(file, { throwIfNoEntry: false });
    const application = stats?.isFile() === true && stats.size <= applicationBytesMax ? readFileSync(file, 'latin1').trim() : '';
    if (!/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}$/.test(application)) throw new VeilgateError('CONFIG_INVALID', 'This is no application: name a file that `veilgate institution apply --out` wrote.', { file });
    const answer = await officerClient(await connectAs(cli, command, ['registry'])).handIn(application);
    show(cli, options, answer, () => appliedText(answer));
  });
}

type OfficerOf = (command: Command, scopes: readonly Scope[]) => Promise<ReturnType<typeof officerClient>>;

function assessCommand(institution: Command, officer: OfficerOf, done: (options: Json, id: string, answer: { readonly status: string }) => void): void {
  verb(institution, 'assess <id>', {
    summary: 'Record a security assessment; the latest one counts',
    detail: 'The report stays with you; the log keeps its SHA-256.',
    examples: ['institution assess bank-a --level 4 --valid-until 2027-06-30 --findings report.pdf', `institution assess bank-a --level 1 --failed --valid-until 2027-06-30 --findings-digest ${'e3b0c442'.repeat(8)}`],
  })
    .requiredOption('--level <level>', 'security level reached, 1 to 5', wholeNumber(1, 5))
    .requiredOption('--valid-until <date>', 'last day the assessment counts', date)
    .option('--failed', 'the assessment was not passed')
    .option('--findings <file>', 'the report, to work out its SHA-256')
    .option('--findings-digest <sha256>', 'the report\'s SHA-256, lower-case hex', digest)
    .action(async (id: string, options: Json & { readonly level: number; readonly validUntil: string; readonly failed?: true; readonly findings?: string; readonly findingsDigest?: string }, command: Command) => {
      const findings = options.findingsDigest ?? (options.findings === undefined ? undefined : await digestOf(options.findings));
      if (findings === undefined) throw new VeilgateError('CONFIG_INVALID', 'Name the report: --findings FILE or --findings-digest SHA256.');
      const client = await officer(command, ['compliance']);
      done(options, id, await client.assess(id, { level: options.level, passed: options.failed !== true, valid_until: options.validUntil, findings_digest: findings }));
    });
}

type LimitFlags = { readonly requestsPerSecond?: number; readonly queriesPerDay?: number };

function limitOptions(command: Command): Command {
  return command
    .option('--requests-per-second <n>', 'requests of any kind', wholeNumber(1, 1_000_000))
    .option('--queries-per-day <n>', 'queries that spend a grant', wholeNumber(0, 1_000_000_000));
}

function limits({ requestsPerSecond, queriesPerDay }: LimitFlags): InstitutionLimits {
  return { ...(requestsPerSecond === undefined ? {} : { requests_per_second: requestsPerSecond }), ...(queriesPerDay === undefined ? {} : { queries_per_day: queriesPerDay }) };
}

export function reasonCode(text: string): string {
  if (!/^[a-z][a-z0-9_]{0,63}$/.test(text)) throw new InvalidArgumentError('a code in small letters, digits and _, no free text');
  return text;
}

function digest(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new InvalidArgumentError('64 lower-case hexadecimal digits');
  return text;
}

async function digestOf(file: string): Promise<string> {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new VeilgateError('CONFIG_INVALID', 'There is no such file: check its name.', { file });
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function shown({ name, assessment, keys = [], limits: limited, ...view }: View): string {
  const assessed = assessment ? `level ${assessment.level}, ${assessment.passed ? 'passed' : 'not passed'}, until ${assessment.valid_until}, by ${assessment.assessor}` : 'none';
  const limit = limited !== undefined && Object.keys(limited as object).length > 0 ? limited : 'none';
  return `${pairs({ id: view['id'], name: `${name?.en ?? ''} ${name?.zh ?? ''}`, ...view, assessment: assessed, limits: limit })}\n${
    table(['key', 'use', 'state'], keys.map(({ thumbprint, use, retired }) => [thumbprint, use, retired ? 'retired' : 'in use']))}`;
}
