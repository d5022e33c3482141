import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A log in between that can be dishonest: `alter` gets each path and body and gives what is served. */
export async function logProxy(target: string, alter: (path: string, body: Buffer) => Buffer | undefined): Promise<{ readonly url: string; readonly close: () => void }> {
  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    const answer = await fetch(target + path);
    const body = alter(path, Buffer.from(await answer.arrayBuffer()));
    response.writeHead(body === undefined ? 404 : answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
