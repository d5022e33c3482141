import type { Field } from '../vocabulary.ts';
import { comparisonMisfit, comparisonProblem, possibleValues, readingProblem, treatmentMisfit } from './fit.ts';
import type { Purpose } from './purpose.ts';
import type { Opening, Rule } from './rule.ts';

/**
 * What no policy may say, whoever approves it. These guards are code on purpose: editing the policy folder
 * cannot loosen them. docs/formats/policy.md lists them in the same order.
 */
export type Guarded = { readonly pointer: string; readonly problem: string };

/** Problems of a rule by itself and against the purposes it names. Pointers are below the rule. */
export function ruleGuards(rule: Rule, purposes: ReadonlyMap<string, Purpose>): Guarded[] {
  if (rule.effect.kind === 'deny') return [];
  const opening = rule.effect.opening;
  const found: Guarded[] = [];
  for (const code of rule.purposes) {
    const purpose = purposes.get(code);
    if (purpose !== undefined && !purpose.uses.has(opening.use)) {
      found.push({ pointer: '/effect/use', problem: `the purpose ${code} does not allow the use "${opening.use}" (purposes.yaml, uses)` });
    }
  }
  if (opening.use === 'read') {
    const problem = readingProblem(opening.disposition as 'clear' | 'mask' | 'band' | 'token', opening.treatment);
    if (problem !== undefined) found.push({ pointer: '/effect', problem });
    if (opening.disposition === 'clear' && rule.consent.has('desensitised')) {
      found.push({ pointer: '/consent', problem: 'clear values need consent to the original: "desensitised" must not be listed' });
    }
  }
  if (opening.comparison !== undefined) {
    const problem = comparisonProblem(opening.comparison);
    if (problem !== undefined) found.push({ pointer: '/effect/comparison', problem });
  }
  return found;
}

/** Why a rule must not open this field; empty when it may. */
export function fieldGuards(rule: Rule, field: Field, purposes: ReadonlyMap<string, Purpose>): string[] {
  if (rule.effect.kind === 'deny') return [];
  const opening = rule.effect.opening;
  const fit = fitProblem(field, opening);
  return [...classificationGuards(rule, field, opening), ...(fit === undefined ? [] : [fit]), ...probingGuards(rule, field, opening, purposes)];
}

function classificationGuards(rule: Rule, field: Field, opening: Opening): string[] {
  const { level, kind } = field.classification;
  const found: string[] = [];
  if (level === 5 && ['clear', 'score', 'aggregate'].includes(opening.disposition)) {
    found.push(`${field.ref} is of level 5: it is never ${opening.disposition === 'clear' ? 'disclosed in clear' : 'scored or aggregated'}`);
  }
  if (kind === 'personal' && rule.consent.has('desensitised') && (opening.use === 'score' || opening.use === 'aggregate')) {
    found.push(`${field.ref} is personal: with consent to the desensitised form it may only be masked, banded, made a token or verified`);
  }
  if (kind === 'personal' && opening.comparison !== undefined && opening.comparison.method !== 'equal') {
    found.push(`${field.ref} is personal: it may be verified only with the comparison "equal"`);
  }
  if (kind !== 'public' && rule.consent.has('desensitised') && opening.treatment?.method === 'clamp') {
    found.push(`"clamp" leaves most values of ${field.ref} as they are: it needs consent to the original`);
  }
  return found;
}

function fitProblem(field: Field, opening: Opening): string | undefined {
  if (opening.treatment !== undefined) {
    const misfit = treatmentMisfit(field, opening.treatment);
    if (misfit !== undefined) return `the treatment "${opening.treatment.method}" ${misfit}`;
  }
  if (opening.comparison !== undefined) {
    const misfit = comparisonMisfit(field, opening.comparison);
    if (misfit !== undefined) return `the comparison "${opening.comparison.method}" ${misfit}`;
  }
  if (opening.use === 'score' && field.type === 'text') return `${field.ref} is text: it cannot be scored`;
  if (opening.use === 'aggregate' && (field.type === 'text' || field.type === 'date')) return `${field.ref} is of type ${field.type}: it cannot be aggregated`;
  return undefined;
}

/** With n possible values, n - 1 attempts find the value out: that would be reading, not verifying. */
function probingGuards(rule: Rule, field: Field, opening: Opening, purposes: ReadonlyMap<string, Purpose>): string[] {
  if (opening.comparison === undefined || field.classification.kind === 'public' || !rule.consent.has('desensitised')) return [];
  const values = possibleValues(field);
  return [...rule.purposes].flatMap((code) => {
    const attempts = purposes.get(code)?.verificationAttemptsMax ?? 0;
    return values - 1 <= attempts
      ? [`${field.ref} has ${values} possible values and ${code} allows ${attempts} attempts: verifying would find the value out; it needs consent to the original`]
      : [];
  });
}
