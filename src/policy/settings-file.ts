import { readPolicyDocument, type PolicyDocument } from './document.ts';
import { readFile } from './load.ts';
import { policyBroken, type Problem } from './problem.ts';
import { shapeProblems } from './shape.ts';

/**
 * A YAML file of a pack that holds settings beside the policy, read as strictly as its rules and of its schema's shape.
 * Errors: POLICY_BROKEN with every problem and its place.
 */
export function readSettingsFile(folder: string, file: string, kind: Parameters<typeof shapeProblems>[0]): PolicyDocument {
  const problems: Problem[] = [];
  const read = readFile(folder, file, problems);
  const { document, problems: found } = read === undefined ? { document: undefined, problems: [] } : readPolicyDocument(read.file, read.bytes);
  problems.push(...found, ...(document === undefined ? [] : shapeProblems(kind, document)));
  if (document === undefined || problems.length > 0) throw policyBroken(problems);
  return document;
}
