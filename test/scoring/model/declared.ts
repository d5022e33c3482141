import type { Field, FieldRef, InstitutionClass, PurposeCode } from '../../../src/vocabulary.ts';
import type { Feature, FeatureEncoding, FeatureId, Model, ModelRef } from '../../../src/scoring/protocol.ts';
import type { ScoringSettings } from '../../../src/scoring/model/settings.ts';
import type { FeatureSpace } from '../../../src/scoring/model/space.ts';

/** Small worlds for the guards: fields and features made up on the spot. */
export const settings: ScoringSettings = { effectiveFeaturesMin: 4, dominantShareMax: 0.35, guessGainMax: 0.4, stepsMax: 65_535, functionalsMax: 12 };

const text = { en: 'made up', zh: '虚构' };

export function field(name: string, type: Field['type'] = 'decimal', more: Partial<Field> = {}): Field {
  return { ref: `made.${name}` as FieldRef, name, title: text, type, classification: { level: 2, kind: 'commercial_secret' }, required: false, ...more };
}

/** A feature `made/<name>` of the field `made.<of>`. */
export function feature(name: string, of: string, encoding: FeatureEncoding, missing: Feature['missing'] = 'absent'): Feature {
  const range = encoding.kind === 'fixed_point' ? [Math.round(encoding.min * encoding.scale), Math.round(encoding.max * encoding.scale)] : [0, 1];
  const all = missing === 'absent' ? range : [...range, missing];
  return { id: `made/${name}` as FeatureId, source: `made.${of}` as FieldRef, title: text, encoding, missing, low: Math.min(...all), high: Math.max(...all), declaration: 'd'.repeat(64) };
}

export function space(fields: readonly Field[], features: readonly Feature[]): FeatureSpace {
  return { features: new Map(features.map((each) => [each.id, each])), fields: new Map(fields.map((each) => [each.ref, each])) };
}

/** `count` fields f0, f1, … with one feature each, all 0..`high`. */
export function numbers(count: number, high = 100): FeatureSpace {
  const names = Array.from({ length: count }, (_, at) => `f${at}`);
  return space(
    names.map((name) => field(name, 'decimal', { scale: 2, min: 0, max: high })),
    names.map((name) => feature(name, name, { kind: 'fixed_point', min: 0, max: high, scale: 1 })),
  );
}

/** `count` yes-or-no fields f0, f1, …, each with the one feature that says yes. */
export function flags(count: number): FeatureSpace {
  const names = Array.from({ length: count }, (_, at) => `f${at}`);
  return space(names.map((name) => field(name, 'boolean')), names.map((name) => feature(name, name, { kind: 'code_indicator', codes: ['true'], known: ['true', 'false'] })));
}

/** A model over features f0, f1, … by their weights; 0 leaves one out. */
export function model(weights: readonly number[] | Readonly<Record<string, number>>, more: Partial<Model> = {}): Model {
  const terms = Object.entries(weights).filter(([, weight]) => weight !== 0).map(([name, weight]) => ({ feature: featureId(Array.isArray(weights) ? `f${name}` : name), weight }));
  return {
    ref: 'attack@1' as ModelRef, title: text, purposes: ['pre_loan_review' as PurposeCode], institutionClasses: ['commercial_bank' as InstitutionClass],
    terms, offset: 0, scale: 1, bands: [{ from: null, code: 'all', text }], reasons: [], ...more,
  };
}

export const featureId = (name: string) => `made/${name}` as FeatureId;

export function reason(code: string, features: readonly string[]): Model['reasons'][number] {
  return { code, text, features: features.map(featureId) };
}

/** The clear twin: what a bank would open for a record of feature values. */
export function rawOf({ terms, offset }: Pick<Model, 'terms' | 'offset'>, values: Readonly<Record<string, number>>): number {
  return terms.reduce((sum, { feature: id, weight }) => sum + weight * (values[id.slice('made/'.length)] ?? 0), offset);
}
