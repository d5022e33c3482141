import { strict as assert } from 'node:assert';
import { clearAlarms, setBankState } from '../../src/custodian/banks.ts';
import { systemClock } from '../../src/clock.ts';
import { joinFrames } from '../../src/scoring/frames.ts';
import { naiveSum } from '../support/he.ts';
import { loadHe } from '../../src/he/runtime.ts';
import { readHeKeys } from '../../src/custodian/he-keys.ts';
import { makeKey, signCompact } from '../identity/signing.ts';
import { digestOf, gatewaySide, openWorkshop, post, randomId, set, signRequest, signTicket, type TicketParts, type Workshop } from './support/workshop.ts';

type Side = Awaited<ReturnType<typeof gatewaySide>>;
const now = () => Math.floor(Date.now() / 1000);

describe('custodian: attacks', function () {
  this.timeout(60_000); // processes start and threads load SEAL, on a machine that may be busy
  let workshop: Workshop;
  let side: Side;
  let good: Omit<TicketParts, 'request'>;
  let ciphertext: Uint8Array;
  before(async () => {
    workshop = await openWorkshop();
    side = await gatewaySide(workshop);
    ({ ciphertext } = side.evaluate([new Int32Array(4096).fill(5)], [3]));
    good = { keyId: await workshop.keyId(), ciphertexts: [ciphertext] };
  });
  after(async () => {
    side.close();
    await workshop.close();
  });

  const send = (ticket: string, ciphertexts: readonly Uint8Array[] = [ciphertext]) => post(workshop.custodian.url, ticket, ciphertexts);
  const ticketOf = (parts: Partial<TicketParts> = {}) => signTicket(workshop, { ...good, request: signRequest(workshop.bank), ...parts });
  /** The reason in the custodian's own log, of the last refusal that a ticket of the gateway came with. */
  const lastReason = async (): Promise<string> => {
    const { rows: [row] } = await workshop.custodian.database.query<{ record: string }>("select record from audit_entry where kind = 'custodian.refused' and record::jsonb ->> 'ticket' is not null order by index desc limit 1");
    return (({ step, reason }) => `${step} ${reason}`)(JSON.parse(row?.record ?? '{}') as { step: string; reason: string });
  };
  let first: string | undefined;
  /** Refused with the one answer there is, and for this reason. */
  const refuses = async (answer: Promise<{ readonly status: number; readonly text: string }>, reason?: string) => {
    const { status, text } = await answer;
    assert.equal(status, 403);
    first ??= text;
    assert.equal(text, first, 'every refusal is the same');
    if (reason !== undefined) assert.equal(await lastReason(), reason);
  };
  it('a ticket is good once: replayed, even at the same moment, it opens nothing', async () => {
    const ticket = ticketOf();
    assert.equal((await send(ticket)).status, 200);
    await refuses(send(ticket), 'use used');
    const raced = ticketOf();
    const statuses = await Promise.all(Array.from({ length: 8 }, async () => (await send(raced)).status));
    assert.deepEqual(statuses.sort(), [200, 403, 403, 403, 403, 403, 403, 403]);
  });

  it('a ticket that was used stays used after a restart', async () => {
    const ticket = ticketOf();
    assert.equal((await send(ticket)).status, 200);
    await workshop.restart();
    await refuses(send(ticket), 'use used');
  });

  const strangers: readonly (readonly [string, () => Promise<string> | string])[] = [
    ['an edited ticket', () => { const [header, payload = '', signature] = ticketOf().split('.'); const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object; return [header, Buffer.from(JSON.stringify({ ...claims, slots: '_'.repeat(682) + 'w' })).toString('base64url'), signature].join('.'); }],
    ['an expired ticket', () => ticketOf({ claims: { iat: now() - 120, exp: now() - 60 } })],
    ['a ticket from the future', () => ticketOf({ claims: { iat: now() + 30, exp: now() + 60 } })],
    ['a ticket that lives too long', () => ticketOf({ claims: { exp: now() + 600 } })],
    ['a ticket signed by another gateway', async () => ticketOf({ signedBy: await makeKey() })],
    ['a ticket signed by the bank itself', () => ticketOf({ signedBy: workshop.bank.key })],
    ['a ticket of another issuer', () => ticketOf({ claims: { iss: 'https://other.test' } })],
    ['a ticket for another custodian', () => ticketOf({ claims: { aud: 'custodian-b' } })],
    ['a token of another kind', () => ticketOf({ typ: 'query+jwt' })],
    ['a ticket for rotation', () => ticketOf({ typ: 'reencryption-ticket+jwt' })],
    ['a ticket with a claim too many', () => ticketOf({ claims: { block: 3 } })],
    ['a ticket with a short id', () => ticketOf({ claims: { jti: 'x' } })],
    ['a ticket without slots', () => ticketOf({ slots: [] })],
    ['slots as a list of numbers', () => ticketOf({ claims: { slots: [7] } })],
    ['slots in another spelling', () => ticketOf({ claims: { slots: `${'A'.repeat(682)}B` } })],
    ['something that is no token', () => 'no token'],
  ];
  for (const [what, ticket] of strangers) {
    it(`refuses ${what}`, async () => refuses(send(await ticket())));
  }

  it('writes what came without a good ticket into its log as counts, when it stops at the latest', async () => {
    await workshop.restart();
    const { rows } = await workshop.custodian.database.query<{ record: string }>("select record from audit_entry where kind = 'custodian.refused'");
    const counted = rows.map(({ record }) => JSON.parse(record) as { step: string; reason: string; count: number; ticket: string | null }).filter(({ ticket }) => ticket === null);
    const reasons = new Set(counted.map(({ step, reason }) => `${step} ${reason}`));
    for (const reason of ['TOKEN_SIGNATURE_INVALID', 'TOKEN_EXPIRED', 'TOKEN_NOT_YET_VALID', 'TOKEN_LIFETIME_TOO_LONG', 'TOKEN_KEY_UNKNOWN', 'TOKEN_ISSUER_UNTRUSTED', 'TOKEN_AUDIENCE_MISMATCH', 'TOKEN_WRONG_TYPE', 'TOKEN_MALFORMED', 'malformed']) {
      assert.ok(reasons.has(`ticket ${reason}`), reason);
    }
  });

  it('refuses a key it does not have and parameters that are not the key\'s', async () => {
    await refuses(send(ticketOf({ keyId: '20200101-0123456789abcdef' })), 'key unknown');
    await refuses(send(ticketOf({ claims: { parameters: 'veilgate-joint-1' } })), 'key form');
  });

  it('refuses a ciphertext that was swapped, cut, bent or is of another form', async () => {
    const other = side.evaluate([new Int32Array(4096).fill(6)], [3]).ciphertext;
    await refuses(send(ticketOf(), [other]), 'ciphertext digest');
    await refuses(send(ticketOf(), [ciphertext, other]), 'ciphertext count');
    const bent = ciphertext.slice();
    bent[40_000]! ^= 1;
    await refuses(send(ticketOf(), [bent]), 'ciphertext digest');
    const signedFor = (bytes: Uint8Array) => send(ticketOf({ ciphertexts: [bytes] }), [bytes]);
    await refuses(signedFor(ciphertext.slice(0, -1)), 'ciphertext length');
    await refuses(signedFor(side.encrypt(new Int32Array(4096))), 'ciphertext length');
    const header = ciphertext.slice();
    header[20]! ^= 1;
    await refuses(signedFor(header), 'ciphertext form');
    const tooLarge = ciphertext.slice();
    tooLarge.fill(0xff, 120, 128);
    await refuses(signedFor(tooLarge), 'ciphertext form');
    const transparent = ciphertext.slice();
    transparent.fill(0, 113 + (ciphertext.length - 113) / 2);
    await refuses(signedFor(transparent), 'ciphertext form');
  });

  it('refuses slots of a larger or smaller block, and more than were asked for', async () => {
    const many = signRequest(workshop.bank, { score: { kind: 'many', count: 2 } });
    const bits = (bytes: number) => Buffer.alloc(bytes, 1).toString('base64url');
    await refuses(send(ticketOf({ claims: { slots: bits(513) } })), 'slots range');
    await refuses(send(ticketOf({ claims: { slots: bits(511) } })), 'slots range');
    await refuses(send(ticketOf({ slots: [1, 2] })), 'slots count');
    assert.equal((await send(ticketOf({ slots: [7, 8], request: many }))).status, 200);
  });

  it('refuses a bank\'s request that is forged, expired, of another bank, for elsewhere, or not a score\'s', async () => {
    const { bank } = workshop;
    const other = await workshop.makeBank('bank-b');
    const stranger = await workshop.makeBank('bank-c', false);
    const asked = (request: string) => send(ticketOf({ request }));
    await refuses(asked(signRequest(bank, { key: other.key })), 'request TOKEN_KEY_UNKNOWN');
    await refuses(asked(signRequest(bank, { iss: other.id })), 'request TOKEN_KEY_UNKNOWN');
    await refuses(asked(signRequest(stranger)), 'request TOKEN_KEY_UNKNOWN');
    await refuses(asked(signRequest(bank, { iat: now() - 100, exp: now() - 40 })), 'request TOKEN_EXPIRED');
    await refuses(asked(signRequest(bank, { exp: now() + 3600 })), 'request lifetime');
    await refuses(asked(signRequest(bank, { exp: now() + 30 * 86_400, score: { kind: 'many' } })), 'request TOKEN_LIFETIME_TOO_LONG');
    await refuses(asked(signRequest(bank, { aud: 'https://other.test' })), 'request TOKEN_AUDIENCE_MISMATCH');
    await refuses(asked(signRequest(bank, { score: { count: 2 } })), 'request malformed');
    await refuses(asked(signRequest(bank, { jti: 'short' })), 'request malformed');
    await refuses(asked(signCompact(bank.key, 'query+jwt', { iss: bank.id })), 'request malformed');
    await refuses(asked('nonsense'), 'request TOKEN_MALFORMED');
    const [header, payload = '', signature] = signRequest(bank).split('.');
    const edited = Buffer.from(Buffer.from(payload, 'base64url').toString().replace('m@1', 'm@2')).toString('base64url');
    await refuses(asked([header, edited, signature].join('.')), 'request TOKEN_SIGNATURE_INVALID');
  });

  it('refuses a suspended bank', async () => {
    const bank = await workshop.makeBank('bank-s');
    await setBankState(workshop.custodian.database, systemClock, bank.id, 'suspended');
    await refuses(send(ticketOf({ request: signRequest(bank) })), 'request suspended');
  });

  it('seals to a key of the asking bank only: not to another bank\'s, not to one it never saw', async () => {
    const other = await workshop.makeBank('bank-d');
    const recipient = (thumbprint: string | undefined) => send(ticketOf({ request: signRequest(workshop.bank, { score: { recipient: thumbprint } }) }));
    await refuses(recipient(other.encryption?.publicJwk.kid), 'recipient not_the_banks');
    await refuses(recipient('A'.repeat(43)), 'recipient not_the_banks');
    await refuses(recipient(workshop.bank.key.jwk.kid), 'recipient not_the_banks');
  });

  it('opens no more slots than three times what the bank asked for, and one text for one id', async () => {
    const jti = randomId();
    const request = signRequest(workshop.bank, { jti, score: { kind: 'many', count: 2 } });
    for (let round = 0; round < 3; round += 1) assert.equal((await send(ticketOf({ request, slots: [1, 2] }))).status, 200);
    await refuses(send(ticketOf({ request, slots: [1] })), 'use slots_of_request');
    await refuses(send(ticketOf({ request: signRequest(workshop.bank, { jti, score: { kind: 'many', count: 2000 } }), slots: [1] })), 'use other_request');
  });

  it('refuses bodies that are too large, of another type, compressed or not framed, unread where possible', async () => {
    const url = `${workshop.custodian.url}/v1/open`;
    const raw = async (body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) => {
      const response = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/octet-stream', ...headers }, body });
      return { status: response.status, text: await response.text() };
    };
    const body = joinFrames([Buffer.from(ticketOf()), ciphertext]);
    await refuses(raw(body.slice(0, -1)));
    await refuses(raw(body, { 'Content-Type': 'application/json' }));
    await refuses(raw(body, { 'Content-Encoding': 'gzip' }));
    await refuses(raw(joinFrames([Buffer.from(ticketOf()), ...Array.from({ length: 18 }, () => new Uint8Array(4))])));
    await refuses(raw(joinFrames([Buffer.from(ticketOf())])));
    await refuses(raw(new Uint8Array(0)));
    await refuses(raw(joinFrames([new Uint8Array(70_000).fill(65), ciphertext])));
    const huge = new Uint8Array(17 * (set.resultBytes + 4) + 65_536 + 5);
    const outcome = await raw(huge).catch(() => ({ status: 403, text: first as string })); // cut off while sending
    assert.equal(outcome.status, 403);
  });

  it('the naive gateway, which forgets the mask: its block is refused, and nothing more is opened until the operator has looked', async () => {
    const he = await loadHe();
    const [pair] = readHeKeys(workshop.config.keysFolder);
    const bare = naiveSum(he, { publicKey: pair!.publicKey, secretKey: pair!.secretKey }, [side.encrypt(Int32Array.from({ length: 4096 }, (_, slot) => 500 + (slot % 300)))], [1], { rerandomise: true });
    await refuses(send(ticketOf({ ciphertexts: [bare] }), [bare]), 'mask not_uniform');
    await refuses(send(ticketOf()), 'alarm open_alarm');
    assert.equal((await fetch(`${workshop.custodian.url}/readyz`)).status, 503);
    assert.match(workshop.logged(), /"event":"custodian.alarm",.*"party":"bank-a"/);
    const alarms = await workshop.custodian.database.query<{ record: string }>("select record from audit_entry where kind = 'custodian.alarm'");
    assert.deepEqual(alarms.rows.map(({ record }) => (JSON.parse(record) as { test: string }).test), ['range']);
    assert.equal((await clearAlarms(workshop.custodian.database, systemClock)).length, 1);
    assert.equal((await send(ticketOf())).status, 200);
  });

  it('says nothing of noise: a ciphertext whose noise spilled over is answered like any other', async () => {
    const spilled = ciphertext.slice();
    // still coefficients below the prime, but a quite different ciphertext: what it decrypts to is noise
    for (let at = 113; at < spilled.length; at += 8) spilled.set(spilled.subarray(at + 8, at + 12), at);
    assert.equal((await send(ticketOf({ ciphertexts: [spilled] }), [spilled])).status, 200);
    assert.equal(digestOf(spilled) === digestOf(ciphertext), false);
  });
});
