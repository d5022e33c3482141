import { strict as assert } from 'node:assert';
import net from 'node:net';
import { sampleSubject } from '../../scripts/sample/subjects.ts';
import type { Wire, WireAnswer } from './support/wire.ts';
import { assertNothingDisclosed, refusesUnchanged, secondSubject, startWorld, subject, terms, type World } from './support/world.ts';

const query = { subject, purpose: terms.purpose, read: ['registry.name', 'tax.period'] };
/** Every member a query can have, so that each can be spoilt. */
const fullQuery = {
  ...query, grant: '', verify: [{ field: 'registry.name', claimed: 'a name' }],
  rows: { tax: { filter: [{ field: 'tax.period', op: 'eq', value: '2026-01-01' }], sort: { field: 'tax.period', direction: 'asc' }, limit: 1 } }, facts: { loan_amount_cents: 1 },
};
const attacks = [
  '\'; drop table consent_grant; --', '" or "1"="1', '\' or 1=1 --', '1); delete from party; --', '$1', '%', '_%', '\\', '\u0000', 'a\u0000b', '\ud800', '../../etc/passwd', '{{7*7}}', '${7*7}', '<script>alert(1)</script>',
  '\r\nX-Injected: 1', 'constructor', '__proto__', 'pg_sleep(10)', '-1', '1e400', 'null', '\u202e', '🦀'.repeat(10), 'x'.repeat(5000),
];

describe('flow: input that attacks', () => {
  let world: World;
  let registrar: Wire;
  let compliance: Wire;

  before(async function () {
    this.timeout(60_000);
    world = await startWorld();
    registrar = await world.wire('officer-registrar', 'registry');
    compliance = await world.wire('officer-compliance', 'compliance');
  });
  after(() => world.platform.close());

  describe('JSON that two readers could read differently', () => {
    const spoilt: Readonly<Record<string, readonly [code: string, json: (good: string) => string]>> = {
      'a duplicate key': ['JSON_DUPLICATE_KEY', (good) => good.replace(/^\{/, '{"reason":1,"reason":2,')],
      'a duplicate key spelt differently': ['JSON_DUPLICATE_KEY', (good) => good.replace(/^\{/, '{"a":1,"\\u0061":2,')],
      'a prototype': ['JSON_FORBIDDEN_KEY', (good) => good.replace(/^\{/, '{"__proto__":{"admin":true},')],
      'an escaped prototype': ['JSON_FORBIDDEN_KEY', (good) => good.replace(/^\{/, '{"\\u005f_proto__":{"admin":true},')],
      'a constructor': ['JSON_FORBIDDEN_KEY', (good) => good.replace(/^\{/, '{"constructor":{"prototype":{"admin":true}},')],
      depth: ['JSON_TOO_DEEP', (good) => good.replace(/^\{/, `{"a":${'['.repeat(5000)}${']'.repeat(5000)},`)],
      'a comment': ['JSON_MALFORMED', (good) => `/* */${good}`],
      'text behind it': ['JSON_MALFORMED', (good) => `${good}{}`],
      'a number beyond range': ['JSON_MALFORMED', (good) => good.replace(/^\{/, '{"a":1e999,')],
      NaN: ['JSON_MALFORMED', (good) => good.replace(/^\{/, '{"a":NaN,')],
      'a lone surrogate': ['JSON_MALFORMED', (good) => good.replace(/^\{/, '{"a":"\\ud800",')],
      'a byte order mark': ['JSON_MALFORMED', (good) => `\ufeff${good}`],
      'a trailing comma': ['JSON_MALFORMED', (good) => good.replace(/\}$/, ',}')],
      nothing: ['JSON_MALFORMED', () => ''],
    };
    for (const [name, [code, json]] of Object.entries(spoilt)) {
      it(`is refused in bodies: ${name} (${code})`, async () => {
        await refusesUnchanged(world, code, () => compliance.json('POST', '/v1/institutions/bank-b/suspension', json('{"reason":"terms_violated"}')));
      });
      if (name === 'nothing') continue;
      it(`is refused within a signed query: ${name} (${code})`, async () => {
        const payload = Buffer.from((await world.bank.signed('query+jwt', { query })).split('.')[1] ?? '', 'base64url').toString();
        await refusesUnchanged(world, code, () => world.bank.query(query, { changes: { claims: json(payload) } }));
        await refusesUnchanged(world, code, () => world.bank.query(query, { changes: { claims: payload.replace(/"query":(\{.*\})\}$/, (_, inner: string) => `"query":${json(inner)}}`) } }));
      });
    }
    it('pollutes no prototype', () => {
      assert.equal(({} as Record<string, unknown>)['admin'], undefined);
    });

    it('is refused when it is too long, before it is read whole (REQUEST_TOO_LARGE)', async () => {
      await refusesUnchanged(world, 'REQUEST_TOO_LARGE', () => compliance.json('POST', '/v1/institutions/bank-b/suspension', { reason: 'x'.repeat(300_000) }));
      await refusesUnchanged(world, 'REQUEST_TOO_LARGE', () => world.bank.query({ ...query, purpose: 'p'.repeat(300_000) }));
      await refusesUnchanged(world, 'TOKEN_MALFORMED', () => world.bank.query({ ...query, purpose: 'p'.repeat(150_000) }));
    });
  });

  describe('a signed query of another form', () => {
    const spoilt: Readonly<Record<string, object>> = {
      'an unknown member': { ...query, admin: true },
      'fields as text': { ...query, read: 'registry.name' },
      'no field at all': { ...query, read: [] },
      'the same field twice': { ...query, read: ['registry.name', 'registry.name'] },
      'too many fields': { ...query, read: Array.from({ length: 201 }, (_, at) => `registry.f${'x'.repeat(at % 30)}_${'y'.repeat(at % 7)}`) },
      'every column at once': { ...query, read: ['registry.*'] },
      'too many rows': { ...query, rows: { tax: { limit: 1001 } } },
      'no row': { ...query, rows: { tax: { limit: 0 } } },
      'an unknown operator': { ...query, rows: { tax: { filter: [{ field: 'tax.period', op: 'like', value: '%' }] } } },
      'an object as value': { ...query, rows: { tax: { filter: [{ field: 'tax.period', op: 'eq', value: { $ne: null } }] } } },
      'a list as claim': { ...query, verify: [{ field: 'registry.name', claimed: ['a', 'b'] }] },
      'an object as fact': { ...query, facts: { loan_amount_cents: { $gt: 0 } } },
      'a fact of the platform\'s own': { ...query, facts: { 'institution.security_level': 5 } },
      'a subject in lower case': { ...query, subject: subject.toLowerCase() },
      'a subject with a wrong check digit': { ...query, subject: `${subject.slice(0, 17)}${subject.endsWith('0') ? '1' : '0'}` },
      'a person\'s identity number as subject': { ...query, subject: '110101196001011234' },
      'a subject as number': { ...query, subject: 913300000000000000 },
      'a list of subjects': { ...query, subject: [subject] },
    };
    for (const [name, spoiltQuery] of Object.entries(spoilt)) {
      it(`is refused and discloses nothing: ${name} (QUERY_INVALID)`, async () => {
        const before = await usesOf(world);
        const answer = await world.bank.query(spoiltQuery as Record<string, unknown>);
        assert.equal(answer.code, 'QUERY_INVALID', answer.text);
        assertNothingDisclosed(answer);
        assert.equal(await usesOf(world), before);
      });
    }
  });

  describe('SQL and worse in every text', () => {
    it('of a query is refused or compared as what it is, and breaks nothing', async () => {
      const before = await standing(world);
      for (const attack of attacks) {
        const good = { ...fullQuery, grant: (await world.enterprise.grant('bank-a', { subject, ...terms })).id };
        await inTurns(texts(good).map((pointer) => () => attacked(good, pointer, attack)));
      }
      // as a value to filter a clear text by, where it does reach the database
      await inTurns(attacks.map((attack) => async () => {
        const { id } = await world.enterprise.grant('bank-a', { subject, ...terms });
        const filtered = { ...query, grant: id, read: ['registry.name'], rows: { registry: { filter: [{ field: 'registry.name', op: 'eq', value: attack }] } } };
        const answer = await world.bank.query(filtered);
        assert.ok(answer.status === 200 || answer.code === 'QUERY_INVALID' || answer.code === 'JSON_MALFORMED', `${JSON.stringify(attack)}: ${answer.text}`);
        if (answer.status === 200) assert.deepEqual(answer.json['data'], { registry: [] }, 'no enterprise is called so');
      }));
      assert.equal(await standing(world), before);

      async function attacked(good: object, pointer: readonly string[], attack: string): Promise<void> {
        const answer = await world.bank.query(replaced(good, pointer, attack) as Record<string, unknown>);
        assert.ok(answer.status < 500, `/${pointer.join('/')} ${JSON.stringify(attack)}: ${answer.text}`);
        assertNotQuoted(answer, attack);
      }
    });

    it('of an officer\'s body is refused or kept as what it is', async () => {
      const before = await standing(world, ['party', 'institution', 'enterprise', 'officer', 'party_key', 'domain.registry', 'consent_grant']);
      const key = (await world.platform.credentials('nobody')).signing.publicJwk;
      const bodies: readonly (readonly [Wire, 'POST' | 'PUT', string, object])[] = [
        [compliance, 'POST', '/v1/institutions/bank-b/suspension', { reason: 'r' }],
        [compliance, 'POST', '/v1/institutions/bank-b/assessments', { level: 4, passed: true, valid_until: 'v', findings_digest: 'f' }],
        [registrar, 'POST', '/v1/departments', { id: 'd', name: { en: 'e' }, key: { ...key, x: 'x' } }],
        [registrar, 'POST', '/v1/officers', { id: 'o', name: { en: 'e' }, roles: ['r'], key: { kty: 'k' } }],
        [registrar, 'POST', '/v1/enterprises', { subject: 's', representative: 1 }],
        [registrar, 'PUT', '/v1/institutions/bank-b/limits', { limits: { requests_per_second: 'r' } }],
      ];
      await inTurns(bodies.flatMap(([wire, method, path, body]) => texts(body).flatMap((pointer) => attacks.filter((attack) => !/^[a-z]+$/.test(attack)).map((attack) => async () => {
        const answer = await wire.json(method, path, replaced(body, pointer, attack));
        assert.ok(answer.status >= 400 && answer.status < 500, `${path} /${pointer.join('/')} ${JSON.stringify(attack)}: ${answer.text}`);
        assertNotQuoted(answer, attack);
      }))));
      assert.equal(await standing(world, ['party', 'institution', 'enterprise', 'officer', 'party_key', 'domain.registry', 'consent_grant']), before);
    });

    it('as a name is kept to the letter, or refused', async () => {
      let at = 0;
      for (const attack of attacks) {
        const id = `department_${at += 1}`;
        const key = (await world.platform.credentials(id)).signing.publicJwk;
        const answers = [
          await registrar.json('POST', '/v1/departments', { id, name: { en: attack, zh: attack }, key }),
          await registrar.json('POST', '/v1/enterprises', { subject: sampleSubject(500 + at, 11), representative: attack }),
        ];
        for (const answer of answers) assert.ok(answer.status === 201 || (answer.status >= 400 && answer.status < 500), `${JSON.stringify(attack)}: ${answer.text}`);
        const { rows } = await world.platform.database.query<{ name_en: string }>('select name_en from party where id = $1', [id]);
        assert.equal(rows[0]?.name_en, answers[0]?.status === 201 ? attack : undefined);
      }
    });

    it('in paths and parameters finds nothing', async () => {
      const before = await standing(world);
      const auditor = await world.wire('officer-auditor', 'audit');
      await inTurns(attacks.flatMap((attack) => {
        if (attack === '\ud800') return [];
        const text = encodeURIComponent(attack);
        return ([
          [world.bank, `/v1/grants/${text}`], [world.bank, `/v1/grants/${text}/token`], [world.bank, `/v1/grants?after=${text}`], [world.bank, `/v1/grants?in_force=${text}`], [world.bank, `/v1/grants?limit=${text}`],
          [world.bank, `/v1/accesses?before=${text}`], [auditor, `/v1/accesses?institution=${text}`], [auditor, `/v1/institutions/${text}`], [auditor, `/v1/institutions?after=${text}`], [auditor, `/v1/log/entries/${text}`],
          [auditor, `/v1/log/records/${text}?width=1`], [auditor, `/v1/log/consistency?from=${text}&to=1`], [auditor, `/v1/log/tile/0/${text}`], [auditor, `/v1/log/checkpoints?after=${text}`],
        ] as const).map(([wire, path]) => async () => {
          const answer = await wire.get(path);
          assert.ok(answer.status < 500, `${path}: ${answer.text}`);
          if (answer.status === 200) assert.match(answer.text, /^\{"(grants|accesses|institutions)":\[|^\{"hashes"|^\[/, path);
          assertNotQuoted(answer, attack);
        });
      }));
      assert.equal(await standing(world), before);
    });

    it('in a file of records is data, or a row that is refused without being quoted', async () => {
      const department = await world.wire('tax_administration', 'records');
      const before = await standing(world);
      for (const body of [
        `subject,period,credit_rating\n${subject},2026-01-01,"'; drop table domain.tax; --"\n`,
        `subject,"period'; drop table domain.tax; --"\n${subject},x\n`,
        `subject,period\n"${subject}'; drop table domain.tax; --",2026-01-01\n`,
        `__proto__,period\n${subject},2026-01-01\n`,
        `subject,period,period\n${subject},2026-01-01,2026-01-01\n`,
        `subject,period\n${subject},2026-01-01\u0000\n`,
        '\u0000\u0001\u0002', '', '{"subject":1}',
      ]) {
        for (const contentType of ['text/csv', 'application/x-ndjson']) {
          const answer = await department.send({ path: '/v1/datasets/tax/records', contentType, body });
          assert.ok(answer.status >= 400 && answer.status < 500, answer.text);
          assert.ok(!answer.text.includes('drop table') && !answer.text.includes(subject), answer.text);
        }
      }
      assert.equal(await standing(world), before);
    });
  });

  describe('HTTP', () => {
    it('bodies of another type or in disguise are refused (REQUEST_MEDIA_TYPE, REQUEST_MALFORMED)', async () => {
      const body = await world.bank.signed('query+jwt', { query });
      for (const contentType of ['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jwt; charset=utf-16', 'application/jwt, application/json']) {
        await refusesUnchanged(world, 'REQUEST_MEDIA_TYPE', () => world.bank.query(query, { body, contentType }));
      }
      await refusesUnchanged(world, 'REQUEST_MEDIA_TYPE', () => world.bank.query(query, { body, headers: { 'content-encoding': 'gzip' } }));
      await refusesUnchanged(world, 'REQUEST_MALFORMED', () => world.bank.query(query, { body: JSON.stringify({ query }) }));
      await refusesUnchanged(world, 'REQUEST_MEDIA_TYPE', () => compliance.send({ path: '/v1/institutions/bank-b/suspension', body: 'reason=x', contentType: 'application/x-www-form-urlencoded' }));
      await refusesUnchanged(world, 'REQUEST_INVALID', () => world.bank.query(query, { path: '/v1/queries?purpose=x' }));
      await refusesUnchanged(world, 'REQUEST_INVALID', () => world.bank.get('/v1/grants?limit=1&limit=2'));
      await refusesUnchanged(world, 'REQUEST_METHOD_NOT_ALLOWED', () => world.bank.send({ method: 'DELETE', path: '/v1/queries' }));
      for (const path of ['/v1/queries/', '/V1/queries', '/v1//queries', '/v1/queries%2fexplain', '/v1/no-such-thing']) await refusesUnchanged(world, 'REQUEST_NOT_FOUND', () => world.bank.query(query, { path }));
      await refusesUnchanged(world, 'REQUEST_MALFORMED', () => world.bank.get('/v1/grants/%E0%A4%A'));
    });

    it('headers that come twice, and what is no HTTP, are refused (REQUEST_MALFORMED)', async () => {
      const { host, port } = new URL(world.platform.gateway.gatewayUrl);
      const token = await world.bank.token();
      const proof = await world.bank.proof({ method: 'GET', path: '/v1/grants', token });
      const head = `GET /v1/grants HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nAuthorization: DPoP ${token}\r\nDPoP: ${proof}\r\n`;
      const code = (text: string) => /"code":"([A-Z_]+)"/.exec(text)?.[1];
      assert.equal(code(await raw(Number(port), `${head}Authorization: DPoP ${token}\r\n\r\n`)), 'REQUEST_MALFORMED');
      assert.equal(code(await raw(Number(port), `${head}DPoP: ${proof}\r\n\r\n`)), 'REQUEST_MALFORMED');
      assert.equal(code(await raw(Number(port), `${head}Content-Length: 5\r\n\r\nhello`)), 'REQUEST_MALFORMED');
      assert.equal(code(await raw(Number(port), `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`)), 'REQUEST_MALFORMED');
      assert.equal(code(await raw(Number(port), 'hello\r\n\r\n')), 'REQUEST_MALFORMED');
      assert.equal(code(await raw(Number(port), `GET /v1/policy HTTP/1.1\r\nHost: ${host}\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`)), 'REQUEST_TOO_LARGE');
      const fresh = head.replace(proof, await world.bank.proof({ method: 'GET', path: '/v1/grants', token }));
      assert.match(await raw(Number(port), `${fresh}\r\n`), /^HTTP\/1\.1 200 /, 'nothing was wrong with the rest of it');
    });
  });

  describe('idempotency keys', () => {
    const department = async (id: string) => ({ id, name: { en: id, zh: id }, key: (await world.platform.credentials(id)).signing.publicJwk });

    it('are needed where something is created, and must look like keys (IDEMPOTENCY_KEY_MISSING)', async () => {
      const body = await department('dept-missing');
      for (const key of ['', 'short', 'with blank inside', 'k'.repeat(129), '\'; drop--']) {
        await refusesUnchanged(world, 'IDEMPOTENCY_KEY_MISSING', () => registrar.json('POST', '/v1/departments', body, { headers: { 'idempotency-key': key } }));
      }
    });

    it('make a repetition answer as before, once, without what is shown once, and another request is refused (IDEMPOTENCY_KEY_REUSED)', async () => {
      const headers = { 'idempotency-key': crypto.randomUUID() };
      const body = { subject: sampleSubject(700, 11), representative: '王芳' };
      const first = await registrar.json('POST', '/v1/enterprises', body, { headers });
      assert.equal(first.status, 201);
      const again = await registrar.json('POST', '/v1/enterprises', body, { headers });
      assert.deepEqual([again.status, again.headers.get('idempotency-replayed'), again.json], [201, 'true', { party: first.json['party'] }]);
      assert.ok(!again.text.includes(String(first.json['activation_code'])));
      await refusesUnchanged(world, 'IDEMPOTENCY_KEY_REUSED', () => registrar.json('POST', '/v1/enterprises', { ...body, representative: '李四' }, { headers }));
      await refusesUnchanged(world, 'IDEMPOTENCY_KEY_REUSED', async () => registrar.json('POST', '/v1/departments', await department('dept-other'), { headers }));
    });

    it('let one of many at once create', async () => {
      const body = await department('dept-at-once');
      const headers = { 'idempotency-key': crypto.randomUUID() };
      const answers = await Promise.all(Array.from({ length: 8 }, () => registrar.json('POST', '/v1/departments', body, { headers })));
      assert.equal(answers.filter(({ status, headers: sent }) => status === 201 && sent.get('idempotency-replayed') === null).length, 1);
      assert.ok(answers.every(({ status, code }) => status === 201 || code === 'IDEMPOTENCY_IN_PROGRESS'));
      const different = await Promise.all(Array.from({ length: 4 }, () => registrar.json('POST', '/v1/departments', body)));
      assert.ok(different.every(({ code }) => code === 'PARTY_EXISTS'));
    });

    it('belong to their party, and remember no failure', async () => {
      const headers = { 'idempotency-key': crypto.randomUUID() };
      const body = await department('dept-later');
      await refusesUnchanged(world, 'KEY_DUPLICATE', () => registrar.json('POST', '/v1/departments', { ...body, key: world.bank.signing.publicJwk }, { headers }));
      assert.equal((await registrar.json('POST', '/v1/departments', body, { headers })).status, 201);
    });
  });

  describe('limits', () => {
    const limit = (limits: object) => registrar.json('PUT', '/v1/institutions/bank-b/limits', { limits });

    it('of an institution\'s queries a day are exact, however many come at once, and say when to come again (REQUEST_QUOTA_EXCEEDED)', async () => {
      const { rows } = await world.platform.database.query<{ queries: number }>("select coalesce(sum(queries), 0)::int as queries from institution_usage where institution = 'bank-b'");
      assert.equal((await limit({ queries_per_day: (rows[0]?.queries ?? 0) + 3 })).status, 200);
      const answers = await Promise.all(Array.from({ length: 9 }, () => world.otherBank.query(query)));
      assert.equal(answers.filter(({ code }) => code === 'CONSENT_REQUIRED').length, 3);
      const refused = answers.filter(({ code }) => code === 'REQUEST_QUOTA_EXCEEDED');
      assert.equal(refused.length, 6);
      for (const { status, headers } of refused) assert.ok(status === 429 && Number(headers.get('retry-after')) > 0 && Number(headers.get('retry-after')) <= 86_400);
      assert.equal((await world.otherBank.get('/v1/grants')).status, 200, 'reading one\'s own grants does not count');
      assert.equal((await world.bank.query({ ...query, subject: secondSubject })).status, 200, 'another bank is not held up');
    });

    it('of an institution\'s requests a second hold (REQUEST_RATE_LIMITED)', async () => {
      assert.equal((await limit({ requests_per_second: 3 })).status, 200);
      const answers = await Promise.all(Array.from({ length: 12 }, () => world.otherBank.get('/v1/grants')));
      const refused = answers.filter(({ code }) => code === 'REQUEST_RATE_LIMITED');
      assert.ok(refused.length >= 6, `${refused.length} of 12 were refused`);
      for (const { status, headers } of refused) assert.ok(status === 429 && Number(headers.get('retry-after')) >= 1);
      assert.equal((await limit({})).status, 200);
    });
  });
});

/** Paths to all texts within a JSON value. */
function texts(value: unknown, at: readonly string[] = []): (readonly string[])[] {
  if (typeof value === 'string') return [at];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => texts(inner, [...at, key]));
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: string): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.map((inner: unknown, at) => (String(at) === key ? replaced(inner, rest, by) : inner));
  return { ...(value as object), [key]: replaced((value as Record<string, unknown>)[key], rest, by) };
}

/** What was sent is not repeated: an error that quotes is an error that leaks. */
function assertNotQuoted(answer: WireAnswer, attack: string): void {
  if (attack.length > 8) assert.ok(!answer.text.includes(JSON.stringify(attack).slice(1, -1)), answer.text);
}

/** A few requests at a time, in order. */
async function inTurns(work: readonly (() => Promise<void>)[]): Promise<void> {
  const queue = [...work];
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await next();
  }));
}

/** A digest of what no attack may touch. */
async function standing(world: World, tables = ['party', 'institution', 'enterprise', 'officer', 'party_key', 'domain.registry', 'domain.tax', 'domain.owner', 'account']): Promise<string> {
  return (await world.digest()).split('\n').filter((line) => tables.includes(line.split(' ')[0] ?? '')).join('\n');
}

async function usesOf(world: World): Promise<number> {
  const { rows } = await world.platform.database.query<{ uses: number }>('select uses_total as uses from consent_grant where id = $1', [world.grant]);
  return rows[0]?.uses ?? -1;
}

/** Bytes to the gateway as they are, and all it answers. */
function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => { text += chunk.toString('utf8'); });
    socket.on('close', () => resolve(text));
    socket.on('error', () => {});
    socket.setTimeout(3000, () => socket.destroy());
  });
}
