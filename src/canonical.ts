import canonicalize from 'canonicalize';

/**
 * JSON Canonicalization Scheme (RFC 8785): equal values give equal bytes, so that digests and signatures
 * over JSON mean something. Throws on what JSON cannot hold.
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('not a JSON value');
  return text;
}

const encoder = new TextEncoder();

/** UTF-8 bytes of canonicalJson. */
export function canonicalBytes(value: unknown): Uint8Array<ArrayBuffer> {
  return encoder.encode(canonicalJson(value));
}
