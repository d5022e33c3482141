import { strict as assert } from 'node:assert';
import request from 'supertest';
import { errorCodes } from '../../src/errors.ts';
import { docsPage } from '../../src/gateway/docs-page.ts';
import { codesOf, openApiDocument, type OpenApiDocument, type Operation } from '../../src/gateway/openapi.ts';
import { problems } from '../../src/gateway/problem.ts';
import { created, noContent, ok, route, type JwtBody, type StreamBody } from '../../src/gateway/route.ts';
import { SchemaCompiler, named, type JsonSchema } from '../../src/gateway/schema/compile.ts';
import { embedSchemas } from '../../src/gateway/schema/embed.ts';
import { querySchemas } from '../../src/gateway/schema/query.ts';
import { integer, list, map, nullable, object, oneOf, text, wordSchemas } from '../../src/gateway/schema/words.ts';
import { shell } from './shell.ts';

const schemas = { ...wordSchemas, ...querySchemas };
const routes = [
  route<{ params: { grant: string }; query: { limit?: number } }>({
    method: 'GET', path: '/v1/grants/{grant}', operationId: 'getGrant', tag: 'Grants', summary: 'A grant <b>& more', description: 'First.\n\nSecond with `code` & <script>alert(1)</script>.', access: 'party', scopes: ['query', 'grants'],
    request: { params: object({ grant: named('GrantId') }), query: object({ limit: integer(1, 10, 'How many.') }, { optional: ['limit'] }) },
    responses: { 200: { description: 'It.', schema: object({ id: named('GrantId'), fields: list(named('FieldRef'), 5), by: map(named('DatasetId'), named('Frequency'), 3), note: nullable(text(5)) }) } },
    errors: ['CONSENT_NOT_FOUND'], examples: { cli: "veilgate grant show '<id>'" },
    handler: async () => ok({}),
  }),
  route<{ body: JwtBody }>({
    method: 'POST', path: '/v1/queries', operationId: 'postQuery', tag: 'Queries', summary: 'Ask', access: 'handler', scopes: ['query'],
    request: { body: { kind: 'jwt', typ: 'query+jwt', schema: named('QueryPayload'), code: 'QUERY_INVALID' } }, responses: { 200: { description: 'The answer.', schema: object({ data: list(named('Disclosure'), 9) }) } }, errors: ['CONSENT_REQUIRED'],
    handler: async () => ok({}),
  }),
  route<{ body: { name: string } }>({
    method: 'POST', path: '/v1/grants', operationId: 'postGrant', tag: 'Grants', summary: 'Make', access: 'party', scopes: ['grants'], idempotent: true,
    request: { body: { kind: 'json', schema: object({ name: text(5), kind: oneOf(['a', 'b']) }) } }, responses: { 201: { description: 'Made.', schema: object({ id: text(5) }) } }, errors: [],
    handler: ({ once }) => once(async () => ({ reply: created({ id: '1' }) })),
  }),
  route<{ body: StreamBody }>({
    method: 'PUT', path: '/v1/files', operationId: 'putFile', tag: 'Files', summary: 'Load', access: 'public', request: { body: { kind: 'stream', mediaTypes: ['text/csv', 'application/x-ndjson'] } }, responses: { 204: { description: 'Loaded.' } }, errors: [],
    handler: async () => noContent,
  }),
];
const document = openApiDocument({ routes, schemas, publicUrl: 'https://gateway.test' });

/** What the OpenAPI 3.1 specification demands of the objects we write: members, their types, references that lead somewhere. */
function faultsOf(whole: OpenApiDocument): readonly string[] {
  const faults: string[] = [];
  const fail = (place: string, what: string) => faults.push(`${place}: ${what}`);
  const members = (value: object, place: string, required: readonly string[], allowed: readonly string[]) => {
    for (const name of required) if (!(name in value)) fail(place, `lacks ${name}`);
    for (const name of Object.keys(value)) if (!required.includes(name) && !allowed.includes(name) && !name.startsWith('x-')) fail(place, `has ${name}`);
  };
  const resolve = (reference: string) => reference.startsWith('#/') ? reference.slice(2).split('/').reduce<unknown>((part, key) => (part as JsonSchema | undefined)?.[key.replaceAll('~1', '/')], whole) : undefined;
  const references = (value: unknown, place: string): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, child] of Object.entries(value)) {
      if (key === '$ref' && (typeof child !== 'string' || resolve(child) === undefined)) fail(place, `dangling ${String(child)}`);
      references(child, `${place}/${key}`);
    }
  };
  const content = (value: Readonly<Record<string, object>>, place: string) => {
    for (const [type, media] of Object.entries(value)) {
      if (!/^[a-z]+\/[a-z0-9.+-]+/.test(type)) fail(place, `media type ${type}`);
      members(media, `${place}/${type}`, [], ['schema', 'example']);
    }
  };
  members(whole, '', ['openapi', 'info', 'paths'], ['servers', 'tags', 'components']);
  if (!/^3\.1\.\d+$/.test(whole.openapi)) fail('openapi', 'version');
  members(whole.info, 'info', ['title', 'version'], ['summary', 'description']);
  members(whole.components, 'components', [], ['schemas', 'headers', 'securitySchemes']);
  for (const [name, header] of Object.entries(whole.components.headers)) members(header, name, ['schema'], ['description']);
  for (const [name, scheme] of Object.entries(whole.components.securitySchemes)) members(scheme, name, ['type', 'scheme'], ['description']);
  for (const name of Object.keys({ ...whole.components.schemas, ...whole.components.headers })) if (!/^[a-zA-Z0-9._-]+$/.test(name)) fail('components', name);
  const ids = new Set<string>();
  for (const [path, item] of Object.entries(whole.paths)) {
    members(item, path, [], ['get', 'put', 'post', 'delete']);
    for (const [method, operation] of Object.entries(item)) operationFaults(operation, `${method} ${path}`, path);
  }
  references(whole, '#');
  return faults;

  function operationFaults(operation: Operation, place: string, path: string) {
    members(operation, place, ['responses'], ['operationId', 'summary', 'description', 'tags', 'security', 'parameters', 'requestBody']);
    if (ids.has(operation.operationId)) fail(place, 'operationId twice');
    ids.add(operation.operationId);
    for (const parameter of operation.parameters ?? []) {
      members(parameter, place, ['name', 'in', 'schema'], ['required', 'description']);
      if (parameter.in === 'path' && (!parameter.required || !path.includes(`{${parameter.name}}`))) fail(place, `path parameter ${parameter.name}`);
      if (['accept', 'content-type', 'authorization'].includes(parameter.name.toLowerCase())) fail(place, `parameter ${parameter.name} is ignored`);
    }
    for (const [, name] of path.matchAll(/\{([^}]+)\}/g)) if (!operation.parameters?.some((parameter) => parameter.name === name)) fail(place, `no parameter ${name}`);
    if (operation.requestBody !== undefined) {
      members(operation.requestBody, place, ['content'], ['required', 'description']);
      content(operation.requestBody.content, place);
    }
    if (Object.keys(operation.responses).length === 0) fail(place, 'no responses');
    for (const [status, response] of Object.entries(operation.responses)) {
      if (!/^[1-5][0-9]{2}$/.test(status)) fail(place, `status ${status}`);
      members(response, `${place} ${status}`, ['description'], ['headers', 'content']);
      content(response.content ?? {}, `${place} ${status}`);
    }
    for (const requirement of operation.security) for (const name of Object.keys(requirement)) if (!(name in whole.components.securitySchemes)) fail(place, `security ${name}`);
    for (const tag of operation.tags) if (!whole.tags.some(({ name }) => name === tag)) fail(place, `tag ${tag}`);
  }
}

describe('gateway/openapi', () => {
  it('writes a document as OpenAPI 3.1 wants it', () => {
    assert.deepEqual(faultsOf(document), []);
  });
  it('has a check that finds faults', () => {
    const broken = structuredClone(document) as unknown as { paths: Record<string, Record<string, { parameters?: object[]; responses: object; security: object[] }>>; components: { schemas: Record<string, unknown> } };
    const operation = broken.paths['/v1/grants/{grant}']?.['get'];
    assert.ok(operation);
    operation.parameters = [];
    operation.security = [{ nobody: [] }];
    operation.responses = { 200: { schema: {} }, ok: { description: 'x' } };
    broken.components.schemas['Query'] = { $ref: '#/components/schemas/Nobody' };
    assert.ok(faultsOf(broken as unknown as OpenApiDocument).length >= 6);
  });
  it('describes the very schemas that requests are checked against', () => {
    const body = document.paths['/v1/grants']?.['post']?.requestBody?.content['application/json']?.schema;
    assert.equal(body, routes[2]?.request?.body?.kind === 'json' && routes[2].request.body.schema);
  });
  it('names scopes, keys, nonces and every code with its status', () => {
    const operation = document.paths['/v1/grants']?.['post'];
    assert.deepEqual(operation?.security, [{ dpop: ['grants'] }]);
    assert.deepEqual(operation?.parameters?.map(({ name }) => name), ['DPoP', 'Idempotency-Key']);
    const codes = Object.entries(operation?.responses ?? {}).flatMap(([status, { 'x-veilgate-codes': named_ = [] }]) => named_.map((code) => [Number(status), code] as const));
    for (const [status, code] of codes) assert.equal(problems[code].status, status);
    for (const code of ['IDEMPOTENCY_KEY_REUSED', 'JSON_DUPLICATE_KEY', 'TOKEN_EXPIRED', 'DPOP_NONCE_REQUIRED', 'INTERNAL'] as const) assert.ok(codes.some(([, other]) => other === code), code);
    assert.deepEqual(document.paths['/v1/files']?.['put']?.security, []);
    assert.ok(!codesOf(routes[3] as (typeof routes)[number]).some((code) => code.startsWith('TOKEN_')));
  });
  it('is served as it is, with readiness and health in it', async () => {
    const { app } = shell(routes, { schemas: querySchemas });
    const response = await request(app).get('/openapi.json');
    assert.equal(response.type, 'application/json');
    const served = response.body as OpenApiDocument;
    assert.deepEqual(faultsOf(served), []);
    assert.deepEqual(Object.keys(served.paths).sort(), ['/healthz', '/readyz', '/v1/files', '/v1/grants', '/v1/grants/{grant}', '/v1/queries']);
    assert.equal(served.servers[0]?.url, 'https://gateway.test');
  });
});

describe('gateway/docs-page', () => {
  const page = docsPage(document);
  it('is well-formed and lets no text become markup', () => {
    assert.ok(!/<script|<b>|javascript:|\son[a-z]+=/.test(page));
    assert.ok(page.includes('&lt;script&gt;alert(1)&lt;/script&gt;'));
    const open: string[] = [];
    for (const [, close, name = '', rest = ''] of page.matchAll(/<(\/)?([a-z0-9]+)([^>]*)>/g)) {
      if (['meta', 'link'].includes(name)) continue;
      if (close === undefined) open.push(name);
      else assert.equal(open.pop(), name, `</${name}> ${rest}`);
    }
    assert.deepEqual(open, []);
  });
  it('has an anchor for every operation, schema and error, and every inner link leads to one', () => {
    const ids = [...page.matchAll(/id="([^"]+)"/g)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const { operationId } of routes) assert.ok(ids.includes(operationId));
    for (const code of errorCodes) assert.ok(ids.includes(`error-${code}`));
    for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) assert.ok(ids.includes(target), target);
  });
  it('loads nothing but its own style sheet', async () => {
    const { app } = shell(routes, { schemas: querySchemas });
    assert.deepEqual([...page.matchAll(/(?:src|href)="([^#"][^"]*)"/g)].map(([, target]) => target), ['/docs/style.css', '/openapi.json']);
    const [docs, style] = [await request(app).get('/docs'), await request(app).get('/docs/style.css')];
    assert.deepEqual([docs.status, docs.type, style.status, style.type], [200, 'text/html', 200, 'text/css']);
    assert.match(docs.headers['content-security-policy'] ?? '', /^default-src 'none'; style-src 'self';/);
    assert.ok(!/@import|url\(/.test(style.text));
  });
  it('shows how to try an operation with curl and with the command line', () => {
    assert.ok(page.includes('curl -X POST &quot;$GATEWAY/v1/grants&quot; \\\n  -H &quot;Authorization: DPoP $TOKEN&quot;'));
    assert.ok(page.includes('veilgate grant show &#39;&lt;id&gt;&#39;'));
  });
});

describe('gateway/schema', () => {
  const compiler = new SchemaCompiler(schemas);
  const check = (name: string, value: unknown) => {
    try {
      compiler.request(named(name), 'body')(value);
      return true;
    } catch {
      return false;
    }
  };
  it('takes the examples its words give', () => {
    for (const [name, schema] of Object.entries<JsonSchema>(wordSchemas)) if (name !== 'CompactJws') for (const example of (schema['examples'] as unknown[] | undefined) ?? []) assert.ok(check(name, example), name);
  });
  it('takes a query and refuses what is none', () => {
    const query = { subject: '91350211M000100Y46', purpose: 'pre_loan_review', read: ['tax.revenue_cents'], verify: [{ field: 'tax.revenue_cents', claimed: 1 }], rows: { tax: { filter: [{ field: 'tax.period', op: 'gte', value: '2025-01-01' }], limit: 12 } }, facts: { loan_amount_cents: 1 } };
    assert.ok(check('Query', query));
    for (const change of [{ subject: '1' }, { subject: `${query.subject}\n` }, { purpose: "x'; drop table grant_record; --" }, { read: ['tax'] }, { read: Array.from({ length: 201 }, () => 'a.b') }, { verify: [{ field: 'a.b' }] }, { rows: { 'tax;': {} } }, { rows: { tax: { limit: 0 } } }, { facts: { A: 1 } }, { facts: { a: {} } }, { other: 1 }, { grant: 'x' }]) assert.ok(!check('Query', { ...query, ...change }), JSON.stringify(change));
  });
  it('takes over schemas that a stage checks by itself, with what they refer to', () => {
    const embedded = embedSchemas({
      Detail: { $schema: 'x', $id: 'urn:test:detail', type: 'object', additionalProperties: false, properties: { days: { $ref: '#/$defs/days' } }, $defs: { days: { type: 'integer' } } },
      Choice: { $id: 'urn:test:choice', type: 'object', additionalProperties: false, properties: { detail: { $ref: 'urn:test:detail' }, days: { $ref: 'urn:test:detail#/$defs/days' } } },
    });
    const choice = new SchemaCompiler(embedded).request(named('Choice'), 'body');
    choice({ detail: { days: 1 }, days: 2 });
    assert.throws(() => choice({ detail: { days: 'x' } }));
    assert.throws(() => embedSchemas({ A: { $id: 'a', $ref: 'urn:test:nobody' } }), /not embedded/);
  });
});
