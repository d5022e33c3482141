import { createWriteStream, mkdirSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Catalogue, Dataset, Value } from '../../src/vocabulary.ts';
import { readFigures } from './figures.ts';
import { customsRows, socialInsuranceRows, taxRows, utilityRows, type SampleRow } from './periodic-rows.ts';
import { defaultAsOf, defaultPeriods, periodsBefore, profileOf, type Profile, type SampleOptions } from './profile.ts';
import { creditRows, financialsRows, intellectualPropertyRows, judicialRows, ownerRows, registryRows } from './standing-rows.ts';

type Maker = (profile: Profile, asOf: string, periods: readonly string[]) => Generator<SampleRow>;

const makers: Readonly<Record<string, Maker>> = {
  registry: registryRows,
  owner: ownerRows,
  tax: (profile, _asOf, periods) => taxRows(profile, periods),
  social_insurance: (profile, _asOf, periods) => socialInsuranceRows(profile, periods),
  customs: (profile, _asOf, periods) => customsRows(profile, periods),
  utility: (profile, _asOf, periods) => utilityRows(profile, periods),
  judicial: judicialRows,
  intellectual_property: intellectualPropertyRows,
  credit: creditRows,
  financials: financialsRows,
};

/** Datasets the sample has data for. */
export const sampleDatasets: readonly string[] = Object.keys(makers);

/** Rows of one dataset, enterprise after enterprise, each with its `subject`. Holds one enterprise at a time. */
export function* sampleRows(dataset: string, options: SampleOptions): Generator<SampleRow> {
  const maker = Object.hasOwn(makers, dataset) ? makers[dataset] : undefined;
  if (maker === undefined) throw new RangeError(`the sample has no dataset ${dataset}`);
  const figures = readFigures();
  const asOf = options.asOf ?? defaultAsOf;
  const periods = periodsBefore(asOf, options.periods ?? defaultPeriods);
  for (let n = 0; n < options.enterprises; n += 1) {
    const profile = profileOf(n, options.seed, figures);
    for (const row of maker(profile, asOf, periods)) yield { subject: profile.subject, ...row };
  }
}

/** One dataset of the sample as CSV, in chunks of about 64 KB, header first. */
export function* sampleCsv(dataset: Dataset, options: SampleOptions): Generator<string> {
  const names = ['subject', ...dataset.fields.map(({ name }) => name)];
  let text = `${names.join()}\n`;
  for (const row of sampleRows(dataset.id, options)) {
    text += `${names.map((name) => csvCell(row[name])).join()}\n`;
    if (text.length < 65_536) continue;
    yield text;
    text = '';
  }
  yield text;
}

function csvCell(value: Value | undefined): string {
  if (value === null || value === undefined) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Writes the sample platform as one CSV file per dataset: real financial ratios (sample/LICENSE.md) joined with
 * made-up records of the other departments under made-up credit codes. Streams: any number of enterprises.
 * @returns the files written
 */
export async function generateSample(catalogue: Catalogue, options: SampleOptions & { readonly outFolder: string }): Promise<string[]> {
  mkdirSync(options.outFolder, { recursive: true });
  const files: string[] = [];
  for (const dataset of catalogue.datasets.values()) {
    if (!sampleDatasets.includes(dataset.id)) continue;
    const file = path.join(options.outFolder, `${dataset.id}.csv`);
    await pipeline(Readable.from(sampleCsv(dataset, options)), createWriteStream(file));
    files.push(file);
  }
  return files;
}
