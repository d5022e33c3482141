/**
 * How blocks travel, many behind each other in one body (`application/vnd.veilgate.feature-blocks`): 4 bytes with the
 * envelope's length, 4 bytes with the ciphertext's, both little-endian, then envelope (ASCII) and ciphertext.
 */
export type Frame = { readonly envelope: string; readonly ciphertext: Uint8Array<ArrayBuffer> };

export const frameMediaType = 'application/vnd.veilgate.feature-blocks';
export const frameHeadBytes = 8;
/** Characters of an envelope. */
export const envelopeLengthMax = 4096;
/** Bytes of the longest ciphertext of any parameter set. */
export const ciphertextBytesMax = 262_144;
/** Frames of one body. */
export const framesMax = 64;
/** Bytes of one body. */
export const framesBytesMax = framesMax * (frameHeadBytes + envelopeLengthMax + ciphertextBytesMax);

/** One frame as bytes. */
export function writeFrame({ envelope, ciphertext }: Frame): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(frameHeadBytes + envelope.length + ciphertext.length);
  const head = new DataView(frame.buffer);
  head.setUint32(0, envelope.length, true);
  head.setUint32(4, ciphertext.length, true);
  frame.set(new TextEncoder().encode(envelope), frameHeadBytes);
  frame.set(ciphertext, frameHeadBytes + envelope.length);
  return frame;
}

/**
 * Frames as they arrive; holds one at a time.
 * @throws whatever `refuse` makes, when lengths are beyond the maxima, there are too many, or the last is not whole
 */
export async function* readFrames(source: AsyncIterable<Uint8Array>, refuse: (problem: string, frame: number) => Error): AsyncGenerator<Frame> {
  let count = 0;
  let held = new Uint8Array(frameHeadBytes);
  let filled = 0;
  let body: { readonly envelope: number } | undefined;
  for await (const chunk of source) {
    let at = 0;
    while (at < chunk.length) {
      const taken = Math.min(chunk.length - at, held.length - filled);
      held.set(chunk.subarray(at, at + taken), filled);
      filled += taken;
      at += taken;
      if (filled < held.length) continue;
      if (body === undefined) {
        if (count === framesMax) throw refuse(`more than ${framesMax} blocks`, count);
        const head = new DataView(held.buffer);
        const envelope = head.getUint32(0, true);
        const ciphertext = head.getUint32(4, true);
        if (envelope === 0 || envelope > envelopeLengthMax || ciphertext === 0 || ciphertext > ciphertextBytesMax) throw refuse('a length that no block has', count);
        body = { envelope };
        held = new Uint8Array(envelope + ciphertext);
      } else {
        // a frame's bytes are its own: `held` is never used again
        yield { envelope: new TextDecoder('latin1').decode(held.subarray(0, body.envelope)), ciphertext: held.slice(body.envelope) };
        count += 1;
        body = undefined;
        held = new Uint8Array(frameHeadBytes);
      }
      filled = 0;
    }
  }
  if (filled > 0 || body !== undefined) throw refuse('the last block is not whole', count);
}
