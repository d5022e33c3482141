import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { VeilgateError } from '../errors.ts';
import { parseStrictJsonBytes } from '../strict-json.ts';
import type { BodyForm } from './route.ts';

export type BodyLimits = {
  /** Bytes of a JSON or JWT body, unless its route says less. */
  readonly bodyBytes: number;
  /** Bytes of a stream, unless its route says less. */
  readonly uploadBytes: number;
  /** How long a JSON or JWT body may take to arrive, and a stream may pause. */
  readonly bodyTimeoutMs: number;
};

/** A body as its route wants it, and the digest that an idempotency key is bound to. */
export type ReadBody = {
  readonly value: unknown;
  readonly sha256: () => Buffer;
  /** Present for streams: lets what was not read pass unread, so that the caller gets its answer. */
  readonly discard?: () => void;
};

const jsonDepthMax = 16;
const noBody: ReadBody = { value: undefined, sha256: () => createHash('sha256').digest() };
/** Parameters that a text may come with and that change nothing. */
const mediaType = /^([a-z0-9.+-]{1,40}\/[a-z0-9.+-]{1,40})(?:\s*;\s*(?:charset="?utf-8"?|header="?present"?))*$/i;

/**
 * Reads a request's body as its route declares it.
 * Errors: REQUEST_MEDIA_TYPE, REQUEST_TOO_LARGE, REQUEST_MALFORMED, REQUEST_TIMEOUT, JSON_*.
 */
export async function readBody(request: IncomingMessage, form: BodyForm | undefined, limits: BodyLimits): Promise<ReadBody> {
  if (form === undefined) return refuseBody(request);
  refuseMediaType(request, form.kind === 'json' ? ['application/json'] : form.kind === 'jwt' ? ['application/jwt'] : form.mediaTypes);
  if (form.kind === 'stream') return openStream(request, Math.min(form.maxBytes ?? Number.MAX_SAFE_INTEGER, limits.uploadBytes), limits.bodyTimeoutMs);
  const bytes = await readBytes(request, Math.min(form.maxBytes ?? Number.MAX_SAFE_INTEGER, limits.bodyBytes), limits.bodyTimeoutMs);
  const value = form.kind === 'json' ? parseStrictJsonBytes(bytes, { maxLength: limits.bodyBytes, maxDepth: jsonDepthMax }) : compactJwt(bytes);
  return { value, sha256: () => createHash('sha256').update(bytes).digest() };
}

/** A request whose route takes no body must have none: it could be a second request in disguise. */
function refuseBody(request: IncomingMessage): ReadBody {
  const length = request.headers['content-length'];
  if (request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')) {
    throw new VeilgateError('REQUEST_MALFORMED', 'This request takes no body: send it without one.');
  }
  return noBody;
}

function refuseMediaType(request: IncomingMessage, accepted: readonly string[]): void {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new VeilgateError('REQUEST_MEDIA_TYPE', 'Bodies are read uncompressed: send it without Content-Encoding.', { accepted });
  }
  const type = mediaType.exec(request.headers['content-type'] ?? '')?.[1]?.toLowerCase();
  if (type === undefined || !accepted.includes(type)) {
    throw new VeilgateError('REQUEST_MEDIA_TYPE', `This request takes ${accepted.join(' or ')} in UTF-8: set Content-Type accordingly.`, { accepted });
  }
}

function tooLarge(maxBytes: number): VeilgateError {
  return new VeilgateError('REQUEST_TOO_LARGE', `The body is longer than ${maxBytes} bytes: send less at once.`, { maxBytes });
}

function refuseLength(request: IncomingMessage, maxBytes: number): void {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

function readBytes(request: IncomingMessage, maxBytes: number, timeoutMs: number): Promise<Buffer> {
  refuseLength(request, maxBytes);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const fail = (error: VeilgateError) => {
      stop();
      request.pause();
      reject(error);
    };
    const timer = setTimeout(() => fail(new VeilgateError('REQUEST_TIMEOUT', 'The body took too long to arrive: send it at once.')), timeoutMs);
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) fail(tooLarge(maxBytes));
      else chunks.push(chunk);
    };
    const onEnd = () => {
      stop();
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length));
    };
    const onGone = () => fail(new VeilgateError('REQUEST_MALFORMED', 'The body ended early: send it again.'));
    const stop = () => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
      request.on('error', () => {}); // a connection that breaks later concerns nobody
    };
    request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}

/** Only the alphabet is checked here; identity/ checks the grammar and everything else. */
function compactJwt(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  if (!/^[A-Za-z0-9_.-]+$/.test(text)) throw new VeilgateError('REQUEST_MALFORMED', 'The body is not a compact JWS: send the token alone, without blanks or line ends.');
  return text;
}

/** RFC 9530: `Content-Digest: sha-256=:<base64>:`; undefined when the request has none of that form. */
function declaredDigest(request: IncomingMessage): Buffer | undefined {
  const header = request.headers['content-digest'];
  const digest = typeof header === 'string' ? /(?:^|,\s*)sha-256=:([A-Za-z0-9+/]{43}=):/.exec(header)?.[1] : undefined;
  return digest === undefined ? undefined : Buffer.from(digest, 'base64');
}

/** A stream that ends with an error beyond `maxBytes`, after a long pause, on a broken connection and on a wrong Content-Digest. */
function openStream(request: IncomingMessage, maxBytes: number, pauseMs: number): ReadBody {
  refuseLength(request, maxBytes);
  const declared = declaredDigest(request);
  const hash = declared === undefined ? undefined : createHash('sha256');
  let length = 0;
  let lastMs = performance.now();
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      lastMs = performance.now();
      length += chunk.length;
      hash?.update(chunk);
      if (length > maxBytes) done(tooLarge(maxBytes));
      else done(null, chunk);
    },
    flush(done) {
      if (declared !== undefined && hash?.digest().equals(declared) === false) done(new VeilgateError('REQUEST_MALFORMED', 'The body is not the one Content-Digest promises: send it again.'));
      else done();
    },
  });
  counted.on('error', () => {}); // who reads it hears of it too; nobody need be reading
  request.on('error', () => {});
  request.once('close', () => {
    if (!request.complete) counted.destroy(new VeilgateError('REQUEST_MALFORMED', 'The body ended early: send it again.'));
  });
  // while we make the caller wait, it is not the caller that pauses
  const watch = setInterval(() => {
    if (counted.writableNeedDrain || request.isPaused()) lastMs = performance.now();
    else if (!request.complete && performance.now() - lastMs > pauseMs) counted.destroy(new VeilgateError('REQUEST_TIMEOUT', 'The file paused for too long: send it again.'));
  }, Math.min(1000, pauseMs / 2));
  counted.once('close', () => clearInterval(watch));
  request.pipe(counted);
  return {
    value: counted,
    sha256: () => {
      if (declared === undefined) throw new VeilgateError('REQUEST_INVALID', 'A file with an Idempotency-Key needs a Content-Digest (sha-256): the key stands for exactly that file.', { part: 'header', pointer: '/content-digest', rule: 'required' });
      return declared;
    },
    discard: () => {
      if (request.complete && counted.readableEnded) return;
      request.unpipe(counted);
      counted.destroy();
      request.resume();
    },
  };
}
