import type { Catalogue, Dataset, DatasetId, Field } from '../vocabulary.ts';
import { compileCondition } from './condition.ts';
import { pointerOf, type PolicyDocument } from './document.ts';
import { fieldGuards, ruleGuards } from './guards.ts';
import { namesMatching } from './pattern.ts';
import { didYouMean, type Problem } from './problem.ts';
import type { Purposes } from './purpose.ts';
import { effectOf, type Rule } from './rule.ts';
import type { RulesText, RuleText } from './text.ts';

/** Reads one rules/<dataset>.yaml once its shape has been checked. Rules with problems are left out of the result. */
export function compileRules(document: PolicyDocument, catalogue: Catalogue, purposes: Purposes, problems: Problem[]): Rule[] {
  const text = document.value as RulesText;
  const expectedFile = `rules/${text.dataset}.yaml`;
  if (document.file !== expectedFile) {
    problems.push(document.problemAt('/dataset', `the file of the dataset "${text.dataset}" must be called ${expectedFile}`));
    return [];
  }
  const dataset = catalogue.datasets.get(text.dataset as DatasetId);
  if (dataset === undefined) {
    problems.push(document.problemAt('/dataset', `the catalogue has no dataset "${text.dataset}"${didYouMean(text.dataset, catalogue.datasets.keys())}`));
    return [];
  }
  return text.rules.flatMap((rule, at) => compileRule(document, rule, pointerOf('rules', at), dataset, purposes, problems) ?? []);
}

function compileRule(document: PolicyDocument, text: RuleText, pointer: string, dataset: Dataset, purposes: Purposes, problems: Problem[]): Rule | undefined {
  const before = problems.length;
  const report = (at: string, problem: string) => problems.push(document.problemAt(pointer + at, problem));
  const deny = text.effect === 'deny' || 'deny' in text.effect;
  const fields = fieldsByPattern(text.fields, dataset, report);
  const when = text.when === undefined ? null : compileCondition(text.when, purposes.facts, (at, problem) => report(`/when${at}`, problem));
  const rule: Rule = {
    id: text.id,
    description: text.description,
    path: Object.freeze([document.file, 'rules', text.id]),
    fields: new Set([...fields.keys()].map(({ ref }) => ref)),
    purposes: named(text.purposes, [...purposes.purposes.keys()], deny, 'purpose', (at, problem) => report(`/purposes/${at}`, problem)),
    institutionClasses: named(text.institution_classes, [...purposes.institutionClasses.keys()], deny, 'institution class', (at, problem) => report(`/institution_classes/${at}`, problem)),
    consent: new Set(text.consent),
    effect: effectOf(text.effect),
    when: when ?? null,
    pointer,
    text,
  };
  const guarded = ruleGuards(rule, purposes.purposes);
  for (const { pointer: at, problem } of guarded) report(at, problem);
  // a rule that is wrong by itself would be wrong once more for each of its fields
  for (const [field, at] of guarded.length > 0 ? [] : fields) {
    for (const problem of fieldGuards(rule, field, purposes.purposes)) report(`/fields/${at}`, problem);
  }
  return problems.length === before ? rule : undefined;
}

/** Each field with the position of the first pattern that names it. */
function fieldsByPattern(patterns: readonly string[], dataset: Dataset, report: (at: string, problem: string) => void): Map<Field, number> {
  const fields = new Map<Field, number>();
  const names = dataset.fields.map(({ name }) => name);
  const byName = new Map(dataset.fields.map((field) => [field.name, field]));
  for (const [at, pattern] of patterns.entries()) {
    const found = namesMatching(pattern, names);
    if (found.length === 0) {
      report(`/fields/${at}`, pattern.includes('*')
        ? `no field of ${dataset.id} matches "${pattern}"`
        : `${dataset.id} has no field "${pattern}"${didYouMean(pattern, names)}`);
    }
    for (const name of found) {
      const field = byName.get(name);
      if (field !== undefined && !fields.has(field)) fields.set(field, at);
    }
  }
  return fields;
}

function named(listed: readonly string[], known: readonly string[], deny: boolean, what: string, report: (at: number, problem: string) => void): Set<string> {
  const names = new Set<string>();
  for (const [at, name] of listed.entries()) {
    if (name === '*') {
      // a new purpose or class must not inherit what was opened before it existed
      if (!deny) report(at, `"*" may stand for every ${what} only in a deny: name those the rule opens the fields to`);
      for (const each of known) names.add(each);
    } else if (known.includes(name)) {
      names.add(name);
    } else {
      report(at, `unknown ${what} "${name}"${didYouMean(name, known)}`);
    }
  }
  return names;
}
