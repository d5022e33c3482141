import { randomBytes } from 'node:crypto';
import { compareClaim } from '../../disclosure/compare.ts';
import { createTokenKeys, tokenSecretBytes } from '../../disclosure/tokens.ts';
import { treatmentFunction } from '../../disclosure/treatments/treat.ts';
import { VeilgateError } from '../../errors.ts';
import { comparisonProblem, comparisonMisfit, readingProblem, treatmentMisfit } from '../../policy/fit.ts';
import type { OpeningText } from '../../policy/text.ts';
import { madeUpValues } from '../../source/made-up.ts';
import type { Catalogue, Comparison, Disclosure, Field, FieldRef, PartyId, PurposeCode, Value, VerificationOutcome } from '../../vocabulary.ts';

/** What an institution would see of a made-up value. */
export type Shown =
  | { readonly kind: 'disclosure'; readonly disclosure: Disclosure }
  /** In full, inside the part of the answer that only the institution opens. */
  | { readonly kind: 'clear' }
  | { readonly kind: 'verification'; readonly claimed: Value; readonly outcome: VerificationOutcome }
  | { readonly kind: 'computed' }
  | { readonly kind: 'withheld' };
export type Samples = { readonly values: readonly Value[]; /** For each opening, what each value looks like. */ readonly shown: readonly (readonly Shown[])[] };

/**
 * Made-up values of a field under each of some openings; no record is read. Tokens are made with a secret of the moment:
 * they have nothing in common with real ones.
 * Errors: REQUEST_INVALID for a field there is not, and for an opening that does not fit it.
 */
export function samplesOf(catalogue: Catalogue, ref: FieldRef, openings: readonly (OpeningText | null)[]): Samples {
  const field = catalogue.fields.get(ref);
  if (field === undefined) throw new VeilgateError('REQUEST_INVALID', 'The catalogue has no such field: choose one of the grid.', { pointer: '/field' });
  for (const [at, opening] of openings.entries()) {
    const problem = misfit(field, opening);
    if (problem !== undefined) throw new VeilgateError('REQUEST_INVALID', `This cannot be shown: ${problem}.`, { pointer: `/openings/${at}` });
  }
  const values = madeUpValues(field);
  const tokens = createTokenKeys({ secrets: new Map([[1, randomBytes(tokenSecretBytes)]]), currentVersion: 1 })
    .forField({ institution: 'sample' as PartyId, purpose: 'sample' as PurposeCode, field: ref });
  const show = (opening: OpeningText | null, value: Value, at: number): Shown => {
    if (opening === null) return { kind: 'withheld' };
    switch (opening.use) {
      case 'read': return opening.treatment === undefined ? { kind: 'clear' } : { kind: 'disclosure', disclosure: treatmentFunction(opening.treatment)(value, () => tokens) };
      case 'verify': return verification(field, value, opening.comparison, at);
      case 'score':
      case 'aggregate': return { kind: 'computed' };
      default: return opening satisfies never;
    }
  };
  return { values, shown: openings.map((opening) => values.map((value, at) => show(opening, value, at))) };
}

function misfit(field: Field, opening: OpeningText | null): string | undefined {
  if (opening?.use === 'read') return readingProblem(opening.disposition, opening.treatment) ?? (opening.treatment === undefined ? undefined : treatmentMisfit(field, opening.treatment));
  return opening?.use === 'verify' ? comparisonProblem(opening.comparison) ?? comparisonMisfit(field, opening.comparison) : undefined;
}

/** The first is claimed as it is, the second nearly, the third wrongly. */
function verification(field: Field, value: Value, comparison: Comparison, at: number): Shown {
  const claimed = at === 0 ? value : claimNear(value, at === 1 ? 0.97 : 0.5);
  return { kind: 'verification', claimed, outcome: compareClaim(value, claimed, comparison, field.type) };
}

function claimNear(value: Value, part: number): Value {
  if (typeof value === 'number') return Math.round(value * part);
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'string' && /^-?\d+\.\d+$/.test(value)) return (Number(value) * part).toFixed(value.length - value.indexOf('.') - 1);
  return typeof value === 'string' ? `${value.slice(0, -1)}×` : value;
}
