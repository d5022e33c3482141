import { concat, type Bytes } from './bytes.ts';

/** The body of an answer, or undefined when it is longer than `lengthMax` bytes; never reads on beyond that. */
export async function limitedBody(response: Response, lengthMax: number): Promise<Bytes | undefined> {
  const reader = response.body?.getReader();
  if (reader === undefined) return new Uint8Array(0);
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > lengthMax) {
      await reader.cancel();
      return undefined;
    }
    parts.push(part.value);
  }
  return concat(...parts);
}
