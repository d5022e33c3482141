import { institutionNames } from '../../sdk/institution-names.ts';
import { useWords } from '../shell/language.tsx';
import { useRead } from '../shell/use-gateway.ts';

/** @returns what an institution is called; its id where the platform gives no name, or has not given it yet */
export function useInstitutionNames(ids: readonly (string | null | undefined)[]): (id: string) => string {
  const words = useWords();
  const wanted = [...new Set(ids)].filter((id) => typeof id === 'string').toSorted();
  const { data } = useRead(['institution-names', wanted], (calls) => institutionNames(calls, wanted), { enabled: wanted.length > 0, keepPrevious: true });
  return (id) => {
    const name = data?.get(id);
    return name === undefined ? id : words(name);
  };
}
