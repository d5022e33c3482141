import { strict as assert } from 'node:assert';
import { hash } from 'node:crypto';
import { sampleRows } from '../../scripts/sample/generate.ts';
import { isVeilgateError } from '../../src/errors.ts';
import { auditReader } from '../../src/audit/read.ts';
import { systemClock } from '../../src/clock.ts';
import { loadSelfAccess } from '../../src/policy/self-access.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import type { Caller } from '../../src/vocabulary.ts';
import { until, untilBlocked } from '../support/until.ts';
import { beginExport, exportsPerDayMax } from '../../src/gateway/use-cases/own-export.ts';
import { bankClient, platformKeys } from '../../src/sdk/bank.ts';
import { checkExport, checkTable, type ExportLine, type ExportTrust } from '../../src/sdk/own-export.ts';
import { fromBase64url } from '../../src/audit/bytes.ts';
import { commitmentOf } from '../../src/audit/entry.ts';
import { secondSubject, startWorld, subject, terms, thirdSubject, type EnterpriseClient, type World } from '../flow/support/world.ts';
import type { Wire } from '../flow/support/wire.ts';

const codeOf = (attempt: Promise<unknown>) => attempt.then(() => 'done', (error: unknown) => (isVeilgateError(error) ? error.code : String(error)));
const faultOf = (attempt: Promise<unknown>) => attempt.then(() => 'done', (error: unknown) => (isVeilgateError(error, 'EXPORT_INVALID') ? error.detail?.['fault'] : String(error)));
const sample = { enterprises: 4, seed: 11 };

describe('an enterprise takes its own data along', () => {
  let world: World;
  let trust: ExportTrust;
  let wire: Wire;
  let third: EnterpriseClient;
  const partyOf = async (of: string) => (await world.platform.database.query<{ id: string }>('select id from enterprise where subject = $1', [of])).rows[0]?.id ?? '';
  const valuesOf = (lines: readonly ExportLine[], dataset: string) => lines.filter((line) => line.part === 'records' && line['dataset'] === dataset).map((line) => line['values'] as Readonly<Record<string, unknown>>);
  const stored = (dataset: 'registry' | 'owner' | 'tax', of = subject) => [...sampleRows(dataset, sample)].filter((row) => row['subject'] === of);

  before(async function () {
    this.timeout(60_000);
    world = await startWorld();
    const { gatewayUrl } = world.platform.gateway;
    trust = { keys: { keys: [...(await platformKeys(gatewayUrl)).keys] }, issuer: gatewayUrl };
    wire = await world.wire(await partyOf(subject), 'grants');
    third = await world.platform.enterprise(thirdSubject);
    const bank = bankClient(await world.platform.connect('bank-a', 'query'));
    await bank.query({ subject, purpose: terms.purpose, grant: world.grant, read: ['registry.name'] });
    await bank.askForGrant({ ...terms, subject }, '=1+1 is no formula');
    await bank.askForGrant({ ...terms, subject: secondSubject }, 'not for others');
  });
  after(() => world.platform.close());

  it('whole, signed, and complete: every record and all of its history', async () => {
    const { lines, manifest } = await checkExport(await world.enterprise.exportText(), trust);
    assert.deepEqual([lines[0]?.part, lines[0]?.['format'], lines[0]?.['subject'], manifest.sub, manifest.scope, manifest['lines']], ['header', 'veilgate-export/1', subject, subject, null, lines.length]);
    for (const dataset of ['registry', 'owner', 'tax'] as const) assert.equal(valuesOf(lines, dataset).length, stored(dataset).length, dataset);
    const [registry] = valuesOf(lines, 'registry');
    const [original] = stored('registry');
    for (const field of ['name', 'legal_representative', 'registered_capital_cents', 'established_on', 'paid_in_capital_cents']) assert.equal(registry?.[field], original?.[field], field);
    assert.deepEqual(valuesOf(lines, 'tax').map(({ period }) => period), stored('tax').map(({ period }) => period as string).toSorted());
    const parts = (part: string, name: string) => lines.filter((line) => line.part === part).map((line) => line[name] as Readonly<Record<string, unknown>>);
    assert.deepEqual(parts('grants', 'grant').map(({ id }) => id), [world.grant]);
    assert.deepEqual(parts('grant_requests', 'request').map(({ message }) => message), ['=1+1 is no formula']);
    const entries = parts('accesses', 'entry');
    assert.deepEqual(entries.map(({ index }) => index), (await world.enterprise.accesses({ before: manifest.log.index + 1 })).accesses.map(({ index }) => index));
    assert.ok(entries.some(({ kind }) => kind === 'query.released'));
    assert.equal((manifest['counts'] as Record<string, number>)['accesses'], entries.length);

    // the export is the newest of them, and the manifest is bound to it
    const [own] = entries;
    const record = own?.['record'] as Readonly<Record<string, unknown>>;
    assert.deepEqual([own?.['kind'], record['export'], record['form'], record['part']], ['export.own', manifest.export, 'ndjson', null]);
    assert.deepEqual(Buffer.from(await commitmentOf(record, fromBase64url(manifest.log.salt) ?? new Uint8Array())).toString('base64url'), manifest.log.commitment);
    assert.equal(record['policy'], lines[0]?.['policy']);
    const withheld = (record['outcomes'] as readonly { disposition: string; fields: readonly string[] }[]).find(({ disposition }) => disposition === 'withhold');
    assert.deepEqual(withheld?.fields, ['judicial.counterparty']);
    assert.ok(!JSON.stringify(record).includes(String(original?.['name'])), 'the log holds no value');
  });

  it('without the personal data of the people behind it', async () => {
    const text = await world.enterprise.exportText();
    const people = stored('owner');
    assert.ok(people.length > 0);
    for (const person of people) for (const field of ['identity_number', 'phone', 'email', 'home_address', 'bank_account']) assert.ok(person[field] === null || !text.includes(String(person[field])), `owner.${field}`);
    const { lines } = await checkExport(text, trust);
    const shown = valuesOf(lines, 'owner');
    people.forEach((person, at) => {
      assert.notEqual(shown[at]?.['name'], person['name']);
      assert.deepEqual([shown[at]?.['role'], shown[at]?.['share_percent']], [person['role'], person['share_percent']], 'what is the enterprise\'s own is whole');
      assert.match(String(shown[at]?.['identity_number'] ?? '*'), /\*/);
    });
    const fields = (lines[0]?.['fields'] ?? []) as readonly { field: string; classification: { kind: string }; disclosed: string }[];
    assert.deepEqual(fields.filter(({ classification, disclosed }) => classification.kind === 'personal' && disclosed === 'clear').map(({ field }) => field), ['registry.legal_representative']);
    assert.ok(!('counterparty' in (valuesOf(lines, 'judicial')[0] ?? {})));
  });

  it('and of nobody else', async () => {
    const text = await world.enterprise.exportText();
    for (const other of [secondSubject, thirdSubject]) {
      assert.ok(!text.includes(other));
      for (const { name } of stored('registry', other)) assert.ok(!text.includes(String(name)));
    }
    assert.ok(!text.includes('not for others'));
    assert.equal((await world.bank.get('/v1/export')).code, 'TOKEN_SCOPE_INSUFFICIENT');
    const department = await world.wire('tax_administration', 'records');
    assert.equal((await department.get('/v1/export')).code, 'TOKEN_SCOPE_INSUFFICIENT');
  });

  it('as tables, which no spreadsheet runs and whose manifest holds', async () => {
    const { csv, manifest } = await world.enterprise.exportTable('tax');
    const checked = await checkTable(csv, manifest, trust);
    assert.deepEqual([checked.form, checked.scope, checked['rows'], checked.sha256], ['csv', 'tax', stored('tax').length, hash('sha256', csv, 'hex')]);
    const [heading = '', first = ''] = csv.split('\r\n');
    assert.ok(heading.split(',').includes('declared_revenue_cents') && !heading.includes('subject'));
    assert.ok(first.includes(stored('tax').map(({ period }) => period as string).toSorted()[0] ?? '?'));
    const requests = (await world.enterprise.exportTable('grant_requests')).csv;
    assert.match(requests, /,'=1\+1 is no formula,/);
    for (const part of ['registry', 'owner', 'grants', 'accesses', 'objections']) {
      const table = await world.enterprise.exportTable(part);
      assert.doesNotMatch(table.csv, /(^|[,\n])"?[=@+]/, part);
      await checkTable(table.csv, table.manifest, trust);
    }
    assert.equal(await codeOf(world.enterprise.exportTable('gossip')), 'SOURCE_DATASET_UNKNOWN');
    assert.equal((await wire.get('/v1/export?format=csv')).code, 'REQUEST_INVALID');
    const headers = (await wire.get('/v1/export?format=csv&part=registry')).headers;
    assert.deepEqual([headers.get('content-disposition'), headers.get('cache-control')], ['attachment; filename="veilgate-registry.csv"', 'no-store']);
  });

  it('is found out when it was cut, changed or made by somebody else (EXPORT_INVALID)', async () => {
    const text = await world.enterprise.exportText('registry');
    assert.equal((await checkExport(text, trust)).lines.filter(({ part }) => part === 'records').length, 1);
    const lines = text.split('\n');
    const broken: readonly (readonly [string, string])[] = [
      ['incomplete', text.slice(0, -1)], ['incomplete', `${lines.slice(0, -2).join('\n')}\n`], ['incomplete', ''], ['content', text.replace('"registry"', '"registri"')],
      ['content', `${[lines[0], ...lines.slice(2)].join('\n')}`], ['content', text.replace(/"lines":\d+/, '"lines":3000')], ['signature', text.replace(/"jws":"(...)/, '"jws":"eyB')], ['form', text.replace('{', '[')],
    ];
    for (const [fault, other] of broken) assert.equal(await faultOf(checkExport(other, trust)), fault, other.slice(0, 60));
    assert.equal(await faultOf(checkExport(text, { ...trust, issuer: 'https://elsewhere.example' })), 'issuer');
    const table = await world.enterprise.exportTable('registry');
    assert.equal(await faultOf(checkTable(`${table.csv} `, table.manifest, trust)), 'content');
    const other = await world.enterprise.exportTable('owner');
    assert.equal(await faultOf(checkTable(table.csv, other.manifest, trust)), 'content');
    assert.equal(await faultOf(checkTable(table.csv, lines.at(-2)?.match(/"jws":"([^"]+)"/)?.[1] ?? '', trust)), 'content');
  });

  it('comes at the reader\'s pace, more rows than one page holds', async () => {
    const { database } = world.platform;
    const { rows: [row] } = await database.query<{ day: string }>('select min(period)::text as day from domain.tax where subject = $1', [thirdSubject]);
    await database.query(`insert into domain.tax select (jsonb_populate_record(t, jsonb_build_object('period', t.period - n))).* from domain.tax t, generate_series(1, 1200) n where t.subject = $1 and t.period = $2`, [thirdSubject, row?.day]);
    const { rows: [count] } = await database.query<{ n: number }>('select count(*)::int as n from domain.tax where subject = $1', [thirdSubject]);
    const reader = (await third.exportStream('tax')).getReader();
    const decoder = new TextDecoder();
    let [text, chunks] = ['', 0];
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      text += decoder.decode(part.value, { stream: true });
      chunks += 1;
    }
    const { lines } = await checkExport(text, trust);
    const periods = valuesOf(lines, 'tax').map(({ period }) => period as string);
    assert.ok(chunks > 2);
    assert.deepEqual([periods.length, new Set(periods).size, periods], [count?.n, count?.n, periods.toSorted()]);
  });

  it('one table at a time: there is no second while the first is under way, and one again when it ended or was given up', async () => {
    const { database } = world.platform;
    const second = await world.wire(await partyOf(secondSubject), 'grants');
    const path = '/v1/export?format=csv&part=tax';
    for (const givenUp of [false, true]) {
      const first = await database.transaction('hold', async (tx) => {
        await tx.query('lock table domain.tax in access exclusive mode');
        const asking = new AbortController();
        const token = await second.token();
        const asked = fetch(`${world.platform.gateway.gatewayUrl}${path}`, { signal: asking.signal, headers: { authorization: `DPoP ${token}`, dpop: await second.proof({ method: 'GET', path: '/v1/export', token }) } })
          .then(async (response) => [response.status, await response.text()] as const, () => undefined);
        await untilBlocked(database);
        assert.equal((await second.get('/v1/export?format=csv&part=registry')).code, 'REQUEST_OVERLOADED');
        assert.equal((await wire.get('/v1/export?format=csv&part=registry')).status, 200, 'another enterprise is not held up');
        if (givenUp) asking.abort();
        return { asked };
      });
      assert.equal((await first.asked)?.[0], givenUp ? undefined : 200);
      await until('there is one again', async () => (await second.get('/v1/export?format=csv&part=registry')).status === 200);
    }
  });

  it('so many times a day, also when all are begun at once (REQUEST_QUOTA_EXCEEDED)', async () => {
    const party = await partyOf(secondSubject);
    const { rows: [taken] } = await world.platform.database.query<{ n: number }>("select count(*)::int as n from audit_entry where kind = 'export.own' and subject = $1", [secondSubject]);
    const services = { database: world.platform.database, clock: systemClock, catalogue: loadCatalogue('policies/catalogue') } as const;
    const desk = { ...services, log: auditReader(services.database), selfAccess: loadSelfAccess('policies', services.catalogue), tokenKeys: undefined as never };
    const caller = { party, kind: 'enterprise', scopes: new Set(['grants']), subject: secondSubject } as unknown as Caller;
    const outcomes = await Promise.all(Array.from({ length: exportsPerDayMax + 20 }, () => beginExport(desk, caller, 'ndjson', 'registry').then(() => 'begun', (error: unknown) => (isVeilgateError(error) ? error.code : String(error)))));
    assert.equal(outcomes.filter((each) => each === 'begun').length, exportsPerDayMax - (taken?.n ?? 0));
    assert.equal(outcomes.filter((each) => each === 'REQUEST_QUOTA_EXCEEDED').length, 20 + (taken?.n ?? 0));
  });

  it('so many times a day (REQUEST_QUOTA_EXCEEDED), and never without an entry in the log', async () => {
    const { database } = world.platform;
    const taken = async () => (await database.query<{ n: number }>("select count(*)::int as n from audit_entry where kind = 'export.own' and subject = $1", [thirdSubject])).rows[0]?.n ?? 0;
    const before = await taken();
    const { rows: [sequencer] } = await database.query<{ next_index: number }>('select next_index from audit_sequencer');
    await database.query('truncate audit_sequencer');
    const refused = await codeOf(third.exportText('registry'));
    await database.query('insert into audit_sequencer (next_index) values ($1)', [sequencer?.next_index]);
    assert.equal(refused, 'AUDIT_UNAVAILABLE');
    assert.equal(await taken(), before);
    for (let n = before; n < exportsPerDayMax; n += 1) await third.exportText('registry');
    assert.equal(await codeOf(third.exportText('registry')), 'REQUEST_QUOTA_EXCEEDED');
    assert.equal(await taken(), exportsPerDayMax);
  });
});
