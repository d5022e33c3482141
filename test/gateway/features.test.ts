import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { SignJWT } from 'jose';
import { isVeilgateError } from '../../src/errors.ts';
import { createColumnEncryptor, type ColumnEncryptor } from '../../src/he/encrypt.ts';
import { bitmapOf } from '../../src/scoring/feature/positions.ts';
import type { Feature, FeatureBlockClaims } from '../../src/scoring/protocol.ts';
import type { Connection } from '../../src/sdk/connection.ts';
import { featuresClient, type FeaturesClient } from '../../src/sdk/features.ts';
import { sampleSubject } from '../../scripts/sample/subjects.ts';
import { startTestPlatform, type TestPlatform } from '../support/gateway.ts';
import { set, testHe } from '../support/he.ts';

const dataset = 'financials';
const subjects = Array.from({ length: 12 }, (_, n) => sampleSubject(n, 3));

describe('feature blocks at the gateway', () => {
  let platform: TestPlatform;
  let finance: Connection;
  let tax: Connection;
  let client: FeaturesClient;
  let feature: Feature;
  let key: string;
  let encryptor: ColumnEncryptor;
  let ciphertext: Uint8Array<ArrayBuffer>;

  before(async function () {
    this.timeout(60_000);
    platform = await startTestPlatform({}, { scoring: true });
    await platform.department('finance_bureau');
    await platform.department('tax_administration');
    [finance, tax] = await Promise.all([platform.connect('finance_bureau', 'records'), platform.connect('tax_administration', 'records')]);
    client = featuresClient(finance);
    await (await platform.connect('officer-compliance', 'compliance')).call({ method: 'POST', path: '/v1/score-keys' });
    const [known] = await client.keys();
    assert.ok(known !== undefined);
    key = known.key;
    feature = (await client.features(dataset))[0] as Feature;
    encryptor = createColumnEncryptor((await testHe()).he, set, (await client.publicKey(known.thumbprint)).publicKey);
    ciphertext = encryptor.encrypt(Int32Array.of(1, 2, 3));
    await client.positions(subjects);
  });
  after(async () => {
    encryptor.close();
    await platform.close();
  });

  const claimsOf = (bytes: Uint8Array, changes: Partial<FeatureBlockClaims> = {}) => {
    const digest = createHash('sha256').update(bytes).digest('hex');
    return { jti: digest, feature: feature.id, declaration: feature.declaration, key, parameters: set.id, block: 0, revision: 1, filled: Buffer.from(bitmapOf([0, 1, 2])).toString('base64url'), digest, ...changes };
  };
  const sign = ({ credentials, gateway }: Connection, claims: object, changes: { readonly typ?: string; readonly audience?: string } = {}) =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg: 'EdDSA', typ: changes.typ ?? 'feature-block+jwt', kid: credentials.signing.publicJwk.kid })
      .setIssuer(credentials.party).setAudience(changes.audience ?? gateway).setIssuedAt().setExpirationTime('600s').sign(credentials.signing.privateKey);
  const send = async (bytes: Uint8Array<ArrayBuffer>, changes: Partial<FeatureBlockClaims> = {}) => client.upload(dataset, [{ envelope: await sign(finance, claimsOf(bytes, changes)), ciphertext: bytes }]);
  const count = async () => (await platform.database.query<{ n: number }>('select count(*)::integer as n from score_column')).rows[0]?.n;
  /** Refused with this code, and nothing of it is stored. */
  const refused = async (code: string, attempt: Promise<unknown>) => {
    const outcome = attempt.then(() => 'taken', (error: unknown) => (error as { code?: string }).code ?? error);
    const before = await count();
    assert.equal(await outcome, code);
    assert.equal(await count(), before);
  };
  const changed = (at: number, value: (byte: number) => number) => {
    const bytes = ciphertext.slice();
    bytes[at] = value(bytes[at] ?? 0);
    return bytes;
  };

  it('gives every department the same places, and only for valid codes', async () => {
    const places = await client.positions(subjects);
    assert.deepEqual(await featuresClient(tax).positions([...subjects].reverse()), [...places].reverse());
    await refused('REQUEST_INVALID', client.positions([`${subjects[0]?.slice(0, 17)}${subjects[0]?.endsWith('1') ? '2' : '1'}`]));
    await platform.department('judiciary_of_elsewhere');
    await refused('SOURCE_DATASET_UNKNOWN', featuresClient(await platform.connect('judiciary_of_elsewhere', 'records')).positions(subjects));
  });

  it('takes a block once: again it changes nothing, and a replayed older revision is refused', async () => {
    assert.deepEqual(await send(ciphertext), { stored: 1, same: 0, rotated: false });
    assert.deepEqual(await send(ciphertext), { stored: 0, same: 1, rotated: false });
    const later = encryptor.encrypt(Int32Array.of(4));
    assert.equal((await send(later, { revision: 2 })).stored, 1);
    await refused('FEATURE_BLOCK_STALE', send(ciphertext));
    const [status] = await client.status(dataset);
    assert.deepEqual([status?.revision, status?.filled, status?.digest], [2, 3, createHash('sha256').update(later).digest('hex')]);
    const { rows } = await platform.database.query<{ record: string }>("select record from audit_entry where kind = 'features.loaded' order by index");
    assert.equal(rows.length, 2, 'the log has both, and not the repetition');
    assert.equal((JSON.parse(rows[0]?.record ?? '') as { department: string }).department, 'finance_bureau');
  });

  it('stores all blocks of a call or none', async () => {
    const good = encryptor.encrypt(Int32Array.of(5));
    const bad = changed(40, (byte) => byte ^ 1);
    await refused('HE_CIPHERTEXT_REFUSED', client.upload(dataset, [
      { envelope: await sign(finance, claimsOf(good, { revision: 9 })), ciphertext: good },
      { envelope: await sign(finance, claimsOf(bad, { revision: 10 })), ciphertext: bad },
    ]));
    assert.ok((await client.status(dataset)).every(({ revision }) => revision < 9));
  });

  it('refuses a dataset that is another department\'s, and its features under one\'s own', async () => {
    const envelope = await sign(tax, claimsOf(ciphertext));
    await refused('SOURCE_DATASET_UNKNOWN', featuresClient(tax).upload(dataset, [{ envelope, ciphertext }]));
    await refused('FEATURE_UNKNOWN', featuresClient(tax).upload('tax', [{ envelope, ciphertext }]));
  });

  it('refuses another department\'s envelope, an edited one and one meant for elsewhere', async () => {
    const own = await sign(finance, claimsOf(ciphertext, { revision: 20 }));
    await refused('TOKEN_KEY_UNKNOWN', featuresClient(tax).upload('tax', [{ envelope: own, ciphertext }]));
    const [head, , signature] = own.split('.');
    const edited = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(own.split('.')[1] ?? '', 'base64url').toString()) as object, revision: 21 })).toString('base64url');
    await refused('TOKEN_SIGNATURE_INVALID', client.upload(dataset, [{ envelope: `${head}.${edited}.${signature}`, ciphertext }]));
    await refused('TOKEN_AUDIENCE_MISMATCH', client.upload(dataset, [{ envelope: await sign(finance, claimsOf(ciphertext), { audience: 'https://elsewhere.example' }), ciphertext }]));
    await refused('TOKEN_WRONG_TYPE', client.upload(dataset, [{ envelope: await sign(finance, claimsOf(ciphertext), { typ: 'query+jwt' }), ciphertext }]));
  });

  it('refuses bytes the envelope was not signed for', async () => {
    const envelope = await sign(finance, claimsOf(ciphertext, { revision: 30 }));
    const other = encryptor.encrypt(Int32Array.of(9));
    await refused('FEATURE_BLOCK_INVALID', client.upload(dataset, [{ envelope, ciphertext: other }]));
    await refused('FEATURE_BLOCK_INVALID', client.upload(dataset, [{ envelope, ciphertext: changed(5000, (byte) => byte ^ 1) }]));
  });

  it('refuses ciphertexts that are truncated, oversized, forged, of other parameters or transparent, though signed', async () => {
    await refused('HE_CIPHERTEXT_REFUSED', send(ciphertext.slice(0, -8), { revision: 40 }));
    const long = new Uint8Array(ciphertext.length + 8);
    long.set(ciphertext);
    await refused('HE_CIPHERTEXT_REFUSED', send(long, { revision: 40 }));
    for (const at of [0, 3, 17, 60]) await refused('HE_CIPHERTEXT_REFUSED', send(changed(at, (byte) => byte ^ 0x40), { revision: 40 }));
    await refused('HE_CIPHERTEXT_REFUSED', send(changed(113 + 7, () => 0xff), { revision: 40 }));
    const transparent = ciphertext.slice();
    transparent.fill(0, 113 + (ciphertext.length - 113) / 2);
    await refused('HE_CIPHERTEXT_REFUSED', send(transparent, { revision: 40 }));
    await refused('FEATURE_BLOCK_INVALID', send(new Uint8Array(300_000), { revision: 40 }));
  });

  it('refuses keys of any kind in place of a ciphertext, Galois keys too', async () => {
    const { he, keys } = await testHe();
    await refused('HE_CIPHERTEXT_REFUSED', send(new Uint8Array(keys.publicKey), { revision: 50 }));
    const context = he.context(set);
    using generator = new context.seal.KeyGenerator(context.context);
    const galois = generator.createGaloisKeysSerializable();
    const bytes = new Uint8Array(galois.saveToArray(context.seal.ComprModeType.none));
    galois.delete();
    await refused(bytes.length > 262_144 ? 'FEATURE_BLOCK_INVALID' : 'HE_CIPHERTEXT_REFUSED', send(bytes, { revision: 50 }));
    await refused('HE_CIPHERTEXT_REFUSED', send(bytes.slice(0, ciphertext.length), { revision: 50 }));
  });

  it('refuses another declaration, key, parameter set, and slots of nobody', async () => {
    await refused('FEATURE_UNKNOWN', send(ciphertext, { feature: 'financials/other' as Feature['id'] }));
    await refused('FEATURE_DECLARATION_CHANGED', send(ciphertext, { declaration: 'a'.repeat(64) }));
    await refused('FEATURE_KEY_UNKNOWN', send(ciphertext, { key: 'another' }));
    await refused('FEATURE_KEY_UNKNOWN', send(ciphertext, { parameters: 'veilgate-score-2' }));
    const slots = (list: number[]) => Buffer.from(bitmapOf(list)).toString('base64url');
    await refused('FEATURE_SLOTS_UNASSIGNED', send(ciphertext, { revision: 60, filled: slots([0, 12]) }));
    await refused('FEATURE_BLOCK_INVALID', send(ciphertext, { revision: 60, block: 1, filled: slots([]) }));
    await refused('FEATURE_BLOCK_INVALID', send(ciphertext, { revision: 60, filled: 'AA' }));
    await refused('FEATURE_BLOCK_INVALID', send(ciphertext, { revision: 1.5 }));
    await refused('FEATURE_BLOCK_INVALID', send(ciphertext, { digest: 'b'.repeat(64) }));
  });

  it('refuses a body that is cut off, empty, or promises more than it has', async () => {
    const raw = (content: Uint8Array<ArrayBuffer>) => finance.call({ method: 'POST', path: `/v1/datasets/${dataset}/feature-blocks`, body: { type: 'application/vnd.veilgate.feature-blocks', content } });
    await refused('FEATURE_BLOCK_INVALID', raw(new Uint8Array([1, 2, 3])));
    await refused('FEATURE_BLOCK_INVALID', raw(new Uint8Array([10, 0, 0, 0, 10, 0, 0, 0, 65])));
    await refused('FEATURE_BLOCK_INVALID', raw(new Uint8Array([0, 0, 0, 255, 0, 0, 0, 255])));
    await refused('FEATURE_BLOCK_INVALID', raw(new Uint8Array(0)));
  });

  it('takes an enterprise out of the columns of all departments, for good, and says what to refresh', async () => {
    await refused('REQUEST_NOT_FOUND', client.remove(dataset, subjects[9] as string));
    await refused('SOURCE_DATASET_UNKNOWN', featuresClient(tax).remove(dataset, subjects[1] as string));
    const removal = await client.remove(dataset, subjects[1] as string);
    assert.deepEqual(removal, { block: 0, columns: 1, features: [feature.id] });
    const [status] = await client.status(dataset);
    assert.deepEqual([status?.filled, status?.stale], [2, true]);
    await refused('FEATURE_SLOTS_UNASSIGNED', send(ciphertext, { revision: 70 }));
    assert.equal((await send(ciphertext, { revision: 70, filled: Buffer.from(bitmapOf([0, 2])).toString('base64url') })).stored, 1);
    assert.equal((await client.status(dataset))[0]?.stale, false);
    assert.deepEqual(await client.positions([subjects[1] as string]), [subjects.length]);
  });

  it('shows institutions the features that some rule opens to them, and nothing secret', async () => {
    await platform.bank('bank-f');
    const features = await featuresClient(await platform.connect('bank-f', 'query')).features();
    assert.ok(features.length > 40);
    assert.equal(JSON.stringify(features).includes('public_key'), false);
    await platform.bank('partner-f', { institutionClass: 'modelling_partner' });
    assert.deepEqual(await featuresClient(await platform.connect('partner-f', 'query')).features(), []);
  });

  it('gives out the key a department pinned, and no other one', async () => {
    await assert.rejects(client.publicKey('0'.repeat(64)), (error) => isVeilgateError(error, 'FEATURE_KEY_UNKNOWN'));
    const lying = featuresClient({ ...finance, send: async () => new Response(new Uint8Array(10)) });
    const [known] = await client.keys();
    await assert.rejects(lying.publicKey(known?.thumbprint ?? ''), (error) => isVeilgateError(error, 'FEATURE_KEY_UNKNOWN'));
  });
});
