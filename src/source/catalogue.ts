import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { LineCounter, isMap, isPair, isScalar, parseDocument, type Document, type Node } from 'yaml';
import { VeilgateError } from '../errors.ts';
import { oneLinePattern, oneLineProblem } from '../one-line.ts';
import type { Cardinality, Catalogue, Classification, Dataset, DatasetId, Field, FieldRef, FieldType } from '../vocabulary.ts';

/** Datasets and fields are named by this and nothing else: such a name is safe in SQL, URLs and file names. */
export const identifierPattern = /^[a-z][a-z0-9_]{0,40}$/;
export const datasetCountMax = 200;
const fileSizeMaxBytes = 1_048_576;
const aliasCountMax = 100;
/** Names a field cannot have: the key every dataset has, and PostgreSQL's own columns. */
const reservedNames: ReadonlySet<string> = new Set(['subject', 'ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']);
const schemaFile = path.join(import.meta.dirname, '../../policies/schema/catalogue.schema.json');

/** Where a catalogue file is wrong. `line` counts from 1. */
export type CatalogueProblem = { readonly file: string; readonly line: number; readonly problem: string };

type FieldFile = Omit<Field, 'ref' | 'name' | 'required' | 'classification' | 'type'> & {
  readonly type: FieldType;
  readonly classification: Classification;
  readonly required?: boolean;
};
type DatasetFile = {
  readonly dataset: string;
  readonly title: Dataset['title'];
  readonly department: string;
  readonly cardinality: Cardinality;
  readonly freshnessDays: number;
  readonly fields: Readonly<Record<string, FieldFile>>;
};
type Report = (keys: readonly string[], problem: string) => void;

/**
 * Reads every `*.yaml` of the folder, one dataset each (docs/formats/catalogue.md), in order of their names.
 * All problems of all files are reported at once.
 * Errors: POLICY_BROKEN with detail `{ problems: CatalogueProblem[] }`.
 */
export function loadCatalogue(folder: string): Catalogue {
  const problems: CatalogueProblem[] = [];
  const datasets = new Map<DatasetId, Dataset>();
  const fields = new Map<FieldRef, Field>();
  const validate = compiled ??= compileSchema();
  for (const file of catalogueFiles(folder, problems)) {
    const dataset = loadDataset(folder, file, validate, problems);
    if (dataset === undefined) continue;
    datasets.set(dataset.id, dataset);
    for (const field of dataset.fields) fields.set(field.ref, field);
  }
  const first = problems[0];
  if (first !== undefined) {
    const more = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`;
    throw new VeilgateError('POLICY_BROKEN', `Correct the catalogue: ${first.file}, line ${first.line}: ${first.problem}${more}.`, { problems });
  }
  return { datasets, fields };
}

/** Of the schema of a dataset's file, from the first catalogue on. */
let compiled: ValidateFunction<DatasetFile> | undefined;

function compileSchema(): ValidateFunction<DatasetFile> {
  const ajv = new Ajv({ allErrors: true, strict: true, strictRequired: false, strictTypes: false });
  return ajv.compile<DatasetFile>(JSON.parse(readFileSync(schemaFile, 'utf8')) as object);
}

function catalogueFiles(folder: string, problems: CatalogueProblem[]): string[] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name)).sort();
  } catch {
    throw new VeilgateError('POLICY_BROKEN', 'The catalogue folder cannot be read: check the configured path.', { problems: [] });
  }
  if (names.length === 0) problems.push({ file: '.', line: 1, problem: 'the folder holds no dataset (*.yaml)' });
  if (names.length > datasetCountMax) problems.push({ file: '.', line: 1, problem: `more than ${datasetCountMax} datasets` });
  return names.slice(0, datasetCountMax);
}

function loadDataset(folder: string, file: string, validate: ValidateFunction<DatasetFile>, problems: CatalogueProblem[]): Dataset | undefined {
  const text = readFileSync(path.join(folder, file), 'utf8');
  if (Buffer.byteLength(text) > fileSizeMaxBytes) {
    problems.push({ file, line: 1, problem: `the file is larger than ${fileSizeMaxBytes} bytes` });
    return undefined;
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const before = problems.length;
  for (const fault of [...document.errors, ...document.warnings]) {
    problems.push({ file, line: lines.linePos(fault.pos[0]).line, problem: `not valid YAML: ${fault.message}` });
  }
  if (problems.length > before) return undefined;
  const report: Report = (keys, problem) => {
    problems.push({ file, line: lineOf(document, lines, keys), problem: `${keys.length === 0 ? '' : `${keys.join('.')}: `}${problem}` });
  };
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: aliasCountMax });
  } catch {
    report([], `not valid YAML: more than ${aliasCountMax} aliases`);
    return undefined;
  }
  if (!validate(content)) {
    for (const [keys, problem] of schemaProblems(validate.errors ?? [])) report(keys, problem);
    return undefined;
  }
  checkMeaning(content, file, report);
  return problems.length > before ? undefined : datasetOf(content);
}

/** ajv's findings in plain words, one for each place; what only repeats another finding is left out. */
function schemaProblems(errors: readonly ErrorObject[]): [string[], string][] {
  const found = new Map<string, [string[], string]>();
  for (const { instancePath, keyword, params, message, propertyName } of errors) {
    if (keyword === 'if' || keyword === 'oneOf' || keyword === 'propertyNames') continue;
    const keys = instancePath.split('/').slice(1).map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    const extra = params['additionalProperty'] as string | undefined;
    const problem =
      extra !== undefined ? 'is not a key that belongs here'
      : propertyName !== undefined ? 'is not a valid name'
      : keyword === 'false schema' ? 'does not belong to a field of this type'
      : keyword === 'enum' ? `must be one of ${(params['allowedValues'] as readonly unknown[]).join(', ')}`
      : keyword === 'const' ? `must be ${String(params['allowedValue'])}`
      : params['pattern'] === oneLinePattern ? oneLineProblem
      : (message ?? 'is not valid');
    const last = extra ?? propertyName;
    const place = last === undefined ? keys : [...keys, last];
    // `oneOf` reports every alternative it tried: the alternatives' kinds say nothing new about one place
    const id = keyword === 'const' && keys.at(-1) === 'kind' ? `${instancePath} kind` : `${place.join('/')} ${problem}`;
    if (!found.has(id)) found.set(id, [place, id.endsWith(' kind') ? 'must be one, per_period or many, each with its own keys' : problem]);
  }
  return [...found.values()];
}

/** What JSON Schema cannot say. */
function checkMeaning(content: DatasetFile, file: string, report: Report): void {
  if (file.replace(/\.ya?ml$/, '') !== content.dataset) report(['dataset'], `the file must be called ${content.dataset}.yaml`);
  for (const [name, field] of Object.entries(content.fields)) {
    if (reservedNames.has(name)) report(['fields', name], 'is a reserved name');
    checkField(field, ['fields', name], report);
  }
  checkCardinality(content, report);
}

function checkField(field: FieldFile, at: readonly string[], report: Report): void {
  const { min, max, pattern, type } = field;
  if (min !== undefined && max !== undefined && min > max) report([...at, 'min'], 'is greater than max');
  if (type === 'decimal' && Math.max(Math.abs(min ?? 0), Math.abs(max ?? 0)) > 1e15) report([...at, 'max'], 'a decimal cannot reach beyond 10^15');
  if (pattern === undefined) return;
  try {
    wholePattern(pattern);
  } catch {
    report([...at, 'pattern'], 'is not a valid regular expression');
  }
}

function checkCardinality({ cardinality, fields }: DatasetFile, report: Report): void {
  const check = (key: 'periodField' | 'recordField', name: string, types: readonly FieldType[]) => {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    const at = ['cardinality', key];
    if (field === undefined) report(at, `there is no field ${name}`);
    else if (!types.includes(field.type)) report(at, `the field ${name} must be of type ${types.join(' or ')}`);
    else if (field.required !== true) report(at, `the field ${name} must be required`);
  };
  if (cardinality.kind === 'one') return;
  if (cardinality.periodField !== undefined) check('periodField', cardinality.periodField, ['date']);
  if (cardinality.kind === 'many') check('recordField', cardinality.recordField, ['text', 'code', 'integer']);
}

function datasetOf(content: DatasetFile): Dataset {
  return {
    id: content.dataset as DatasetId,
    title: content.title,
    department: content.department,
    cardinality: content.cardinality,
    freshnessDays: content.freshnessDays,
    fields: Object.entries(content.fields).map(([name, field]) => ({
      ...field,
      ref: `${content.dataset}.${name}` as FieldRef,
      name,
      required: field.required ?? false,
    })),
  };
}

/** The line of the deepest key of `keys` that is there. */
function lineOf(document: Document, lines: LineCounter, keys: readonly string[]): number {
  let node: unknown = document.contents;
  let offset = (document.contents as Node | null)?.range?.[0] ?? 0;
  for (const key of keys) {
    if (!isMap(node)) break;
    const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === key);
    if (pair === undefined) break;
    offset = (pair.key as Node).range?.[0] ?? offset;
    node = pair.value;
  }
  return lines.linePos(offset).line;
}

/** A field's `pattern` as the expression that the whole text must match. */
export function wholePattern(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`, 'u');
}

/** Names of the columns that tell a dataset's rows apart, after `subject`. */
export function keyFields(dataset: Dataset): readonly string[] {
  const { cardinality } = dataset;
  switch (cardinality.kind) {
    case 'one':
      return [];
    case 'per_period':
      return [cardinality.periodField];
    case 'many':
      return [cardinality.recordField];
    default:
      return cardinality satisfies never;
  }
}

/** Name of the field that says which time a row is about. */
export function periodField(dataset: Dataset): string | undefined {
  return dataset.cardinality.kind === 'one' ? undefined : dataset.cardinality.periodField;
}
