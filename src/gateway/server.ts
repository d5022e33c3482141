import { readFileSync } from 'node:fs';
import http, { type RequestListener, type Server } from 'node:http';
import https from 'node:https';
import { BlockList, isIP, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { VeilgateError, type ErrorCode } from '../errors.ts';
import type { Config } from './config.ts';
import { isLoopback } from './config-checks.ts';
import { faultFacts, type Log } from './log.ts';
import { problemOf } from './problem.ts';

/** The settings a server needs; a second server (the authorization server) passes its own host and port. */
export type ServerConfig = Pick<Config, 'host' | 'port' | 'tlsCertFile' | 'tlsKeyFile' | 'tlsTerminatedByProxy' | 'trustedProxies' | 'connections' | 'drainSeconds' | 'headersTimeoutSeconds' | 'requestTimeoutSeconds' | 'uploadTimeoutSeconds'>;

export type RunningServer = {
  /** Where it listens, such as `http://127.0.0.1:8080`; no slash at the end. */
  readonly url: string;
  readonly port: number;
  /** True from the call of `stop` on. */
  readonly draining: () => boolean;
  /** Takes no more connections, lets requests under way finish for `drainSeconds`, then cuts off. @returns requests cut off */
  readonly stop: () => Promise<number>;
  /** Reads certificate and key again; keeps the old ones when the new ones are no good. */
  readonly reloadTls: () => void;
};

const headerBytesMax = 16_384;
const headersMax = 64;
/** How often open connections are held against the timeouts below. */
const checkIntervalMs = 1000;
const keepAliveMs = 65_000;

/**
 * Listens. Slow callers are cut off: headers, bodies, pauses and idle connections all have their time.
 * @param listener an express app, or any request listener
 * Errors: CONFIG_INVALID when the address cannot be listened on.
 */
export async function startServer(listener: RequestListener, config: ServerConfig, log: Log): Promise<RunningServer> {
  // counted, not collected: a Set leaves its former tables behind, and those keep alive what they held until old objects are collected
  let underWay = 0;
  let draining = false;
  const counting: RequestListener = (request, response) => {
    underWay += 1;
    response.once('close', () => (underWay -= 1));
    cutOffSlowReader(response, config.requestTimeoutSeconds * 1000);
    if (draining) response.setHeader('Connection', 'close');
    listener(request, response);
  };
  const server = makeServer(counting, config);
  server.maxConnections = config.connections;
  server.maxHeadersCount = headersMax;
  server.timeout = 0; // a long file may take long to be loaded: pauses are timed where bodies are read
  server.on('clientError', answerBrokenRequest);
  if (config.tlsTerminatedByProxy) admitOnly(server, config.trustedProxies);
  await listen(server, config);
  const { port, address, family } = server.address() as AddressInfo;
  const shownHost = isLoopback(config.host) && config.host === 'localhost' ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
  return {
    url: `${server instanceof https.Server ? 'https' : 'http'}://${shownHost}:${port}`,
    port,
    draining: () => draining,
    reloadTls: () => reloadTls(server, config, log),
    async stop() {
      draining = true;
      log.write('gateway.draining', { in_flight: underWay });
      const cutOff = await drain(server, config.drainSeconds * 1000, () => underWay);
      log.write('gateway.stopped', { cut_off: cutOff });
      return cutOff;
    },
  };
}

/** Whose `X-Forwarded-For` is believed, as express takes it: with TLS ended on this machine, and no proxy named, whoever is on it; else all callers would be one address. */
export function proxiesBelieved({ tlsTerminatedByProxy, trustedProxies }: Pick<ServerConfig, 'tlsTerminatedByProxy' | 'trustedProxies'>): false | string[] {
  if (trustedProxies.length > 0) return [...trustedProxies];
  return tlsTerminatedByProxy ? ['loopback'] : false;
}

/** Who asks and does not read the answer holds its memory. */
function cutOffSlowReader(response: http.ServerResponse, timeoutMs: number): void {
  response.once('prefinish', () => {
    if (response.writableLength === 0) return;
    const timer = setTimeout(() => response.destroy(), timeoutMs);
    response.once('close', () => clearTimeout(timer));
  });
}

function makeServer(listener: RequestListener, config: ServerConfig): Server | https.Server {
  const options: http.ServerOptions = {
    maxHeaderSize: headerBytesMax,
    headersTimeout: config.headersTimeoutSeconds * 1000,
    // files of records need long; other bodies are held to requestTimeoutSeconds where they are read
    requestTimeout: Math.max(config.uploadTimeoutSeconds, config.headersTimeoutSeconds) * 1000,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: checkIntervalMs,
    requireHostHeader: true,
    insecureHTTPParser: false,
    noDelay: true,
  };
  if (config.tlsCertFile === undefined) return http.createServer(options, listener);
  return https.createServer({ ...options, ...readTls(config), ...tlsRules, handshakeTimeout: config.headersTimeoutSeconds * 1000 }, listener);
}

/** FAPI 2.0 section 5.2.1: TLS 1.2 or later, of 1.2 only forward-secret AEAD suites. */
const tlsRules = {
  minVersion: 'TLSv1.2',
  ciphers: 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256',
  honorCipherOrder: true,
} as const;

function readTls(config: ServerConfig): { readonly cert: Buffer; readonly key: Buffer } {
  return { cert: readFileSync(config.tlsCertFile ?? ''), key: readFileSync(config.tlsKeyFile ?? '') };
}

function reloadTls(server: Server | https.Server, config: ServerConfig, log: Log): void {
  if (!(server instanceof https.Server)) return;
  try {
    server.setSecureContext({ ...readTls(config), ...tlsRules });
    log.write('tls.reloaded', {});
  } catch (error) {
    log.write('tls.reload_failed', { fault_code: faultFacts(error).fault_code });
  }
}

/** Where TLS ends at a proxy, whoever comes past it would speak in clear: the connection is closed unread. */
function admitOnly(server: Server, proxies: readonly string[]): void {
  const admitted = new BlockList();
  for (const network of proxies.length === 0 ? ['127.0.0.0/8', '::1/128'] : proxies) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    admitted.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  server.on('connection', (socket: Socket) => {
    const address = (socket.remoteAddress ?? '').replace(/^::ffff:(?=[0-9.]+$)/, '');
    const family = isIP(address);
    if (family === 0 || !admitted.check(address, family === 6 ? 'ipv6' : 'ipv4')) socket.destroy();
  });
}

const parserFaults: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  HPE_HEADER_OVERFLOW: ['REQUEST_TOO_LARGE', `The headers are longer than ${headerBytesMax} bytes: send shorter ones.`],
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TIMEOUT', 'The request took too long to arrive: send it at once.'],
};

/** What does not even parse gets its problem as well, and nothing of what was sent. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [code, message] = parserFaults[error.code ?? ''] ?? ['REQUEST_MALFORMED', 'This is not HTTP/1.1 as RFC 9112 has it: check the client.'];
  const problem = problemOf(new VeilgateError(code, message), { requestId: 'none' });
  const head = [`HTTP/1.1 ${problem.status} ${http.STATUS_CODES[problem.status]}`, 'Connection: close', `Content-Length: ${Buffer.byteLength(problem.body)}`, 'Content-Type: application/problem+json', 'Cache-Control: no-store', 'X-Content-Type-Options: nosniff'];
  socket.end(`${head.join('\r\n')}\r\n\r\n${problem.body}`, () => socket.destroy());
}

function listen(server: Server, config: ServerConfig): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => reject(new VeilgateError('CONFIG_INVALID', `VEILGATE_HOST and VEILGATE_PORT cannot be listened on (${error.code ?? 'unknown fault'}): choose others or stop what listens there.`, { settings: ['VEILGATE_HOST', 'VEILGATE_PORT'] }));
    server.once('error', failed);
    server.listen(config.port, config.host, () => {
      server.off('error', failed);
      resolve();
    });
  });
}

async function drain(server: Server, drainMs: number, underWay: () => number): Promise<number> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), drainMs);
  });
  // a connection that falls idle after its last answer would otherwise keep the server open
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const outcome = await Promise.race([closed, late]);
  clearTimeout(timer);
  clearInterval(sweep);
  if (outcome !== 'late') return 0;
  const cutOff = underWay();
  server.closeAllConnections();
  await closed;
  return cutOff;
}
