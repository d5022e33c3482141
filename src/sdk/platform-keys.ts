import type { JSONWebKeySet } from 'jose';
import type { GatewayCalls } from './connection.ts';

/** The keys the platform signs with, retired ones included, as it publishes them: for whoever has a way to it, a browser's session too. */
export function platformKeySet({ call }: Pick<GatewayCalls, 'call'>): Promise<JSONWebKeySet> {
  return call<JSONWebKeySet>({ method: 'GET', path: '/.well-known/jwks.json' });
}
