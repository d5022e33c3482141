import type { FieldRef, InstitutionClass, PurposeCode, Use } from '../vocabulary.ts';
import { conditionsOf, decideOutcome, decisionKey, outcomeKey, withheld, type Cell, type Outcome } from './cell.ts';
import type { Facts } from './facts.ts';
import type { CompiledPolicy } from './policy.ts';
import { opennessOf } from './rule.ts';
import { stricterTreatment } from './strictness.ts';

/** One field of a past request, as far as it is known. */
export type PastAsking = {
  readonly purpose: PurposeCode;
  readonly institutionClass: InstitutionClass;
  readonly field: FieldRef;
  readonly use: Use;
  /** Reach of the consent; null: there was no grant, or it did not name the field. */
  readonly consent: 'original' | 'desensitised' | null;
  /** Without those the caller stated: they are not kept. */
  readonly facts: Facts;
};

/** What another policy would have done; `unknown`: it hangs on what the caller stated. */
export type Replayed = 'same' | 'more' | 'less' | 'otherwise' | 'unknown';

/** Compares what two policies do with one field of a past request. */
export function replay(before: CompiledPolicy, after: CompiledPolicy, { purpose, institutionClass, field, use, consent, facts }: PastAsking): Replayed {
  if (consent === null) return 'same'; // nothing leaves without consent, under any policy
  const from = at(before.cell(purpose, institutionClass, field, use), consent);
  const to = at(after.cell(purpose, institutionClass, field, use), consent);
  if (from === undefined && to === undefined) return 'same';
  if (from !== undefined && to !== undefined && outcomeKey(from) === outcomeKey(to)) return 'same';
  if ([from, to].some((outcome) => outcome !== undefined && asksCaller(outcome))) return 'unknown';
  const decided = (outcome: Outcome | undefined) => (outcome === undefined ? withheld(field, use, 'not_available') : decideOutcome(outcome, facts));
  const [was, is] = [decided(from), decided(to)];
  if (decisionKey(was) === decisionKey(is)) return 'same';
  const difference = opennessOf(is.disposition) - opennessOf(was.disposition) || stricterTreatment(was, is);
  return difference > 0 ? 'more' : difference < 0 ? 'less' : 'otherwise';
}

/** What one policy does with it; undefined when that hangs on what the caller stated. */
export function replayedDisposition(policy: CompiledPolicy, { purpose, institutionClass, field, use, consent, facts }: PastAsking): string | undefined {
  const outcome = consent === null ? undefined : at(policy.cell(purpose, institutionClass, field, use), consent);
  if (outcome === undefined) return 'withhold';
  return asksCaller(outcome) ? undefined : decideOutcome(outcome, facts).disposition;
}

function at(cell: Cell | undefined, consent: 'original' | 'desensitised'): Outcome | undefined {
  return cell?.[consent];
}

function asksCaller(outcome: Outcome): boolean {
  return conditionsOf(outcome).some(({ atoms }) => atoms.some(({ fact }) => fact.from === 'caller'));
}
