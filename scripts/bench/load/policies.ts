import path from 'node:path';
import { compilePolicyPack, readPolicyFiles } from '../../../src/policy/load.ts';
import type { CompiledPolicy } from '../../../src/policy/policy.ts';
import { loadCatalogue } from '../../../src/source/catalogue.ts';

const pack = path.resolve(import.meta.dirname, '../../../policies');

/** The sample pack with every rule `factor` times over, under new ids: the same decisions out of many more rules. */
export function packTimes(factor: number): CompiledPolicy {
  const files = readPolicyFiles(pack).map(({ file, bytes }) => ({ file, bytes: file.includes('rules/') ? repeated(bytes, factor) : bytes }));
  return compilePolicyPack(files, loadCatalogue(path.join(pack, 'catalogue')));
}

function repeated(bytes: Uint8Array, factor: number): Uint8Array {
  const text = new TextDecoder().decode(bytes);
  const start = text.indexOf('\nrules:\n') + '\nrules:\n'.length;
  const rules = text.slice(start);
  const copies = Array.from({ length: factor }, (_, copy) => (copy === 0 ? rules : rules.replace(/^(  - id: )(.*)$/gm, `$1$2-${copy}`)));
  return new TextEncoder().encode(`${text.slice(0, start)}${copies.join('\n')}\n`);
}
