import type { JSONWebKeySet } from 'jose';
import type { GatewayCalls } from '../../sdk/connection.ts';

/** The platform's public keys, by the way of the session: receipts are checked with them. */
export function platformKeysBy({ call }: Pick<GatewayCalls, 'call'>): Promise<JSONWebKeySet> {
  return call<JSONWebKeySet>({ method: 'GET', path: '/.well-known/jwks.json' });
}
