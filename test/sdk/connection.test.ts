import { strict as assert } from 'node:assert';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { connect, problemOf } from '../../src/sdk/connection.ts';
import { generateCredentialsFile, readCredentials } from '../../src/sdk/keys.ts';
import { freePort } from '../../src/store/cluster.ts';

describe('sdk/connection', () => {
  const options = async (gateway: string) => ({ gateway, credentials: await readCredentials(await generateCredentialsFile('bank-a', { encryption: false })), scope: 'query' });

  it('says that a platform does not answer (GATEWAY_UNAVAILABLE)', async () => {
    await assert.rejects(connect(await options(`http://127.0.0.1:${await freePort()}`)), { code: 'GATEWAY_UNAVAILABLE' });
  });

  it('speaks plain http with nobody but this machine', async () => {
    await assert.rejects(connect(await options('http://gateway.example')), { code: 'CONFIG_INVALID' });
  });

  it('follows no platform that names another as itself', async () => {
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ resource: 'https://gateway.example', authorization_servers: ['https://issuer.example'] }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const address = server.address();
      assert.ok(address !== null && typeof address === 'object');
      await assert.rejects(connect(await options(`http://127.0.0.1:${address.port}`)), { code: 'CONFIG_INVALID' });
    } finally {
      server.close();
    }
  });

  it('gives a problem document back as the error it was, and believes no code it does not know', async () => {
    const answer = (body: string) => problemOf(new Response(body, { status: 403 }));
    const known = await answer(JSON.stringify({ code: 'CONSENT_REVOKED', detail: 'The grant was revoked.', title: 'x', type: 'y', status: 403, grant_needed: [] }));
    assert.deepEqual([known.code, known.message, known.detail], ['CONSENT_REVOKED', 'The grant was revoked.', { status: 403, grant_needed: [] }]);
    for (const body of ['{"code":"toString","detail":1}', 'not json', '{}']) assert.equal((await answer(body)).code, 'INTERNAL');
    for (const status of [408, 429, 502, 503, 504]) assert.equal((await problemOf(new Response('<h1>busy</h1>', { status }))).code, 'GATEWAY_UNAVAILABLE', 'what stands before the gateway');
    assert.equal((await problemOf(new Response('{"code":"STORE_UNAVAILABLE"}', { status: 503 }))).code, 'STORE_UNAVAILABLE');
  });
});
