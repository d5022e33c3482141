import type { Response } from 'express';
import type { StreamReply } from './route.ts';

/**
 * Writes an answer of unknown length at the reader's pace. A reader who takes nothing for `stallMs` is cut off: whoever asks and
 * does not read holds memory and a connection. A throw of the source passes on; the answer is then left unfinished.
 */
export async function sendStream({ mediaType, stream }: StreamReply, response: Response, stallMs: number): Promise<void> {
  response.writeHead(200, { 'Content-Type': mediaType });
  if (response.req.method === 'HEAD') {
    response.end();
    return;
  }
  for await (const chunk of stream) {
    if (response.destroyed) return;
    if (!response.write(chunk)) await drained(response, stallMs);
  }
  response.end();
}

async function drained(response: Response, stallMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => response.destroy(), stallMs);
    const done = () => {
      clearTimeout(timer);
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.once('drain', done);
    response.once('close', done);
  });
}
