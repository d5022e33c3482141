import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { canonicalJson } from '../canonical.ts';
import type { Catalogue, Decision, Field, FieldDecision, FieldRef, InstitutionClass, PolicyVersion, PurposeCode, Treatment } from '../vocabulary.ts';
import { withheld } from './cell.ts';
import { pointerOf, readPolicyDocument, type PolicyDocument } from './document.ts';
import { readingProblem, treatmentMisfit } from './fit.ts';
import { readFile } from './load.ts';
import { namesMatching } from './pattern.ts';
import { didYouMean, policyBroken, type Problem } from './problem.ts';
import { shapeProblems } from './shape.ts';
import type { Words } from './text.ts';

/** What an enterprise gets of its own data when it takes it along: one decision for every field of the catalogue. */
export type SelfAccess = {
  /** SHA-256, lower-case hex, of all that decides: the fields' classifications and the rules. */
  readonly digest: PolicyVersion;
  /** `read` of every field, in catalogue order. */
  readonly decision: Decision;
};

type RuleText = { readonly fields: readonly string[]; readonly disposition: 'clear' | 'mask' | 'withhold'; readonly treatment?: Treatment; readonly why: Words };
type Placed = { readonly rule: RuleText; readonly at: number };

const file = 'self-access.yaml';

/**
 * Reads self-access.yaml of a policy folder, as strictly as its rules. Fields about the enterprise itself are clear unless a rule says
 * otherwise; personal ones are withheld unless one does. Errors: POLICY_BROKEN with every problem and its place.
 */
export function loadSelfAccess(folder: string, catalogue: Catalogue): SelfAccess {
  // a pack without the file has no rules: personal data stays where it is
  const rules = existsSync(path.join(folder, file)) ? readRules(folder, catalogue) : [];
  const byField = new Map(rules.flatMap((rule, at) => rule.fields.flatMap((pattern) => namesMatching(pattern, [...catalogue.fields.keys()]).map((ref) => [ref as FieldRef, { rule, at }] as const))));
  const fields = Object.freeze([...catalogue.fields.values()].map((field) => decisionFor(field, byField.get(field.ref))));
  const digest = createHash('sha256').update(canonicalJson({
    format: 1, rules: rules.map(({ why: _why, ...rule }) => rule), fields: [...catalogue.fields.values()].map(({ ref, classification }) => [ref, classification.level, classification.kind]),
  })).digest('hex') as PolicyVersion;
  return { digest, decision: Object.freeze({ policy: digest, purpose: 'self_access' as PurposeCode, institutionClass: 'enterprise' as InstitutionClass, fields }) };
}

function readRules(folder: string, catalogue: Catalogue): readonly RuleText[] {
  const problems: Problem[] = [];
  const read = readFile(folder, file, problems);
  const { document, problems: found } = read === undefined ? { document: undefined, problems: [] } : readPolicyDocument(read.file, read.bytes);
  problems.push(...found, ...(document === undefined ? [] : shapeProblems('selfAccess', document)));
  if (document === undefined || problems.length > 0) throw policyBroken(problems);
  const { rules } = document.value as { readonly rules: readonly RuleText[] };
  checkRules(document, rules, catalogue, problems);
  if (problems.length > 0) throw policyBroken(problems);
  return rules;
}

/** What the schema cannot say. */
function checkRules(document: PolicyDocument, rules: readonly RuleText[], catalogue: Catalogue, problems: Problem[]): void {
  const refs = [...catalogue.fields.keys()];
  const named = new Set<FieldRef>();
  rules.forEach((rule, at) => {
    const alone = rule.disposition === 'withhold' ? (rule.treatment === undefined ? undefined : 'what is withheld has no treatment: remove it') : readingProblem(rule.disposition, rule.treatment);
    if (alone !== undefined) problems.push(document.problemAt(pointerOf('rules', at), alone));
    rule.fields.forEach((pattern, place) => {
      const problem = (text: string) => problems.push(document.problemAt(pointerOf('rules', at, 'fields', place), text));
      const found = namesMatching(pattern, refs) as FieldRef[];
      if (found.length === 0) problem(pattern.includes('*') ? `no field of the catalogue matches "${pattern}"` : `the catalogue has no field "${pattern}"${didYouMean(pattern, refs)}`);
      for (const ref of found) {
        const misfit = rule.treatment === undefined ? undefined : treatmentMisfit(catalogue.fields.get(ref) as Field, rule.treatment);
        if (misfit !== undefined) problem(misfit);
        if (named.has(ref)) problem(`${ref} is named before`);
        named.add(ref);
      }
    });
  });
}

function decisionFor({ ref, classification }: Field, placed: Placed | undefined): FieldDecision {
  if (placed === undefined) {
    return classification.kind === 'personal'
      ? withheld(ref, 'read', 'no_rule', null, [file])
      : Object.freeze({ field: ref, use: 'read', disposition: 'clear', reason: 'permitted', rule: null, path: Object.freeze([file]) });
  }
  const { rule: { disposition, treatment }, at } = placed;
  const place = Object.freeze([file, 'rules', String(at)]);
  if (disposition === 'withhold') return withheld(ref, 'read', 'denied_by_rule', null, place);
  return Object.freeze({ field: ref, use: 'read', disposition, reason: 'permitted', rule: null, path: place, ...(treatment === undefined ? {} : { treatment: Object.freeze(treatment) }) });
}
