import { strict as assert } from 'node:assert';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isVeilgateError } from '../../../src/errors.ts';
import { functionalsOf } from '../../../src/scoring/model/functional.ts';
import { createModelGuard, createTogetherGuard } from '../../../src/scoring/model/guard.ts';
import { judgeModel } from '../../../src/scoring/model/judge.ts';
import { loadScoringSettings } from '../../../src/scoring/model/settings.ts';
import { tryModel } from '../../../src/scoring/model/trial.ts';
import { root } from '../../support/sources.ts';
import { model, numbers, settings } from './declared.ts';

const text = readFileSync(path.join(root, 'policies/scoring.yaml'), 'utf8');

describe('limits in the policy folder', () => {
  let folder: string;
  before(() => { folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-scoring-')); });
  after(() => rmSync(folder, { recursive: true }));
  const load = (content: string) => {
    writeFileSync(path.join(folder, 'scoring.yaml'), content);
    return loadScoringSettings(folder);
  };

  it('are read as they are written', () => {
    assert.deepEqual(load(text), { effectiveFeaturesMin: 4, dominantShareMax: 0.35, guessGainMax: 0.4, stepsMax: 65_535, functionalsMax: 12 });
  });

  it('are refused, with file and line, when one is missing, unknown, out of bounds or said twice', () => {
    const refused = (content: string, words: RegExp) => assert.throws(() => load(content), (error: unknown) => isVeilgateError(error, 'POLICY_BROKEN') && words.test(error.message));
    refused(text.replace('dominant_share_max: 0.35', ''), /scoring\.yaml:\d+:\d+.*"dominant_share_max" is missing/);
    refused(text.replace('dominant_share_max: 0.35', 'dominant_share_max: 0.9'), /dominant_share_max/);
    refused(text.replace('steps_max', 'step_max'), /broken in 2 places.*"steps_max" is missing/);
    refused(`${text}\nsteps_max: 5\n`, /twice/);
    refused('', /./);
    rmSync(path.join(folder, 'scoring.yaml'));
    assert.throws(() => loadScoringSettings(folder), { code: 'POLICY_BROKEN' });
  });
});

describe('a guard with a thread of its own', () => {
  const even = [9, 5, 8, 3, 7, 6, 4, 8, 5, 9];
  const world = numbers(10);

  it('says what judging here would say, and of which models beside it', async function () {
    const guard = createModelGuard(world, settings);
    const changed = { ...model(even.with(3, 4)), ref: 'changed@1' as ReturnType<typeof model>['ref'] };
    const { verdict, conflicts } = await guard.compare(model(even), [changed, model([4, 9, 3, 8, 5, 9, 7, 3, 8, 6], { ref: 'other@1' as ReturnType<typeof model>['ref'] })]);
    assert.deepEqual(verdict, judgeModel(model(even), world, settings));
    assert.deepEqual(conflicts.map((each) => each.model), ['changed@1']);
    assert.deepEqual(await guard.judge(model([7])), judgeModel(model([7]), world, settings));
  });

  it('says of functions together what judging here would say', async function () {
    const together = createTogetherGuard(() => world, () => settings);
    const changed = functionalsOf(model(even.with(3, 4)));
    assert.deepEqual(await Promise.all([together(functionalsOf(model(even))), together([...functionalsOf(model(even)), ...changed])]), [true, false]);
  });

  it('tries a model on made-up enterprises while others are answered', async function () {
    let answered = 0;
    const others = setInterval(() => { answered += 1; }, 1);
    const asked = { count: 100_000, seed: 7 };
    const trial = await createModelGuard(world, settings).tryOut(model(even), asked);
    clearInterval(others);
    assert.ok(answered > 0);
    assert.deepEqual(trial, tryModel(model(even), world, asked));
  });

  it('takes no more than it can judge soon, and forgets no verdict for that', async function () {
    this.timeout(60_000);
    const guard = createModelGuard(world, settings);
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, (_, at) => guard.judge(model(even.with(0, 20 + at)))));
    assert.deepEqual(outcomes.map(({ status }) => status), [...Array.from({ length: 8 }, () => 'fulfilled'), 'rejected', 'rejected']);
    assert.ok(outcomes.slice(8).every((outcome) => outcome.status === 'rejected' && isVeilgateError(outcome.reason, 'REQUEST_OVERLOADED')));
    assert.equal((await guard.judge(model(even.with(0, 29)))).ok, true);
  });
});
