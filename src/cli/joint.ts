import type { Command } from 'commander';
import { noun } from './command.ts';
import { binVerb } from './joint-bins.ts';
import { cohortVerbs } from './joint-cohort.ts';
import { projectVerbs } from './joint-project.ts';
import { runVerbs } from './joint-run.ts';
import { scorecardVerbs } from './joint-scorecard.ts';
import type { Cli } from './terminal.ts';

/** `veilgate joint`: models made together with the platform on encrypted data. */
export function jointCommand(cli: Cli): Command {
  const joint = noun('joint', 'Model together with the platform on encrypted data: projects, cohorts, runs and scorecards');
  const project = noun('project', 'Propose projects, and as an officer decide on them');
  const cohort = noun('cohort', 'Form cohorts of those who consent, and align your customers with them');
  const run = noun('run', 'Commit to bundles, open them, fix your columns, and ask what is summed encrypted');
  const scorecard = noun('scorecard', 'Make scorecards from noisy tables alone, validate and export them');
  projectVerbs(project, cli);
  cohortVerbs(cohort, cli);
  runVerbs(run, cli);
  binVerb(scorecard, cli);
  scorecardVerbs(scorecard, cli);
  return joint.addCommand(project).addCommand(cohort).addCommand(run).addCommand(scorecard);
}
