import { VeilgateError } from '../errors.ts';

/** One thing that is wrong with a policy pack, and exactly where. Lines and columns count from 1. */
export type Problem = {
  /** Relative to the pack's folder, with `/`. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** JSON Pointer (RFC 6901) into the document; '' for the whole. */
  readonly pointer: string;
  readonly problem: string;
};

/** Beyond it one more problem tells nobody anything. */
const problemsMax = 100;
const textMax = 300;

/** `rules/tax.yaml:12:7 /rules/0/fields/1: …`, as editors and people read it. */
export function problemLine(problem: Problem): string {
  const pointer = problem.pointer === '' ? '' : ` ${problem.pointer}`;
  return `${problem.file}:${problem.line}:${problem.column}${pointer}: ${problem.problem}`;
}

/** POLICY_BROKEN with `detail.problems`: sorted by place, cut to what a person can read. */
export function policyBroken(problems: readonly Problem[]): VeilgateError {
  const sorted = sortProblems(problems).slice(0, problemsMax).map((problem) => ({ ...problem, problem: printable(problem.problem) }));
  const first = sorted[0];
  const count = problems.length === 1 ? 'one place' : `${problems.length} places`;
  const where = first === undefined ? '' : ` First: ${problemLine(first)}`;
  return new VeilgateError('POLICY_BROKEN', `The policy is broken in ${count}; correct it and load it again.${where}`, {
    problems: sorted,
    count: problems.length,
  });
}

export function sortProblems(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) =>
    compareText(a.file, b.file) || a.line - b.line || a.column - b.column || compareText(a.problem, b.problem));
}

/** By code unit, the same on every machine. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Policy text ends up in terminals and logs: no control characters, no endless lines. */
function printable(text: string): string {
  const clean = text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]+/g, ' ');
  return clean.length <= textMax ? clean : `${clean.slice(0, textMax - 1)}…`;
}

/** ` (did you mean "x"?)`, or '' when nothing known is close. */
export function didYouMean(word: string, known: Iterable<string>): string {
  if (word.length > 100) return '';
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      bestDistance = distance;
      best = candidate;
    }
  }
  return best === undefined ? '' : ` (did you mean "${best}"?)`;
}

/** Levenshtein distance with swaps of neighbours, at most `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((last[j] as number) + 1, (row[j - 1] as number) + 1, (last[j - 1] as number) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (beforeLast[j - 2] as number) + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return Math.min(last[b.length] as number, limit);
}
