import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { text as readText } from 'node:stream/consumers';
import request from 'supertest';
import { VeilgateError, type ErrorCode } from '../../src/errors.ts';
import { created, noContent, ok, route, type JwtBody, type OnceReply, type Route, type StreamBody } from '../../src/gateway/route.ts';
import { named } from '../../src/gateway/schema/compile.ts';
import { integer, list, object, text } from '../../src/gateway/schema/words.ts';
import { caller, identifyByName, shell } from './shell.ts';

const anything = { description: 'Anything.' };
const base = { tag: 'Test', summary: 'Test', responses: { 200: anything, 201: anything, 204: anything }, errors: [] } as const;

const thing = route<{ params: { thing: string }; query: { limit?: number; deep?: boolean } }>({
  ...base, method: 'GET', path: '/v1/things/{thing}', operationId: 'getThing', access: 'party', scopes: ['query', 'audit'],
  request: { params: object({ thing: text(20) }), query: object({ limit: integer(1, 100), deep: { type: 'boolean' } }, { optional: ['limit', 'deep'] }) },
  handler: async ({ params, query, caller: who }) => ok({ thing: params.thing, limit: query.limit ?? null, deep: query.deep ?? null, party: who.party }),
});
const json = route<{ body: { name: string; tags?: readonly string[] } }>({
  ...base, method: 'POST', path: '/v1/json', operationId: 'postJson', access: 'public',
  request: { body: { kind: 'json', schema: object({ name: text(10), tags: list(text(5), 3) }, { optional: ['tags'] }), maxBytes: 2000 } },
  handler: async ({ body }) => ok({ name: body.name, tags: body.tags ?? [] }),
});
const jwt = route<{ body: JwtBody; payload: { claim: string } }>({
  ...base, method: 'POST', path: '/v1/jwt', operationId: 'postJwt', access: 'handler', scopes: ['query'], errors: ['QUERY_INVALID'],
  request: { body: { kind: 'jwt', typ: 'query+jwt', schema: object({ claim: text(5) }), code: 'QUERY_INVALID' } },
  handler: async ({ body, payload, proof, admit }) => {
    await admit(await identifyByName(proof));
    const claims: unknown = JSON.parse(Buffer.from(body.split('.')[1] ?? '', 'base64url').toString());
    return ok({ claim: payload(claims).claim, htu: proof.url, htm: proof.method });
  },
});
const file = route<{ body: StreamBody }>({
  ...base, method: 'POST', path: '/v1/file', operationId: 'postFile', access: 'public', errors: ['SOURCE_ROWS_REJECTED'],
  request: { body: { kind: 'stream', mediaTypes: ['text/csv', 'application/x-ndjson'], maxBytes: 100_000 } },
  handler: async ({ body }) => ok({ length: (await readText(body)).length }),
});
const failing = (thrown: unknown, errors: readonly ErrorCode[] = []): Route =>
  route({ ...base, method: 'GET', path: '/v1/failing', operationId: 'getFailing', access: 'public', errors, handler: async () => Promise.reject(thrown) });

const bank = { Authorization: 'DPoP bank-a:query', DPoP: 'proof' };
const token = (claims: unknown) => `eyJh.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;

function assertProblem(response: { status: number; type: string; body: unknown; headers: Record<string, string> }, status: number, code: ErrorCode) {
  const body = response.body as Record<string, unknown>;
  assert.deepEqual([response.status, body['code']], [status, code]);
  assert.equal(response.type, 'application/problem+json');
  assert.equal(body['type'], `urn:veilgate:error:${code}`);
  assert.equal(body['status'], status);
  assert.match(String(body['instance']), /^urn:veilgate:request:[0-9a-f-]{36}$/);
  assert.equal(body['instance'], `urn:veilgate:request:${response.headers['x-request-id']}`);
}

describe('gateway/app: requests of the right form', () => {
  it('hands path, query and caller to the handler, numbers and flags as such', async () => {
    const response = await request(shell([thing]).app).get('/v1/things/a%20b?limit=7&deep=true').set(bank);
    assert.deepEqual(response.body, { thing: 'a b', limit: 7, deep: true, party: 'bank-a' });
    assert.equal(response.headers['dpop-nonce'], 'nonce-1');
  });
  it('hands over a JSON body, a JWT with its payload, and a stream', async () => {
    const { app } = shell([json, jwt, file]);
    const posted = await request(app).post('/v1/json').send({ name: 'x', tags: ['a'] });
    assert.deepEqual(posted.body, { name: 'x', tags: ['a'] });
    const signed = await request(app).post('/v1/jwt').set(bank).type('application/jwt').send(token({ claim: 'c' }));
    assert.deepEqual(signed.body, { claim: 'c', htu: 'https://gateway.test/v1/jwt', htm: 'POST' });
    const streamed = await request(app).post('/v1/file').type('text/csv; charset=utf-8; header=present').send('a,b\n1,2\n');
    assert.deepEqual(streamed.body, { length: 8 });
  });
  it('answers 201 with a location, 204 without content, and HEAD without a body', async () => {
    const make = route({ ...base, method: 'POST', path: '/v1/made', operationId: 'make', access: 'public', handler: async () => created({ id: '1' }, '/v1/made/1') });
    const drop = route({ ...base, method: 'DELETE', path: '/v1/made', operationId: 'drop', access: 'public', handler: async () => noContent });
    const { app } = shell([make, drop, thing]);
    const response = await request(app).post('/v1/made');
    assert.deepEqual([response.status, response.headers['location']], [201, '/v1/made/1']);
    assert.deepEqual((await request(app).delete('/v1/made')).status, 204);
    const head = await request(app).head('/v1/things/x').set(bank);
    assert.deepEqual([head.status, head.text], [200, undefined]);
  });
});

describe('gateway/app: requests of another form', () => {
  const { app } = shell([thing, json, jwt, file]);
  const big = JSON.stringify({ name: 'x'.repeat(3000) });
  const cases: readonly (readonly [string, () => request.Test, number, ErrorCode])[] = [
    ['an unknown path', () => request(app).get('/v1/nothing'), 404, 'REQUEST_NOT_FOUND'],
    ['a path in other letters', () => request(app).get('/V1/Things/x').set(bank), 404, 'REQUEST_NOT_FOUND'],
    ['a slash at the end', () => request(app).get('/v1/things/x/').set(bank), 404, 'REQUEST_NOT_FOUND'],
    ['another method', () => request(app).put('/v1/json').send({}), 405, 'REQUEST_METHOD_NOT_ALLOWED'],
    ['a path that is not percent-encoding', () => request(app).get('/v1/things/%E0%A4%A').set(bank), 400, 'REQUEST_MALFORMED'],
    ['a path parameter that is too long', () => request(app).get(`/v1/things/${'x'.repeat(21)}`).set(bank), 400, 'REQUEST_INVALID'],
    ['an unknown query parameter', () => request(app).get('/v1/things/x?other=1').set(bank), 400, 'REQUEST_INVALID'],
    ['a query parameter twice', () => request(app).get('/v1/things/x?limit=1&limit=2').set(bank), 400, 'REQUEST_INVALID'],
    ['a query parameter out of range', () => request(app).get('/v1/things/x?limit=101').set(bank), 400, 'REQUEST_INVALID'],
    ['a query parameter called __proto__', () => request(app).get('/v1/things/x?__proto__=1').set(bank), 400, 'REQUEST_INVALID'],
    ['a query where none is taken', () => request(app).post('/v1/json?a=1').send({ name: 'x' }), 400, 'REQUEST_INVALID'],
    ['a body where none is taken', () => request(app).get('/v1/things/x').set(bank).send({ a: 1 }), 400, 'REQUEST_MALFORMED'],
    ['no media type', () => request(app).post('/v1/json').set('Content-Type', '').send('{}'), 415, 'REQUEST_MEDIA_TYPE'],
    ['another media type', () => request(app).post('/v1/json').type('text/plain').send('{"name":"x"}'), 415, 'REQUEST_MEDIA_TYPE'],
    ['another character set', () => request(app).post('/v1/json').type('application/json; charset=utf-16').send('{"name":"x"}'), 415, 'REQUEST_MEDIA_TYPE'],
    ['a compressed body', () => request(app).post('/v1/json').set('Content-Encoding', 'gzip').type('application/json').send('{"name":"x"}'), 415, 'REQUEST_MEDIA_TYPE'],
    ['a body that is too long', () => request(app).post('/v1/json').type('application/json').send(big), 413, 'REQUEST_TOO_LARGE'],
    ['no JSON', () => request(app).post('/v1/json').type('application/json').send('{"name":'), 400, 'JSON_MALFORMED'],
    ['bytes that are not UTF-8', () => request(app).post('/v1/json').type('application/json').serialize((raw: unknown) => raw as string).send(Buffer.from([0x22, 0xff, 0x22]) as unknown as string), 400, 'JSON_MALFORMED'],
    ['a key twice', () => request(app).post('/v1/json').type('application/json').send('{"name":"x","name":"y"}'), 400, 'JSON_DUPLICATE_KEY'],
    ['JSON too deep', () => request(app).post('/v1/json').type('application/json').send('['.repeat(40) + ']'.repeat(40)), 400, 'JSON_TOO_DEEP'],
    ['a key that pollutes', () => request(app).post('/v1/json').type('application/json').send('{"__proto__":{"name":"x"}}'), 400, 'JSON_FORBIDDEN_KEY'],
    ['a member too many', () => request(app).post('/v1/json').send({ name: 'x', admin: true }), 400, 'REQUEST_INVALID'],
    ['a JWT with blanks', () => request(app).post('/v1/jwt').set(bank).type('application/jwt').send('a. b.c'), 400, 'REQUEST_MALFORMED'],
    ['a JWT with another payload', () => request(app).post('/v1/jwt').set(bank).type('application/jwt').send(token({ claim: 'longer' })), 400, 'QUERY_INVALID'],
    ['a stream that is too long', () => request(app).post('/v1/file').type('text/csv').send('x'.repeat(100_001)), 413, 'REQUEST_TOO_LARGE'],
    ['no token', () => request(app).get('/v1/things/x'), 401, 'TOKEN_MISSING'],
    ['a token that is refused', () => request(app).get('/v1/things/x').set('Authorization', 'Bearer x'), 401, 'TOKEN_MALFORMED'],
    ['a token without the scope', () => request(app).get('/v1/things/x').set('Authorization', 'DPoP bank-a:records'), 403, 'TOKEN_SCOPE_INSUFFICIENT'],
    ['a token without the scope, where the handler identifies', () => request(app).post('/v1/jwt').set('Authorization', 'DPoP bank-a:records').type('application/jwt').send(token({ claim: 'c' })), 403, 'TOKEN_SCOPE_INSUFFICIENT'],
  ];
  for (const [what, send, status, code] of cases) {
    it(`refuses ${what} with ${code}`, async () => assertProblem(await send(), status, code));
  }
  it('names the place and the rule, never the value', async () => {
    const response = await request(app).post('/v1/json').send({ name: 'CANARY-TOO-LONG-A-NAME', tags: [] });
    assert.deepEqual([response.body.part, response.body.pointer, response.body.rule], ['body', '/name', 'maxLength']);
    assert.ok(!response.text.includes('CANARY'));
  });
  it('does not repeat a key that could be a value', async () => {
    const keyed = route({ ...base, method: 'POST', path: '/v1/keyed', operationId: 'keyed', access: 'public', request: { body: { kind: 'json', schema: { type: 'object', propertyNames: { type: 'string', maxLength: 40 }, maxProperties: 3, additionalProperties: integer(0, 1) } } }, handler: async () => noContent });
    const response = await request(shell([keyed]).app).post('/v1/keyed').send({ '13900001111 CANARY': 'x' });
    assert.equal(response.body.pointer, '/*');
    assert.ok(!response.text.includes('CANARY'));
  });
  it('says which methods a path answers', async () => {
    assert.equal((await request(app).put('/v1/things/x')).headers['allow'], 'GET, HEAD');
  });
  it('answers a file that its handler leaves unread, at any length', async () => {
    const lazy = route<{ body: StreamBody }>({ ...base, method: 'POST', path: '/v1/lazy', operationId: 'lazy', access: 'public', errors: ['SOURCE_ROWS_REJECTED'], request: { body: { kind: 'stream', mediaTypes: ['text/csv'] } }, handler: async () => { throw new VeilgateError('SOURCE_ROWS_REJECTED', 'Too many rows are wrong: correct them.'); } });
    const response = await request(shell([lazy]).app).post('/v1/lazy').type('text/csv').send('x'.repeat(900_000));
    assertProblem(response, 422, 'SOURCE_ROWS_REJECTED');
  });
  it('holds a file against its Content-Digest', async () => {
    const digest = (content: string) => `sha-256=:${createHash('sha256').update(content).digest('base64')}:`;
    assert.equal((await request(app).post('/v1/file').type('text/csv').set('Content-Digest', digest('abc')).send('abc')).status, 200);
    assertProblem(await request(app).post('/v1/file').type('text/csv').set('Content-Digest', digest('abc')).send('abd'), 400, 'REQUEST_MALFORMED');
  });
});

describe('gateway/app: errors', () => {
  it('shows nothing of what nobody foresaw', async () => {
    const { app, logText, lines } = shell([failing(new Error('CANARY in a message'))]);
    const response = await request(app).get('/v1/failing');
    assertProblem(response, 500, 'INTERNAL');
    assert.ok(!response.text.includes('CANARY'));
    assert.ok(!logText().includes('CANARY'));
    const fault = lines().find(({ event }) => event === 'request.fault');
    assert.equal(fault?.['fault_name'], 'Error');
    assert.match(String((fault?.['frames'] as string[])[0]), /^test\/gateway\/app\.test\.ts:[0-9]+:[0-9]+$/);
  });
  for (const [what, thrown] of [['text', 'CANARY'], ['nothing', undefined], ['an object that imitates an error', { code: 'CONSENT_REQUIRED', message: 'CANARY', status: 200 }], ['an error with a status of its own', Object.assign(new Error('CANARY'), { status: 418, expose: true })]] as const) {
    it(`answers INTERNAL when a handler throws ${what}`, async () => {
      const response = await request(shell([failing(thrown)]).app).get('/v1/failing');
      assertProblem(response, 500, 'INTERNAL');
      assert.ok(!response.text.includes('CANARY'));
    });
  }
  it('passes sentence and facts of a declared error on, and Retry-After', async () => {
    const response = await request(shell([failing(new VeilgateError('REQUEST_QUOTA_EXCEEDED', 'Come back tomorrow.', { retryAfterSeconds: 99.5, quota: 10, status: 200, title: 'x', code: 'y', type: 'z', detail: 'w', instance: 'v' }), ['REQUEST_QUOTA_EXCEEDED'])]).app).get('/v1/failing');
    assertProblem(response, 429, 'REQUEST_QUOTA_EXCEEDED');
    assert.deepEqual([response.body.detail, response.body.quota, response.headers['retry-after']], ['Come back tomorrow.', 10, '100']);
  });
  it('answers absent and foreign things alike', async () => {
    const of = async (error: VeilgateError) => {
      const { instance: _instance, ...body } = (await request(shell([failing(error, ['CONSENT_NOT_FOUND'])]).app).get('/v1/failing')).body as Record<string, unknown>;
      return body;
    };
    assert.deepEqual(await of(new VeilgateError('CONSENT_NOT_FOUND', 'No grant has this id.')), await of(new VeilgateError('CONSENT_NOT_FOUND', 'This grant is another bank\'s.', { owner: 'bank-b' })));
  });
  it('asks for a nonce as RFC 9449 wants it, and challenges a refused token', async () => {
    const asking = route({ ...base, method: 'GET', path: '/v1/a', operationId: 'a', access: 'party', scopes: ['query'], handler: async () => noContent });
    const { app } = shell([asking], { identify: () => Promise.reject(new VeilgateError('DPOP_NONCE_REQUIRED', 'Use the nonce.')) });
    const response = await request(app).get('/v1/a').set(bank);
    assertProblem(response, 401, 'DPOP_NONCE_REQUIRED');
    assert.equal(response.headers['dpop-nonce'], 'nonce-1');
    assert.equal(response.headers['www-authenticate'], 'DPoP error="use_dpop_nonce", algs="EdDSA ES256", resource_metadata="https://gateway.test/.well-known/oauth-protected-resource"');
    const missing = await request(app).get('/v1/a');
    assert.match(missing.headers['www-authenticate'] ?? '', /^DPoP algs=/);
    const scope = await request(shell([thing]).app).get('/v1/things/x').set('Authorization', 'DPoP bank-a:records');
    assert.match(scope.headers['www-authenticate'] ?? '', /error="insufficient_scope", scope="query audit"/);
  });
  it('finds errors and replies that a route does not declare', async () => {
    const { app, lines } = shell([failing(new VeilgateError('CONSENT_REQUIRED', 'No.'))]);
    assertProblem(await request(app).get('/v1/failing'), 500, 'INTERNAL');
    assert.deepEqual(lines().find(({ event }) => event === 'request.undeclared_error')?.['code'], 'CONSENT_REQUIRED');
    const wrong = route({ ...base, responses: { 200: { description: 'x', schema: object({ a: integer(0, 1) }) } }, method: 'GET', path: '/v1/wrong', operationId: 'wrong', access: 'public', handler: async () => ok({ a: 2 }) });
    assertProblem(await request(shell([wrong]).app).get('/v1/wrong'), 500, 'INTERNAL');
    const other = route({ ...base, responses: { 200: { description: 'x' } }, method: 'GET', path: '/v1/other', operationId: 'other', access: 'public', handler: async () => noContent });
    assertProblem(await request(shell([other]).app).get('/v1/other'), 500, 'INTERNAL');
  });
});

describe('gateway/app: headers', () => {
  for (const [what, at] of [['an answer', '/v1/things/x'], ['a problem', '/v1/nothing'], ['the readiness', '/readyz'], ['the documentation', '/docs']] as const) {
    it(`hardens ${what}`, async () => {
      const { headers } = await request(shell([thing]).app).get(at).set(bank);
      assert.equal(headers['cache-control'], 'no-store');
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['x-frame-options'], 'DENY');
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
      assert.match(headers['strict-transport-security'] ?? '', /max-age=63072000/);
      assert.match(headers['content-security-policy'] ?? '', /default-src 'none'.*frame-ancestors 'none'/);
      assert.ok(!/script-src|unsafe|\*/.test(headers['content-security-policy'] ?? ''));
      for (const absent of ['x-powered-by', 'etag', 'server', 'access-control-allow-origin', 'set-cookie']) assert.equal(headers[absent], undefined);
    });
  }
  it('hardens a refusal for too many requests under way', async () => {
    const { headers, status } = await request(shell([thing], { limit: { requestsInFlight: 0 } }).app).get('/v1/things/x').set(bank);
    assert.deepEqual([status, headers['x-frame-options'], headers['retry-after']], [503, 'DENY', '1']);
  });
});

describe('gateway/app: declarations that are defects', () => {
  const refuses = (routes: readonly Route[], message: RegExp) => assert.throws(() => shell(routes), message);
  it('does not start with an unbounded request schema', () => {
    const body = (schema: Record<string, unknown>) => route({ ...base, method: 'POST', path: '/v1/b', operationId: 'b', access: 'public', request: { body: { kind: 'json', schema } }, handler: async () => noContent });
    refuses([body({ type: 'string' })], /maxLength/);
    refuses([body({ type: 'string', pattern: '^a+$' })], /maxLength/);
    refuses([body({ type: 'array', items: { type: 'integer' } })], /maxItems/);
    refuses([body({ type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false })], /b.*maxLength|maxLength/);
    refuses([body({ type: 'object' })], /open to any member/);
    refuses([body({ type: 'object', additionalProperties: { type: 'integer' } })], /maxProperties/);
    refuses([body(named('Nobody'))], /there is no schema/);
    shell([body({ type: 'string', pattern: '^[a-z]{1,9}$' })]);
  });
  it('does not start with a placeholder that has no schema, or two routes of one name', () => {
    refuses([route({ ...base, method: 'GET', path: '/v1/{a}', operationId: 'a', access: 'public', handler: async () => noContent })], /placeholders/);
    const once = { ...base, method: 'GET', operationId: 'same', access: 'public', handler: async () => noContent } as const;
    refuses([route({ ...once, path: '/v1/a' }), route({ ...once, path: '/v1/b' })], /called same/);
  });
  it('does not compile when an idempotent handler answers without `once`', () => {
    // @ts-expect-error a plain reply is no OnceReply
    route({ ...base, method: 'POST', path: '/v1/a', operationId: 'a', access: 'public', idempotent: true, handler: async () => noContent });
    route({ ...base, method: 'POST', path: '/v1/a', operationId: 'a', access: 'public', idempotent: true, handler: async (): Promise<OnceReply> => Promise.reject(new Error('never called')) });
  });
  it('does not compile when a public handler asks who calls', () => {
    // @ts-expect-error there is no caller
    route({ ...base, method: 'GET', path: '/v1/a', operationId: 'a', access: 'public', handler: async ({ caller: who }) => ok({ who: String(who) }) });
    assert.ok(caller('x', 'query').scopes.has('query'));
  });
});
