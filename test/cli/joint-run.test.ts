import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { discriminate } from '../../src/joint/scorecard/validation.ts';
import type { OpenedGroup } from '../../src/sdk/joint-answers.ts';
import { jointRunClient, type JointExplanation, type JointReleaseView, type JointRunView } from '../../src/sdk/joint-run.ts';
import type { ScorecardJson } from '../../src/sdk/joint-scorecard.ts';
import { partnerColumns, startRunStage, twinOf, type JointRunStage } from '../support/joint-run.ts';
import { veilgate, type Ran } from './support/platform.ts';

describe('cli: a joint project from the lottery to a validated scorecard', () => {
  let stage: JointRunStage;
  let project: string;
  let cohort: string;
  const file = (name: string) => path.join(stage.platform.folder, name);
  const as = (party: string, ...line: string[]): Promise<Ran> => veilgate(['--gateway', stage.platform.gateway.gatewayUrl, '--credentials', file(`${party}.json`), ...line]);
  const done = async (...line: string[]) => {
    const ran = await as('bank-a', ...line);
    assert.deepEqual([ran.code, ran.err], [0, ''], line.join(' '));
    return ran.out;
  };
  const json = async <Value>(...line: string[]) => JSON.parse(await done(...line, '--json')) as Value;
  const refused = async (...line: string[]) => (await as('bank-a', ...line)).err.split(':')[0];
  const statement = (name: string, content: object) => {
    writeFileSync(file(name), JSON.stringify(content));
    return file(name);
  };

  before(async function () {
    this.timeout(120_000);
    stage = await startRunStage();
    for (const party of ['bank-a', 'partner-b']) writeFileSync(file(`${party}.json`), JSON.stringify(await stage.platform.credentialsFile(party)), { mode: 0o600 });
    project = await stage.approved({ ...stage.document, partner_columns: [...partnerColumns, { name: 'holdout', bins: 7 }] });
    cohort = (await stage.partner.formCohort(project)).id;
    const mine = stage.enterprises.flatMap((subject, n) => (n % 6 === 5 ? [] : [{ subject, n }]));
    const line = ({ subject, n }: (typeof mine)[number]) => `${subject},${twinOf(n).bad},${twinOf(n).own}`;
    const heading = 'subject,default,own_rating';
    writeFileSync(file('list.csv'), `subject\n${mine.map(({ subject }) => subject).join('\n')}\n`);
    writeFileSync(file('customers.csv'), `${[heading, ...mine.filter((_, at) => at % 2 === 0).map(line)].join('\n')}\n`);
    writeFileSync(file('holdout.csv'), `${[heading, ...mine.filter((_, at) => at % 2 === 1).map(line)].join('\n')}\n`);
    await done('joint', 'cohort', 'align', cohort, file('list.csv'), '--out', file('positions.csv'));
  });
  after(() => stage.close());

  it('commits with seeds that only their owner can read, once, and goes on when interrupted', async () => {
    const commit = ['joint', 'run', 'commit', project, cohort, '--out', file('run.json')];
    // interrupted after the platform has drawn and before the answer came: the seeds are there, the run is not
    const first = await json<JointRunView>(...commit);
    const kept = JSON.parse(readFileSync(file('run.json'), 'utf8')) as { run: string | null; seeds: string[] };
    assert.equal(statSync(file('run.json')).mode & 0o777, 0o600);
    assert.equal(kept.run, first.run);
    writeFileSync(file('run.json'), JSON.stringify({ ...kept, run: null }));
    assert.match((await as('bank-a', 'joint', 'run', 'open', file('run.json'))).err, /^CONFIG_INVALID: The commitment of this run has not gone through/);
    assert.equal((await json<JointRunView>(...commit)).drawn, first.drawn, 'the same seeds, the same draw');
    assert.equal(await refused('joint', 'run', 'commit', project, 'A'.repeat(22), '--out', file('run.json')), 'COHORT_NOT_FOUND');
    writeFileSync(file('alien.json'), JSON.stringify({ ...kept, cohort: 'A'.repeat(22) }), { mode: 0o600 });
    assert.equal(await refused(...commit.with(-1, file('alien.json'))), 'CONFIG_INVALID');
    assert.equal(await refused(...commit.with(-1, file('other.json'))), 'JOINT_RUN_STATE_CONFLICT', 'other seeds do not draw again');
    const shown = await done('joint', 'run', 'show', first.run);
    for (const seed of kept.seeds) assert.ok(!shown.includes(seed));
    assert.equal(await refused('joint', 'run', 'open', file('customers.csv')), 'CONFIG_INSECURE');
    writeFileSync(file('no-run.json'), '{}', { mode: 0o600 });
    assert.equal(await refused('joint', 'run', 'open', file('no-run.json')), 'CONFIG_INVALID');
    assert.match((await as('partner-b', 'joint', 'run', 'open', file('run.json'))).err, /^CONFIG_INVALID: This run is another institution's/);
  });

  it('opens the others and sends the drawn bundle; again, it changes nothing', async () => {
    const opened = await json<JointRunView>('joint', 'run', 'open', file('run.json'));
    assert.deepEqual([opened.state, opened.pads.received], ['ready', opened.pads.total]);
    assert.match(await done('joint', 'run', 'open', file('run.json')), /state +ready/);
    assert.match(await done('joint', 'run', 'list'), new RegExp(`${opened.run} +${project} +${cohort} +ready`));
  });

  it('fixes columns from a file of bins, and names the line that is wrong', async () => {
    const fix = (name: string, ...more: string[]) => ['joint', 'run', 'fix', file('run.json'), file(name), '--positions', file('positions.csv'), ...more];
    const wrong: [string, RegExp][] = [
      ['subject,default,nothing\n', /declares no such partner column/], ['default\n', /first line names `subject`/], [`subject,default\n${stage.enterprises[0]},3\n`, /whole number from 0 to 2/],
      [`subject,default\n${stage.enterprises[0]}\n`, /more or fewer cells/], [`subject,default\n${stage.enterprises[5]},0\n`, /was not aligned/], [`subject,default\n${stage.enterprises[0]},0\n${stage.enterprises[0]},0\n`, /each once/],
      ['subject,default\n', /names no customer/],
    ];
    for (const [content, expected] of wrong) {
      writeFileSync(file('wrong.csv'), content);
      const { code, err } = await as('bank-a', ...fix('wrong.csv'));
      assert.deepEqual([code, expected.test(err)], [2, true], `${content}: ${err}`);
    }
    assert.match((await as('bank-a', ...fix('customers.csv').with(-1, file('customers.csv')))).err, /These are no positions/);
    assert.match((await as('bank-a', ...fix('absent.csv'))).err, /^CONFIG_INVALID: The file cannot be read/);
    assert.match(await done(...fix('customers.csv', '--column', 'default')), /fixed +default\ncustomers +100\nin the cohort +100\n/);
    await done(...fix('customers.csv'));
    assert.equal(await refused(...fix('holdout.csv')), 'JOINT_SHIFTS_FIXED');
  });

  it('explains, asks and opens a statement; asked again it costs nothing', async () => {
    const woe = statement('woe.json', { kind: 'woe', columns: ['debt'], partner: 'default' });
    assert.equal(await refused('joint', 'run', 'explain', file('run.json'), woe), 'CONFIG_INVALID', 'some budget must be named');
    const explained = await json<JointExplanation>('joint', 'run', 'explain', file('run.json'), woe, '--share', '0.05');
    assert.ok(explained.known === null && explained.epsilon_after > 0);
    assert.match(await done('joint', 'run', 'explain', file('run.json'), woe, '--share', '0.05'), /cost +rho 0\.0\d+\n[\s\S]*bins +4 +1 +\d/);
    const answer = await json<JointReleaseView & { groups: (OpenedGroup & { columns: string[] })[] }>('joint', 'run', 'ask', file('run.json'), woe, '--share', '0.05', '--out', file('answer.json'));
    assert.deepEqual(answer.groups[0]!.columns, ['debt=0', 'debt=1', 'debt=2', 'debt=3']);
    const counted = answer.groups[0]!.sums.flat().reduce((sum, each) => sum + each, 0);
    assert.ok(Math.abs(counted - stage.enterprises.length) < 7 * Math.sqrt(12 * answer.groups[0]!.variance), `${counted}`);
    assert.deepEqual((JSON.parse(readFileSync(file('answer.json'), 'utf8')) as typeof answer).groups, answer.groups);
    assert.equal(await refused('joint', 'run', 'ask', file('run.json'), woe, '--share', '0.05', '--out', file('answer.json')), 'CONFIG_INVALID', 'an answer is never overwritten');
    assert.match(await done('joint', 'run', 'explain', file('run.json'), woe, '--share', '0.05'), /cost +nothing: it was asked before/);
    const text = await done('joint', 'run', 'ask', file('run.json'), woe, '--share', '0.05');
    assert.match(text, /bins, sigma \S+ +default=0 +default=1 +default=2\ndebt=0 /);
    assert.match(await done('joint', 'run', 'ask', file('run.json'), statement('pairs.json', { kind: 'pairs', pairs: [['debt', 'rating']] }), '--rho', '0.002'), /debt=3 × rating=4 +-?\d+\n/);
    assert.equal(await refused('joint', 'run', 'ask', file('run.json'), statement('none.json', { kind: 'histogram', column: 'none' }), '--rho', '0.002'), 'JOINT_STATEMENT_INVALID');
    assert.match(await done('joint', 'run', 'releases', project), new RegExp(`${answer.question.slice(0, 16)} +woe +released`));
  });

  it('builds a scorecard with its report, and goes on where it was interrupted', async () => {
    const build = ['joint', 'scorecard', 'build', file('run.json'), file('customers.csv'), '--positions', file('positions.csv'), '--label', 'default', '--share', '0.5', '--out', file('card.json')];
    assert.equal(await refused(...build.with(8, 'rating')), 'CONFIG_INVALID', 'the label is one of the partner\'s columns');
    assert.ok(!existsSync(file('card.json')), 'a file that was not filled is taken away');
    const card = await json<ScorecardJson>(...build);
    assert.deepEqual(card.features.map(({ name, side }) => [name, side]), [['own_rating', 'partner'], ['debt', 'platform'], ['rating', 'platform']]);
    assert.deepEqual(JSON.parse(readFileSync(file('card.json'), 'utf8')), card);
    const html = readFileSync(file('card.html'), 'utf8');
    assert.match(html, /Default of small enterprises[\s\S]*Weight of evidence of debt/);
    const before = await stage.partner.balances(project);
    rmSync(file('card.json')); // killed before it was written
    assert.deepEqual(await json<ScorecardJson>(...build), card, 'the same answers, noise and all');
    assert.deepEqual(await stage.partner.balances(project), before);
    assert.match((await as('bank-a', ...build)).err, /^CONFIG_INVALID: The file is there already/);
  });

  it('exports it as PMML, the platform\'s part or all of it', async () => {
    assert.match(await done('joint', 'scorecard', 'export', file('card.json'), '--out', file('card.pmml')), /written +.*card\.pmml\npart +platform\n/);
    assert.doesNotMatch(readFileSync(file('card.pmml'), 'utf8'), /own_rating/);
    assert.deepEqual(await json('joint', 'scorecard', 'export', file('card.json'), '--whole', '--out', file('whole.pmml')), { file: file('whole.pmml'), part: 'whole' });
    assert.match(readFileSync(file('whole.pmml'), 'utf8'), /own_rating/);
    assert.equal(await refused('joint', 'scorecard', 'export', file('card.json'), '--out', file('card.pmml')), 'CONFIG_INVALID', 'nothing is overwritten');
    assert.equal(await refused('joint', 'scorecard', 'export', file('answer.json'), '--out', file('other.pmml')), 'CONFIG_INVALID');
    const card = JSON.parse(readFileSync(file('card.json'), 'utf8')) as ScorecardJson;
    for (const damaged of [{ ...card, base: null }, { ...card, features: [{}] }, { ...card, features: card.features.map((feature) => ({ ...feature, bins: feature.bins.map((each) => ({ ...each, points: 'x' })) })) }]) {
      assert.equal(await refused('joint', 'scorecard', 'export', statement('damaged.json', damaged), '--out', file('other.pmml')), 'CONFIG_INVALID');
    }
  });

  it('judges it exactly by sealed scores, where there are some, at no cost', async () => {
    const card = JSON.parse(readFileSync(file('card.json'), 'utf8')) as ScorecardJson;
    const mine = stage.enterprises.flatMap((subject, n) => (n % 6 === 5 ? [] : [{ subject, twin: twinOf(n) }]));
    const points = (twin: (typeof mine)[number]['twin'], name: string) => card.features.find((each) => each.name === name)?.bins[name === 'own_rating' ? twin.own : twin[name as 'debt' | 'rating']]?.points ?? 0;
    const sealed = (twin: (typeof mine)[number]['twin']) => card.base + points(twin, 'debt') + points(twin, 'rating');
    // what `veilgate score many` writes; one in ten has not granted
    const scored = mine.filter((_, at) => at % 10 !== 9);
    writeFileSync(file('scores.csv'), `subject,score,band,reasons\n${scored.map(({ subject, twin }) => `${subject},${sealed(twin)},all,\n`).join('')}`);
    writeFileSync(file('judged.json'), JSON.stringify(card));
    const judged = await json<ScorecardJson>('joint', 'scorecard', 'judge', file('judged.json'), '--scores', file('scores.csv'), '--holdout', file('holdout.csv'), '--customers', file('customers.csv'));
    const held = mine.filter((_, at) => at % 2 === 1).filter(({ subject }) => scored.some((each) => each.subject === subject));
    const exact = discriminate(held.map(({ twin }) => sealed(twin) + points(twin, 'own_rating')), held.map(({ twin }) => twin.bad));
    for (const figure of ['auc', 'ks'] as const) assert.ok(Math.abs(judged.validation![figure] - exact[figure]) < 1e-12, `${figure}: ${judged.validation![figure]} for ${exact[figure]}`);
    assert.ok(judged.validation!.stability !== null);
    assert.deepEqual(judged.validation!.privacy, card.privacy, 'nothing more was told');
    assert.deepEqual(JSON.parse(readFileSync(file('judged.json'), 'utf8')), judged);
    const alone = await json<ScorecardJson>('joint', 'scorecard', 'judge', file('judged.json'), '--scores', file('scores.csv'), '--holdout', file('holdout.csv'));
    assert.deepEqual([alone.validation!.stability, alone.validation!.auc], [null, judged.validation!.auc]);
    assert.match(readFileSync(file('judged.html'), 'utf8'), /stability not looked at/);
    assert.match((await as('bank-a', 'joint', 'scorecard', 'judge', file('judged.json'), '--scores', file('positions.csv'), '--holdout', file('holdout.csv'))).err, /These are no scores/);
    writeFileSync(file('none.csv'), 'subject,score,band,reasons\n');
    assert.equal(await refused('joint', 'scorecard', 'judge', file('judged.json'), '--scores', file('none.csv'), '--holdout', file('holdout.csv')), 'JOINT_INPUT_INVALID');
  });

  it('validates it on the hold-out from one more noisy table', async () => {
    const validate = (card: string, holdout: string, column = 'holdout') => ['joint', 'scorecard', 'validate', file('run.json'), file(card), '--customers', file('customers.csv'), '--holdout', file(holdout), '--positions', file('positions.csv'), '--column', column, '--share', '0.3', '--bands', '3'];
    assert.match((await as('bank-a', ...validate('card.json', 'customers.csv'))).err, /who trained a scorecard cannot judge it/);
    assert.equal(await refused(...validate('run.json', 'holdout.csv')), 'CONFIG_INVALID');
    assert.equal(await refused(...validate('card.json', 'holdout.csv', 'own_rating')), 'JOINT_INPUT_INVALID', 'five bins are no validation column');
    const text = await done(...validate('card.json', 'holdout.csv'));
    assert.match(text, /AUC +[01]\.\d{4} ± [0-9.]+\nKS +/);
    const card = JSON.parse(readFileSync(file('card.json'), 'utf8')) as ScorecardJson;
    assert.ok(card.validation !== null && card.validation.privacy.epsilon > card.privacy.epsilon);
    assert.match(readFileSync(file('card.html'), 'utf8'), /ROC curve[\s\S]*Calibration/);
    // the clear twin: everybody's points worked out in clear
    const mine = stage.enterprises.flatMap((_, n) => (n % 6 === 5 ? [] : [twinOf(n)])).filter((_, at) => at % 2 === 1);
    const points = mine.map((twin) => card.features.reduce((sum, { name, bins }) => sum + (bins[name === 'own_rating' ? twin.own : twin[name as 'debt' | 'rating']]?.points ?? 0), card.base));
    const wins = points.flatMap((a, i) => points.map((b, j) => (mine[i]!.bad === 0 && mine[j]!.bad === 1 ? (a > b ? 1 : a === b ? 0.5 : 0) : NaN))).filter((each) => !Number.isNaN(each));
    const auc = wins.reduce((sum, each) => sum + each, 0) / wins.length;
    assert.ok(Math.abs(card.validation.auc - auc) < 3 * card.validation.aucMargin + 0.05, `${card.validation.auc} ± ${card.validation.aucMargin} for ${auc}`);
    const before = await stage.partner.balances(project);
    await done(...validate('card.json', 'holdout.csv'));
    assert.deepEqual(await stage.partner.balances(project), before, 'again, it costs nothing');
    assert.equal((await jointRunClient(await stage.platform.connect('bank-a', 'query')).runs())[0]!.shifts.length, 3);
  });
});
