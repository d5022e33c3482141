import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { sampleCsv } from '../../../scripts/sample/generate.ts';
import { run } from '../../../src/cli/run.ts';
import { loadCatalogue } from '../../../src/source/catalogue.ts';
import type { DatasetId } from '../../../src/vocabulary.ts';
import { startTestPlatform, type TestPlatform } from '../../support/gateway.ts';

export const root = path.resolve(import.meta.dirname, '../../..');
export const main = path.join(root, 'src/cli/main.ts');
/** The first enterprise of the sample, which docs and help texts name. */
export const subject = '91370202MA00QJTFYT';
export const sample = { enterprises: 2, seed: 7, periods: 6 };

export type Ran = { readonly code: number; readonly out: string; readonly err: string };
export type RunOptions = { readonly env?: Readonly<Record<string, string>>; readonly stdin?: string; readonly columns?: number };

/** Runs a command line in this process. */
export async function veilgate(argv: readonly string[], { env = {}, stdin = '', columns = 0 }: RunOptions = {}): Promise<Ran> {
  const written = { out: '', err: '' };
  const code = await run(argv, {
    stdout: { write: (text) => { written.out += text; } },
    stderr: { write: (text) => { written.err += text; }, columns },
    stdin: Readable.from([Buffer.from(stdin)], { objectMode: false }),
    env,
  });
  return { code, ...written };
}

/** Runs a program to its end. */
export async function child(command: string, args: readonly string[], options: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> }): Promise<Ran> {
  const running = spawn(command, args, { cwd: options.cwd, env: options.env as NodeJS.ProcessEnv, stdio: ['ignore', 'pipe', 'pipe'] });
  const written = { out: '', err: '' };
  running.stdout.on('data', (chunk: Buffer) => { written.out += chunk.toString('utf8'); });
  running.stderr.on('data', (chunk: Buffer) => { written.err += chunk.toString('utf8'); });
  const code = await new Promise<number>((resolve, reject) => {
    running.on('error', reject);
    running.on('close', (status) => resolve(status ?? -1));
  });
  return { code, ...written };
}

/** A platform whose first officers have their keys in files, as on a real one, and records to load. */
export type CliPlatform = {
  readonly platform: TestPlatform;
  readonly folder: string;
  readonly file: (name: string) => string;
  /** Runs a command with `--gateway` and, when named, `--credentials` of this folder. */
  readonly as: (credentials: string | null, line: readonly string[], options?: RunOptions) => Promise<Ran>;
  readonly close: () => Promise<void>;
};

const officers = { registrar: ['registrar'], security: ['compliance'], auditor: ['auditor'] };

export async function startCliPlatform(settings: Readonly<Record<string, string>> = {}): Promise<CliPlatform> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-cli-'));
  const file = (name: string) => path.join(folder, name);
  const first = [];
  for (const [name, roles] of Object.entries(officers)) {
    await veilgate(['key', 'generate', '--party', `officer-${name}`, '--out', file(`${name}.json`)]);
    const { keys } = JSON.parse((await veilgate(['key', 'show', file(`${name}.json`)])).out) as { keys: unknown[] };
    first.push({ id: `officer-${name}`, name: { en: name, zh: name }, roles, key: keys[0] });
  }
  writeFileSync(file('officers.json'), JSON.stringify(first));
  const catalogue = loadCatalogue(path.join(root, 'policies/catalogue'));
  for (const id of ['registry', 'tax', 'owner'] as DatasetId[]) {
    const dataset = catalogue.datasets.get(id);
    if (dataset !== undefined) writeFileSync(file(`${id}.csv`), [...sampleCsv(dataset, sample)].join(''));
  }
  writeFileSync(file('report.pdf'), 'a report');
  const platform = await startTestPlatform({ VEILGATE_OFFICERS_FILE: file('officers.json'), ...settings });
  return {
    platform, folder, file,
    as: (credentials, line, options) => veilgate(['--gateway', platform.gateway.gatewayUrl, ...(credentials === null ? [] : ['--credentials', file(credentials)]), ...line], options),
    async close() {
      await platform.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Every private member in the credentials files of a folder: none of them may ever be shown. */
export function secretsIn(files: readonly string[]): readonly string[] {
  return files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/"d":\s*"([^"]+)"/g)].map(([, secret]) => secret ?? ''));
}
