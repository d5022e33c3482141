import type { Sql } from '../../store/database.ts';
import type { PartyId, PartyKind, PublicJwk, Scope } from '../../vocabulary.ts';
import { scopesOf, type OfficerRole } from './party.ts';

/** OAuth client metadata (RFC 7591 and its extensions) as oidc-provider reads it. */
export type ClientMetadata = {
  readonly client_id: PartyId;
  readonly client_name?: string;
  readonly jwks: { readonly keys: readonly PublicJwk[] };
  readonly redirect_uris: readonly string[];
  readonly grant_types: readonly string[];
  readonly response_types: readonly string[];
  /** Separated by blanks; empty when the party may ask for nothing. */
  readonly scope: string;
  readonly authorization_details_types: readonly string[];
  readonly token_endpoint_auth_method: 'private_key_jwt';
  readonly id_token_signed_response_alg: 'EdDSA';
  readonly dpop_bound_access_tokens: true;
  readonly require_pushed_authorization_requests: true;
};

type Row = {
  readonly kind: PartyKind;
  readonly name_en: string | null;
  readonly redirect_uris: readonly string[] | null;
  readonly scopes: readonly Scope[] | null;
  readonly roles: readonly OfficerRole[] | null;
  readonly keys: readonly PublicJwk[] | null;
};

/**
 * What the authorization server must know of a client, read afresh so that suspension and retired keys act at once.
 * @returns undefined for whoever is not let in: unknown, undecided, suspended, revoked, or without a signature key
 */
export async function clientMetadata(sql: Sql, clientId: string): Promise<ClientMetadata | undefined> {
  const { rows } = await sql.query<Row>({
    name: 'identity client metadata',
    text: `select p.kind, p.name_en, i.redirect_uris, i.scopes, o.roles,
             (select jsonb_agg(k.jwk order by k.added_ms, k.thumbprint) from party_key k where k.party = p.id and k.use = 'sig' and k.retired_ms is null) as keys
           from party p left join institution i on i.id = p.id left join officer o on o.id = p.id
           where p.id = $1 and p.status = 'approved'`,
    values: [clientId],
  });
  const row = rows[0];
  if (row === undefined || row.keys === null) return undefined;
  const redirectUris = row.redirect_uris ?? [];
  const asksConsent = redirectUris.length > 0;
  return {
    client_id: clientId as PartyId,
    ...(row.name_en === null ? {} : { client_name: row.name_en }),
    jwks: { keys: row.keys.map(withoutNameOfAlgorithm) },
    redirect_uris: redirectUris,
    grant_types: asksConsent ? ['authorization_code', 'refresh_token', 'client_credentials'] : ['client_credentials'],
    response_types: asksConsent ? ['code'] : [],
    scope: scopesOf(row.kind, row.scopes ?? [], row.roles ?? []).join(' '),
    authorization_details_types: asksConsent ? ['veilgate_consent'] : [],
    token_endpoint_auth_method: 'private_key_jwt',
    id_token_signed_response_alg: 'EdDSA',
    dpop_bound_access_tokens: true,
    require_pushed_authorization_requests: true,
  };
}

/** Clients sign with EdDSA or, its new name, Ed25519 (RFC 9864); a key that names one would not match the other. */
function withoutNameOfAlgorithm(jwk: PublicJwk): PublicJwk {
  if (jwk.kty !== 'OKP') return jwk;
  const { alg: _alg, ...nameless } = jwk;
  return nameless as PublicJwk;
}
