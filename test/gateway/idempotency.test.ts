import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import request from 'supertest';
import { fixedClock } from '../../src/clock.ts';
import { VeilgateError, isVeilgateError } from '../../src/errors.ts';
import { createIdempotency, requestDigest, type IdempotentRequest } from '../../src/gateway/idempotency.ts';
import { created, noContent, route, type OnceResult, type Route, type StreamBody } from '../../src/gateway/route.ts';
import { integer, object, text } from '../../src/gateway/schema/words.ts';
import type { Database, Tx } from '../../src/store/database.ts';
import { freshDatabase } from '../support/database.ts';
import { shell } from './shell.ts';

const base = { method: 'POST', tag: 'Test', summary: 'Test', errors: [] } as const;
const insert = (tx: Tx, name: string) => tx.query('insert into made (name) values ($1)', [name]);
const key = (name: string) => ({ 'Idempotency-Key': `key-${name}-0001` });
const bank = (party: string) => ({ Authorization: `DPoP ${party}:query` });

const make = (work?: (tx: Tx, name: string) => Promise<OnceResult>): Route =>
  route<{ params: { folder: string }; query: { n?: number }; body: { name: string } }>({
    ...base, path: '/v1/folders/{folder}', operationId: 'make', access: 'party', scopes: ['query'], idempotent: true,
    responses: { 201: { description: 'Made.', schema: object({ name: text(20), code: text(20) }, { optional: ['code'] }) } }, errors: ['CONSENT_INVALID'],
    request: { params: object({ folder: text(20) }), query: object({ n: integer(0, 9) }, { optional: ['n'] }), body: { kind: 'json', schema: object({ name: text(20) }) } },
    handler: ({ body, once }) => once(async (tx) => {
      await insert(tx, body.name);
      return work === undefined ? { reply: created({ name: body.name }, '/v1/made/1'), shownOnce: { code: 'secret-code' } } : work(tx, body.name);
    }),
  });

describe('gateway/idempotency', () => {
  let database: Database;
  const count = async () => (await database.query<{ n: number }>('select count(*) as n from made')).rows[0]?.n;
  before(async () => {
    database = await freshDatabase();
    await database.query('create table made (name text not null)');
  });
  beforeEach(() => database.query('truncate made, idempotency_key'));

  it('makes a thing once, and answers its repetition alike but for what is shown once', async () => {
    const { app } = shell([make()], { database });
    const post = () => request(app).post('/v1/folders/a?n=1').set(bank('bank-a')).set(key('a')).send({ name: 'x' });
    const [first, second] = [await post(), await post()];
    assert.deepEqual([first.status, first.body, first.headers['location'], first.headers['idempotency-replayed']], [201, { name: 'x', code: 'secret-code' }, '/v1/made/1', undefined]);
    assert.deepEqual([second.status, second.body, second.headers['location'], second.headers['idempotency-replayed']], [201, { name: 'x' }, '/v1/made/1', 'true']);
    assert.equal(await count(), 1);
    const stored = JSON.stringify((await database.query('select * from idempotency_key')).rows);
    assert.ok(!stored.includes('secret-code'));
  });

  it('takes a key in quotes for the same key', async () => {
    const { app } = shell([make()], { database });
    for (const header of ['key-quoted-1', '"key-quoted-1"']) assert.equal((await request(app).post('/v1/folders/a').set(bank('bank-a')).set('Idempotency-Key', header).send({ name: 'x' })).status, 201);
    assert.equal(await count(), 1);
  });

  for (const [what, header] of [['none', undefined], ['a short one', 'short'], ['a long one', 'k'.repeat(129)], ['one with blanks', 'key with blanks'], ['an empty one', '']] as const) {
    it(`refuses a request with no proper key: ${what}`, async () => {
      const sent = request(shell([make()], { database }).app).post('/v1/folders/a').set(bank('bank-a'));
      if (header !== undefined) sent.set('Idempotency-Key', header);
      const response = await sent.send({ name: 'x' });
      assert.deepEqual([response.status, response.body.code], [400, 'IDEMPOTENCY_KEY_MISSING']);
      assert.equal(await count(), 0);
    });
  }

  for (const [what, path, body] of [['body', '/v1/folders/a', { name: 'y' }], ['path', '/v1/folders/b', { name: 'x' }], ['query', '/v1/folders/a?n=2', { name: 'x' }]] as const) {
    it(`refuses a key that was used with another ${what}`, async () => {
      const { app } = shell([make()], { database });
      const post = (at: string, content: object) => request(app).post(at).set(bank('bank-a')).set(key('b')).send(content);
      assert.equal((await post('/v1/folders/a', { name: 'x' })).status, 201);
      const response = await post(path, body);
      assert.deepEqual([response.status, response.body.code], [422, 'IDEMPOTENCY_KEY_REUSED']);
      assert.equal(await count(), 1);
    });
  }

  it('keeps the keys of different parties apart', async () => {
    const { app } = shell([make()], { database });
    for (const party of ['bank-a', 'bank-b']) assert.equal((await request(app).post('/v1/folders/a').set(bank(party)).set(key('c')).send({ name: party })).body.name, party);
    assert.equal(await count(), 2);
  });

  it('records nothing when the work fails, so that it can be tried again', async () => {
    let fail = true;
    const { app } = shell([make(async () => {
      if (fail) throw new VeilgateError('CONSENT_INVALID', 'Not so.');
      return { reply: created({ name: 'x' }) };
    })], { database });
    const post = () => request(app).post('/v1/folders/a').set(bank('bank-a')).set(key('d')).send({ name: 'x' });
    assert.equal((await post()).body.code, 'CONSENT_INVALID');
    assert.equal(await count(), 0);
    fail = false;
    assert.equal((await post()).status, 201);
    assert.equal(await count(), 1);
  });

  it('lets one of many at the same time through, on several nodes', async () => {
    const nodes = [shell([make()], { database }).app, shell([make()], { database }).app];
    const answers = await Promise.all(Array.from({ length: 8 }, (_, at) => request(nodes[at % 2] ?? '').post('/v1/folders/a').set(bank('bank-a')).set(key('e')).send({ name: 'x' })));
    assert.equal(await count(), 1);
    for (const { status, body } of answers) assert.ok(status === 201 || (status === 409 && body.code === 'IDEMPOTENCY_IN_PROGRESS'), `${status} ${body.code}`);
  });

  it('says that a request is under way while it is, with Retry-After', async () => {
    let release: () => void = () => {};
    let entered: () => void = () => {};
    const gate = new Promise<void>((resolve) => { release = resolve; });
    const inside = new Promise<void>((resolve) => { entered = resolve; });
    const { app } = shell([make(async () => { entered(); await gate; return { reply: created({ name: 'x' }) }; })], { database });
    const post = () => request(app).post('/v1/folders/a').set(bank('bank-a')).set(key('f')).send({ name: 'x' });
    const first = post().then((response) => response.status);
    await inside;
    const second = await post();
    assert.deepEqual([second.status, second.body.code, second.headers['retry-after']], [409, 'IDEMPOTENCY_IN_PROGRESS', '1']);
    release();
    assert.equal(await first, 201);
    assert.equal(await count(), 1);
  });

  it('undoes the work when the record of its answer cannot be written', async () => {
    const { app } = shell([make(async () => ({ reply: created({ name: 'x'.repeat(70_000) }) }))], { database });
    const response = await request(app).post('/v1/folders/a').set(bank('bank-a')).set(key('g')).send({ name: 'x' });
    assert.equal(response.body.code, 'INTERNAL');
    assert.equal(await count(), 0);
  });

  it('records no answer when the work is undone at the very end', async () => {
    await database.query('create table checked_late (name text unique deferrable initially deferred)');
    await database.query("insert into checked_late values ('x')");
    const { app } = shell([make(async (tx, name) => {
      await tx.query('insert into checked_late values ($1)', [name]);
      return { reply: created({ name }) };
    })], { database });
    const post = () => request(app).post('/v1/folders/a').set(bank('bank-a')).set(key('i')).send({ name: 'x' });
    assert.equal((await post()).body.code, 'INTERNAL');
    await database.query('truncate checked_late');
    const again = await post();
    assert.deepEqual([again.status, again.headers['idempotency-replayed'], await count()], [201, undefined, 1]);
  });

  it('binds a key for a file to the digest of the file', async () => {
    const upload = route<{ body: StreamBody }>({
      ...base, path: '/v1/files', operationId: 'upload', access: 'public', idempotent: true, responses: { 204: { description: 'x' } },
      request: { body: { kind: 'stream', mediaTypes: ['text/csv'] } },
      handler: ({ body, once }) => once(async (tx) => {
        let length = 0;
        for await (const chunk of body) length += (chunk as Buffer).length;
        await insert(tx, String(length));
        return { reply: noContent };
      }),
    });
    const { app } = shell([upload], { database });
    const digest = (content: string) => `sha-256=:${createHash('sha256').update(content).digest('base64')}:`;
    const post = (content: string, headers: Record<string, string>) => request(app).post('/v1/files').type('text/csv').set(key('h')).set(headers).send(content);
    assert.equal((await post('abc', {})).body.code, 'REQUEST_INVALID');
    assert.equal((await post('abd', { 'Content-Digest': digest('abc') })).body.code, 'REQUEST_MALFORMED');
    assert.equal(await count(), 0);
    for (let at = 0; at < 2; at += 1) assert.equal((await post('abc', { 'Content-Digest': digest('abc') })).status, 204);
    assert.equal((await post('abd', { 'Content-Digest': digest('abd') })).body.code, 'IDEMPOTENCY_KEY_REUSED');
    assert.equal(await count(), 1);
  });

  it('forgets a key after its time, whether it was purged or not', async () => {
    const clock = fixedClock('2026-01-31T08:00:00Z');
    const idempotency = createIdempotency({ database, clock, hours: 24 });
    const asked: IdempotentRequest = { party: 'anonymous', key: 'key-00000001', requestSha256: requestDigest(['a'], Buffer.alloc(32)) };
    const once = () => idempotency.once(asked, async (tx) => { await insert(tx, 'x'); return { reply: noContent }; });
    await once();
    clock.advanceMs(24 * 3_600_000 - 1);
    await once();
    assert.equal(await count(), 1);
    assert.equal(await idempotency.purge(10), 0);
    clock.advanceMs(1);
    await once();
    assert.equal(await count(), 2);
    clock.advanceMs(24 * 3_600_000);
    assert.equal(await idempotency.purge(10), 1);
  });

  it('rolls back when the connection breaks before the end, and does it once on the next try', async () => {
    const idempotency = createIdempotency({ database, clock: fixedClock('2026-01-31T08:00:00Z'), hours: 24 });
    const asked: IdempotentRequest = { party: 'anonymous', key: 'key-00000002', requestSha256: Buffer.alloc(32) };
    let attempt = 0;
    const once = () => idempotency.once(asked, async (tx) => {
      await insert(tx, 'x');
      attempt += 1;
      if (attempt === 1) await tx.query('select pg_terminate_backend(pg_backend_pid())');
      return { reply: noContent };
    });
    await assert.rejects(once(), (error) => isVeilgateError(error, 'STORE_UNAVAILABLE'));
    assert.equal(await count(), 0);
    await once();
    await once();
    assert.deepEqual([await count(), attempt], [1, 2]);
  });

  it('gives different requests different digests, wherever the parts are cut', () => {
    fc.assert(fc.property(fc.array(fc.string(), { maxLength: 4 }), fc.array(fc.string(), { maxLength: 4 }), (one, other) =>
      (JSON.stringify(one) === JSON.stringify(other)) === requestDigest(one, Buffer.alloc(32)).equals(requestDigest(other, Buffer.alloc(32)))));
    assert.ok(!requestDigest(['ab', 'c'], Buffer.alloc(32)).equals(requestDigest(['a', 'bc'], Buffer.alloc(32))));
  });
});
