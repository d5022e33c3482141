import { strict as assert } from 'node:assert';
import request from 'supertest';
import { VeilgateError, isVeilgateError } from '../../src/errors.ts';
import { createLimits, networkOf } from '../../src/gateway/limits.ts';
import { noContent, route } from '../../src/gateway/route.ts';
import type { PartyId } from '../../src/vocabulary.ts';
import { identifyByName, shell } from './shell.ts';

const base = { method: 'GET', tag: 'Test', summary: 'Test', responses: { 204: { description: 'x' } }, errors: [] } as const;
const open = route({ ...base, path: '/v1/open', operationId: 'open', access: 'public', handler: async () => noContent });
const closed = route({ ...base, path: '/v1/closed', operationId: 'closed', access: 'party', scopes: ['query'], handler: async () => noContent });
const as = (party: string) => ({ Authorization: `DPoP ${party}:query` });
const statuses = async (count: number, send: () => request.Test) => {
  const all: number[] = [];
  for (let at = 0; at < count; at += 1) all.push((await send()).status);
  return all;
};
/** So many requests in a window that no test outlives. */
const perMinute = (count: number) => count / 60;
const windowSeconds = 60;

describe('gateway/limits', () => {
  it('counts each party by itself and says when to come back', async () => {
    const { app } = shell([closed], { limit: { partyRequestsPerSecond: perMinute(2), windowSeconds } });
    assert.deepEqual(await statuses(3, () => request(app).get('/v1/closed').set(as('bank-a'))), [204, 204, 429]);
    assert.equal((await request(app).get('/v1/closed').set(as('bank-b'))).status, 204);
    const refused = await request(app).get('/v1/closed').set(as('bank-a'));
    assert.equal(refused.body.code, 'REQUEST_RATE_LIMITED');
    const after = Number(refused.headers['retry-after']);
    assert.ok(after > 30 && after <= 60 && refused.body.retryAfterSeconds === after);
  });

  it('gives a party its own limit where it has one', async () => {
    const limits = createLimits({ requestsInFlight: 1, partyRequestsPerSecond: perMinute(1), addressRequestsPerSecond: 1, windowSeconds });
    const outcomes = async (party: string, count: number, perSecond?: number) => Promise.all(Array.from({ length: count }, () => limits.party(party as PartyId, perSecond).then(() => 'yes', (error: unknown) => (isVeilgateError(error, 'REQUEST_RATE_LIMITED') ? 'no' : 'fault'))));
    assert.deepEqual(await outcomes('big', 4, perMinute(3)), ['yes', 'yes', 'yes', 'no']);
    assert.deepEqual(await outcomes('small', 2), ['yes', 'no']);
  });

  it('lets a party through again in the next second', async () => {
    const limits = createLimits({ requestsInFlight: 1, partyRequestsPerSecond: 1, addressRequestsPerSecond: 1 });
    await limits.party('a' as PartyId);
    await assert.rejects(limits.party('a' as PartyId));
    await new Promise((resolve) => setTimeout(resolve, 1050));
    await limits.party('a' as PartyId);
  });

  it('counts requests without a party by address, unknown paths and methods included', async () => {
    const { app } = shell([open], { limit: { addressRequestsPerSecond: perMinute(3), windowSeconds }, health: [] });
    assert.deepEqual(await statuses(1, () => request(app).get('/v1/open')), [204]);
    assert.deepEqual(await statuses(1, () => request(app).get('/v1/nothing')), [404]);
    assert.deepEqual(await statuses(1, () => request(app).put('/v1/open')), [405]);
    assert.deepEqual(await statuses(2, () => request(app).get('/v1/open')), [429, 429]);
    assert.deepEqual(await statuses(1, () => request(app).get('/healthz')), [200]);
  });

  it('refuses an address whose credentials were refused too often before it checks any, and leaves others alone', async () => {
    let checked = 0;
    const { app } = shell([closed], { limit: { addressRequestsPerSecond: perMinute(2), windowSeconds }, config: { trustedProxies: ['127.0.0.1'] }, identify: (proof) => { checked += 1; return identifyByName(proof); } });
    const forged = () => request(app).get('/v1/closed').set('X-Forwarded-For', '192.0.2.1').set('Authorization', 'DPoP forged');
    assert.deepEqual(await statuses(4, forged), [401, 401, 429, 429]);
    assert.equal(checked, 2);
    assert.equal((await request(app).get('/v1/closed').set('X-Forwarded-For', '192.0.2.2').set(as('bank-a'))).status, 204);
  });

  it('tells callers apart behind a proxy on this machine, also where it is not named', async () => {
    const { app } = shell([closed], { limit: { addressRequestsPerSecond: perMinute(1), windowSeconds }, config: { tlsTerminatedByProxy: true } });
    const forged = () => request(app).get('/v1/closed').set('X-Forwarded-For', '192.0.2.1').set('Authorization', 'DPoP forged');
    assert.deepEqual(await statuses(2, forged), [401, 429]);
    assert.equal((await request(app).get('/v1/closed').set('X-Forwarded-For', '192.0.2.2').set(as('bank-a'))).status, 204, 'one caller locks nobody else out');
  });

  it('holds sessions that are none against the address, and no cookie against nobody', async () => {
    const { app } = shell([closed], { limit: { addressRequestsPerSecond: perMinute(2), windowSeconds }, readProof: () => { throw new VeilgateError('SESSION_MISSING', 'Nobody is signed in.'); } });
    assert.deepEqual(await statuses(4, () => request(app).get('/v1/closed')), [401, 401, 401, 401]);
    assert.deepEqual(await statuses(4, () => request(app).get('/v1/closed').set('Cookie', 'veilgate_session=AAAA')), [401, 401, 429, 429]);
  });

  it('does not hold a nonce that was not known yet against the address', async () => {
    const { app } = shell([closed], { limit: { addressRequestsPerSecond: perMinute(1), windowSeconds }, identify: () => Promise.reject(new VeilgateError('DPOP_NONCE_REQUIRED', 'Use the nonce.')) });
    assert.deepEqual(await statuses(4, () => request(app).get('/v1/closed').set(as('bank-a'))), [401, 401, 401, 401]);
  });

  it('believes no address a caller gives itself unless a proxy is trusted', async () => {
    const { app } = shell([open], { limit: { addressRequestsPerSecond: perMinute(1), windowSeconds } });
    assert.equal((await request(app).get('/v1/open').set('X-Forwarded-For', '192.0.2.1')).status, 204);
    assert.equal((await request(app).get('/v1/open').set('X-Forwarded-For', '192.0.2.2')).status, 429);
  });

  it('works on so many requests at a time and no more, and gives places back', async () => {
    let release: () => void = () => {};
    const gate = new Promise<void>((resolve) => { release = resolve; });
    const slow = route({ ...base, path: '/v1/slow', operationId: 'slow', access: 'public', handler: async () => { await gate; return noContent; } });
    const { app, limits } = shell([slow], { limit: { requestsInFlight: 1 } });
    const server = app.listen(0);
    const first = request(server).get('/v1/slow').then((response) => response.status);
    while (limits.inFlight() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const second = await request(server).get('/v1/slow');
    assert.deepEqual([second.status, second.body.code, second.headers['retry-after']], [503, 'REQUEST_OVERLOADED', '1']);
    assert.equal((await request(server).get('/healthz')).status, 200);
    release();
    assert.equal(await first, 204);
    while (limits.inFlight() !== 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal((await request(server).get('/v1/slow')).status, 204);
    server.close();
  });

  it('counts an IPv6 network as one caller', () => {
    assert.equal(networkOf('2001:db8:1:2::1'), '2001:db8:1:2::/64');
    assert.equal(networkOf('2001:DB8:1:2:ffff:ffff:ffff:ffff'), '2001:db8:1:2::/64');
    assert.equal(networkOf('2001:0db8:0001:0002::9'), '2001:db8:1:2::/64');
    assert.equal(networkOf('2001:db8::1'), '2001:db8:0:0::/64');
    assert.equal(networkOf('::1'), '0:0:0:0::/64');
    assert.equal(networkOf('fe80::1%eth0'), 'fe80:0:0:0::/64');
    assert.equal(networkOf('::ffff:192.0.2.1'), '192.0.2.1');
    assert.equal(networkOf('192.0.2.1'), '192.0.2.1');
  });
});
