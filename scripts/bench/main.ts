/** `npm run bench -- <question> [--json] [--quick]`: one file per question beside this one. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { machine, type BenchReport, type Figure } from './report.ts';

/** What a question's file exports. `quick` asks for small sizes that show that it runs, not what it yields. */
export type Bench = (options: BenchOptions) => Promise<readonly Figure[]>;
export type BenchOptions = {
  readonly quick: boolean; readonly say: (line: string) => void;
  /** A browser to look at pages with; the system's own when absent. */
  readonly chromium: string | undefined;
};

const questions = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.ts') && name !== 'main.ts' && name !== 'report.ts')
  .map((name) => path.basename(name, '.ts'));

const [question, ...flags] = process.argv.slice(2);
if (question === undefined || !questions.includes(question)) {
  console.error(`Usage: npm run bench -- <${questions.join('|')}> [--json] [--quick]`);
  process.exit(2);
}
const json = flags.includes('--json');
const { bench } = (await import(`./${question}.ts`)) as { bench: Bench };
const figures = await bench({
  quick: flags.includes('--quick'),
  say: (line) => (json ? console.error(line) : console.log(line)),
  chromium: process.env['VEILGATE_CHROMIUM'],
});
const report: BenchReport = { bench: question, machine: machine(), figures };
if (json) console.log(JSON.stringify(report));
else {
  for (const { name, value, unit, aim } of figures) {
    console.log(`${name.padEnd(42)} ${String(value).padStart(12)} ${unit.padEnd(8)} ${aim === null ? '' : `aim ${aim}`}`);
  }
}
