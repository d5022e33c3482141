import { Option, type Command } from 'commander';
import type { JWK } from 'jose';
import { VeilgateError } from '../errors.ts';
import { keyClient } from '../sdk/key-change.ts';
import { generateCredentialsFile, publicKeys, readCredentials } from '../sdk/keys.ts';
import { anyScope, connectAs, credentialsIn } from './access.ts';
import { noun, show, verb } from './command.ts';
import { readJson, readSecretJson, replaceSecret, reserveFile } from './secret-file.ts';
import { pairs } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };

/** `veilgate key`: a party's own keys. Private halves stay in their file. */
export function keyCommand(cli: Cli): Command {
  const key = noun('key', 'Make, show, add and retire keys of your own');

  verb(key, 'generate', {
    summary: 'Make new keys and write them to a file that only you can read',
    examples: ['key generate --party bank-a --encryption --out bank-a.json', 'key generate --party tax_bureau --out tax_bureau.json'],
  })
    .requiredOption('--party <id>', 'id of the party the keys are for')
    .requiredOption('--out <file>', 'file to write; must not be there yet')
    .option('--encryption', 'also make a key that opens sealed answers (banks need one)')
    .action(async (options: Json & { readonly party: string; readonly out: string; readonly encryption?: true }) => {
      const file = reserveFile(options.out);
      const content = await generateCredentialsFile(options.party, { encryption: options.encryption === true });
      file.write(`${JSON.stringify(content, null, 2)}\n`);
      const credentials = await readCredentials(content);
      const thumbprints = { signing: credentials.signing.publicJwk.kid, encryption: credentials.encryption?.publicJwk.kid };
      show(cli, options, { party: options.party, file: options.out, ...thumbprints }, () => pairs({ party: options.party, ...thumbprints, 'private keys in': options.out }));
    });

  verb(key, 'show <file>', {
    summary: 'Print the public halves of a credentials file, to hand over for registration',
    examples: ['key show bank-a.json'],
  }).action(async (file: string) => {
    cli.terminal.stdout.write(`${JSON.stringify({ keys: publicKeys(await credentialsIn(file)) }, null, 2)}\n`);
  });

  verb(key, 'assign <file> <party>', {
    summary: 'Say whose keys a file holds, once the platform has given the party its id',
    detail: 'An enterprise gets its id when it is registered, after its keys were made.',
    examples: ['key assign enterprise.json ent-0f3b52c1a9d84e7b6c10'],
  }).action(async (file: string, party: string, options: Json) => {
    await credentialsIn(file);
    replaceSecret(file, `${JSON.stringify({ ...readSecretJson(file), party }, null, 2)}\n`);
    show(cli, options, { party, file }, () => `${file} holds the keys of ${party} now.\n`);
  });

  verb(key, 'add <file>', {
    summary: 'Register new keys of your own, signed for with the key in use',
    detail: 'FILE is what `key generate` wrote for the same party. From then on either file works; retire the old key once nothing uses it.',
    examples: ['key generate --party bank-a --encryption --out bank-a-2027.json', 'key add bank-a-2027.json'],
  })
    .addOption(new Option('--use <use>', 'register only this one').choices(['sig', 'enc']))
    .action(async (file: string, options: Json & { readonly use?: 'sig' | 'enc' }, command: Command) => {
      const added = await credentialsIn(file);
      const connection = await connectAs(cli, command, anyScope);
      if (added.party !== connection.credentials.party) throw new VeilgateError('CONFIG_INVALID', 'These keys were made for another party: make them with --party of your own id.', { file });
      const client = keyClient(connection);
      const signing = options.use === 'enc' ? undefined : await client.add(added.signing, 'sig');
      const encryption = options.use === 'sig' || added.encryption === undefined ? undefined : await client.add(added.encryption, 'enc');
      show(cli, options, { signing: signing?.thumbprint, encryption: encryption?.thumbprint }, () => `In use now.\n${pairs({ signing: signing?.thumbprint, encryption: encryption?.thumbprint })}`);
    });

  verb(key, 'retire <thumbprint>', {
    summary: 'Take a key of your own out of use, at once and for ever',
    detail: 'The thumbprint (RFC 7638) is the `kid` that `key show` prints. The last signing key cannot be retired.',
    examples: ['key retire NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'],
  }).action(async (thumbprint: string, options: Json, command: Command) => {
    const answer = await keyClient(await connectAs(cli, command, anyScope)).retire(thumbprint);
    show(cli, options, answer, () => `Retired ${answer.thumbprint}\n`);
  });
  return key;
}

const publicMembers = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'use', 'alg'] as const;
const keyFileLengthMax = 65_536;

/**
 * The public signature key in a file: a JWK, a JWK set as `key show` prints it, or a credentials file, of which
 * only the public half is taken. Errors: CONFIG_INVALID.
 */
export function publicKeyIn(file: string): JWK {
  const content = readJson(file, keyFileLengthMax);
  const keys = Array.isArray(content['keys']) ? (content['keys'] as readonly unknown[]) : [content['signing'] ?? content];
  const found = keys.find((key) => isObject(key) && typeof key['kty'] === 'string' && key['use'] !== 'enc');
  if (!isObject(found)) throw new VeilgateError('CONFIG_INVALID', 'This file holds no public signature key: use what `veilgate key show` prints.', { file });
  return Object.fromEntries(publicMembers.flatMap((name) => (found[name] === undefined ? [] : [[name, found[name]]]))) as JWK;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
