import type { PolicyCondition } from '../../sdk/policy-cells.ts';
import type { PolicyFact } from '../../sdk/policy-purposes.ts';

/** Something a condition may ask about. */
export type FactChoice = { readonly name: string; readonly fact: PolicyFact };
export type Comparison = 'equals' | 'in' | 'at_least' | 'at_most' | 'before' | 'after';

/** Conditions as the editor knows them: a level of security, a last day, one more fact. */
export type Conditions = { readonly kind: 'none' | 'keep' | 'new'; readonly level: string; readonly until: string; readonly fact: string; readonly op: Comparison; readonly value: string };
export const noConditions: Conditions = { kind: 'none', level: '', until: '', fact: '', op: 'equals', value: '' };

/** How a fact of a type can be compared. */
export function comparisonsOf({ type }: PolicyFact): readonly Comparison[] {
  switch (type) {
    case 'integer': return ['at_least', 'at_most', 'equals'];
    case 'date': return ['before', 'after', 'equals'];
    case 'boolean': return ['equals'];
    case 'code':
    case 'text': return ['equals', 'in'];
    default: return type satisfies never;
  }
}

function valueOf(fact: PolicyFact, op: Comparison, typed: string): string | number | boolean | readonly string[] | undefined {
  const text = typed.trim();
  if (text === '') return undefined;
  if (fact.type === 'integer') return Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
  if (fact.type === 'boolean') return text === 'true';
  return op === 'in' ? text.split(/[,，、]+/).map((each) => each.trim()).filter((each) => each !== '') : text;
}

/** What is wrong with them, if anything. @param today `YYYY-MM-DD` by the platform's clock: a rule that ends on it never holds */
export function conditionsProblem({ kind, level, until, fact, op, value }: Conditions, facts: readonly FactChoice[], today: string): 'chooseCondition' | 'conditionIncomplete' | 'dayOver' | undefined {
  if (kind !== 'new') return undefined;
  if (level === '' && until === '' && fact === '') return 'chooseCondition';
  if (until !== '' && until <= today) return 'dayOver';
  if (fact === '') return undefined;
  const chosen = facts.find(({ name }) => name === fact);
  return chosen !== undefined && valueOf(chosen.fact, op, value) !== undefined ? undefined : 'conditionIncomplete';
}

/** A level and a last day, read back of a condition that says nothing else; nothing of any other. */
export function knownConditions(condition: PolicyCondition): { readonly level?: number; readonly until?: string } {
  const parts = Array.isArray(condition['all']) ? condition['all'] as readonly PolicyCondition[] : [condition];
  const found = parts.map(({ fact, op, value }) => {
    if (fact === 'institution.security_level' && op === 'at_least') return { level: Number(value) };
    return fact === 'now.date' && op === 'before' ? { until: String(value) } : undefined;
  });
  return found.includes(undefined) ? {} : Object.assign({}, ...found) as { level?: number; until?: string };
}

/** As rule files say it; undefined: always. @param kept what holds now */
export function conditionOf({ kind, level, until, fact, op, value }: Conditions, kept: PolicyCondition | null, facts: readonly FactChoice[]): PolicyCondition | undefined {
  if (kind === 'none') return undefined;
  if (kind === 'keep') return kept ?? undefined;
  const chosen = facts.find(({ name }) => name === fact);
  const asked = chosen === undefined ? undefined : valueOf(chosen.fact, op, value);
  const parts = [
    ...(level === '' ? [] : [{ fact: 'institution.security_level', op: 'at_least', value: Number(level) }]),
    ...(until === '' ? [] : [{ fact: 'now.date', op: 'before', value: until }]),
    ...(asked === undefined ? [] : [{ fact, op, value: asked }]),
  ];
  return parts.length === 1 ? parts[0] : parts.length === 0 ? undefined : { all: parts };
}
