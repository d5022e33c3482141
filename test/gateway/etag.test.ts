import { strict as assert } from 'node:assert';
import request from 'supertest';
import { route } from '../../src/gateway/route.ts';
import { object } from '../../src/gateway/schema/words.ts';
import { shell } from './shell.ts';

describe('an answer with an ETag', () => {
  const tagged = route({
    method: 'GET', path: '/v1/tagged', operationId: 'tagged', summary: 'Test', tag: 'Test', access: 'public',
    responses: { 200: { description: 'Test', schema: object({ n: { type: 'integer' } }) } }, errors: [],
    handler: async () => ({ status: 200, json: { n: 1 }, headers: { ETag: '"one"' } }),
  });

  it('is not sent again to who has it', async () => {
    const { app } = shell([tagged]);
    const first = await request(app).get('/v1/tagged');
    assert.deepEqual([first.status, first.headers['etag'], first.body], [200, '"one"', { n: 1 }]);
    const again = await request(app).get('/v1/tagged').set('If-None-Match', '"one"');
    assert.deepEqual([again.status, again.text], [304, '']);
    assert.equal((await request(app).get('/v1/tagged').set('If-None-Match', '"two"')).status, 200);
  });
});
