import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { bundleSpec, digestsOf, newSeeds } from '../../src/sdk/joint-run.ts';
import { codeOf } from '../support/joint.ts';
import { startRunStage, type JointRunStage } from '../support/joint-run.ts';

const bundles = 8;
const trials = 12;

describe('draws of the lottery', () => {
  let stage: JointRunStage;
  before(async function () {
    this.timeout(120_000);
    stage = await startRunStage(100, [['alignments_per_day: 10', 'alignments_per_day: 1000']]);
  });
  after(() => stage.close());

  /** What a partner commits to for a project of its own. */
  const commitment = async () => {
    const project = await stage.approved(stage.document);
    const cohort = await stage.partner.formCohort(project);
    const seeds = newSeeds(project, cohort.id, bundles);
    return { seeds, asked: { project, cohort: cohort.id, digests: await digestsOf(bundleSpec(seeds, cohort.size, stage.document), seeds) } };
  };
  const killedAt = async (when: 'draw' | 'undrawn', asked: object) => {
    const child = spawn(process.execPath, [path.join(import.meta.dirname, '../support/joint-killed.ts'), when, stage.platform.database.url, JSON.stringify(asked)], { stdio: 'ignore' });
    assert.equal(await new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal))), 'SIGKILL');
  };
  const drawnIn = async (project: string) => (await stage.platform.database.query<{ drawn: number }>('select drawn from joint_run where project = $1', [project])).rows.map(({ drawn }) => drawn);
  const stateOf = async (run: string): Promise<string> => {
    for (;;) {
      const { rows: [row] } = await stage.platform.database.query<{ state: string }>('select state from joint_run where id = $1', [run]);
      if (row !== undefined && row.state !== 'drawn' && row.state !== 'opened') return row.state;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  };

  it('stand when the platform dies between drawing and telling: the same commitment is told the same draw, another one is refused', async () => {
    const { asked } = await commitment();
    await killedAt('draw', asked);
    const [drawn, ...more] = await drawnIn(asked.project);
    assert.deepEqual(more, []);
    const run = await stage.runs.commit(asked.project, asked.cohort, asked.digests);
    assert.equal(run.drawn, drawn);
    assert.equal((await stage.records('joint.lottery_drawn')).filter(({ run: of }) => of === run.run).length, 1, 'drawn and logged in one transaction, once');
    assert.equal(await codeOf(stage.runs.commit(asked.project, asked.cohort, asked.digests.toReversed())), 'JOINT_RUN_STATE_CONFLICT');
  });

  it('never were when it dies before: nothing is stored, nothing is logged, and a draw is made then', async () => {
    const { asked } = await commitment();
    const logged = (await stage.records('joint.lottery_drawn')).length;
    await killedAt('undrawn', asked);
    assert.deepEqual([await drawnIn(asked.project), (await stage.records('joint.lottery_drawn')).length], [[], logged]);
    assert.equal((await stage.runs.commit(asked.project, asked.cohort, asked.digests)).state, 'drawn');
  });

  it('catch a partner that cheats at one of eight bundles whenever another is drawn: about seven times in eight', async function () {
    this.timeout(240_000);
    const bad = 3;
    let caught = 0;
    for (let trial = 0; trial < trials; trial += 1) {
      const { seeds, asked } = await commitment();
      // the naive protocol takes the bundle it is given: this one passes it every time
      const spoiled = asked.digests.map((digest, at) => (at === bad ? `${digest.slice(1)}${digest[0] === '0' ? '1' : '0'}` : digest));
      const run = await stage.runs.commit(asked.project, asked.cohort, spoiled);
      await stage.runs.open(run.run, seeds.seeds.map((seed, at) => (at === run.drawn ? null : seed)));
      const state = await stateOf(run.run);
      assert.equal(state, run.drawn === bad ? 'honest' : 'cheated');
      if (state === 'honest') continue;
      caught += 1;
      assert.equal(await codeOf(stage.runs.runs()), 'INSTITUTION_NOT_ACTIVE', 'suspended, each time');
      await stage.platform.compliance.reinstate('bank-a');
    }
    // 10.5 are expected; fewer than 5 of 12 would happen once in 30,000 runs
    assert.ok(caught >= 5, `${caught} of ${trials}`);
  });
});
