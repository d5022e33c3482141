import { strict as assert } from 'node:assert';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { freePorts } from '../../src/store/cluster.ts';
import { sha256Hex } from '../../src/sdk/bank.ts';
import { signScoreRequest } from '../../src/sdk/scores.ts';
import { startScoreWorld, subjectOf, type ScoreWorld } from '../support/scoring.ts';
import { scoreSteps, type ScoreStep } from './support/score-steps.ts';
import { wireOf, type Wire } from './support/wire.ts';

/** Where a request is known to all nodes when its gateway dies. */
const presented: ReadonlySet<ScoreStep> = new Set(scoreSteps.slice(scoreSteps.indexOf('admitted')));
/** Where the server may or may not get to the commit, which travels with what it commits: all or nothing either way. */
const open: ReadonlySet<ScoreStep> = new Set<ScoreStep>(['spent']);

describe('kill -9 of a gateway that scores', () => {
  let world: ScoreWorld;
  let bank: Wire;
  /** The next gateway starts while the one before it dies. */
  let next: ReturnType<typeof startVictim>;
  before(async function () {
    this.timeout(90_000);
    world = await startScoreWorld({ enterprises: scoreSteps.length });
    bank = await wireOf(world.platform, await world.platform.credentials('bank-a'), 'query');
    next = startVictim(scoreSteps[0]);
  });
  after(() => world.platform.close());

  scoreSteps.forEach((step, n) => {
    it(`discloses nothing unlogged and doubles nothing at “${step}”; other nodes do not take the request again`, async function () {
      const { platform } = world;
      const grant = await world.grant(n);
      const { origin, exited } = await next;
      const following = scoreSteps[n + 1];
      if (following !== undefined) next = startVictim(following);
      const signed = await signScoreRequest({ gateway: platform.gateway.gatewayUrl, credentials: await platform.credentials('bank-a') }, {
        kind: 'one', model: world.model.ref, purpose: 'pre_loan_review', lifetimeS: 60, subjects: [{ subject: subjectOf(n), grant }],
      });
      await assert.rejects(bank.json('POST', '/v1/scores', signed, { origin }), 'no answer');
      await exited;
      const again = await bank.json('POST', '/v1/scores', signed);
      if (presented.has(step)) assert.equal(again.code, 'TOKEN_REPLAYED');
      else assert.equal(again.status, 200, 'nobody has seen it: it is as good as new');

      const request = await sha256Hex(signed.request);
      const released = (await world.entries('score.released')).filter((record) => record['request'] === request);
      const { rows: [used] } = await platform.database.query<{ uses: number; told: number }>(
        `select uses_total::int as uses, coalesce((select cardinality(sets) from scoring_tally where institution = 'bank-a' and subject = $2), 0) as told from consent_grant where id = $1`, [grant, subjectOf(n)]);
      const expected = step === 'committed' || !presented.has(step) || (open.has(step) && released.length === 1) ? 1 : 0;
      assert.equal(released.length, expected);
      assert.deepEqual(used, { uses: expected, told: expected }, 'log, grant and what the bank was told agree');
      assert.equal((await bank.json('POST', '/v1/scores', await signScoreRequest({ gateway: platform.gateway.gatewayUrl, credentials: await platform.credentials('bank-a') }, {
        kind: 'one', model: world.model.ref, purpose: 'pre_loan_review', lifetimeS: 60, subjects: [{ subject: subjectOf(n), grant }],
      }))).status, 200, 'the next request works');
    });
  });

  async function startVictim(step: ScoreStep): Promise<{ readonly origin: string; readonly exited: Promise<unknown> }> {
    const { platform } = world;
    const [port, issuerPort] = await freePorts(2);
    const settings = {
      DATABASE_URL: platform.database.url, VEILGATE_PORT: String(port), VEILGATE_ISSUER_PORT: String(issuerPort), VEILGATE_PUBLIC_URL: platform.gateway.gatewayUrl,
      VEILGATE_ISSUER_PUBLIC_URL: platform.gateway.issuerUrl, VEILGATE_KEYS_FOLDER: platform.config.keysFolder, VEILGATE_POLICY_FOLDER: platform.config.policyFolder, VEILGATE_SCORE_THREADS: '1',
    };
    const { url, id, statementKey } = platform.custodian!;
    const child = fork(path.join(import.meta.dirname, 'support/score-process.ts'), [JSON.stringify(settings), JSON.stringify({ url, id, statementKey }), step], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const exited = once(child, 'exit');
    const [ready] = await Promise.race([once(child, 'message'), exited.then(() => ['ended'])]);
    assert.equal(ready, 'ready');
    return { origin: `http://127.0.0.1:${port}`, exited };
  }
});
