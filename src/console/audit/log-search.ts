import { isIsoDate } from '../../calendar.ts';
import type { EntryQuery } from '../../sdk/reports.ts';
import { beginOf, endOf } from './day-filter.ts';
import { kindGroupNames, kindGroups, type KindGroup } from './kind-words.ts';

/** What the filters hold, as they are typed: empty means all. It stands in the page's address, so a search can be kept. */
export const searchNames = ['from', 'until', 'group', 'kind', 'institution', 'purpose', 'outcome', 'code', 'dataset', 'policy', 'actor', 'first', 'last'] as const;
export type SearchName = (typeof searchNames)[number];
export type LogSearch = Readonly<Record<SearchName, string>>;

export const emptySearch = Object.fromEntries(searchNames.map((name) => [name, ''])) as LogSearch;

export function searchOf(params: URLSearchParams): LogSearch {
  return Object.fromEntries(searchNames.map((name) => [name, params.get(name) ?? ''])) as LogSearch;
}

/** The address of a search, below /console. */
export function searchAddress(search: Partial<LogSearch>): string {
  const params = new URLSearchParams(Object.entries(search).filter(([, value]) => value !== ''));
  return params.size === 0 ? '/audit/entries' : `/audit/entries?${params}`;
}

export const isGroup = (name: string): name is KindGroup => (kindGroupNames as readonly string[]).includes(name);

/** What the gateway is asked for; days are those of Shanghai, both included. What is typed wrongly is named, not sent. */
export function queryOf(search: LogSearch): { readonly query: EntryQuery; readonly wrong: readonly SearchName[] } {
  const wrong: SearchName[] = [];
  const day = (name: 'from' | 'until') => {
    const value = search[name];
    if (value === '') return undefined;
    if (isIsoDate(value)) return name === 'from' ? beginOf(value) : endOf(value);
    wrong.push(name);
    return undefined;
  };
  const matching = (name: SearchName, pattern: RegExp) => {
    const value = search[name].trim();
    if (value === '') return undefined;
    if (pattern.test(value)) return value;
    wrong.push(name);
    return undefined;
  };
  const number = (name: 'first' | 'last') => {
    const value = matching(name, /^\d{1,15}$/);
    return value === undefined ? undefined : Number(value);
  };
  const kinds = search.kind !== '' ? [search.kind] : isGroup(search.group) ? kindGroups[search.group] : undefined;
  const outcome = search.outcome === 'released' || search.outcome === 'refused' ? search.outcome : undefined;
  const given = {
    from: day('from'), until: day('until'), kinds, outcome, institution: matching('institution', partyId), actor: matching('actor', partyId), purpose: matching('purpose', code),
    code: matching('code', /^[A-Z][A-Z_]{0,63}$/), dataset: matching('dataset', code), policy: matching('policy', /^[0-9a-f]{64}$/), first: number('first'), last: number('last'),
  };
  return { query: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)), wrong };
}

/** As the gateway reads them (schema/words.ts). */
const partyId = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$/;
const code = /^[a-z][a-z0-9_]{0,40}$/;
