import { strict as assert } from 'node:assert';
import { isVeilgateError } from '../../src/errors.ts';
import { policiesClient } from '../../src/sdk/policies.ts';
import { startTestPlatform, type TestPlatform } from '../support/gateway.ts';
import { until, untilBlocked } from '../support/until.ts';

const versionsLock = "select pg_advisory_xact_lock(hashtext('veilgate policy versions'))";

describe('a proposal of a policy, when the database is slow or gives it up', function () {
  this.timeout(60_000);
  let platform: TestPlatform;
  let propose: (comment: string) => Promise<unknown>;

  before(async () => {
    platform = await startTestPlatform({ VEILGATE_POLICY_SOURCE: 'database', VEILGATE_DATABASE_TIMEOUT_SECONDS: '3' });
    const policies = policiesClient(await platform.connect('officer-compliance', 'compliance'));
    const { version, files } = await policies.inForce();
    propose = (comment) => policies.propose({ basis: version.version, files: { ...files, 'purposes.yaml': `${files['purposes.yaml']}# ${comment}\n` }, comment });
  });
  after(() => platform.close());

  const mayTryAgain = (error: unknown) => isVeilgateError(error, 'STORE_UNAVAILABLE') && error.detail?.['status'] === 503;
  const proposals = async () => (await platform.database.query("select from policy_version where state = 'proposed'")).rowCount;

  it('says that it may be tried again when it waited for others too long, and nothing was stored', async () => {
    await platform.database.transaction('somebody decides', async (tx) => {
      await tx.query(versionsLock);
      await assert.rejects(propose('late'), mayTryAgain);
    });
    assert.equal(await proposals(), 0);
  });

  it('says so when it and another change wait for each other', async () => {
    let given: Promise<unknown> | undefined;
    await platform.database.transaction('the other change', async (tx) => {
      await tx.query('select from audit_sequencer for update');
      given = propose('crossed').then(() => undefined, (error: unknown) => error);
      await untilBlocked(platform.database);
      await tx.query(versionsLock);
    });
    const error = await given;
    assert.ok(mayTryAgain(error), String(error));
    assert.equal(await proposals(), 0);
  });

  it('says so when every connection to the database is taken', async () => {
    await platform.database.transaction('somebody decides', async (tx) => {
      await tx.query(versionsLock);
      const outcomes = await Promise.all(Array.from({ length: 14 }, (_, n) => propose(`one of many, ${n}`).then(() => 'kept', (error: unknown) => (isVeilgateError(error) ? error.code : String(error)))));
      assert.deepEqual([...new Set(outcomes)].filter((outcome) => !['STORE_UNAVAILABLE', 'REQUEST_OVERLOADED'].includes(outcome)), []);
    });
    assert.equal(await proposals(), 0);
  });

  it('keeps the next one', async () => {
    await until('the database is there again', () => propose('in time').then(() => true, (error: unknown) => { if (!mayTryAgain(error)) throw error; return undefined; }));
    assert.equal(await proposals(), 1);
  });
});
