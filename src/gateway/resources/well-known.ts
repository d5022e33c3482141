import { content, ok, route, type JsonObject, type Route } from '../route.ts';
import type { Services } from './services.ts';

/** What clients and verifiers read before anything else. */
export function wellKnownRoutes({ publicKeys, gatewayUrl, issuerUrl }: Pick<Services, 'publicKeys' | 'gatewayUrl' | 'issuerUrl'>): readonly Route[] {
  const metadata: JsonObject = {
    resource: gatewayUrl,
    authorization_servers: [issuerUrl],
    jwks_uri: `${gatewayUrl}/.well-known/jwks.json`,
    scopes_supported: ['query', 'grants', 'records', 'registry', 'compliance', 'audit'],
    bearer_methods_supported: [],
    dpop_signing_alg_values_supported: ['EdDSA', 'Ed25519', 'ES256', 'PS256'],
    dpop_bound_access_tokens_required: true,
    authorization_details_types_supported: ['veilgate_consent'],
    resource_documentation: `${gatewayUrl}/docs`,
  };
  return [
    route({
      method: 'GET', path: '/.well-known/oauth-protected-resource', operationId: 'resourceMetadata', tag: 'Service', access: 'public',
      summary: 'Where to get tokens (RFC 9728)',
      responses: { 200: { description: 'Metadata.', schema: { type: 'object' } } },
      errors: [],
      handler: async () => ok(metadata),
    }),
    route({
      method: 'GET', path: '/.well-known/jwks.json', operationId: 'platformKeys', tag: 'Service', access: 'public',
      summary: 'Public keys that sign receipts and consent tokens, retired ones included',
      responses: { 200: { description: 'A JWK set (RFC 7517).', mediaType: 'application/jwk-set+json' } },
      errors: [],
      handler: async () => content('application/jwk-set+json', JSON.stringify({ keys: publicKeys })),
    }),
  ];
}
