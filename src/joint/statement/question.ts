import { createHash } from 'node:crypto';
import { canonicalBytes } from '../../canonical.ts';
import { jointParameters as set } from '../../he/joint-parameters.ts';
import type { NanoRho } from '../noise/accountant.ts';
import type { JointRun } from '../run/run.ts';
import type { Statement } from './statement.ts';

/**
 * What makes two questions the same: SHA-256, hex, over the canonical JSON of all that the answer depends on but the
 * noise. The same question has the same answer, stored: asking ten thousand times averages nothing.
 * @param shifts digest of the partner column's shifts; null for a question without one
 */
export function questionDigest(statement: Statement, cost: NanoRho, run: Pick<JointRun, 'id' | 'project' | 'cohort' | 'digests' | 'drawn'>, shifts: string | null): string {
  return sha256({ v: 1, parameters: set.id, project: run.project, cohort: run.cohort, run: run.id, bundle: run.digests[run.drawn] as string, shifts, cost, statement: canonicalForm(statement) });
}

/** SHA-256, hex, over the canonical JSON of a statement. */
export function statementDigest(statement: Statement): string {
  return sha256(canonicalForm(statement));
}

/** Without what says nothing: order and absent members are the canonical JSON's business, orders of columns the asker's. */
function canonicalForm(statement: Statement): object {
  return JSON.parse(JSON.stringify(statement)) as object;
}

function sha256(value: object): string {
  return createHash('sha256').update(canonicalBytes(value)).digest('hex');
}
