import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { isVeilgateError } from '../../src/errors.ts';
import { recordsCommand, type RecordsDependencies } from '../../src/cli/records.ts';
import { remoteRecords, type RecordsService } from '../../src/cli/records-service.ts';
import type { Connection, GatewayRequest } from '../../src/sdk/connection.ts';
import type { QualityReport } from '../../src/source/quality.ts';
import type { Database } from '../../src/store/database.ts';
import { freshDatabase } from '../support/database.ts';
import { subject, thingColumns, thingYaml, thingsStored } from './support/fixtures.ts';

const header = `${thingColumns.join()}\n`;
const row = (n: number, colour = 'red') => `${subject(n)},1,2026-10-01,CANARY-90,${colour},1.500,${n},true\n`;

describe('veilgate records', () => {
  let database: Database;
  let folder: string;
  before(async () => {
    database = await freshDatabase();
    folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-records-'));
    writeFileSync(path.join(folder, 'thing.yaml'), thingYaml);
  });
  after(() => rmSync(folder, { recursive: true }));
  afterEach(() => { process.exitCode = 0; });

  async function run(line: readonly string[], more: Partial<RecordsDependencies> & { columns?: number } = {}) {
    const written = { out: '', err: '' };
    const { columns = 0, ...dependencies } = more;
    const command = recordsCommand({
      out: (text) => { written.out += text; },
      err: { write: (text) => { written.err += text; }, columns },
      stdin: Readable.from([]),
      ...dependencies,
    });
    for (const sub of [command, ...command.commands]) sub.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
    await command.parseAsync(line, { from: 'user' });
    return written;
  }
  const direct = () => ['--database', database.url, '--catalogue', folder];
  const file = (name: string, content: string) => {
    const at = path.join(folder, name);
    writeFileSync(at, content);
    return at;
  };

  it('loads a file, shows its quality, and keeps the report', async () => {
    const { out } = await run(['load', 'thing', file('good.csv', header + row(1) + row(2, '')), ...direct()]);
    assert.match(out, /^thing: loaded /);
    assert.match(out, /rows: 2 read, 0 rejected \(0 duplicates\), 2 new/);
    assert.match(out, /^colour +50\.0 % +100\.0 %$/m);
    assert.equal(await thingsStored(database), 2);
    const kept = await run(['quality', 'thing', ...direct()]);
    assert.equal(kept.out, out);
  });

  it('prints one JSON object for machines', async () => {
    const { out } = await run(['load', 'thing', file('more.ndjson', `${JSON.stringify({ subject: subject(3), thing_no: 1, made_on: '2026-01-01' })}\n`), '--json', ...direct()]);
    const report = JSON.parse(out) as QualityReport;
    assert.deepEqual([report.outcome, report.format, report.rows.new], ['loaded', 'ndjson', 1]);
  });

  it('lists what is wrong, without values, and ends with exit code 1 when a file is refused', async () => {
    const bad = file('bad.csv', header + row(5) + row(6, 'blue'));
    const shown = await run(['load', 'thing', bad, ...direct()]);
    assert.equal(process.exitCode, 1);
    assert.match(shown.err, /^1 of 2 rows were rejected.*\nrow +field +reason\n3 +colour +code\n$/);
    assert.equal(shown.out, '');
    const json = JSON.parse((await run(['load', 'thing', bad, '--json', ...direct()])).out) as Record<string, unknown>;
    assert.deepEqual([json['outcome'], json['code'], json['rejects']], ['refused', 'SOURCE_ROWS_REJECTED', [{ row: 3, field: 'colour', reason: 'code' }]]);
    assert.ok(!JSON.stringify([shown, json]).includes('CANARY'));
  });

  it('loads up to an error limit, from standard input', async () => {
    const stdin = Readable.from([Buffer.from(header + row(7) + row(8, 'blue'))], { objectMode: false });
    const { out } = await run(['load', 'thing', '-', '--format', 'csv', '--error-limit', '1', ...direct()], { stdin });
    assert.match(out, /2 read, 1 rejected/);
    assert.equal(process.exitCode ?? 0, 0);
  });

  it('draws progress for who watches, and none for a pipe', async () => {
    const name = file('watched.csv', header + row(9));
    assert.match((await run(['load', 'thing', name, ...direct()], { columns: 80 })).err, /\r\[#{30}\] 100 % {2}0\.0 MB\r/);
    assert.equal((await run(['load', 'thing', name, ...direct()])).err, '');
  });

  it('prints the header a file needs', async () => {
    assert.equal((await run(['template', 'thing', ...direct()])).out, header);
  });

  it('says what is missing: the format, the file, the dataset, the way to the platform', async () => {
    const code = (expected: string) => (error: unknown) => isVeilgateError(error) && error.code === expected;
    await assert.rejects(run(['load', 'thing', file('data.txt', header), ...direct()]), code('CONFIG_INVALID'));
    await assert.rejects(run(['load', 'thing', path.join(folder, 'none.csv'), ...direct()]), code('SOURCE_FILE_MALFORMED'));
    await assert.rejects(run(['load', 'nothing', file('good.csv', header), ...direct()]), code('SOURCE_DATASET_UNKNOWN'));
    await assert.rejects(run(['template', '__proto__', ...direct()]), code('SOURCE_DATASET_UNKNOWN'));
    await assert.rejects(run(['template', 'thing']), code('CONFIG_INVALID'));
    await assert.rejects(run(['load', 'thing', 'x.csv', '--error-limit', '-1', ...direct()]), /whole number/);
    await assert.rejects(run(['load', 'thing', 'x.csv', '--format', 'xml', ...direct()]), /csv or ndjson/);
  });

  it('replaces one record, by the rules of a load, and says what that did', async () => {
    const record = { subject: subject(40), thing_no: 1, made_on: '2026-10-01', weight: '1.500' };
    const outcome = async (changes: Record<string, unknown> = {}) =>
      (JSON.parse((await run(['correct', 'thing', file('record.json', JSON.stringify({ ...record, ...changes })), '--json', ...direct()])).out) as { readonly outcome: string }).outcome;
    assert.equal(await outcome(), 'new');
    assert.equal(await outcome(), 'unchanged');
    assert.equal(await outcome({ weight: '2.500' }), 'changed');
    assert.equal(await outcome({ thing_no: 2 }), 'new', 'another key is another record');
    const { rows } = await database.query<{ thing_no: number; weight: string }>('select thing_no, weight::text from domain.thing where subject = $1 order by thing_no', [record.subject]);
    assert.deepEqual(rows, [{ thing_no: 1, weight: '2.500' }, { thing_no: 2, weight: '1.500' }]);
    const rejects = (error: unknown) => (isVeilgateError(error, 'SOURCE_ROWS_REJECTED') ? error.detail?.['rejects'] : String(error));
    const refused = (changes: Record<string, unknown>) => outcome(changes).then(() => [], rejects);
    assert.deepEqual(await refused({ subject: 'nobody' }), [{ row: 1, field: 'subject', reason: 'check_digit' }]);
    assert.deepEqual(await refused({ thing_no: null, weight: 'heavy' }), [{ row: 1, field: 'thing_no', reason: 'missing' }, { row: 1, field: 'weight', reason: 'type' }]);
  });

  it('goes through the gateway when no database is named, and closes the way afterwards', async () => {
    const calls: unknown[] = [];
    const report = { dataset: 'thing', outcome: 'loaded' } as QualityReport;
    const service: RecordsService = {
      load: async (dataset, { format, stream, errorLimit }) => {
        let content = '';
        for await (const chunk of stream) content += String(chunk);
        calls.push([dataset, format, errorLimit, content]);
        return report;
      },
      correct: async (dataset, record) => { calls.push([dataset, record]); return { dataset, subject: subject(1), outcome: 'changed' }; },
      quality: async () => [],
      columns: async () => ['subject', 'a'],
      close: async () => { calls.push('closed'); },
    };
    const { out } = await run(['load', 'thing', file('remote.csv', header), '--error-limit', '3', '--json'], { connect: async () => service });
    assert.deepEqual(JSON.parse(out), report);
    assert.deepEqual(calls, [['thing', 'csv', 3, header], 'closed']);
    assert.match((await run(['quality', 'thing'], { connect: async () => service })).out, /^Nothing was loaded/);
    const corrected = await run(['correct', 'thing', file('one.json', '{"subject":"x","a":1}')], { connect: async () => service });
    assert.equal(corrected.out, `The record of ${subject(1)} in thing is changed.\n`);
    assert.deepEqual(calls.at(-2), ['thing', { subject: 'x', a: 1 }]);
  });

  it('speaks to the gateway as its description says', async () => {
    const asked: GatewayRequest[] = [];
    const answers: Readonly<Record<string, unknown>> = {
      '/v1/datasets/thing/records?error_limit=2': { outcome: 'loaded' },
      '/v1/datasets/thing/quality': { report: { outcome: 'refused' } },
      '/v1/datasets/other/quality': { report: null },
      '/v1/catalogue': { datasets: [{ id: 'thing', fields: [{ field: 'thing.a' }, { field: 'thing.b' }] }] },
    };
    const call = async (request: GatewayRequest) => {
      asked.push(request);
      return answers[request.path];
    };
    const service = remoteRecords({ call } as unknown as Connection); // nothing else of a connection is used
    assert.deepEqual(await service.load('thing', { format: 'ndjson', stream: Readable.from([Buffer.from('{}')], { objectMode: false }), errorLimit: 2 }), { outcome: 'loaded' });
    assert.equal(asked[0]?.method, 'POST');
    assert.equal(asked[0]?.body?.type, 'application/x-ndjson');
    assert.equal(await new Response(asked[0]?.body?.content as ReadableStream).text(), '{}');
    assert.deepEqual(await service.quality('thing'), [{ outcome: 'refused' }]);
    assert.deepEqual(await service.quality('other'), []);
    assert.deepEqual(await service.columns('thing'), ['subject', 'a', 'b']);
    await assert.rejects(service.columns('__proto__'), (error) => isVeilgateError(error, 'SOURCE_DATASET_UNKNOWN'));
  });
});
