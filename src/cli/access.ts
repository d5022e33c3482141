import type { Command } from 'commander';
import { VeilgateError, isVeilgateError } from '../errors.ts';
import { connect, type Connection, type ConnectionOptions } from '../sdk/connection.ts';
import { readCredentials, type Credentials, type CredentialsFile } from '../sdk/keys.ts';
import type { Scope } from '../vocabulary.ts';
import { readSecretJson } from './secret-file.ts';
import type { Cli } from './terminal.ts';

/** Scopes in the order in which parties are most likely to have them. */
export const anyScope: readonly Scope[] = ['query', 'records', 'grants', 'registry', 'compliance', 'audit'];

/** The gateway's URL from --gateway or VEILGATE_CLI_GATEWAY. Errors: CONFIG_INVALID. */
export function gatewayOf(cli: Cli, command: Command): string {
  const gateway = setting(cli, command, 'gateway', 'VEILGATE_CLI_GATEWAY');
  if (gateway === undefined) throw new VeilgateError('CONFIG_INVALID', 'Say which platform: --gateway URL, or VEILGATE_CLI_GATEWAY.');
  if (URL.parse(gateway) === null) throw new VeilgateError('CONFIG_INVALID', 'The gateway\'s address is no URL: write it like https://gateway.example.');
  return gateway.replace(/\/+$/, '');
}

/** The same, where a command can do without. */
export function gatewayIfAny(cli: Cli, command: Command): string | undefined {
  return setting(cli, command, 'gateway', 'VEILGATE_CLI_GATEWAY') === undefined ? undefined : gatewayOf(cli, command);
}

/** Keys from --credentials or VEILGATE_CLI_CREDENTIALS. Errors: CONFIG_INVALID, CONFIG_INSECURE. */
export async function credentialsOf(cli: Cli, command: Command): Promise<Credentials> {
  const file = setting(cli, command, 'credentials', 'VEILGATE_CLI_CREDENTIALS');
  if (file === undefined) throw new VeilgateError('CONFIG_INVALID', 'Say who you are: --credentials FILE, or VEILGATE_CLI_CREDENTIALS; `veilgate key generate` makes such a file.');
  return credentialsIn(file);
}

/** Keys in a file that `key generate` wrote. Errors: CONFIG_INVALID, CONFIG_INSECURE. */
export async function credentialsIn(file: string): Promise<Credentials> {
  const content = readSecretJson(file);
  try {
    return await readCredentials(content as CredentialsFile);
  } catch {
    throw new VeilgateError('CONFIG_INVALID', 'This file holds no credentials (party, signing, encryption): `veilgate key generate` makes such a file.', { file });
  }
}

/**
 * Connects with the first of the scopes the platform gives this party: a grant can be read as its enterprise and as its
 * bank, and the credentials do not say which one that is. Errors: CONFIG_*, GATEWAY_UNAVAILABLE, PARTY_NOT_PERMITTED, TOKEN_*.
 */
export async function connectAs(cli: Cli, command: Command, scopes: readonly Scope[], more: Pick<ConnectionOptions, 'dpopKeys'> = {}): Promise<Connection> {
  const gateway = gatewayOf(cli, command);
  const credentials = await credentialsOf(cli, command);
  for (const [at, scope] of scopes.entries()) {
    const connection = await connect({ gateway, credentials, scope, ...more });
    try {
      await connection.token();
      return connection;
    } catch (error) {
      if (!isVeilgateError(error, 'TOKEN_SCOPE_INSUFFICIENT') || at === scopes.length - 1) throw error;
    }
  }
  throw new VeilgateError('INTERNAL', 'The command asks for no scope at all: report this.');
}

function setting(cli: Cli, command: Command, option: string, variable: string): string | undefined {
  const given = command.optsWithGlobals<Readonly<Record<string, string | undefined>>>()[option] ?? cli.terminal.env[variable];
  return given === '' ? undefined : given;
}
