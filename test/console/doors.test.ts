import { strict as assert } from 'node:assert';
import { consoleOperations } from '../../src/gateway/console/console-routes.ts';
import type { OpenApiDocument, Operation } from '../../src/gateway/openapi.ts';
import type { Credentials } from '../../src/sdk/keys.ts';
import { signScoreRequest } from '../../src/sdk/scores.ts';
import { wireOf, type Wire } from '../flow/support/wire.ts';
import { startTestPlatform, type TestPlatform } from '../support/gateway.ts';
import { personOf, representativeOf, type Person } from './support/people.ts';

const subject = '91350211M000100Y46';
const terms = { subject, purpose: 'pre_loan_review', valid_days: 30, uses_max: 10, data_life_days: 30, kind: 'periodic', fields: [{ field: 'registry.name', ceiling: 'original' }] };

/** Whether the service lives is told at every address of it. */
const health: ReadonlySet<string> = new Set(['getHealth', 'getReadiness']);

/** Somebody with a session, what the registry lets them do, and the key of their party. */
type Visitor = { readonly who: string; readonly scopes: readonly string[]; readonly cookie: string; readonly csrf: string; readonly credentials: Credentials; readonly wire: Wire };
/** One thing the console's interface does. */
type Door = { readonly method: string; readonly path: string; readonly scopes: readonly string[]; readonly operation: Operation };

/** Every door of the console's interface, as its own description lists them: a new one is tried without anybody thinking of it. */
describe('every door of the consoles', function () {
  this.timeout(120_000);
  let platform: TestPlatform;
  let doors: readonly Door[];
  let visitors: readonly Visitor[];

  before(async () => {
    platform = await startTestPlatform({ VEILGATE_POLICY_SOURCE: 'database' });
    await platform.bank('bank-a');
    const own = await platform.credentials('an enterprise');
    const representative = await representativeOf(platform, subject, '王芳', own.signing.publicJwk);
    const { rows: [enterprise] } = await platform.database.query<{ id: string }>('select id from enterprise where subject = $1', [subject]);
    visitors = [
      await visitor(await platform.credentials('officer-compliance'), await personOf(platform, 'officer-compliance', 'officer', 'Compliance', 'compliance')),
      await visitor(await platform.credentials('officer-registrar'), await personOf(platform, 'officer-registrar', 'officer', 'Registrar', 'registry')),
      await visitor(await platform.credentials('officer-auditor'), await personOf(platform, 'officer-auditor', 'officer', 'Auditor', 'audit')),
      await visitor(await platform.credentials('bank-a'), await personOf(platform, 'bank-a', 'institution', 'Clerk')),
      await visitor({ ...own, party: enterprise?.id ?? '' }, representative),
    ];
    const { paths } = await (await fetch(api('/openapi.json'))).json() as OpenApiDocument;
    doors = Object.entries(paths).flatMap(([path, operations]) => Object.entries(operations as Readonly<Record<string, Operation>>).map(([method, operation]): Door => (
      { method: method.toUpperCase(), path, scopes: operation.security.flatMap(({ dpop }) => dpop ?? []), operation })));
  });
  after(() => platform.close());

  const api = (path: string) => `${platform.gateway.issuerUrl}/console/api${path}`;
  const visitor = async (credentials: Credentials, { forms }: Person): Promise<Visitor> => {
    const cookie = `veilgate_session=${forms.cookie('veilgate_session') ?? assert.fail(credentials.party)}`;
    const { csrf, scopes, kind } = await (await fetch(api('/session'), { headers: { cookie } })).json() as { readonly csrf: string; readonly scopes: readonly string[]; readonly kind: string };
    return { who: `${kind} ${scopes.join(' ')}`, cookie, csrf, scopes, credentials, wire: await wireOf(platform, credentials, '') };
  };
  const nameOf = ({ method, path }: Door) => `${method} ${path}`;
  const isOpen = ({ scopes }: Door) => scopes.length === 0;
  const mayEnter = (door: Door, { scopes }: Visitor) => door.scopes.some((scope) => scopes.includes(scope));
  const ownOf = ({ cookie, csrf }: Visitor): Readonly<Record<string, string>> => ({ cookie, origin: platform.gateway.issuerUrl, 'veilgate-csrf': csrf });
  /** Nothing that names anything: whoever is let in gets no further than the form of the request. @returns the code of the refusal; undefined: answered */
  const knock = async ({ method, path }: Door, headers: Readonly<Record<string, string>>, body?: { readonly text: string; readonly type: string }) => {
    const answer = await fetch(api(path.replaceAll(/\{[^}]+\}/g, 'A'.repeat(22))), { method, headers: { ...headers, ...(body === undefined ? {} : { 'content-type': body.type }) }, ...(body === undefined ? {} : { body: body.text }) });
    const text = await answer.text();
    return answer.ok ? undefined : (JSON.parse(text) as { readonly code: string }).code;
  };
  /** All rows there are, but for what the log makes of its entries by itself. */
  const everything = async () => {
    const { rows: tables } = await platform.database.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'domain') and (tablename = 'audit_entry' or tablename not like 'audit_%') order by 1`);
    assert.ok(tables.length > 40, `${tables.length} tables`);
    const { rows } = await platform.database.query(tables.map(({ name }) => `select '${name}' as name, md5(string_agg(t::text, '|' order by t::text)) as digest from ${name} t`).join(' union all ') + ' order by 1');
    return rows;
  };

  it('are those that pages call; every other one of the gateway is not there', async () => {
    const { paths } = await (await fetch(`${platform.gateway.gatewayUrl}/openapi.json`)).json() as OpenApiDocument;
    const all = Object.entries(paths).flatMap(([path, operations]) => Object.entries(operations as Readonly<Record<string, Operation>>).map(([method, operation]): Door => ({ method: method.toUpperCase(), path, scopes: [], operation })));
    const names = new Set(all.map(({ operation }) => operation.operationId));
    assert.deepEqual([...consoleOperations].filter((name) => !names.has(name)), [], 'of the gateway');
    assert.deepEqual(doors.map(({ operation }) => operation.operationId).filter((name) => names.has(name) && !health.has(name)).toSorted(), [...consoleOperations].toSorted());
    const others = all.filter(({ operation: { operationId } }) => !consoleOperations.has(operationId) && !health.has(operationId));
    assert.ok(others.length > 40, String(others.length));
    for (const door of others) {
      for (const who of visitors) {
        const code = await knock(door, ownOf(who));
        assert.ok(code === 'REQUEST_NOT_FOUND' || code === 'REQUEST_METHOD_NOT_ALLOWED', `${nameOf(door)}: ${code}`);
      }
    }
  });

  it('are known: so many that change something, and none open to anybody', () => {
    const changing = doors.filter(({ method }) => method !== 'GET');
    assert.ok(changing.length > 50 && doors.length > 100, `${changing.length} of ${doors.length}`);
    assert.deepEqual(changing.filter(isOpen).map(nameOf), []);
    assert.deepEqual([...new Set(doors.flatMap(({ scopes }) => scopes))].toSorted(), ['audit', 'compliance', 'grants', 'query', 'records', 'registry']);
  });

  describe('that change something', () => {
    it('stay shut, and nothing changes, when the request was not made by a page of this origin in this very session', async () => {
      const before = await everything();
      const [first, second] = visitors as readonly [Visitor, Visitor];
      for (const door of doors.filter(({ method }) => method !== 'GET').filter((each) => !isOpen(each))) {
        const who = visitors.find((each) => mayEnter(door, each)) ?? first;
        const origin = platform.gateway.issuerUrl;
        const forged: Readonly<Record<string, Readonly<Record<string, string>>>> = {
          'no token of the session': { cookie: who.cookie, origin }, 'an empty one': { cookie: who.cookie, origin, 'veilgate-csrf': '' },
          'another session\'s': { cookie: who.cookie, origin, 'veilgate-csrf': (who === first ? second : first).csrf },
          'no origin': { cookie: who.cookie, 'veilgate-csrf': who.csrf }, 'another origin': { ...ownOf(who), origin: 'https://evil.example' }, 'an opaque origin': { ...ownOf(who), origin: 'null' },
          'another site': { ...ownOf(who), 'sec-fetch-site': 'cross-site' }, 'a neighbour': { ...ownOf(who), 'sec-fetch-site': 'same-site' }, 'nowhere': { ...ownOf(who), 'sec-fetch-site': 'none' },
        };
        for (const [what, headers] of Object.entries(forged)) assert.equal(await knock(door, headers), 'SESSION_FORGED', `${nameOf(door)} with ${what}`);
      }
      assert.deepEqual(await everything(), before);
    });
  });

  it('that only read stay shut to other sites, and to links of them', async () => {
    for (const door of doors.filter(({ method }) => method === 'GET').filter((each) => !isOpen(each))) {
      const who = visitors.find((each) => mayEnter(door, each)) ?? visitors[0] ?? assert.fail('no visitor'); // departments have no people here
      assert.equal(await knock(door, { ...ownOf(who), 'sec-fetch-site': 'cross-site' }), 'SESSION_FORGED', nameOf(door));
      // the page learns the session's own token here
      if (door.path !== '/session') assert.equal(await knock(door, { cookie: who.cookie }), 'SESSION_FORGED', `${nameOf(door)} without the session's own token`);
    }
  });

  it('stay shut without a session', async () => {
    for (const door of doors.filter((each) => !isOpen(each))) assert.equal(await knock(door, { origin: platform.gateway.issuerUrl, 'veilgate-csrf': visitors[0]?.csrf ?? '' }), 'SESSION_MISSING', nameOf(door));
  });

  it('let those in whose role the registry has for them, and nobody else', async () => {
    const tried: string[] = [];
    for (const door of doors.filter((each) => !isOpen(each) && nameOf(each) !== 'DELETE /session')) {
      for (const who of visitors) {
        const code = await knock(door, ownOf(who), await signedBody(door, who));
        if (mayEnter(door, who)) assert.ok(code === undefined || !/^(TOKEN|SESSION)_/.test(code), `${nameOf(door)} refuses ${who.who} with ${code}`);
        else assert.equal(code, 'TOKEN_SCOPE_INSUFFICIENT', `${nameOf(door)} for ${who.who}`);
        tried.push(code ?? 'answered');
      }
    }
    assert.ok(tried.includes('answered') && tried.filter((code) => code === 'TOKEN_SCOPE_INSUFFICIENT').length > tried.length / 2);
  });

  /** Where the door's own work is to find out who signed: a body that the visitor's party signed, in order. */
  const signedBody = async ({ operation }: Door, { credentials, wire }: Visitor) => {
    const purpose = 'pre_loan_review';
    const json = (value: unknown) => ({ text: JSON.stringify(value), type: 'application/json' });
    switch (operation['x-veilgate-payload']?.typ) {
      case 'query+jwt': return { text: await wire.signed('query+jwt', { query: { subject, purpose, read: ['registry.name'] } }), type: 'application/jwt' };
      case 'grant+jwt': return { text: await wire.signed('grant+jwt', { terms: { type: 'veilgate_consent', ...terms }, institution: 'bank-a' }), type: 'application/jwt' };
      case 'score+jwt': {
        const kind = operation.operationId.endsWith('Job') ? 'many' : 'one';
        const { request, subjects } = await signScoreRequest({ gateway: platform.gateway.gatewayUrl, credentials }, { kind, model: 'no_such_model@1', purpose, lifetimeS: 60, subjects: [{ subject }] });
        return json({ score: { request, subjects }, explainScore: { request, subjects }, openScoreJob: { request, salt: subjects.salt }, repeatScoreJob: { request } }[operation.operationId]);
      }
      default: return undefined;
    }
  };
});
