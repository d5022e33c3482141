import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import calendarSchema from '../../policies/schema/calendar.schema.json' with { type: 'json' };
import featuresSchema from '../../policies/schema/features.schema.json' with { type: 'json' };
import jointSchema from '../../policies/schema/joint.schema.json' with { type: 'json' };
import purposesSchema from '../../policies/schema/purposes.schema.json' with { type: 'json' };
import rulesSchema from '../../policies/schema/rules.schema.json' with { type: 'json' };
import scoringSchema from '../../policies/schema/scoring.schema.json' with { type: 'json' };
import selfAccessSchema from '../../policies/schema/self-access.schema.json' with { type: 'json' };
import testsSchema from '../../policies/schema/tests.schema.json' with { type: 'json' };
import { oneLinePattern, oneLineProblem } from '../one-line.ts';
import { pointerOf, type PolicyDocument } from './document.ts';
import { didYouMean, type Problem } from './problem.ts';

// the schemas are the program's own, never the checked folder's: a pack cannot loosen what it is checked against
const ajv = new Ajv({ allErrors: true, verbose: true, discriminator: true, strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true });
const validators = {
  calendar: ajv.compile(calendarSchema),
  features: ajv.compile(featuresSchema),
  joint: ajv.compile(jointSchema),
  purposes: ajv.compile(purposesSchema),
  rules: ajv.compile(rulesSchema),
  scoring: ajv.compile(scoringSchema),
  selfAccess: ajv.compile(selfAccessSchema), // after the rules, whose treatments it refers to
  tests: ajv.compile(testsSchema),
} satisfies Record<string, ValidateFunction>;

/** Checks a document against one of policies/schema/*.json; each problem stands where an editor would mark it. */
export function shapeProblems(kind: keyof typeof validators, document: PolicyDocument): Problem[] {
  const validate = validators[kind];
  if (validate(document.value)) return [];
  return (validate.errors ?? []).flatMap((error) => {
    const found = describe(error);
    return found === undefined ? [] : [document.problemAt(found.pointer, found.problem, found.target)];
  });
}

type Found = { pointer: string; problem: string; target?: 'key' | 'value' };

function describe(error: ErrorObject): Found | undefined {
  const pointer = error.instancePath;
  const params = error.params as Record<string, unknown>;
  if (error.propertyName !== undefined) return undefined; // the propertyNames error that follows says it with the key's place
  switch (error.keyword) {
    case 'if':
      return undefined; // the error of its branch says what is wrong
    case 'additionalProperties': {
      const key = String(params['additionalProperty']);
      const known = Object.keys((error.parentSchema?.['properties'] as object | undefined) ?? {});
      return { pointer: pointer + pointerOf(key), problem: `unknown key "${key}"${didYouMean(key, known)}; known here: ${known.join(', ')}`, target: 'key' };
    }
    case 'propertyNames': {
      const key = String(params['propertyName']);
      return { pointer: pointer + pointerOf(key), problem: `"${key}" cannot be a name here`, target: 'key' };
    }
    case 'required':
      return { pointer, problem: `the key "${String(params['missingProperty'])}" is missing` };
    case 'enum': {
      const allowed = (params['allowedValues'] as unknown[]).map(String);
      return { pointer, problem: `must be one of ${allowed.join(', ')}${typeof error.data === 'string' ? didYouMean(error.data, allowed) : ''}` };
    }
    case 'discriminator': {
      const tag = String(params['tag']);
      const branches = (error.parentSchema?.['oneOf'] ?? []) as { properties?: Record<string, { const?: string }> }[];
      const allowed = branches.flatMap((branch) => branch.properties?.[tag]?.const ?? []);
      const given = params['tagValue'];
      const hint = typeof given === 'string' ? didYouMean(given, allowed) : '';
      return { pointer: pointer + pointerOf(tag), problem: `"${tag}" must be one of ${allowed.join(', ')}${hint}` };
    }
    case 'const':
      return { pointer, problem: `must be ${JSON.stringify(params['allowedValue'])}${typeof error.data === 'string' ? didYouMean(error.data, [String(params['allowedValue'])]) : ''}` };
    case 'pattern':
      return { pointer, problem: params['pattern'] === oneLinePattern ? oneLineProblem : `must match ${String(params['pattern'])}` };
    case 'uniqueItems':
      return { pointer: pointer + pointerOf(Math.max(Number(params['i']), Number(params['j']))), problem: 'the same entry stands here twice' };
    default:
      return { pointer, problem: error.message ?? error.keyword };
  }
}
