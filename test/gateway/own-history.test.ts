import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { checkpointSigner } from '../../src/audit/checkpoint.ts';
import { isVeilgateError } from '../../src/errors.ts';
import { auditorClient } from '../../src/sdk/auditor.ts';
import { checkEntryProof, entryProofOf, proveEntry } from '../../src/sdk/entry-proof.ts';
import { institutionNames } from '../../src/sdk/institution-names.ts';
import { newKey } from '../audit/support/keys.ts';
import { startWorld, subject, terms, type World } from '../flow/support/world.ts';
import { codeOf } from '../support/joint.ts';
import { until } from '../support/until.ts';

describe('an enterprise\'s history', () => {
  let world: World;
  const enterpriseOf = async (of: string) => (await world.platform.database.query<{ id: string }>('select id from enterprise where subject = $1', [of])).rows[0]?.id ?? '';
  const own = async () => world.platform.connect(await enterpriseOf(subject), 'grants');

  before(async function () {
    this.timeout(60_000);
    world = await startWorld();
  });
  after(() => world.platform.close());

  it('is found by grant: what happened to it and under it, and nothing of another', async () => {
    const other = await world.enterprise.grant('bank-b', { subject, ...terms });
    assert.equal((await world.bank.query({ subject, purpose: terms.purpose, grant: world.grant, read: ['registry.address'] })).status, 200);
    await world.enterprise.pause(world.grant);
    await world.enterprise.resume(world.grant);
    const { accesses } = await world.enterprise.accesses({ grant: world.grant });
    assert.deepEqual(accesses.map(({ kind }) => kind), ['grant.resumed', 'grant.paused', 'query.released', 'grant.created']);
    assert.deepEqual((await world.enterprise.accesses({ grant: other.id })).accesses.map(({ kind }) => kind), ['grant.created']);
    assert.deepEqual((await world.enterprise.accesses({ grant: world.grant, outcome: 'released', limit: 1 })).accesses.map(({ kind }) => kind), ['query.released']);
    const ofBank = auditorClient(await world.platform.connect('bank-a', 'query'));
    assert.deepEqual((await ofBank.accesses({ grant: world.grant })).accesses, accesses);
    const ofAuditor = auditorClient(await world.platform.connect('officer-auditor', 'audit'));
    assert.deepEqual((await ofAuditor.accesses({ grant: world.grant })).accesses, accesses);
  });

  it('of another enterprise\'s grant is that of none', async () => {
    for (const grant of [world.secondGrant, randomBytes(16).toString('base64url')]) assert.equal(await codeOf(world.enterprise.accesses({ grant })), 'CONSENT_NOT_FOUND');
    assert.equal(await codeOf(auditorClient(await world.platform.connect('bank-b', 'query')).accesses({ grant: world.secondGrant })), 'CONSENT_NOT_FOUND');
  });

  it('is proven entry by entry; an altered content, place or key is not', async () => {
    const connection = await own();
    const [entry] = (await world.enterprise.accesses({ grant: world.grant, outcome: 'released', limit: 1 })).accesses;
    assert.ok(entry);
    const { proof, size } = await proven(connection, entry);
    assert.ok(size > entry.index);
    assert.equal(await checkEntryProof(JSON.parse(JSON.stringify(proof)) as typeof proof), size, 'also as it is kept');
    const altered = [
      { ...proof, entry: { ...entry, record: { ...entry.record, purpose: 'post_loan_monitoring' } } }, { ...proof, entry: { ...entry, index: entry.index + 1 } },
      { ...proof, entry: { ...entry, salt: null } }, { ...proof, entry: { ...entry, commitment: '!' } },
    ];
    for (const one of altered) assert.equal(await codeOf(checkEntryProof(one)), 'AUDIT_PROOF_INVALID');
    assert.deepEqual(entryProofOf(JSON.parse(JSON.stringify(proof))), proof);
    const malformed = [null, {}, [], { ...proof, format: 'veilgate-entry-2' }, { ...proof, entry: null }, { ...proof, entry: { ...entry, index: '1' } }, { ...proof, log_key: 1 }];
    for (const one of malformed) assert.throws(() => entryProofOf(one), { code: 'CONFIG_INVALID' });
    const other = await checkpointSigner('gateway.example/log', newKey());
    assert.equal(await codeOf(checkEntryProof(proof, { origin: other.origin, logKeys: [other.key] })), 'AUDIT_CHECKPOINT_INVALID', 'a log that is not trusted');
    const foreign = proof.log_key.replace(/\+A[A-Za-z0-9+/]{4}/, '+AAAAA');
    assert.notEqual(foreign, proof.log_key);
    await assert.rejects(checkEntryProof({ ...proof, log_key: foreign }));
  });

  it('calls institutions by their names: those that were admitted, and nobody else', async () => {
    const connection = await own();
    const names = await institutionNames(connection, ['bank-b', 'bank-a', 'bank-a', 'officer-auditor', await enterpriseOf(subject), 'nobody']);
    assert.deepEqual([...names], [['bank-a', { en: 'Bank bank-a', zh: '银行 bank-a' }], ['bank-b', { en: 'Bank bank-b', zh: '银行 bank-b' }]]);
    await world.platform.database.query("update institution set approved_by = null where id = 'bank-b'");
    assert.deepEqual([...(await institutionNames(connection, ['bank-b']))], []);
    assert.equal((await institutionNames(connection, Array.from({ length: 250 }, (_, at) => (at === 249 ? 'bank-a' : `none-${at}`)))).size, 1, 'in parts');
    assert.equal(await codeOf(institutionNames(connection, ['x y'])), 'REQUEST_INVALID');
    assert.equal(await codeOf(institutionNames(await world.platform.connect('bank-a', 'query'), ['bank-b'])), 'TOKEN_SCOPE_INSUFFICIENT');
  });
});

/** The newest entries wait for the next checkpoint, which comes every second here. */
function proven(...given: Parameters<typeof proveEntry>): ReturnType<typeof proveEntry> {
  return until('a checkpoint counts the entry', () => proveEntry(...given).catch((error: unknown) => {
    if (!isVeilgateError(error, 'AUDIT_ENTRY_NOT_FOUND')) throw error;
    return undefined;
  }));
}
