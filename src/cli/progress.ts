import type { Output } from './terminal.ts';

const barWidth = 30;
const redrawMs = 100;

export type Progress = {
  /** @param all undefined or 0 when nobody knows how much there is: no bar then, only the words */
  readonly show: (done: number, all: number | undefined) => void;
  readonly clear: () => void;
};

/**
 * A bar for who watches, nothing for a pipe.
 * @param words what stands behind the bar, such as `17 of 40 entries`
 */
export function progressLine(output: Pick<Output, 'write' | 'columns'>, words: (done: number, all: number | undefined) => string): Progress {
  let drawnAtMs = 0;
  let width = 0;
  return {
    show(done, all) {
      if (!output.columns || (Date.now() - drawnAtMs < redrawMs && done !== all)) return;
      drawnAtMs = Date.now();
      const line = (all ? bar(Math.min(1, done / all)) : '') + words(done, all);
      width = Math.max(width, line.length);
      output.write(`\r${line}`);
    },
    clear() {
      if (width > 0) output.write(`\r${' '.repeat(width)}\r`);
    },
  };
}

/** The same on a terminal's output. */
export function progressOn(output: Output, words: (done: number, all: number | undefined) => string): Progress {
  const { columns } = output;
  return progressLine({ write: (text) => output.write(text), ...(columns === undefined ? {} : { columns }) }, words);
}

function bar(share: number): string {
  const filled = Math.round(share * barWidth);
  return `[${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}] ${String(Math.floor(share * 100)).padStart(3)} %  `;
}
