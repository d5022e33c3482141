import { SignJWT } from 'jose';
import { problemOf, unreachable } from './connection.ts';
import { publicKeys, type Credentials } from './keys.ts';

export type Application = {
  readonly name: { readonly en: string; readonly zh: string };
  /** A class of the platform's policy, such as `commercial_bank`. */
  readonly institution_class: string;
  /** Where an enterprise's browser returns to after consent. */
  readonly redirect_uris: readonly string[];
  /** ISO 3166-1 alpha-2 code of the country the institution is established in. */
  readonly country: string;
};

const sentLifetimeS = 60;
/** Longest the platform takes an application from its registrar's hands. */
const handedInLifetimeS = 7 * 86_400;

/**
 * Applies for admission to a platform. The application carries the public keys and is signed with one of them,
 * so nobody can apply with another's key. Access comes after a security assessment and another person's approval.
 */
export async function applyForAdmission(gateway: string, credentials: Credentials, application: Application): Promise<{ readonly id: string; readonly status: string }> {
  const origin = gateway.replace(/\/$/, '');
  const response = await fetch(`${origin}/v1/institutions`, {
    method: 'POST',
    headers: { 'content-type': 'application/jwt', 'idempotency-key': crypto.randomUUID() },
    body: await signed(origin, credentials, application, sentLifetimeS),
  }).catch(unreachable);
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as { readonly id: string; readonly status: string };
}

/** An application for the platform's registrar to hand in within seven days, as a compact JWS: it holds public keys only. */
export function applicationToHandIn(gateway: string, credentials: Credentials, application: Application): Promise<string> {
  return signed(gateway.replace(/\/$/, ''), credentials, application, handedInLifetimeS);
}

function signed(origin: string, credentials: Credentials, application: Application, lifetimeS: number): Promise<string> {
  return new SignJWT({ application: { ...application, jwks: { keys: publicKeys(credentials) } }, jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'application+jwt', kid: credentials.signing.publicJwk.kid })
    .setIssuer(credentials.party)
    .setAudience(origin)
    .setIssuedAt()
    .setExpirationTime(`${lifetimeS}s`)
    .sign(credentials.signing.privateKey);
}
