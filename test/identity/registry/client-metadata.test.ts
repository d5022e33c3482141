import { strict as assert } from 'node:assert';
import { Provider, type JWK } from 'oidc-provider';
import { clientMetadata } from '../../../src/identity/registry/client-metadata.ts';
import { registerEnterpriseParty } from '../../../src/identity/registry/enterprise.ts';
import { applyInstitution } from '../../../src/identity/registry/institution.ts';
import { retireKey } from '../../../src/identity/registry/key-change.ts';
import { reinstate, suspend } from '../../../src/identity/registry/status.ts';
import type { Database } from '../../../src/store/database.ts';
import { makeKey } from '../signing.ts';
import { admittedInstitution, applicationOf, classes, gao, gateway, lin, newApplicant, registryBeforeEach, ren, subject, type TestClock } from './fixtures.ts';

describe('identity/registry/client-metadata', () => {
  let database: Database;
  let clock: TestClock;
  const run = registryBeforeEach((given) => {
    ({ database, clock } = given);
  });

  it('describes an admitted institution as oidc-provider wants it', async () => {
    const bank = await admittedInstitution(database, clock);
    const metadata = await clientMetadata(database, 'bank-a');
    const { alg: _alg, ...nameless } = bank.key.jwk;
    assert.deepEqual(metadata, {
      client_id: 'bank-a', client_name: 'Bank A', jwks: { keys: [nameless] }, redirect_uris: ['https://bank-a.example/callback'],
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'], response_types: ['code'], scope: 'query', authorization_details_types: ['veilgate_consent'],
      token_endpoint_auth_method: 'private_key_jwt', id_token_signed_response_alg: 'EdDSA', dpop_bound_access_tokens: true, require_pushed_authorization_requests: true,
    });
    // the library's own validation is the judge
    const nothing = async () => undefined;
    const provider = new Provider('https://issuer.example', {
      adapter: () => ({ find: async () => JSON.parse(JSON.stringify(metadata)), upsert: nothing, consume: nothing, destroy: nothing, revokeByGrantId: nothing, findByUid: nothing, findByUserCode: nothing }),
      scopes: ['query'], responseTypes: ['code'], clientAuthMethods: ['private_key_jwt'], cookies: { keys: ['test'] }, issueRefreshToken: () => true,
      enabledJWA: { idTokenSigningAlgValues: ['EdDSA'] }, clientDefaults: { id_token_signed_response_alg: 'EdDSA' },
      jwks: { keys: [{ ...(await makeKey()).privateKey.export({ format: 'jwk' }), alg: 'EdDSA', use: 'sig' } as JWK] },
      features: {
        devInteractions: { enabled: false }, clientCredentials: { enabled: true }, dPoP: { enabled: true, nonceSecret: Buffer.alloc(32) }, pushedAuthorizationRequests: { enabled: true },
        richAuthorizationRequests: { enabled: true, types: { veilgate_consent: { validate: nothing } }, authorizationDetailsForGrantSource: nothing, authorizationDetailsForAccessToken: nothing, authorizationDetailsForIntrospection: nothing },
      },
    });
    const client = await provider.Client.find('bank-a');
    assert.equal(client?.dpopBoundAccessTokens, true);
    assert.equal(client?.tokenEndpointAuthMethod, 'private_key_jwt');
  });

  it('knows nobody who is not let in', async () => {
    const bank = await newApplicant();
    await run((tx) => applyInstitution(tx, { jws: applicationOf(bank, clock), audience: gateway, classes }, clock));
    assert.equal(await clientMetadata(database, 'bank-a'), undefined);
    assert.equal(await clientMetadata(database, 'nobody'), undefined);
    const change = { party: (await admittedInstitution(database, clock, 'bank-b')).id, by: gao, reason: 'terms_violated' };
    assert.ok(await clientMetadata(database, 'bank-b'));
    await run((tx) => suspend(tx, change, clock));
    assert.equal(await clientMetadata(database, 'bank-b'), undefined);
    await run((tx) => reinstate(tx, change, clock));
    assert.ok(await clientMetadata(database, 'bank-b'));
  });

  it('leaves retired keys out, and a party without keys', async () => {
    const bank = await admittedInstitution(database, clock);
    await run((tx) => retireKey(tx, { party: bank.id, thumbprint: bank.key.jwk.kid, by: gao }, clock));
    assert.equal(await clientMetadata(database, 'bank-a'), undefined);
    const { party } = await run((tx) => registerEnterpriseParty(tx, { subject, by: ren }, clock)) as { party: string };
    assert.equal(await clientMetadata(database, party), undefined);
  });

  it('gives staff and enterprises what their role opens, and no browser flow', async () => {
    const officer = await clientMetadata(database, lin);
    assert.deepEqual([officer?.scope, officer?.grant_types, officer?.redirect_uris, officer?.response_types, officer?.authorization_details_types], ['registry compliance', ['client_credentials'], [], [], []]);
    const { party } = await run(async (tx) => registerEnterpriseParty(tx, { subject, key: (await makeKey('P-256')).jwk, by: ren }, clock)) as { party: string };
    const enterprise = await clientMetadata(database, party);
    assert.deepEqual([enterprise?.scope, enterprise?.client_name, enterprise?.jwks.keys[0]?.['alg']], ['grants', undefined, 'ES256']);
  });
});
