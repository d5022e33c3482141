import { strict as assert } from 'node:assert';
import { request as httpRequest } from 'node:http';
import supertest from 'supertest';
import { VeilgateError, isVeilgateError } from '../../src/errors.ts';
import type { HttpMethod, RouteTemplate } from '../../src/gateway/log.ts';
import { createMetrics, serveMetrics } from '../../src/gateway/metrics.ts';
import { noContent, route } from '../../src/gateway/route.ts';
import { object, text } from '../../src/gateway/schema/words.ts';
import type { PolicyVersion } from '../../src/vocabulary.ts';
import { shell } from './shell.ts';

describe('gateway/metrics', () => {
  it('counts requests by route template, never by path, and problems by code', async () => {
    const getThing = route<{ params: { thing: string } }>({
      method: 'GET', path: '/v1/things/{thing}', operationId: 'getThing', tag: 'Test', summary: 'Test', access: 'public', responses: { 204: { description: 'x' } }, errors: ['CONSENT_REQUIRED'],
      request: { params: object({ thing: text(40) }) },
      handler: async ({ params }) => {
        if (params.thing === 'refused') throw new VeilgateError('CONSENT_REQUIRED', 'No.');
        return noContent;
      },
    });
    const { app, metrics } = shell([getThing]);
    for (const thing of ['CANARY-1', 'CANARY-2', 'refused']) await supertest(app).get(`/v1/things/${thing}`);
    for (let at = 0; at < 5; at += 1) await supertest(app).get(`/v1/CANARY/${at}`);
    await supertest(app).get('/v1/things/x?CANARY=1');
    const told = await metrics.text();
    assert.ok(!told.includes('CANARY'));
    assert.match(told, /veilgate_request_seconds_count\{method="GET",route="\/v1\/things\/\{thing\}",status="204"\} 2/);
    assert.match(told, /veilgate_request_seconds_count\{method="GET",route="none",status="404"\} 5/);
    assert.match(told, /veilgate_problems_total\{code="CONSENT_REQUIRED"\} 1/);
    assert.match(told, /veilgate_requests_in_flight 0/);
  });

  it('has no label beyond closed lists, whatever it is given', async () => {
    const metrics = createMetrics({ pool: () => ({ total: 3, idle: 2, waiting: 1 }), inFlight: () => 4 });
    for (let at = 0; at < 100; at += 1) {
      metrics.requestDone(`CANARY${at}` as HttpMethod, `/v1/CANARY${at}` as string as RouteTemplate, 1000 + at, 1);
      metrics.problem(`CANARY${at}` as 'INTERNAL');
      metrics.query(`CANARY${at}` as 'sealed', 1);
      metrics.batch(`CANARY${at}` as 'admit', 1);
      metrics.policyLoaded(`CANARY${at}` as PolicyVersion);
    }
    const told = await metrics.text();
    assert.ok(!told.includes('CANARY'));
    const series = told.split('\n').filter((line) => /_count|_total|_info|_connections|_in_flight/.test(line) && !line.startsWith('#'));
    assert.equal(series.length, 10, series.join('\n'));
    assert.match(told, /veilgate_database_connections\{state="waiting"\} 1/);
  });

  it('shows one policy version at a time', async () => {
    const metrics = createMetrics();
    metrics.policyLoaded('a'.repeat(64) as PolicyVersion);
    metrics.policyLoaded('b'.repeat(64) as PolicyVersion);
    assert.deepEqual((await metrics.text()).match(/veilgate_policy_info\{.*/g), [`veilgate_policy_info{version="${'b'.repeat(64)}"} 1`]);
  });

  it('measures queries, batches, appends and the process', async () => {
    const metrics = createMetrics({ process: true });
    metrics.query('desensitised', 12);
    metrics.batch('release', 16);
    metrics.logAppended(16);
    const told = await metrics.text();
    for (const line of [/veilgate_query_seconds_count\{outcome="desensitised"\} 1/, /veilgate_batch_items_bucket\{le="16",point="release"\} 1/, /veilgate_log_append_entries_sum 16/, /veilgate_nodejs_eventloop_lag_seconds/]) assert.match(told, line);
  });

  const get = (port: number, options: { path?: string; method?: string; headers?: Record<string, string> } = {}) =>
    new Promise<number>((resolve, reject) => {
      const sent = httpRequest({ host: '127.0.0.1', port, path: '/metrics', ...options }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      sent.on('error', reject);
      sent.end();
    });

  it('answers on loopback to a loopback name only, and to /metrics only', async () => {
    const server = await serveMetrics({ host: '127.0.0.1', port: 0, text: createMetrics().text });
    assert.equal(await get(server.port), 200);
    assert.equal(await get(server.port, { headers: { Host: `localhost:${server.port}` } }), 200);
    assert.equal(await get(server.port, { headers: { Host: 'rebound.example' } }), 403);
    assert.equal(await get(server.port, { path: '/other' }), 404);
    assert.equal(await get(server.port, { method: 'POST' }), 405);
    await server.stop();
  });
  it('answers to the configured token only', async () => {
    const server = await serveMetrics({ host: '127.0.0.1', port: 0, token: 'k'.repeat(40), text: createMetrics().text });
    assert.equal(await get(server.port), 401);
    assert.equal(await get(server.port, { headers: { Authorization: `Bearer ${'k'.repeat(39)}` } }), 401);
    assert.equal(await get(server.port, { headers: { Authorization: `Bearer ${'k'.repeat(40)}`, Host: 'metrics.example' } }), 200);
    await server.stop();
  });
  it('says which settings name a port that is taken', async () => {
    const server = await serveMetrics({ host: '127.0.0.1', port: 0, text: createMetrics().text });
    await assert.rejects(serveMetrics({ host: '127.0.0.1', port: server.port, text: createMetrics().text }), (error) => isVeilgateError(error, 'CONFIG_INVALID') && /VEILGATE_METRICS_PORT/.test(error.message));
    await server.stop();
  });
});
