import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { VeilgateError } from '../errors.ts';
import type { UploadedBlock, UploadMemory } from '../sdk/feature-upload.ts';

type Head = { readonly v: 1; readonly dataset: string; readonly gateway: string; readonly salt: string };

/**
 * What a department uploaded, one JSON object a line, beside its file: revisions and digests, no value. The salted
 * digests of what was encrypted are for this department alone, so only its owner can read the file. Losing it costs
 * one encryption of everything.
 * Errors: CONFIG_INVALID when the file is another dataset's or platform's, or no such file.
 */
export function fileMemory(file: string, dataset: string, gateway: string): UploadMemory {
  const known = new Map<string, UploadedBlock>();
  const name = (key: string, feature: string, block: number) => `${key} ${feature} ${block}`;
  let head: Head = { v: 1, dataset, gateway, salt: randomBytes(32).toString('base64url') };
  if (existsSync(file)) {
    const [first, ...rest] = readFileSync(file, 'utf8').split('\n');
    try {
      head = JSON.parse(first ?? '') as Head;
      // the last line may be cut off where the machine was: then the block is encrypted again
      rest.pop();
      for (const line of rest) {
        const block = JSON.parse(line) as UploadedBlock;
        known.set(name(block.key, block.feature, block.block), block);
      }
    } catch {
      throw new VeilgateError('CONFIG_INVALID', 'The file of what was uploaded cannot be read: remove it, and everything is encrypted anew.', { file });
    }
    if (head.v !== 1 || head.dataset !== dataset || head.gateway !== gateway) throw new VeilgateError('CONFIG_INVALID', 'The file of what was uploaded belongs to another dataset or platform: name another one with --state.', { file });
    dropCutLine(file);
  } else {
    writeFileSync(file, `${JSON.stringify(head)}\n`, { mode: 0o600, flag: 'wx' });
  }
  return {
    salt: new Uint8Array(createHash('sha256').update(head.salt).digest()),
    get: (key, feature, block) => known.get(name(key, feature, block)),
    async put(blocks) {
      for (const block of blocks) known.set(name(block.key, block.feature, block.block), block);
      appendFileSync(file, blocks.map((block) => `${JSON.stringify(block)}\n`).join(''));
    },
  };
}

/** What is appended must begin on a line of its own. */
function dropCutLine(file: string): void {
  const text = readFileSync(file, 'utf8');
  if (!text.endsWith('\n')) writeFileSync(file, text.slice(0, text.lastIndexOf('\n') + 1), { mode: 0o600 });
}
