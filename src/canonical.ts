/**
 * JSON Canonicalization Scheme (RFC 8785): equal values give equal bytes, so that digests and signatures
 * over JSON mean something. Members that are undefined are left out, as JSON.stringify does.
 * Own code because it runs four times in every query (docs/decisions/0005-canonical-json.md).
 * Throws a TypeError on what JSON cannot hold: non-finite numbers, lone surrogates, functions, undefined.
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string': return text(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError('not a JSON number');
      // ECMAScript's shortest form is the one RFC 8785 section 3.2.2.3 asks for
      return Object.is(value, -0) ? '0' : String(value);
    case 'boolean': return value ? 'true' : 'false';
    case 'object': return value === null ? 'null' : container(value);
    default: throw new TypeError('not a JSON value');
  }
}

function container(value: object): string {
  if (Array.isArray(value)) {
    let items = '';
    for (let at = 0; at < value.length; at += 1) items += (at === 0 ? '' : ',') + canonicalJson(value[at] ?? null);
    return `[${items}]`;
  }
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return canonicalJson((value as { toJSON: () => unknown }).toJSON());
  const names = Object.keys(value);
  if (!inOrder(names)) names.sort(); // by UTF-16 code units (section 3.2.3)
  let members = '';
  for (const name of names) {
    const member = (value as Record<string, unknown>)[name];
    if (member === undefined) continue;
    members += `${members === '' ? '' : ','}${text(name)}:${canonicalJson(member)}`;
  }
  return `{${members}}`;
}

/** Most objects here are written in order already, and looking costs a fifth of sorting. */
function inOrder(names: readonly string[]): boolean {
  for (let at = 1; at < names.length; at += 1) if ((names[at - 1] as string) > (names[at] as string)) return false;
  return true;
}

/** What must be escaped, or may not stand in text at all. */
const special = /["\\\u0000-\u001f\ud800-\udfff]/;

function text(value: string): string {
  if (!special.test(value)) return `"${value}"`;
  if (!value.isWellFormed()) throw new TypeError('not Unicode text');
  return JSON.stringify(value);
}

const encoder = new TextEncoder();

/** UTF-8 bytes of canonicalJson. */
export function canonicalBytes(value: unknown): Uint8Array<ArrayBuffer> {
  return encoder.encode(canonicalJson(value));
}
