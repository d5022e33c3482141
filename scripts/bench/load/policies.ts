import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadPolicyPack } from '../../../src/policy/load.ts';
import type { CompiledPolicy } from '../../../src/policy/policy.ts';
import { loadCatalogue } from '../../../src/source/catalogue.ts';

const pack = path.resolve(import.meta.dirname, '../../../policies');

/** The sample pack with every rule `factor` times over, under new ids: the same decisions out of many more rules. */
export async function packTimes(factor: number): Promise<CompiledPolicy> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-policies-'));
  try {
    cpSync(pack, folder, { recursive: true });
    const rules = path.join(folder, 'rules');
    for (const name of readdirSync(rules)) {
      const text = readFileSync(path.join(rules, name), 'utf8');
      const start = text.indexOf('\nrules:\n') + '\nrules:\n'.length;
      const copies = Array.from({ length: factor }, (_, copy) => (copy === 0 ? text.slice(start) : text.slice(start).replace(/^(  - id: )(.*)$/gm, `$1$2-${copy}`)));
      writeFileSync(path.join(rules, name), `${text.slice(0, start)}${copies.join('\n')}\n`);
    }
    return loadPolicyPack(folder, loadCatalogue(path.join(pack, 'catalogue')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
