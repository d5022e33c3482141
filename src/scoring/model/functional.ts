import { hash } from 'node:crypto';
import { canonicalJson } from '../../canonical.ts';
import type { FeatureId, Model, ModelRef } from '../protocol.ts';

export type Terms = Model['terms'];

/** A linear function of an enterprise's features that somebody gets, without its offset. */
export type Functional = {
  /** SHA-256, lower-case hex, of the primitive vector: multiples of one function have one id. */
  readonly id: string;
  /** Ascending by feature, no zero weight, greatest common divisor 1, first weight positive. */
  readonly terms: Terms;
  /** Where it came from, for refusals. */
  readonly model?: ModelRef;
};

/** A part of a model: the score, one of its reason groups, or what remains of the score without them. */
export type ModelPart = { readonly name: string; readonly terms: Terms };

/** What one use of the model tells: its score, then each reason group; equal functions once. */
export function functionalsOf(model: Model): readonly Functional[] {
  const all = [model.terms, ...model.reasons.map(({ features }) => termsOf(model, features))].map((terms) => ({ ...primitive(terms), model: model.ref }));
  return [...new Map(all.map((functional) => [functional.id, functional])).values()];
}

/**
 * Parts that have no feature in common and add up to the score. A bank that sees all reason groups can work out
 * every sum of parts, and nothing else.
 */
export function disjointParts(model: Model): ModelPart[] {
  const grouped = new Set(model.reasons.flatMap(({ features }) => features));
  const groups = model.reasons.map(({ code, features }) => ({ name: code, terms: termsOf(model, features) }));
  const rest = model.terms.filter(({ feature }) => !grouped.has(feature));
  if (groups.length === 0) return [{ name: 'score', terms: model.terms }];
  return rest.length === 0 ? groups : [...groups, { name: 'rest', terms: rest }];
}

function termsOf(model: Model, features: readonly FeatureId[]): Terms {
  const wanted = new Set(features);
  return model.terms.filter(({ feature }) => wanted.has(feature));
}

/** The shortest integer vector in the same direction, under its name. */
export function primitive(terms: Terms): Pick<Functional, 'id' | 'terms'> {
  const present = terms.filter(({ weight }) => weight !== 0).toSorted((one, other) => (one.feature < other.feature ? -1 : 1));
  const divisor = present.reduce((common, { weight }) => greatestCommonDivisor(common, weight), 0) * Math.sign(present[0]?.weight ?? 1);
  const shortest = present.map(({ feature, weight }) => ({ feature, weight: weight / divisor }));
  return { id: hash('sha256', canonicalJson(shortest), 'hex'), terms: shortest };
}

export function greatestCommonDivisor(one: number, other: number): number {
  let [a, b] = [Math.abs(one), Math.abs(other)];
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
