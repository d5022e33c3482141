import { Option, type Command } from 'commander';
import { fromBase64url } from '../audit/bytes.ts';
import { verifyLogProof } from '../audit/proof.ts';
import { VeilgateError } from '../errors.ts';
import { auditorClient, type AccessFilter, type EntryView } from '../sdk/auditor.ts';
import { connectAs, gatewayIfAny } from './access.ts';
import { entriesCommand } from './audit-entries.ts';
import { entryCommands } from './audit-entry.ts';
import { receiptCommand, trustOptions } from './audit-receipt.ts';
import { requestCommand } from './audit-request.ts';
import { reportJson, reportText, trustOf, verifyRemembered, type TrustFlags } from './audit-verify.ts';
import { moment, noun, show, verb, wholeNumber } from './command.ts';
import { fetchProof } from './log-text.ts';
import { reserveFile } from './secret-file.ts';
import { table } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };

const indexOf = wholeNumber(0, Number.MAX_SAFE_INTEGER);

/** `veilgate audit`: the log, verified by one's own means. */
export function auditCommand(cli: Cli): Command {
  const audit = noun('audit', 'Verify the log and receipts; see who accessed what');
  verifyCommand(cli, audit);
  receiptCommand(cli, audit);
  accessesCommand(cli, audit);
  entriesCommand(cli, audit);
  entryCommands(cli, audit);
  requestCommand(cli, audit);
  proofCommand(cli, audit);
  return audit;
}

type VerifyFlags = Json & TrustFlags & { readonly log?: string; readonly remember?: string; readonly records?: true; readonly timeoutSeconds: number };

function verifyCommand(cli: Cli, audit: Command): void {
  trustOptions(verb(audit, 'verify', {
    summary: 'Verify the whole log by yourself: every entry, every hash, every checkpoint it ever signed',
    detail: 'Needs no credentials and trusts nothing but the keys you name. With --remember the newest checkpoint is kept, and next time the log must continue it: whoever rewrites the log is found out. With --records (auditors) every record is held against its entry as well. Exit code 1 when anything is wrong; the first wrong entry is named.',
    examples: ["audit verify --log https://gateway.example/v1/log --key 'gateway.example/log+1234abcd+AZ…' --remember checkpoint.txt", "audit verify --key 'gateway.example/log+1234abcd+AZ…' --records"],
  }))
    .option('--log <url>', 'address of the log; the gateway\'s own when left out')
    .option('--remember <file>', 'checkpoint seen last, read before and written after')
    .option('--records', 'also check the records, as an auditor with credentials')
    .option('--timeout-seconds <n>', 'how long to wait for each answer', wholeNumber(1, 600), 30)
    .action(async (options: VerifyFlags, command: Command) => {
      const trust = await trustOf(options);
      const gateway = gatewayIfAny(cli, command);
      const url = options.log ?? (gateway === undefined ? undefined : `${gateway}/v1/log`);
      if (url === undefined || URL.parse(url) === null) throw new VeilgateError('CONFIG_INVALID', 'Say which log: --log URL, or --gateway URL for the gateway\'s own.');
      const records = options.records ? auditorClient(await connectAs(cli, command, ['audit'])).records : undefined;
      const { report, rememberedSize } = await verifyRemembered({ url, trust, remember: options.remember, records, timeoutMs: options.timeoutSeconds * 1000, watch: cli.terminal.stderr });
      if (report.kind === 'unsound') cli.fail();
      show(cli, options, reportJson(report, rememberedSize), () => reportText(report, rememberedSize));
    });
}

type AccessFlags = Json & AccessFilter;

function accessesCommand(cli: Cli, audit: Command): void {
  verb(audit, 'accesses', {
    summary: 'What happened, newest first: to your enterprise, by your bank, or everything for an auditor',
    examples: ['audit accesses', 'audit accesses --institution bank-a --limit 20', 'audit accesses --outcome released --from 2026-09-01T00:00:00+08:00'],
  })
    .option('--institution <id>', 'only of this institution')
    .option('--from <time>', 'only from this moment on, such as 2026-09-01T00:00:00+08:00', moment)
    .option('--to <time>', 'only before this moment', moment)
    .addOption(new Option('--outcome <outcome>', 'only answers and scores that went out, or were refused').choices(['released', 'refused']))
    .option('--grant <id>', 'only what happened to this grant and under it')
    .option('--limit <n>', 'how many at once', wholeNumber(1, 500))
    .option('--before <index>', 'go on before this entry', indexOf)
    .action(async (options: AccessFlags, command: Command) => {
      const { json: _json, ...filter } = options;
      const answer = await auditorClient(await connectAs(cli, command, ['audit', 'grants', 'query'])).accesses(filter);
      show(cli, options, answer, () => table(['entry', 'at', 'what', 'actor', 'institution', 'subject', 'purpose', 'refused'], answer.accesses.map(accessRow)));
    });
}

function accessRow({ index, at, kind, actor, institution, record }: EntryView): readonly unknown[] {
  const said = (name: string) => record?.[name] ?? '';
  return [index, at, kind, actor, institution, record === null ? '(erased)' : said('subject'), said('purpose'), said('code')];
}

type ProofFlags = Json & TrustFlags & { readonly log?: string; readonly commitment?: string; readonly out?: string };

function proofCommand(cli: Cli, audit: Command): void {
  trustOptions(verb(audit, 'proof', {
    summary: 'Get the proof that an entry is in the log, to keep (C2SP tlog-proof)',
    detail: 'With --commitment, as `audit entry` shows it, and --key the proof is verified as well.',
    examples: ['audit proof 17 --log https://gateway.example/v1/log --out entry-17.proof'],
  }))
    .argument('<index>', 'number of the entry, from 0', indexOf)
    .option('--log <url>', 'address of the log; the gateway\'s own when left out')
    .option('--commitment <base64url>', 'what the entry is, to verify the proof')
    .option('--out <file>', 'write the proof to this new file instead of printing it')
    .action(async (index: number, options: ProofFlags, command: Command) => {
      const gateway = gatewayIfAny(cli, command);
      const log = options.log ?? (gateway === undefined ? undefined : `${gateway}/v1/log`);
      if (log === undefined) throw new VeilgateError('CONFIG_INVALID', 'Say which log: --log URL, or --gateway URL for the gateway\'s own.');
      const commitment = options.commitment === undefined ? undefined : fromBase64url(options.commitment);
      if (options.commitment !== undefined && commitment?.length !== 32) throw new VeilgateError('CONFIG_INVALID', 'A commitment is 32 bytes in base64url: copy it from `veilgate audit entry`.');
      const trust = commitment === undefined ? undefined : await trustOf(options);
      const proof = await fetchProof(log, index);
      if (commitment !== undefined && trust !== undefined) await verifyLogProof(proof, { index, commitment }, trust);
      if (options.out !== undefined) reserveFile(options.out).write(proof);
      show(cli, options, { index, verified: trust !== undefined, ...(options.out === undefined ? { proof } : { saved: options.out }) }, () =>
        (options.out === undefined ? proof : `Kept in ${options.out}${trust === undefined ? ', not verified' : ', verified'}\n`));
    });
}
