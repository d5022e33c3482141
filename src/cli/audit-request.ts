import type { Command } from 'commander';
import { fromBase64url } from '../audit/bytes.ts';
import { verifyLogProof } from '../audit/proof.ts';
import { verifySignedRequest, type ProvenRequest } from '../audit/request-check.ts';
import { VeilgateError } from '../errors.ts';
import { auditorClient, type EntryView } from '../sdk/auditor.ts';
import { connectAs } from './access.ts';
import { trustOptions } from './audit-receipt.ts';
import { trustOf, type TrustFlags } from './audit-verify.ts';
import { show, verb, wholeNumber } from './command.ts';
import { fetchProof } from './log-text.ts';
import { reserveFile } from './secret-file.ts';
import { pairs } from './table.ts';
import type { Cli } from './terminal.ts';

type Flags = TrustFlags & { readonly json?: true; readonly out?: string; readonly claims?: true };

/** `veilgate audit request INDEX`: for when an institution denies having asked. */
export function requestCommand(cli: Cli, audit: Command): void {
  trustOptions(verb(audit, 'request', {
    summary: 'Prove who signed the request behind an entry, as an auditor',
    detail: 'Fetches the entry and the request, and checks that the entry commits to the record, that the record names this request, and that the institution signed it with a key that was its own then. With --key, also that the entry is in the log. The request may hold what was claimed of an enterprise: it is shown with --claims or written with --out only, and that it was read is itself an entry of the log.',
    examples: ['audit request 17', "audit request 17 --out request-17.jwt --key 'gateway.example/log+1234abcd+AZ…'"],
  }))
    .argument('<index>', 'number of the entry, from 0', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option('--out <file>', 'write the signed request to this new file, readable by you alone')
    .option('--claims', 'show what was asked')
    .action(async (index: number, options: Flags, command: Command) => {
      const connection = await connectAs(cli, command, ['audit']);
      const auditor = auditorClient(connection);
      const trust = options.key === undefined ? undefined : await trustOf(options);
      const entry = await auditor.entry(index);
      const { commitment, salt, record } = evidenceOf(entry);
      const { request, key } = await auditor.request(index);
      if (key === null) throw new VeilgateError('AUDIT_REQUEST_INVALID', 'The registry has no key by the name the request gives: the request proves nothing, report it.', { fault: 'key' });
      const proven = await verifySignedRequest({ commitment, salt, record, request, key: { jwk: key.jwk, thumbprint: key.thumbprint, addedAt: key.added_at, retiredAt: key.retired_at } });
      if (trust !== undefined) await verifyLogProof(await fetchProof(`${connection.gateway}/v1/log`, index), { index, commitment }, trust);
      if (options.out !== undefined) reserveFile(options.out).write(request);
      const facts = factsOf(entry, record, proven, trust !== undefined);
      show(cli, options, { ...facts, ...(options.claims ? { claims: proven.claims } : {}), ...(options.out === undefined ? {} : { saved: options.out }) }, () => textOf(facts, options, proven));
    });
}

function evidenceOf({ commitment, salt, record }: EntryView) {
  const [commitmentBytes, saltBytes] = [fromBase64url(commitment), salt === null ? undefined : fromBase64url(salt)];
  if (record === null || salt === null) throw new VeilgateError('AUDIT_REQUEST_NOT_FOUND', 'The record of this entry was erased, and the signed request with it.');
  if (commitmentBytes?.length !== 32 || saltBytes?.length !== 32) throw new VeilgateError('AUDIT_UNAVAILABLE', 'The gateway shows the entry in a form that cannot be read: ask the platform.');
  return { commitment: commitmentBytes, salt: saltBytes, record };
}

type Facts = { readonly index: number; readonly kind: string; readonly at: string; readonly signer: string; readonly signed_at: string; readonly key: string; readonly request: unknown; readonly in_log: boolean };

function factsOf({ index, kind, at }: EntryView, record: Readonly<Record<string, unknown>>, { signer, keyThumbprint, signedAtS }: ProvenRequest, inLog: boolean): Facts {
  return { index, kind, at, signer, signed_at: new Date(signedAtS * 1000).toISOString(), key: keyThumbprint, request: record['request'], in_log: inLog };
}

function textOf({ index, kind, at, signer, signed_at, key, request, in_log }: Facts, { out, claims }: Flags, proven: ProvenRequest): string {
  return `${signer} signed the request behind entry ${index}.\n${pairs({
    entry: `${index}, ${kind}`, at, signer, 'signed at': signed_at, 'with its key': key, 'SHA-256 of the request': request,
    'in the log': in_log ? 'yes, proven under a signed checkpoint' : 'not checked: name the log\'s --key',
    ...(out === undefined ? {} : { 'kept in': out }),
  })}${claims ? `\n${JSON.stringify(proven.claims, null, 2)}\n` : ''}`;
}
