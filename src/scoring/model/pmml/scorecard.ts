import type { Feature } from '../../protocol.ts';
import type { FileFields } from './fields.ts';
import type { RealTerm } from './weights.ts';
import { attributeOf, childOf, childrenOf, numberOf, refusedFile, type XmlElement } from './xml.ts';

export type ReadModel = {
  readonly terms: readonly RealTerm[];
  readonly intercept: number;
  readonly reasons: readonly { readonly code: string; readonly features: readonly string[] }[];
};

/** Values an attribute of a characteristic takes: a stretch of numbers, codes, those without a value, or all that are left. */
type Taken =
  | { readonly kind: 'stretch'; readonly field: string; readonly atLeast: number; readonly below: number }
  | { readonly kind: 'codes'; readonly field: string; readonly codes: readonly string[] }
  | { readonly kind: 'missing'; readonly field: string }
  | { readonly kind: 'others' };

/** PMML Scorecard: https://dmg.org/pmml/v4-4-1/Scorecard.html. Errors: MODEL_FILE_REFUSED. */
export function readScorecard(model: XmlElement, fields: FileFields): ReadModel {
  const characteristics = childrenOf(childOf(model, 'Characteristics') ?? model, 'Characteristic');
  if (characteristics.length === 0) throw refusedFile('The scorecard has no characteristics', model);
  const usesReasons = model.attributes['useReasonCodes'] !== 'false';
  let intercept = numberOf(model, 'initialScore', 0);
  const terms: RealTerm[] = [];
  const reasons = new Map<string, string[]>();
  for (const characteristic of characteristics) {
    const read = readCharacteristic(characteristic, fields);
    intercept += read.otherwise;
    for (const term of read.terms) {
      if (terms.some(({ feature }) => feature.id === term.feature.id)) throw refusedFile('Two characteristics use the same field: write them as one', characteristic);
      terms.push(term);
    }
    const code = usesReasons ? reasonOf(characteristic) : undefined;
    if (code !== undefined) reasons.set(code, [...(reasons.get(code) ?? []), ...read.terms.map(({ feature }) => feature.id)]);
  }
  return { terms, intercept, reasons: [...reasons].map(([code, features]) => ({ code, features })) };
}

/** Points of the bins, less the points of whoever is in none of them. */
function readCharacteristic(characteristic: XmlElement, fields: FileFields): { readonly terms: readonly RealTerm[]; readonly otherwise: number } {
  const attributes = childrenOf(characteristic, 'Attribute').map((element) => ({ element, taken: takenBy(element, fields), points: pointsOf(element) }));
  const field = attributes.map(({ taken }) => (taken.kind === 'others' ? undefined : taken.field)).find((name) => name !== undefined);
  if (field === undefined) throw refusedFile('The characteristic uses no field', characteristic);
  const used = new Set<Feature>();
  const binned: RealTerm[] = [];
  let otherwise: number | undefined;
  for (const { element, taken, points } of attributes) {
    if (taken.kind === 'others' || taken.kind === 'missing') {
      // both are those of whom every bin is 0
      if (otherwise !== undefined && otherwise !== points) throw refusedFile('Missing values and values outside of all bins cannot have different points', element);
      otherwise = points;
      continue;
    }
    if (taken.field !== field) throw refusedFile('A characteristic must use one field', element);
    for (const feature of binsFor(taken, fields.featuresOf(field, element), element)) {
      if (used.has(feature)) throw refusedFile('Two attributes take the same values: bins must not overlap', element);
      if (feature.missing !== 0) throw refusedFile(`The feature ${feature.id} counts missing values in this bin`, element);
      used.add(feature);
      binned.push({ feature, points });
    }
  }
  return { terms: binned.map(({ feature, points }) => ({ feature, points: points - (otherwise ?? 0) })), otherwise: otherwise ?? 0 };
}

function pointsOf(attribute: XmlElement): number {
  const complex = childOf(attribute, 'ComplexPartialScore');
  if (complex !== undefined) throw refusedFile('Points that are computed cannot be taken over', complex);
  return numberOf(attribute, 'partialScore');
}

/** One code for a characteristic: its attributes cannot have different ones, because a group is opened as a whole. */
function reasonOf(characteristic: XmlElement): string | undefined {
  const own = characteristic.attributes['reasonCode'];
  for (const attribute of childrenOf(characteristic, 'Attribute')) {
    const other = attribute.attributes['reasonCode'];
    if (other !== undefined && other !== (own ?? other)) throw refusedFile('An attribute has another reason code than its characteristic', attribute);
  }
  const code = own ?? childrenOf(characteristic, 'Attribute').map(({ attributes }) => attributes['reasonCode']).find((each) => each !== undefined);
  if (code !== undefined && !/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/.test(code)) throw refusedFile('A reason code is not made of up to 32 letters and digits', characteristic);
  return code;
}

function takenBy(attribute: XmlElement, fields: FileFields): Taken {
  const predicate = attribute.children.find(({ name }) => !['Extension', 'ComplexPartialScore'].includes(name));
  if (predicate === undefined) throw refusedFile('The attribute has no predicate', attribute);
  switch (predicate.name) {
    case 'True': return { kind: 'others' };
    case 'SimplePredicate': return simple(predicate, fields);
    case 'SimpleSetPredicate': {
      if (attributeOf(predicate, 'booleanOperator') !== 'isIn') throw refusedFile('Only codes that are in a set can be taken over', predicate);
      const array = childOf(predicate, 'Array');
      if (array === undefined) throw refusedFile('The set has no Array', predicate);
      return { kind: 'codes', field: attributeOf(predicate, 'field'), codes: wordsOf(array) };
    }
    case 'CompoundPredicate': return both(predicate, fields);
    default: throw refusedFile(`${predicate.name} cannot be taken over`, predicate);
  }
}

/** Words of a PMML array: separated by blanks, quoted where they hold some. */
function wordsOf(array: XmlElement): string[] {
  return [...array.text.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, bare]) => quoted?.replaceAll('\\"', '"') ?? bare ?? '');
}

function simple(predicate: XmlElement, fields: FileFields): Taken {
  const field = attributeOf(predicate, 'field');
  const whole = fields.isInteger(field);
  const edge = () => numberOf(predicate, 'value');
  // where a bin includes its upper edge, the next value only exists for whole numbers
  const after = () => {
    if (!whole) throw refusedFile('Bins include their lower edge and not their upper one: use lessThan and greaterOrEqual', predicate);
    return edge() + 1;
  };
  switch (attributeOf(predicate, 'operator')) {
    case 'lessThan': return { kind: 'stretch', field, atLeast: -Infinity, below: edge() };
    case 'lessOrEqual': return { kind: 'stretch', field, atLeast: -Infinity, below: after() };
    case 'greaterOrEqual': return { kind: 'stretch', field, atLeast: edge(), below: Infinity };
    case 'greaterThan': return { kind: 'stretch', field, atLeast: after(), below: Infinity };
    case 'equal': return whole ? { kind: 'stretch', field, atLeast: edge(), below: edge() + 1 } : { kind: 'codes', field, codes: [attributeOf(predicate, 'value')] };
    case 'isMissing': return { kind: 'missing', field };
    default: throw refusedFile('The operator of a predicate cannot be taken over', predicate);
  }
}

/** `and` of two sides of one field. */
function both(predicate: XmlElement, fields: FileFields): Taken {
  const parts = predicate.children.filter(({ name }) => name === 'SimplePredicate').map((part) => simple(part, fields));
  if (attributeOf(predicate, 'booleanOperator') !== 'and' || parts.length !== predicate.children.length || parts.length === 0) throw refusedFile('Only two sides of one bin, joined by and, can be taken over', predicate);
  return parts.reduce((one, other) => {
    if (one.kind !== 'stretch' || other.kind !== 'stretch' || one.field !== other.field) throw refusedFile('Only two sides of one bin, joined by and, can be taken over', predicate);
    return { ...one, atLeast: Math.max(one.atLeast, other.atLeast), below: Math.min(one.below, other.below) };
  });
}

/** The feature that is exactly these values, or several that are them together. */
function binsFor(taken: Extract<Taken, { kind: 'stretch' | 'codes' }>, features: readonly Feature[], place: XmlElement): readonly Feature[] {
  if (taken.kind === 'codes') {
    const within = features.filter(({ encoding }) => encoding.kind === 'code_indicator' && encoding.codes.every((code) => taken.codes.includes(code)));
    const covered = within.flatMap(({ encoding }) => (encoding.kind === 'code_indicator' ? encoding.codes : []));
    if (new Set(covered).size === covered.length && taken.codes.every((code) => covered.includes(code))) return within;
    throw refusedFile('The platform has no features for exactly these codes', place);
  }
  let from = taken.atLeast;
  const chain: Feature[] = [];
  while (from < taken.below) {
    const next = features.find(({ encoding }) => encoding.kind === 'indicator' && (encoding.atLeast ?? -Infinity) === from && (encoding.below ?? Infinity) <= taken.below);
    if (next === undefined || next.encoding.kind !== 'indicator') throw refusedFile('The platform has no features whose bins are exactly these values', place);
    chain.push(next);
    from = next.encoding.below ?? Infinity;
  }
  if (chain.length === 0) throw refusedFile('The bin takes no value', place);
  return chain;
}
