import type { GatewayCalls } from './connection.ts';

/** One of a party's people; times are RFC 3339. */
export type AccountView = {
  readonly account: string;
  readonly name: string | null;
  /** null: the invitation was not taken up yet. */
  readonly username: string | null;
  readonly second_factors: readonly ('one_time_password' | 'passkey')[];
  readonly created_at: string | null;
  readonly last_used_at: string | null;
  /** When the open code ends; null: none is open. */
  readonly invited_until: string | null;
};

/** The code is shown once; it is used at `page`. */
export type InvitationView = { readonly account: string; readonly page: string; readonly ends_at: string; readonly activation_code: string };

/** The people who sign in to the consoles for a party. */
export function accountsClient({ call }: Pick<GatewayCalls, 'call'>) {
  return {
    /** Takes the party's key, no session. Errors: ACCOUNT_KEY_REQUIRED, ACCOUNT_LIMIT_REACHED, PARTY_NOT_PERMITTED, REQUEST_INVALID. */
    invite: (name: string) => call<InvitationView>({ method: 'POST', path: '/v1/accounts', json: { name } }),
    /** Oldest first. */
    list: async () => (await call<{ readonly accounts: readonly AccountView[] }>({ method: 'GET', path: '/v1/accounts' })).accounts,
    /** Signs the person out everywhere at once. Errors: ACCOUNT_KEY_REQUIRED, ACCOUNT_NOT_FOUND, PARTY_NOT_PERMITTED. */
    remove: (account: string) => call<void>({ method: 'DELETE', path: `/v1/accounts/${encodeURIComponent(account)}` }),
  };
}
