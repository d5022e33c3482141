const wide = /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u;

/** Columns a text takes on a terminal: Chinese characters take two. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += wide.test(character) ? 2 : 1;
  return width;
}

/** What came over the network cannot move the cursor, colour the screen or break the line. */
export function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd');
}

/** Rows side by side, the first of them the heading; ends in a newline. */
export function table(heading: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cells = [heading, ...rows.map((row) => row.map(cell))];
  const widths = heading.map((_, column) => Math.max(...cells.map((row) => displayWidth(row[column] ?? ''))));
  return cells.map((row) => `${row.map((text, column) => padded(text, widths[column] ?? 0)).join('  ').trimEnd()}\n`).join('');
}

/** Names and values, one pair a line; what is absent is left out. */
export function pairs(values: Readonly<Record<string, unknown>>): string {
  const shown = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const width = Math.max(0, ...shown.map(([name]) => displayWidth(name)));
  return shown.map(([name, value]) => `${`${padded(name, width)}  ${cell(value)}`.trimEnd()}\n`).join('');
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return '-';
  if (Array.isArray(value)) return value.map(cell).join(', ');
  return clean(typeof value === 'object' ? JSON.stringify(value) : String(value));
}
