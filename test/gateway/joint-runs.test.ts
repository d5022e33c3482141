import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { toBase64url } from '../../src/audit/bytes.ts';
import { jointParameters as set } from '../../src/he/joint-parameters.ts';
import { loadHe } from '../../src/he/runtime.ts';
import { bundleKeys, makeBundle } from '../../src/joint/lottery/bundle.ts';
import { padBytes } from '../../src/joint/run/pads.ts';
import { endLateLotteries } from '../../src/gateway/use-cases/joint-lottery.ts';
import { systemClock } from '../../src/clock.ts';
import { digestsOf, drawnSeed, fixColumn, holdLottery, jointRunClient, newSeeds, uploadBundle, type JointRunView } from '../../src/sdk/joint-run.ts';
import { wireOf } from '../flow/support/wire.ts';
import { codeOf } from '../support/joint.ts';
import { until } from '../support/until.ts';
import { startRunStage, type JointCase, type JointRunStage } from '../support/joint-run.ts';

const poll = { pollMs: 50 };
const someSeed = () => toBase64url(crypto.getRandomValues(new Uint8Array(32)));

describe('lotteries and bundles of joint runs', () => {
  let stage: JointRunStage;
  before(async function () {
    this.timeout(120_000);
    stage = await startRunStage(120);
  });
  after(() => stage.close());

  const settled = async (id: string, passing: readonly JointRunView['state'][]): Promise<JointRunView> => {
    for (;;) {
      const run = await stage.runs.run(id);
      if (!passing.includes(run.state)) return run;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  };
  const statusOf = async (institution: string) => (await stage.platform.database.query<{ status: string }>('select status from party where id = $1', [institution])).rows[0]?.status;
  const reinstate = () => stage.platform.compliance.reinstate('bank-a');
  const openingOf = ({ seeds }: JointCase['seeds'], drawn: number) => seeds.map((seed, at) => (at === drawn ? null : seed));

  it('bodies are read for the run\'s own institution alone, when the run waits for them, and two at a time', async () => {
    const found = await stage.begin();
    const { run } = await holdLottery(stage.runs, found.spec, found.seeds, poll);
    const wire = await wireOf(stage.platform, await stage.platform.credentials('bank-a'), 'query');
    const other = await wireOf(stage.platform, await stage.platform.credentials('partner-b'), 'query');
    /** Announces a whole body, sends one byte of it and waits for the answer. */
    const halfSent = async (path: string, by = wire) => {
      const token = await by.token();
      const { hostname, port } = new URL(stage.platform.gateway.gatewayUrl);
      const sent = request({ hostname, port, path, method: 'PUT', headers: {
        authorization: `DPoP ${token}`, dpop: await by.proof({ method: 'PUT', path, token }), 'content-type': 'application/octet-stream', 'content-length': String(padBytes),
      } });
      sent.on('error', () => {});
      sent.write('x');
      const code = once(sent, 'response').then(async ([response]) => (JSON.parse(await text(response as IncomingMessage)) as { readonly code?: string }).code);
      code.catch(() => {});
      return { sent, code };
    };
    const refused = async (path: string, by = wire) => {
      const { sent, code } = await halfSent(path, by);
      try {
        return await code;
      } finally {
        sent.destroy();
      }
    };
    assert.equal(await refused(`/v1/joint-runs/${'A'.repeat(22)}/pads/0`), 'JOINT_RUN_NOT_FOUND');
    assert.equal(await refused(`/v1/joint-runs/${run}/pads/0`, other), 'JOINT_RUN_NOT_FOUND');
    assert.equal(await refused(`/v1/joint-runs/${run}/shifts/default`), 'JOINT_RUN_STATE_CONFLICT');
    const held = [await halfSent(`/v1/joint-runs/${run}/pads/0`), await halfSent(`/v1/joint-runs/${run}/pads/0`)];
    await until('a third is refused', async () => await Promise.race([refused(`/v1/joint-runs/${run}/pads/0`), delay(5000)]) === 'REQUEST_OVERLOADED');
    assert.equal(await codeOf(stage.runs.putPads(run, 0, new Uint8Array(padBytes))), 'REQUEST_OVERLOADED');
    for (const { sent } of held) sent.destroy();
    await until('they are given back', async () => await codeOf(stage.runs.putPads(run, 1, new Uint8Array(padBytes))) === 'JOINT_INPUT_INVALID');
    await uploadBundle(stage.runs, found.spec, found.seeds, run, poll);
  });

  it('a draw is stored before it is told: the same commitment draws no second time, another one is refused', async () => {
    const found = await stage.begin();
    const digests = await digestsOf(found.spec, found.seeds);
    const [first, again] = await Promise.all([stage.runs.commit(found.project, found.cohort, digests), stage.runs.commit(found.project, found.cohort, digests)]);
    assert.deepEqual(again, first);
    for (let round = 0; round < 20; round += 1) assert.equal((await stage.runs.commit(found.project, found.cohort, digests)).drawn, first.drawn);
    const others = await digestsOf(found.spec, newSeeds(found.project, found.cohort, 8));
    assert.equal(await codeOf(stage.runs.commit(found.project, found.cohort, others)), 'JOINT_RUN_STATE_CONFLICT', 'drawing until the draw fits');
    assert.equal(await codeOf(stage.runs.commit(found.project, found.cohort, digests.toReversed())), 'JOINT_RUN_STATE_CONFLICT');
    assert.equal((await stage.records('joint.lottery_drawn')).filter(({ run }) => run === first.run).length, 1);
    assert.equal(await codeOf(stage.runs.commit(found.project, found.cohort, digests.slice(1))), 'JOINT_LOTTERY_INVALID');
    assert.equal(await codeOf(stage.otherRuns.commit(found.project, found.cohort, digests)), 'JOINT_PROJECT_NOT_FOUND');
    const elsewhere = await stage.begin();
    assert.equal(await codeOf(stage.runs.commit(elsewhere.project, found.cohort, digests)), 'COHORT_NOT_FOUND');

    assert.equal(await codeOf(stage.runs.open(first.run, found.seeds.seeds)), 'JOINT_LOTTERY_INVALID', 'the drawn bundle stays closed');
    assert.equal(await codeOf(stage.runs.open(first.run, found.seeds.seeds.map(() => null))), 'JOINT_LOTTERY_INVALID', 'all others are opened');
    assert.equal(await codeOf(stage.otherRuns.open(first.run, openingOf(found.seeds, first.drawn))), 'JOINT_RUN_NOT_FOUND');
    await stage.runs.open(first.run, openingOf(found.seeds, first.drawn));
    assert.equal((await settled(first.run, ['drawn', 'opened'])).state, 'honest');
    assert.equal((await stage.runs.open(first.run, openingOf(found.seeds, first.drawn))).state, 'honest', 'once more changes nothing');
    assert.equal(await codeOf(stage.runs.open(first.run, openingOf(newSeeds('', '', 8), first.drawn))), 'JOINT_RUN_STATE_CONFLICT');
  });

  it('takes the drawn bundle in pieces, goes on after an interruption, and takes no other bundle\'s pads', async () => {
    const found = await stage.begin();
    const run = await holdLottery(stage.runs, found.spec, found.seeds, poll);
    const he = await loadHe();
    const pads: Uint8Array[] = [];
    const bundle = makeBundle(he, set, found.spec, run.drawn, drawnSeed(found.seeds, run), (pad) => pads.push(pad));
    assert.equal(pads.length, run.pads.total);
    assert.equal(await codeOf(stage.runs.completeBundle(run.run)), 'JOINT_INPUT_INVALID', 'nothing came yet');
    assert.equal(await codeOf(stage.runs.putKey(run.run, bundle.publicKey.subarray(1))), 'HE_KEY_REFUSED');
    const noMask = bundle.publicKey.slice().fill(0, bundle.publicKey.length / 2);
    assert.equal(await codeOf(stage.runs.putKey(run.run, noMask)), 'HE_KEY_REFUSED', 'a public key with a = 0');
    assert.equal(await codeOf(stage.runs.putPads(run.run, 1, pads[1]!)), 'JOINT_INPUT_INVALID', 'in order');
    assert.equal(await codeOf(stage.runs.putPads(run.run, 0, pads[0]!.subarray(0, padBytes - 1))), 'JOINT_INPUT_INVALID', 'truncated');
    assert.equal(await codeOf(stage.runs.putPads(run.run, 0, Buffer.concat([...pads, pads[0]!]))), 'JOINT_INPUT_INVALID', 'too many');
    assert.equal(await codeOf(stage.otherRuns.putPads(run.run, 0, pads[0]!)), 'JOINT_RUN_NOT_FOUND');
    assert.equal(await codeOf(stage.runs.putShifts(run.run, 'default', new Uint8Array(run.rows))), 'JOINT_RUN_STATE_CONFLICT', 'no shifts before the bundle');

    // another bundle of the same partner, whose digest was not drawn
    const foreign: Uint8Array[] = [];
    const other = (run.drawn + 1) % 8;
    const otherSeed = Buffer.from(found.seeds.seeds[other]!, 'base64url');
    makeBundle(he, set, found.spec, other, otherSeed, (pad) => foreign.push(pad));
    await stage.runs.putKey(run.run, bundleKeys(he, set, otherSeed).publicKey);
    await stage.runs.putPads(run.run, 0, Buffer.concat(foreign));
    await stage.runs.completeBundle(run.run);
    const rejected = await settled(run.run, ['loaded']);
    assert.deepEqual([rejected.state, rejected.rejected, rejected.pads.received, rejected.public_key], ['honest', 1, 0, false]);

    await stage.runs.putPads(run.run, 0, pads[0]!);
    await stage.runs.putPads(run.run, 0, Buffer.concat(pads.slice(0, 2)));
    assert.equal((await stage.runs.run(run.run)).pads.received, 2);
    const ready = await uploadBundle(stage.runs, found.spec, found.seeds, run.run, poll);
    assert.equal(ready.state, 'ready');
    assert.equal(await codeOf(stage.runs.putPads(run.run, 0, pads[0]!)), 'JOINT_RUN_STATE_CONFLICT', 'frozen');
    assert.equal((await stage.records('joint.bundle_ready')).filter(({ run: of }) => of === run.run).length, 1);

    const bins = Array.from({ length: run.rows }, (_, row) => row % 3);
    await fixColumn(stage.runs, found.spec, found.seeds, ready, 'default', bins);
    await fixColumn(stage.runs, found.spec, found.seeds, ready, 'default', bins);
    assert.equal(await codeOf(fixColumn(stage.runs, found.spec, found.seeds, ready, 'default', bins.toReversed())), 'JOINT_SHIFTS_FIXED', 'a bundle used twice would tell the difference of two columns');
    assert.equal(await codeOf(stage.runs.putShifts(run.run, 'own_rating', new Uint8Array(run.rows).fill(5))), 'JOINT_INPUT_INVALID', 'not a bin');
    assert.equal(await codeOf(stage.runs.putShifts(run.run, 'other', new Uint8Array(run.rows))), 'JOINT_INPUT_INVALID');
    assert.deepEqual((await stage.runs.run(run.run)).shifts, ['default']);
    assert.deepEqual(await codeOf(stage.runs.completeBundle(run.run)), 'done', 'complete already');
  });

  it('a bundle that is bad at one index is caught unless it is drawn: the project is stopped, the institution suspended, the evidence in the log', async () => {
    const found = await stage.begin();
    const honest = await digestsOf(found.spec, found.seeds);
    // whichever is drawn, every other one is bad: the draw cannot help
    const run = await stage.runs.commit(found.project, found.cohort, honest.map((digest, at) => (at < 2 ? `${digest.slice(1)}0` : digest)));
    await stage.runs.open(run.run, openingOf(found.seeds, run.drawn));
    const { database } = stage.platform;
    for (let state = ''; state !== 'cheated';) {
      [{ state } = { state: '' }] = (await database.query<{ state: string }>('select state from joint_run where id = $1', [run.run])).rows;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    assert.equal(await statusOf('bank-a'), 'suspended');
    assert.equal(await codeOf(stage.runs.run(run.run)), 'INSTITUTION_NOT_ACTIVE');
    const [evidence] = (await stage.records('joint.lottery_judged')).filter(({ run: of }) => of === run.run);
    assert.deepEqual([evidence?.['outcome'], evidence?.['bundle']], ['cheated', run.drawn === 0 ? 1 : 0]);
    assert.deepEqual(evidence?.['seeds'], openingOf(found.seeds, run.drawn));
    const he = await loadHe();
    const bundle = evidence['bundle'] as number;
    const [drawnRecord] = (await stage.records('joint.lottery_drawn')).filter(({ run: of }) => of === run.run);
    assert.notEqual(makeBundle(he, set, found.spec, bundle, Buffer.from((evidence['seeds'] as string[])[bundle]!, 'base64url')).digest, (drawnRecord?.['bundles'] as string[])[bundle], 'anybody can check it');
    const { state, reason } = await stage.officers[0].project(found.project);
    assert.deepEqual([state, reason], ['stopped', 'joint_lottery_cheated']);
    assert.ok((await stage.records('institution.suspended')).some(({ institution, reason: why, actor }) => institution === 'bank-a' && why === 'joint_lottery_cheated' && actor === 'platform'));
    await reinstate();
    assert.equal(await codeOf(stage.runs.commit(found.project, found.cohort, honest)), 'JOINT_PROJECT_STATE_CONFLICT', 'stopped for good');
  });

  it('who sees the draw and answers late, or not at all, is suspended as who cheats', async () => {
    const { database } = stage.platform;
    const expire = (id: string) => database.query('update joint_run set deadline_ms = drawn_ms - 1 where id = $1', [id]);
    const late = await stage.begin();
    const run = await stage.runs.commit(late.project, late.cohort, await digestsOf(late.spec, late.seeds));
    await expire(run.run);
    assert.equal(await codeOf(stage.runs.open(run.run, openingOf(late.seeds, run.drawn))), 'JOINT_LOTTERY_LATE');
    assert.equal(await statusOf('bank-a'), 'suspended');
    await reinstate();

    const silent = await stage.begin();
    const other = await stage.runs.commit(silent.project, silent.cohort, await digestsOf(silent.spec, silent.seeds));
    await endLateLotteries({ database, clock: systemClock });
    assert.equal((await stage.runs.run(other.run)).state, 'drawn', 'its time is not over');
    await expire(other.run);
    await endLateLotteries({ database, clock: systemClock });
    assert.equal(await statusOf('bank-a'), 'suspended');
    assert.equal((await stage.officers[0].project(silent.project)).reason, 'joint_lottery_late');
    assert.deepEqual((await stage.records('joint.lottery_judged')).filter(({ run: of }) => of === other.run).map(({ outcome }) => outcome), ['late']);
    await reinstate();
    assert.equal(await codeOf(stage.runs.open(other.run, openingOf(silent.seeds, other.drawn))), 'JOINT_RUN_STATE_CONFLICT');
    assert.equal(await codeOf(jointRunClient(await stage.platform.connect('bank-a', 'query')).run(someSeed().slice(0, 22))), 'JOINT_RUN_NOT_FOUND');
  });
});
