import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { loadCatalogue } from '../../../src/source/catalogue.ts';
import { copyOfRules, pack } from './policies.ts';

type Purposes = { readonly purposes: Readonly<Record<string, { readonly minimum?: readonly string[] } & Readonly<Record<string, unknown>>>> } & Readonly<Record<string, unknown>>;

/**
 * Writes a policy folder of the size of a national platform: the sample pack with copies of its datasets and rules until
 * there are `fieldsMin` fields, and each purpose twice. A gateway can be started with it.
 * @returns how large it became
 */
export function writeLargePack(folder: string, fieldsMin: number): { readonly fields: number; readonly purposes: number } {
  cpSync(pack, folder, { recursive: true });
  const { fields } = loadCatalogue(path.join(pack, 'catalogue'));
  const copies = Array.from({ length: Math.ceil(fieldsMin / fields.size) - 1 }, (_, at) => at + 2);
  const purposes = parse(readFileSync(path.join(pack, 'purposes.yaml'), 'utf8')) as Purposes;
  const twice = Object.entries(purposes.purposes).flatMap(([code, purpose]) => {
    const wider = { ...purpose, ...(purpose.minimum === undefined ? {} : { minimum: [...purpose.minimum, ...copies.flatMap((copy) => purpose.minimum?.map((pattern) => pattern.replace('.', `_${copy}.`)) ?? [])] }) };
    return [[code, wider], [`${code}_2`, wider]] as const;
  });
  writeFileSync(path.join(folder, 'purposes.yaml'), stringify({ ...purposes, purposes: Object.fromEntries(twice) }, { aliasDuplicateObjects: false }));
  for (const file of readdirSync(path.join(pack, 'catalogue'))) {
    const text = readFileSync(path.join(pack, 'catalogue', file), 'utf8');
    for (const copy of copies) writeFileSync(path.join(folder, 'catalogue', file.replace('.yaml', `_${copy}.yaml`)), text.replace(/^dataset: (.*)$/m, `dataset: $1_${copy}`));
  }
  mkdirSync(path.join(folder, 'rules'), { recursive: true });
  for (const file of readdirSync(path.join(pack, 'rules')).map((name) => `rules/${name}`)) {
    const bytes = new TextEncoder().encode(forBoth(readFileSync(path.join(pack, file), 'utf8')));
    for (const each of [{ file, bytes }, ...copies.map((copy) => copyOfRules({ file, bytes }, copy))]) writeFileSync(path.join(folder, each.file), each.bytes);
  }
  return { fields: fields.size * (copies.length + 1), purposes: twice.length };
}

/** What a rule opens for a purpose it opens for the purpose's second as well; `'*'` is both already. */
function forBoth(rules: string): string {
  return rules.replaceAll(/^( +purposes: )\[([a-z0-9_, ]+)\]$/gm, (_, head: string, codes: string) => `${head}[${codes.split(',').flatMap((code) => [code.trim(), `${code.trim()}_2`]).join(', ')}]`);
}
