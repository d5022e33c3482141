import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { VeilgateError } from '../errors.ts';
import type { PolicyFiles } from '../sdk/policies.ts';
import { readJson } from './secret-file.ts';

/** What a folder was pulled from; stands beside the files, so that it lives in git with them. */
export type PulledFrom = { readonly version: number; readonly digest: string; /** SHA-256 of each file as it was pulled. */ readonly files: Readonly<Record<string, string>> };

const markFile = '.veilgate-policy.json';
const fileShape = /^(purposes|(rules|tests)\/[a-z0-9][a-z0-9_-]{0,60})\.yaml$/;
const markLengthMax = 131_072;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Errors: CONFIG_INVALID for a folder that was never pulled into. */
export function pulledFrom(folder: string): PulledFrom {
  if (!existsSync(path.join(folder, markFile))) throw new VeilgateError('CONFIG_INVALID', 'Nothing was pulled into this folder yet: `veilgate policy pull` first, so that it is known what you change.', { folder });
  return readJson(path.join(folder, markFile), markLengthMax) as PulledFrom;
}

/** The files of a pack that are in a folder; empty when it is not there. */
export function filesIn(folder: string): PolicyFiles {
  const names = ['purposes.yaml', ...['rules', 'tests'].flatMap((sub) => (existsSync(path.join(folder, sub)) ? readdirSync(path.join(folder, sub)).map((name) => `${sub}/${name}`) : []))];
  return Object.fromEntries(names.filter((name) => fileShape.test(name) && existsSync(path.join(folder, name))).toSorted().map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]));
}

export type Pulled = { readonly written: readonly string[]; readonly removed: readonly string[]; /** Changed here only, and left so. */ readonly kept: readonly string[] };

/**
 * Brings a version's files into a folder. What was changed here stays; nothing is written at all when a file was
 * changed on both sides.
 * Errors: POLICY_BASIS_STALE with the files in `both`.
 */
export function pullInto(folder: string, { version, digest, files }: { readonly version: number; readonly digest: string; readonly files: PolicyFiles }): Pulled {
  const here = filesIn(folder);
  const base = existsSync(path.join(folder, markFile)) ? pulledFrom(folder).files : {};
  const written: string[] = [];
  const removed: string[] = [];
  const kept: string[] = [];
  const both: string[] = [];
  for (const name of new Set([...Object.keys(here), ...Object.keys(files)])) {
    if (!fileShape.test(name)) throw new VeilgateError('CONFIG_INVALID', 'The gateway names a file that is none of a policy: nothing was written.');
    const [mine, theirs] = [here[name], files[name]];
    if (mine === theirs) continue;
    const changedHere = (mine === undefined ? undefined : sha256(mine)) !== base[name];
    const changedThere = (theirs === undefined ? undefined : sha256(theirs)) !== base[name];
    if (changedHere && changedThere) both.push(name);
    else if (changedHere) kept.push(name);
    else if (theirs === undefined) removed.push(name);
    else written.push(name);
  }
  if (both.length > 0) throw new VeilgateError('POLICY_BASIS_STALE', `Changed here and on the platform: ${both.join(', ')}. Nothing was written: pull into another folder and bring the two together.`, { both });
  for (const name of written) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), files[name] ?? '');
  }
  for (const name of removed) rmSync(path.join(folder, name));
  const mark: PulledFrom = { version, digest, files: Object.fromEntries(Object.entries(files).map(([name, text]) => [name, sha256(text)])) };
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, markFile), `${JSON.stringify(mark, null, 2)}\n`);
  return { written, removed, kept };
}
