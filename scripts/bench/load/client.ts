/**
 * A load generator that costs little itself: HTTP/1.1 over kept-open sockets, requests made beforehand as bytes,
 * answers read only as far as status and length. It talks to 127.0.0.1 and to nothing else.
 */
import { connect, type Socket } from 'node:net';
import { quantile } from '../report.ts';

export type LoadResult = {
  readonly requests: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers by status; anything but 200 means the figure is not one of the main job. */
  readonly statuses: Readonly<Record<string, number>>;
};

export type LoadOptions = {
  readonly port: number;
  readonly connections: number;
  /** Complete requests, each sent once. */
  readonly requests: readonly Buffer[];
  /** Sends at this pace whatever the answers do (open loop); absent: as fast as answers come (closed loop). */
  readonly perSecond?: number;
};

/** Sends every request once and measures. Open-loop latency counts from when a request was due, not when it could be sent. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const latencies = new Float64Array(options.requests.length);
  const statuses: Record<string, number> = {};
  const sockets = await openConnections(options);
  const started = performance.now();
  let next = 0;
  await Promise.all(
    sockets.map(async (socket) => {
      for (let at = next++; at < options.requests.length; at = next++) {
        let due = performance.now();
        if (options.perSecond !== undefined) {
          due = started + (at * 1000) / options.perSecond;
          const wait = due - performance.now();
          if (wait > 0.5) await new Promise((resolve) => setTimeout(resolve, wait));
        }
        const status = await socket.send(options.requests[at] ?? Buffer.alloc(0));
        latencies[at] = performance.now() - due;
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  for (const socket of sockets) socket.close();
  latencies.sort();
  return {
    requests: options.requests.length,
    seconds,
    perSecond: options.requests.length / seconds,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    statuses,
  };
}

/** Callers come one after another: of connections opened in one instant a cluster gives most to the process that happens to be awake. */
async function openConnections({ connections, port }: LoadOptions): Promise<Connection[]> {
  const opened: Connection[] = [];
  while (opened.length < connections) {
    opened.push(await openConnection(port));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return opened;
}

type Connection = { readonly send: (request: Buffer) => Promise<number>; readonly close: () => void };

async function openConnection(port: number): Promise<Connection> {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  let received: Buffer = Buffer.alloc(0);
  let answered: ((status: number) => void) | undefined;
  let failed: ((reason: Error) => void) | undefined;
  socket.on('data', (chunk) => {
    received = received.length === 0 ? (chunk as Buffer) : Buffer.concat([received, chunk as Buffer]);
    const headEnd = received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = received.toString('latin1', 0, headEnd);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    if (received.length < headEnd + 4 + length) return;
    received = received.subarray(headEnd + 4 + length);
    answered?.(Number(head.slice(9, 12)));
  });
  socket.on('close', () => failed?.(new Error('the server closed a connection')));
  socket.on('error', (error) => failed?.(error));
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        answered = resolve;
        failed = reject;
        socket.write(request);
      }),
    close: () => socket.destroy(),
  };
}
