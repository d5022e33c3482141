import { strict as assert } from 'node:assert';
import { readProgresses, type Progress } from '../../../src/scoring/job/progress.ts';
import type { Sql } from '../../../src/store/database.ts';

/** How far one job is. */
export async function progressOf(sql: Sql, job: string): Promise<Progress> {
  const progress = (await readProgresses(sql, [job])).get(job);
  assert.ok(progress);
  return progress;
}
