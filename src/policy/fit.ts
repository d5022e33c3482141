import type { Comparison, Field, Treatment } from '../vocabulary.ts';

type Reading = 'clear' | 'mask' | 'band' | 'token';

/** Which disposition a treatment belongs to: a band leaves as two edges, a token as a token, the rest as a masked value. */
function dispositionOf(method: Treatment['method']): Exclude<Reading, 'clear'> {
  switch (method) {
    case 'band': return 'band';
    case 'token':
    case 'format_preserving_token': return 'token';
    default: return 'mask';
  }
}

/** What is wrong with a disposition and its treatment by themselves, before any field is looked at. */
export function readingProblem(disposition: Reading, treatment: Treatment | undefined): string | undefined {
  if (disposition === 'clear') return treatment === undefined ? undefined : 'a clear value has no treatment: remove it, or use mask, band or token';
  if (treatment === undefined) return `"${disposition}" needs a treatment`;
  const belongsTo = dispositionOf(treatment.method);
  if (belongsTo !== disposition) return `the treatment "${treatment.method}" belongs to the disposition "${belongsTo}", not to "${disposition}"`;
  switch (treatment.method) {
    case 'band': return edgesProblem(treatment.edges);
    case 'clamp': return treatment.bottom < treatment.top ? undefined : '"bottom" must be less than "top"';
    case 'mask_range': return treatment.from < treatment.to ? undefined : '"from" must be less than "to"';
    default: return undefined;
  }
}

/** What is wrong with a comparison by itself. */
export function comparisonProblem(comparison: Comparison): string | undefined {
  return comparison.method === 'same_band' ? edgesProblem(comparison.edges) : undefined;
}

function edgesProblem(edges: readonly number[]): string | undefined {
  return edges.every((edge, at) => at === 0 || edge > (edges[at - 1] as number)) ? undefined : 'the edges must ascend';
}

/** Why a treatment cannot be used on a field; undefined when it can. */
export function treatmentMisfit(field: Field, treatment: Treatment): string | undefined {
  switch (treatment.method) {
    case 'suppress':
    case 'fixed':
      return undefined;
    case 'keep_ends':
      return needs(field, ['text']) ?? (field.maxLength !== undefined && treatment.first + treatment.last > field.maxLength / 2
        ? `would show more than half of ${field.ref} (at most ${field.maxLength} characters)` : undefined);
    case 'mask_range':
    case 'class_preserving':
    case 'email':
    case 'phone':
    case 'identity_number':
    case 'chinese_name':
    case 'address':
    case 'bank_account':
    case 'format_preserving_token':
      return needs(field, ['text']);
    case 'token':
      // a token of a value out of few tells the value to whoever knows it for one enterprise
      return needs(field, ['text', 'integer', 'decimal', 'date']);
    case 'band':
      return needs(field, ['integer', 'decimal']) ?? edgesMisfit(field, treatment.edges);
    case 'generalise':
      return needs(field, ['code', 'text']) ?? groupsMisfit(field, treatment);
    case 'round':
      return needs(field, ['integer', 'decimal']) ?? (treatment.to > stepOf(field) ? undefined : `rounding to ${treatment.to} leaves ${field.ref} as it is`);
    case 'year':
      return needs(field, ['date']);
    case 'clamp':
      return needs(field, ['integer', 'decimal']);
    default:
      return treatment satisfies never;
  }
}

/** Why a comparison cannot be used on a field; undefined when it can. */
export function comparisonMisfit(field: Field, comparison: Comparison): string | undefined {
  switch (comparison.method) {
    case 'equal': return undefined;
    case 'within_percent':
    case 'within_absolute': return needs(field, ['integer', 'decimal']);
    case 'same_band': return needs(field, ['integer', 'decimal']) ?? edgesMisfit(field, comparison.edges);
    default: return comparison satisfies never;
  }
}

function needs(field: Field, types: readonly Field['type'][]): string | undefined {
  return types.includes(field.type) ? undefined : `works on ${types.join(', ')} only; ${field.ref} is of type ${field.type}`;
}

/** Smallest difference between two values of a number field. */
function stepOf(field: Field): number {
  return field.type === 'decimal' ? 10 ** -(field.scale ?? 0) : 1;
}

function edgesMisfit(field: Field, edges: readonly number[]): string | undefined {
  const step = stepOf(field);
  const narrow = edges.find((edge, at) => at > 0 && edge - (edges[at - 1] as number) < 2 * step * (1 - 1e-9));
  if (narrow !== undefined) return `the band that ends at ${narrow} holds one value of ${field.ref} only`;
  const outside = edges.find((edge) => edge <= (field.min ?? -Infinity) || edge > (field.max ?? Infinity));
  return outside === undefined ? undefined : `the edge ${outside} is outside the range of ${field.ref} (${field.min ?? '…'} to ${field.max ?? '…'})`;
}

function groupsMisfit(field: Field, treatment: Extract<Treatment, { method: 'generalise' }>): string | undefined {
  if (field.codes === undefined) return undefined;
  const codes = field.codes;
  const unknown = Object.keys(treatment.groups).find((code) => !Object.hasOwn(codes, code));
  if (unknown !== undefined) return `"${unknown}" is not a code of ${field.ref}`;
  const names = Object.keys(codes);
  const shown = new Set(names.map((code) => (Object.hasOwn(treatment.groups, code) ? treatment.groups[code] : treatment.otherwise)));
  return shown.size < names.length ? undefined : `every code of ${field.ref} would keep a group of its own`;
}

/** How many values the field can have, when its type says so. */
export function possibleValues(field: Field): number {
  switch (field.type) {
    case 'boolean': return 2;
    case 'code': return Object.keys(field.codes ?? {}).length;
    case 'integer':
    case 'decimal':
      return field.min === undefined || field.max === undefined ? Infinity : Math.floor((field.max - field.min) / stepOf(field)) + 1;
    case 'text':
    case 'date': return Infinity;
    default: return field.type satisfies never;
  }
}
