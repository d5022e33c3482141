import { hash } from 'node:crypto';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import modelSchema from '../../../policies/schema/model.schema.json' with { type: 'json' };
import { canonicalJson } from '../../canonical.ts';
import { VeilgateError } from '../../errors.ts';
import { oneLinePattern, oneLineProblem } from '../../one-line.ts';
import type { Model } from '../protocol.ts';
import { modelFromJson, modelToJson, type ModelJson } from './document.ts';

/** One thing that is wrong with a model document; the pointer is RFC 6901. */
export type ModelProblem = { readonly pointer: string; readonly problem: string };

const problemsMax = 50;
const ajv = new Ajv({ allErrors: true, strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true });
let compiled: ValidateFunction | undefined; // with the first model: most processes start without one

/** Checks a model document against policies/schema/model.schema.json and in itself. Errors: MODEL_INVALID with every problem and its place. */
export function parseModel(json: unknown): Model {
  const validate = compiled ??= ajv.compile(modelSchema);
  if (!validate(json)) throw modelInvalid((validate.errors ?? []).flatMap(shapeProblem));
  const document = json as ModelJson;
  const problems = [...termProblems(document), ...bandProblems(document), ...reasonProblems(document)];
  if (problems.length > 0) throw modelInvalid(problems);
  return modelFromJson(document);
}

/** SHA-256, lower-case hex, of the canonical JSON of the model's document: what is approved. */
export function modelDigest(model: Model): string {
  return hash('sha256', canonicalJson(modelToJson(model)), 'hex');
}

/** Errors of a document and its places, as one. */
export function modelInvalid(problems: readonly ModelProblem[]): VeilgateError {
  const [first] = problems;
  const where = first === undefined ? '' : ` First: ${first.pointer === '' ? 'the document' : first.pointer} ${first.problem}.`;
  return new VeilgateError('MODEL_INVALID', `The model is not valid in ${problems.length === 1 ? 'one place' : `${problems.length} places`}: correct it and send it again.${where}`, { problems: problems.slice(0, problemsMax), count: problems.length });
}

function shapeProblem({ instancePath, keyword, params, message }: ErrorObject): ModelProblem[] {
  const facts = params as Readonly<Record<string, unknown>>;
  switch (keyword) {
    case 'additionalProperties': return [{ pointer: instancePath, problem: `has an unknown key${plainName(facts['additionalProperty'])}` }];
    case 'required': return [{ pointer: instancePath, problem: `lacks the key "${String(facts['missingProperty'])}"` }];
    case 'not': return [{ pointer: instancePath, problem: 'must not be 0: leave the term out' }];
    case 'uniqueItems': return [{ pointer: instancePath, problem: 'holds an entry twice' }];
    default: return [{ pointer: instancePath, problem: facts['pattern'] === oneLinePattern ? oneLineProblem : message ?? `breaks the rule ${keyword}` }];
  }
}

/** Keys that are words may be repeated in an error; anything else stays unsaid. */
function plainName(name: unknown): string {
  return typeof name === 'string' && /^[A-Za-z_$]{1,40}$/.test(name) ? ` "${name}"` : '';
}

function termProblems({ terms }: ModelJson): ModelProblem[] {
  return repeats(terms.map(({ feature }) => feature)).map((at) => ({ pointer: `/terms/${at}/feature`, problem: 'stands in the model twice: add the weights up' }));
}

function bandProblems({ bands }: ModelJson): ModelProblem[] {
  return [
    ...bands.flatMap(({ from }, at): ModelProblem[] => {
      if (at === 0) return from === null ? [] : [{ pointer: '/bands/0/from', problem: 'must be null: the first band takes every score below the second' }];
      if (from === null) return [{ pointer: `/bands/${at}/from`, problem: 'must be a score: only the first band begins nowhere' }];
      const before = bands[at - 1]?.from ?? -Infinity;
      return from > before ? [] : [{ pointer: `/bands/${at}/from`, problem: 'must be above the band before' }];
    }),
    ...repeats(bands.map(({ code }) => code)).map((at) => ({ pointer: `/bands/${at}/code`, problem: 'is the code of another band' })),
  ];
}

/** Groups must not overlap: a bank could subtract one from the other and be left with what they differ in. */
function reasonProblems({ terms, reasons }: ModelJson): ModelProblem[] {
  const known = new Set(terms.map(({ feature }) => feature));
  const taken = new Set<string>();
  return [
    ...repeats(reasons.map(({ code }) => code)).map((at) => ({ pointer: `/reasons/${at}/code`, problem: 'is the code of another reason' })),
    ...reasons.flatMap(({ features }, at) => features.flatMap((feature, index): ModelProblem[] => {
      const pointer = `/reasons/${at}/features/${index}`;
      const problem = !known.has(feature) ? 'is not among the terms' : taken.has(feature) ? 'stands in another reason already' : undefined;
      taken.add(feature);
      return problem === undefined ? [] : [{ pointer, problem }];
    })),
  ];
}

/** Indices of values that stood before. */
function repeats(values: readonly string[]): number[] {
  const seen = new Set<string>();
  return values.flatMap((value, at) => {
    if (seen.has(value)) return [at];
    seen.add(value);
    return [];
  });
}
