import { strict as assert } from 'node:assert';
import { addKey, retireKey } from '../../../src/identity/registry/key-change.ts';
import { activeKeys } from '../../../src/identity/registry/party-key.ts';
import { revoke } from '../../../src/identity/registry/status.ts';
import type { Database } from '../../../src/store/database.ts';
import type { PartyId } from '../../../src/vocabulary.ts';
import { makeEncryptionJwk, makeKey, refused, signCompact, type TestKey } from '../signing.ts';
import { admittedInstitution, gao, gateway, mei, registryBeforeEach, ren, type Applicant, type TestClock } from './fixtures.ts';

describe('identity/registry/key-change', () => {
  let database: Database;
  let clock: TestClock;
  let bank: Applicant;
  let next: TestKey;
  const run = registryBeforeEach(async (given) => {
    ({ database, clock } = given);
    bank = await admittedInstitution(database, clock);
    next = await makeKey('P-256');
  });

  const claims = (more: Record<string, unknown> = {}) => {
    const nowS = clock.nowMs() / 1000;
    return { iss: bank.id, aud: gateway, iat: nowS, exp: nowS + 60, jti: 'key-change-0123456789', ...more };
  };
  const proof = (key = next, more = {}) => signCompact(key, 'key-proof+jwt', claims(more));
  const addition = (more: Record<string, unknown> = {}, signer = bank.key) => signCompact(signer, 'key+jwt', claims({ key: next.jwk, proof: proof(), ...more }));
  const add = (jws: string, party: PartyId = bank.id) => run((tx) => addKey(tx, { party, jws, audience: gateway }, clock));
  const retire = (thumbprint: string, by: PartyId, party: PartyId = bank.id) => run((tx) => retireKey(tx, { party, thumbprint, by }, clock));
  const thumbprints = async (use?: 'sig' | 'enc') => (await activeKeys(database, bank.id, use)).map(({ thumbprint }) => thumbprint);

  it('adds a key that an active key vouches for and that proves itself', async () => {
    assert.deepEqual(await add(addition()), { kind: 'institution.key_added', actor: bank.id, institution: bank.id, thumbprint: next.jwk.kid, use: 'sig' });
    const encryption = makeEncryptionJwk();
    assert.equal((await add(addition({ key: encryption, proof: undefined }, next))).thumbprint, encryption.kid);
    assert.deepEqual((await thumbprints('sig')).toSorted(), [bank.key.jwk.kid, next.jwk.kid].toSorted());
    assert.equal((await thumbprints()).length, 4);
  });

  it('lets nobody else add a key, officers included', async () => {
    const stranger = await makeKey();
    await refused(add(addition({}, stranger)), 'TOKEN_KEY_UNKNOWN');
    await refused(add(addition({}, { ...stranger, jwk: bank.key.jwk })), 'TOKEN_SIGNATURE_INVALID');
    await refused(add(addition({ iss: ren })), 'TOKEN_ISSUER_UNTRUSTED');
    await refused(add(addition(), ren), 'TOKEN_KEY_UNKNOWN');
    await retire(bank.key.jwk.kid, gao);
    await refused(add(addition()), 'TOKEN_KEY_UNKNOWN');
  });

  it('wants the new signature key itself to sign', async () => {
    await refused(add(addition({ proof: undefined })), 'TOKEN_CLAIM_MISSING');
    await refused(add(addition({ proof: proof(bank.key) })), 'TOKEN_KEY_UNKNOWN');
    await refused(add(addition({ proof: proof({ ...next, ...{ privateKey: (await makeKey('P-256')).privateKey } }) })), 'TOKEN_SIGNATURE_INVALID');
    await refused(add(addition({ proof: proof(next, { iss: ren }) })), 'TOKEN_ISSUER_UNTRUSTED');
    await refused(add(addition({ proof: addition({}, next) })), 'TOKEN_WRONG_TYPE');
    await refused(add(proof(bank.key)), 'TOKEN_WRONG_TYPE');
  });

  it('vets the key and takes none twice', async () => {
    for (const key of [null, {}, { ...next.jwk, use: undefined }, { ...next.jwk, d: 'AA' }, 7]) await refused(add(addition({ key })), 'KEY_REFUSED');
    await refused(add(addition({ key: bank.key.jwk, proof: proof(bank.key) })), 'KEY_DUPLICATE');
    await refused(add(addition({ key: { ...next.jwk, kid: bank.key.jwk.kid }, proof: signCompact(next, 'key-proof+jwt', claims(), { kid: bank.key.jwk.kid }) })), 'KEY_DUPLICATE');
    await add(addition());
    await retire(next.jwk.kid, bank.id);
    await refused(add(addition()), 'KEY_DUPLICATE');
    // neither for another use
    await refused(add(addition({ key: { ...next.jwk, use: 'enc', alg: undefined, kid: 'as-enc' }, proof: undefined })), 'KEY_DUPLICATE');
  });

  it('retires keys for the party itself, and for officers of two roles', async () => {
    await add(addition());
    await refused(retire(next.jwk.kid, mei), 'PARTY_NOT_PERMITTED');
    assert.deepEqual(await retire(bank.key.jwk.kid, bank.id), { kind: 'institution.key_retired', actor: bank.id, institution: bank.id, thumbprint: bank.key.jwk.kid, use: 'sig' });
    await refused(retire(bank.key.jwk.kid, bank.id), 'REQUEST_NOT_FOUND');
    await refused(retire('x', bank.id), 'REQUEST_INVALID');
    await refused(retire(next.jwk.kid, ren, 'nobody' as PartyId), 'INSTITUTION_NOT_FOUND');
    // its last key a party keeps; an officer takes it
    await refused(retire(next.jwk.kid, bank.id), 'INSTITUTION_STATE_CONFLICT');
    assert.deepEqual(await thumbprints('sig'), [next.jwk.kid]);
    await retire(next.jwk.kid, ren);
    assert.deepEqual(await thumbprints('sig'), []);
  });

  it('says which party of another kind changed its keys', async () => {
    const thumbprint = (await activeKeys(database, mei))[0]?.thumbprint ?? '';
    assert.deepEqual(await retire(thumbprint, gao, mei), { kind: 'party.key_retired', actor: gao, party: mei, partyKind: 'officer', thumbprint, use: 'sig' });
  });

  it('adds nothing to a revoked party, and not more than 100 keys to any', async () => {
    await database.query(`insert into party_key (thumbprint, party, kid, use, jwk, added_ms, retired_ms) select lpad(n::text, 43, '0'), 'bank-a', 'old-' || n, 'enc', '{}', 0, 0 from generate_series(1, 98) n`);
    await refused(add(addition()), 'KEY_DUPLICATE');
    await run((tx) => revoke(tx, { party: bank.id, by: gao, reason: 'licence_lost' }, clock));
    await refused(add(addition()), 'INSTITUTION_STATE_CONFLICT');
  });
});
