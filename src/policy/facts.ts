import { dayMs, isIsoDate, shanghaiDate } from '../calendar.ts';
import type { InstitutionClass, TimeMs, Value } from '../vocabulary.ts';
import type { FactText, Words } from './text.ts';

/** A fact that conditions may ask about, as purposes.yaml declares it. */
export type Fact = {
  readonly name: string;
  readonly type: FactText['type'];
  readonly title: Words;
  readonly unit?: string;
  readonly min?: number;
  readonly max?: number;
  readonly codes?: readonly string[];
  /** `platform` knows it, or the `caller` states it in its signed query. */
  readonly from: 'platform' | 'caller';
};

/** Facts by name; one that is absent makes a condition on it impossible to evaluate. */
export type Facts = ReadonlyMap<string, Value>;

/** Facts the platform knows by itself, with the type a declaration must give them. */
export const platformFacts: ReadonlyMap<string, FactText['type']> = new Map([
  ['institution.class', 'code'],
  /** Highest passed security assessment, 1–5. */
  ['institution.security_level', 'integer'],
  /** `one_time` or `periodic`. */
  ['grant.kind', 'code'],
  /** `browser` or `signed`. */
  ['grant.origin', 'code'],
  /** Whole days since the grant was made. */
  ['grant.age_days', 'integer'],
  /** Date of the decision in Asia/Shanghai, as everywhere in consent. */
  ['now.date', 'date'],
]);

const callerFactsMax = 50;

/**
 * Brings the facts of one request together. What is not known stays absent, so that conditions on it deny.
 * `stated` are the facts of the signed query, without the `request.` that is put before each name here: a
 * caller cannot state a fact of the platform.
 */
export function gatherFacts(known: {
  readonly institutionClass: InstitutionClass;
  readonly securityLevel?: number;
  readonly grant?: { readonly kind: string; readonly origin: string; readonly createdAtMs: TimeMs } | null;
  readonly stated?: Readonly<Record<string, Value>>;
  readonly nowMs: TimeMs;
}): Facts {
  const facts = new Map<string, Value>([
    ['institution.class', known.institutionClass],
    ['now.date', shanghaiDate(known.nowMs)],
  ]);
  if (known.securityLevel !== undefined) facts.set('institution.security_level', known.securityLevel);
  if (known.grant !== undefined && known.grant !== null) {
    facts.set('grant.kind', known.grant.kind);
    facts.set('grant.origin', known.grant.origin);
    facts.set('grant.age_days', Math.floor((known.nowMs - known.grant.createdAtMs) / dayMs));
  }
  if (known.stated !== undefined) {
    for (const [name, value] of Object.entries(known.stated).slice(0, callerFactsMax)) facts.set(`request.${name}`, value);
  }
  return facts;
}

/** True when the value is one the declaration allows; anything else counts as missing. */
export function isFactValue(fact: Pick<Fact, 'type' | 'min' | 'max' | 'codes'>, value: Value | undefined): boolean {
  switch (fact.type) {
    case 'integer':
      return Number.isSafeInteger(value) && (value as number) >= (fact.min ?? -Infinity) && (value as number) <= (fact.max ?? Infinity);
    case 'boolean':
      return typeof value === 'boolean';
    case 'date':
      return isIsoDate(value);
    case 'text':
      return typeof value === 'string';
    case 'code':
      return typeof value === 'string' && (fact.codes === undefined || fact.codes.includes(value));
    default:
      fact.type satisfies never;
      return false;
  }
}
