import { Argument, Option, type Command } from 'commander';
import { systemClock } from '../clock.ts';
import { retirePlatformKey, rotateKey, rotatingPurposes, type RotatingPurpose } from '../identity/keyring.ts';
import { noun, show, verb } from './command.ts';
import { pairs } from './table.ts';
import type { Cli } from './terminal.ts';

type Options = { readonly json?: true; readonly keys: string };

/** `veilgate platform-key`: what the platform's operator does with the platform's own keys, in their folder. Nothing of it goes over the gateway. */
export function platformKeyCommand(cli: Cli): Command {
  const keys = noun('platform-key', 'Change the platform\'s own keys, in their folder on its machine (operator)');
  const folder = () => new Option('--keys <folder>', 'the platform\'s keys folder (VEILGATE_KEYS_FOLDER)').makeOptionMandatory();
  const purpose = () => new Argument('<purpose>', 'what the key is for').choices(rotatingPurposes);

  verb(keys, 'rotate', {
    summary: 'Put a new key of a purpose in front of those there are',
    detail: 'It is used from the next start of each node on: start all of them anew. Older ones stay for what was made with them.',
    examples: ['platform-key rotate gateway-signing --keys keys/private'],
  }).addArgument(purpose()).addOption(folder()).action((of: RotatingPurpose, options: Options) => {
    const key = rotateKey(options.keys, of, systemClock);
    show(cli, options, { purpose: of, key }, () => `${pairs({ purpose: of, key })}Start every node anew.\n`);
  });

  verb(keys, 'retire', {
    summary: 'Take an older key of a purpose out for good',
    detail: 'What it signed cannot be checked any more, tokens it made are not recognised, requests it encrypted cannot be read. The newest cannot be retired.',
    examples: ['platform-key retire token-secret 1 --keys keys/private'],
  }).addArgument(purpose()).addArgument(new Argument('<key>', 'its id, as `kid` in the file')).addOption(folder()).action((of: RotatingPurpose, key: string, options: Options) => {
    retirePlatformKey(options.keys, of, key);
    show(cli, options, { purpose: of, retired: key }, () => `Retired ${key}. Start every node anew.\n`);
  });
  return keys;
}
