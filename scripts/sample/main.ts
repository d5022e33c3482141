import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { loadCatalogue } from '../../src/source/catalogue.ts';
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
  .option('--enterprises <n>', 'how many enterprises', whole, 1000)
  .option('--seed <n>', 'equal seeds give equal data', whole, 1)
  .option('--as-of <date>', 'the day the data are as of', defaultAsOf)
  .option('--periods <n>', 'months of the periodic datasets', whole, defaultPeriods)
  .parse();
const options = command.opts<{ out: string; enterprises: number; seed: number; asOf: string; periods: number }>();
const catalogue = loadCatalogue(path.join(import.meta.dirname, '../../policies/catalogue'));
const files = await generateSample(catalogue, { ...options, outFolder: options.out });
process.stdout.write(`${files.join('\n')}\n`);
