// A small node for server.test.ts: says what happens on standard output.
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLog } from '../../src/gateway/log.ts';
import { runProcesses } from '../../src/gateway/server-processes.ts';

const log = createLog({ level: 'info' });
let ready = 0;
let told = false;
const isReady = (port: number) => {
  ready += 1;
  if (!told) console.log(`port ${port}`);
  told = true;
  console.log(`ready ${ready}`);
};
if (cluster.isPrimary) cluster.on('listening', (_worker, { port }) => isReady(port));

await runProcesses({
  workers: Number(process.argv[2]),
  log,
  exit: (code) => process.exit(code),
  primary: async () => ({ stop: async () => console.log('primary stopped') }),
  worker: async () => {
    const server = createServer((_request, response) => response.end(String(process.pid)));
    server.listen(0, '127.0.0.1', () => {
      if (cluster.isPrimary) isReady((server.address() as AddressInfo).port);
    });
    return {
      stop: async () => {
        console.log('worker stopped');
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  },
});
