import { createServer } from 'node:http';
import { VeilgateError } from '../errors.ts';

/** Where a browser on this machine brings the enterprise's decision back to. */
export type CallbackListener = {
  readonly redirectUri: string;
  /** The first callback that carries the state asked for; anything else that knocks is turned away. Errors: REQUEST_TIMEOUT. */
  readonly callback: (state: string, timeoutMs: number) => Promise<string>;
  readonly close: () => void;
};

const page = (text: string) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Veilgate</title><p>${text}</p></html>`;

/** Listens on the loopback address only. Errors: CONFIG_INVALID when the port is taken. */
export async function listenForCallback(port: number): Promise<CallbackListener> {
  const redirectUri = `http://127.0.0.1:${port}/callback`;
  let expected: { readonly state: string; readonly found: (url: string) => void } | undefined;
  const server = createServer({ maxHeaderSize: 16_384, requestTimeout: 10_000 }, (request, response) => {
    const url = URL.parse(request.url ?? '', redirectUri);
    const ours = request.method === 'GET' && url?.pathname === '/callback' && expected !== undefined && url.searchParams.get('state') === expected.state;
    response.writeHead(ours ? 200 : 404, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'content-security-policy': "default-src 'none'", connection: 'close' });
    response.end(page(ours ? 'The decision has reached the bank\'s machine. You can close this page.' : 'There is nothing here.'));
    if (ours) expected?.found(url.href);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', () => reject(new VeilgateError('CONFIG_INVALID', 'This port cannot be listened on: choose another one that is registered as a redirect URI.', { port })));
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    redirectUri,
    callback: (state, timeoutMs) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new VeilgateError('REQUEST_TIMEOUT', 'The enterprise has not decided in time: ask again when its representative is there.')), timeoutMs);
        expected = {
          state,
          found: (url) => {
            clearTimeout(timer);
            resolve(url);
          },
        };
      }),
    close: () => {
      server.close();
      server.closeIdleConnections();
    },
  };
}
