import { strict as assert } from 'node:assert';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isVeilgateError } from '../../src/errors.ts';
import { text as readText } from 'node:stream/consumers';
import { content, noContent, ok, route, type StreamBody } from '../../src/gateway/route.ts';
import { object, text } from '../../src/gateway/schema/words.ts';
import { startServer, type RunningServer, type ServerConfig } from '../../src/gateway/server.ts';
import { backOffMs } from '../../src/gateway/server-processes.ts';
import { until } from '../support/until.ts';
import { selfSigned } from './certificate.ts';
import { memoryLog, shell } from './shell.ts';

const defaults: ServerConfig = {
  host: '127.0.0.1', port: 0, tlsCertFile: undefined, tlsKeyFile: undefined, tlsTerminatedByProxy: false, trustedProxies: [],
  connections: 100, drainSeconds: 5, headersTimeoutSeconds: 1, requestTimeoutSeconds: 1, uploadTimeoutSeconds: 3,
};
const base = { tag: 'Test', summary: 'Test', access: 'public', responses: { 200: { description: 'x' }, 204: { description: 'x' } }, errors: [] } as const;
const nobody = (): void => {};
/** Lets the request go that /slow holds; `nobody` while it holds none. */
let release = nobody;
const held = () => until('/slow holds a request', () => release !== nobody);
const routes = [
  route({ ...base, method: 'GET', path: '/quick', operationId: 'quick', handler: async () => noContent }),
  route({ ...base, method: 'GET', path: '/slow', operationId: 'slow', handler: async () => { await new Promise<void>((resolve) => { release = resolve; }); return ok({ done: true }); } }),
  route<{ body: { a: string } }>({ ...base, method: 'POST', path: '/body', operationId: 'body', request: { body: { kind: 'json', schema: object({ a: text(100) }) } }, handler: async () => noContent }),
];
routes.push(
  route<{ body: StreamBody }>({ ...base, access: 'public', method: 'POST', path: '/file', operationId: 'file', request: { body: { kind: 'stream', mediaTypes: ['text/csv'] } }, handler: async ({ body }) => ok({ length: (await readText(body)).length }) }),
  route<{ body: StreamBody }>({ ...base, access: 'public', method: 'POST', path: '/thorough', operationId: 'thorough', request: { body: { kind: 'stream', mediaTypes: ['text/csv'] } }, handler: async ({ body }) => { await delay(1800); return ok({ length: (await readText(body)).length }); } }),
  route({ ...base, method: 'GET', path: '/large', operationId: 'large', handler: async () => content('text/plain', 'x'.repeat(30_000_000)) }),
);
const started = new Set<RunningServer>();

async function start(config: Partial<ServerConfig> = {}): Promise<{ readonly server: RunningServer; readonly lines: ReturnType<typeof memoryLog>['lines'] }> {
  const { log, lines } = memoryLog();
  let server: RunningServer | undefined;
  const { app } = shell(routes, { draining: () => server?.draining() ?? false, config: { requestTimeoutSeconds: 1 } });
  server = await startServer(app, { ...defaults, ...config }, log);
  started.add(server);
  return { server, lines };
}

/** Sends bytes, waits for the other side to close, and tells what came back. */
function raw(port: number, first: string, then?: (socket: net.Socket) => void): Promise<{ readonly answer: string; readonly afterMs: number }> {
  return new Promise((resolve) => {
    const startedMs = performance.now();
    let answer = '';
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.write(first);
      then?.(socket);
    });
    socket.on('data', (chunk) => { answer += chunk.toString('latin1'); });
    socket.on('error', () => {});
    socket.on('close', () => resolve({ answer, afterMs: performance.now() - startedMs }));
  });
}

const get = (url: string, options: https.RequestOptions = {}) =>
  new Promise<{ readonly status: number; readonly body: string; readonly connection: string | undefined }>((resolve, reject) => {
    const sent = (url.startsWith('https') ? https : http).get(url, { agent: false, ...options }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => { body += chunk.toString(); });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, connection: response.headers.connection }));
    });
    sent.on('error', reject);
  });

describe('gateway/server', () => {
  afterEach(async () => {
    release();
    release = nobody;
    await Promise.all([...started].map((server) => server.stop()));
    started.clear();
  });

  it('cuts off who dribbles headers', async () => {
    const { server } = await start();
    const dribble = (socket: net.Socket) => {
      const timer = setInterval(() => socket.write('X-A: b\r\n'), 100);
      socket.on('close', () => clearInterval(timer));
    };
    const { answer, afterMs } = await raw(server.port, 'GET /quick HTTP/1.1\r\nHost: a\r\n', dribble);
    assert.match(answer, /^HTTP\/1\.1 408 .*REQUEST_TIMEOUT/s);
    assert.ok(afterMs < 4000, `${afterMs} ms`);
  });
  it('cuts off who dribbles a body', async () => {
    const { server } = await start();
    const dribble = (socket: net.Socket) => {
      const timer = setInterval(() => socket.write('x'), 100);
      socket.on('close', () => clearInterval(timer));
    };
    const { answer, afterMs } = await raw(server.port, 'POST /body HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n', dribble);
    assert.match(answer, /^HTTP\/1\.1 408 .*REQUEST_TIMEOUT/s);
    assert.ok(afterMs < 4000, `${afterMs} ms`);
  });
  it('cuts off who pauses within a file, and tells the broken file from a whole one', async () => {
    const { server } = await start({ uploadTimeoutSeconds: 60 });
    const { answer, afterMs } = await raw(server.port, 'POST /file HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\nContent-Length: 5000\r\n\r\nabc');
    assert.match(answer, /^HTTP\/1\.1 408 .*REQUEST_TIMEOUT/s);
    assert.ok(afterMs < 4000, `${afterMs} ms`);
  });
  it('waits for a handler that takes its time over a file', async () => {
    const { server } = await start();
    const { answer } = await raw(server.port, `POST /thorough HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: text/csv\r\nContent-Length: 300000\r\n\r\n${'x'.repeat(300_000)}`);
    assert.match(answer, /^HTTP\/1\.1 200 .*"length":300000/s);
  });
  it('cuts off who does not read the answer', async () => {
    const { server } = await start();
    const socket = net.connect(server.port, '127.0.0.1', () => socket.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n'));
    socket.pause();
    await delay(2500);
    let length = 0;
    socket.on('data', (chunk) => { length += chunk.length; });
    socket.on('error', () => {});
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    assert.ok(length < 30_000_000);
  });
  it('cuts off who opens a connection and says nothing', async () => {
    const { server } = await start();
    const { afterMs } = await raw(server.port, '');
    assert.ok(afterMs < 4000, `${afterMs} ms`);
  });
  for (const [what, path_, type] of [['JSON', '/body', 'application/json'], ['a file', '/file', 'text/csv']] as const) {
    it(`stops reading ${what} that says no length beforehand when it is too long`, async () => {
      const { server } = await start();
      const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
      const { answer } = await raw(server.port, `POST ${path_} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(20)}`);
      assert.match(answer, /^HTTP\/1\.1 413 .*REQUEST_TOO_LARGE/s);
    });
  }
  for (const [what, sent, status, code] of [
    ['headers that are too long', `GET /quick HTTP/1.1\r\nHost: a\r\nX-A: ${'CANARY'.repeat(4000)}\r\n\r\n`, 413, 'REQUEST_TOO_LARGE'],
    ['what is no HTTP', 'CANARY\r\n\r\n', 400, 'REQUEST_MALFORMED'],
    ['two lengths', 'POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd', 400, 'REQUEST_MALFORMED'],
    ['a length and chunks (request smuggling)', 'POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400, 'REQUEST_MALFORMED'],
    ['a line end in a header', 'GET /quick HTTP/1.1\r\nHost: a\r\nX-A: b\rc\r\n\r\n', 400, 'REQUEST_MALFORMED'],
    ['a header twice that says who calls', 'GET /quick HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: DPoP a\r\nauthorization: DPoP b\r\n\r\n', 400, 'REQUEST_MALFORMED'],
    ['two hosts', 'GET /quick HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n', 400, 'REQUEST_MALFORMED'],
  ] as const) {
    it(`answers ${what} with ${code} and nothing of it`, async () => {
      const { server } = await start();
      const { answer } = await raw(server.port, sent);
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.ok(answer.includes(`"code":"${code}"`), answer);
      assert.ok(!answer.includes('CANARY'));
      assert.match(answer, /application\/problem\+json/);
    });
  }
  it('wants a Host header', async () => {
    const { server } = await start();
    assert.match((await raw(server.port, 'GET /quick HTTP/1.1\r\nConnection: close\r\n\r\n')).answer, /^HTTP\/1\.1 400 /);
  });
  it('lets only so many connect', async () => {
    const { server } = await start({ connections: 1, requestTimeoutSeconds: 5, headersTimeoutSeconds: 5 });
    const first = net.connect(server.port, '127.0.0.1');
    await new Promise((resolve) => first.once('connect', resolve));
    const second = await raw(server.port, 'GET /quick HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.equal(second.answer, '');
    first.destroy();
  });

  it('lets requests under way finish before it stops, takes no new ones, and says no to /readyz', async () => {
    const { server, lines } = await start();
    const slow = get(`${server.url}/slow`);
    const kept = net.connect(server.port, '127.0.0.1');
    await once(kept, 'connect');
    await held();
    const stopped = server.stop();
    assert.ok(server.draining());
    await assert.rejects(get(`${server.url}/quick`));
    release();
    assert.deepEqual([(await slow).status, (await slow).connection], [200, 'close']);
    assert.equal(await stopped, 0);
    assert.deepEqual(lines().map(({ event }) => event), ['gateway.draining', 'gateway.stopped']);
    kept.destroy();
  });
  it('cuts off what takes longer than the time it may take, and tells how many', async () => {
    const { server, lines } = await start({ drainSeconds: 0 });
    const slow = get(`${server.url}/slow`).then(() => 'answered', () => 'cut off');
    await held();
    assert.equal(await server.stop(), 1);
    assert.equal(await slow, 'cut off');
    assert.equal(lines().at(-1)?.['cut_off'], 1);
  });
  it('says which settings name an address that cannot be listened on', async () => {
    const { server } = await start();
    await assert.rejects(start({ port: server.port }), (error) => isVeilgateError(error, 'CONFIG_INVALID') && /VEILGATE_PORT/.test(error.message));
  });
  it('admits nobody but the proxies where TLS ends at a proxy', async () => {
    const behind = async (...trustedProxies: string[]) => (await start({ tlsTerminatedByProxy: true, trustedProxies })).server.url;
    assert.equal((await get(`${await behind()}/quick`)).status, 204);
    assert.equal((await get(`${await behind('198.51.100.0/24', '127.0.0.1')}/quick`)).status, 204);
    assert.equal((await get(`${await behind('::1', '127.0.0.0/8')}/quick`)).status, 204);
    const elsewhere = await behind('198.51.100.0/24', '2001:db8::/32');
    await assert.rejects(get(`${elsewhere}/quick`));
  });

  describe('with TLS', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-tls-'));
    const files = { tlsCertFile: path.join(folder, 'cert.pem'), tlsKeyFile: path.join(folder, 'key.pem') };
    let cert = '';
    const renew = () => {
      const made = selfSigned('gateway.test', 2);
      cert = made.cert;
      writeFileSync(files.tlsCertFile, made.cert);
      writeFileSync(files.tlsKeyFile, made.key, { mode: 0o600 });
    };
    after(() => rmSync(folder, { recursive: true }));

    it('speaks 1.2 and later with forward secrecy and nothing else', async () => {
      renew();
      const { server } = await start(files);
      assert.match(server.url, /^https:/);
      const ask = (options: https.RequestOptions) => get(`${server.url}/quick`, { ca: cert, servername: 'gateway.test', ...options }).then(({ status }) => status);
      assert.equal(await ask({}), 204);
      assert.equal(await ask({ maxVersion: 'TLSv1.2' }), 204);
      await assert.rejects(ask({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }));
      await assert.rejects(ask({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' }));
    });
    it('takes a new certificate without a restart, and keeps the old one when the new one is no good', async () => {
      renew();
      const { server, lines } = await start(files);
      renew();
      await assert.rejects(get(`${server.url}/quick`, { ca: cert, servername: 'gateway.test' }));
      server.reloadTls();
      assert.equal((await get(`${server.url}/quick`, { ca: cert, servername: 'gateway.test' })).status, 204);
      writeFileSync(files.tlsCertFile, 'CANARY');
      server.reloadTls();
      assert.equal((await get(`${server.url}/quick`, { ca: cert, servername: 'gateway.test' })).status, 204);
      assert.deepEqual(lines().map(({ event }) => event), ['tls.reloaded', 'tls.reload_failed']);
    });
  });
});

describe('gateway/server-processes', () => {
  const program = path.join(import.meta.dirname, 'node-of-workers.ts');
  const children = new Set<ChildProcess>();
  const run = async (workers: number) => {
    const child = fork(program, [String(workers)], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
    children.add(child);
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => { output += chunk.toString(); });
    const said = (pattern: RegExp) => until(`${pattern} is said`, () => pattern.exec(output) ?? undefined);
    const port = Number((await said(/port ([0-9]+)/))[1]);
    const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    return { child, said, port, exited, output: () => output };
  };
  const pid = async (port: number) => (await get(`http://127.0.0.1:${port}/pid`)).body;
  after(() => children.forEach((child) => child.kill('SIGKILL')));

  it('starts a worker again when it dies, and answers in between', async () => {
    const node = await run(2);
    await node.said(/ready 2/);
    const first = Number(await pid(node.port));
    process.kill(first, 'SIGKILL');
    await node.said(/worker\.exited/);
    await until('another worker answers', async () => Number(await pid(node.port).catch(() => first)) !== first);
    await node.said(/ready 3/);
    node.child.kill('SIGTERM');
    assert.equal(await node.exited, 0);
    assert.match(node.output(), /primary stopped/);
  });
  it('stops in order on SIGTERM as one process too', async () => {
    const node = await run(1);
    await node.said(/ready 1/);
    assert.equal(Number(await pid(node.port)), node.child.pid);
    node.child.kill('SIGTERM');
    assert.equal(await node.exited, 0);
    assert.match(node.output(), /worker stopped[\s\S]*primary stopped/);
  });
  it('leaves no worker behind when the primary is killed', async () => {
    const node = await run(1 + 1);
    await node.said(/ready 2/);
    const worker = Number(await pid(node.port));
    node.child.kill('SIGKILL');
    await node.exited;
    await until('the worker has ended', () => {
      try {
        process.kill(worker, 0);
        return false;
      } catch {
        return true;
      }
    });
  });
  it('waits longer after each failure, up to a limit', () => {
    assert.deepEqual([1, 2, 3, 5, 20].map(backOffMs), [100, 200, 400, 1600, 10_000]);
  });
});
