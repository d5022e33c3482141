import type { IncomingMessage } from 'node:http';
import { Refusal } from './refusal.ts';

/** A whole body of at most `maxBytes`; what is longer, late, encoded or cut off is refused, and read no further. */
export function readBody(request: IncomingMessage, maxBytes: number, timeoutMs: number): Promise<Uint8Array> {
  const { 'content-type': type, 'content-encoding': encoding, 'content-length': length } = request.headers;
  if (type !== 'application/octet-stream' || encoding !== undefined || Number(length ?? 0) > maxBytes) return Promise.reject(new Refusal('body', 'malformed'));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let received = 0;
    const refuse = () => {
      stop();
      request.pause();
      reject(new Refusal('body', 'malformed'));
    };
    const timer = setTimeout(refuse, timeoutMs);
    const onData = (chunk: Buffer) => {
      received += chunk.length;
      if (received > maxBytes) refuse();
      else chunks.push(chunk);
    };
    const onEnd = () => {
      stop();
      resolve(Buffer.concat(chunks, received));
    };
    const stop = () => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('error', refuse).off('close', refuse);
      request.on('error', () => {}); // a connection that breaks later concerns nobody
    };
    request.on('data', onData).on('end', onEnd).on('error', refuse).on('close', refuse);
  });
}
