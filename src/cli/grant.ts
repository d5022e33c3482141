import type { Command } from 'commander';
import { enterpriseClient } from '../sdk/enterprise.ts';
import { grantsClient, type GrantView } from '../sdk/grants.ts';
import type { Scope } from '../vocabulary.ts';
import { connectAs } from './access.ts';
import { noun, show, verb, wholeNumber } from './command.ts';
import { grantRequestVerbs } from './grant-request.ts';
import { reserveFile } from './secret-file.ts';
import { pairs, table } from './table.ts';
import { termsOf, termsOptions, type TermsFlags } from './terms-options.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };

const owners: readonly Scope[] = ['grants', 'query'];
const anyone: readonly Scope[] = ['grants', 'query', 'compliance'];

/** `veilgate grant`: what an enterprise consented to, for it and for the bank it granted to. */
export function grantCommand(cli: Cli): Command {
  const grant = noun('grant', 'See, sign, pause, resume and revoke consents; ask for them and answer');
  const client = async (command: Command, scopes: readonly Scope[]) => grantsClient(await connectAs(cli, command, scopes));

  verb(grant, 'list', { summary: 'List your grants, newest first', examples: ['grant list', 'grant list --in-force'] })
    .option('--in-force', 'only what can be used right now: who can access me, and why')
    .option('--limit <n>', 'how many at once', wholeNumber(1, 100))
    .option('--after <cursor>', 'go on where a list ended')
    .action(async (options: Json & { readonly inForce?: true; readonly limit?: number; readonly after?: string }, command: Command) => {
      const page = await (await client(command, owners)).grants(options);
      show(cli, options, page, () => `${table(['grant', 'state', 'institution', 'subject', 'purpose', 'until', 'left'],
        page.grants.map((one) => [one.id, one.state, one.institution, one.subject, one.purpose, one.valid_until.slice(0, 10), one.uses_left ?? 'any']))}${page.next === null ? '' : `more: --after ${page.next}\n`}`);
    });
  verb(grant, 'show <grant>', { summary: 'Show one grant with its fields and limits', examples: ['grant show u4mIq2nQ7m4cV0o0x3yq2A'] })
    .action(async (id: string, options: Json, command: Command) => {
      const view = await (await client(command, anyone)).readGrant(id);
      show(cli, options, view, () => grantText(view));
    });
  for (const [action, summary] of [['pause', 'Hold a grant up until it is resumed'], ['resume', 'Let a paused grant go on'], ['revoke', 'End a grant for good, also for queries under way']] as const) {
    verb(grant, `${action} <grant>`, { summary, examples: [`grant ${action} u4mIq2nQ7m4cV0o0x3yq2A`] })
      .action(async (id: string, options: Json, command: Command) => {
        const view = await (await client(command, anyone))[action](id);
        show(cli, options, view, () => `${view.id} is ${view.state} now.\n`);
      });
  }
  statementCommand(cli, grant, 'receipt', 'Get the consent receipt for you to keep (enterprises; ISO/IEC TS 27560)', ['grants'], (of, id) => of.receipt(id));
  statementCommand(cli, grant, 'token', 'Get the grant as a signed statement (banks); it proves what was granted and opens nothing', ['query'], (of, id) => of.consentToken(id));
  signCommand(cli, grant);
  grantRequestVerbs(cli, grant);
  return grant;
}

type Grants = ReturnType<typeof grantsClient>;

function statementCommand(cli: Cli, grant: Command, name: 'receipt' | 'token', summary: string, scopes: readonly Scope[], get: (of: Grants, id: string) => Promise<string>): void {
  verb(grant, `${name} <grant>`, { summary, examples: [`grant ${name} u4mIq2nQ7m4cV0o0x3yq2A --out consent-${name}.jws`] })
    .option('--out <file>', 'write it to this new file instead of printing it')
    .action(async (id: string, options: Json & { readonly out?: string }, command: Command) => {
      const jws = await get(grantsClient(await connectAs(cli, command, scopes)), id);
      if (options.out !== undefined) reserveFile(options.out).write(`${jws}\n`);
      show(cli, options, options.out === undefined ? { [name]: jws } : { saved: options.out }, () => (options.out === undefined ? `${jws}\n` : `Kept in ${options.out}\n`));
    });
}

function signCommand(cli: Cli, grant: Command): void {
  termsOptions(verb(grant, 'sign <institution> <subject>', {
    summary: 'Consent by signing with the enterprise\'s own registered key, without a browser',
    examples: [
      'grant sign bank-a 91370202MA00QJTFYT --purpose pre_loan_review --original registry.name --desensitised owner.name,owner.phone --valid-days 30 --data-life-days 90 --uses-max 5',
      'grant sign bank-a 91370202MA00QJTFYT --terms terms.json',
    ],
  })).action(async (institution: string, subject: string, options: Json & TermsFlags, command: Command) => {
    const terms = termsOf(subject, options);
    const view = await enterpriseClient(await connectAs(cli, command, ['grants'])).grant(institution, terms);
    show(cli, options, view, () => grantText(view));
  });
}

/** A grant for people. */
export function grantText(view: GrantView): string {
  return `${pairs({
    grant: view.id, state: view.state, institution: view.institution, subject: view.subject, purpose: view.purpose, kind: view.kind.replaceAll('_', ' '),
    valid: `${view.valid_from.slice(0, 10)} to ${view.valid_until.slice(0, 10)}`, 'data about': `${view.data_from ?? 'any time'} to ${view.data_to ?? 'the day of the query'}`,
    'answers left': `${view.uses_left ?? 'any number'}${view.frequency === null ? '' : `, at most ${view.frequency.max} a ${view.frequency.per}`}`,
    'to be deleted': `${view.data_life_days} days after disclosure`, given: view.origin === 'signed' ? 'by signature' : 'in the browser',
  })}\n${table(['field', 'up to'], view.fields.map(({ field, ceiling }) => [field, ceiling]))}`;
}
