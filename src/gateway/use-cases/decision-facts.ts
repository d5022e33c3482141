import { hash } from 'node:crypto';
import { canonicalJson } from '../../canonical.ts';
import { fieldOutcomes, type FieldOutcome } from '../../audit/entry.ts';
import type { Decision, FieldDecision, FieldRef } from '../../vocabulary.ts';
import { permittedFields, withheldFields } from './query.ts';

export type Withheld = Pick<FieldDecision, 'field' | 'use' | 'reason' | 'rule' | 'path'>;

/** What follows from a decision alone: the same for every query that is decided so. */
export type DecisionFacts = {
  /** SHA-256 over the decision's canonical JSON, lower-case hex. */
  readonly digest: string;
  /** As the log groups them. */
  readonly outcomes: readonly FieldOutcome[];
  /** The fields whose columns may be read. */
  readonly permitted: readonly FieldRef[];
  /** Fields that are verified, once for each claim. */
  readonly verified: readonly FieldRef[];
  readonly withheld: readonly Withheld[];
  readonly closed: boolean;
};

const known = new WeakMap<Decision, DecisionFacts>();

/** Worked out once for a decision that cannot change any more (KnownDecisions), anew for any other. */
export function factsOf(decision: Decision): DecisionFacts {
  const before = known.get(decision);
  if (before !== undefined) return before;
  const { fields } = decision;
  const facts: DecisionFacts = {
    digest: hash('sha256', canonicalJson(decision), 'hex'),
    outcomes: fieldOutcomes(fields),
    permitted: permittedFields(decision),
    verified: fields.filter(({ use, disposition }) => use === 'verify' && disposition === 'verify').map(({ field }) => field),
    withheld: withheldFields(decision).map(withheldJson),
    closed: fields.every(({ disposition }) => disposition === 'withhold'),
  };
  if (Object.isFrozen(decision) && Object.isFrozen(fields) && fields.every(Object.isFrozen)) known.set(decision, facts);
  return facts;
}

function withheldJson({ field, use, reason, rule, path }: FieldDecision): Withheld {
  return { field, path, reason, rule, use };
}
