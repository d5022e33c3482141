import { VeilgateError } from '../../errors.ts';
import type { FieldRef, Use } from '../../vocabulary.ts';
import { platformFacts } from '../facts.ts';
import { namesMatching } from '../pattern.ts';
import { didYouMean } from '../problem.ts';
import type { FactText, PurposesText, PurposeText, Words } from '../text.ts';

/** What is to hold for one purpose. What is absent stays as it is; of `minimum` only the fields named change. */
export type PurposeEdit = {
  readonly purpose: string;
  /** The purpose is made, and everything below is there; absent: it exists. */
  readonly is_new?: boolean;
  readonly title?: Words;
  readonly description?: Words;
  readonly uses?: readonly Use[];
  readonly caps?: Partial<PurposeText['caps']>;
  readonly attempts_max?: number;
  readonly minimum?: { readonly add: readonly FieldRef[]; readonly remove: readonly FieldRef[] };
};

/** A fact as it is to be declared from now on; null: no longer. */
export type FactEdit = { readonly fact: string; readonly declared: FactText | null };

const capNames = ['validity_days_max', 'uses_max', 'frequency_max', 'data_life_days_max', 'data_period_years_max', 'kinds'] as const;

/**
 * purposes.yaml as plain values after edits, one after the other.
 * @param refs all fields of the catalogue, in its order
 * Errors: REQUEST_INVALID for purposes, facts and fields there are not, and for new ones that are not complete.
 */
export function editedPurposes(text: PurposesText, purposes: readonly PurposeEdit[], facts: readonly FactEdit[], refs: readonly FieldRef[]): PurposesText {
  const afterPurposes = purposes.reduce((now, edit, at) => ({ ...now, purposes: { ...now.purposes, [edit.purpose]: editedPurpose(now, edit, `/purposes/${at}`, refs) } }), text);
  return facts.reduce((now, edit, at) => ({ ...now, facts: editedFacts(now.facts, edit, `/facts/${at}`) }), afterPurposes);
}

function editedPurpose(text: PurposesText, edit: PurposeEdit, pointer: string, refs: readonly FieldRef[]): PurposeText {
  const before = Object.hasOwn(text.purposes, edit.purpose) ? text.purposes[edit.purpose] : undefined;
  const isNew = edit.is_new === true;
  if (before === undefined && !isNew) throw refused(`${pointer}/purpose`, `The policy knows no purpose ${edit.purpose}${didYouMean(edit.purpose, Object.keys(text.purposes))}.`);
  if (before !== undefined && isNew) throw refused(`${pointer}/purpose`, `The policy has a purpose ${edit.purpose} already: choose another code.`);
  const { add = [], remove = [] } = edit.minimum ?? {};
  for (const [list, fields] of [['add', add], ['remove', remove]] as const) {
    const unknown = fields.findIndex((field) => !refs.includes(field));
    if (unknown >= 0) throw refused(`${pointer}/minimum/${list}/${unknown}`, `The catalogue has no field ${fields[unknown]}${didYouMean(fields[unknown] ?? '', refs)}.`);
  }
  const both = add.findIndex((field) => remove.includes(field));
  if (both >= 0) throw refused(`${pointer}/minimum/add/${both}`, `${add[both]} is to be added and to be removed: say one of the two.`);
  const minimum = withFields(before?.minimum ?? [], add, remove, refs);
  if (minimum.length === 0) throw refused(`${pointer}/minimum`, 'A purpose needs at least one field: with none, nothing could be asked for it.');
  return before === undefined ? newPurpose(edit, minimum, pointer) : {
    title: edit.title ?? before.title, description: edit.description ?? before.description, uses: edit.uses ?? before.uses, caps: { ...before.caps, ...edit.caps },
    verification: { attempts_max: edit.attempts_max ?? before.verification.attempts_max }, minimum,
  };
}

function newPurpose({ title, description, uses, caps, attempts_max: attempts }: PurposeEdit, minimum: readonly string[], pointer: string): PurposeText {
  const missing = [['title', title], ['description', description], ['uses', uses], ...capNames.map((name) => [`caps/${name}`, caps?.[name]]), ['attempts_max', attempts]].find(([, value]) => value === undefined);
  if (title === undefined || description === undefined || uses === undefined || attempts === undefined || missing !== undefined) {
    throw refused(`${pointer}/${String(missing?.[0])}`, `A new purpose says everything: ${String(missing?.[0])} is missing.`);
  }
  return { title, description, uses, caps: caps as PurposeText['caps'], verification: { attempts_max: attempts }, minimum };
}

/**
 * A pattern that stood for a field to be removed gives way to the names it stood for: a field that comes later is not covered
 * by what is left. A new field stands behind the last one of its dataset.
 */
function withFields(minimum: readonly string[], add: readonly FieldRef[], remove: readonly FieldRef[], refs: readonly FieldRef[]): string[] {
  const gone = new Set<string>(remove);
  const list: string[] = [];
  const stands = minimum.filter((pattern) => !namesMatching(pattern, refs).some((name) => gone.has(name)));
  const isCovered = (name: string) => list.includes(name) || stands.some((pattern) => namesMatching(pattern, [name]).length > 0);
  for (const pattern of minimum) {
    if (stands.includes(pattern)) list.push(pattern);
    else list.push(...namesMatching(pattern, refs).filter((name) => !gone.has(name) && !isCovered(name)));
  }
  for (const field of add) {
    if (isCovered(field)) continue;
    const dataset = field.slice(0, field.indexOf('.') + 1);
    const last = list.findLastIndex((pattern) => pattern.startsWith(dataset));
    list.splice(last < 0 ? list.length : last + 1, 0, field);
  }
  return list;
}

function editedFacts(facts: PurposesText['facts'], { fact, declared }: FactEdit, pointer: string): PurposesText['facts'] {
  const { [fact]: before, ...others } = facts;
  if (declared === null) {
    if (before === undefined) throw refused(`${pointer}/fact`, `The policy declares no fact ${fact}${didYouMean(fact, Object.keys(facts))}.`);
    return others;
  }
  const isKnown = fact.startsWith('request.') || platformFacts.has(fact);
  if (!isKnown) throw refused(`${pointer}/fact`, `The platform knows no fact ${fact}${didYouMean(fact, platformFacts.keys())}; what institutions state begins with "request.".`);
  return { ...facts, [fact]: declared };
}

function refused(pointer: string, detail: string): VeilgateError {
  return new VeilgateError('REQUEST_INVALID', detail, { pointer });
}
