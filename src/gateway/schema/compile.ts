import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { VeilgateError, type ErrorCode } from '../../errors.ts';
import { oneLinePattern, oneLineProblem } from '../../one-line.ts';

/** A JSON Schema 2020-12 object, as OpenAPI 3.1 takes it. */
export type JsonSchema = { readonly [keyword: string]: unknown };
/** Schemas with a name, reached from others by `{ $ref: '#/components/schemas/<name>' }`. */
export type NamedSchemas = Readonly<Record<string, JsonSchema>>;

const componentsPath = '#/components/schemas/';

/** A reference to a named schema. */
export const named = (name: string): JsonSchema => ({ $ref: `${componentsPath}${name}` });

/** Where a request broke its schema. */
export type RequestPart = 'path' | 'query' | 'body' | 'payload';

export type Validator = (value: unknown) => unknown;

const componentsId = 'urn:veilgate:components';

/**
 * Turns schemas into checks, all against one set of named schemas. Schemas of requests must bound every text,
 * list and object (`maxLength` or `enum`, `maxItems`, `additionalProperties`): one that does not is a defect
 * and throws when the gateway starts.
 */
export class SchemaCompiler {
  readonly #compile: Compile;
  readonly #schemas: NamedSchemas;

  constructor(schemas: NamedSchemas) {
    this.#schemas = schemas;
    this.#compile = compileAgainst(schemas);
  }

  /** @returns the value when it fits; throws `code` with part, pointer and the keyword that failed. */
  request(schema: JsonSchema, part: RequestPart, code: ErrorCode = 'REQUEST_INVALID'): Validator {
    refuseUnbounded(schema, this.#schemas, part);
    const validate = this.#compile(schema, part === 'path' || part === 'query');
    return (value) => {
      if (validate(value)) return value;
      throw requestInvalid(validate.errors?.[0], part, code);
    };
  }

  /** @returns undefined when the value fits, else where it does not; for the check of replies in tests. */
  reply(schema: JsonSchema): (value: unknown) => string | undefined {
    const validate = this.#compile(schema, false);
    return (value) => (validate(value) ? undefined : `${validate.errors?.[0]?.instancePath || '/'} ${validate.errors?.[0]?.keyword}`);
  }
}

type Compile = (schema: JsonSchema, coerceTypes: boolean) => ValidateFunction;

/** By the text of the named schemas, as few sets of them as there are interfaces. */
const compilers = new Map<string, Compile>();

/** Gateways of one process have the same schemas, and compiling them is a third of their start: each is compiled once. */
function compileAgainst(schemas: NamedSchemas): Compile {
  const text = JSON.stringify(schemas);
  const known = compilers.get(text);
  if (known !== undefined) return known;
  const [strict, coercing] = [ajv(schemas, false), ajv(schemas, true)];
  const compiled = new Map<string, ValidateFunction>();
  const compile: Compile = (schema, coerceTypes) => {
    const key = `${coerceTypes} ${JSON.stringify(schema)}`;
    const validate = compiled.get(key) ?? (coerceTypes ? coercing : strict).compile(absolute(schema) as JsonSchema);
    compiled.set(key, validate);
    return validate;
  };
  compilers.set(text, compile);
  return compile;
}

function ajv(schemas: NamedSchemas, coerceTypes: boolean): Ajv2020 {
  // one error is enough to refuse, and all of them could be made to cost
  const instance = new Ajv2020({ strict: true, strictTypes: true, strictTuples: true, allErrors: false, coerceTypes, ownProperties: true, allowUnionTypes: true });
  addFormats.default(instance);
  instance.addKeyword('x-unit'); // a unit for the reader
  instance.addSchema({ $id: componentsId, $defs: absolute(schemas) });
  return instance;
}

/** References of the document lead into the compiler's copy of the named schemas. */
function absolute(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(absolute);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, key === '$ref' && typeof value === 'string' && value.startsWith(componentsPath) ? value.replace(componentsPath, `${componentsId}#/$defs/`) : absolute(value)]));
}

const plainWord = /^([A-Za-z][A-Za-z_.]{0,79}|[0-9]{1,6})$/;

function requestInvalid(fault: ErrorObject | undefined, part: RequestPart, code: ErrorCode): VeilgateError {
  const missing = fault?.keyword === 'required' ? [String((fault.params as { missingProperty?: unknown }).missingProperty)] : [];
  // keys that are not plain words could be values: they stand as *
  const pointer = [...(fault?.instancePath ?? '').split('/').slice(1), ...missing].map((key) => `/${plainWord.test(key) ? key : '*'}`).join('').slice(0, 300);
  const rule = fault?.keyword ?? 'unknown';
  const reason = rule === 'pattern' && (fault?.params as { pattern?: unknown }).pattern === oneLinePattern ? oneLineProblem : ruleSentences[rule] ?? `breaks the rule \`${rule}\``;
  return new VeilgateError(code, `The ${part} of the request does not have the required form: ${pointer === '' ? 'it' : pointer} ${reason}. See /docs.`, { part, pointer, rule });
}

const ruleSentences: Readonly<Record<string, string>> = {
  required: 'is missing',
  additionalProperties: 'has a member that is not known',
  unevaluatedProperties: 'has a member that is not known',
  type: 'is of the wrong type',
  enum: 'is none of the values allowed',
  const: 'is not the value required',
  pattern: 'has the wrong form',
  format: 'has the wrong form',
  minLength: 'is too short',
  maxLength: 'is too long',
  minItems: 'has too few items',
  maxItems: 'has too many items',
  uniqueItems: 'has an item twice',
  minimum: 'is too small',
  maximum: 'is too large',
  minProperties: 'has too few members',
  maxProperties: 'has too many members',
};

/** Every input has a named maximum: a request schema without one does not start. */
function refuseUnbounded(schema: unknown, schemas: NamedSchemas, place: string, seen: ReadonlySet<unknown> = new Set()): void {
  if (typeof schema !== 'object' || schema === null || seen.has(schema)) return;
  const inside = new Set([...seen, schema]);
  const form = schema as JsonSchema;
  const types = [form['type']].flat();
  const finite = 'enum' in form || 'const' in form;
  const refuse = (what: string) => {
    throw new TypeError(`request schema at ${place}: ${what}`);
  };
  if (types.includes('string') && !finite && !('maxLength' in form) && form['format'] !== 'date' && !boundedPattern(form['pattern'])) refuse('a string without maxLength');
  if (types.includes('array') && !('maxItems' in form)) refuse('an array without maxItems');
  if (types.includes('object')) {
    const rest = form['additionalProperties'];
    if ((rest === undefined || rest === true) && form['unevaluatedProperties'] !== false) refuse('an object open to any member');
    if (typeof rest === 'object' && !('maxProperties' in form)) refuse('a map without maxProperties');
    if (typeof rest === 'object' && !('propertyNames' in form)) refuse('a map without propertyNames');
  }
  const reference = form['$ref'];
  if (typeof reference === 'string') {
    const path = reference.replace(componentsPath, '').split('/');
    const target = path.reduce<unknown>((part, key) => (typeof part === 'object' && part !== null ? (part as JsonSchema)[key] : undefined), schemas);
    if (target === undefined) refuse(`there is no schema ${reference}`);
    refuseUnbounded(target, schemas, `${place} → ${path.join('/')}`, inside);
  }
  for (const [key, value] of Object.entries(form)) {
    if (key === 'properties' || key === 'patternProperties' || key === '$defs') for (const [name, child] of Object.entries(value as object)) refuseUnbounded(child, schemas, `${place}/${name}`, inside);
    else if (['items', 'additionalProperties', 'not', 'if', 'then', 'else', 'propertyNames'].includes(key)) refuseUnbounded(value, schemas, `${place}/${key}`, inside);
    else if (['oneOf', 'anyOf', 'allOf', 'prefixItems'].includes(key)) for (const child of value as readonly unknown[]) refuseUnbounded(child, schemas, `${place}/${key}`, inside);
  }
}

/** A pattern for the whole text in which nothing repeats without end. */
function boundedPattern(pattern: unknown): boolean {
  return typeof pattern === 'string' && pattern.startsWith('^') && pattern.endsWith('$') && !/[*+]|,\}/.test(pattern.replace(/\[[^\]]*\]|\\./g, ''));
}
