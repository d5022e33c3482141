import { readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createHash } from 'node:crypto';
import type { Command } from 'commander';
import { VeilgateError, isVeilgateError } from '../errors.ts';
import { parameterSetOf, parameterSets, type ParameterSet } from '../he/parameters.ts';
import type { ColumnBuilder } from '../scoring/feature/column-builder.ts';
import type { Feature } from '../scoring/protocol.ts';
import { catalogueClient } from '../sdk/catalogue.ts';
import type { Connection } from '../sdk/connection.ts';
import { refuseShrinking, uploadColumns, type Upload } from '../sdk/feature-upload.ts';
import { featuresClient, type FeaturesClient } from '../sdk/features.ts';
import { connectAs } from './access.ts';
import { list, noun, show, verb, wholeNumber } from './command.ts';
import { readFeatureFile, reasonWords, type FileFault } from './domain-file.ts';
import { fileMemory } from './domain-memory.ts';
import { encryptionThreads } from './encryption-threads.ts';
import { progressLine } from './progress.ts';
import { clean, pairs, table } from './table.ts';
import type { Cli } from './terminal.ts';

type Json = { readonly json?: true };
type EncryptFlags = Json & { readonly key: string; readonly state?: string; readonly features?: readonly string[]; readonly threads: number; readonly format?: string; readonly shrink?: true };

const positionsMax = 10_000;
const threadsMax = 8;

/** `veilgate domain`: what a department does for sealed scoring. */
export function domainCommand(cli: Cli): Command {
  const domain = noun('domain', 'Encrypt features for sealed scoring (departments)');
  const client = async (command: Command) => featuresClient(await connectAs(cli, command, ['records']));
  listings(cli, domain);
  encrypt(cli, domain);

  verb(domain, 'remove <dataset> <subject>', {
    summary: 'Take an enterprise out of every encrypted column at once',
    detail: 'From the answer on no score of it is computed. Its value stays in your ciphertexts, unreachable, until you take it out of your file and encrypt again: only the blocks named are uploaded anew.',
    examples: ['domain remove financials 91370202MA00QJTFYT'],
  }).action(async (dataset: string, subject: string, options: Json, command: Command) => {
    const removal = await (await client(command)).remove(dataset, subject);
    show(cli, options, removal, () => pairs({ block: removal.block, 'columns emptied': removal.columns, 'to encrypt anew': removal.features.join(', ') || 'none of yours' }));
  });

  verb(domain, 'rotate <dataset>', {
    summary: 'Take the dataset\'s columns to the custodian\'s next key without the file',
    detail: 'The gateway masks each column, the custodian encrypts the masked values under its new key, the gateway takes the mask off: nobody sees a value. To encrypt from the file instead, use `domain encrypt` with the new key\'s thumbprint. When the last column of all departments is there, the new key takes the old one\'s place.',
    examples: ['domain rotate financials'],
  }).action(async (dataset: string, options: Json, command: Command) => {
    const connected = await client(command);
    const progress = progressLine(cli.terminal.stderr, (done, all) => `${done} of ${all ?? '?'} columns`);
    let rekeyed = 0;
    try {
      for (;;) {
        const step = await connected.rotate(dataset);
        rekeyed += step.rekeyed;
        progress.show(rekeyed, rekeyed + step.waiting);
        if (step.waiting > 0 && step.rekeyed > 0) continue;
        progress.clear();
        const result = { rekeyed, waiting: step.waiting, waiting_of_all: step.waiting_of_all, rotated: step.rotated };
        show(cli, options, result, () => pairs({ 're-encrypted': rekeyed, 'waiting, yours': step.waiting, 'waiting, all': step.waiting_of_all, 'new key in force': step.rotated ? 'yes' : 'no' }));
        return;
      }
    } finally {
      progress.clear();
    }
  });
  return domain;
}

function listings(cli: Cli, domain: Command): void {
  const client = async (command: Command) => featuresClient(await connectAs(cli, command, ['records']));
  verb(domain, 'features [dataset]', { summary: 'Show which integer each field becomes', examples: ['domain features financials'] })
    .action(async (dataset: string | undefined, options: Json, command: Command) => {
      const features = await (await client(command)).features(dataset);
      show(cli, options, { features }, () => table(['feature', 'field', 'encoding', 'missing', 'range'], features.map((feature) => [feature.id, feature.source, encodingText(feature), feature.missing, `${feature.low}..${feature.high}`])));
    });

  verb(domain, 'keys', {
    summary: 'Show the custodian\'s keys in use',
    detail: 'Compare the thumbprint with the one the custodian publishes itself: whoever gave you another key could read what you encrypt under it.',
    examples: ['domain keys'],
  }).action(async (options: Json, command: Command) => {
    const keys = await (await client(command)).keys();
    show(cli, options, { keys }, () => table(['key', 'state', 'parameters', 'thumbprint'], keys.map((key) => [key.key, key.state, key.parameters, key.thumbprint])));
  });

  verb(domain, 'positions <file>', {
    summary: 'Ask where enterprises stand',
    detail: 'The file holds one unified social credit code on each line; `-` is standard input. Who has no place yet gets the next free one.',
    examples: ['domain positions codes.txt --json'],
  }).action(async (file: string, options: Json, command: Command) => {
    const subjects = readFileSync(file === '-' ? 0 : file, 'utf8').split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== '');
    const connected = await client(command);
    const places: number[] = [];
    for (let at = 0; at < subjects.length; at += positionsMax) places.push(...await connected.positions(subjects.slice(at, at + positionsMax)));
    const { slots } = parameterSets['veilgate-score-1'];
    const positions = places.map((place, at) => ({ subject: subjects[at] as string, block: Math.floor(place / slots), slot: place % slots }));
    show(cli, options, { positions }, () => table(['subject', 'block', 'slot'], positions.map(({ subject, block, slot }) => [subject, block, slot])));
  });

  verb(domain, 'status <dataset>', {
    summary: 'Show which columns are stored',
    detail: 'A stale column still holds the value of an enterprise that was taken out; encrypt it anew.',
    examples: ['domain status financials', 'domain status financials --key score-2026-11'],
  }).option('--key <id>', 'columns under this key; the active one when left out').action(async (dataset: string, options: Json & { readonly key?: string }, command: Command) => {
    const connected = await client(command);
    const [features, blocks] = await Promise.all([connected.features(dataset), connected.status(dataset, options.key)]);
    const rows = features.map(({ id, declaration }) => {
      const own = blocks.filter(({ feature }) => feature === id);
      const sum = (of: (block: (typeof own)[number]) => number) => own.reduce((total, block) => total + of(block), 0);
      return { feature: id, blocks: own.length, enterprises: sum(({ filled }) => filled), stale: sum(({ stale }) => Number(stale)), outdated: sum((block) => Number(block.declaration !== declaration)) };
    });
    show(cli, options, { columns: rows, blocks }, () => table(['feature', 'blocks', 'enterprises', 'stale', 'outdated'], rows.map(({ feature, blocks: count, enterprises, stale, outdated }) => [feature, count, enterprises, stale, outdated])));
  });
}

function encodingText({ encoding }: Feature): string {
  switch (encoding.kind) {
    case 'fixed_point': return `× ${encoding.scale}, ${encoding.min} to ${encoding.max}`;
    case 'indicator': return `1 if ${[encoding.atLeast === undefined ? '' : `≥ ${encoding.atLeast}`, encoding.below === undefined ? '' : `< ${encoding.below}`].filter((part) => part !== '').join(' and ')}`;
    case 'code_indicator': return clean(`1 if ${encoding.codes.join(' or ')}`);
    default: return encoding satisfies never;
  }
}

function encrypt(cli: Cli, domain: Command): void {
  verb(domain, 'encrypt <dataset> <file>', {
    summary: 'Encrypt a file of features and upload what changed',
    detail: 'The file (CSV or NDJSON) holds one row for each enterprise: `subject` and the fields the features are made from, all enterprises of the dataset. All of it is checked before anything is encrypted; a value outside its declared range is refused with its row. What was uploaded is remembered in a file beside it, so that an interrupted upload goes on and a later one sends changed blocks only. Values leave this machine encrypted.',
    examples: ['domain encrypt financials features.csv --key 5f0c…', 'domain encrypt financials features.ndjson --key score-key.bin --threads 2'],
  })
    .requiredOption('--key <thumbprint|file>', 'the custodian\'s public key: its SHA-256 as the custodian publishes it, or the key in a file')
    .option('--state <file>', 'where what was uploaded is remembered; <file>.uploaded when left out')
    .option('--features <names>', 'only these features, separated by commas', list)
    .option('--threads <n>', 'threads that encrypt', wholeNumber(1, threadsMax), Math.min(2, availableParallelism()))
    .option('--format <format>', 'csv or ndjson; by the file\'s ending when left out')
    .option('--shrink', 'the file has fewer than half of the enterprises that are stored, and that is meant')
    .action(async (dataset: string, file: string, options: EncryptFlags, command: Command) => {
      const connection = await connectAs(cli, command, ['records']);
      try {
        const upload = await encryptFile(cli, connection, dataset, file, options);
        show(cli, options, upload, () => pairs({ 'columns stored': upload.stored, unchanged: upload.unchanged, 'values encrypted': upload.values, 'new key in force': upload.rotated ? 'yes' : undefined }));
      } catch (error) {
        if (!isVeilgateError(error, 'FEATURE_VALUE_REFUSED') || options.json) throw error;
        const rejects = (error.detail?.['rejects'] ?? []) as readonly FileFault[];
        cli.fail();
        cli.terminal.stderr.write(`${error.code}: ${error.message}\n${table(['row', 'feature', 'reason'], rejects.map(({ row, feature, reason }) => [row, feature ?? '', reasonWords(reason)]))}`);
      }
    });
}

async function encryptFile(cli: Cli, connection: Connection, dataset: string, file: string, options: EncryptFlags): Promise<Upload> {
  const client = featuresClient(connection);
  const key = await client.publicKey(thumbprintOf(options.key));
  const set = parameterSetOf(key.parameters);
  if (set === undefined) throw new VeilgateError('CONFIG_INVALID', 'The key is for parameters this client does not know: update it.');
  const features = await chosenFeatures(client, dataset, options.features);
  const columns = await readColumns(cli, connection, client, dataset, file, features, set, formatOf(file, options.format));
  if (options.shrink !== true) refuseShrinking(await client.status(dataset, key.key), features, columns);
  const threads = encryptionThreads({ parameters: set.id, publicKey: key.publicKey }, options.threads);
  const progress = progressLine(cli.terminal.stderr, (done, all) => `${done} of ${all ?? '?'} columns`);
  try {
    return await uploadColumns({
      connection, dataset, features, key, columns, encrypt: threads.encrypt, width: options.threads * 2,
      memory: fileMemory(options.state ?? `${file}.uploaded`, dataset, connection.gateway), onProgress: progress.show,
    });
  } finally {
    progress.clear();
    await threads.close();
  }
}

async function chosenFeatures(client: FeaturesClient, dataset: string, names: readonly string[] | undefined): Promise<Feature[]> {
  const declared = await client.features(dataset);
  if (declared.length === 0) throw new VeilgateError('FEATURE_UNKNOWN', 'This dataset has no features: `veilgate domain features` shows those there are.');
  if (names === undefined) return declared;
  const chosen = declared.filter(({ id }) => names.includes(id) || names.includes(id.slice(dataset.length + 1)));
  if (chosen.length < new Set(names).size) throw new VeilgateError('FEATURE_UNKNOWN', 'One of the features named is not declared: `veilgate domain features` shows those there are.');
  return chosen;
}

async function readColumns(cli: Cli, connection: Connection, client: FeaturesClient, dataset: string, file: string, features: readonly Feature[], { slots }: ParameterSet, format: 'csv' | 'ndjson'): Promise<ColumnBuilder> {
  const { datasets } = await catalogueClient(connection).catalogue();
  const fields = datasets.find(({ id }) => id === dataset)?.fields.map(({ field }) => field.slice(dataset.length + 1)) ?? [];
  const progress = progressLine(cli.terminal.stderr, (bytes) => `${(bytes / 1e6).toFixed(1)} MB read`);
  try {
    return await readFeatureFile({ file, format, dataset, fields, features, slots, positions: client.positions, onProgress: progress.show });
  } finally {
    progress.clear();
  }
}

/** A thumbprint as it was given, or that of the key in a file. */
function thumbprintOf(key: string): string {
  if (/^[0-9a-f]{64}$/.test(key)) return key;
  if (statSync(key, { throwIfNoEntry: false })?.isFile() !== true) throw new VeilgateError('CONFIG_INVALID', 'Say which key: 64 hexadecimal digits, or a file with the key. `veilgate domain keys` shows what the platform uses; compare with the custodian.');
  return createHash('sha256').update(readFileSync(key)).digest('hex');
}

function formatOf(file: string, given: string | undefined): 'csv' | 'ndjson' {
  const format = given ?? (/\.csv$/i.test(file) ? 'csv' : /\.(ndjson|jsonl)$/i.test(file) ? 'ndjson' : undefined);
  if (format !== 'csv' && format !== 'ndjson') throw new VeilgateError('CONFIG_INVALID', 'Say which format the file has: --format csv or --format ndjson.');
  return format;
}
