import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { bundleSpec, digestsOf, newSeeds } from '../../src/sdk/joint-run.ts';
import { systemClock } from '../../src/clock.ts';
import type { Config } from '../../src/gateway/config.ts';
import { composeJoint } from '../../src/gateway/joint.ts';
import { commitToBundles } from '../../src/gateway/use-cases/joint-lottery.ts';
import { unloggedStanding } from '../../src/gateway/use-cases/policy-standing.ts';
import type { JointRun } from '../../src/joint/run/run.ts';
import { loadPolicyPack } from '../../src/policy/load.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import type { Database } from '../../src/store/database.ts';
import type { InstitutionId } from '../../src/vocabulary.ts';
import { codeOf } from '../support/joint.ts';
import { startRunStage, type JointRunStage } from '../support/joint-run.ts';

const policyFolder = path.join(import.meta.dirname, '../../policies');
const bundles = 8;
const trials = 12;
const draws = 1600;

/** Pearson's statistic against equal shares, in standard deviations above its mean: 6 and more mean that they are not equal. */
function unevenness(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const freedom = counts.length - 1;
  return (statistic - freedom) / Math.sqrt(2 * freedom);
}

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
  const catalogue = loadCatalogue(path.join(policyFolder, 'catalogue'));
  const policy = loadPolicyPack(policyFolder, catalogue);
  const unused = { current: 1, secret: () => new Uint8Array(32) } as never; // no alignment happens here
  const deskOn = (database: Database) => composeJoint({ config: { policyFolder, scoreThreads: 1, scoreMemoryMb: 256 } as Config, database, clock: systemClock, catalogue, standing: unloggedStanding(() => policy), secrets: unused });
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

  it('are uniform and independent of each other and of the commitment: the same one, drawn on again and again', async function () {
    this.timeout(120_000);
    const { asked } = await commitment();
    const { database } = stage.platform;
    class Undone extends Error {}
    /** Draws, and takes it back: what the platform would have told. */
    const drawnAndUndone = async (): Promise<number> => {
      let drawn = -1;
      const undoing: Database = {
        ...database,
        transaction: (name, work) => database.transaction(name, async (tx) => {
          drawn = (await work(tx) as unknown as JointRun).drawn;
          throw new Undone();
        }),
      };
      await commitToBundles(deskOn(undoing), 'bank-a' as InstitutionId, asked).catch((error: unknown) => { if (!(error instanceof Undone)) throw error; });
      return drawn;
    };
    const seen: number[] = [];
    for (let draw = 0; draw < draws; draw += 1) seen.push(await drawnAndUndone());
    const counts = new Array<number>(bundles).fill(0);
    const following = new Array<number>(bundles * bundles).fill(0);
    seen.forEach((drawn, at) => {
      counts[drawn] = (counts[drawn] ?? 0) + 1;
      const next = seen[at + 1];
      if (next !== undefined) following[drawn * bundles + next] = (following[drawn * bundles + next] ?? 0) + 1;
    });
    // an honest sampler goes beyond either once in a million runs
    assert.ok(unevenness(counts) < 9, `each is drawn as often: ${counts.join()}`);
    assert.ok(unevenness(following) < 7, `whatever was drawn before: ${following.join()}`);
    assert.deepEqual(await drawnIn(asked.project), [], 'all of them were undone');
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
