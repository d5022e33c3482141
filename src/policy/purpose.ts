import type { Catalogue, FieldRef, InstitutionClass, PurposeCaps, PurposeCode, Use } from '../vocabulary.ts';
import { pointerOf, type PolicyDocument } from './document.ts';
import { platformFacts, type Fact } from './facts.ts';
import { namesMatching } from './pattern.ts';
import { didYouMean, type Problem } from './problem.ts';
import type { PurposesText, Words } from './text.ts';

export type Purpose = {
  readonly code: PurposeCode;
  readonly title: Words;
  readonly description: Words;
  /** What the purpose may do with data at all. */
  readonly uses: ReadonlySet<Use>;
  /** `caps.fields` is the purpose's minimum. */
  readonly caps: PurposeCaps;
  /** For each subject × field × grant. */
  readonly verificationAttemptsMax: number;
};

export type InstitutionClassWords = { readonly code: InstitutionClass; readonly title: Words; readonly description?: Words };

export type Purposes = {
  readonly purposes: ReadonlyMap<string, Purpose>;
  readonly institutionClasses: ReadonlyMap<string, InstitutionClassWords>;
  readonly facts: ReadonlyMap<string, Fact>;
};

/** Reads purposes.yaml once its shape has been checked. */
export function compilePurposes(document: PolicyDocument, catalogue: Catalogue, problems: Problem[]): Purposes {
  const text = document.value as PurposesText;
  const refs = [...catalogue.fields.keys()];
  const purposes = new Map<string, Purpose>();
  for (const [code, purpose] of Object.entries(text.purposes)) {
    const { caps } = purpose;
    purposes.set(code, {
      code: code as PurposeCode,
      title: purpose.title,
      description: purpose.description,
      uses: new Set(purpose.uses),
      verificationAttemptsMax: purpose.verification.attempts_max,
      caps: Object.freeze({
        validityDaysMax: caps.validity_days_max,
        usesMax: caps.uses_max,
        frequencyMax: Object.freeze({ ...caps.frequency_max }),
        dataLifeDaysMax: caps.data_life_days_max,
        dataPeriodYearsMax: caps.data_period_years_max,
        kinds: Object.freeze([...caps.kinds]),
        fields: minimumFields(document, pointerOf('purposes', code, 'minimum'), purpose.minimum, refs, problems),
      }),
    });
  }
  return { purposes, institutionClasses: compileClasses(text), facts: compileFacts(document, text, problems) };
}

function minimumFields(document: PolicyDocument, pointer: string, patterns: readonly string[], refs: readonly FieldRef[], problems: Problem[]): ReadonlySet<FieldRef> {
  const fields = new Set<FieldRef>();
  for (const [at, pattern] of patterns.entries()) {
    const found = namesMatching(pattern, refs) as FieldRef[];
    if (found.length === 0) {
      const problem = pattern.includes('*') ? `no field of the catalogue matches "${pattern}"` : `the catalogue has no field "${pattern}"${didYouMean(pattern, refs)}`;
      problems.push(document.problemAt(`${pointer}/${at}`, problem));
    }
    for (const ref of found) fields.add(ref);
  }
  return fields;
}

function compileClasses(text: PurposesText): Map<string, InstitutionClassWords> {
  return new Map(Object.entries(text.institution_classes).map(([code, words]) => [code, { code: code as InstitutionClass, ...words }]));
}

function compileFacts(document: PolicyDocument, text: PurposesText, problems: Problem[]): Map<string, Fact> {
  const facts = new Map<string, Fact>();
  for (const [name, fact] of Object.entries(text.facts)) {
    const pointer = pointerOf('facts', name);
    const from = name.startsWith('request.') ? 'caller' : 'platform';
    if (from === 'platform') {
      const type = platformFacts.get(name);
      if (type === undefined) problems.push(document.problemAt(pointer, `the platform knows no fact "${name}"${didYouMean(name, platformFacts.keys())}; facts of the caller start with "request."`, 'key'));
      else if (type !== fact.type) problems.push(document.problemAt(`${pointer}/type`, `the platform's fact ${name} is of type ${type}`));
    }
    if (fact.codes !== undefined && fact.type !== 'code') problems.push(document.problemAt(`${pointer}/codes`, 'only facts of type code have codes', 'key'));
    if ((fact.min !== undefined || fact.max !== undefined) && fact.type !== 'integer') problems.push(document.problemAt(pointer, 'only facts of type integer have min and max'));
    if (fact.min !== undefined && fact.max !== undefined && fact.min > fact.max) problems.push(document.problemAt(`${pointer}/min`, '"min" must not be above "max"'));
    facts.set(name, { name, from, ...fact });
  }
  return facts;
}
