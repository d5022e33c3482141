import type { Credentials } from '../../sdk/keys.ts';
import { browserStore } from './browser-store.ts';

const store = browserStore<Credentials>('veilgate-keys', 'credentials');

/** One record for each party of this browser. */
export const keptCredentials = (party: string) => store.get(party);
export const keepCredentials = (credentials: Credentials) => store.put(credentials.party, credentials);
export const forgetCredentials = (party: string) => store.remove(party);
