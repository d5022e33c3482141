import { unreachable, callWith, problemOf, requestParts, type GatewayCalls } from './connection.ts';

/** Who is signed in with this browser; the cookie that proves it is kept from scripts. */
export type SessionView = {
  readonly account: string;
  /** The person's name as the account has it. */
  readonly name: string | null;
  readonly username: string;
  readonly party: string;
  readonly kind: 'institution' | 'department' | 'officer' | 'enterprise';
  /** What this person may do: the registry's word at this moment. */
  readonly scopes: readonly string[];
  /** Credit code of the enterprise, for its representative. */
  readonly subject: string | null;
  /** What every change must carry. */
  readonly csrf: string;
  /** The gateway's public URL: the audience of what is signed for it. */
  readonly gateway: string;
  /** RFC 3339: the platform's clock as it answered. */
  readonly now: string;
  /** RFC 3339: the session ends then, unless something is asked before; and at the latest. */
  readonly idle_ends_at: string;
  readonly ends_at: string;
};

export type SessionOptions = {
  /** Where the console's interface is, such as `/console/api`. */
  readonly base: string;
  readonly session: Pick<SessionView, 'gateway' | 'csrf'>;
};

/** Names a call that our own page makes: a form or a link of another site cannot send it. */
export const csrfHeader = 'veilgate-csrf';

/** Who is signed in; undefined when nobody is. Errors: GATEWAY_UNAVAILABLE and what the gateway says. */
export async function readSession(base: string): Promise<SessionView | undefined> {
  const response = await fetch(`${base}/session`, { headers: { accept: 'application/json' } }).catch(unreachable);
  if (response.status === 401) return undefined;
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as SessionView;
}

/** Ends the session here and on the server. */
export async function endSession({ base, session }: SessionOptions): Promise<void> {
  const response = await fetch(`${base}/session`, { method: 'DELETE', headers: { [csrfHeader]: session.csrf } }).catch(unreachable);
  if (!response.ok && response.status !== 401) throw await problemOf(response);
}

/** Shows the one-time password once more, for what takes it. Errors: ACCOUNT_SIGN_IN_FAILED, ACCOUNT_LOCKED, SESSION_*. */
export async function confirmSession({ base, session }: SessionOptions, oneTimePassword: string): Promise<void> {
  const response = await fetch(`${base}/session/confirmation`, { method: 'POST', headers: { [csrfHeader]: session.csrf, 'content-type': 'application/json' }, body: JSON.stringify({ one_time_password: oneTimePassword }) }).catch(unreachable);
  if (!response.ok) throw await problemOf(response);
}

/** The gateway as a signed-in browser calls it: no token is in its hands. */
export function sessionCalls({ base, session }: SessionOptions): GatewayCalls {
  const send: GatewayCalls['send'] = async (request) => {
    const { headers, body } = requestParts(request);
    headers.set(csrfHeader, session.csrf);
    const response = await fetch(base + request.path, { method: request.method, headers, ...(body === undefined ? {} : { body }) }).catch(unreachable);
    if (!response.ok) throw await problemOf(response);
    return response;
  };
  return { gateway: session.gateway, call: callWith(send), send };
}
