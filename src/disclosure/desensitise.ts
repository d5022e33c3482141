import type { DatasetId, Decision, DisclosedRow, Disclosure, FieldDecision, FieldRef, PartyId, PurposeCode, RawRow, Value } from '../vocabulary.ts';
import type { FieldTokens, TokenKeys } from './tokens.ts';
import { suppressed, treatmentFunction } from './treatments/treat.ts';

export type DesensitiseContext = {
  /** To whom the answer goes: tokens are made for it. */
  readonly institution: PartyId;
  readonly tokenKeys: TokenKeys;
};

/** Rows of every dataset of which some field may be read, in the order they came. */
export type Desensitised = {
  /** Keyed by dataset, then by field name without its dataset. Withheld fields don't appear. */
  readonly rows: Readonly<Record<string, readonly DisclosedRow[]>>;
  /** What `sealed` entries of `rows` stand for, at the same row index; only datasets with clear fields. For sealFor alone. */
  readonly clear: Readonly<Record<string, readonly ClearRow[]>>;
};
export type ClearRow = Readonly<Record<string, Value>>;

type Show = (value: Value, context: DesensitiseContext) => Disclosure;
/** A member of a row; without `show` it only says that its value is in the seal. */
type Member = { readonly name: string; readonly ref: FieldRef; readonly show?: Show };
/** `members` are in the order of canonical JSON, because an answer is written as they stand; `sealed` are those without `show`. */
type Plan = { readonly members: readonly Member[]; readonly sealed: readonly Member[] };

const sealed: Disclosure = Object.freeze({ kind: 'sealed' });

/**
 * Does to the fetched rows what the decision says, field by field. Pure apart from the cache of token keys.
 * What the decision does not name as readable does not come out, whatever was fetched; what cannot be treated as the
 * decision says comes out suppressed, `{ kind: 'masked', value: null }`.
 * @param rows the fetched rows of each dataset; datasets the decision lets nobody read from are passed over
 */
export function desensitise(decision: Decision, rows: ReadonlyMap<DatasetId, readonly RawRow[]>, context: DesensitiseContext): Desensitised {
  const disclosed: Record<string, readonly DisclosedRow[]> = {};
  const clear: Record<string, readonly ClearRow[]> = {};
  for (const [dataset, plan] of plansOf(decision)) {
    const rawRows = rows.get(dataset) ?? [];
    disclosed[dataset] = rawRows.map((row) => discloseRow(row, plan, context));
    if (plan.sealed.length > 0) clear[dataset] = rawRows.map((row) => clearRow(row, plan));
  }
  return { rows: disclosed, clear };
}

function discloseRow(row: RawRow, plan: Plan, context: DesensitiseContext): DisclosedRow {
  const disclosed: Record<string, Disclosure> = {};
  // whether there is a value is told inside the seal only
  for (const { name, ref, show } of plan.members) disclosed[name] = show === undefined ? sealed : show(row.read(ref) ?? null, context);
  return disclosed;
}

function clearRow(row: RawRow, plan: Plan): ClearRow {
  const values: Record<string, Value> = {};
  for (const { name, ref } of plan.sealed) values[name] = row.read(ref) ?? null;
  return values;
}

type FieldPlan = { readonly kind: 'sealed' } | { readonly kind: 'shown'; readonly show: Show };

const plansKnown = new WeakMap<Decision, ReadonlyMap<DatasetId, Plan>>();

/** Worked out once for a decision that cannot change any more, and equal decisions of a policy are one object. */
function plansOf(decision: Decision): ReadonlyMap<DatasetId, Plan> {
  let plans = plansKnown.get(decision);
  if (plans === undefined) {
    plans = makePlans(decision);
    if (Object.isFrozen(decision) && Object.isFrozen(decision.fields) && decision.fields.every(Object.isFrozen)) plansKnown.set(decision, plans);
  }
  return plans;
}

function makePlans(decision: Decision): ReadonlyMap<DatasetId, Plan> {
  const members = new Map<DatasetId, Map<string, Member>>();
  for (const fieldDecision of decision.fields) {
    const planned = planField(fieldDecision, decision.purpose);
    if (planned === undefined) continue;
    const { field: ref } = fieldDecision;
    const { dataset, name } = placeOf(ref);
    let ofDataset = members.get(dataset);
    if (ofDataset === undefined) members.set(dataset, ofDataset = new Map());
    // a decision says one thing about a field; should it ever say two, neither is followed
    if (ofDataset.has(name)) ofDataset.set(name, { name, ref, show: () => suppressed });
    else ofDataset.set(name, planned.kind === 'sealed' ? { name, ref } : { name, ref, show: planned.show });
  }
  const inOrder = [...members.keys()].sort().map((dataset) => [dataset, [...(members.get(dataset) ?? new Map<string, Member>()).values()].sort(byName)] as const);
  return new Map(inOrder.map(([dataset, ofDataset]) => [dataset, { members: ofDataset, sealed: ofDataset.filter(({ show }) => show === undefined) }]));
}

function byName(one: Member, other: Member): number {
  return one.name < other.name ? -1 : 1;
}

/** @returns undefined for a field that does not appear in the rows */
function planField(decision: FieldDecision, purpose: PurposeCode): FieldPlan | undefined {
  if (decision.use !== 'read' || decision.reason !== 'permitted') return undefined;
  const { disposition } = decision;
  switch (disposition) {
    case 'clear': return { kind: 'sealed' };
    case 'mask':
    case 'band':
    case 'token': return { kind: 'shown', show: treated(decision, purpose) };
    case 'verify':
    case 'score':
    case 'aggregate':
    case 'withhold': return undefined;
    default:
      disposition satisfies never;
      return undefined;
  }
}

function treated(decision: FieldDecision, purpose: PurposeCode): Show {
  const { treatment, field } = decision;
  if (treatment === undefined) return () => suppressed;
  const makesTokens = treatment.method === 'token' || treatment.method === 'format_preserving_token';
  if (decision.disposition === 'token' && !makesTokens) return () => suppressed;
  const treat = treatmentFunction(treatment);
  return (value, { institution, tokenKeys }) => treat(value, (): FieldTokens => tokenKeys.forField({ institution, purpose, field }));
}

type Place = { readonly dataset: DatasetId; readonly name: string };
const places = new Map<FieldRef, Place>();
/** More than any catalogue has; decisions name fields of the catalogue only. */
const placesMax = 20_000;

function placeOf(field: FieldRef): Place {
  let place = places.get(field);
  if (place === undefined) {
    const dot = field.indexOf('.');
    place = { dataset: field.slice(0, dot) as DatasetId, name: field.slice(dot + 1) };
    if (places.size >= placesMax) places.clear();
    places.set(field, place);
  }
  return place;
}
