import { createWriteStream, mkdirSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Command, InvalidArgumentError } from 'commander';
import { featuresOfDataset, loadFeatures } from '../../src/scoring/feature/load.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import { featuresCsv } from './features.ts';
import { generateSample } from './generate.ts';
import { defaultAsOf, defaultPeriods } from './profile.ts';

/** `node scripts/sample/main.ts --enterprises 1000 --out folder`: the sample platform as CSV files. */
const whole = (text: string) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0 || value > 1e9) throw new InvalidArgumentError('a whole number from 0 to 10^9 is needed');
  return value;
};
const command = new Command('sample')
  .description('Writes the sample platform: real financial ratios (sample/LICENSE.md), everything else made up.')
  .requiredOption('--out <folder>', 'where the CSV files go')
  .option('--features <dataset>', 'write <dataset>-features.csv for `veilgate domain encrypt`, and nothing else')
  .option('--enterprises <n>', 'how many enterprises', whole, 1000)
  .option('--seed <n>', 'equal seeds give equal data', whole, 1)
  .option('--as-of <date>', 'the day the data are as of', defaultAsOf)
  .option('--periods <n>', 'months of the periodic datasets', whole, defaultPeriods)
  .parse();
const options = command.opts<{ out: string; features?: string; enterprises: number; seed: number; asOf: string; periods: number }>();
const policies = path.join(import.meta.dirname, '../../policies');
const catalogue = loadCatalogue(path.join(policies, 'catalogue'));
const files = options.features === undefined ? await generateSample(catalogue, { ...options, outFolder: options.out }) : [await writeFeatures(options.features)];
process.stdout.write(`${files.join('\n')}\n`);

async function writeFeatures(dataset: string): Promise<string> {
  const file = path.join(options.out, `${dataset}-features.csv`);
  mkdirSync(options.out, { recursive: true });
  await pipeline(Readable.from(featuresCsv(dataset, featuresOfDataset(loadFeatures(policies, catalogue), dataset), options)), createWriteStream(file));
  return file;
}
