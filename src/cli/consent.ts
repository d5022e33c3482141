import { rmSync } from 'node:fs';
import type { Command } from 'commander';
import { exportJWK, importJWK, type CryptoKey, type JWK } from 'jose';
import * as oauth from 'oauth4webapi';
import { VeilgateError } from '../errors.ts';
import { beginConsent, finishConsent, type ConsentSecrets } from '../sdk/consent-flow.ts';
import type { Connection, ConnectionOptions } from '../sdk/connection.ts';
import { grantsClient } from '../sdk/grants.ts';
import { connectAs } from './access.ts';
import { noun, show, verb, wholeNumber } from './command.ts';
import { listenForCallback } from './consent-callback.ts';
import { grantText } from './grant.ts';
import { readSecretJson, reserveFile } from './secret-file.ts';
import { termsOf, termsOptions, type TermsFlags } from './terms-options.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };
type RequestFlags = Json & TermsFlags & { readonly listen?: number; readonly waitMinutes: number; readonly redirectUri?: string; readonly pending: string };

const defaultPending = 'veilgate-consent.json';

/** `veilgate consent`: a bank asks an enterprise for consent, in the enterprise's browser. */
export function consentCommand(cli: Cli): Command {
  const consent = noun('consent', 'Ask an enterprise for consent (banks)');
  termsOptions(verb(consent, 'request <subject>', {
    summary: 'Ask for consent: prints the URL the enterprise\'s representative opens',
    detail: 'With --listen the command waits until the browser comes back to http://127.0.0.1:PORT/callback on this machine. Without it, what is needed to finish is kept in a file that only you can read, and `consent finish` takes the URL the browser came back to. Either redirect URI must be registered.',
    examples: [
      'consent request 91370202MA00QJTFYT --purpose pre_loan_review --original registry.name --desensitised owner.name --valid-days 30 --data-life-days 90 --listen 8400',
      'consent request 91370202MA00QJTFYT --terms terms.json --redirect-uri https://bank-a.example/callback --pending request.json',
    ],
  }))
    .option('--listen <port>', 'wait for the browser on this port of this machine', wholeNumber(1, 65_535))
    .option('--wait-minutes <n>', 'how long to wait with --listen', wholeNumber(1, 30), 30)
    .option('--redirect-uri <uri>', 'where the browser returns to without --listen')
    .option('--pending <file>', 'new file for what `consent finish` needs', defaultPending)
    .action(async (subject: string, options: RequestFlags, command: Command) => (options.listen === undefined ? requestAndKeep(cli, subject, options, command) : requestAndWait(cli, subject, { ...options, listen: options.listen }, command)));

  verb(consent, 'finish <callback>', {
    summary: 'Finish a consent request with the URL the browser came back to',
    detail: 'Put the URL in quotes. The file of the request is removed once the grant is there.',
    examples: ['consent finish "https://bank-a.example/callback?code=…&state=…&iss=…" --pending request.json'],
  })
    .option('--pending <file>', 'file that `consent request` wrote', defaultPending)
    .action(async (callback: string, options: Json & { readonly pending: string }, command: Command) => {
      const { gateway, secrets, dpop } = readPending(options.pending);
      const connection = await connectAs(cli, command, ['query'], { dpopKeys: await importKeys(dpop) });
      if (connection.gateway !== gateway) throw new VeilgateError('CONFIG_INVALID', 'The request was made at another platform: name that one with --gateway.', { file: options.pending });
      await showGrant(cli, options, connection, secrets, callback);
      rmSync(options.pending, { force: true });
    });
  return consent;
}

async function requestAndKeep(cli: Cli, subject: string, options: RequestFlags, command: Command): Promise<void> {
  const terms = termsOf(subject, options);
  if (options.redirectUri === undefined) throw new VeilgateError('CONFIG_INVALID', 'Say where the browser returns to: --redirect-uri URI, or --listen PORT to wait for it here.');
  // the code will be bound to this key, so another process needs it to finish
  const keys = await oauth.generateKeyPair('Ed25519', { extractable: true });
  const connection = await connectAs(cli, command, ['query'], { dpopKeys: keys });
  const file = reserveFile(options.pending);
  try {
    const { url, secrets } = await beginConsent(connection, terms, options.redirectUri);
    file.write(`${JSON.stringify({ gateway: connection.gateway, party: connection.credentials.party, secrets, dpop: { ...(await exportJWK(keys.privateKey)) } })}\n`);
    show(cli, options, { url, pending: options.pending }, () => `The enterprise's representative opens this, within a minute or so:\n\n  ${url}\n\nThen: veilgate consent finish "<the URL the browser came back to>" --pending ${options.pending}\n`);
  } catch (error) {
    file.discard();
    throw error;
  }
}

async function requestAndWait(cli: Cli, subject: string, options: RequestFlags & { readonly listen: number }, command: Command): Promise<void> {
  const terms = termsOf(subject, options);
  const connection = await connectAs(cli, command, ['query']);
  const listener = await listenForCallback(options.listen);
  try {
    const { url, secrets } = await beginConsent(connection, terms, listener.redirectUri);
    const callback = listener.callback(secrets.state, options.waitMinutes * 60_000);
    // the address is for a person also when the result is for a machine
    cli.terminal.stderr.write(`The enterprise's representative opens this, within a minute or so, in a browser on this machine:\n\n  ${url}\n\nWaiting for the decision …\n`);
    await showGrant(cli, options, connection, secrets, await callback);
  } finally {
    listener.close();
  }
}

/** The tokens that come with a consent are let go: the grant is enough to ask under, and nothing has to be kept. */
async function showGrant(cli: Cli, options: Json, connection: Connection, secrets: ConsentSecrets, callback: string): Promise<void> {
  const { grant } = await finishConsent(connection, secrets, callback);
  const view = await grantsClient(connection).readGrant(grant);
  show(cli, options, view, () => grantText(view));
}

function readPending(file: string): { readonly gateway: string; readonly secrets: ConsentSecrets; readonly dpop: JWK } {
  const { gateway, secrets, dpop } = readSecretJson(file);
  const { state, verifier, redirectUri } = (secrets ?? {}) as Partial<ConsentSecrets>;
  if (typeof gateway !== 'string' || typeof state !== 'string' || typeof verifier !== 'string' || typeof redirectUri !== 'string' || typeof dpop !== 'object' || dpop === null) {
    throw new VeilgateError('CONFIG_INVALID', 'This is no consent request under way: name the file that `veilgate consent request` wrote.', { file });
  }
  return { gateway, secrets: { state, verifier, redirectUri }, dpop: dpop as JWK };
}

async function importKeys({ d, ...publicJwk }: JWK): Promise<NonNullable<ConnectionOptions['dpopKeys']>> {
  try {
    return {
      privateKey: (await importJWK({ ...publicJwk, d } as JWK, 'EdDSA', { extractable: false })) as CryptoKey,
      publicKey: (await importJWK(publicJwk, 'EdDSA', { extractable: true })) as CryptoKey,
    };
  } catch {
    throw new VeilgateError('CONFIG_INVALID', 'The key in the file of the consent request cannot be read: ask for consent again.');
  }
}
