import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import express from 'express';
import { sendStream } from '../../src/gateway/stream-reply.ts';

describe('gateway/stream-reply', () => {
  const servers: http.Server[] = [];
  afterEach(() => { for (const server of servers.splice(0)) server.close(() => {}).closeAllConnections(); });

  /** Serves one stream. @returns its port, and what became of the answer */
  async function serve(stream: AsyncIterable<string>, stallMs: number): Promise<{ readonly port: number; readonly ended: Promise<string> }> {
    let settle: (outcome: string) => void = () => {};
    const ended = new Promise<string>((resolve) => { settle = resolve; });
    const app = express().get('/', async (_request, response) => {
      await sendStream({ status: 200, mediaType: 'text/plain', stream }, response, stallMs).then(() => settle(response.destroyed && !response.writableFinished ? 'cut off' : 'sent'), () => {
        settle('failed');
        response.destroy();
      });
    });
    const server = http.createServer(app).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return { port: (server.address() as AddressInfo).port, ended };
  }

  it('sends all of it, at the reader\'s pace', async () => {
    let made = 0;
    async function* parts() {
      for (; made < 200; made += 1) yield 'x'.repeat(100_000);
    }
    const { port, ended } = await serve(parts(), 5000);
    const response = await fetch(`http://127.0.0.1:${port}/`);
    await new Promise((resolve) => { setTimeout(resolve, 100); });
    assert.ok(made < 200, 'what nobody reads is not made');
    assert.equal((await response.text()).length, 20_000_000);
    assert.equal(await ended, 'sent');
  });

  it('cuts off who asks and does not read', async () => {
    let closed = false;
    async function* endless() {
      try {
        for (;;) yield 'x'.repeat(100_000);
      } finally {
        closed = true;
      }
    }
    const { port, ended } = await serve(endless(), 200);
    const socket = net.connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
    socket.pause();
    socket.on('error', () => {});
    assert.equal(await ended, 'cut off');
    assert.ok(closed, 'the source is told');
    socket.destroy();
  });

  it('leaves an answer unfinished whose source fails', async () => {
    async function* failing() {
      yield 'half';
      throw new Error('the database went away');
    }
    const { port, ended } = await serve(failing(), 1000);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`).then((response) => response.text()));
    assert.equal(await ended, 'failed');
  });
});
