import { strict as assert } from 'node:assert';
import { readFileSync, readdirSync } from 'node:fs';
import { isolated } from '../src/console/shell/isolated.ts';
import { isOneLine, oneLinePattern } from '../src/one-line.ts';

const shown = ['审批', 'Working capital 2026 (A–C)', 'לווה 7', '\u{20bb7}野家', '😀', 'a\u00a0b', '*'];
const hidden = [
  '\u0000', '\u0007', '\t', '\n', '\r', '\u0085', '\u00ad', '\u061c', '\u200b', '\u200d', '\u200e', '\u200f', '\u2028', '\u2029', '\u202a', '\u202e', '\u2060', '\u2066', '\u2069', '\ufeff', '\ufff9', '\ud800', '\udfff', '\u{e0041}',
];

type Schema = { readonly [keyword: string]: unknown };

/** Every schema within a schema that takes strings, with its place. */
function strings(schema: unknown, place: string): (readonly [string, Schema])[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const form = schema as Schema;
  const takes = [form['type']].flat().includes('string') || (place.endsWith('/propertyNames') && !('not' in form && !('maxLength' in form)));
  // what a schema is compared with by `if` is judged by its branches
  return [...(takes && !place.endsWith('/if') ? [[place, form] as const] : []), ...Object.entries(form).flatMap(([key, child]) => strings(child, `${place}/${key}`))];
}

describe('text of one line', () => {
  it('shows all of itself', () => {
    for (const text of shown) assert.ok(isOneLine(text, 30), JSON.stringify(text));
    for (const character of hidden) for (const text of [character, `a${character}`, `${character}a`, `a${character}b`]) assert.ok(!isOneLine(text, 30), JSON.stringify(text));
    for (const blank of ['', ' ', '\u3000\u00a0']) assert.ok(!isOneLine(blank, 30), 'nothing to see');
    assert.ok(isOneLine('ab', 2) && !isOneLine('abc', 2));
  });

  it('that runs from right to left is isolated on pages, and nothing else is', () => {
    for (const text of ['הלוואות (2026)', 'A ب', '\u{1e900}']) assert.equal(isolated(text), `\u2068${text}\u2069`);
    for (const text of ['', '审批 (2026) – café 😀', '12,5 %']) assert.equal(isolated(text), text);
  });

  it('is what every policy schema asks of text that has no narrower form', () => {
    const folder = 'policies/schema';
    const found = readdirSync(folder).flatMap((file) => strings(JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')), file));
    assert.ok(found.length > 50, String(found.length));
    assert.deepEqual(found.filter(([, form]) => !('pattern' in form || 'enum' in form || 'const' in form)).map(([place]) => place), []);
    const free = found.filter(([, { pattern }]) => typeof pattern === 'string' && new RegExp(pattern, 'u').test('任意文字'));
    assert.deepEqual([...new Set(free.map(([, { pattern }]) => pattern))], [oneLinePattern], 'the same, letter by letter');
  });
});
