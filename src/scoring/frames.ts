/**
 * Several byte strings as one body: each behind its length, four bytes, big-endian. What gateway and custodian send
 * each other. Portable.
 */

const lengthBytes = 4;

export function joinFrames(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + lengthBytes + part.length, 0));
  const view = new DataView(joined.buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part.length);
    joined.set(part, at + lengthBytes);
    at += lengthBytes + part.length;
  }
  return joined;
}

/** How many bytes a body of parts of these lengths has. */
export function framedLength(lengths: readonly number[]): number {
  return lengths.reduce((sum, length) => sum + lengthBytes + length, 0);
}

/** The parts, as views of `bytes`; undefined when they are more than `partsMax` or do not fill the body exactly. */
export function splitFrames(bytes: Uint8Array, partsMax: number): Uint8Array[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    if (parts.length === partsMax || bytes.length - at < lengthBytes) return undefined;
    const length = view.getUint32(at);
    at += lengthBytes;
    if (length > bytes.length - at) return undefined;
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return parts;
}
