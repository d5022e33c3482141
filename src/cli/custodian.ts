import type { Command } from 'commander';
import { systemClock } from '../clock.ts';
import { admitBank, clearAlarms, listBanks, setBankState } from '../custodian/banks.ts';
import { readCustodianConfig } from '../custodian/config.ts';
import { openCustodianDatabase } from '../custodian/database.ts';
import { custodianStatement, makeLoggedKey, retireLoggedKey } from '../custodian/operator.ts';
import type { CustodianConfig } from '../custodian/settings.ts';
import type { Database } from '../store/database.ts';
import { noun, show, verb, type CommandText } from './command.ts';
import { readJson } from './secret-file.ts';
import { pairs, table } from './table.ts';
import type { Cli } from './terminal.ts';

type Options = { readonly json?: true; readonly config?: string };

const jwksLengthMax = 65_536;

/**
 * `veilgate custodian`: what the operator of a key custodian does, on the custodian's own folder and database. Nothing of
 * it goes over the gateway. Settings are the custodian's (CUSTODIAN_…), from the environment or --config.
 */
export function custodianCommand(cli: Cli): Command {
  const custodian = noun('custodian', 'Run a key custodian: keys, banks, alarms; on its own machine (custodian\'s operator)');
  const command = (usage: string, text: CommandText) => verb(custodian, usage, text).option('--config <file>', 'the custodian\'s configuration file; CUSTODIAN_CONFIG_FILE when left out');
  const configOf = ({ config }: Options) => readCustodianConfig({ ...cli.terminal.env }, systemClock.nowMs(), config);
  const withDatabase = async <T>(options: Options, work: (database: Database, config: CustodianConfig) => Promise<T>): Promise<T> => {
    const config = configOf(options);
    const { database, close } = await openCustodianDatabase(config);
    return work(database, config).finally(close);
  };
  keyCommands(cli, command, configOf, withDatabase);
  bankCommands(cli, command, withDatabase);

  command('clear-alarms', {
    summary: 'Open results again after a block that was not masked',
    detail: 'An alarm means that the gateway sent what it must not send: find out why before you clear it.',
    examples: ['custodian clear-alarms'],
  }).action(async (options: Options) => {
    const tickets = await withDatabase(options, (database) => clearAlarms(database, systemClock));
    show(cli, options, { cleared: tickets }, () => (tickets.length === 0 ? 'There was no alarm.\n' : `Cleared; the tickets they came with: ${tickets.join(', ')}\n`));
  });
  return custodian;
}

type Declare = (usage: string, text: CommandText) => Command;
type WithDatabase = <T>(options: Options, work: (database: Database, config: CustodianConfig) => Promise<T>) => Promise<T>;

function keyCommands(cli: Cli, command: Declare, configOf: (options: Options) => CustodianConfig, withDatabase: WithDatabase): void {
  command('make-key', {
    summary: 'Make a homomorphic key pair; new columns are encrypted under the newest',
    detail: 'The running custodian takes it up on SIGHUP or at its next start. Then the platform moves its columns to it.',
    examples: ['custodian make-key'],
  }).action(async (options: Options) => {
    const key = await withDatabase(options, (database, config) => makeLoggedKey(config.keysFolder, database, systemClock));
    const facts = { key: key.id, parameters: key.set.id, created: key.created, digest: key.digest };
    show(cli, options, facts, () => pairs(facts));
  });
  command('retire-key <id>', {
    summary: 'Destroy an older key pair, for good',
    detail: 'Whatever is still encrypted under it can never be opened again: retire it when the platform says that no column is.',
    examples: ['custodian retire-key 20260102-0123456789abcdef'],
  }).action(async (id: string, options: Options) => {
    const key = await withDatabase(options, (database, config) => retireLoggedKey(config.keysFolder, id, database, systemClock));
    show(cli, options, { retired: key.id }, () => `Destroyed ${key.id}\n`);
  });
  command('statement', {
    summary: 'Show what others must know: id, statement key, log key, public keys',
    examples: ['custodian statement', 'custodian statement --json'],
  }).action(async (options: Options) => {
    const statement = await custodianStatement(configOf(options), systemClock);
    show(cli, options, statement, () => pairs({ id: statement.id, 'statement key': statement.statementKey.kid, 'log verifier key': statement.logVerifierKey })
      + table(['key', 'parameters', 'made', 'digest'], statement.keys.map(({ id, parameters, created, digest }) => [id, parameters, created, digest])));
  });
  command('statement-key', {
    summary: 'Print the public statement key, a JWK, for the gateway\'s VEILGATE_CUSTODIAN_KEY_FILE',
    examples: ['custodian statement-key > custodian-key.json'],
  }).action(async (options: Options) => {
    cli.terminal.stdout.write(`${JSON.stringify((await custodianStatement(configOf(options), systemClock)).statementKey)}\n`);
  });
}

function bankCommands(cli: Cli, command: Declare, withDatabase: WithDatabase): void {
  command('admit <bank> <jwks-file>', {
    summary: 'Admit a bank with its public keys, or replace its keys',
    detail: 'The file is what `veilgate key show` prints at the bank. Make sure by a way of your own that it is the bank\'s: the gateway\'s word must not count.',
    examples: ['custodian admit bank-a bank-a.jwks.json'],
  }).action(async (bank: string, file: string, options: Options) => {
    const jwks = readJson(file, jwksLengthMax);
    const admitted = await withDatabase(options, (database) => admitBank(database, systemClock, bank, jwks));
    show(cli, options, admitted, () => `${admitted.id} is ${admitted.state}.\n${table(['key', 'use'], admitted.keys.map(({ thumbprint, use }) => [thumbprint, use]))}`);
  });
  for (const [name, state, summary] of [
    ['suspend', 'suspended', 'Open nothing for a bank from now on'],
    ['reinstate', 'active', 'Open results for a suspended bank again'],
  ] as const) {
    command(`${name} <bank>`, { summary, examples: [`custodian ${name} bank-a`] }).action(async (bank: string, options: Options) => {
      await withDatabase(options, (database) => setBankState(database, systemClock, bank, state));
      show(cli, options, { id: bank, state }, () => `${bank} is ${state} now.\n`);
    });
  }
  command('banks', { summary: 'List banks with their keys in use', examples: ['custodian banks'] }).action(async (options: Options) => {
    const banks = await withDatabase(options, (database) => listBanks(database));
    show(cli, options, { banks }, () => table(['bank', 'state', 'signs with', 'sealed to'], banks.map(({ id, state, keys }) => [
      id, state, ...(['sig', 'enc'] as const).map((use) => keys.filter((key) => key.use === use).map(({ thumbprint }) => thumbprint)),
    ])));
  });
}
