import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { PublicJwk } from '../vocabulary.ts';

/**
 * An active client as the registry knows it, in the names of RFC 7591; other members are ignored.
 * What FAPI 2.0 demands of clients is added here and cannot be switched off by the registry.
 */
export type ClientMetadata = {
  readonly client_id: string;
  /** Public signing keys; keys for other uses are ignored. */
  readonly jwks: { readonly keys: readonly PublicJwk[] };
  /** Exact addresses a browser may be sent back to; without any there is no authorization code flow. */
  readonly redirect_uris?: readonly string[];
  /** Scopes the client may ask for, separated by blanks; a client without any is not known here. */
  readonly scope?: string;
};

/** Undefined for unknown, suspended and revoked clients: asked afresh at every request, so that suspension acts at once. */
export type FindClient = (clientId: string) => Promise<ClientMetadata | undefined>;

const clientIdLengthMax = 128;

const refuse = async (): Promise<never> => {
  throw new Error('clients are registered in the registry, not through OAuth');
};

/** The Client part of oidc-provider's storage: reads the registry, writes nothing. */
export function clientAdapter(findClient: FindClient): Adapter {
  return {
    find: async (id) => {
      if (id.length > clientIdLengthMax) return undefined;
      const known = await findClient(id);
      // without a scope there would be nothing to check a requested one against
      return known === undefined || known.client_id !== id || known.scope === undefined || known.scope === '' ? undefined : fapiClient(known, known.scope);
    },
    upsert: refuse,
    consume: refuse,
    destroy: refuse,
    revokeByGrantId: refuse,
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
  };
}

function fapiClient(known: ClientMetadata, scope: string): AdapterPayload {
  const redirectUris = known.redirect_uris ?? [];
  const asksConsent = redirectUris.length > 0;
  return {
    client_id: known.client_id,
    jwks: { keys: known.jwks.keys.filter((key) => key['use'] === undefined || key['use'] === 'sig') },
    redirect_uris: [...redirectUris],
    grant_types: asksConsent ? ['authorization_code', 'refresh_token', 'client_credentials'] : ['client_credentials'],
    response_types: asksConsent ? ['code'] : [],
    // form_post answers with a page that needs inline script
    response_modes: ['query'],
    scope,
    authorization_details_types: asksConsent ? [consentType] : [],
    token_endpoint_auth_method: 'private_key_jwt',
    dpop_bound_access_tokens: true,
    require_pushed_authorization_requests: true,
  };
}

/** The one type of authorization_details (RFC 9396) this server knows. */
export const consentType = 'veilgate_consent';
