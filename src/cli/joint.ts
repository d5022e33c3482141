import type { Command } from 'commander';
import { noun } from './command.ts';
import { cohortVerbs } from './joint-cohort.ts';
import { projectVerbs } from './joint-project.ts';
import type { Cli } from './terminal.ts';

/** `veilgate joint`: models made together with the platform on encrypted data. */
export function jointCommand(cli: Cli): Command {
  const joint = noun('joint', 'Model together with the platform on encrypted data: projects and cohorts');
  const project = noun('project', 'Propose projects, and as an officer decide on them');
  const cohort = noun('cohort', 'Form cohorts of those who consent, and align your customers with them');
  projectVerbs(project, cli);
  cohortVerbs(cohort, cli);
  return joint.addCommand(project).addCommand(cohort);
}
