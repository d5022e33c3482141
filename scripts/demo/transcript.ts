import { styleText } from 'node:util';
import { isVeilgateError, type VeilgateError } from '../../src/errors.ts';

/** A play with numbered acts: what happens, what it showed, and whether that was what it should show. */
export type Transcript = {
  /** Runs one act; prints its title first, so that one sees what takes time. */
  readonly act: <Result>(title: string, play: (say: Say) => Promise<Result>) => Promise<Result>;
  /** Sentences that did not hold. */
  readonly failures: readonly string[];
};

export type Say = {
  (line: string): void;
  /** Prints the sentence with a tick or a cross; a cross makes `--check` fail. */
  readonly expect: (sentence: string, holds: boolean) => void;
};

export function transcript(write: (line: string) => void): Transcript {
  const failures: string[] = [];
  let number = 0;
  const say = Object.assign((line: string) => write(`   ${line}`), {
    expect(sentence: string, holds: boolean) {
      if (!holds) failures.push(sentence);
      write(`   ${holds ? styleText('green', '✓') : styleText('red', '✗ NOT SO:')} ${sentence}`);
    },
  });
  return {
    failures,
    async act(title, play) {
      number += 1;
      const startMs = performance.now();
      write(`\n${styleText('bold', `${number}. ${title}`)}`);
      const result = await play(say);
      write(styleText('dim', `   ${((performance.now() - startMs) / 1000).toFixed(1)} s`));
      return result;
    },
  };
}

/** Values of a row side by side, at most `width` characters a line. */
export function rowText(row: Readonly<Record<string, unknown>>, width = 150): string {
  const text = Object.entries(row).map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`).join('  ·  ');
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}

/** How the platform refused; undefined when it did not. */
export async function refusal(work: () => Promise<unknown>): Promise<VeilgateError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (isVeilgateError(error)) return error;
    throw error;
  }
}
