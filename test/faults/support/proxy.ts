import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** `silence`: nothing arrives any more and nobody is told. `cut`: both sides see the connection break. */
export type Fault = 'silence' | 'cut';
/** Which half of the last exchange is lost: the server never sees the commit, or its answer never arrives. */
export type Lost = 'commit' | 'answer';

/** The network between a gateway and PostgreSQL, as a test wants it. */
export type Network = {
  readonly port: number;
  /** From now on, on all connections and new ones. */
  readonly fail: (fault: Fault) => void;
  /** The next transaction that releases answers breaks at its commit, on its connection alone. */
  readonly failAtCommit: (lost: Lost, fault: Fault) => void;
  /** Connections that were silent are gone; new ones work. */
  readonly restore: () => void;
  readonly close: () => void;
};

const commit = Buffer.from('commit\0');
const committed = Buffer.from('COMMIT\0');
const releasing = Buffer.from('consent lock grants');

export async function startNetwork(targetPort: number): Promise<Network> {
  let general: Fault | undefined;
  let atCommit: { readonly lost: Lost; readonly fault: Fault } | undefined;
  const links = new Set<Link>();
  const server = createServer((client) => {
    if (general === 'cut') {
      client.resetAndDestroy();
      return;
    }
    const link = makeLink(client, targetPort, general === 'silence', () => {
      const armed = atCommit;
      atCommit = undefined;
      return armed;
    });
    links.add(link);
    client.on('close', () => links.delete(link));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    fail(fault) {
      general = fault;
      for (const link of links) link.fail(fault);
    },
    failAtCommit(lost, fault) {
      atCommit = { lost, fault };
    },
    restore() {
      general = undefined;
      for (const link of links) if (link.silent()) link.drop();
    },
    close() {
      server.close();
      for (const link of links) link.drop();
    },
  };
}

type Link = { readonly fail: (fault: Fault) => void; readonly silent: () => boolean; readonly drop: () => void };

function makeLink(client: Socket, targetPort: number, startsSilent: boolean, takeArmed: () => { readonly lost: Lost; readonly fault: Fault } | undefined): Link {
  const target = connect(targetPort, '127.0.0.1');
  let silent = startsSilent;
  let releases = false;
  const drop = () => {
    client.destroy();
    target.destroy();
  };
  const fail = (fault: Fault) => {
    if (fault === 'silence') silent = true;
    else {
      client.resetAndDestroy();
      target.resetAndDestroy();
    }
  };
  for (const socket of [client, target]) {
    socket.setNoDelay(true);
    socket.on('error', () => {});
    // on a silent line, not even the end of the other side is noticed
    socket.on('close', () => { if (!silent) drop(); });
  }
  client.on('data', (chunk: Buffer) => {
    if (silent) return;
    releases ||= chunk.includes(releasing);
    const armed = releases && chunk.includes(commit) ? takeArmed() : undefined;
    if (chunk.includes(commit)) releases = false;
    if (armed === undefined) {
      target.write(chunk);
    } else if (armed.lost === 'commit') {
      fail(armed.fault);
    } else {
      target.write(chunk);
      target.removeAllListeners('data');
      // answers of the statements before the commit may come first
      target.on('data', (answer: Buffer) => { if (answer.includes(committed)) fail(armed.fault); });
    }
  });
  target.on('data', (chunk: Buffer) => { if (!silent) client.write(chunk); });
  return { fail, silent: () => silent, drop };
}
