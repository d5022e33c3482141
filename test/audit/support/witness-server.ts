import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fromBase64, sameBytes, type Bytes } from '../../../src/audit/bytes.ts';
import { cosigner, openCheckpoint, type LogTrust, type OpenedCheckpoint } from '../../../src/audit/checkpoint.ts';
import { parseNote } from '../../../src/audit/note.ts';
import { emptyRoot, verifyConsistency } from '../../../src/audit/tree.ts';
import { isVeilgateError } from '../../../src/errors.ts';
import type { Witness } from '../../../src/audit/witness.ts';
import { newKey } from './keys.ts';

export type WitnessServer = {
  readonly witness: Witness;
  /** Status of every answer given so far. */
  readonly answers: number[];
  /** What it has cosigned last; may be set, as if it had lost or gained memory. */
  seen: { size: number; root: Bytes } | undefined;
  /** When set, every request gets this instead of an honest answer. */
  misbehave: ((body: string) => { status: number; body: string } | undefined) | undefined;
  readonly close: () => Promise<void>;
};

/** A witness after C2SP tlog-witness over real HTTP: knows one log, remembers its latest checkpoint, cosigns consistent ones. */
export async function witnessServer(name: string, log: LogTrust): Promise<WitnessServer> {
  const { key, cosign } = await cosigner(name, newKey());
  const state: { seen: WitnessServer['seen']; misbehave: WitnessServer['misbehave'] } = { seen: undefined, misbehave: undefined };
  const answers: number[] = [];

  type Answer = { status: number; body: string; type?: string };
  const answer = async (body: string): Promise<Answer> => {
    const split = body.indexOf('\n\n');
    const [oldLine = '', ...proofLines] = body.slice(0, Math.max(split, 0)).split('\n');
    const oldSize = /^old (0|[1-9][0-9]*)$/.test(oldLine) ? Number(oldLine.slice(4)) : undefined;
    const proof = proofLines.map(fromBase64);
    if (split < 0 || oldSize === undefined || proof.includes(undefined) || proof.length > 63) return { status: 400, body: '' };
    let checkpoint: OpenedCheckpoint;
    try {
      checkpoint = await openCheckpoint(body.slice(split + 2), log);
    } catch (error) {
      if (!isVeilgateError(error, 'AUDIT_CHECKPOINT_INVALID')) throw error;
      return { status: { origin: 404, signature: 403 }[String(error.detail?.fault)] ?? 400, body: '' };
    }
    if (oldSize > checkpoint.size) return { status: 400, body: '' };
    const known = state.seen?.size ?? 0;
    if (oldSize !== known) return { status: 409, body: `${known}\n`, type: 'text/x.tlog.size' };
    if (!await consistent(oldSize, checkpoint, proof as Bytes[])) return { status: 422, body: '' };
    state.seen = { size: checkpoint.size, root: checkpoint.root };
    return { status: 200, body: `${await cosign(parseNote(checkpoint.note).text, 1_800_000_000)}\n` };
  };

  const consistent = async (oldSize: number, checkpoint: OpenedCheckpoint, proof: Bytes[]) => {
    if (checkpoint.size === 0) return sameBytes(checkpoint.root, await emptyRoot());
    if (oldSize === 0) return proof.length === 0;
    return verifyConsistency({ from: oldSize, fromRoot: state.seen!.root, to: checkpoint.size, toRoot: checkpoint.root, proof }).then(() => true, () => false);
  };

  const server = createServer(async (request, response) => {
    const body = await text(request);
    const given: Answer = state.misbehave?.(body) ?? (request.method === 'POST' && request.url === '/w/add-checkpoint' ? await answer(body) : { status: 404, body: '' });
    answers.push(given.status);
    response.writeHead(given.status, { 'content-type': given.type ?? 'text/plain' }).end(given.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    witness: { url: `http://127.0.0.1:${port}/w/`, key },
    answers,
    get seen() { return state.seen; },
    set seen(seen) { state.seen = seen; },
    get misbehave() { return state.misbehave; },
    set misbehave(misbehave) { state.misbehave = misbehave; },
    close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(() => resolve()); }),
  };
}

async function text(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
