import { catalogueClient } from '../../sdk/catalogue.ts';
import type { GatewayCalls } from '../../sdk/connection.ts';
import { officerClient, type InstitutionView } from '../../sdk/officer.ts';
import { useFormats, useTexts, useWords } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';
import { allPages, type Listed } from './all-pages.ts';
import { cutTexts } from './cut-note.tsx';

/** What a class of institutions is called. */
export function useClassNames(): (code: string) => string {
  const words = useWords();
  const { data } = useRead(['institution classes'], (calls) => catalogueClient(calls).policy());
  return (code) => words(data?.institution_classes.find((known) => known.code === code)?.title ?? { en: code, zh: code });
}

export const readInstitutions = (calls: GatewayCalls): Promise<Listed<InstitutionView>> => allPages(async (after: string | undefined) => {
  const { institutions, next } = await officerClient(calls).institutions(after);
  return { rows: institutions, next };
});

/** All institutions; read once for all that show them. */
export const useInstitutions = () => useRead(['institutions', 'list'], readInstitutions);

/** What institutions are called; the id of one that is not known, or not yet. */
export function useInstitutionName(): (id: string | null) => string {
  const words = useWords();
  const { data } = useInstitutions();
  return (id) => (id === null ? '–' : words(data?.rows.find((institution) => institution.id === id)?.name ?? { en: id, zh: id }));
}

/** Institutions to choose from, with a hint where they are not all. */
export function useInstitutionOptions(): { readonly options: readonly { readonly value: string; readonly label: string }[]; readonly hint: string | undefined } {
  const words = useWords();
  const t = useTexts(cutTexts);
  const { number } = useFormats();
  const { data } = useInstitutions();
  const options = (data?.rows ?? []).map(({ id, name }) => ({ value: id, label: words(name) }));
  return { options, hint: data?.isCut === true ? t('cut', { count: number(options.length) }) : undefined };
}
