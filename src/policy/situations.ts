import { dayMs } from '../calendar.ts';
import type { Value } from '../vocabulary.ts';
import type { Condition } from './condition.ts';
import { isFactValue, type Fact, type Facts } from './facts.ts';

/** More combinations than this are not tried out. */
const situationsMax = 20_000;

/**
 * Every situation that conditions can tell apart: for each fact they ask about, each value at which a comparison
 * changes, its neighbours, one value none of them names, and the fact missing. Conditions are constant between
 * those values, so that what holds in all these situations holds always.
 * @returns undefined when there would be too many
 */
export function situationsFor(conditions: readonly Condition[]): Facts[] | undefined {
  const asked = new Map<string, { facts: Set<Fact>; values: Set<Value> }>();
  for (const { fact, value } of conditions.flatMap((condition) => condition.atoms)) {
    const entry = asked.get(fact.name) ?? { facts: new Set(), values: new Set() };
    entry.facts.add(fact);
    for (const one of Array.isArray(value) ? (value as Value[]) : [value as Value]) entry.values.add(one);
    asked.set(fact.name, entry);
  }
  let situations: [string, Value][][] = [[]];
  for (const [name, { facts, values }] of asked) {
    const candidates = [...new Set([...facts].flatMap((fact) => candidateValues(fact, [...values], facts.size > 1)))];
    if (situations.length * (candidates.length + 1) > situationsMax) return undefined;
    situations = situations.flatMap((situation) => [situation, ...candidates.map((value): [string, Value][] => [...situation, [name, value]])]);
  }
  return situations.map((situation) => new Map(situation));
}

/** @param declarations two policies may declare the fact differently: then the limits of each are tried as well */
function candidateValues(fact: Fact, mentioned: readonly Value[], declarations: boolean): Value[] {
  const known = declarations ? [fact.min, fact.max, ...(fact.codes ?? [])].filter((value) => value !== undefined) : [];
  const candidates = new Set<Value>([...mentioned, ...known].filter((value) => isFactValue(fact, value)));
  const base = [...candidates];
  switch (fact.type) {
    case 'integer':
      for (const value of base) candidates.add((value as number) - 1).add((value as number) + 1);
      break;
    case 'date':
      for (const value of base) candidates.add(dayAfter(value as string, -1)).add(dayAfter(value as string, 1));
      break;
    case 'boolean':
      candidates.add(true).add(false);
      break;
    case 'code': {
      const other = fact.codes === undefined ? textNotIn(candidates) : fact.codes.find((code) => !candidates.has(code));
      if (other !== undefined) candidates.add(other);
      break;
    }
    case 'text':
      candidates.add(textNotIn(candidates));
      break;
    default:
      fact.type satisfies never;
  }
  return [...candidates].filter((value) => declarations || isFactValue(fact, value));
}

function textNotIn(values: ReadonlySet<Value>): string {
  let text = 'other';
  while (values.has(text)) text += ' other';
  return text;
}

function dayAfter(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * dayMs).toISOString().slice(0, 10);
}

/** True when no situation fulfils both: then two rules with them never apply together. */
export function excludeEachOther(a: Condition | null, b: Condition | null): boolean {
  if (a === null || b === null) return false;
  const situations = situationsFor([a, b]);
  return situations !== undefined && !situations.some((facts) => a.test(facts) === true && b.test(facts) === true);
}
