import { QueryClient, useQueryClient } from '@tanstack/react-query';
import { createContext, lazy, Suspense, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { systemClock, type Clock } from '../../clock.ts';
import { isVeilgateError } from '../../errors.ts';
import type { GatewayCalls } from '../../sdk/connection.ts';
import { endSession, readSession, sessionCalls, type SessionView } from '../../sdk/session.ts';
import type { TimeMs } from '../../vocabulary.ts';

const base = '/console/api';
// few pages ever need it
const Confirmation = lazy(async () => ({ default: (await import('./confirmation.tsx')).Confirmation }));

export type Session = SessionView & {
  /** The gateway's routes, as this person may call them. */
  readonly calls: GatewayCalls;
  readonly signOut: () => Promise<void>;
  /** The platform's time. What pages count by it is right on a machine whose clock is not. */
  readonly clock: Clock;
  /** How far this machine's clock is ahead of the platform's, in milliseconds; below 0 behind it. */
  readonly aheadMs: number;
  /** True once the server said that the session is over: what was typed stays on the page. */
  readonly over: boolean;
};

const Context = createContext<Session | undefined>(undefined);

/** Where one signs in, and comes back from to this very page. */
export const signInAddress = () => `/sign-in?to=${encodeURIComponent(location.pathname + location.search)}`;

/** Reads once more what failed for want of a network, never what was refused. Without a network nothing waits silently: it fails, and says so. */
export const makeQueryClient = () => new QueryClient({
  defaultOptions: {
    queries: { staleTime: 15_000, networkMode: 'always', retry: (failures, error) => failures < 2 && isVeilgateError(error) && error.code === 'GATEWAY_UNAVAILABLE', refetchOnWindowFocus: false },
    mutations: { networkMode: 'always', retry: false },
  },
});

type SignedIn = { readonly state: 'signed in'; readonly view: SessionView; readonly aheadMs: number };
type Found = { readonly state: 'reading' } | { readonly state: 'failed'; readonly error: unknown } | { readonly state: 'nobody' } | SignedIn;

const signedIn = (view: SessionView): SignedIn => ({ state: 'signed in', view, aheadMs: systemClock.nowMs() - Date.parse(view.now) });

/** Finds out who is signed in; sends whoever is not to the sign-in page. */
export function SessionProvider({ children, waiting, failed }: { readonly children: ReactNode; readonly waiting: ReactNode; readonly failed: (error: unknown, again: () => void) => ReactNode }) {
  const [found, setFound] = useState<Found>({ state: 'reading' });
  const [over, setOver] = useState(false);
  const [asking, setAsking] = useState<((confirmed: boolean) => void) | undefined>(undefined);
  const confirmation = useRef<Promise<boolean> | undefined>(undefined); // several requests at once are confirmed once
  const client = useQueryClient();
  const read = () => {
    readSession(base).then((view) => setFound(view === undefined ? { state: 'nobody' } : signedIn(view)), (error: unknown) => setFound({ state: 'failed', error }));
  };
  useEffect(read, []);
  useEffect(() => {
    if (found.state === 'nobody') location.assign(signInAddress());
  }, [found.state]);

  const who = found.state === 'signed in' ? found : undefined;
  const session = useMemo((): Session | undefined => {
    if (who === undefined) return undefined;
    const { view, aheadMs } = who;
    const calls = sessionCalls({ base, session: view });
    // whoever signed in again, in another tab, has another session: what was refused for that is sent once more in its name
    const renewed = async (refusal: unknown) => {
      const now = await readSession(base);
      if (now === undefined || now.csrf === view.csrf) throw refusal;
      if (now.account !== view.account) {
        location.reload(); // somebody else: nothing may be sent in their name
        throw refusal;
      }
      setFound(signedIn(now));
      return sessionCalls({ base, session: now });
    };
    const confirmed = () => confirmation.current ??= new Promise<boolean>((resolve) => setAsking(() => resolve)).finally(() => {
      confirmation.current = undefined;
      setAsking(undefined);
    });
    const noticing: GatewayCalls['send'] = async (request) => {
      try {
        const response = await calls.send(request);
        setOver(false);
        return response;
      } catch (error) {
        if (isVeilgateError(error, 'SESSION_MISSING')) setOver(true);
        if (isVeilgateError(error, 'SESSION_CONFIRMATION_NEEDED') && await confirmed()) return calls.send(request);
        if (!isVeilgateError(error, 'SESSION_FORGED')) throw error;
        const response = await (await renewed(error)).send(request);
        setOver(false);
        return response;
      }
    };
    return {
      ...view, over, aheadMs, clock: { nowMs: () => systemClock.nowMs() - aheadMs as TimeMs },
      calls: { ...calls, send: noticing, call: async <Answer,>(request: Parameters<GatewayCalls['send']>[0]) => {
        const response = await noticing(request);
        return (response.status === 204 ? undefined : await response.json()) as Answer;
      } },
      async signOut() {
        await endSession({ base, session: view });
        client.clear();
        location.assign('/sign-in');
      },
    };
  }, [who, over, client]);

  if (found.state === 'failed') return failed(found.error, () => { setFound({ state: 'reading' }); read(); });
  if (session === undefined) return waiting;
  return <Context value={session}>{children}{asking !== undefined && who !== undefined && <Suspense fallback={waiting}><Confirmation base={base} session={who.view} onDone={asking} /></Suspense>}</Context>;
}

/** Who is signed in. Only inside SessionProvider. */
export function useSession(): Session {
  const session = useContext(Context);
  if (session === undefined) throw new TypeError('useSession outside SessionProvider');
  return session;
}
