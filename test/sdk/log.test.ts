import { strict as assert } from 'node:assert';
import { toBase64 } from '../../src/audit/bytes.ts';
import { checkpointSigner, type CheckpointSigner, type LogTrust } from '../../src/audit/checkpoint.ts';
import { formatVerifierKey } from '../../src/audit/note.ts';
import { consistencyProof, leafHash, rootAt, rootOver, type NodeReader } from '../../src/audit/tree.ts';
import { isVeilgateError, type ErrorCode } from '../../src/errors.ts';
import type { GatewayRequest } from '../../src/sdk/connection.ts';
import { checkContinuation, logTrust } from '../../src/sdk/log.ts';
import { newKey } from '../audit/support/keys.ts';
import { origin } from '../audit/support/log.ts';

const refusesWith = (code: ErrorCode) => (error: unknown) => isVeilgateError(error, code);

describe('the continuation of a log', () => {
  let signer: CheckpointSigner;
  let trust: LogTrust;
  let node: NodeReader;
  const signed = async (size: number) => signer.sign({ size, root: await rootAt(size, node) });
  /** A gateway that serves this checkpoint, and the honest proof or another. */
  const serving = (note: string, proof?: readonly string[]) => ({
    call: async <Answer>({ path }: GatewayRequest) => {
      const [, from, to] = /^\/v1\/log\/consistency\?from=(\d+)&to=(\d+)$/.exec(path) ?? [];
      return { hashes: proof ?? (await consistencyProof(Number(from), Number(to), node)).map(toBase64) } as Answer;
    },
    send: async () => new Response(note),
  });

  before(async () => {
    signer = await checkpointSigner(origin, newKey());
    trust = await logTrust([formatVerifierKey(signer.key)]);
    const leaves = await Promise.all(Array.from({ length: 100 }, (_, at) => leafHash(Uint8Array.of(at))));
    node = async (level, index) => rootOver(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));
  });

  it('holds from any size to any larger one, and for whoever remembers nothing', async () => {
    for (const [from, to] of [[1, 100], [37, 64], [64, 64], [99, 100], [0, 7]] as const) {
      const found = await checkContinuation(serving(await signed(to)), trust, await signed(from));
      assert.ok(found.kind === 'continues' && found.since === from && found.newest.size === to, `${from} to ${to}`);
    }
    const first = await checkContinuation(serving(await signed(5)), trust, null);
    assert.ok(first.kind === 'continues' && first.since === null);
  });

  it('does not hold for a shorter log, another log, or one that somebody else signed', async () => {
    const kind = async (served: string, proof?: readonly string[]) => (await checkContinuation(serving(served, proof), trust, await signed(37))).kind;
    assert.equal(await kind(await signed(36)), 'rolled_back');
    assert.equal(await kind(await signer.sign({ size: 37, root: new Uint8Array(32) })), 'forked');
    assert.equal(await kind(await signer.sign({ size: 100, root: new Uint8Array(32) })), 'forked');
    assert.equal(await kind(await signed(100), []), 'forked');
    const stranger = await checkpointSigner(origin, newKey());
    assert.equal(await kind(await stranger.sign({ size: 100, root: await rootAt(100, node) })), 'not_signed');
    assert.equal(await kind('no note'), 'not_signed');
  });

  it('is not judged by a proof that cannot be read, or a memory that is none of this log', async () => {
    await assert.rejects(checkContinuation(serving(await signed(100), ['§']), trust, await signed(37)), refusesWith('AUDIT_UNAVAILABLE'));
    await assert.rejects(checkContinuation(serving(await signed(100)), trust, 'damaged'), refusesWith('AUDIT_CHECKPOINT_INVALID'));
  });

  it('rests on keys of one log', async () => {
    const other = await checkpointSigner('other.example/log', newKey());
    const next = await checkpointSigner(origin, newKey());
    assert.equal((await logTrust([formatVerifierKey(next.key), formatVerifierKey(signer.key)])).logKeys.length, 2);
    await assert.rejects(logTrust([formatVerifierKey(signer.key), formatVerifierKey(other.key)]), refusesWith('CONFIG_INVALID'));
    await assert.rejects(logTrust(['nonsense']), refusesWith('CONFIG_INVALID'));
    await assert.rejects(logTrust([]), refusesWith('CONFIG_INVALID'));
  });
});
