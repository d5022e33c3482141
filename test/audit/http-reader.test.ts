import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { httpLogReader, type HttpReaderOptions } from '../../src/audit/http-reader.ts';
import { auditReader, type AuditReader } from '../../src/audit/read.ts';
import { parseTilePath } from '../../src/audit/tile.ts';
import { verifyLog } from '../../src/audit/verify.ts';
import { isVeilgateError } from '../../src/errors.ts';
import { testLog, type TestLog } from './support/log.ts';

/** Serves a log as the platform does. */
function serve(reader: AuditReader, forget: Set<string>): Promise<Server> {
  const resource = async (url: URL): Promise<Uint8Array | string> => {
    if (url.pathname === '/log/checkpoint') return reader.checkpoint();
    if (url.pathname === '/log/checkpoints') return JSON.stringify(await reader.history(Number(url.searchParams.get('after'))));
    const tile = parseTilePath(url.pathname.slice('/log/'.length));
    if (tile === undefined || forget.has(url.pathname)) throw Object.assign(new Error('not found'), { status: 404 });
    return tile.level === 'entries' ? reader.entries(tile.index, tile.width) : reader.tile(tile.level, tile.index, tile.width);
  };
  const server = createServer((request, response) => {
    resource(new URL(request.url!, 'http://log')).then(
      (body) => response.writeHead(200).end(body),
      (error: unknown) => response.writeHead(isVeilgateError(error, 'AUDIT_ENTRY_NOT_FOUND') ? 404 : (error as { status?: number }).status ?? 500).end('no'),
    );
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

describe('http reader', () => {
  let log: TestLog;
  let server: Server;
  let url: string;
  const forget = new Set<string>();

  before(async () => {
    log = await testLog();
    await log.grow(100);
    await log.grow(200);
    server = await serve(auditReader(log.database), forget);
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/log`;
  });
  after(() => new Promise<void>((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  }));

  const reader = (options: Partial<HttpReaderOptions> = {}) => httpLogReader({ url, timeoutMs: 10_000, ...options });

  it('verifies a log over HTTP, with records from where they are shown', async () => {
    const records = auditReader(log.database).records;
    const report = await verifyLog(reader({ url: `${url}/`, records }), { trust: log.trust });
    assert.ok(report.kind === 'sound');
    assert.deepEqual(report.records, { verified: 300, erased: 0, notShown: 0 });
    assert.ok((await verifyLog(reader({ history: false }), { trust: log.trust })).kind === 'sound');
  });

  it('takes the full tile when a partial one is gone', async () => {
    await log.grow(212); // 512: what was partial at 300 is full now
    forget.add('/log/tile/0/001.p/44').add('/log/tile/entries/001.p/44');
    const { tile, entries } = reader();
    const { tile: allTiles, entries: allEntries } = auditReader(log.database);
    assert.deepEqual(Buffer.from(await tile(0, 1, 44)), await allTiles(0, 1, 44));
    assert.deepEqual(Buffer.from(await entries(1, 44)), Buffer.from(await allEntries(1, 44)));
  });

  it('tells what is not there from what cannot be read', async () => {
    const absent = { code: 'AUDIT_ENTRY_NOT_FOUND' };
    await assert.rejects(reader().tile(0, 9, 256), absent);
    await assert.rejects(reader().entries(9, 3), absent);
    await assert.rejects(reader({ url: `${url}/nowhere` }).checkpoint(), absent);
    assert.deepEqual(await reader({ url: `${url}/nowhere` }).history!(0), []);
    const unavailable = { code: 'AUDIT_UNAVAILABLE' };
    await assert.rejects(reader({ url: 'http://127.0.0.1:1' }).checkpoint(), unavailable);
    const answering = (answer: () => Response) => reader({ fetch: async () => answer() });
    await assert.rejects(answering(() => new Response('', { status: 500 })).checkpoint(), unavailable);
    await assert.rejects(answering(() => new Response('x'.repeat(200_000))).checkpoint(), unavailable);
    await assert.rejects(answering(() => new Response('x'.repeat(70_000))).tile(0, 0, 256), unavailable);
    await assert.rejects(answering(() => new Response('{}')).history!(0), unavailable);
    await assert.rejects(answering(() => new Response('[1]')).history!(0), unavailable);
    await assert.rejects(answering(() => new Response('no JSON')).history!(0), unavailable);
    await assert.rejects(answering(() => new Response(Uint8Array.of(0xff, 0xfe))).checkpoint(), { code: 'AUDIT_CHECKPOINT_INVALID' });
  });
});
