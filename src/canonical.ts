/**
 * JSON Canonicalization Scheme (RFC 8785): equal values give equal bytes, so that digests and signatures
 * over JSON mean something. Members that are undefined are left out, as JSON.stringify does.
 * Own code because it runs four times in every query (docs/decisions/0005-canonical-json.md).
 * Throws a TypeError on what JSON cannot hold: non-finite numbers, lone surrogates, functions, undefined.
 */
export function canonicalJson(value: unknown): string {
  if (!inOrder(value)) return container(value as object);
  // ECMAScript writes texts and numbers as RFC 8785 asks for (sections 3.2.2.2 and 3.2.2.3): what stands in order is only written down
  const json = JSON.stringify(value);
  if (json.includes(loneSurrogate) && !isWellFormed(value)) throw new TypeError('not Unicode text');
  return json;
}

/** How JSON.stringify writes half of a surrogate pair; an escaped backslash before `ud` looks the same. */
const loneSurrogate = '\\ud';

/** Whether every object in it names its members in order (section 3.2.3: by UTF-16 code units). Throws on numbers and members that JSON cannot hold. */
function inOrder(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean': return true;
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError('not a JSON number');
      return true;
    case 'object':
      if (value === null) return true;
      if (Array.isArray(value)) {
        for (let at = 0; at < value.length; at += 1) if (value[at] !== undefined && !inOrder(value[at])) return false;
        return true;
      }
      return membersInOrder(value as Readonly<Record<string, unknown>>);
    default: throw new TypeError('not a JSON value');
  }
}

function membersInOrder(value: Readonly<Record<string, unknown>>): boolean {
  if (typeof value['toJSON'] === 'function') return false;
  let before = '';
  // makes no array of the names; inherited ones, which JSON leaves out, only spoil the order or change nothing
  for (const name in value) {
    if (before > name) return false;
    before = name;
    const member = value[name];
    if (member !== undefined && !inOrder(member)) return false;
  }
  return true;
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, member]) => name.isWellFormed() && isWellFormed(member));
}

function container(value: object): string {
  if (Array.isArray(value)) {
    let items = '';
    for (let at = 0; at < value.length; at += 1) items += (at === 0 ? '' : ',') + canonicalJson(value[at] ?? null);
    return `[${items}]`;
  }
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return canonicalJson((value as { toJSON: () => unknown }).toJSON());
  let members = '';
  for (const name of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[name];
    if (member === undefined) continue;
    members += `${members === '' ? '' : ','}${canonicalJson(name)}:${canonicalJson(member)}`;
  }
  return `{${members}}`;
}

const encoder = new TextEncoder();

/** UTF-8 bytes of canonicalJson. */
export function canonicalBytes(value: unknown): Uint8Array<ArrayBuffer> {
  return encoder.encode(canonicalJson(value));
}
