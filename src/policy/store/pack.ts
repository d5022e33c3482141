import { createHash } from 'node:crypto';
import { canonicalJson } from '../../canonical.ts';
import type { Catalogue } from '../../vocabulary.ts';
import { compilePolicyPack, readPolicyFiles, type PolicyFile } from '../load.ts';
import type { CompiledPolicy } from '../policy.ts';
import { compareText, policyBroken, type Problem } from '../problem.ts';
import { readPolicyTests, runPolicyTests, type PolicyTestReport } from '../vectors.ts';
import { withheldFiles, type Closing } from './withhold-rules.ts';

/** A whole pack as text: `purposes.yaml`, `rules/*.yaml` and `tests/*.yaml` by name. */
export type Pack = Readonly<Record<string, string>>;
/** Files to put, or with null to remove. */
export type PackChanges = Readonly<Record<string, string | null>>;
export type FileChange = { readonly file: string; readonly change: 'added' | 'changed' | 'removed' };

/** Files a pack may consist of. */
export const packFileName = '^(purposes|(rules|tests)/[a-z0-9][a-z0-9_-]{0,60})\\.yaml$';
export const packFilesMax = 400;
/** UTF-16 units of one file: of its bytes the loader allows as many. */
export const packFileLengthMax = 524_288;
const packLengthMax = 8_388_608;

/** The pack of a folder. Errors: POLICY_BROKEN. */
export function readPack(folder: string): Pack {
  const files = [...readPolicyFiles(folder), ...readPolicyTests(folder)];
  return Object.fromEntries(files.map(({ file, bytes }) => [file, new TextDecoder().decode(bytes)]));
}

/** Canonical JSON: what is stored and what the digest is over. */
export function packText(pack: Pack): string {
  return canonicalJson(pack);
}

/** SHA-256, lower-case hex, of the files to the last letter: comments and tests too. */
export function packDigest(pack: Pack): string {
  return createHash('sha256').update(packText(pack)).digest('hex');
}

/**
 * @param closings what is withheld on top of what the files say
 * Errors: POLICY_BROKEN.
 */
export function compilePack(pack: Pack, catalogue: Catalogue, closings: readonly Closing[] = []): CompiledPolicy {
  const length = packText(pack).length;
  const problems: Problem[] = Object.keys(pack).filter((file) => !new RegExp(packFileName).test(file)).map((file) => whole(file, 'only purposes.yaml, rules/<dataset>.yaml and tests/<name>.yaml belong to a policy'));
  if (length > packLengthMax) problems.push(whole('purposes.yaml', `the files together have ${length} characters, more than the allowed ${packLengthMax}`));
  if (Object.keys(pack).length > packFilesMax) problems.push(whole('purposes.yaml', `more than ${packFilesMax} files`));
  if (problems.length > 0) throw policyBroken(problems);
  return compilePolicyPack(filesOf(closings.length === 0 ? pack : withheldFiles(pack, closings), (file) => !file.startsWith('tests/')), catalogue);
}

/** Runs the pack's own tests against it. Errors: POLICY_BROKEN when a test file is broken. */
export function testPack(pack: Pack, policy: CompiledPolicy): PolicyTestReport {
  return runPolicyTests(policy, filesOf(pack, (file) => file.startsWith('tests/')));
}

/** The pack after changes; names that are not there are removed without complaint. */
export function changedPack(pack: Pack, changes: PackChanges): Pack {
  return Object.fromEntries(Object.entries({ ...pack, ...changes }).filter((entry): entry is [string, string] => entry[1] !== null));
}

/** By name. */
export function packDifference(before: Pack, after: Pack): FileChange[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted(compareText).flatMap((file): FileChange[] => {
    if (before[file] === after[file]) return [];
    return [{ file, change: before[file] === undefined ? 'added' : after[file] === undefined ? 'removed' : 'changed' }];
  });
}

function filesOf(pack: Pack, wanted: (file: string) => boolean): PolicyFile[] {
  return Object.entries(pack).filter(([file]) => wanted(file)).map(([file, text]) => ({ file, bytes: new TextEncoder().encode(text) }));
}

function whole(file: string, problem: string): Problem {
  return { file, line: 1, column: 1, pointer: '', problem };
}
