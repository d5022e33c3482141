import { hash } from 'node:crypto';
import { sampleSubject } from '../../../scripts/sample/subjects.ts';
import { identityCheckDigit } from '../../../src/source/values.ts';
import type { Catalogue, Dataset, Field } from '../../../src/vocabulary.ts';

/** A value that exists once in the world, and what it was planted as. */
export type Canary = { readonly name: string; readonly text: string };

export type Planted = {
  /** One row of each dataset as CSV. */
  readonly csv: ReadonlyMap<string, string>;
  /** One canary for each field whose values can be told apart from anything else. */
  readonly canaries: readonly Canary[];
};

const lastMonth = new Date(Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth() - 1, 1)).toISOString().slice(0, 10);

/**
 * A row of each dataset for one enterprise in which every value is valid and, where the type leaves room, unique.
 * @param seed two digits; other seeds give other canaries
 */
export function plant(catalogue: Catalogue, subject: string, seed: number): Planted {
  const canaries: Canary[] = [];
  const csv = new Map<string, string>();
  let n = 0;
  for (const dataset of catalogue.datasets.values()) {
    const cells = dataset.fields.map((field) => {
      n += 1;
      const text = valueFor(dataset, field, seed, n);
      if (tellsApart(dataset, field, text)) canaries.push({ name: field.ref, text });
      return text;
    });
    csv.set(dataset.id, `${['subject', ...dataset.fields.map(({ name }) => name)].join()}\n${[subject, ...cells].join()}\n`);
  }
  return { csv, canaries };
}

/** Codes, flags, small numbers and the dates of periods stand in many places for other reasons. */
function tellsApart(dataset: Dataset, field: Field, text: string): boolean {
  const isPeriod = 'periodField' in dataset.cardinality && dataset.cardinality.periodField === field.name;
  return field.type !== 'code' && field.type !== 'boolean' && !isPeriod && text.replace(/[^0-9A-Za-z\u4e00-\u9fff]/g, '').length >= 7;
}

function valueFor(dataset: Dataset, field: Field, seed: number, n: number): string {
  const serial = String(seed * 1000 + n).padStart(5, '0');
  switch (field.type) {
    case 'code': return Object.keys(field.codes ?? {})[0] ?? '';
    case 'boolean': return 'true';
    case 'integer': return String(Math.min(field.max ?? Infinity, Number(`7${serial}31415926`.slice(0, Math.max(1, String(field.max ?? 0).length - 1)))));
    case 'decimal': return field.max === 100 ? `37.${serial.slice(-(field.scale ?? 1))}` : `7${serial}.${`${serial}2718`.slice(0, field.scale ?? 1)}`;
    case 'date': return 'periodField' in dataset.cardinality && dataset.cardinality.periodField === field.name ? lastMonth : `19${60 + ((n + seed) % 39)}-0${1 + (n % 9)}-${10 + (n % 18)}`;
    case 'text': return textFor(field, serial, n);
    default: return field.type satisfies never;
  }
}

function textFor({ name, check, pattern, maxLength }: Field, serial: string, n: number): string {
  if (check === 'identity_number') {
    const first17 = `9901${serial.slice(0, 2)}${1960 + (n % 39)}0${1 + (n % 9)}1${n % 10}${serial.slice(-3)}`;
    return first17 + identityCheckDigit(first17);
  }
  if (check === 'uscc') return sampleSubject(Number(serial), 78);
  if (pattern?.startsWith('1[3-9]')) return `139${serial}271`;
  if (pattern?.includes('@')) return `canary.${serial}@aviary-${serial}.example`;
  if (pattern === '\\d{10,16}') return `6228${serial}3141`;
  if (pattern === '\\d{12,25}') return `62284804${serial}314159`;
  if (pattern === '[1-8]\\d{5}') return '330106';
  if (pattern?.startsWith('[A-Z0-9')) return `CNRY${serial}XQ`;
  return `${name.includes('address') ? '浙江省杭州市西湖区' : ''}金丝雀${serial}号鸣禽`.slice(0, maxLength);
}

/** Every way a text is likely to be written down: as it is, escaped, encoded, hashed without salt. */
function spellings(text: string): readonly Buffer[] {
  const bytes = Buffer.from(text, 'utf8');
  const aligned = [0, 1, 2].map((shift) => Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64').slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6)));
  const escaped = [...text].map((character) => (character > '\x7f' ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : character)).join('');
  return [...new Set([
    text, escaped, escaped.replaceAll(/\\u(....)/g, (_, code: string) => `\\u${code.toUpperCase()}`), encodeURIComponent(text), bytes.toString('hex'), bytes.toString('hex').toUpperCase(),
    ...aligned, ...aligned.map((encoded) => encoded.replaceAll('+', '-').replaceAll('/', '_')), [...text].reverse().join(''),
    ...(['sha256', 'sha1', 'md5'] as const).flatMap((algorithm) => [hash(algorithm, text, 'hex'), hash(algorithm, text, 'base64').slice(0, 40), hash(algorithm, text, 'base64url').slice(0, 40)]),
  ])].filter((spelling) => spelling.length >= 7).map((spelling) => Buffer.from(spelling));
}

/** Names of the canaries whose text stands in the bytes in any spelling. */
export function found(canaries: readonly Canary[], bytes: Buffer): readonly string[] {
  return canaries.filter(({ text }) => spellings(text).some((spelling) => stands(spelling, bytes))).map(({ name }) => name);
}

/** A number counts only where it is not part of a longer one. */
function stands(spelling: Buffer, bytes: Buffer): boolean {
  const isDigit = (byte: number | undefined) => byte !== undefined && byte >= 0x30 && byte <= 0x39;
  const isNumber = isDigit(spelling[0]) && isDigit(spelling.at(-1));
  for (let at = bytes.indexOf(spelling); at >= 0; at = bytes.indexOf(spelling, at + 1)) {
    if (!isNumber || (!isDigit(bytes[at - 1]) && !isDigit(bytes[at + spelling.length]))) return true;
  }
  return false;
}
