import { strict as assert } from 'node:assert';
import { setTimeout as delay } from 'node:timers/promises';
import request from 'supertest';
import { shell } from './shell.ts';

describe('gateway/health', () => {
  it('is ready while everything it needs is there', async () => {
    const { app } = shell([], { health: [{ name: 'database', check: async () => true }, { name: 'policy', check: async () => true }, { name: 'log', check: async () => true }] });
    const response = await request(app).get('/readyz');
    assert.deepEqual([response.status, response.body], [200, { status: 'ready', checks: { database: 'ok', policy: 'ok', log: 'ok' } }]);
  });
  for (const [what, check] of [['says no', async () => false], ['throws', () => Promise.reject(new Error('CANARY'))], ['throws at once', () => { throw new Error('CANARY'); }], ['never answers', () => new Promise<boolean>(() => {})]] as const) {
    it(`is not ready when a check ${what}, and alive all the same`, async () => {
      const { app } = shell([], { health: [{ name: 'database', check }, { name: 'policy', check: async () => true }] });
      const response = await request(app).get('/readyz');
      assert.deepEqual([response.status, response.body], [503, { status: 'not_ready', checks: { database: 'failing', policy: 'ok' } }]);
      assert.ok(!response.text.includes('CANARY'));
      assert.deepEqual((await request(app).get('/healthz')).body, { status: 'ok' });
    });
  }
  it('says that it stops, and asks callers to go elsewhere', async () => {
    const { app } = shell([], { draining: () => true });
    const response = await request(app).get('/readyz');
    assert.deepEqual([response.status, response.body.status, response.headers['connection']], [503, 'stopping', 'close']);
  });
  it('asks what it depends on once a second at most, however often it is asked', async () => {
    let asked = 0;
    const { app } = shell([], { health: [{ name: 'database', check: async () => { asked += 1; return true; } }] });
    await Promise.all(Array.from({ length: 10 }, () => request(app).get('/readyz')));
    assert.ok(asked <= 2);
    await delay(1050);
    const before = asked;
    await request(app).get('/readyz');
    assert.equal(asked, before + 1);
  });
});
