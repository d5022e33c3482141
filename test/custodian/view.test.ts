import { strict as assert } from 'node:assert';
import { gStatistic, maskFault } from '../../src/custodian/mask-test.ts';
import { readHeKeys } from '../../src/custodian/he-keys.ts';
import { createDecryptor, type Decryptor } from '../../src/he/decrypt.ts';
import { loadHe, type He } from '../../src/he/runtime.ts';
import { joinFrames, splitFrames } from '../../src/scoring/frames.ts';
import { naiveSum } from '../support/he.ts';
import { correlation, createNoiseReader, type NoiseReader } from '../support/he-noise.ts';
import { gatewaySide, openWorkshop, set, signRequest, signTicket, type Workshop } from './support/workshop.ts';

/** What a custodian saw of one run: each body it received, whole. */
type View = readonly Uint8Array[];

const rounds = 4;
const weights = [700, -300, 41];
const cells = 64;
/** Two samples of one distribution lie above but once in 10^8. */
const gTwoMax = 150; // 63 degrees of freedom
const unrelatedMax = 6 / Math.sqrt(set.polyModulusDegree);

/** The values as the custodian decrypts them: it has the key, so its view holds them. */
function slotsOf(view: View, decryptor: Decryptor): Uint32Array[] {
  return view.map((body) => decryptor.decrypt(splitFrames(body, 2)?.[1]?.slice() ?? new Uint8Array()));
}

/** How differently two worlds' values lie over 64 ranges: a G statistic of homogeneity. */
function difference(some: readonly Uint32Array[], others: readonly Uint32Array[]): number {
  const count = (blocks: readonly Uint32Array[]) => {
    const counts = new Float64Array(cells);
    for (const values of blocks) for (const value of values) counts[Math.floor((value * cells) / set.plainModulus)]! += 1;
    return counts;
  };
  const [one, other] = [count(some), count(others)];
  let g = 0;
  one.forEach((value, cell) => {
    const both = value + (other[cell] ?? 0);
    for (const observed of [value, other[cell] ?? 0]) if (observed > 0) g += 2 * observed * Math.log((2 * observed) / both);
  });
  return g;
}

describe('what a custodian sees', function () {
  this.timeout(60_000); // processes start and threads load SEAL, on a machine that may be busy
  let workshop: Workshop;
  let side: Awaited<ReturnType<typeof gatewaySide>>;
  let he: He;
  let decryptor: Decryptor;
  let reader: NoiseReader;
  let keys: { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array };
  before(async () => {
    workshop = await openWorkshop();
    side = await gatewaySide(workshop);
    he = await loadHe();
    keys = readHeKeys(workshop.config.keysFolder)[0]!;
    decryptor = createDecryptor(he, set, keys.secretKey);
    reader = createNoiseReader(he, keys.secretKey);
  });
  after(async () => {
    decryptor.close();
    side.close();
    await workshop.close();
  });

  /** Two provinces as unlike as the declared ranges allow: everybody poor, everybody rich. */
  const poor = [0, 1, 2].map((seed) => Int32Array.from({ length: 4096 }, (_, slot) => (slot + seed) % 3));
  const rich = [0, 1, 2].map((seed) => Int32Array.from({ length: 4096 }, (_, slot) => 1990 + ((slot * 7 + seed) % 11)));

  /** The same questions, asked of the custodian over HTTP in a world with these features. */
  const run = async (columns: readonly Int32Array[]): Promise<View> => {
    const bodies: Uint8Array[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const { ciphertext } = side.evaluate(columns, weights, 600);
      const ticket = signTicket(workshop, { keyId: await workshop.keyId(), request: signRequest(workshop.bank), ciphertexts: [ciphertext], claims: { job: `job-${round}` } });
      const body = joinFrames([Buffer.from(ticket), ciphertext]);
      const response = await fetch(`${workshop.custodian.url}/v1/open`, { method: 'POST', headers: { 'Content-Type': 'application/octet-stream' }, body });
      assert.equal(response.status, 200);
      bodies.push(body);
    }
    return bodies;
  };

  it('says the same of two worlds with different features: values uniform in both, noise unrelated to columns and between runs', async () => {
    const [viewOfPoor, viewOfRich] = [await run(poor), await run(rich)];
    const [some, others] = [slotsOf(viewOfPoor, decryptor), slotsOf(viewOfRich, decryptor)];
    assert.ok([...some, ...others].every((values) => maskFault(values, set.plainModulus) === undefined));
    assert.ok(difference(some, others) < gTwoMax);
    const noises = [...viewOfPoor, ...viewOfRich].map((body, at) => reader.noiseOf(splitFrames(body, 2)![1]!.slice(), 'result', [...some, ...others][at]!));
    for (const [at, noise] of noises.entries()) for (const other of noises.slice(at + 1)) assert.ok(Math.abs(correlation(noise, other)) < unrelatedMax, 'no two runs can be linked');
    const width = 2 ** set.floodBits / Number(set.coeffModulus[1]);
    const spread = (noise: Float64Array) => noise.reduce((sum, value) => sum + value * value, 0) / noise.length / (width * width / 3);
    assert.ok(noises.every((noise) => Math.abs(spread(noise) - 1) < 0.1), 'as wide as the flood in every run, whatever lies beneath');
  });

  it('would tell the worlds apart at once without the mask, and link runs over the same columns without the flood', () => {
    const encrypted = [poor, rich].map((columns) => columns.map((column) => side.encrypt(column)));
    const bare = encrypted.map((columns) => Array.from({ length: rounds }, () => decryptor.decrypt(naiveSum(he, keys, columns, weights, { rerandomise: true }))));
    assert.ok(difference(bare[0]!, bare[1]!) > 100 * gTwoMax, 'the same statistic sees the difference');
    assert.ok(bare.flat().every((values) => maskFault(values, set.plainModulus) !== undefined), 'and the custodian refuses both');
    const slots = (columns: readonly Int32Array[]) => Int32Array.from({ length: 4096 }, (_, slot) => weights.reduce((sum, weight, at) => sum + weight * (columns[at]?.[slot] ?? 0), 0) % set.plainModulus);
    const noise = (world: number) => reader.noiseOf(naiveSum(he, keys, encrypted[world]!, weights, { rerandomise: true, bothPrimes: true }), 'column', slots(world === 0 ? poor : rich));
    assert.ok(correlation(noise(0), noise(0)) > 0.9, 'two runs over the same columns');
    assert.ok(Math.abs(correlation(noise(0), noise(1))) < 0.2, 'and runs over others');
  });

  it('holds nothing else that could differ: tickets, lengths and its own records are the same but for random ids, digests and times', async () => {
    const forget = (claims: Record<string, unknown>) => ({ ...claims, iat: 0, exp: 0, jti: '', ciphertexts: [], request: '' });
    const claimsOf = (view: View) => view.map((body) => {
      const [ticket] = splitFrames(body, 2) ?? [];
      return { claims: forget(JSON.parse(Buffer.from(Buffer.from(ticket!).toString().split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>), length: body.length };
    });
    const stored = async () => (await workshop.custodian.database.query<{ record: string }>("select record from audit_entry where kind = 'custodian.opened' order by index desc limit $1", [rounds])).rows.map(({ record }) => ({ ...(JSON.parse(record) as object), at: '', ticket: '', ciphertexts: [], request: '' }));
    const first = claimsOf(await run(poor));
    const storedFirst = await stored();
    assert.deepEqual(claimsOf(await run(rich)), first);
    assert.deepEqual(await stored(), storedFirst);
    const tables = (await workshop.custodian.database.query<{ name: string }>("select table_name as name from information_schema.tables where table_schema = 'public' order by 1")).rows.map(({ name }) => name);
    assert.deepEqual(tables.filter((name) => name.startsWith('custodian_')), ['custodian_alarm', 'custodian_bank', 'custodian_bank_key', 'custodian_day', 'custodian_request', 'custodian_ticket']);
    const columns = (await workshop.custodian.database.query<{ type: string }>("select distinct data_type as type from information_schema.columns where table_name like 'custodian\\_%'")).rows.map(({ type }) => type);
    assert.ok(!columns.includes('bytea'), 'no ciphertext is kept');
  });

  it('has a statistic that blocks of one distribution pass', () => {
    const counts = new Uint32Array(cells).fill(64);
    assert.equal(gStatistic(counts, Array.from({ length: cells }, () => 1), cells), 0);
    const uniform = () => [Uint32Array.from({ length: 4 * 4096 }, () => Math.floor(Math.random() * set.plainModulus))];
    for (let round = 0; round < 20; round += 1) assert.ok(difference(uniform(), uniform()) < gTwoMax);
  });
});
