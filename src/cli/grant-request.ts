import { Option, type Command } from 'commander';
import { grantRequestsClient, type GrantChoice, type GrantOfferView, type GrantRequestState, type GrantRequestView } from '../sdk/grant-requests.ts';
import { connectAs } from './access.ts';
import { date, list, show, verb, wholeNumber } from './command.ts';
import { grantText } from './grant.ts';
import { pairs, table } from './table.ts';
import { frequency, termsOf, termsOptions, type TermsFlags } from './terms-options.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };

/** Verbs of `veilgate grant` with which banks ask enterprises, and enterprises answer, without a browser in between. */
export function grantRequestVerbs(cli: Cli, grant: Command): void {
  askVerb(cli, grant);
  listVerb(cli, grant);
  acceptVerb(cli, grant);
  verb(grant, 'refuse <request>', { summary: 'Say no to a request (enterprises)', examples: ['grant refuse u4mIq2nQ7m4cV0o0x3yq2A --reason "We have found another bank"'] })
    .option('--reason <text>', 'why, for the bank to read')
    .action(async (id: string, options: Json & { readonly reason?: string }, command: Command) => {
      const view = await grantRequestsClient(await connectAs(cli, command, ['grants'])).refuseGrantRequest(id, options.reason);
      show(cli, options, view, () => `${view.id} is ${view.state} now.\n`);
    });
  verb(grant, 'withdraw <request>', { summary: 'Take a request back that nobody has answered (banks)', examples: ['grant withdraw u4mIq2nQ7m4cV0o0x3yq2A'] })
    .action(async (id: string, options: Json, command: Command) => {
      const view = await grantRequestsClient(await connectAs(cli, command, ['query'])).withdrawGrantRequest(id);
      show(cli, options, view, () => `${view.id} is ${view.state} now.\n`);
    });
}

function askVerb(cli: Cli, grant: Command): void {
  termsOptions(verb(grant, 'request <subject>', {
    summary: 'Ask an enterprise for a grant; it answers when it wants to (banks)',
    detail: 'The enterprise finds the request beside its grants and has 30 days. Whether it is registered is not told: a request to one that is not simply waits.',
    examples: ['grant request 91370202MA00QJTFYT --purpose pre_loan_review --original registry.name --valid-days 30 --data-life-days 90 --message "Your application of 3 June"'],
  }))
    .option('--message <text>', 'why you ask, for the enterprise to read')
    .action(async (subject: string, options: Json & TermsFlags & { readonly message?: string }, command: Command) => {
      const terms = termsOf(subject, options);
      const view = await grantRequestsClient(await connectAs(cli, command, ['query'])).askForGrant(terms, options.message);
      show(cli, options, view, () => requestText(view));
    });
}

type ListFlags = Json & { readonly state?: GrantRequestState; readonly limit?: number; readonly after?: string };

function listVerb(cli: Cli, grant: Command): void {
  verb(grant, 'requests [request]', {
    summary: 'List requests for grants, or show one with what the enterprise would agree to',
    examples: ['grant requests --state pending', 'grant requests u4mIq2nQ7m4cV0o0x3yq2A'],
  })
    .addOption(new Option('--state <state>', 'only these').choices(['pending', 'accepted', 'refused', 'withdrawn', 'expired']))
    .option('--limit <n>', 'how many at once', wholeNumber(1, 50))
    .option('--after <cursor>', 'go on where a list ended')
    .action(async (id: string | undefined, options: ListFlags, command: Command) => {
      const client = grantRequestsClient(await connectAs(cli, command, ['grants', 'query']));
      if (id !== undefined) {
        const view = await client.readGrantRequest(id);
        show(cli, options, view, () => `${requestText(view)}${view.offer === null ? '' : offerText(view.offer)}`);
        return;
      }
      const page = await client.grantRequests(options);
      show(cli, options, page, () => `${table(['request', 'state', 'institution', 'subject', 'purpose', 'asked', 'until', 'grant'],
        page.requests.map(requestRow))}${page.next === null ? '' : `more: --after ${page.next}\n`}`);
    });
}

function requestRow(one: GrantRequestView): readonly unknown[] {
  return [one.id, one.state, one.institution, one.subject, one.terms.purpose, one.created_at.slice(0, 10), one.expires_at.slice(0, 10), one.grant];
}

type AcceptFlags = Json & Pick<TermsFlags, 'original' | 'desensitised' | 'dataFrom' | 'dataTo' | 'validDays' | 'usesMax' | 'frequency' | 'dataLifeDays'> & { readonly notice: string };

function acceptVerb(cli: Cli, grant: Command): void {
  verb(grant, 'accept <request>', {
    summary: 'Grant what a request asks for, or less of it (enterprises)',
    detail: `The notice is what \`grant requests REQUEST\` showed: when what you would agree to has changed since, nothing is granted.
Options take away from the request; naming any field leaves out those not named.`,
    examples: [
      `grant accept u4mIq2nQ7m4cV0o0x3yq2A --notice ${'5e'.repeat(32)}`,
      `grant accept u4mIq2nQ7m4cV0o0x3yq2A --notice ${'5e'.repeat(32)} --original registry.name --valid-days 7 --uses-max 1`,
    ],
  })
    .requiredOption('--notice <sha256>', 'notice of the request as you read it')
    .option('--original <fields>', 'fields that stay, up to their original value', list)
    .option('--desensitised <fields>', 'fields that stay, desensitised only', list)
    .option('--data-from <date>', 'first day the data may be about', date)
    .option('--data-to <date>', 'last day the data may be about', date)
    .option('--valid-days <n>', 'days the consent holds', wholeNumber(1, 3650))
    .option('--uses-max <n>', 'answers it allows altogether', wholeNumber(1, 1_000_000))
    .option('--frequency <n/per>', 'answers it allows per day, week or month, such as 10/day', frequency)
    .option('--data-life-days <n>', 'days after which the bank must delete what it got', wholeNumber(1, 3650))
    .action(async (id: string, options: AcceptFlags, command: Command) => {
      const { grant: given } = await grantRequestsClient(await connectAs(cli, command, ['grants'])).acceptGrantRequest(id, options.notice, choiceOf(options));
      show(cli, options, given, () => grantText(given));
    });
}

function choiceOf({ original, desensitised, dataFrom, dataTo, validDays, usesMax, frequency: often, dataLifeDays }: AcceptFlags): GrantChoice {
  const fields = [...(original ?? []).map((field) => ({ field, ceiling: 'original' as const })), ...(desensitised ?? []).map((field) => ({ field, ceiling: 'desensitised' as const }))];
  return {
    ...(fields.length === 0 ? {} : { fields }),
    ...(dataFrom === undefined ? {} : { data_from: dataFrom }), ...(dataTo === undefined ? {} : { data_to: dataTo }), ...(validDays === undefined ? {} : { valid_days: validDays }),
    ...(usesMax === undefined ? {} : { uses_max: usesMax }), ...(often === undefined ? {} : { frequency: often }), ...(dataLifeDays === undefined ? {} : { data_life_days: dataLifeDays }),
  };
}

function requestText(view: GrantRequestView): string {
  const { terms } = view;
  return `${pairs({
    request: view.id, state: view.state, institution: view.institution, name: view.institution_name?.en, subject: view.subject, purpose: terms.purpose, message: view.message,
    'can be answered until': view.expires_at.slice(0, 10), 'valid for': `${terms.valid_days} days`, answers: terms.uses_max, 'to be deleted': `${terms.data_life_days} days after disclosure`,
    reason: view.reason, grant: view.grant,
  })}\n${table(['field', 'up to'], terms.fields.map(({ field, ceiling }) => [field, ceiling]))}`;
}

function offerText({ terms, description, notice_digest: notice, obstacle }: GrantOfferView): string {
  const ceilings = new Map(terms.fields.map(({ field, ceiling }) => [field, ceiling]));
  const { purpose, institution, fields } = description.en;
  const facts = {
    who: `${institution.name} (${institution.kind})`, why: purpose.title, 'data about': `${terms.data_from ?? 'any time'} to ${terms.data_to ?? 'the day of the query'}`,
    'answers at most': terms.uses_max, 'in the way': obstacle && `${obstacle.code}: ${obstacle.detail}`, notice,
  };
  const rows = fields.map(({ ref, title, classification, gets }) => [ref, `${title} (${classification})`, gets[ceilings.get(ref) ?? 'desensitised']]);
  return `\n${pairs(facts)}\n${table(['field', 'what it is', 'what the bank gets'], rows)}`;
}
