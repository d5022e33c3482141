import { readFileSync, statSync } from 'node:fs';
import { decodeProtectedHeader, type JSONWebKeySet, type JWK } from 'jose';
import type { Command } from 'commander';
import { systemClock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import { checkCreditReport, creditReportLengthMax, type CheckedCreditReport } from '../sdk/credit-report-check.ts';
import { fileInPage } from '../sdk/credit-report-page.ts';
import type { CreditReportFile } from '../sdk/credit-report.ts';
import { trustOptions } from './audit-receipt.ts';
import { trustOf, type TrustFlags } from './audit-verify.ts';
import { show, verb } from './command.ts';
import { chooseKeys, keysLengthMax, type KeySetFlags } from './key-set.ts';
import { fetchProof } from './log-text.ts';
import { readJson } from './secret-file.ts';
import { pairs } from './table.ts';
import type { Cli } from './terminal.ts';

type Flags = TrustFlags & KeySetFlags & { readonly json?: true; readonly log?: string; readonly signer?: string };

/** A page has the file once more, escaped. */
const pageLengthMax = 8 * creditReportLengthMax;

/** `veilgate report verify FILE`: proves a credit report. Needs no credentials. */
export function reportVerifyCommand(cli: Cli, report: Command): void {
  trustOptions(verb(report, 'verify <file>', {
    summary: 'Check a credit report, the file or the page: signatures, request, answer, every value, and its place in the log',
    detail: 'The platform\'s keys are fetched from the platform the report names, which is shown: believe it only if you know it. With --offline they are those of --keys, or those kept in the report, which prove nothing about the platform. The place in the log is checked when --key names the log\'s verifier key.',
    examples: ["report verify credit-report.json --key 'gateway.example/log+1234abcd+AZ…'", 'report verify credit-report.html --offline --keys jwks.json --signer bank-a.public.json'],
  }))
    .option('--keys <file>', 'the platform\'s public keys (JWK set), learned in a way you trust')
    .option('--signer <file>', 'the institution\'s public key (JWK), learned in a way you trust')
    .option('--offline', 'fetch nothing')
    .option('--log <url>', 'address of the log; that of the platform the report names when left out')
    .action(async (file: string, options: Flags) => {
      const text = readText(file);
      const named = namedIn(text);
      const { keys, source } = await chooseKeys(options, { keys: named.keys, where: 'in the report', platform: named.platform });
      const trust = options.key === undefined || options.offline ? undefined : await trustOf(options);
      const checked = await checkCreditReport(text, {
        keys, clock: systemClock, ...(options.signer === undefined ? {} : { signer: readJson(options.signer, keysLengthMax) as JWK }),
        ...(trust === undefined ? {} : { inclusion: { proof: await fetchProof(options.log ?? `${named.platform}/v1/log`, named.index), trust } }),
      });
      show(cli, options, checkedJson(checked, source), () => checkedText(checked, source, options.signer !== undefined));
    });
}

function readText(file: string): string {
  try {
    if (statSync(file).size <= pageLengthMax) return readFileSync(file, 'utf8');
  } catch {
    // answered below
  }
  throw new VeilgateError('CONFIG_INVALID', 'This file is not there or is too long: check its name.', { file });
}

/** Where to fetch what proves the report; believed for nothing else. Errors: REPORT_INVALID. */
function namedIn(text: string): { readonly platform: string; readonly keys: JSONWebKeySet; readonly index: number } {
  try {
    const { report } = JSON.parse(fileInPage(text) ?? text) as CreditReportFile;
    decodeProtectedHeader(report.receipt);
    if (URL.parse(report.platform) === null || !Number.isSafeInteger(report.entry.index)) throw new TypeError('names no platform');
    return { platform: report.platform, keys: report.keys, index: report.entry.index };
  } catch {
    throw new VeilgateError('REPORT_INVALID', 'This is no credit report as Veilgate writes one: ask for the file as it was made.', { fault: 'malformed' });
  }
}

function checkedJson({ file: { report }, receipt, signer, checkpoint }: CheckedCreditReport, source: string): object {
  return {
    platform: report.platform, institution: report.institution, signer, subject: report.answer.subject, purpose: report.answer.purpose, grant: report.answer.grant, policy: report.answer.policy,
    answered_at: report.entry.record['at'], made_at: report.made_at, keys: source, log: { origin: receipt.log.origin, index: receipt.log.index },
    included_in: checkpoint === undefined ? null : { origin: checkpoint.origin, size: checkpoint.size },
  };
}

function checkedText({ file: { report }, receipt, signer, checkpoint }: CheckedCreditReport, source: string, signerKnown: boolean): string {
  return `The report is right: the institution signed it, and the platform gave these values in answer to this request.\n${pairs({
    platform: report.platform, 'keys used': source, institution: report.institution, 'signed with': `${signer}${signerKnown ? '' : ', not compared: name the institution\'s key with --signer'}`,
    enterprise: report.answer.subject, purpose: report.answer.purpose, grant: report.answer.grant, policy: report.answer.policy, answered: report.entry.record['at'], made: report.made_at,
    'log entry': `${receipt.log.index} of ${receipt.log.origin}`, 'in the log': checkpoint === undefined ? 'not checked: name the log\'s --key, without --offline' : `yes, proven under a signed checkpoint of ${checkpoint.size} entries`,
  })}`;
}
