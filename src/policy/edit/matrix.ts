import { canonicalJson } from '../../canonical.ts';
import type { DecisionReason, Disposition, FieldRef, Use } from '../../vocabulary.ts';
import { cents } from '../amount-words.ts';
import { casesOf, outcomeKey, type Outcome } from '../cell.ts';
import { wordsOf } from '../diff-words.ts';
import type { CompiledPolicy } from '../policy.ts';
import { opennessOf, type ConsentTier } from '../rule.ts';
import type { Words } from '../text.ts';

/** What comes out in a cell, in full and for the eye. Equal ones are one of the list. */
export type MatrixOutcome = {
  /** The most that may come out. */
  readonly disposition: Disposition;
  /** True when facts decide whether it does. */
  readonly conditional: boolean;
  /** Why nothing comes out; `permitted` where something may. */
  readonly reason: DecisionReason;
  readonly words: Words;
};

export type Matrix = {
  readonly purposes: readonly string[];
  readonly fields: readonly FieldRef[];
  readonly outcomes: readonly MatrixOutcome[];
  /** Positions in `outcomes`, field by field, purpose by purpose. */
  readonly cells: readonly number[];
};

/** Everything the policy says to one class about one use at one reach of consent: all fields × all purposes. */
export function matrixOf(policy: CompiledPolicy, institutionClass: string, use: Use, consent: ConsentTier): Matrix {
  const purposes = [...policy.purposes.keys()];
  const fields = [...policy.fields.keys()];
  const outcomes: MatrixOutcome[] = [];
  const positions = new Map<string, number>();
  const cells = fields.flatMap((field) => purposes.map((purpose) => {
    const outcome = policy.cell(purpose, institutionClass, field, use)?.[consent];
    if (outcome === undefined) throw new TypeError('a cell of the policy is not in its table');
    const unit = policy.fields.get(field)?.unit === cents ? cents : undefined; // other units stand in no words
    const key = canonicalJson([outcomeKey(outcome), outcome.fixed?.reason ?? null, unit ?? null]);
    const known = positions.get(key);
    if (known !== undefined) return known;
    positions.set(key, outcomes.length);
    return outcomes.push(shown(outcome, unit)) - 1;
  }));
  return { purposes, fields, outcomes, cells };
}

function shown(outcome: Outcome, unit: string | undefined): MatrixOutcome {
  const cases = casesOf(outcome);
  const most = cases.toSorted((a, b) => opennessOf(b.decision.disposition) - opennessOf(a.decision.disposition))[0];
  return { disposition: most?.decision.disposition ?? 'withhold', conditional: outcome.fixed === null, reason: most?.decision.reason ?? 'no_rule', words: wordsOf(outcome, unit) };
}
