import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { canonicalJson } from '../../canonical.ts';
import { pointerOf, readPolicyDocument, type PolicyDocument } from '../../policy/document.ts';
import { listYaml, readFile } from '../../policy/load.ts';
import { didYouMean, policyBroken, type Problem } from '../../policy/problem.ts';
import { shapeProblems } from '../../policy/shape.ts';
import type { Catalogue, Dataset, DatasetId, Field } from '../../vocabulary.ts';
import type { Feature, FeatureEncoding, FeatureId } from '../protocol.ts';
import { compareDecimals, decimalOf, scaledInteger, type Decimal } from './decimal.ts';

/** A file as policies/schema/features.schema.json describes it. */
type EncodingText =
  | { readonly kind: 'fixed_point'; readonly min: number; readonly max: number; readonly scale: number }
  | { readonly kind: 'indicator'; readonly at_least?: number; readonly below?: number }
  | { readonly kind: 'code_indicator'; readonly codes: readonly string[] };
type FeatureText = { readonly name: string; readonly title: Feature['title']; readonly field: string; readonly encoding: EncodingText; readonly missing: number | 'absent' };
type FeaturesText = { readonly dataset: string; readonly features: readonly FeatureText[] };
type Report = (pointer: string, problem: string) => void;

/** Largest magnitude of an encoded integer. */
const magnitudeMax = 65_535;
export const featuresMax = 2000;

/**
 * Reads features/*.yaml of a policy pack, as strictly as its rules; a pack without that folder has no features.
 * Errors: POLICY_BROKEN with every problem and its place in `detail.problems`.
 */
export function loadFeatures(folder: string, catalogue: Catalogue): ReadonlyMap<FeatureId, Feature> {
  const problems: Problem[] = [];
  const features = new Map<FeatureId, Feature>();
  for (const name of existsSync(path.join(folder, 'features')) ? listYaml(folder, 'features', problems) : []) {
    const file = readFile(folder, name, problems);
    if (file === undefined) continue;
    const { document, problems: found } = readPolicyDocument(file.file, file.bytes);
    problems.push(...found);
    if (document === undefined) continue;
    const shape = shapeProblems('features', document);
    problems.push(...shape);
    if (shape.length === 0) for (const feature of compileFeatures(document, catalogue, problems)) features.set(feature.id, feature);
  }
  if (features.size > featuresMax) problems.push({ file: 'features', line: 1, column: 1, pointer: '', problem: `more than ${featuresMax} features` });
  if (problems.length > 0) throw policyBroken(problems);
  return features;
}

/** Features that a department encrypts: those of the datasets it supplies. */
export function featuresOfDataset(features: ReadonlyMap<FeatureId, Feature>, dataset: string): Feature[] {
  return [...features.values()].filter(({ id }) => id.startsWith(`${dataset}/`));
}

function compileFeatures(document: PolicyDocument, catalogue: Catalogue, problems: Problem[]): Feature[] {
  const text = document.value as FeaturesText;
  const report: Report = (pointer, problem) => { problems.push(document.problemAt(pointer, problem)); };
  const dataset = catalogue.datasets.get(text.dataset as DatasetId);
  if (document.file !== `features/${text.dataset}.yaml`) {
    report('/dataset', `the file of the dataset "${text.dataset}" must be called features/${text.dataset}.yaml`);
    return [];
  }
  if (dataset === undefined) {
    report('/dataset', `the catalogue has no dataset "${text.dataset}"${didYouMean(text.dataset, catalogue.datasets.keys())}`);
    return [];
  }
  const features = new Map<string, { readonly feature: Feature; readonly at: number }>();
  for (const [at, one] of text.features.entries()) {
    const feature = compileFeature(one, dataset, (pointer, problem) => report(pointerOf('features', at) + pointer, problem));
    if (features.has(one.name)) report(pointerOf('features', at, 'name'), `a feature called "${one.name}" stands further up`);
    else if (feature !== undefined) features.set(one.name, { feature, at });
  }
  reportOverlaps([...features.values()], report);
  return [...features.values()].map(({ feature }) => feature);
}

function compileFeature(text: FeatureText, dataset: Dataset, report: Report): Feature | undefined {
  if (dataset.cardinality.kind === 'many') {
    report('/field', `${dataset.id} has many rows for an enterprise: a feature needs one value`);
    return undefined;
  }
  const field = dataset.fields.find(({ name }) => name === text.field);
  if (field === undefined) {
    report('/field', `${dataset.id} has no field "${text.field}"${didYouMean(text.field, dataset.fields.map(({ name }) => name))}`);
    return undefined;
  }
  const compiled = compileEncoding(text.encoding, field, report);
  if (compiled === undefined) return undefined;
  const { encoding, low, high } = compiled;
  const id = `${dataset.id}/${text.name}` as FeatureId;
  const { missing } = text;
  const meaning = { id, source: field.ref, encoding, missing };
  return {
    ...meaning, title: text.title,
    low: missing === 'absent' ? low : Math.min(low, missing),
    high: missing === 'absent' ? high : Math.max(high, missing),
    declaration: createHash('sha256').update(canonicalJson(meaning)).digest('hex'),
  };
}

type CompiledEncoding = { readonly encoding: FeatureEncoding; readonly low: number; readonly high: number };

function compileEncoding(text: EncodingText, field: Field, report: Report): CompiledEncoding | undefined {
  const of = (...types: readonly Field['type'][]) => {
    if (types.includes(field.type)) return true;
    report('/encoding/kind', `${text.kind} goes with a field of type ${types.join(' or ')}, and ${field.ref} is of type ${field.type}`);
    return false;
  };
  switch (text.kind) {
    case 'fixed_point':
      return of('integer', 'decimal') ? fixedPoint(text, field, report) : undefined;
    case 'indicator': {
      if (!of('integer', 'decimal')) return undefined;
      const { at_least: atLeast, below } = text;
      const before = outside(field, 'at_least', atLeast, report) || outside(field, 'below', below, report);
      if (atLeast !== undefined && below !== undefined && atLeast >= below) report('/encoding/below', 'must be greater than at_least: nothing is in this bin');
      else if (!before) return { encoding: { kind: 'indicator', ...(atLeast === undefined ? {} : { atLeast }), ...(below === undefined ? {} : { below }) }, low: 0, high: 1 };
      return undefined;
    }
    case 'code_indicator': {
      if (!of('code', 'boolean')) return undefined;
      const known = field.type === 'boolean' ? ['true', 'false'] : Object.keys(field.codes ?? {});
      const strange = text.codes.findIndex((code) => !known.includes(code));
      if (strange >= 0) report(`/encoding/codes/${strange}`, `${field.ref} has no code "${text.codes[strange]}"${didYouMean(text.codes[strange] ?? '', known)}`);
      else if (text.codes.length === known.length) report('/encoding/codes', 'names every code of the field: the feature would be 1 for everybody');
      else return { encoding: { kind: 'code_indicator', codes: text.codes, known }, low: 0, high: 1 };
      return undefined;
    }
    default:
      return text satisfies never;
  }
}

function fixedPoint(text: Extract<EncodingText, { kind: 'fixed_point' }>, field: Field, report: Report): CompiledEncoding | undefined {
  const low = wholeAt(text.min, text.scale);
  const high = wholeAt(text.max, text.scale);
  if (low === undefined) report('/encoding/min', `is not a multiple of 1/${text.scale}, or the integer would be beyond ${magnitudeMax}`);
  if (high === undefined) report('/encoding/max', `is not a multiple of 1/${text.scale}, or the integer would be beyond ${magnitudeMax}`);
  const strange = outside(field, 'min', text.min, report) || outside(field, 'max', text.max, report);
  if (low === undefined || high === undefined || strange) return undefined;
  if (low >= high) {
    report('/encoding/max', 'must be greater than min');
    return undefined;
  }
  return { encoding: { kind: 'fixed_point', min: text.min, max: text.max, scale: text.scale }, low, high };
}

/** bound × scale when it is a whole number of allowed size. */
function wholeAt(bound: number, scale: number): number | undefined {
  const decimal = decimalOf(bound);
  const whole = decimal === undefined ? undefined : scaledInteger(decimal, scale);
  if (decimal === undefined || whole === undefined || Math.abs(whole) > magnitudeMax) return undefined;
  return compareDecimals(scaled(decimal, scale), { units: whole, digits: 0 }) === 0 ? whole : undefined;
}

function scaled({ units, digits }: Decimal, scale: number): Decimal {
  return { units: BigInt(units) * BigInt(scale), digits };
}

function outside(field: Field, key: string, bound: number | undefined, report: Report): boolean {
  if (bound === undefined || ((field.min === undefined || bound >= field.min) && (field.max === undefined || bound <= field.max))) return false;
  report(`/encoding/${key}`, `is outside the range of ${field.ref}, ${field.min ?? '…'} to ${field.max ?? '…'}`);
  return true;
}

/** Bins of one field stand side by side: an enterprise that were in two of them would count twice in a scorecard. */
function reportOverlaps(features: readonly { readonly feature: Feature; readonly at: number }[], report: Report): void {
  for (const [index, { feature, at }] of features.entries()) {
    const other = features.slice(0, index).find((earlier) => earlier.feature.source === feature.source && overlap(earlier.feature.encoding, feature.encoding));
    if (other !== undefined) report(pointerOf('features', at, 'encoding'), `overlaps the bin "${other.feature.id}" of the same field`);
  }
}

function overlap(one: FeatureEncoding, other: FeatureEncoding): boolean {
  if (one.kind === 'indicator' && other.kind === 'indicator') {
    return (one.atLeast ?? -Infinity) < (other.below ?? Infinity) && (other.atLeast ?? -Infinity) < (one.below ?? Infinity);
  }
  return one.kind === 'code_indicator' && other.kind === 'code_indicator' && one.codes.some((code) => other.codes.includes(code));
}
