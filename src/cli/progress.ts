import type { Output } from './terminal.ts';

const barWidth = 30;
const redrawMs = 100;

/** A bar for who watches, nothing for a pipe. */
export function progressLine(output: Output, unit: string): { readonly show: (done: number, all: number) => void; readonly clear: () => void } {
  let drawnAtMs = 0;
  let width = 0;
  return {
    show(done, all) {
      if (!output.columns || (Date.now() - drawnAtMs < redrawMs && done < all)) return;
      drawnAtMs = Date.now();
      const share = all === 0 ? 1 : Math.min(1, done / all);
      const filled = Math.round(share * barWidth);
      const line = `[${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}] ${String(Math.floor(share * 100)).padStart(3)} %  ${done} of ${all} ${unit}`;
      width = Math.max(width, line.length);
      output.write(`\r${line}`);
    },
    clear() {
      if (width > 0) output.write(`\r${' '.repeat(width)}\r`);
    },
  };
}
