import assert from 'node:assert/strict';
import { openCheckpoint } from '../../src/audit/checkpoint.ts';
import { auditReader } from '../../src/audit/read.ts';
import { addCheckpoint, type WitnessAnswer } from '../../src/audit/witness.ts';
import { naiveRoot, origin, releases, testLog, type TestLog } from './support/log.ts';
import { witnessServer, type WitnessServer } from './support/witness-server.ts';

describe('witness', () => {
  let log: TestLog;
  let one: WitnessServer;
  let two: WitnessServer;
  let told: [string, WitnessAnswer][];

  beforeEach(async () => {
    log = await testLog();
    one = await witnessServer('witness.example/one', log.trust);
    two = await witnessServer('witness.example/two', log.trust);
    told = [];
  });
  afterEach(async () => {
    await Promise.all([one.close(), two.close()]);
    await log.database.close();
  });

  const options = (witnessesMin = 0) => ({
    witnesses: [one.witness, two.witness], witnessesMin, witnessTimeoutMs: 5000, witnessRetryMs: 1000,
    onWitness: (name: string, answer: WitnessAnswer) => { told.push([name, answer]); },
  });
  const served = async (witnessesMin: number) =>
    openCheckpoint(await auditReader(log.database).checkpoint(), { ...log.trust, witnesses: [one.witness.key, two.witness.key], witnessesMin });

  it('serves each checkpoint with the cosignatures of all witnesses, from the first on', async () => {
    for (const size of [3, 300, 301]) {
      await log.grow(size === 3 ? 3 : size === 300 ? 297 : 1);
      await log.publish(options(2));
      const { size: at, cosignatures } = await served(2);
      assert.equal(at, size);
      assert.deepEqual(cosignatures.map(({ witness }) => witness), ['witness.example/one', 'witness.example/two']);
      assert.equal(one.seen?.size, size);
    }
    assert.deepEqual(one.answers, [200, 200, 200]);
    assert.deepEqual(told, []);
  });

  it('asks nobody twice for the same checkpoint', async () => {
    await log.grow(3);
    await log.publish(options());
    await log.publish(options());
    assert.deepEqual([one.answers, two.answers], [[200], [200]]);
  });

  it('learns from 409 what a witness has seen and goes on from there', async () => {
    await log.grow(100);
    await log.publish(options());
    // a new database next to a witness with a memory
    await log.database.query('delete from audit_witness');
    await log.grow(50);
    await log.publish(options());
    assert.deepEqual(one.answers, [200, 409, 200]);
    assert.equal((await served(2)).size, 150);
    // and the other way round: a witness that lost its memory
    one.seen = undefined;
    await log.grow(1);
    await log.publish(options());
    assert.deepEqual(one.answers, [200, 409, 200, 409, 200]);
    assert.equal((await served(2)).size, 151);
  });

  it('raises the alarm when a witness has seen a longer log', async () => {
    await log.grow(10);
    one.seen = { size: 12, root: naiveRoot([]) };
    await assert.rejects(log.publish(options()), { code: 'AUDIT_LOG_INCONSISTENT' });
    assert.deepEqual(told, [['witness.example/one', { kind: 'stale', size: 12 }]]);
  });

  it('gets no cosignature for a log that was rewritten', async () => {
    await log.grow(10);
    await log.publish(options());
    one.seen = { size: 10, root: naiveRoot([Buffer.from('what the witness saw')]) };
    await log.grow(5);
    await log.publish(options());
    assert.deepEqual(told, [['witness.example/one', { kind: 'refused', status: 422 }]]);
    assert.equal((await served(1)).cosignatures.length, 1);
  });

  it('serves the last checkpoint with enough cosignatures while witnesses are away, and catches up', async () => {
    await log.grow(10);
    await log.publish(options(2));
    two.misbehave = () => ({ status: 503, body: 'later' });
    for (const size of [20, 30]) {
      await log.append(releases(10));
      await log.publish(options(2));
      assert.equal((await served(2)).size, 10, `not before two have cosigned ${size}`);
    }
    assert.deepEqual(two.answers, [200, 503], 'a witness that failed is left alone for a while');
    two.misbehave = undefined;
    log.clock.advanceMs(1000);
    await log.publish(options(2));
    assert.equal((await served(2)).size, 30);
  });

  it('takes nothing but a cosignature by the witness\'s own key over this checkpoint', async () => {
    await log.grow(10);
    const { rows } = await log.database.query<{ signed_note: string }>('select signed_note from audit_checkpoint');
    const checkpoint = rows[0]!.signed_note;
    const ask = (body: string, status = 200) => {
      one.misbehave = () => ({ status, body });
      return addCheckpoint({ witness: one.witness, checkpoint, oldSize: 0, proof: [], timeoutMs: 5000 });
    };
    one.misbehave = undefined;
    const honest = await addCheckpoint({ witness: one.witness, checkpoint, oldSize: 0, proof: [], timeoutMs: 5000 });
    assert.equal(honest.kind, 'cosigned');
    const line = honest.kind === 'cosigned' ? honest.lines[0]! : '';
    const byTwo = await addCheckpoint({ witness: two.witness, checkpoint, oldSize: 0, proof: [], timeoutMs: 5000 });
    const otherLine = byTwo.kind === 'cosigned' ? byTwo.lines[0]! : '';
    assert.deepEqual(await ask(`${otherLine}\n${line}\n`), { kind: 'cosigned', lines: [line] }, 'lines of strangers are passed over');
    for (const body of ['', 'ok', `${otherLine}\n`, line.replace('one', 'two'), `${line.slice(0, -8)}AAAAAAA=\n`, 'x'.repeat(70_000)]) {
      assert.deepEqual(await ask(body), { kind: 'refused', status: 0 }, body.slice(0, 40));
    }
    for (const body of ['', '12', ' 12\n', '-1\n', '012\n', '9007199254740993\n']) assert.deepEqual(await ask(body, 409), { kind: 'refused', status: 0 }, body);
    assert.deepEqual(await ask('12\n', 409), { kind: 'stale', size: 12 });
    assert.deepEqual(await ask('', 500), { kind: 'refused', status: 500 });
  });

  it('waits for no witness longer than allowed and follows no redirect', async () => {
    const request = { oldSize: 0, proof: [], checkpoint: `${origin}\n0\n\n`, timeoutMs: 100, witness: one.witness };
    const never: typeof fetch = (_, init) => new Promise((_resolve, reject) => { init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)); });
    assert.deepEqual(await addCheckpoint({ ...request, fetch: never }), { kind: 'unreachable' });
    assert.deepEqual(await addCheckpoint({ ...request, witness: { ...one.witness, url: 'http://127.0.0.1:1/' } }), { kind: 'unreachable' });
    one.misbehave = () => ({ status: 307, body: '' });
    assert.deepEqual(await addCheckpoint(request), { kind: 'unreachable' });
  });

  it('refuses itself whatever a witness must refuse', async () => {
    // the witness of these tests is held to the protocol too, or the tests above would show nothing
    await log.grow(10);
    const { rows } = await log.database.query<{ signed_note: string }>('select signed_note from audit_checkpoint');
    const note = rows[0]!.signed_note;
    const post = async (body: string) => (await fetch(`${one.witness.url}add-checkpoint`, { method: 'POST', body })).status;
    assert.equal(await post(`old 11\n\n${note}`), 400);
    assert.equal(await post(`old 00\n\n${note}`), 400);
    assert.equal(await post(`old 3\n\n${note}`), 409);
    assert.equal(await post(`old 0\n${'A'.repeat(43)}=\n\n${note}`), 422);
    assert.equal(await post(`old 0\n\n${note.replace(/^gateway/, 'another')}`), 404);
    assert.equal(await post(`old 0\n\n${note.replace('\n10\n', '\n11\n')}`), 403);
    assert.equal(await post(`old 0\n\n${note}`), 200);
  });
});
