import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { shareTestCluster, stopTestCluster } from './database.ts';

// an unhandled rejection is a defect, not a warning
process.on('unhandledRejection', (reason) => { throw reason; });

/** Of this process, when it is the first: what it starts compiles each file once, and starts in half the time. */
const compiled = process.env['NODE_COMPILE_CACHE'] === undefined ? mkdtempSync(path.join(os.tmpdir(), 'veilgate-compiled-')) : undefined;
if (compiled !== undefined) process.env['NODE_COMPILE_CACHE'] = compiled;

/** Files run side by side in processes of their own share one PostgreSQL; a run of one process starts it when it is first needed. */
export async function mochaGlobalSetup(): Promise<void> {
  if (process.argv.includes('--parallel')) await shareTestCluster();
}

export async function mochaGlobalTeardown(): Promise<void> {
  await stopTestCluster();
  if (compiled !== undefined) rmSync(compiled, { recursive: true, force: true });
}
