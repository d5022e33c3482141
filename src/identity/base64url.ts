const alphabet = /^[A-Za-z0-9_-]*$/;
/** Last characters whose unused low bits are zero: of two left-over characters, of three. */
const canonicalLast = { 2: 'AQgw', 3: 'AEIMQUYcgkosw048' } as const;

/**
 * True for the one canonical base64url text of some bytes (RFC 4648 section 5, no padding): alphabet only, a
 * possible length, unused bits zero. Decoders accept far more; whoever compares or stores text must not.
 */
export function isBase64url(text: string): boolean {
  if (!alphabet.test(text)) return false;
  const rest = text.length % 4;
  if (rest === 0) return true;
  if (rest === 1) return false;
  return canonicalLast[rest as 2 | 3].includes(text.charAt(text.length - 1));
}

/** The bytes of canonical base64url text; undefined for any other text. */
export function decodeBase64url(text: string): Buffer | undefined {
  return isBase64url(text) ? Buffer.from(text, 'base64url') : undefined;
}
