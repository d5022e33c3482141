import { useEffect, useState } from 'react';
import type { Query, RowSelection } from '../../sdk/bank.ts';
import type { CatalogueView, FieldView } from '../../sdk/catalogue.ts';
import { isUscc } from '../../uscc.ts';
import type { Value } from '../../vocabulary.ts';
import { typedValue } from './typed-value.tsx';

/** Fields to read or to verify, in the order they were chosen; `claimed` is what was typed to compare with. */
export type Picked = readonly { readonly field: string; readonly use: 'read' | 'verify'; readonly claimed: string }[];

export type RowCondition = { readonly field: string; readonly op: 'eq' | 'gte' | 'lte'; readonly value: string };
/** Which records of one dataset, as typed. */
export type RowChoice = { readonly conditions: readonly RowCondition[]; /** Empty: as the gateway orders them. */ readonly sortBy: string; readonly direction: 'asc' | 'desc'; readonly limit: string };

/** A query while it is built: everything as it was typed. */
export type Draft = {
  readonly subject: string; readonly purpose: string; readonly picked: Picked;
  readonly facts: Readonly<Record<string, string>>;
  /** By dataset. */
  readonly rows: Readonly<Record<string, RowChoice>>;
};

export const noRowChoice: RowChoice = { conditions: [], sortBy: '', direction: 'desc', limit: '' };
/** What the gateway takes at most. */
export const rowConditionsMax = 5;
const rowsMax = 120;

/** In memory alone, so that it survives another page but no sign-out: enterprises looked at are written down nowhere. */
let kept: Draft | undefined;

/** The draft of this browser's person. */
export function useDraft({ purposes }: CatalogueView) {
  const [draft, setDraft] = useState<Draft>(() => (kept !== undefined && purposes.some(({ code }) => code === kept?.purpose) ? kept : { subject: '', purpose: purposes[0]?.code ?? '', picked: [], facts: {}, rows: {} }));
  useEffect(() => { kept = draft; }, [draft]);
  return { draft, change: (changes: Partial<Draft>) => setDraft((before) => ({ ...before, ...changes })) };
}

export const fieldsOf = ({ datasets }: Pick<CatalogueView, 'datasets'>): ReadonlyMap<string, FieldView> => new Map(datasets.flatMap(({ fields }) => fields.map((field) => [field.field, field] as const)));

export const datasetOf = (field: string) => field.slice(0, field.indexOf('.'));

/** The query as the gateway takes it; undefined while it is not whole, or something typed cannot be what it stands for. */
export function queryOf({ subject, purpose, picked, facts, rows }: Draft, catalogue: CatalogueView): Query | undefined {
  const code = subject.trim().toUpperCase();
  const fields = fieldsOf(catalogue);
  const read = picked.filter(({ use }) => use === 'read').map(({ field }) => field);
  const verify = allOf(picked.filter(({ use }) => use === 'verify').map(({ field, claimed }) => {
    const value = typedValue(claimed, fields.get(field) ?? { type: 'text' });
    return value === undefined ? undefined : { field, claimed: value };
  }));
  const stated = Object.entries(facts).filter(([, value]) => value.trim() !== '').map(([name, value]) => [name, factOf(value.trim())] as const);
  const chosen = chosenRows(rows, picked, fields);
  if (!isUscc(code) || picked.length === 0 || chosen === undefined || verify === undefined) return undefined;
  return {
    subject: code, purpose,
    ...(read.length === 0 ? {} : { read }), ...(verify.length === 0 ? {} : { verify }),
    ...(stated.length === 0 ? {} : { facts: Object.fromEntries(stated) }), ...(chosen.length === 0 ? {} : { rows: Object.fromEntries(chosen) }),
  };
}

/** All of them; undefined when one is missing. */
function allOf<Item>(items: readonly (Item | undefined)[]): readonly Item[] | undefined {
  const there = items.filter((item) => item !== undefined);
  return there.length === items.length ? there : undefined;
}

/** True for nothing and for what the gateway takes. */
export function isRowLimit(limit: string): boolean {
  return limit.trim() === '' || (/^\d{1,3}$/.test(limit.trim()) && Number(limit) >= 1 && Number(limit) <= rowsMax);
}

/** By dataset; choices by fields that are no longer read are left out. @returns undefined when something typed is wrong */
function chosenRows(rows: Draft['rows'], picked: Picked, fields: ReadonlyMap<string, FieldView>): readonly (readonly [string, RowSelection])[] | undefined {
  const read = new Set(picked.filter(({ use }) => use === 'read').map(({ field }) => field));
  const verified = new Set(picked.filter(({ use }) => use === 'verify').map(({ field }) => datasetOf(field)));
  const shown = Object.entries(rows).filter(([dataset]) => !verified.has(dataset) && [...read].some((field) => datasetOf(field) === dataset));
  const selections = allOf(shown.map(([dataset, { conditions, sortBy, direction, limit }]): readonly [string, RowSelection] | undefined => {
    const filter = allOf(conditions.filter(({ field }) => read.has(field)).map(({ field, op, value: typed }) => {
      const value = typedValue(typed, fields.get(field) ?? { type: 'text' });
      return value === undefined ? undefined : { field, op, value };
    }));
    if (filter === undefined || !isRowLimit(limit)) return undefined;
    return [dataset, {
      ...(filter.length === 0 ? {} : { filter }), ...(read.has(sortBy) ? { sort: { field: sortBy, direction } } : {}), ...(limit.trim() === '' ? {} : { limit: Number(limit) }),
    }];
  }));
  return selections?.filter(([, selection]) => Object.keys(selection).length > 0);
}

function factOf(text: string): Value {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}
