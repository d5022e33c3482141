/**
 * A whole joint project on the credit set over HTTP: gateway, worker and PostgreSQL are processes of their own, the partner is
 * this one. Nothing is left out but the partner's way home: alignment, lottery, upload, questions, scorecard, validation.
 */
import { partnerThreads } from '../../../src/cli/partner-threads.ts';
import { costFor, epsilonOf, nanoRhoPerRho, type NanoRho } from '../../../src/joint/noise/accountant.ts';
import { pointsOf, type ScorecardJson } from '../../../src/joint/scorecard/document.ts';
import { discriminate } from '../../../src/joint/scorecard/validation.ts';
import { jointClient } from '../../../src/sdk/joint.ts';
import { bundleSpec, columnByPosition, digestsOf, fixColumn, jointRunClient, newSeeds, openLottery, uploadBundle } from '../../../src/sdk/joint-run.ts';
import { buildScorecard } from '../../../src/sdk/joint-scorecard.ts';
import { validateScorecard, type ValidatedCustomer } from '../../../src/sdk/joint-validation.ts';
import { figure, type Figure } from '../report.ts';
import { counting } from './counting.ts';
import { cpuText, stagesOf } from './stages.ts';
import { jointBenchWorld, projectEpsilon, scorecardEpsilon, type JointBenchSize, type JointBenchWorld } from './world.ts';

const delta = 1e-6;

export async function benchLine(size: JointBenchSize, say: (line: string) => void): Promise<readonly Figure[]> {
  const world = await jointBenchWorld(size);
  const threads = partnerThreads();
  try {
    const { document, own, subjects, trains, bad } = world;
    const moved = counting(world.connection);
    const joint = jointClient(moved);
    const runs = jointRunClient(moved);
    const stages = stagesOf(world.pids, say);
    const { timed } = stages;

    say(`default_credit over HTTP: ${subjects.length} enterprises, ${document.columns.length} columns of the platform, ${own.length} and a label of the bank`);
    const cohort = await timed('cohort', () => joint.formCohort(world.project));
    const positions = await timed('alignment', () => joint.align(cohort.id, subjects, { blinding: threads.blinding }));
    const aligned = { up: moved.up(), down: moved.down() };
    const seeds = newSeeds(world.project, cohort.id, document.bundles);
    const spec = bundleSpec(seeds, cohort.size, document);
    const digests = await timed('bundles made', () => digestsOf(spec, seeds, { digestOf: threads.digestOf }));
    const judged = await timed('lottery judged', async () => openLottery(runs, await runs.commit(seeds.project, seeds.cohort, digests), seeds));
    const run = await timed('bundle sent', () => uploadBundle(runs, spec, seeds, judged.run));
    const byPosition = (bins: readonly number[], absent: number) => columnByPosition(run.rows, positions, bins.map((bin, row) => (trains[row] ? bin : absent)), absent);
    const label = { name: 'label', bins: byPosition([...bad], 2) };
    const owned = own.map(({ name, bins, count }) => ({ name, bins: byPosition(bins, count) }));
    await timed('columns fixed', async () => { for (const { name, bins } of [label, ...owned]) await fixColumn(runs, spec, seeds, run, name, bins); });
    let lastMs = performance.now();
    const built = await timed('questions and scorecard', () => buildScorecard(runs, {
      document, run, seeds, label, own: owned, share: costFor(scorecardEpsilon, delta) / costFor(projectEpsilon, delta),
      onAnswer: (answered, all) => {
        say(`    question ${answered} of ${all}: ${((performance.now() - lastMs) / 1000).toFixed(1)} s`);
        lastMs = performance.now();
      },
    }));
    const whole = stages.sum(['bundles made', 'lottery judged', 'bundle sent', 'columns fixed', 'questions and scorecard']);
    const [up, down] = [moved.up() - aligned.up, moved.down() - aligned.down];
    const { auc, ks } = heldOut(built.document, world);
    say(`whole scorecard: ${whole.seconds.toFixed(1)} s, ${mib(up).toFixed(0)} MiB up, ${mib(down).toFixed(0)} MiB down; CPU ${cpuText(whole.cpu)}`);
    say(`  ε = ${built.epsilon.toFixed(3)}, AUC ${auc.toFixed(4)}, KS ${ks.toFixed(4)} on the hold-out`);
    const { validation } = await timed('validation', () => validateScorecard(runs, {
      document, run, seeds, scorecard: built.document, column: 'holdout', share: 0.9 * (1 - costFor(scorecardEpsilon, delta) / costFor(projectEpsilon, delta)),
      customers: positions.flatMap((position, row): ValidatedCustomer[] => {
        const group = trains[row] ? 'trained' : bad[row] ? 'bad' : 'good';
        return position === undefined ? [] : [{ position, group, own: own.map(({ bins }) => bins[row] as number) }];
      }),
    }));
    say(`what the partner learns of it, at ε = ${validation?.privacy.epsilon.toFixed(3)} in all:`);
    say(`  AUC ${validation?.auc.toFixed(4)} ± ${validation?.aucMargin.toFixed(4)}, KS ${validation?.ks.toFixed(4)} ± ${validation?.ksMargin.toFixed(4)}`);
    const told = epsilonOf(Math.round(built.document.cost_rho * nanoRhoPerRho) as NanoRho, delta);
    if (told > scorecardEpsilon) throw new Error(`the scorecard cost ε = ${told}`);
    return [
      figure('joint.scorecard_seconds', whole.seconds, 's', size.rows < 30_000 ? null : '<= 300'), figure('joint.scorecard_upload_mib', mib(up), 'MiB'), figure('joint.scorecard_download_mib', mib(down), 'MiB'),
      figure('joint.scorecard_bundles_seconds', stages.of('bundles made').seconds, 's'), figure('joint.scorecard_lottery_seconds', stages.of('lottery judged').seconds, 's'),
      figure('joint.scorecard_sent_seconds', stages.of('bundle sent').seconds, 's'), figure('joint.scorecard_questions_seconds', stages.of('questions and scorecard').seconds, 's'),
      ...Object.entries(whole.cpu).map(([name, each]) => figure(`joint.scorecard_cpu_${name}_seconds`, each, 's')),
      { ...figure('joint.scorecard_line_auc', auc, 'share', size.rows < 30_000 ? null : '>= 0.755'), value: Number(auc.toFixed(5)) },
      figure('joint.validation_seconds', stages.of('validation').seconds, 's'),
      { ...figure('joint.validation_auc_error', Math.abs((validation?.auc ?? NaN) - auc), 'share'), value: Number(Math.abs((validation?.auc ?? NaN) - auc).toFixed(5)) },
      figure('joint.alignment_http_seconds', stages.of('alignment').seconds, 's'), figure('joint.alignment_http_mib', mib(aligned.up + aligned.down), 'MiB'),
    ];
  } finally {
    await threads.close();
    await world.close();
  }
}

/** The clear twin's judgement: every hold-out enterprise's points, worked out in clear. */
function heldOut({ features, base }: ScorecardJson, { trains, bad, own, hostBins }: JointBenchWorld): { readonly auc: number; readonly ks: number } {
  const columns = [...own.map(({ bins }) => bins), ...hostBins];
  const points = features.map(pointsOf);
  const rows = trains.flatMap((trained, row) => (trained ? [] : [row]));
  return discriminate(rows.map((row) => columns.reduce((sum, bins, f) => sum + (points[f]?.[bins[row] as number] ?? 0), base)), rows.map((row) => bad[row] as number));
}

const mib = (bytes: number) => bytes / 2 ** 20;
