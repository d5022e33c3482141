import { strict as assert } from 'node:assert';
import { VeilgateError, errorCodes } from '../../src/errors.ts';
import { problemOf, problems } from '../../src/gateway/problem.ts';

const context = { requestId: 'r', dpop: { algorithms: 'EdDSA', nonce: () => undefined } };

describe('gateway/problem', () => {
  for (const code of errorCodes) {
    it(`maps ${code} to a status of its kind, a title and a body`, () => {
      const problem = problemOf(new VeilgateError(code, 'Do this next.', { fact: 1 }), context);
      const body = JSON.parse(problem.body) as Record<string, unknown>;
      assert.equal(problem.code, code);
      assert.ok(problem.status >= 400 && problem.status <= 599);
      assert.equal(body['status'], problem.status);
      assert.equal(body['type'], `urn:veilgate:error:${problems[code].shownAs ?? code}`);
      assert.equal(body['code'], problems[code].shownAs ?? code);
      assert.equal(body['instance'], 'urn:veilgate:request:r');
      assert.ok(String(body['title']).length > 3 && String(body['detail']).length > 3);
      assert.equal(problem.headers['WWW-Authenticate'] !== undefined, problem.status === 401 || code === 'TOKEN_SCOPE_INSUFFICIENT');
      if (problem.status === 503 || code === 'REQUEST_RATE_LIMITED') assert.match(problem.headers['Retry-After'] ?? '', /^[0-9]+$/);
      assert.equal(body['fact'], problems[code].always === undefined ? 1 : undefined);
    });
  }
  it('says one thing of everything that is absent or foreign', () => {
    const bodies = errorCodes.filter((code) => problems[code].status === 404).map((code) => (JSON.parse(problemOf(new VeilgateError(code, `only ${code}`, { secret: code }), context).body) as Record<string, unknown>)['detail']);
    assert.equal(new Set(bodies).size, 1);
    assert.ok(bodies.length >= 5);
  });
  it('lets no text break out of the challenge', () => {
    const { headers } = problemOf(new VeilgateError('TOKEN_SCOPE_INSUFFICIENT', 'No.', { scope: 'query", error="x\r\nSet-Cookie: a=b' }), context);
    assert.equal(headers['WWW-Authenticate'], 'DPoP error="insufficient_scope", scope="query, error=xSet-Cookie: a=b", algs="EdDSA"');
  });
  it('takes only a number of seconds for Retry-After', () => {
    const after = (seconds: string | number) => problemOf(new VeilgateError('REQUEST_RATE_LIMITED', 'No.', { retryAfterSeconds: seconds }), context).headers['Retry-After'];
    assert.deepEqual([after(2.2), after('5\r\nx: y'), after(-1), after(Number.NaN)], ['3', '1', '1', '1']);
  });
  it('says nothing of what is no VeilgateError, not even of one that claims an unknown code', () => {
    for (const thrown of ['CANARY', { message: 'CANARY' }, new Error('CANARY'), new VeilgateError('CANARY' as 'INTERNAL', 'CANARY', { CANARY: 'CANARY' })]) {
      const problem = problemOf(thrown, context);
      assert.equal(problem.code, 'INTERNAL');
      assert.ok(!problem.body.includes('CANARY'));
    }
  });
});
