import { strict as assert } from 'node:assert';
import { hash } from 'node:crypto';
import { eraseEntries } from '../../src/audit/erase.ts';
import { fromBase64url } from '../../src/audit/bytes.ts';
import { parseVerifierKey } from '../../src/audit/note.ts';
import { verifyLogProof } from '../../src/audit/proof.ts';
import { verifySignedRequest, type RequestEvidence } from '../../src/audit/request-check.ts';
import { auditorClient, type EntryView } from '../../src/sdk/auditor.ts';
import { bankClient } from '../../src/sdk/bank.ts';
import { keyClient } from '../../src/sdk/key-change.ts';
import { generateCredentialsFile, readCredentials } from '../../src/sdk/keys.ts';
import { isVeilgateError, type ErrorCode } from '../../src/errors.ts';
import type { PartyId } from '../../src/vocabulary.ts';
import { until } from '../support/until.ts';
import { startWorld, subject, terms, type World } from './support/world.ts';

const claimed = '甲乙丙丁有限公司';
const refusedWith = (code: ErrorCode) => (error: unknown) => isVeilgateError(error, code);

describe('flow: a bank denies having asked', () => {
  let world: World;
  let auditor: ReturnType<typeof auditorClient>;
  let released: EntryView;
  let refused: EntryView;

  before(async function () {
    this.timeout(60_000);
    world = await startWorld();
    auditor = auditorClient(await world.platform.connect('officer-auditor', 'audit'));
    const bank = bankClient(await world.platform.connect('bank-a', 'query'));
    await bank.query({ subject, purpose: terms.purpose, read: ['tax.declared_revenue_cents'], verify: [{ field: 'registry.name', claimed }] });
    await assert.rejects(bank.query({ subject, purpose: 'post_loan_monitoring', verify: [{ field: 'registry.name', claimed }] }), refusedWith('CONSENT_REQUIRED'));
    const { accesses } = await auditor.accesses({ institution: 'bank-a' });
    released = accesses.find(({ kind }) => kind === 'query.released') as EntryView;
    refused = accesses.find(({ kind }) => kind === 'query.refused') as EntryView;
  });
  after(() => world.platform.close());

  const evidence = async ({ index }: EntryView): Promise<RequestEvidence> => {
    const { commitment, salt, record } = await auditor.entry(index);
    const { request, key } = await auditor.request(index);
    assert.ok(key && record && salt);
    return { commitment: fromBase64url(commitment) as Uint8Array, salt: fromBase64url(salt) as Uint8Array, record, request, key: { jwk: key.jwk, thumbprint: key.thumbprint, addedAt: key.added_at, retiredAt: key.retired_at } };
  };

  it('is shown what it signed, claim and all, for an answer and for a refusal', async () => {
    for (const entry of [released, refused]) {
      const shown = await evidence(entry);
      const { signer, claims } = await verifySignedRequest(shown);
      assert.equal(signer, 'bank-a');
      assert.deepEqual((claims['query'] as { verify: object }).verify, [{ field: 'registry.name', claimed }]);
      assert.equal(hash('sha256', shown.request), entry.record?.['request']);
    }
  });

  it('cannot say that the platform made it up: its key was in the log before it asked, and the entry is under a signed checkpoint', async () => {
    const shown = await evidence(released);
    const { accesses } = await auditor.accesses({ institution: 'bank-a' });
    const applied = accesses.find(({ kind }) => kind === 'institution.applied');
    assert.equal(applied?.record?.['key'], shown.key.thumbprint);
    assert.ok(applied.index < released.index);
    const { gatewayUrl, logVerifierKey } = world.platform.gateway;
    const key = await parseVerifierKey(logVerifierKey);
    const proof = await until('a checkpoint counts the entry', async () => {
      const answer = await fetch(`${gatewayUrl}/v1/log/entries/${released.index}/proof`);
      return answer.ok && answer.text();
    });
    await verifyLogProof(proof, { index: released.index, commitment: shown.commitment as Uint8Array<ArrayBuffer> }, { origin: key.name, logKeys: [key] });
  });

  it('is held to it after it has changed its key as well', async () => {
    const connection = await world.platform.connect('bank-a', 'query');
    const fresh = await readCredentials(await generateCredentialsFile('bank-a', { encryption: false }));
    await keyClient(connection).add(fresh.signing, 'sig');
    await keyClient({ ...connection, credentials: fresh }).retire((await evidence(released)).key.thumbprint);
    const shown = await evidence(released);
    assert.ok(shown.key.retiredAt !== null);
    await verifySignedRequest(shown);
  });

  it('sees in the log who read it', async () => {
    await auditor.request(refused.index);
    const [newest] = (await auditor.accesses({ limit: 1 })).accesses;
    assert.deepEqual([newest?.kind, newest?.actor, newest?.record?.['entry']], ['request.shown', 'officer-auditor', refused.index]);
  });

  it('is read by auditors only, and only where there is one', async () => {
    const registrar = await world.wire('officer-registrar', 'registry');
    for (const wire of [world.bank, world.otherBank, registrar]) assert.equal((await wire.get(`/v1/log/entries/${released.index}/request`)).code, 'TOKEN_SCOPE_INSUFFICIENT');
    await assert.rejects(auditor.request(0), refusedWith('AUDIT_REQUEST_NOT_FOUND'));
    await assert.rejects(auditor.request(1_000_000), refusedWith('AUDIT_REQUEST_NOT_FOUND'));
  });

  it('shows nothing, and says so, of a request that was tampered with', async () => {
    const { database } = world.platform;
    await database.transaction('tamper', async (tx) => {
      await tx.query('set local session_replication_role = replica');
      await tx.query('update audit_request set sealed = set_byte(sealed, 9, get_byte(sealed, 9) # 1) where index = $1', [refused.index]);
    });
    await assert.rejects(auditor.request(refused.index), refusedWith('AUDIT_REQUEST_UNREADABLE'));
  });

  it('can no longer be proven once the enterprise had the record erased, and the request went with it', async () => {
    const { database } = world.platform;
    await database.transaction('erase', (tx) => eraseEntries(tx, { of: { entries: [released.index] }, basis: 'subject_request', actor: 'officer-compliance' as PartyId, atMs: Date.now() as never }));
    await assert.rejects(auditor.request(released.index), refusedWith('AUDIT_REQUEST_NOT_FOUND'));
    assert.equal((await database.query('select from audit_request where index = $1', [released.index])).rowCount, 0);
  });
});
