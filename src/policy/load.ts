import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Catalogue } from '../vocabulary.ts';
import { conflictProblems, duplicateIdProblems } from './conflicts.ts';
import { fileBytesMax, readPolicyDocument, type PolicyDocument } from './document.ts';
import { assemblePolicy, type CompiledPolicy } from './policy.ts';
import { compareText, policyBroken, type Problem } from './problem.ts';
import { compilePurposes } from './purpose.ts';
import { compileRules } from './rules-file.ts';
import { shapeProblems } from './shape.ts';
import type { PurposesText } from './text.ts';
import { packWarnings } from './warnings.ts';

/** One file of a pack: its name relative to the pack's folder, with `/`. */
export type PolicyFile = { readonly file: string; readonly bytes: Uint8Array };

const filesMax = 200;
const rulesMax = 5000;

/**
 * Reads and compiles `purposes.yaml` and `rules/*.yaml` of a folder.
 * Errors: POLICY_BROKEN, with every problem and its place in `detail.problems`.
 */
export function loadPolicyPack(folder: string, catalogue: Catalogue): CompiledPolicy {
  return compilePolicyPack(readPolicyFiles(folder), catalogue);
}

/** The files a pack consists of, sorted by name. Errors: POLICY_BROKEN. */
export function readPolicyFiles(folder: string): PolicyFile[] {
  const problems: Problem[] = [];
  const files = ['purposes.yaml', ...listYaml(folder, 'rules', problems)].flatMap((file) => readFile(folder, file, problems) ?? []);
  if (problems.length > 0) throw policyBroken(problems);
  return files;
}

/** Names of the YAML files in a sub-folder. A file that would be passed over in silence might be a deny: refused. */
export function listYaml(folder: string, sub: string, problems: Problem[]): string[] {
  let names: string[];
  try {
    names = readdirSync(path.join(folder, sub)).filter((name) => !name.startsWith('.')).toSorted(compareText);
  } catch {
    problems.push(wholeFile(sub, `the folder ${sub} cannot be read`));
    return [];
  }
  if (names.length > filesMax) problems.push(wholeFile(sub, `more than ${filesMax} files`));
  for (const name of names) {
    if (!name.endsWith('.yaml')) problems.push(wholeFile(`${sub}/${name}`, 'only files called <name>.yaml belong here: rename or remove it'));
  }
  return names.filter((name) => name.endsWith('.yaml')).slice(0, filesMax).map((name) => `${sub}/${name}`);
}

export function readFile(folder: string, file: string, problems: Problem[]): PolicyFile | undefined {
  const full = path.join(folder, file);
  try {
    const stat = lstatSync(full);
    if (!stat.isFile()) problems.push(wholeFile(file, 'not a regular file'));
    else if (stat.size > fileBytesMax) problems.push(wholeFile(file, `the file has ${stat.size} bytes, more than the allowed ${fileBytesMax}`));
    else return { file, bytes: readFileSync(full) };
  } catch {
    problems.push(wholeFile(file, 'the file is missing or cannot be read'));
  }
  return undefined;
}

function wholeFile(file: string, problem: string): Problem {
  return { file, line: 1, column: 1, pointer: '', problem };
}

/** Compiles a pack that is not, or not yet, on disk. Errors: POLICY_BROKEN. */
export function compilePolicyPack(files: readonly PolicyFile[], catalogue: Catalogue): CompiledPolicy {
  const problems: Problem[] = [];
  const documents = files.toSorted((a, b) => compareText(a.file, b.file)).flatMap((file) => wellFormed(file, problems) ?? []);
  const purposesDocument = documents.find(({ file }) => file === 'purposes.yaml');
  if (!files.some(({ file }) => file === 'purposes.yaml')) problems.push(wholeFile('purposes.yaml', 'the file is missing'));
  if (purposesDocument === undefined) throw policyBroken(problems);

  const purposes = compilePurposes(purposesDocument, catalogue, problems);
  const rulesDocuments = documents.filter((document) => document !== purposesDocument);
  const byFile = new Map(rulesDocuments.map((document) => [document.file, document]));
  const rules = rulesDocuments.flatMap((document) => compileRules(document, catalogue, purposes, problems));
  if (rules.length > rulesMax) problems.push(wholeFile('rules', `more than ${rulesMax} rules`));
  else problems.push(...duplicateIdProblems(rules, byFile), ...conflictProblems(rules, byFile));
  if (problems.length > 0) throw policyBroken(problems);

  return assemblePolicy(catalogue, purposes, rules, purposesDocument.value as PurposesText, (table) =>
    packWarnings(table, catalogue, purposes, rules, purposesDocument, rulesDocuments));
}

/** The document of a file that is YAML of the right shape. */
function wellFormed({ file, bytes }: PolicyFile, problems: Problem[]): PolicyDocument | undefined {
  const { document, problems: found } = readPolicyDocument(file, bytes);
  problems.push(...found);
  if (document === undefined) return undefined;
  const shape = shapeProblems(file === 'purposes.yaml' ? 'purposes' : 'rules', document);
  problems.push(...shape);
  return shape.length === 0 ? document : undefined;
}
