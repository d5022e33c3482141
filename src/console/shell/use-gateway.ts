import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import type { GatewayCalls } from '../../sdk/connection.ts';
import { useSession } from './session.tsx';

/**
 * Reads something of the gateway and keeps it for a moment.
 * @param key what is read: the same key is read once, however many places show it
 */
export function useRead<Answer>(key: readonly unknown[], read: (calls: GatewayCalls) => Promise<Answer>, options: { readonly enabled?: boolean; readonly keepPrevious?: boolean } = {}) {
  const { calls } = useSession();
  return useQuery({
    queryKey: key, queryFn: () => read(calls),
    ...(options.enabled === undefined ? {} : { enabled: options.enabled }),
    ...(options.keepPrevious === true ? { placeholderData: keepPreviousData } : {}),
  });
}

/**
 * Changes something, once: a second press while the first is under way does nothing.
 * @param affects keys whose readings are read anew afterwards; keys begin with these
 */
export function useChange<Input, Answer>(change: (calls: GatewayCalls, input: Input) => Promise<Answer>, affects: readonly (readonly unknown[])[] = []) {
  const { calls } = useSession();
  const client = useQueryClient();
  const underWay = useRef(false);
  const mutation = useMutation({
    mutationFn: (input: Input) => change(calls, input),
    onSettled: async () => {
      underWay.current = false;
      await Promise.all(affects.map((queryKey) => client.invalidateQueries({ queryKey })));
    },
  });
  const run = (input: Input, done?: (answer: Answer) => void) => {
    if (underWay.current) return;
    underWay.current = true;
    mutation.mutate(input, done === undefined ? {} : { onSuccess: done });
  };
  return { run, busy: mutation.isPending, error: mutation.error, done: mutation.isSuccess, answer: mutation.data, reset: mutation.reset };
}

/** Something this browser keeps for itself. `renew` after it was changed. @param read null: there is none */
export function useKept<Kept>(key: readonly unknown[], read: () => Promise<Kept | null>) {
  const client = useQueryClient();
  const { data, isPending } = useQuery({ queryKey: key, queryFn: read, staleTime: Infinity });
  return { kept: data ?? undefined, isPending, renew: () => client.invalidateQueries({ queryKey: key }) };
}
