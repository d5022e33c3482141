import type { Json } from './route.ts';
import type { JsonSchema, NamedSchemas } from './schema/compile.ts';

export type SchemaRow = { readonly name: string; readonly depth: number; readonly required: boolean; /** HTML made here out of names and numbers of schemas. */ readonly type: string; readonly description: string };

const depthMax = 5;
const named = '#/components/schemas/';

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A schema's type in a few words, as HTML; references are links. */
export function typeOf(schema: JsonSchema): string {
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    const name = escaped(reference.replace(named, '').split('/')[0] ?? '');
    return `<a href="#schema-${name}">${name}</a>`;
  }
  if ('const' in schema) return `<code>${escaped(JSON.stringify(schema['const']))}</code>`;
  const words = schema['enum'];
  if (Array.isArray(words)) return words.length > 12 ? `one of ${words.length} words` : words.map((word) => `<code>${escaped(String(word))}</code>`).join(' | ');
  for (const key of ['oneOf', 'anyOf', 'allOf'] as const) {
    const parts = schema[key];
    if (Array.isArray(parts)) return parts.map((part: JsonSchema) => typeOf(part)).join(key === 'allOf' ? ' and ' : ' or ');
  }
  const type = [schema['type']].flat().map((word) => String(word ?? 'any')).join(' or ');
  if (type === 'array') return `list of ${typeOf((schema['items'] ?? {}) as JsonSchema)}${limit(schema, 'minItems', 'maxItems', 'items')}`;
  if (type.includes('string')) return `${escaped(typeof schema['format'] === 'string' ? schema['format'] : type)}${limit(schema, 'minLength', 'maxLength', 'characters')}`;
  if (type === 'integer' || type === 'number') return `${type}${limit(schema, 'minimum', 'maximum', '')}`;
  if (type === 'object' && typeof schema['additionalProperties'] === 'object') return `map to ${typeOf(schema['additionalProperties'] as JsonSchema)}`;
  return type;
}

function limit(schema: JsonSchema, low: string, high: string, unit: string): string {
  const [from, to] = [schema[low], schema[high]];
  if (from === undefined && to === undefined) return '';
  return ` <span class="limit">${from ?? ''}…${to ?? ''}${unit === '' ? '' : ` ${unit}`}</span>`;
}

/** The members of an object schema, nested ones below their parent; references are not followed but at the top. */
export function schemaRows(schema: JsonSchema, schemas: NamedSchemas, depth = 0): readonly SchemaRow[] {
  const form = depth === 0 ? resolved(schema, schemas) : schema;
  if (depth > depthMax) return [];
  const properties = Object.entries((form['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>);
  const required = (form['required'] ?? []) as readonly string[];
  return properties.flatMap(([name, member]) => {
    const inner = member['type'] === 'array' ? ((member['items'] ?? {}) as JsonSchema) : typeof member['additionalProperties'] === 'object' ? (member['additionalProperties'] as JsonSchema) : member;
    const row: SchemaRow = { name, depth, required: required.includes(name), type: typeOf(member), description: String(member['description'] ?? '') };
    return [row, ...(inner['properties'] === undefined ? [] : schemaRows(inner, schemas, depth + 1))];
  });
}

function resolved(schema: JsonSchema, schemas: NamedSchemas): JsonSchema {
  const reference = schema['$ref'];
  if (typeof reference !== 'string') return schema;
  const found = reference.replace(named, '').split('/').reduce<unknown>((part, key) => (part as JsonSchema | undefined)?.[key], schemas);
  return (found ?? {}) as JsonSchema;
}

/** A value that looks like what the schema describes: its own example, else the simplest. */
export function exampleOf(schema: JsonSchema, schemas: NamedSchemas, depth = 0): Json {
  const form = resolved(schema, schemas);
  const own = form['examples'];
  if (Array.isArray(own) && own.length > 0) return own[0] as Json;
  if ('const' in form) return form['const'] as Json;
  if (Array.isArray(form['enum'])) return form['enum'][0] as Json;
  for (const key of ['oneOf', 'anyOf', 'allOf'] as const) {
    const parts = form[key];
    if (Array.isArray(parts) && parts.length > 0) return exampleOf(parts[0] as JsonSchema, schemas, depth + 1);
  }
  switch ([form['type']].flat()[0]) {
    case 'object': {
      if (depth > depthMax) return {};
      return Object.fromEntries(Object.entries((form['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>).map(([name, member]) => [name, exampleOf(member, schemas, depth + 1)]));
    }
    case 'array': return depth > depthMax ? [] : [exampleOf((form['items'] ?? {}) as JsonSchema, schemas, depth + 1)];
    case 'integer':
    case 'number': return (form['minimum'] as number | undefined) ?? 0;
    case 'boolean': return true;
    case 'null': return null;
    default: return '…';
  }
}
