import { hash } from 'node:crypto';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import projectSchema from '../../../policies/schema/joint-project.schema.json' with { type: 'json' };
import { dayMs, isIsoDate, shanghaiDate } from '../../calendar.ts';
import { canonicalJson } from '../../canonical.ts';
import { VeilgateError } from '../../errors.ts';
import { jointParameters } from '../../he/joint-parameters.ts';
import { oneLinePattern, oneLineProblem } from '../../one-line.ts';
import type { Catalogue, Field, TimeMs } from '../../vocabulary.ts';
import { costFor } from '../noise/accountant.ts';
import { projectFromJson, projectToJson, type JointProject, type JointProjectJson } from './document.ts';
import type { JointSettings } from './settings.ts';

/** One thing that is wrong with a project; the pointer is RFC 6901. */
export type ProjectProblem = { readonly pointer: string; readonly problem: string };

const problemsMax = 50;
const ajv = new Ajv({ allErrors: true, strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true });
let compiled: ValidateFunction | undefined; // with the first project: most processes start without one

/** Checks a project against policies/schema/joint-project.schema.json and in itself. Errors: JOINT_PROJECT_INVALID with every problem and its place. */
export function parseProject(json: unknown): JointProject {
  const validate = compiled ??= ajv.compile(projectSchema);
  if (!validate(json)) throw projectInvalid((validate.errors ?? []).map(shapeProblem));
  const document = json as JointProjectJson;
  const problems = [
    ...repeats(document.columns.map(({ name }) => name)).map((at) => ({ pointer: `/columns/${at}/name`, problem: 'is the name of another column' })),
    ...repeats(document.partner_columns.map(({ name }) => name)).map((at) => ({ pointer: `/partner_columns/${at}/name`, problem: 'is the name of another column' })),
    ...document.columns.flatMap(({ encoding }, at) => encodingProblems(encoding).map((problem) => ({ pointer: `/columns/${at}/encoding`, problem }))),
    ...datasetProblems(document),
    ...(isIsoDate(document.ends_on) ? [] : [{ pointer: '/ends_on', problem: 'is no day of the calendar' }]),
  ];
  if (problems.length > 0) throw projectInvalid(problems);
  return projectFromJson(document);
}

/** What a project asks beyond the platform's limits and catalogue of this moment. */
export function limitProblems(project: JointProject, settings: JointSettings, catalogue: Catalogue, nowMs: TimeMs): ProjectProblem[] {
  const { budget } = project;
  const allowed = settings.budgets.project;
  const budgetFits = budget.delta <= allowed.delta && costFor(budget.epsilon, budget.delta) <= costFor(allowed.epsilon, allowed.delta);
  const rules: readonly (readonly [boolean, string, string])[] = [
    [project.cohortMin >= settings.cohortMin, '/cohort_min', `must be ${settings.cohortMin} at least`],
    [project.cohortMin <= settings.cohortMax, '/cohort_min', `must be ${settings.cohortMax} at most`],
    [budgetFits, '/budget', `is more than the platform allows a project: epsilon ${allowed.epsilon} at delta ${allowed.delta}`],
    [project.endsOn >= shanghaiDate(nowMs), '/ends_on', 'is over'],
    [project.endsOn <= shanghaiDate((nowMs + settings.projectDaysMax * dayMs) as TimeMs), '/ends_on', `is more than ${settings.projectDaysMax} days away`],
  ];
  return [
    ...rules.flatMap(([holds, pointer, problem]) => (holds ? [] : [{ pointer, problem }])),
    ...project.columns.flatMap(({ source, encoding }, at): ProjectProblem[] => {
      const field = catalogue.fields.get(source);
      const problem = field === undefined ? undefined : typeProblem(field, encoding);
      if (problem !== undefined) return [{ pointer: `/columns/${at}/encoding`, problem }];
      if (encoding.kind === 'steps' && encoding.steps * project.cohortMin > jointParameters.weightSumMax) {
        return [{ pointer: `/columns/${at}/encoding`, problem: `has too many steps for a cohort of ${project.cohortMin}: ${Math.floor(jointParameters.weightSumMax / project.cohortMin)} at most` }];
      }
      return [];
    }),
  ];
}

/** SHA-256, lower-case hex, of the canonical JSON of the project's document: what is approved. */
export function projectDigest(project: JointProject): string {
  return hash('sha256', canonicalJson(projectToJson(project)), 'hex');
}

/** Errors of a document and its places, as one. */
export function projectInvalid(problems: readonly ProjectProblem[]): VeilgateError {
  const [first] = problems;
  const where = first === undefined ? '' : ` First: ${first.pointer === '' ? 'the document' : first.pointer} ${first.problem}.`;
  return new VeilgateError('JOINT_PROJECT_INVALID', `The project is not valid in ${problems.length === 1 ? 'one place' : `${problems.length} places`}: correct it and propose it again.${where}`, { problems: problems.slice(0, problemsMax), count: problems.length });
}

function shapeProblem({ instancePath, keyword, params, message }: ErrorObject): ProjectProblem {
  const facts = params as Readonly<Record<string, unknown>>;
  if (keyword === 'required') return { pointer: instancePath, problem: `lacks the key "${String(facts['missingProperty'])}"` };
  const key = facts['additionalProperty'];
  if (keyword === 'additionalProperties') return { pointer: instancePath, problem: `has an unknown key${typeof key === 'string' && /^[A-Za-z_$]{1,40}$/.test(key) ? ` "${key}"` : ''}` };
  if (facts['pattern'] === oneLinePattern) return { pointer: instancePath, problem: oneLineProblem };
  return { pointer: instancePath, problem: message ?? `breaks the rule ${keyword}` };
}

type EncodingText = { readonly kind: string; readonly edges?: readonly number[]; readonly codes?: readonly string[]; readonly min?: number; readonly max?: number; readonly steps?: number };

function encodingProblems({ kind, edges, codes, min, max, steps }: EncodingText): string[] {
  const range = [min, max, steps];
  if (kind === 'steps') {
    if (edges !== undefined || codes !== undefined || range.includes(undefined)) return ['needs min, max and steps and nothing else: a column without bounds cannot be summed'];
    return (min as number) < (max as number) ? [] : ['must have its max above its min'];
  }
  if ((edges === undefined) === (codes === undefined) || range.some((each) => each !== undefined)) return ['needs either edges or codes and nothing else: a column without bounds cannot be counted'];
  return edges?.some((edge, at) => at > 0 && edge <= (edges[at - 1] as number)) === true ? ['must have ascending edges'] : [];
}

function datasetProblems({ datasets, columns }: JointProjectJson): ProjectProblem[] {
  const used = new Set(columns.map(({ source }) => source.split('.')[0] as string));
  return [
    ...datasets.flatMap((dataset, at) => (used.has(dataset) ? [] : [{ pointer: `/datasets/${at}`, problem: 'is the dataset of no column' }])),
    ...columns.flatMap(({ source }, at) => (datasets.includes(source.split('.')[0] as string) ? [] : [{ pointer: `/columns/${at}/source`, problem: 'is of a dataset that is not declared' }])),
  ];
}

function typeProblem(field: Field, encoding: JointProject['columns'][number]['encoding']): string | undefined {
  const number = field.type === 'integer' || field.type === 'decimal';
  if (encoding.kind === 'bins' && 'codes' in encoding) {
    const known = field.type === 'boolean' ? ['true', 'false'] : field.type === 'code' ? Object.keys(field.codes ?? {}) : [];
    return encoding.codes.every((code) => known.includes(code)) ? undefined : 'names codes that the field does not have';
  }
  return number ? undefined : 'is for numbers, which the field is not: name its codes';
}

/** Indices of values that stood before. */
function repeats(values: readonly string[]): number[] {
  return values.flatMap((value, at) => (values.indexOf(value) < at ? [at] : []));
}
