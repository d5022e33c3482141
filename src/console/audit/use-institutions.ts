import { catalogueClient } from '../../sdk/catalogue.ts';
import { officerClient, type InstitutionView } from '../../sdk/officer.ts';
import { useWords } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';

/** Pages of 200 that are read: whoever is beyond them is called by its id. */
const pagesMax = 10;

/** What a class of institutions is called. */
export function useClassNames(): (code: string) => string {
  const words = useWords();
  const { data } = useRead(['institution classes'], (calls) => catalogueClient(calls).policy());
  return (code) => words(data?.institution_classes.find((known) => known.code === code)?.title ?? { en: code, zh: code });
}

/** All institutions by id, and what they are called. */
export function useInstitutions(): { readonly institutions: readonly InstitutionView[]; readonly nameOf: (id: string | null) => string } {
  const words = useWords();
  const { data: institutions = [] } = useRead(['institutions', 'all'], async (calls) => {
    const found: InstitutionView[] = [];
    for (let page = 0, after: string | undefined; page < pagesMax; page += 1) {
      const { institutions: more, next } = await officerClient(calls).institutions(after);
      found.push(...more);
      if (next === null) break;
      after = next;
    }
    return found;
  });
  const named = (id: string) => institutions.find((institution) => institution.id === id)?.name ?? { en: id, zh: id };
  return { institutions, nameOf: (id) => (id === null ? '–' : words(named(id))) };
}
