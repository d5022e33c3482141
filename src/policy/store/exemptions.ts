import type { CompiledPolicy } from '../policy.ts';
import type { ConditionText, Words } from '../text.ts';

/** A rule that opens something until a day and closes by itself. */
export type Exemption = {
  readonly rule: string;
  readonly description: Words;
  /** First day on which it no longer holds, `YYYY-MM-DD`, Asia/Shanghai. */
  readonly ends: string;
  /** It ended before `today`: the rule can be removed. */
  readonly over: boolean;
};

/** Opening rules that hold only before a day (`now.date before …`, alone or in an `all`), soonest first. */
export function exemptionsOf(policy: CompiledPolicy, today: string): Exemption[] {
  return [...policy.rules.values()].flatMap(({ id, description, text }): Exemption[] => {
    const denies = text.effect === 'deny' || 'deny' in text.effect;
    const ends = denies || text.when === undefined ? undefined : endOf(text.when);
    return ends === undefined ? [] : [{ rule: id, description, ends, over: ends <= today }];
  }).toSorted((a, b) => (a.ends < b.ends ? -1 : 1));
}

function endOf(condition: ConditionText): string | undefined {
  if ('all' in condition) return condition.all.flatMap((part) => endOf(part) ?? []).toSorted()[0];
  if (!('fact' in condition) || condition.fact !== 'now.date' || condition.op !== 'before') return undefined;
  return String(condition.value);
}
