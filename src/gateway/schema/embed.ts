import type { JsonSchema, NamedSchemas } from './compile.ts';

/**
 * Schema documents that know each other by `$id` as named schemas of the interface's description, so that what
 * a stage checks by itself is described by its own words.
 * @param documents name in the description → document with an `$id`
 */
export function embedSchemas(documents: Readonly<Record<string, JsonSchema>>): NamedSchemas {
  const names = new Map(Object.entries(documents).map(([name, document]) => [document['$id'], name]));
  return Object.fromEntries(
    Object.entries(documents).map(([name, { $id: _id, $schema: _schema, ...document }]) => [name, embedded(document, name, names) as JsonSchema]),
  );
}

function embedded(part: unknown, name: string, names: ReadonlyMap<unknown, string>): unknown {
  if (Array.isArray(part)) return part.map((item) => embedded(item, name, names));
  if (typeof part !== 'object' || part === null) return part;
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, key === '$ref' && typeof value === 'string' ? reference(value, name, names) : embedded(value, name, names)]));
}

function reference(target: string, name: string, names: ReadonlyMap<unknown, string>): string {
  const [document = '', fragment = ''] = target.split('#');
  const owner = document === '' ? name : names.get(document);
  if (owner === undefined) throw new TypeError(`schema ${name} refers to ${document}, which is not embedded with it`);
  return `#/components/schemas/${owner}${fragment}`;
}
