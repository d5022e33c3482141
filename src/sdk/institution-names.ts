import type { GatewayCalls } from './connection.ts';

export type InstitutionName = { readonly id: string; readonly name: { readonly en: string; readonly zh: string } };

const idsMax = 100;

/** What institutions are called, by id; those that are unknown or were never admitted are not in the answer. */
export async function institutionNames({ call }: Pick<GatewayCalls, 'call'>, ids: readonly string[]): Promise<ReadonlyMap<string, InstitutionName['name']>> {
  const wanted = [...new Set(ids)].toSorted();
  const found = new Map<string, InstitutionName['name']>();
  for (let at = 0; at < wanted.length; at += idsMax) {
    const query = new URLSearchParams({ ids: wanted.slice(at, at + idsMax).join(',') });
    const { institutions } = await call<{ readonly institutions: readonly InstitutionName[] }>({ method: 'GET', path: `/v1/institution-names?${query}` });
    for (const { id, name } of institutions) found.set(id, name);
  }
  return found;
}
