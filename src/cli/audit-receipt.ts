import type { JSONWebKeySet } from 'jose';
import type { Command } from 'commander';
import { verifyReceiptInclusion, type Receipt } from '../audit/receipt.ts';
import { checkReceipt } from '../sdk/answer-file.ts';
import { checkScoreReceipt, isScoreFile } from '../sdk/score-file.ts';
import { readAnswerFile } from './answer-file.ts';
import { readScoreFile } from './score-file.ts';
import { trustOf, type TrustFlags } from './audit-verify.ts';
import { repeated, show, verb, wholeNumber } from './command.ts';
import { chooseKeys, type KeySetFlags } from './key-set.ts';
import { fetchProof } from './log-text.ts';
import { readJson } from './secret-file.ts';
import { pairs } from './table.ts';
import type { Cli } from './terminal.ts';

type Flags = TrustFlags & KeySetFlags & { readonly json?: true; readonly log?: string };

const keptLengthMax = 16_777_216;

type Kept = { readonly gateway: string; readonly keys: JSONWebKeySet; readonly check: (keys: JSONWebKeySet) => Promise<Receipt> };

/** What `query ask --out` or `score one --out` wrote. Errors: CONFIG_INVALID. */
function readKept(file: string): Kept {
  if (isScoreFile(readJson(file, keptLengthMax))) {
    const score = readScoreFile(file);
    return { gateway: score.gateway, keys: score.keys, check: (keys) => checkScoreReceipt(score, keys) };
  }
  const answer = readAnswerFile(file);
  return { gateway: answer.gateway, keys: answer.keys, check: (keys) => checkReceipt(answer, keys) };
}

/** `veilgate audit receipt FILE`: proves an answer that was kept. Needs no credentials. */
export function receiptCommand(cli: Cli, audit: Command): void {
  trustOptions(verb(audit, 'receipt <file>', {
    summary: 'Check the receipt of a saved answer or score: signature, request, answer, record, and its place in the log',
    detail: 'The place in the log is checked when --key names the log\'s verifier key. With --offline nothing is fetched: the platform\'s keys are those kept with the answer, or those of --keys.',
    examples: ["audit receipt answer.json --key 'gateway.example/log+1234abcd+AZ…'", 'audit receipt answer.json --offline --keys jwks.json'],
  }))
    .option('--keys <file>', 'the platform\'s public keys (JWK set), learned in a way you trust')
    .option('--offline', 'fetch nothing')
    .option('--log <url>', 'address of the log; that of the gateway the answer came from when left out')
    .action(async (file: string, options: Flags) => {
      const saved = readKept(file);
      const { keys, source } = await chooseKeys(options, { keys: saved.keys, where: 'with the answer', platform: saved.gateway });
      const trust = options.key === undefined || options.offline ? undefined : await trustOf(options);
      const receipt = await saved.check(keys);
      const checkpoint = trust === undefined ? undefined : await verifyReceiptInclusion(receipt, await fetchProof(options.log ?? `${saved.gateway}/v1/log`, receipt.log.index), trust);
      show(cli, options, { ...receiptJson(receipt), included_in: checkpoint === undefined ? null : { origin: checkpoint.origin, size: checkpoint.size } }, () => receiptText(receipt, source, checkpoint?.size));
    });
}

/** Options that say whom to trust. */
export function trustOptions(command: Command): Command {
  return command
    .option('--key <vkey>', 'verifier key of the log; may be repeated while a key is being replaced', repeated)
    .option('--witness <vkey>', 'verifier key of a witness that must have cosigned; may be repeated', repeated)
    .option('--witnesses-min <n>', 'how many of the witnesses must have cosigned; all when left out', wholeNumber(0, 64));
}

function receiptJson({ issuer, institution, issuedAtS, log, outcome, policy, decision, grant, answer, request }: Receipt): object {
  return { issuer, institution, issued_at: new Date(issuedAtS * 1000).toISOString(), outcome, log: { origin: log.origin, index: log.index }, grant, policy, decision, request, answer };
}

function receiptText(receipt: Receipt, source: string, size: number | undefined): string {
  return `The receipt is right: the platform signed it, and it is about this request, this answer and this record.\n${pairs({
    'keys used': source, platform: receipt.issuer, institution: receipt.institution, issued: new Date(receipt.issuedAtS * 1000).toISOString(), grant: receipt.grant, policy: receipt.policy,
    'log entry': `${receipt.log.index} of ${receipt.log.origin}`, 'in the log': size === undefined ? 'not checked: name the log\'s --key, without --offline' : `yes, proven under a signed checkpoint of ${size} entries`,
  })}`;
}
