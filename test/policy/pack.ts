import { stringify } from 'yaml';
import { compilePolicyPack, type PolicyFile } from '../../src/policy/load.ts';
import type { CompiledPolicy, DecisionRequest } from '../../src/policy/policy.ts';
import type { PurposesText, RulesText, RuleText } from '../../src/policy/text.ts';
import type { Catalogue, Classification, ConsentState, Dataset, DatasetId, Field, FieldDecision, FieldRef, FieldType, InstitutionClass, PurposeCode, Use, Value } from '../../src/vocabulary.ts';

type FieldSketch = readonly [name: string, type: FieldType, level: Classification['level'], kind: Classification['kind'], more?: Partial<Field>];

/** A catalogue from a few words for each field. */
export function catalogueOf(sketch: Readonly<Record<string, readonly FieldSketch[]>>): Catalogue {
  const datasets = new Map<DatasetId, Dataset>();
  const fields = new Map<FieldRef, Field>();
  for (const [id, list] of Object.entries(sketch)) {
    const described = list.map(([name, type, level, kind, more]): Field => ({
      ref: `${id}.${name}` as FieldRef, name, title: { en: `Title of ${name}`, zh: `${name}的名称` }, type, classification: { level, kind }, required: false, ...more,
    }));
    datasets.set(id as DatasetId, { id: id as DatasetId, title: { en: id, zh: id }, department: 'office', cardinality: { kind: 'one' }, freshnessDays: 30, fields: described });
    for (const field of described) fields.set(field.ref, field);
  }
  return { datasets, fields };
}

export const smallCatalogue = catalogueOf({
  tax: [
    ['revenue_cents', 'integer', 3, 'commercial_secret', { unit: 'CNY cent', min: 0, max: 900_000_000_000_000 }],
    ['paid_cents', 'integer', 4, 'commercial_secret', { min: 0, max: 900_000_000_000_000 }],
    ['rating', 'code', 1, 'public', { codes: { A: 'A', B: 'B', C: 'C', D: 'D' } }],
    ['customer', 'text', 4, 'commercial_secret', { maxLength: 18 }],
    ['closed', 'text', 3, 'commercial_secret', { maxLength: 18 }],
  ],
  owner: [
    ['name', 'text', 3, 'personal', { maxLength: 60 }],
    ['account', 'text', 5, 'personal', { maxLength: 25 }],
    ['share', 'decimal', 2, 'commercial_secret', { scale: 2, min: 0, max: 100 }],
    ['married', 'boolean', 2, 'personal'],
    ['since', 'date', 2, 'public'],
  ],
});

const words = (text: string) => ({ en: text, zh: text });

export const caps: PurposesText['purposes'][string]['caps'] = {
  validity_days_max: 90, uses_max: 10, frequency_max: { max: 5, per: 'day' }, data_life_days_max: 30, data_period_years_max: 3, kinds: ['one_time'],
};

export function purposesText(change: Partial<PurposesText> = {}): PurposesText {
  return {
    institution_classes: { bank: { title: words('Bank') }, bureau: { title: words('Bureau') } },
    facts: {
      'institution.security_level': { type: 'integer', min: 1, max: 5, title: words('security level') },
      'grant.kind': { type: 'code', codes: ['one_time', 'periodic'], title: words('kind of grant') },
      'now.date': { type: 'date', title: words('date') },
      'request.loan_amount_cents': { type: 'integer', min: 1, unit: 'CNY cent', title: words('loan amount') },
      'request.urgent': { type: 'boolean', title: words('urgent') },
    },
    purposes: {
      review: { title: words('Review'), description: words('Review'), uses: ['read', 'verify', 'score'], caps, verification: { attempts_max: 3 }, minimum: ['tax.*', 'owner.*'] },
      modelling: { title: words('Modelling'), description: words('Modelling'), uses: ['aggregate', 'read'], caps, verification: { attempts_max: 0 }, minimum: ['tax.revenue_cents', 'tax.rating', 'owner.share'] },
    },
    ...change,
  };
}

export type RuleSketch = Partial<RuleText> & Pick<RuleText, 'id' | 'fields' | 'effect'>;

export function ruleOf(sketch: RuleSketch): RuleText {
  return { description: words(`Says ${sketch.id}`), purposes: ['review'], institution_classes: ['bank'], consent: ['original'], ...sketch };
}

export function fileOf(file: string, content: unknown): PolicyFile {
  return { file, bytes: new TextEncoder().encode(typeof content === 'string' ? content : stringify(content, { aliasDuplicateObjects: false })) };
}

export function filesOf(rules: Readonly<Record<string, readonly RuleSketch[]>>, purposes: PurposesText = purposesText()): PolicyFile[] {
  const files = Object.entries(rules).map(([dataset, list]) => fileOf(`rules/${dataset}.yaml`, { dataset, rules: list.map(ruleOf) } satisfies RulesText));
  return [fileOf('purposes.yaml', purposes), ...files];
}

/** A policy over the small catalogue; rules are for purpose `review`, class `bank`, consent `original` unless they say otherwise. */
export function policyOf(rules: Readonly<Record<string, readonly RuleSketch[]>>, purposes: PurposesText = purposesText(), catalogue: Catalogue = smallCatalogue): CompiledPolicy {
  return compilePolicyPack(filesOf(rules, purposes), catalogue);
}

export type RequestSketch = {
  readonly purpose?: string;
  readonly institutionClass?: string;
  readonly consent?: Readonly<Record<string, string>> | null;
  readonly facts?: Readonly<Record<string, Value>>;
};

export function requestOf(asked: readonly (readonly [field: string, use: Use])[], sketch: RequestSketch = {}): DecisionRequest {
  const consent = sketch.consent === undefined ? Object.fromEntries(asked.map(([field]) => [field, 'original'])) : sketch.consent;
  return {
    purpose: (sketch.purpose ?? 'review') as PurposeCode,
    institutionClass: (sketch.institutionClass ?? 'bank') as InstitutionClass,
    asked: asked.map(([field, use]) => ({ field: field as FieldRef, use })),
    consent: consent === null ? null : new Map(Object.entries(consent) as [FieldRef, ConsentState][]),
    facts: new Map(Object.entries(sketch.facts ?? {})),
  };
}

/** The decision for one field, consented to the original unless the request says otherwise. */
export function decideOne(policy: CompiledPolicy, field: string, use: Use, sketch: RequestSketch = {}): FieldDecision {
  return policy.decide(requestOf([[field, use]], sketch)).fields[0] as FieldDecision;
}
